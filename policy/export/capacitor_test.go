package export_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/export"
)

// capacitorReader is what Capacitor itself decides, on both systems: pages that the
// file lets in open inside on one of them.
func capacitorReader(t testing.TB, content []byte) func(string) bool {
	config, err := capacitor.Read("capacitor.cordon.json", content)
	if err != nil {
		t.Fatal(err)
	}
	doc := configxml.Effective(config.File, nil, configxml.Additions{Capacitor: config})
	var both []*policy.Policy
	for _, platform := range []string{"capacitor-android", "capacitor-ios"} {
		compiled, err := dialect.Compile(doc, policy.Target{Platform: platform})
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, compiled)
	}
	return func(url string) bool {
		opens := 0
		for _, p := range both {
			if d := p.Decide(policy.Request{URL: url, Kind: policy.Navigation}); d.Reason == policy.Listed {
				opens++
			}
		}
		if opens == 1 {
			t.Errorf("%s: Android and iOS differ", url)
		}
		return opens > 0
	}
}

// What is written never opens the bridge to pages that nobody names, unless the
// loss says so.
func TestCapacitorBridge(t *testing.T) {
	for body, want := range map[string]bool{
		`<access origin="https://a.example"/><access origin="https://*.b.example"/>`: false,
		`<access origin="https://httpbin.org"/>`:                                     false,
		`<access origin="https://*"/>`:                                               true,
	} {
		source, _ := sourceOf(t, body)
		artifact := writerOf("capacitor")(source)
		config, err := capacitor.Read("capacitor.cordon.json", artifact.Content)
		if err != nil {
			t.Fatal(err)
		}
		doc := configxml.Effective(config.File, nil, configxml.Additions{Capacitor: config})
		compiled, err := dialect.Compile(doc, policy.Target{Platform: "capacitor-android"})
		if err != nil {
			t.Fatal(err)
		}
		d := compiled.Decide(policy.Request{URL: "https://evil.test/", Kind: policy.BridgeFrame})
		told := slices.ContainsFunc(artifact.Losses, func(l export.Loss) bool {
			return l.Widens && strings.Contains(l.Message, "bridge")
		})
		if got := d.Verdict == policy.Allow; got != want || told != want {
			t.Errorf("%s: every frame has the bridge: %v, and that is told: %v, want %v", body, got, told, want)
		}
	}
}

func TestCapacitorLaw(t *testing.T) {
	// Only a line for both schemes and every port could be exact, and no line
	// covers every port, so the law is tested from the side of the losses.
	for _, body := range []string{`<access origin="*://a.example"/>`, `<allow-navigation href="*://*.a.example"/>`,
		`<access origin="*://localhost"/>`} {
		source, compiled := sourceOf(t, body)
		allows := capacitorReader(t, writerOf("capacitor")(source).Content)
		for _, url := range []string{"https://a.example/", "http://a.example/p", "https://evil.test/",
			"https://xa.example/", "https://x.localhost/", "https://10.0.0.1/"} {
			want := compiled.Decide(policy.Request{URL: url, Kind: policy.Navigation}).Verdict == policy.Allow
			if got := allows(url); got != want {
				t.Errorf("%s: %s: %v, want %v", body, url, got, want)
			}
		}
	}
}

func TestCapacitorCleartext(t *testing.T) {
	for body, want := range map[string]string{
		`<access origin="https://a.example"/>`: `"cleartext": false`,
		`<access origin="http://a.example"/>`:  `"cleartext": true`,
	} {
		source, _ := sourceOf(t, body)
		if got := string(writerOf("capacitor")(source).Content); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}
