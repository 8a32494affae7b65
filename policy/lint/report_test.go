package lint_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cordon-sec/cordon/policy/lint/report"
)

func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	document, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestSARIFIsValid writes every fixture as SARIF and validates it against the
// standard's schema.
func TestSARIFIsValid(t *testing.T) {
	schema := sarifSchema(t)
	for _, f := range loadFixtures(t) {
		p, found := check(t, f.files)
		var out bytes.Buffer
		if err := report.WriteSARIF(&out, p, found, "1.2.3"); err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(&out)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", f.rule.ID, err)
		}
	}
}

// TestSchemaRefuses makes sure that the schema would find a fault.
func TestSchemaRefuses(t *testing.T) {
	value, err := jsonschema.UnmarshalJSON(
		strings.NewReader(`{"version": "2.1.0", "runs": [{"tool": {}, "results": []}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := sarifSchema(t).Validate(value); err == nil {
		t.Error("a log without a driver is accepted")
	}
}

func TestJSONOutput(t *testing.T) {
	p, found := check(t,
		fstest.MapFS{"config.xml": {Data: []byte("<widget>\n  <access origin=\"https://a.example\"/>\n" +
			"  <access origin=\"https://a.example\"/>\n</widget>\n")}})
	var out bytes.Buffer
	if err := report.WriteJSON(&out, p, found, 3); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Version  int
		Targets  []string
		Known    int
		Findings []struct {
			Rule, Severity, File, Message, Doc, Fingerprint string
			Line, Column, Start, End                        int
			Fix                                             *struct{ Edits []struct{ Start, End int } }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	last := got.Findings[len(got.Findings)-1]
	if got.Version != 1 || got.Known != 3 || len(got.Targets) != 2 || last.Rule != "duplicate-rule" || last.Line != 3 ||
		last.Column != 3 ||
		last.Doc != "docs/reference/rules.md#duplicate-rule" || last.Fix == nil || last.Fix.Edits[0].Start != 48 {
		t.Errorf("got %+v", got)
	}
}

// TestSecretsAreNotPrinted: no output format shows a secret, not even because
// of another finding in the same line.
func TestSecretsAreNotPrinted(t *testing.T) {
	const key, password = "AIzaSyA-0123456789abcdefghijklmnopqrstu", "hunter2"
	files := fstest.MapFS{
		"config.xml": {Data: []byte("<widget><preference name=\"InspectableWebview\" value=\"true\"/><preference " +
			"name=\"Maps\" value=\"" + key + "\"/>" +
			"<access origin=\"http://admin:" + password + "@api.example.com\"/></widget>")},
		"www/index.html": {Data: []byte("<html><body><img src=\"http://admin:" + password +
			"@h.example/x\"><script>var k = \"" + key + "\"; fetch(\"http://admin:" + password +
			"@b.example/\");</script>")},
	}
	p, found := check(t, files)
	if len(found.Findings) < 8 {
		t.Fatalf("only %d findings", len(found.Findings))
	}
	for name, write := range map[string]func(w io.Writer) error{
		"text":   func(w io.Writer) error { return report.WriteText(w, p, found, report.TextOptions{}) },
		"json":   func(w io.Writer) error { return report.WriteJSON(w, p, found, 0) },
		"sarif":  func(w io.Writer) error { return report.WriteSARIF(w, p, found, "") },
		"github": func(w io.Writer) error { return report.WriteGitHub(w, p, found) },
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{key, password} {
			if at := strings.Index(out.String(), secret); at >= 0 {
				t.Errorf("%s prints a secret: %q", name, out.String()[max(0, at-200):at+len(secret)])
			}
		}
	}
}

// TestTextIsSafeForTerminals: what stands in a file cannot steer the terminal
// that shows it.
func TestTextIsSafeForTerminals(t *testing.T) {
	files := fstest.MapFS{
		"config.xml": {Data: []byte("<widget>\n<access origin=\"http://a.example/&#x202E;x\"/>\t<!-- \u202e " +
			"--><access origin=\"*\"/>\n</widget>")},
		"www/index.html": {Data: []byte("<html><script>\x1b[31m fetch(\"http://b.example/\") </script>")},
	}
	p, found := check(t, files)
	var out bytes.Buffer
	if err := report.WriteText(&out, p, found, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\t\r\u202e") {
		t.Errorf("control characters in %q", out.String())
	}
	if !strings.Contains(out.String(), "b.example") {
		t.Errorf("the finding is not in %q", out.String())
	}
}

func TestGitHubEscapes(t *testing.T) {
	files := fstest.MapFS{"config.xml": {
		Data: []byte("<widget><access origin=\"http://a.example/50%&#10;::error::x\"/></widget>")}}
	p, found := check(t, files)
	var out bytes.Buffer
	if err := report.WriteGitHub(&out, p, found); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "::warning file=config.xml,line=1,col=") &&
			!strings.HasPrefix(line, "::error file=") && !strings.HasPrefix(line, "::notice file=") {
			t.Errorf("unexpected line %q", line)
		}
	}
	if !strings.Contains(out.String(), "50%25") {
		t.Errorf("%% is not escaped in %q", out.String())
	}
}

func TestColours(t *testing.T) {
	p, found := check(t, config(`<access origin="*"/>`))
	for colour, want := range map[bool]bool{true: true, false: false} {
		var out bytes.Buffer
		if err := report.WriteText(&out, p, found, report.TextOptions{Colour: colour}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "\x1b[31mhigh\x1b[0m"); got != want {
			t.Errorf("colour %v: %q", colour, out.String())
		}
	}
}

// TestLongLines: a finding in a minified file shows what surrounds it, not the
// whole line.
func TestLongLines(t *testing.T) {
	code := strings.Repeat("a;", 5000) + `fetch("http://api.example.net/x");` + strings.Repeat("b;", 5000)
	p, found := check(t, fstest.MapFS{"config.xml": {Data: []byte("<widget/>")},
		"www/index.html": {Data: []byte("<script>" + code + "</script>")}})
	var out bytes.Buffer
	if err := report.WriteText(&out, p, found, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	caret := false
	previous := ""
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, "|") && len(line) > 200 {
			t.Errorf("a line of %d bytes", len(line))
		}
		if at := strings.Index(line, "^^^^"); at >= 0 && strings.Contains(previous, "fetch") {
			caret = true
			shown := []rune(previous)[at:]
			if !strings.HasPrefix(string(shown), "http://api.example.net/x") {
				t.Errorf("the caret stands below %q", string(shown))
			}
		}
		previous = line
	}
	if !caret {
		t.Errorf("no caret in %s", out.String())
	}
}

// TestWhatWasBuiltIsNotRepaired: below the findings of a package stands where the project
// has what is to be mended.
func TestWhatWasBuiltIsNotRepaired(t *testing.T) {
	const open = `<manifest ` + androidSpace + `><application android:debuggable="true"/></manifest>`
	cordova := files("AndroidManifest.xml", open, "res/xml/config.xml", `<widget><access origin="*"/></widget>`,
		"assets/www/index.html", "<!DOCTYPE html><p>", "assets/www/cordova.js", "cordova")
	capacitor := files("AndroidManifest.xml", open, "assets/capacitor.config.json", "{}", "assets/public/index.html",
		"<!DOCTYPE html><p>")
	for want, fsys := range map[string]fstest.MapFS{
		"what was built is not repaired: mend the project that it is built from (<edit-config> and <config-file> in " +
			"config.xml and plugin.xml for AndroidManifest.xml, www/ for assets/www/ and config.xml for " +
			"res/xml/config.xml), and build again\n": cordova,
		"what was built is not repaired: mend the project that it is built from " +
			"(android/app/src/main/AndroidManifest.xml for AndroidManifest.xml and the folder that webDir names for " +
			"assets/public/), and build again\n": capacitor,
		"what was built is not repaired: mend the project that it is built from, and build again\n": files(
			"AndroidManifest.xml", open, "res/xml/config.xml", "<widget/>"),
	} {
		p, found := check(t, fsys)
		p.Artifact = true
		var out bytes.Buffer
		if err := report.WriteText(&out, p, found, report.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(out.String(), want) {
			t.Errorf("%s\nwant at its end: %s", out.String(), want)
		}
	}
}
