package diff_test

import (
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/diff"
)

func capacitorDocument(t *testing.T, config string) *configxml.Document {
	t.Helper()
	read, err := capacitor.Read("capacitor.config.json", []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	return configxml.Effective("capacitor.config.json", nil, configxml.Additions{Capacitor: read})
}

// A change of the Capacitor configuration is a change, though no config.xml is
// there to differ.
func TestCapacitorConfigurationsDiffer(t *testing.T) {
	before := capacitorDocument(t, `{}`)
	after := capacitorDocument(t, `{"server":{"allowNavigation":["*.example.com"]}}`)
	for _, platform := range []string{"capacitor-android", "capacitor-ios"} {
		target := policy.Target{Platform: platform}
		report, err := diff.Documents(before, after, []policy.Target{target},
			diff.Options{Kinds: []policy.Kind{policy.Navigation}})
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Lines) != 1 || report.Lines[0].Old.Verdict != policy.Launch ||
			report.Lines[0].New.Verdict != policy.Allow || len(report.Doubts) != 0 {
			t.Errorf("%s: %+v, %+v", platform, report.Lines, report.Doubts)
		}
	}
}
