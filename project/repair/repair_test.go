package repair_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/project/repair"
)

func folder(files ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i+1 < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fsys
}

// after returns the files as repaired.
func after(t interface{ Fatal(...any) }, fsys fstest.MapFS, o repair.Options) (fstest.MapFS, *repair.Result) {
	result, err := repair.Run(fsys, o)
	if err != nil {
		t.Fatal(err)
	}
	made := fstest.MapFS{}
	for name, file := range fsys {
		made[name] = file
	}
	for _, c := range result.Changes {
		made[c.Name] = &fstest.MapFile{Data: c.New}
	}
	return made, result
}

func TestRepairs(t *testing.T) {
	for _, test := range repairs {
		t.Run(test.name, func(t *testing.T) {
			fsys := folder(append(test.more, "config.xml", test.before)...)
			made, result := after(t, fsys, repair.Options{Rules: []string{test.rule}})
			if got := string(made["config.xml"].Data); got != test.want {
				t.Errorf("got\n%q\nwant\n%q\nleft: %+v", got, test.want, result.Left)
			}
			if test.left != (len(result.Left) > 0) {
				t.Errorf("left: %+v", result.Left)
			}
		})
	}
}

func TestWideningNeedsInsisting(t *testing.T) {
	const config = `<widget><engine name="android" spec="9.0.0"/><plugin name="cordova-plugin-whitelist"/>
    <access origin="https://a.example/*" />
</widget>`
	fsys := folder("config.xml", config, "www/index.html", `<!doctype html><a href="https://a.example/page">page</a>`)
	made, result := after(t, fsys, repair.Options{Rules: []string{repair.NavigationSplit}, AllowWidening: true})
	if want := "\n    <allow-navigation href=\"https://a.example/*\" />\n</widget>"; !strings.HasSuffix(
		string(made["config.xml"].Data), want) {
		t.Errorf("got %s, left %+v", made["config.xml"].Data, result.Left)
	}
	_, result = after(t, fsys, repair.Options{Rules: []string{repair.NavigationSplit}})
	if len(result.Left) != 1 || !strings.Contains(result.Left[0].Why, "it would let https://a.example/ in") {
		t.Errorf("left %+v", result.Left)
	}
}

// What is left because it widens is made where one insists, as it is offered.
func TestRewrittenEntriesAreOffered(t *testing.T) {
	const engines = `<widget><engine name="android" spec="12.0.0"/><engine name="ios" spec="7.1.1"/>`
	for _, test := range []struct{ rule, before, want string }{
		{"entry-cut", `<allow-navigation href="https://*films.example/*"/>`,
			`<allow-navigation href="https://*.films.example/*"/>`},
		{"entry-dropped", `<access origin="http://a.example:x/*"/>`, `<access origin="http://a.example/*"/>`},
		{"missing-attribute", `<allow-navigation origin="https://a.example/*"/>`,
			`<allow-navigation href="https://a.example/*"/>`},
		{"missing-attribute", `<allow-navigation origin="*"/>`, `<allow-navigation href="*"/>`},
		{"missing-attribute", `<access href="https://*/*"/>`, `<access origin="https://*/*"/>`},
		{"missing-attribute", `<allow-navigation uri="https://a.example/*"/>`,
			`<allow-navigation href="https://a.example/*"/>`},
		{"missing-attribute", `<access Origin="https://a.example"/>`, `<access origin="https://a.example"/>`},
		{"missing-attribute", `<access origin="" href="https://a.example"/>`, `<access origin="https://a.example"/>`},
		{"blank-in-entry", `<access origin=" https://a.example"/>`, `<access origin="https://a.example"/>`},
		{"prepare-fails", `<access origin="*.a.example"/>`, `<access origin="https://*.a.example"/>`},
		{"launch-external-grants", `<access origin="https://a.example/*" launch-external="yes"/>`,
			`<allow-intent href="https://a.example/*"/>`},
	} {
		made, result := after(t, folder("config.xml", engines+test.before+"</widget>"),
			repair.Options{Rules: []string{test.rule}, AllowWidening: true})
		if got := string(made["config.xml"].Data); got != engines+test.want+"</widget>" {
			t.Errorf("%s: got %s, left %+v", test.rule, got, result.Left)
		}
	}
}

// An entry that lets the app's own pages open is not narrowed to hosts of others.
func TestOwnPagesStayOpen(t *testing.T) {
	const config = `<widget><engine name="android" spec="12.0.1"/><preference name="scheme" value="app"/>
<allow-navigation href="*"/></widget>`
	made, result := after(t, folder(
		"config.xml",
		config,
		"www/index.html",
		`<!doctype html><a href="https://shop.example/">shop</a>`,
	), repair.Options{Rules: []string{"navigation-catch-all"}})
	if got := string(made["config.xml"].Data); got != config || len(result.Left) != 1 || !strings.Contains(
		result.Left[0].Why, "it would keep the app's own pages from opening: https://localhost/index.html") {
		t.Errorf("got %s, left %+v", got, result.Left)
	}
}

// What is counted beforehand is what is repaired.
func TestCountIsWhatIsRepaired(t *testing.T) {
	for _, dir := range []string{"template", "legacy", "clean"} {
		fsys := os.DirFS(filepath.Join("../../examples", dir))
		a, err := project.Read(fsys, project.Options{})
		if err != nil {
			t.Fatal(err)
		}
		report, err := lint.Check(a)
		if err != nil {
			t.Fatal(err)
		}
		n, err := repair.Count(fsys, a, report.Findings)
		if err != nil {
			t.Fatal(err)
		}
		result, err := repair.Run(fsys, repair.Options{})
		if err != nil {
			t.Fatal(err)
		}
		// Repairs may show what was hidden.
		if n > len(result.Done) || n == 0 && len(result.Done) > 0 {
			t.Errorf("%s: %d counted, %d repaired, %d left", dir, n, len(result.Done), len(result.Left))
		}
	}
	fsys := folder("config.xml", `<widget><engine name="android" spec="12.0.1"/>
<access origin="https://a.example"/>
<access origin="https://a.example"/>
<allow-navigation href="https://*b.example/*"/></widget>`)
	a, err := project.Read(fsys, project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := lint.Check(a)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := repair.Count(fsys, a, report.Findings); n != 1 || err != nil {
		t.Errorf("%d, %v, want the second copy alone", n, err)
	}
}

func TestPageGetsAPolicy(t *testing.T) {
	fsys := folder("config.xml", `<widget><access origin="https://api.example"/></widget>`,
		"www/index.html", "<!doctype html>\n<html>\n  <head>\n    <title>x</title>\n  </head>\n"+
			"  <script src=\"https://other.example/x.js\"></script>\n</html>\n")
	made, result := after(t, fsys, repair.Options{Rules: []string{"csp-missing", "csp-missing-on-page"}})
	page := string(made["www/index.html"].Data)
	if !strings.Contains(page, "connect-src 'self' https://api.example wss://api.example") ||
		!strings.HasPrefix(page, "<!doctype html>\n<html>\n  <head>\n") {
		t.Errorf("got\n%s\n%+v", page, result)
	}
	if len(result.Done) != 1 || len(result.Done[0].Notes) == 0 {
		t.Errorf("nothing is said of the script: %+v", result.Done)
	}
}

func TestPackageJSONKeepsItsOtherBytes(t *testing.T) {
	const before = "{\n\t\"name\": \"x\",\n\t\"dependencies\": {\n\t\t\"cordova-plugin-http\": \"1.2.0\",\n" +
		"\t\t\"left\":  \"1\",\n\t\t\"cordova-plugin-compat\": \"^1.0.0\"\n\t},\n" +
		"\t\"cordova\": {\"plugins\": {\"cordova-plugin-compat\": {}, \"cordova-plugin-http\": {\"A\": \"b\"}}}\n}"
	const want = "{\n\t\"name\": \"x\",\n\t\"dependencies\": {\n\t\t\"cordova-plugin-advanced-http\": \"^3.3.1\",\n" +
		"\t\t\"left\":  \"1\"\n\t},\n" +
		"\t\"cordova\": {\"plugins\": {\"cordova-plugin-advanced-http\": {\"A\": \"b\"}}}\n}"
	fsys := folder("config.xml", "<widget/>", "package.json", before)
	made, result := after(t, fsys, repair.Options{Rules: []string{"retired-plugin"}})
	if got := string(made["package.json"].Data); got != want {
		t.Errorf("got\n%s\nwant\n%s\n%+v", got, want, result)
	}
}

// The package.json of a workspace is other apps' as well: no repair of one changes it.
func TestNothingOutsideIsChanged(t *testing.T) {
	files := folder("nx.json", "{}", "package.json", `{"dependencies": {"cordova-plugin-http": "1.2.0"}}`,
		"apps/shop/config.xml", "<widget/>")
	result, err := repair.Run(project.Within(files, "apps/shop"), repair.Options{Rules: []string{"retired-plugin"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Changes) > 0 || len(result.Done) > 0 {
		t.Errorf("changes %+v", result.Changes)
	}
}

// changing is a folder whose config.xml is another one each time it is read.
type changing struct {
	fstest.MapFS
	reads *int
}

func (c changing) Open(name string) (fs.File, error) {
	if name == "config.xml" {
		if *c.reads++; *c.reads > 4 {
			c.MapFS[name] = &fstest.MapFile{
				Data: []byte("<widget><access origin=\"https://somebody.example\"/></widget>")}
		}
	}
	return c.MapFS.Open(name)
}

// What a file held is what was read first, so that whoever writes the change
// finds out that it is another file by now.
func TestAFileThatChangesIsNotedAsItWas(t *testing.T) {
	const text = `<widget><access origin="https://a.example"/><access origin="https://a.example"/></widget>`
	reads := 0
	result, err := repair.Run(changing{folder("config.xml", text), &reads},
		repair.Options{Rules: []string{"duplicate-rule"}})
	if err != nil || len(result.Changes) != 1 || string(result.Changes[0].Old) != text {
		t.Errorf("%v, %+v", err, result)
	}
}

func TestUnknownRule(t *testing.T) {
	_, err := repair.Run(folder("config.xml", "<widget/>"), repair.Options{Rules: []string{"no-such-rule"}})
	var unknown *repair.RuleError
	if !errors.As(err, &unknown) || unknown.ID != "no-such-rule" {
		t.Errorf("got %v", err)
	}
}

// A file that declares another encoding than UTF-8 is edited as long as what
// is written is ASCII, and refused otherwise.
func TestEncodings(t *testing.T) {
	fsys := folder("config.xml", `<?xml version="1.0" encoding="iso-8859-1"?><widget><access `+
		`origin="https://a.example"/><access origin="https://a.example"/></widget>`)
	if _, result := after(t, fsys, repair.Options{}); len(result.Changes) != 1 {
		t.Errorf("got %+v", result)
	}
	if _, err := repair.Run(folder("config.xml", "\xff\xfe<\x00"), repair.Options{}); err == nil {
		t.Error("UTF-16 is edited")
	}
}

// lawful checks what every repair promises: a second run changes nothing,
// nothing widens, and what is not edited stays.
func lawful(t interface{ Fatalf(string, ...any) }, fsys fstest.MapFS) {
	first, err := repair.Run(fsys, repair.Options{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	made := fstest.MapFS{}
	for name, file := range fsys {
		made[name] = file
	}
	for _, c := range first.Changes {
		made[c.Name] = &fstest.MapFile{Data: c.New}
	}
	second, err := repair.Run(made, repair.Options{})
	if err != nil || len(second.Changes) > 0 {
		t.Fatalf("a second run: %v, %+v\n%s", err, second.Done, made["config.xml"].Data)
	}
	p, err := project.Read(fsys, project.Options{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	before, after := fsys[p.Config.Name()].Data, made[p.Config.Name()].Data
	x, err := configxml.Parse("old", before)
	if err != nil {
		t.Fatalf("%v", err)
	}
	y, err := configxml.Parse("new", after)
	if err != nil {
		t.Fatalf("%v", err)
	}
	report, err := diff.Documents(x, y, append(p.Targets, policy.Target{Platform: dialect.Strict}), diff.Options{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	if report.Widens() {
		t.Fatalf("%s\nbecame\n%s\nwhich lets %s in: %+v", before, after, report.Lines[0].URL, report.Lines[0])
	}
	if len(x.Comments()) != len(y.Comments()) {
		t.Fatalf("%s\nbecame\n%s\nwithout its comments", before, after)
	}
}

var parts = []string{
	`<engine name="android" spec="9.0.0"/>`, `<engine name="android" spec="12.0.0"/>`,
	`<engine name="ios" spec="7.1.0"/>`, `<engine name="blackberry10" spec="3.8.0"/>`,
	`<engine name="wp8" spec="3.8.2"/>`, `<plugin name="cordova-plugin-whitelist" spec="1"/>`,
	`<plugin name="cordova-plugin-http" spec="1"/>`, `<access origin="*"/>`, `<access origin="*" />`,
	`<access origin="https://a.example"/>`, `<access origin="http://a.example"/>`, `<access origin="*://b.example/*"/>`,
	`<access origin="a.example"/>`, `<access origin="https://*.example"/>`, `<access origin="http://x.*"/>`,
	`<access origin="https://l.example" launch-external="yes"/>`, `<access/>`, `<access uri="https://u.example"/>`,
	`<allow-navigation href="*"/>`, `<allow-navigation href="https://a.example/*"/>`, `<allow-intent href="*"/>`,
	`<allow-intent href="tel:*"/>`, `<allow-intent href="https://*/*"/>`, `<!-- a comment -->`,
	`<content src="index.html"/>`, `<preference name="websecurity" value="disable"/>`,
	`<platform name="android"><access origin="https://p.example"/></platform>`,
}

func TestRepairNeverWidensAndIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		picked := rapid.SliceOfN(rapid.SampledFrom(parts), 0, 8).Draw(t, "parts")
		page := rapid.SampledFrom([]string{"", `<!doctype ` +
			`html><head></head><script>fetch("https://a.example/v1")</script><a href="https://b.example/">b</a><a ` +
			`href="tel:1">c</a>`}).Draw(t, "page")
		files := []string{"config.xml", "<widget>\n  " + strings.Join(picked, "\n  ") + "\n</widget>"}
		if page != "" {
			files = append(files, "www/index.html", page)
		}
		lawful(t, folder(files...))
	})
}

func TestRealConfigs(t *testing.T) {
	dir := os.Getenv("CORDON_REAL_CONFIGS")
	if dir == "" {
		t.Skip("CORDON_REAL_CONFIGS names no folder of config.xml files of real apps")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.xml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := configxml.Parse(name, data); err != nil {
			t.Logf("%s cannot be read: %v", name, err)
			continue
		}
		t.Run(filepath.Base(name), func(t *testing.T) { lawful(t, folder("config.xml", string(data))) })
	}
}

func BenchmarkTenThousandRules(b *testing.B) {
	var text strings.Builder
	text.WriteString("<widget>\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "  <access origin=\"https://h%d.example\"/>\n", i-i%50)
	}
	text.WriteString("</widget>")
	fsys := folder("config.xml", text.String())
	for b.Loop() {
		result, err := repair.Run(fsys, repair.Options{})
		if err != nil || len(result.Changes) != 1 {
			b.Fatal(err, result)
		}
	}
}
