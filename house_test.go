package cordon_test

import (
	"go/ast"
	"go/token"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEveryPackageIsDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		documented[s.dir] = documented[s.dir] || s.ast.Doc.Text() != ""
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package in %s has no package comment", dir)
		}
	}
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		for _, decl := range s.ast.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: %s has no doc comment", s.fset.Position(decl.Pos()), name)
			}
		}
	}
}

// undocumented returns the exported names of a declaration without a comment.
// In a group of constants or variables the group's comment is enough.
func undocumented(decl ast.Decl) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc.Text() == "" && d.Name.IsExported() && exportedReceiver(d) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var names []string
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && d.Doc.Text() == "" && spec.Doc.Text() == "" {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				if d.Doc.Text() != "" || spec.Doc.Text() != "" || spec.Comment.Text() != "" {
					continue
				}
				for _, name := range spec.Names {
					if name.IsExported() && d.Tok != token.IMPORT {
						names = append(names, name.Name)
					}
				}
			}
		}
		return names
	}
	return nil
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	receiver := d.Recv.List[0].Type
	for {
		switch r := receiver.(type) {
		case *ast.StarExpr:
			receiver = r.X
		case *ast.IndexExpr:
			receiver = r.X
		case *ast.IndexListExpr:
			receiver = r.X
		case *ast.Ident:
			return r.IsExported()
		default:
			return true
		}
	}
}

// The sizes that code stays readable at: functions at most 100 lines and nine
// in ten at most 40, files nine in ten at most 400.
func TestSizes(t *testing.T) {
	var functions, files []int
	for _, s := range sources(t) {
		if ast.IsGenerated(s.ast) {
			continue
		}
		position := s.fset.Position
		if !s.test() {
			files = append(files, position(s.ast.FileEnd).Line)
		}
		for _, decl := range s.ast.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			lines := position(f.Body.Rbrace).Line - position(f.Pos()).Line + 1
			if !s.test() {
				functions = append(functions, lines)
			}
			if lines > 100 {
				t.Errorf("%s: function %s has %d lines", position(f.Pos()), f.Name.Name, lines)
			}
		}
	}
	slices.Sort(functions)
	slices.Sort(files)
	if p90 := functions[len(functions)*9/10]; p90 > 40 {
		t.Errorf("nine in ten functions have up to %d lines, want 40", p90)
	}
	if p90 := files[len(files)*9/10]; p90 > 400 {
		t.Errorf("nine in ten files have up to %d lines, want 400", p90)
	}
}

// maxColumns is how long a line of code may be; a tab counts four columns.
const maxColumns = 120

// A string over several lines is the text of some file, and may be as wide as
// that is.
func TestLinesFit(t *testing.T) {
	for _, s := range sources(t) {
		if ast.IsGenerated(s.ast) {
			continue
		}
		code, err := os.ReadFile(s.file)
		if err != nil {
			t.Fatal(err)
		}
		quoted := quotedLines(s)
		for i, line := range strings.Split(string(code), "\n") {
			columns := utf8.RuneCountInString(line) + 3*strings.Count(line, "\t")
			if columns > maxColumns && !quoted[i+1] {
				t.Errorf("%s:%d: %d columns, want at most %d: break the line", s.file, i+1, columns, maxColumns)
			}
		}
	}
}

// quotedLines are the numbers of the lines that strings over several lines
// cover.
func quotedLines(s source) map[int]bool {
	quoted := map[int]bool{}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && strings.Contains(literal.Value, "\n") {
			for i := s.fset.Position(literal.Pos()).Line; i <= s.fset.Position(literal.End()).Line; i++ {
				quoted[i] = true
			}
		}
		return true
	})
	return quoted
}

func TestFolderNames(t *testing.T) {
	banned := []string{"pkg", "util", "utils", "common", "models", "types", "helpers"}
	for _, s := range sources(t) {
		if slices.Contains(banned, path.Base(s.dir)) {
			t.Errorf("%s: a folder is named after what it holds, not %q", s.file, path.Base(s.dir))
		}
	}
}

var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b|(?i:not implemented|coming soon)`)

func TestNothingIsLeftUnfinished(t *testing.T) {
	for _, s := range sources(t) {
		if s.file == "house_test.go" {
			continue
		}
		for _, group := range s.ast.Comments {
			if mark := unfinished.FindString(group.Text()); mark != "" {
				t.Errorf("%s: comment says %q", s.fset.Position(group.Pos()), mark)
			}
		}
	}
}

// onePlace names texts that only one mechanism has to spell, and its folder. Who
// needs the mechanism calls it; a second one grows apart from the first.
var onePlace = map[string]string{
	"GET /healthz":  "internal/admin",
	"LISTEN_FDS":    "internal/systemd",
	"NOTIFY_SOCKET": "internal/systemd",
}

func TestOneMechanismForOneIdea(t *testing.T) {
	found := map[string]bool{}
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			for text, dir := range onePlace {
				if !strings.Contains(literal.Value, text) {
					continue
				}
				found[text] = true
				if s.dir != dir {
					t.Errorf("%s spells %q, which is for %s", s.fset.Position(n.Pos()), text, dir)
				}
			}
			return true
		})
	}
	for text, dir := range onePlace {
		if !found[text] {
			t.Errorf("nothing spells %q: is %s still the place?", text, dir)
		}
	}
}

// takesHostsApart are the files outside host/ that take a host or its port from a
// text by hand, each with the reason: everybody else asks host/, whose reading is
// the one that is compared, listed and dialled.
var takesHostsApart = map[string]string{
	"internal/testpki/testpki.go":           "the names of a test's certificate",
	"policy/export/android_nsc.go":          "hosts of a compiled list, which the file wants without their brackets",
	"settings/excerpt.go":                   "the brackets of a list, not of a host",
	"cmd/cordon/up_summary.go":              "the stand-in's own URL, for people",
	"egress/dns.go":                         "a name server is an address, bare or with a port",
	"egress/transport.go":                   "what net/http dials; the dialer reads the host itself, more strictly",
	"gateway/config/check.go":               "addresses of listeners: without a host, with a service's name",
	"internal/admin/admin.go":               "the address of a listener",
	"internal/admin/proof.go":               "the address of a connection",
	"internal/browsertest/ways.go":          "the address of a test's listener",
	"internal/port/port.go":                 "the address of a listener",
	"policy/appbound/appbound.go":           "cuts off user names, which host refuses, as WebKit's URLs do",
	"policy/csp/source.go":                  "sources as the standard takes them apart, wildcards and all",
	"policy/dialect/android_uri.go":         "a platform's own reading",
	"policy/dialect/blackberry_index.go":    "a platform's own reading",
	"policy/dialect/capacitor_mask.go":      "a platform's own reading",
	"policy/dialect/cordon_pattern.go":      "patterns, which are no hosts yet",
	"policy/dialect/cordon_url.go":          "the strict reading of URLs, with its own reasons",
	"policy/dialect/w3c.go":                 "a platform's own reading",
	"policy/dialect/windowsphone_search.go": "a platform's own reading",
	"policy/lint/entry.go":                  "an entry as its author meant it, however wrong",
	"policy/lint/source_urls.go":            "cuts off user names, which host refuses, and reports them",
	"policy/migrate/grant.go":               "patterns of foreign lists",
	"policy/pattern/algebra_domain.go":      "patterns, which are no hosts",
	"project/repair/meant.go":               "an entry as its author meant it, however wrong",
	"server/open.go":                        "the address of a listener",
	"settings/settings.go":                  "the address of a listener",
	"up/summary.go":                         "the port of the site's own URL, which is in normal form",
	"up/up.go":                              "addresses of listeners, and the port of the site's own URL",
}

func TestHostsAreReadInOnePlace(t *testing.T) {
	found := map[string]bool{}
	for _, s := range sources(t) {
		if s.test() || s.dir == "host" {
			continue
		}
		urls := slices.ContainsFunc(s.ast.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"net/url"` })
		ast.Inspect(s.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if what := takesHostApart(call, urls); what != "" {
				found[s.file] = true
				if takesHostsApart[s.file] == "" {
					t.Errorf("%s: %s takes a host apart, which is for host/: see host.ParseAuthority and host.Split",
						s.fset.Position(n.Pos()), what)
				}
			}
			return true
		})
	}
	for file := range takesHostsApart {
		if !found[file] {
			t.Errorf("%s takes no host apart any more: take it off the list", file)
		}
	}
}

// takesHostApart names the call if it takes a host from a text by hand. Port is a
// method of addresses too; urls says that the file knows URLs.
func takesHostApart(call *ast.CallExpr, urls bool) string {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	of, _ := f.X.(*ast.Ident)
	name := f.Sel.Name
	switch {
	case of != nil && of.Name == "net" && (name == "SplitHostPort" || name == "ParseIP"):
		return "net." + name
	case len(call.Args) == 0 && (name == "Hostname" && (of == nil || of.Name != "os") || name == "Port" && urls):
		return name
	case of == nil || of.Name != "strings" || len(call.Args) != 2:
		return ""
	}
	mark, ok := call.Args[1].(*ast.BasicLit)
	if !ok || len(mark.Value) < 3 {
		return ""
	}
	text := mark.Value[1 : len(mark.Value)-1]
	if strings.HasPrefix(name, "Trim") && text == "[]" ||
		strings.HasPrefix(name, "LastIndex") && (text == ":" || text == "@") {
		return "strings." + name
	}
	return ""
}

// deps.txt lists every package outside the standard library that the command
// links, so that a new dependency is a change a reviewer sees. Rewrite it with
// make deps.
func TestDependencyListIsCurrent(t *testing.T) {
	want, err := os.ReadFile("deps.txt")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "scripts/deps.sh")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("scripts/deps.sh: %v", err)
	}
	if string(got) != string(want) {
		t.Errorf("deps.txt is not current: run make deps and have the change reviewed\n%s",
			firstDifference(string(want), string(got)))
	}
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for _, line := range as {
		if !slices.Contains(bs, line) {
			return "- " + line
		}
	}
	for _, line := range bs {
		if !slices.Contains(as, line) {
			return "+ " + line
		}
	}
	return "(order)"
}

// The engine is built to WebAssembly and shipped inside the Cordova plugin:
// what pulls in the network stack would double it and has no business there.
func TestEngineLinksNoNetwork(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "./policy/...", "./pin", "./plugin/...")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, name := range strings.Fields(string(out)) {
		if name == "net/http" || name == "crypto/tls" || name == "log/slog" || name == "database/sql" {
			t.Errorf("the engine links %s", name)
		}
	}
}

// How messages are written (CONTRIBUTING.md, "Messages"): a requirement says
// "must be", and what something is not is said by "is not".
var (
	translated = regexp.MustCompile(`\b(is|are) (no|none)\b`)
	idiomatic  = regexp.MustCompile(`(?i)there (is|are) no\b|\b(is|are) no (longer|such|more)\b`)
	// requirements are the ways to say what something must be by saying that it is;
	// facts are words by which the same sentence only says what was found.
	requirements = []*regexp.Regexp{
		regexp.MustCompile(`^(is|are) (an? |one of|between |https?\b|either )`),
		regexp.MustCompile(`\b(?:is|are) ((?:[\w%$:/.-]+, )*[\w%$:/.-]+ or [\w%$:/.-]+)[.)]?$`),
		regexp.MustCompile(`\b(is|are) (lower-case |upper-case )?(letters|digits|positive|JSON|true or)\b`),
		regexp.MustCompile(`\b(is|are) the (base64|hash|SHA-256) of\b`),
		regexp.MustCompile(`^\$?[a-z]+_[a-z_]+ is (\w+)$`),
		regexp.MustCompile(`\b(is|are) (an? (string|number|boolean|date|list|object|path|URL)$|one of %)`),
		regexp.MustCompile(`\b(is|are) at (least|most) `),
	}
	facts = regexp.MustCompile(`\b(missing|unknown|empty|invalid|used|expired|required|not|wrong|absent|refused)\b`)
)

// requires reports whether a text says by "is" or "are" what something must be.
func requires(text string) bool {
	return slices.ContainsFunc(requirements, func(r *regexp.Regexp) bool {
		found := r.FindString(text)
		return found != "" && !facts.MatchString(found)
	})
}

func TestMessagesAreIdiomatic(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				return true
			}
			if translated.MatchString(idiomatic.ReplaceAllString(text, "")) {
				t.Errorf("%s: say what it must be, or that it is not: %q", s.fset.Position(literal.Pos()), text)
			}
			if requires(text) && text != "is a folder" {
				t.Errorf("%s: a requirement must say so: %q", s.fset.Position(literal.Pos()), text)
			}
			return true
		})
	}
}

// The first pair of CONTRIBUTING.md's table, and what else was once written, is
// found; what says a fact is not.
func TestRequirementsAreFound(t *testing.T) {
	for text, want := range map[string]bool{
		"session_mode is token or cookie": true, "session_mode must be token or cookie": false,
		"is one of a and b": true, "$count is true or false": true, "a webhook's address is http or https": true,
		"the format is json, jsonl or csv": true, "completion_type is postMessage": true,
		"completion_type is missing": false, "code_challenge is the base64 of a SHA-256": true,
		"The body is JSON.": true, "max_body and max_concurrent are positive": true,
		"a table's name is letters, digits and underscores": true, "the user column is a string": true,
		"the timeout is at least 1s": true,
		"the type is one of %s":      true, "discovery: an endpoint is missing or not https": false,
		"the code is unknown, used or too old": false, "the requirement is a list of hosts": false,
		"%s is already there": false, "there is no such folder": false,
	} {
		if got := requires(text); got != want {
			t.Errorf("%q is a requirement: %v, want %v", text, got, want)
		}
	}
}

// documented are the packages for other programs: each shows how it is used.
var documented = []string{
	"backend/identity", "backend/services", "backend/tables/odata", "ca", "client", "doctor", "egress", "event",
	"gateway",
	"host", "pin", "policy", "policy/app", "policy/csp", "policy/dialect", "policy/diff", "policy/export",
	"policy/lint", "policy/lint/report", "policy/migrate", "policy/pattern", "policy/pins", "policy/propose",
	"policy/prove", "policy/publicsuffix", "server", "settings", "up",
}

func TestPublicPackagesHaveExamples(t *testing.T) {
	shown := map[string]bool{}
	for _, s := range sources(t) {
		for _, decl := range s.ast.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && s.test() && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Example") {
				shown[s.dir] = true
			}
		}
	}
	for _, dir := range documented {
		if !shown[dir] {
			t.Errorf("%s has no Example", dir)
		}
	}
}

// The engine has no init: what a table holds is seen where it is declared.
func TestPolicyHasNoInit(t *testing.T) {
	for _, s := range sources(t) {
		if !covers("policy/**", s.dir) || s.test() {
			continue
		}
		for _, decl := range s.ast.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init: write the table as a value", s.file)
			}
		}
	}
}
