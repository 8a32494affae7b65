package diff_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/diff"
)

// What is not known of a side, and which versions are assumed, is in each format.
func TestNotesAreShown(t *testing.T) {
	report := compare(t, `<widget/>`, `<widget><access origin="https://a.example"/></widget>`, "android@15.1.0")
	section := diff.Section{Report: report, View: diff.View{
		Assumed: []policy.Target{target(t, "android@15.1.0")},
		Notes: []diff.Note{{Side: "new", What: "the plugin x is not there",
			Place: policy.Place{File: "package.json", Line: 3, Column: 5}}},
	}}
	const note = "new: package.json:3:5: the plugin x is not there"
	for name, test := range map[string]struct {
		write func(*bytes.Buffer) error
		want  []string
	}{
		"text": {func(b *bytes.Buffer) error { return diff.WriteText(b, []diff.Section{section}) },
			[]string{"on android@15.1.0 (assumed)\n", "\nnot known: " + note + "\n"}},
		"markdown": {func(b *bytes.Buffer) error { return diff.WriteMarkdown(b, []diff.Section{section}) },
			[]string{"on android@15.1.0 (assumed)", "\nNot known: " + note + ".\n"}},
		"github": {func(b *bytes.Buffer) error { return diff.WriteGitHub(b, []diff.Section{section}) },
			[]string{"::notice title=cordon diff::not known: " + note + "\n"}},
		"json": {func(b *bytes.Buffer) error { return diff.WriteJSON(b, []diff.Section{section}) },
			[]string{`"side": "new"`, `"what": "the plugin x is not there"`, `"file": "package.json"`, `"line": 3`,
				"\"assumed\": [\n        \"android@15.1.0\"\n"}},
	} {
		var out bytes.Buffer
		if err := test.write(&out); err != nil {
			t.Fatal(err)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is not in %s", name, want, out.String())
			}
		}
	}
}
