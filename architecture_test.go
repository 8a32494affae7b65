// Package cordon_test checks the house itself: who imports whom, that
// everything is documented, and that nothing but the listed modules is linked.
package cordon_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/cordon-sec/cordon"

// mayImport is the import table of docs/design.md: for each package, the
// packages of this module that it may import. "x/**" stands for x and what is
// below it. The longest matching key counts; a package without a key fails.
var mayImport = map[string][]string{
	"host":                {},
	"policy/pattern":      {},
	"policy/publicsuffix": {},
	"policy/csp":          {},
	"policy/script":       {"policy/app"},
	"policy/needs": {"policy", "policy/app", "policy/configxml", "policy/plugins", "policy/script",
		"internal/jsonspan"},
	"policy/plugins":   {"policy"},
	"policy":           {"host", "policy/pattern"},
	"policy/configxml": {"policy", "policy/capacitor"},
	"policy/dialect": {"host", "policy", "policy/pattern", "policy/configxml", "policy/capacitor",
		"policy/dialect/javaregexp", "policy/plugins"},
	"policy/app": {"internal/jsonspan", "policy", "policy/configxml", "policy/native",
		"policy/pins", "policy/plugins"},
	"policy/native":    {"policy", "policy/configxml"},
	"policy/appbound":  {"host", "policy", "policy/native", "policy/publicsuffix"},
	"policy/privacy":   {"host", "policy", "policy/native"},
	"policy/capacitor": {"policy", "internal/jsonspan"},

	"policy/dialect/javaregexp": {},
	"policy/diff": {"policy", "policy/pattern", "policy/configxml", "policy/dialect", "internal/output",
		"internal/wording"},
	"policy/lint": engine("host", "policy/app", "policy/appbound", "policy/capacitor", "policy/script", "policy/diff",
		"policy/csp", "policy/publicsuffix", "policy/native", "policy/pins", "policy/privacy", "pin",
		"internal/jsonspan", "internal/wording"),
	"policy/lint/report": {"policy", "policy/app", "policy/lint", "internal/output", "internal/wording"},
	"policy/prove": engine("policy/diff", "policy/csp", "policy/export", "policy/pins", "pin",
		"internal/output", "internal/wording"),
	"policy/migrate": engine("policy/capacitor", "policy/diff", "policy/csp", "policy/publicsuffix", "policy/pins",
		"pin"),
	"policy/propose":  engine("host", "policy/diff", "policy/csp", "policy/publicsuffix", "policy/pins", "pin"),
	"policy/pins":     {"host", "policy", "policy/configxml", "pin"},
	"policy/enforced": engine("policy/pins", "pin"),
	"policy/export": engine("policy/appbound", "policy/capacitor", "policy/csp", "policy/needs", "policy/privacy",
		"host", "pin"),
	"project":          {"host", "policy/**", "pin", "internal/jsonspan"},
	"project/artifact": {"policy/**"},
	"project/folder": {"project", "project/artifact", "policy/**", "internal/localstate",
		"internal/wording"},
	"project/repair":    {"project", "policy/**", "pin", "internal/wording"},
	"pin":               {"host", "internal/wording"},
	"egress":            {"host", "pin", "internal/**"},
	"ca":                {"host", "pin", "internal/**"},
	"event":             {},
	"client":            {"host", "policy/**", "pin", "egress", "event", "internal/**"},
	"gateway":           {"host", "policy/**", "pin", "egress", "event", "ca", "gateway/config", "internal/**"},
	"gateway/config":    {"host", "policy/dialect", "policy/enforced", "pin", "ca", "egress", "internal/**"},
	"internal/proctest": {"host", "internal/**"},
	"gateway/source": {"gateway/config", "policy", "policy/enforced", "policy/configxml", "project/folder", "ca",
		"egress", "internal/**"},
	"backend/identity":     {},
	"backend/auth":         {"host", "backend/identity", "event", "internal/**", "egress"},
	"backend/services":     {"host", "backend/identity", "event", "internal/**", "egress"},
	"backend/tables/odata": {},
	"backend/tables":       {"host", "backend/tables/odata", "backend/identity", "event", "internal/**", "egress"},
	"backend/store/**": {"backend/identity", "backend/auth", "backend/tables/**", "backend/services",
		"backend/store/**", "internal/**"},

	"backend/tables/transfer": {"backend/tables", "backend/tables/odata"},

	"backend/clienttest": {"backend/**", "internal/**", "egress", "event", "ca", "pin"},
	"backend": {"host", "backend/identity", "backend/auth", "backend/tables", "backend/services", "event",
		"internal/**"},
	"console":       {"host", "policy/**", "event"},
	"console/parts": {"console", "backend/auth", "backend/tables/**", "project", "project/folder", "policy/**"},
	"settings": {"host", "backend", "backend/identity", "backend/auth", "backend/services", "backend/tables",
		"gateway/config", "egress", "event", "internal/**"},
	"server":    {"host", "settings", "backend/**", "egress", "event", "pin", "ca", "internal/**"},
	"plugin/**": {"policy/**", "pin", "project", "plugin/engine/**"},
	"record":    {"host", "policy/**", "gateway", "gateway/config", "event", "ca"},
	"survey":    {"host", "pin", "egress", "policy/**"},
	"doctor":    {"ca", "project/folder", "settings", "internal/**"},
	"up": {"host", "ca", "event", "policy/**", "project", "project/folder", "gateway", "gateway/config", "settings",
		"server", "console", "console/parts", "internal/**"},
	"cmd/cordon":        {"**"},
	"internal/**":       {"internal/**"},
	"internal/admin":    {"host", "internal/**"},
	"internal/loopback": {"host"},
	".":                 {"**"},
}

// engine is the pure core, with more.
func engine(more ...string) []string {
	return append([]string{"policy", "policy/pattern", "policy/configxml", "policy/dialect"}, more...)
}

// onlyIn names modules that one folder alone may import.
var onlyIn = map[string][]string{
	"github.com/spf13/cobra":      {"cmd/cordon"},
	"github.com/spf13/pflag":      {"cmd/cordon"},
	"modernc.org/sqlite":          {"backend/store/**"},
	"github.com/jackc/pgx/v5":     {"backend/store/**"},
	"github.com/pressly/goose/v3": {"backend/store/**"},
	"cel.dev/cel-go":              {"backend/identity"},
	"golang.org/x/time":           {"internal/limit"},
}

// pureBans are the packages that policy/** and pin never import: no network,
// no system, no log.
var pureBans = []string{"net/http", "net", "os", "os/exec", "log", "log/slog", "io/ioutil", "syscall", "database/sql",
	"math/rand", "crypto/rand"}

// readers are the calls that read files or the environment, which the gateway
// leaves to package source: it takes values.
var readers = []string{"os.ReadFile", "os.Open", "os.OpenFile", "os.Stat", "os.Lstat", "os.ReadDir", "os.Getenv",
	"os.LookupEnv", "tls.LoadX509KeyPair", "ca.Load", "ca.Open", "ca.OpenOrCreate"}

func TestGatewayTakesValues(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() || s.dir != "gateway" && s.dir != "gateway/config" ||
			s.file == "gateway/reserved.go" { // it opens the null device, for its descriptor
			continue
		}
		for _, i := range s.ast.Imports {
			if name := strings.Trim(i.Path.Value, `"`); s.dir == "gateway" && name == module+"/internal/secret" {
				t.Errorf("%s imports %s", s.file, name)
			}
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if of, ok := call.X.(*ast.Ident); ok && slices.Contains(readers, of.Name+"."+call.Sel.Name) {
				t.Errorf("%s: %s.%s", s.fset.Position(n.Pos()), of.Name, call.Sel.Name)
			}
			return true
		})
	}
}

// jumping are the methods of a time.Time that lose its monotonic reading, or tell
// what the clock on the wall says: what compares such times is wrong for as long
// as somebody has set the clock.
var jumping = []string{"Unix", "UnixNano", "UnixMilli", "UnixMicro", "Round", "Truncate", "UTC", "Local", "In"}

// showsTime are the places where a time is shown and nothing follows from it.
var showsTime = map[string]string{
	"gateway/answer_linux.go":  "the Date field",
	"gateway/operate.go":       "when a tunnel was opened",
	"gateway/workers_linux.go": "a number that differs, to choose a worker",
	"egress/certificate.go":    "the day of a revocation",
	"egress/revocation.go":     "the day of a revocation, and how long a list counts",
	"event/log.go":             "which second events are counted in: another one, not a later one, begins anew",
	"event/parse.go":           "the time of an event of a file",
}

// TestNoClockDecides: time-outs, ages and rates of the gateway go by a clock that
// does not jump, so that a clock that is set a day forward or back ends nothing
// and keeps nothing open. What the clock on the wall must decide, the validity of
// certificates and pins, is package egress's by its Now.
func TestNoClockDecides(t *testing.T) {
	for _, s := range sources(t) {
		under := func(dir string) bool { return s.dir == dir || strings.HasPrefix(s.dir, dir+"/") }
		if s.test() || !under("gateway") && !under("egress") && !under("event") && !under("internal/limit") &&
			!under("internal/reactor") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains(jumping, method.Sel.Name) || showsTime[s.file] != "" {
				return true
			}
			if of, ok := method.X.(*ast.Ident); ok && of.Name == "time" && method.Sel.Name == "Unix" {
				return true // a time that is made of a number, such as one that is over
			}
			t.Errorf("%s: %s loses what makes times comparable", s.fset.Position(n.Pos()), method.Sel.Name)
			return true
		})
	}
}

type source struct {
	file string // slash-separated, relative to the module
	dir  string
	ast  *ast.File
	fset *token.FileSet
}

func (s source) test() bool { return strings.HasSuffix(s.file, "_test.go") }

// sources parses every Go file of the main module.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		p = filepath.ToSlash(p)
		if d.IsDir() {
			name := d.Name()
			if p != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil && p != "." {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{file: p, dir: path.Dir(p), ast: parsed, fset: fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("found %d Go files only: the test does not see the module", len(all))
	}
	return all
}

// covers reports whether a pattern of the tables covers a folder.
func covers(patternPath, dir string) bool {
	if patternPath == "**" || patternPath == dir {
		return true
	}
	prefix, ok := strings.CutSuffix(patternPath, "/**")
	return ok && (dir == prefix || strings.HasPrefix(dir, prefix+"/"))
}

func coveredByAny(patterns []string, dir string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return covers(p, dir) })
}

func tableRow(dir string) (allowed []string, ok bool) {
	best := -1
	for key, row := range mayImport {
		if n := len(strings.TrimSuffix(key, "/**")); covers(key, dir) && n > best {
			best, allowed, ok = n, row, true
		}
	}
	return allowed, ok
}

func imports(s source) []string {
	var all []string
	for _, spec := range s.ast.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err == nil {
			all = append(all, name)
		}
	}
	return all
}

func TestImportDirections(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		allowed, ok := tableRow(s.dir)
		if !ok {
			t.Errorf("%s: folder %s is not in the import table", s.file, s.dir)
			continue
		}
		for _, name := range imports(s) {
			own, ours := strings.CutPrefix(name, module+"/")
			if ours && own != s.dir && !coveredByAny(allowed, own) {
				t.Errorf("%s imports %s, which the import table does not allow", s.file, own)
			}
			for prefix, folders := range onlyIn {
				if (name == prefix || strings.HasPrefix(name, prefix+"/")) && !coveredByAny(folders, s.dir) {
					t.Errorf("%s imports %s, which only %v may", s.file, name, folders)
				}
			}
		}
	}
}

func TestPolicyAndPinArePure(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() || !covers("policy/**", s.dir) && !covers("pin", s.dir) {
			continue
		}
		for _, name := range imports(s) {
			if slices.Contains(pureBans, name) && s.ast.Name.Name != "main" {
				t.Errorf("%s imports %s: policy and pin take bytes and values in and out", s.file, name)
			}
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := selector.X.(*ast.Ident); ok && x.Name == "time" &&
				(selector.Sel.Name == "Now" || selector.Sel.Name == "Since") {
				t.Errorf("%s reads the clock: time comes as a parameter", s.fset.Position(n.Pos()))
			}
			return true
		})
	}
}
