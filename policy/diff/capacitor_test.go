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

// An entry that no link is like is a change all the same: its origin gets the
// bridge, and one with a path opens it to every frame.
func TestBridgesDiffer(t *testing.T) {
	before := capacitorDocument(t, `{}`)
	for _, test := range []struct {
		entry, url string
		kinds      string
	}{
		{"https://login.example.org", "https://login.example.org/", "bridge"},
		{"https://pay.example.net/start", "", "bridge, bridge-frame"},
	} {
		after := capacitorDocument(t, `{"server":{"allowNavigation":["`+test.entry+`"]}}`)
		report, err := diff.Documents(before, after, []policy.Target{{Platform: "capacitor-android"}}, diff.Options{})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, line := range report.Lines {
			found = found || line.Old.Verdict == policy.Block && line.New.Verdict == policy.Allow &&
				diff.KindNames(line.Where[0].Kinds) == test.kinds && (test.url == "" || line.URL == test.url)
		}
		if !found {
			t.Errorf("%s: %+v", test.entry, report.Lines)
		}
	}
}

func TestKindNames(t *testing.T) {
	var requests []policy.Kind
	for _, kind := range policy.Kinds() {
		if !kind.IsBridge() {
			requests = append(requests, kind)
		}
	}
	for want, kinds := range map[string][]policy.Kind{
		"every kind":                       requests,
		"every kind, bridge":               append(requests[:len(requests):len(requests)], policy.Bridge),
		"every kind, bridge, bridge-frame": policy.Kinds(),
		"every kind but navigation":        requests[1:],
		"bridge-frame":                     {policy.BridgeFrame},
		"xhr, bridge":                      {policy.XHR, policy.Bridge},
	} {
		if got := diff.KindNames(kinds); got != want {
			t.Errorf("%v: %q, want %q", kinds, got, want)
		}
	}
}
