package lint_test

import (
	"testing"

	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/google/go-cmp/cmp"
)

// TestStandards: every rule above info names a CWE, and what rules name is in the
// lists of real entries.
func TestStandards(t *testing.T) {
	rules := lint.Rules()
	used := make(map[string]int)
	for i := range rules {
		r := &rules[i]
		if r.Severity > lint.Info && len(r.Standards.CWE) == 0 {
			t.Errorf("%s names no CWE: add it to the table of standards", r.ID)
		}
		for _, c := range lint.Catalogues() {
			for _, e := range c.Entries(r) {
				used[c.Name]++
				if e.Title == "" || e.Page == "" {
					t.Errorf("%s names %s, which is not in the list of %s", r.ID, e.ID, c.Name)
				}
			}
		}
	}
	for _, c := range lint.Catalogues() {
		if used[c.Name] < 60 {
			t.Errorf("only %d times an entry of %s is named", used[c.Name], c.Name)
		}
	}
}

func TestStandardsOfARule(t *testing.T) {
	rule, _ := lint.RuleByID("cleartext-origin")
	var got []string
	for _, c := range lint.Catalogues() {
		for _, e := range c.Entries(rule) {
			got = append(got, e.ID+" "+e.Page)
		}
	}
	want := []string{
		"MASVS-NETWORK-1 https://mas.owasp.org/MASVS/controls/MASVS-NETWORK-1/",
		"MASWE-0026 https://mas.owasp.org/MASWE/MASVS-NETWORK/MASWE-0026/",
		"CWE-319 https://cwe.mitre.org/data/definitions/319.html",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
