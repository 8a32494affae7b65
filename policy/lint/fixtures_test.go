package lint_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cordon-sec/cordon/internal/golden"
	"github.com/cordon-sec/cordon/policy/app"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/project"
)

// fixture is one testdata/RULE.txtar: a project with the fault, the findings
// of the rule in it ("want"), and the files that the remedy changes
// ("remedied/…"; an empty file is removed).
type fixture struct {
	rule     *lint.Rule
	archive  *txtar.Archive
	path     string
	files    fstest.MapFS
	remedied fstest.MapFS
	want     string
}

func loadFixtures(t *testing.T) []fixture {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	var list []fixture
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		id := strings.TrimSuffix(filepath.Base(path), ".txtar")
		rule, ok := lint.RuleByID(id)
		if !ok {
			t.Fatalf("%s: there is no rule %s", path, id)
		}
		f := fixture{rule: rule, archive: archive, path: path, files: fstest.MapFS{}, remedied: fstest.MapFS{}}
		for _, file := range archive.Files {
			if file.Name == "want" {
				f.want = string(file.Data)
			} else if _, changed := strings.CutPrefix(file.Name, "remedied/"); !changed {
				f.files[file.Name] = &fstest.MapFile{Data: file.Data}
				f.remedied[file.Name] = f.files[file.Name]
			}
		}
		for _, file := range archive.Files {
			if name, changed := strings.CutPrefix(file.Name, "remedied/"); changed {
				f.remedied[name] = &fstest.MapFile{Data: file.Data}
				if len(file.Data) == 0 {
					delete(f.remedied, name)
				}
			}
		}
		list = append(list, f)
	}
	return list
}

func check(t *testing.T, files fs.FS) (*app.App, *lint.Report) {
	t.Helper()
	p, err := project.Read(files, project.Options{Now: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	p.Served = served(t, files)
	if beside, err := fs.Sub(files, "beside"); err == nil && exists(beside, "config.xml") {
		p.Beside, _ = check(t, beside)
	}
	report, err := lint.Check(p)
	if err != nil {
		t.Fatal(err)
	}
	return p, report
}

func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return err == nil
}

// served reads what hosts show from served/HOST.pem.
func served(t *testing.T, files fs.FS) []app.Served {
	t.Helper()
	names, err := fs.Glob(files, "served/*.pem")
	if err != nil {
		t.Fatal(err)
	}
	var list []app.Served
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		chain, err := pin.ReadChain(name, data)
		if err != nil {
			t.Fatal(err)
		}
		host := app.Served{Host: strings.TrimSuffix(path.Base(name), ".pem")}
		for _, c := range chain {
			host.Chain = append(host.Chain, c.Raw)
		}
		list = append(list, host)
	}
	return list
}

func of(report *lint.Report, id string) []lint.Finding {
	var list []lint.Finding
	for _, f := range report.Findings {
		if f.Rule.ID == id {
			list = append(list, f)
		}
	}
	return list
}

func lines(findings []lint.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%v: %v: %s", f.Place, f.Rule.Severity, f.Message)
		if f.Fix != nil {
			fmt.Fprintf(&b, " (fix: %s)", f.Fix.Summary)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestFixtures checks every rule on a project that has the fault and on the
// same project after the remedy. With -update the expected findings are
// rewritten.
func TestFixtures(t *testing.T) {
	covered := make(map[string]bool)
	for _, f := range loadFixtures(t) {
		covered[f.rule.ID] = true
		t.Run(f.rule.ID, func(t *testing.T) {
			_, report := check(t, f.files)
			found := of(report, f.rule.ID)
			if len(found) == 0 {
				t.Fatal("the rule finds nothing in the project with the fault")
			}
			if got := lines(found); got != f.want {
				if !golden.Update() {
					t.Errorf("findings differ:\n%s", cmp.Diff(f.want, got))
				} else {
					f.update(t, got)
				}
			}
			_, after := check(t, f.remedied)
			if left := of(after, f.rule.ID); len(left) > 0 {
				t.Errorf("after the remedy the rule still finds:\n%s", lines(left))
			}
		})
	}
	for _, rule := range lint.Rules() {
		if !covered[rule.ID] {
			t.Errorf("rule %s has no fixture testdata/%s.txtar", rule.ID, rule.ID)
		}
	}
}

func (f *fixture) update(t *testing.T, want string) {
	t.Helper()
	for i := range f.archive.Files {
		if f.archive.Files[i].Name == "want" {
			f.archive.Files[i].Data = []byte(want)
		}
	}
	if err := os.WriteFile(f.path, txtar.Format(f.archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFixesRemoveTheirFindings applies each rule's fixes and looks again.
func TestFixesRemoveTheirFindings(t *testing.T) {
	fixes := 0
	for _, f := range loadFixtures(t) {
		p, report := check(t, f.files)
		edits := make(map[string][]configxml.Edit)
		fixable := 0
		for _, finding := range of(report, f.rule.ID) {
			if finding.Fix != nil {
				edits[finding.Fix.File] = append(edits[finding.Fix.File], finding.Fix.Edits...)
				fixable++
			}
		}
		if fixable == 0 {
			continue
		}
		fixes += fixable
		t.Run(f.rule.ID, func(t *testing.T) {
			before := len(of(report, f.rule.ID))
			_, after := check(t, apply(t, p, f.files, edits))
			if left := of(after, f.rule.ID); len(left) != before-fixable {
				t.Errorf("%d findings, %d fixes, left:\n%s", before, fixable, lines(left))
			}
		})
	}
	if fixes == 0 {
		t.Error("no rule has a fix")
	}
}

func apply(t *testing.T, p *app.App, files fstest.MapFS, edits map[string][]configxml.Edit) fstest.MapFS {
	t.Helper()
	changed := fstest.MapFS{}
	for name, file := range files {
		changed[name] = file
	}
	for name, list := range edits {
		data, err := configxml.Splice(p.Content(name), list...)
		if err != nil {
			t.Fatal(err)
		}
		changed[name] = &fstest.MapFile{Data: data}
	}
	return changed
}

// TestRulesAreComplete: every rule says everything that people are told.
func TestRulesAreComplete(t *testing.T) {
	rules := lint.Rules()
	if len(rules) < 40 {
		t.Errorf("%d rules, at least 40 are promised", len(rules))
	}
	ids := make([]string, 0, len(rules))
	for _, r := range rules {
		ids = append(ids, r.ID)
		if r.Title == "" || r.Explanation == "" || r.Gain == "" || r.Remedy == "" || len(r.Effects) == 0 ||
			r.Topic == "" {
			t.Errorf("%s: incomplete", r.ID)
		}
		if strings.Trim(r.ID, "abcdefghijklmnopqrstuvwxyz-") != "" {
			t.Errorf("%s: not in kebab case", r.ID)
		}
		for _, s := range []string{r.Explanation, r.Gain, r.Remedy} {
			if !strings.HasSuffix(s, ".") {
				t.Errorf("%s: %q does not end in a full stop", r.ID, s)
			}
		}
	}
	sort.Strings(ids)
	for i := 1; i < len(ids); i++ {
		if ids[i] == ids[i-1] {
			t.Errorf("two rules are called %s", ids[i])
		}
	}
}
