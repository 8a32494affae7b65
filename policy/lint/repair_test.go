package lint_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/lint"
)

// TestApplyConverges repairs the dreadful example, pass by pass, until nothing
// is left to repair.
func TestApplyConverges(t *testing.T) {
	files := fstest.MapFS{}
	for _, name := range []string{"config.xml", "www/index.html", "www/other.html", "www/js/app.js"} {
		data, err := os.ReadFile("../../examples/dreadful/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	p, report := check(t, files)
	first := len(report.Findings)
	for pass := 0; ; pass++ {
		repair, err := lint.Apply(p, report.Findings)
		if err != nil {
			t.Fatal(err)
		}
		if len(repair.Done) == 0 {
			break
		}
		if pass > 5 {
			t.Fatalf("still repairing after %d passes:\n%s", pass, lines(repair.Done))
		}
		for name, data := range repair.Files {
			files[name] = &fstest.MapFile{Data: data}
		}
		p, report = check(t, files)
	}
	for _, f := range report.Findings {
		if f.Fix != nil {
			t.Errorf("left: %s", lines([]lint.Finding{f}))
		}
	}
	if len(report.Findings) > first-15 {
		t.Errorf("%d findings before, %d after", first, len(report.Findings))
	}
}

func TestApplyKeepsApart(t *testing.T) {
	p, report := check(t, config(`<access origin="http://a.example"/>`))
	rule := report.Findings[0].Rule
	fix := func(file string, start, end int, text string) lint.Finding {
		return lint.Finding{Rule: rule, Fix: &lint.Fix{File: file, Edits: []configxml.Edit{{Start: start, End: end, New: text}}}}
	}
	repair, err := lint.Apply(p, []lint.Finding{fix("config.xml", 0, 12, ""), fix("config.xml", 0, 12, ""), fix("config.xml", 5, 14, ""), {Rule: rule}})
	if err != nil || len(repair.Done) != 2 || len(repair.Left) != 1 || string(repair.Files["config.xml"][:9]) != "\n<widget>" {
		t.Errorf("%v: %d done, %d left, %q", err, len(repair.Done), len(repair.Left), repair.Files["config.xml"])
	}
	if _, err := lint.Apply(p, []lint.Finding{fix("other.xml", 0, 0, "x")}); err == nil {
		t.Error("a file outside the project is changed")
	}
	if _, err := lint.Apply(p, []lint.Finding{fix("config.xml", 14, 15, "")}); err == nil {
		t.Error("a fix that breaks the file is made")
	}
}
