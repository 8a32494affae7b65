package cordon_test

import (
	"go/ast"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// withoutRace returns the patterns of scripts/norace.txt, and which of them run
// with the detector in make real.
func withoutRace(t *testing.T) (patterns []string, raced map[string]bool) {
	t.Helper()
	data, err := os.ReadFile("scripts/norace.txt")
	if err != nil {
		t.Fatal(err)
	}
	raced = map[string]bool{}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields) < 2 {
			t.Errorf("scripts/norace.txt: %s has no reason", fields[0])
			continue
		}
		pattern := strings.TrimPrefix(fields[0], "./")
		patterns = append(patterns, pattern)
		raced[pattern] = fields[1] == "real:"
	}
	return patterns, raced
}

// What make test runs without the race detector has nothing to race: no
// goroutine, no atomic, nothing of package sync but a pool.
func TestPackagesWithoutRaceHaveNothingToRace(t *testing.T) {
	patterns, raced := withoutRace(t)
	covered := map[string]bool{}
	for _, s := range sources(t) {
		for _, pattern := range patterns {
			base, below := strings.CutSuffix(pattern, "/...")
			if s.dir != base && (!below || !strings.HasPrefix(s.dir, base+"/")) {
				continue
			}
			covered[pattern] = true
			if !s.test() && !raced[pattern] {
				checkNothingRaces(t, s)
			}
		}
	}
	for _, pattern := range patterns {
		if !covered[pattern] {
			t.Errorf("scripts/norace.txt names %s, where there is no Go", pattern)
		}
	}
}

func checkNothingRaces(t *testing.T, s source) {
	t.Helper()
	ast.Inspect(s.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			t.Errorf("%s starts a goroutine and is in scripts/norace.txt", s.fset.Position(n.Pos()))
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && (x.Name == "atomic" || x.Name == "sync" && n.Sel.Name != "Pool") {
				t.Errorf("%s uses %s.%s and is in scripts/norace.txt", s.fset.Position(n.Pos()), x.Name, n.Sel.Name)
			}
		}
		return true
	})
}

var variable = regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|")

// CONTRIBUTING.md lists every variable that tests and helpers of tests read, and
// none besides.
func TestEveryVariableIsListed(t *testing.T) {
	page, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range variable.FindAllStringSubmatch(string(page), -1) {
		listed = append(listed, m[1])
	}
	read := map[string]bool{"CORDON_PLUGIN_SOURCE": true} // by plugin/build.mjs
	for _, s := range sources(t) {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			fun, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || fun.Sel.Name != "Getenv" && fun.Sel.Name != "LookupEnv" {
				return true
			}
			literal, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				return true
			}
			name, err := strconv.Unquote(literal.Value)
			if err == nil && (strings.HasPrefix(name, "CORDON_") || name == "CHROMIUM") {
				read[name] = true
				if !slices.Contains(listed, name) {
					t.Errorf("%s reads %s, which CONTRIBUTING.md does not list", s.fset.Position(call.Pos()), name)
				}
			}
			return true
		})
	}
	for _, name := range listed {
		if !read[name] {
			t.Errorf("CONTRIBUTING.md lists %s, which nothing reads", name)
		}
	}
}

// lane.Real is the first statement of its test, where scripts/real.sh finds it, and
// every test that asks lane.Rounds is found, too.
func TestRealTestsAreFound(t *testing.T) {
	found := markedReal(t)
	// Without git, as in an unpacked archive, the same are found.
	if walked := markedReal(t, "GIT_DIR="+t.TempDir()); !slices.Equal(walked, found) {
		t.Errorf("without git make real finds %v, with it %v", walked, found)
	}
	for _, s := range sources(t) {
		for _, decl := range s.ast.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || s.file == "internal/lane/lane.go" {
				continue
			}
			if strings.HasPrefix(f.Name.Name, "Test") && callsLane(f, "Rounds") &&
				!slices.Contains(found, f.Name.Name) {
				t.Errorf("%s: %s calls lane.Rounds, and make real does not find it", s.file, f.Name.Name)
			}
			for i, at := range realCalls(f) {
				if i > 0 || at != 0 || !slices.Contains(found, f.Name.Name) {
					t.Errorf("%s: %s calls lane.Real, and make real does not find it", s.file, f.Name.Name)
				}
			}
		}
	}
}

// markedReal returns the folders and names of the tests that make real finds.
func markedReal(t *testing.T, env ...string) []string {
	t.Helper()
	cmd := exec.Command("sh", "-c", `sed -n '/^marked() {/,/^}/p' scripts/real.sh > "$0" && . "$0" && marked | sort`,
		path.Join(t.TempDir(), "marked.sh"))
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("no shell here: %v: what make real runs was not compared", err)
	}
	return strings.Fields(string(out))
}

// callsLane reports whether a function calls one of package lane.
func callsLane(f *ast.FuncDecl, name string) (found bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		if fun, ok := n.(*ast.SelectorExpr); ok && fun.Sel.Name == name {
			x, ok := fun.X.(*ast.Ident)
			found = found || ok && x.Name == "lane"
		}
		return true
	})
	return found
}

// realCalls returns the statements of a function, by number, that call
// lane.Real; one within another statement counts as -1.
func realCalls(f *ast.FuncDecl) []int {
	var all []int
	if f.Body == nil {
		return nil
	}
	for i, statement := range f.Body.List {
		ast.Inspect(statement, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if fun, ok := call.Fun.(*ast.SelectorExpr); ok && fun.Sel.Name == "Real" {
				if x, ok := fun.X.(*ast.Ident); ok && x.Name == "lane" {
					at := -1
					if expression, ok := statement.(*ast.ExprStmt); ok && expression.X == call {
						at = i
					}
					all = append(all, at)
				}
			}
			return true
		})
	}
	return all
}

// Chromium is driven by internal/browsertest alone: nowhere else is a browser
// started, or a page opened past its guard.
func TestOneBrowser(t *testing.T) {
	for _, s := range sources(t) {
		if s.dir == "internal/browsertest" {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			x, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			from, ok := x.X.(*ast.Ident)
			if ok && from.Name == "chromedp" &&
				(strings.HasPrefix(x.Sel.Name, "New") || x.Sel.Name == "DefaultExecAllocatorOptions") {
				t.Errorf("%s: chromedp.%s opens a page without the guard of internal/browsertest",
					s.fset.Position(n.Pos()), x.Sel.Name)
			}
			return true
		})
	}
}
