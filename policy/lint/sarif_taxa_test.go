package lint_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/policy/lint/report"
)

// sarifRun is what the tests here read of a SARIF log.
type sarifRun struct {
	Tool struct {
		Driver struct {
			Supported []struct {
				Name  string
				Index int
			} `json:"supportedTaxonomies"`
			Rules []struct {
				ID            string
				Configuration struct{ Level string } `json:"defaultConfiguration"`
				Properties    struct {
					Tags     []string
					Severity string `json:"security-severity"`
				}
				Relationships []struct {
					Target struct {
						ID        string
						Index     int
						Component struct {
							Name  string
							Index int
						} `json:"toolComponent"`
					}
				}
			}
		}
	}
	Taxonomies []struct {
		Name string
		Taxa []struct{ ID string }
	}
	Results []struct {
		RuleID     string
		Level      string
		Properties struct{ New bool }
	}
}

func sarifOf(t *testing.T, r *lint.Report, write func(*bytes.Buffer) error) sarifRun {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	var log struct{ Runs []sarifRun }
	if err := json.Unmarshal(out.Bytes(), &log); err != nil || len(log.Runs) != 1 {
		t.Fatalf("%d runs, %v", len(log.Runs), err)
	}
	if len(log.Runs[0].Results) != len(r.Findings)+len(r.Suppressed) {
		t.Fatalf("%d results of %d findings", len(log.Runs[0].Results), len(r.Findings))
	}
	return log.Runs[0]
}

// TestSARIFTaxonomies follows every relationship of a rule to its taxon.
func TestSARIFTaxonomies(t *testing.T) {
	p, found := check(t, os.DirFS("../../examples/dreadful"))
	run := sarifOf(t, found, func(out *bytes.Buffer) error { return report.WriteSARIF(out, p, found, "") })
	if len(run.Taxonomies) != 3 || len(run.Tool.Driver.Supported) != 3 {
		t.Fatalf("%d taxonomies, %d supported", len(run.Taxonomies), len(run.Tool.Driver.Supported))
	}
	for i, s := range run.Tool.Driver.Supported {
		if s.Index != i || run.Taxonomies[i].Name != s.Name {
			t.Errorf("supported taxonomy %d is %+v", i, s)
		}
	}
	for _, rule := range run.Tool.Driver.Rules {
		for _, r := range rule.Relationships {
			taxonomy := run.Taxonomies[r.Target.Component.Index]
			if taxonomy.Name != r.Target.Component.Name || taxonomy.Taxa[r.Target.Index].ID != r.Target.ID {
				t.Errorf("%s: %+v leads to %+v", rule.ID, r.Target, taxonomy.Taxa[r.Target.Index])
			}
		}
		if rule.ID == "cleartext-origin" {
			for _, tag := range []string{"security", "external/cwe/cwe-319", "MASVS-NETWORK-1", "MASWE-0026"} {
				if !slices.Contains(rule.Properties.Tags, tag) {
					t.Errorf("cleartext-origin has the tags %q", rule.Properties.Tags)
				}
			}
		}
	}
}

// TestNewFindingsInReports: every format says what is new, and none as a failure.
func TestNewFindingsInReports(t *testing.T) {
	p, found := check(t, config(`<engine name="android" spec="12.0.1"/><preference name="scheme" value="app"/>`))
	for _, isNew := range []bool{true, false} {
		found.RuleSet = lint.CurrentSet
		if !isNew {
			found.RuleSet = lint.LatestSet
		}
		run := sarifOf(t, found, func(out *bytes.Buffer) error { return report.WriteSARIF(out, p, found, "") })
		for _, result := range run.Results {
			if result.RuleID == "app-scheme-refused" &&
				(result.Properties.New != isNew || (result.Level == "note") != isNew) {
				t.Errorf("set %d: %+v", found.RuleSet, result)
			}
		}
		for _, rule := range run.Tool.Driver.Rules {
			if rule.ID == "app-scheme-refused" && ((rule.Properties.Severity == "") != isNew ||
				(rule.Configuration.Level == "note") != isNew) {
				t.Errorf("set %d: %+v", found.RuleSet, rule)
			}
		}
		var text, hub, data bytes.Buffer
		for _, err := range []error{report.WriteText(&text, p, found, report.TextOptions{}),
			report.WriteGitHub(&hub, p, found), report.WriteJSON(&data, p, found, 0)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for what, in := range map[string]string{
			"(new: it fails from rule set 2 on": text.String() + "\n", "1 new (it fails nothing": text.String(),
			"::notice file=config.xml,line=3": hub.String(), `"new": true`: data.String(),
		} {
			if strings.Contains(in, what) != isNew {
				t.Errorf("set %d: %q in\n%s", found.RuleSet, what, in)
			}
		}
	}
}
