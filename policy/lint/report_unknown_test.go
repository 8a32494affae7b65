package lint_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cordon-sec/cordon/policy/lint/report"
)

// What could not be established is said in each format: a plugin that is not there, and
// a platform that is newer than what is known, which are no findings.
func TestUnknownIsReported(t *testing.T) {
	p, found := check(t, fstest.MapFS{
		"config.xml": {
			Data: []byte("<widget>\n<plugin name=\"absent\"/>\n<engine name=\"android\" spec=\"99.0.0\"/></widget>"),
		},
		"package.json":   {Data: []byte("{}")},
		"www/index.html": {Data: []byte("<!DOCTYPE html>")},
	})
	const absent, newer = "the plugin absent is named and its plugin.xml is not there",
		"android is 99.0.0, which is newer than what is known"
	for i := range found.Findings {
		if f := &found.Findings[i]; f.Rule.ID == "facts-unknown" {
			t.Errorf("it is a finding: %s", f.Message)
		}
	}
	var text, github, sarif bytes.Buffer
	if err := report.WriteText(&text, p, found, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if out := text.String(); !strings.Contains(out, "\nnot known: "+newer) ||
		!strings.Contains(out, "\nnot known: what absent adds") ||
		!strings.Contains(out, "(assumed)") {
		t.Errorf("text: %s", out)
	}
	if err := report.WriteGitHub(&github, p, found); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"::notice file=config.xml,line=2,col=1,title=cordon%3A not known::" + absent,
		"::notice file=config.xml,line=3,col=1,title=cordon%3A not known::" + newer} {
		if !strings.Contains(github.String(), want) {
			t.Errorf("github: %s is not in %s", want, github.String())
		}
	}
	if err := report.WriteSARIF(&sarif, p, found, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(sarif.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := sarifSchema(t).Validate(value); err != nil {
		t.Errorf("SARIF: %v", err)
	}
	var log struct {
		Runs []struct {
			Invocations []struct {
				ExecutionSuccessful        bool
				ToolExecutionNotifications []struct {
					Level     string
					Message   struct{ Text string }
					Locations []struct {
						PhysicalLocation struct{ Region struct{ StartLine int } }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(sarif.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	if len(log.Runs[0].Invocations) != 1 || !log.Runs[0].Invocations[0].ExecutionSuccessful {
		t.Fatalf("invocations %+v", log.Runs[0].Invocations)
	}
	said := log.Runs[0].Invocations[0].ToolExecutionNotifications
	if len(said) != 2 || !strings.HasPrefix(said[0].Message.Text, "not known: "+absent) ||
		!strings.HasPrefix(said[1].Message.Text, "not known: "+newer) || said[0].Level != "warning" ||
		said[0].Locations[0].PhysicalLocation.Region.StartLine != 2 {
		t.Errorf("notifications %+v", said)
	}
}
