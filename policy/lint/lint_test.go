package lint_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/internal/golden"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/policy/lint/report"
	"github.com/cordon-sec/cordon/project"
)

// TestExamples: the clean example has no finding at all, the others have many.
func TestExamples(t *testing.T) {
	for name, least := range map[string]int{"clean": 0, "template": 5, "capacitor": 5, "legacy": 15, "dreadful": 80} {
		_, found := check(t, os.DirFS(filepath.Join("../../examples", name)))
		if least == 0 && len(found.Findings) > 0 {
			t.Errorf("%s is not clean:\n%s", name, lines(found.Findings))
		}
		if len(found.Findings) < least {
			t.Errorf("%s: %d findings, want at least %d", name, len(found.Findings), least)
		}
	}
}

// TestDreadfulShowsMostRules keeps the example worth its name.
func TestDreadfulShowsMostRules(t *testing.T) {
	_, found := check(t, os.DirFS("../../examples/dreadful"))
	seen := make(map[string]bool)
	for _, f := range found.Findings {
		seen[f.Rule.ID] = true
	}
	if len(seen) < 60 {
		t.Errorf("the dreadful example shows %d rules, want at least 60", len(seen))
	}
}

// TestOrderIsStable: findings come by file, offset and id, and the same twice.
func TestOrderIsStable(t *testing.T) {
	_, first := check(t, os.DirFS("../../examples/dreadful"))
	for range 5 {
		_, again := check(t, os.DirFS("../../examples/dreadful"))
		if diff := cmp.Diff(lines(first.Findings), lines(again.Findings)); diff != "" {
			t.Fatal(diff)
		}
	}
	for i := 1; i < len(first.Findings); i++ {
		a, b := first.Findings[i-1], first.Findings[i]
		if a.Place.File > b.Place.File || a.Place.File == b.Place.File && a.Place.Start > b.Place.Start {
			t.Errorf("%v comes before %v", a.Place, b.Place)
		}
	}
}

func config(body string) fstest.MapFS {
	return fstest.MapFS{"config.xml": {Data: []byte("<!-- top -->\n<widget>\n" + body + "\n</widget>\n")}}
}

func TestSuppressions(t *testing.T) {
	const all = `<access origin="*"/>`
	tests := []struct {
		name, file string
		want       string // the findings of access-catch-all that stay, by line
		suppressed int
	}{
		{"none", all, "3", 0},
		{"before the element", "<!-- cordon:ignore access-catch-all a reader of feeds -->\n" + all, "", 1},
		{"before, with others between",
			"<!-- cordon:ignore access-catch-all a reader -->\n<!-- cordon:ignore ats-disabled a reader -->\n" + all,
			"", 2},
		{"behind, on the line", all + " <!-- cordon:ignore access-catch-all a reader of feeds -->", "", 1},
		{"on the line below", all + "\n<!-- cordon:ignore access-catch-all a reader of feeds -->", "3", 0},
		{"for one of two", all + "\n<!-- cordon:ignore access-catch-all a reader -->\n" +
			`<access origin="https://*"/>`, "3", 1},
		{"another rule", "<!-- cordon:ignore ats-disabled a reader of feeds -->\n" + all, "4", 1},
		{"no reason", "<!-- cordon:ignore access-catch-all -->\n" + all, "4", 0},
		{"a colon after the rule", "<!-- cordon:ignore access-catch-all: a reader of feeds -->\n" + all, "", 1},
		{"a colon and no reason", "<!-- cordon:ignore access-catch-all: -->\n" + all, "4", 0},
		{"on a platform", "<!-- cordon:ignore access-catch-all a reader -->\n<platform name=\"android\">\n" + all +
			"\n</platform>", "", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, found := check(t, config(test.file))
			var left []string
			for _, f := range of(found, "access-catch-all") {
				left = append(left, fmt.Sprint(f.Place.Line))
			}
			if got := strings.Join(left, " "); got != test.want || len(found.Suppressed) != test.suppressed {
				t.Errorf("lines %q stay and %d are suppressed, want %q and %d", got, len(found.Suppressed), test.want,
					test.suppressed)
			}
		})
	}
}

// TestProjectSuppression: a comment before the root is about every file.
func TestProjectSuppression(t *testing.T) {
	files := fstest.MapFS{
		"config.xml": {Data: []byte("<!-- cordon:ignore csp-missing the server of the frame sends one -->\n" +
			"<widget/>")},
		"www/index.html": {Data: []byte("<html><head></head></html>")},
	}
	_, found := check(t, files)
	if len(of(found, "csp-missing")) != 0 || len(found.Suppressed) != 1 ||
		found.Suppressed[0].Reason != "the server of the frame sends one" {
		t.Errorf("suppressed %+v, left:\n%s", found.Suppressed, lines(found.Findings))
	}
}

func TestBaseline(t *testing.T) {
	p, found := check(t, config("<access origin=\"*\"/>\n<access origin=\"http://a.example\"/>"))
	data, err := lint.NewBaseline(p, found.Findings).Encode()
	if err != nil {
		t.Fatal(err)
	}
	baseline, err := lint.ParseBaseline(data)
	if err != nil {
		t.Fatal(err)
	}
	if fresh, known := baseline.New(p, found.Findings); len(fresh) != 0 || known != len(found.Findings) {
		t.Errorf("the baseline leaves\n%s", lines(fresh))
	}
	// Lines move, blanks change, and one finding is new.
	moved, after := check(t,
		config("\n<name>x</name>\n<access   origin=\"*\"/>\n<access origin=\"http://a.example\"/>\n"+
			"<access origin=\"http://b.example\"/>"))
	fresh, _ := baseline.New(moved, after.Findings)
	for _, f := range fresh {
		if f.Place.Line != 7 {
			t.Errorf("not new: %s", lines([]lint.Finding{f}))
		}
	}
	if len(fresh) == 0 {
		t.Error("the new entry is not reported")
	}
	// The same fault once more is new, too.
	twice, doubled := check(t,
		config("<access origin=\"*\"/>\n<access origin=\"http://a.example\"/>\n"+
			"<platform name=\"ios\"><access origin=\"http://a.example\"/></platform>"))
	if fresh, _ := baseline.New(twice, doubled.Findings); len(fresh) == 0 {
		t.Error("a second copy of a known fault is not reported")
	}
}

func TestBaselineRefuses(t *testing.T) {
	for _, data := range []string{"", "[]", `{"version": 2, "findings": []}`, `{"version": 1, "finding": []}`, "x"} {
		if _, err := lint.ParseBaseline([]byte(data)); err == nil {
			t.Errorf("ParseBaseline(%q) has no error", data)
		}
	}
}

func TestParseSeverity(t *testing.T) {
	for s := lint.Info; s <= lint.Critical; s++ {
		if got, err := lint.ParseSeverity(s.String()); err != nil || got != s {
			t.Errorf("ParseSeverity(%v) = %v, %v", s, got, err)
		}
	}
	if _, err := lint.ParseSeverity("severe"); err == nil || !strings.Contains(err.Error(), "critical") {
		t.Errorf("error %v does not name the severities", err)
	}
}

func TestCheckRefusesUnknownTargets(t *testing.T) {
	p, _ := check(t, config(""))
	p.Targets = []policy.Target{{Platform: "symbian"}}
	if _, err := lint.Check(p); err == nil {
		t.Error("an unknown target is accepted")
	}
}

// TestEveryTarget runs the dreadful example as every platform at every break.
func TestEveryTarget(t *testing.T) {
	p, err := project.Read(os.DirFS("../../examples/dreadful"), project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range dialect.Platforms() {
		versions := []policy.Version{platform.Latest}
		for _, b := range platform.Breaks {
			versions = append(versions, b.Version)
		}
		for _, version := range versions {
			p.Targets = []policy.Target{{Platform: platform.Name, Version: version}}
			found, err := lint.Check(p)
			if err != nil || len(found.Findings) < 60 {
				t.Errorf("%v: %v, %d findings", p.Targets, err, len(found.Findings))
			}
		}
	}
}

// TestRealConfigs checks the files of other people's projects that
// CORDON_REAL_CONFIGS names; what each finding must hold true is counted in
// the file itself.
func TestRealConfigs(t *testing.T) {
	dir := os.Getenv("CORDON_REAL_CONFIGS")
	if dir == "" {
		t.Skip("CORDON_REAL_CONFIGS is not set: no folder of real config.xml files to check")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.xml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, path := range paths {
		p, err := project.Read(os.DirFS(dir), project.Options{Config: filepath.Base(path)})
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		found, err := lint.Check(p)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		text := string(p.Config.Bytes())
		catchAll := strings.Contains(text, `<access origin="*" />`) ||
			strings.Contains(text, `<access origin="*" subdomains="true">`)
		if got := len(of(found, "access-catch-all")) == 1; got != catchAll {
			t.Errorf("%s: access-catch-all is %v, the file says %v", path, got, catchAll)
		}
		for _, f := range found.Findings {
			truth(t, text, f)
		}
	}
}

// truth checks what can be read off a finding's own bytes.
func truth(t *testing.T, text string, f lint.Finding) {
	t.Helper()
	at := text[f.Place.Start:f.Place.End]
	must := map[string]string{
		"cleartext-origin": "http://", "content-lists-host": "index.html", "inspectable-webview": "InspectableWebview",
		"whitelist-plugin-obsolete": "cordova-plugin-whitelist", "intent-any-website": "://*/*",
		"development-host": "localhost", "access-no-effect": "<access", "ats-disabled": `"*"`,
		"access-catch-all": `"*"`, "retired-plugin": "<plugin", "scheme-missing": `"www.google.com"`,
		"navigation-swallows-intent": "allow-intent", "entry-not-strict": "<a",
		// Of a project only its config.xml is there: what that names was not found.
		"nsc-not-read": "@xml/network_security_config", "file-not-read": "", "hook-not-judged": "<hook",
	}
	want, expected := must[f.Rule.ID]
	if !expected {
		t.Errorf("%v: %s: a rule that none of these files should have: %s", f.Place, f.Rule.ID, f.Message)
	}
	if !strings.Contains(at, want) {
		t.Errorf("%v: %s stands at %q", f.Place, f.Rule.ID, at)
	}
}

func BenchmarkCheckDreadful(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		p, err := project.Read(os.DirFS("../../examples/dreadful"), project.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := lint.Check(p); err != nil {
			b.Fatal(err)
		}
	}
}

// TestReferenceIsCurrent fails when the table of rules changed and the
// reference page did not.
func TestReferenceIsCurrent(t *testing.T) {
	var want bytes.Buffer
	if err := report.WriteReference(&want); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "../../docs/reference/rules.md", want.Bytes())
	for _, rule := range lint.Rules() {
		if !strings.Contains(want.String(), "\n### "+rule.ID+"\n") || rule.Doc() != "docs/reference/rules.md#"+rule.ID {
			t.Errorf("%s has no section", rule.ID)
		}
	}
}

func TestCheckStops(t *testing.T) {
	p, _ := check(t, config(`<access origin="*"/>`))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if found, err := lint.CheckContext(ctx, p); !errors.Is(err, context.Canceled) || found != nil {
		t.Errorf("CheckContext = %v, %v after the context ended", found, err)
	}
}

// BenchmarkCheckLongList shows that the time grows with the list, not with its
// square.
func BenchmarkCheckLongList(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		var list strings.Builder
		list.WriteString("<widget>\n")
		for i := range n {
			fmt.Fprintf(&list, "<access origin=\"https://h%d.example.com\"/>\n", i)
		}
		list.WriteString("</widget>")
		p, err := project.Read(fstest.MapFS{"config.xml": {Data: []byte(list.String())}}, project.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := lint.Check(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzCheck: no config.xml and no page makes a rule panic, and every finding
// has a place in a file that was read.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(`<widget><access origin="*"/><allow-intent href="tel:*"/><!-- cordon:ignore x --></widget>`),
		[]byte("<html><meta http-equiv=Content-Security-Policy content=\"default-src *; img-src\">"))
	f.Add([]byte(`<widget><access origin="http://*.a.b" subdomains="true"/><platform name="ios"><allow-navigation `+
		`href=""/></platform></widget>`), []byte("<a href=http://b>"))
	f.Add([]byte(`<widget><access origin=":::"/><access origin="http://[::1"/><access origin="*."/><access `+
		`origin="@"/><allow-intent href="://"/></widget>`), []byte("<script>fetch('http://[')"))
	f.Fuzz(func(t *testing.T, data, page []byte) {
		files := fstest.MapFS{"config.xml": {Data: data}, "www/index.html": {Data: page}}
		p, err := project.Read(files, project.Options{})
		if err != nil {
			return
		}
		for _, name := range []string{"android@2.9.1", "ios@3.9.2", "wp8"} {
			target, err := dialect.ParseTarget(name)
			if err != nil {
				t.Fatal(err)
			}
			p.Targets = append(p.Targets, target)
		}
		found, err := lint.Check(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, finding := range found.Findings {
			if size := len(p.Content(finding.Place.File)); finding.Place.End > size ||
				finding.Place.Start > finding.Place.End || finding.Place.Line < 1 {
				t.Fatalf("%s at %+v of %d bytes", finding.Rule.ID, finding.Place, size)
			}
		}
		if err := report.WriteText(io.Discard, p, found, report.TextOptions{}); err != nil {
			t.Fatal(err)
		}
	})
}
