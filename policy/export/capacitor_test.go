package export_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
)

// capacitorCovers applies a host mask as Android's HostMask and iOS's controller do,
// and fails where the two differ.
func capacitorCovers(t testing.TB, mask, host string) bool {
	if mask == "*" {
		return true
	}
	m, h := strings.Split(mask, "."), strings.Split(host, ".")
	if len(m) == 1 {
		t.Fatalf("mask %q has one label: Android and iOS read it differently", mask)
	}
	if len(m) != len(h) {
		return false
	}
	for i := range m {
		if m[i] != "*" && m[i] != h[i] {
			return false
		}
	}
	return true
}

func capacitorReader(t testing.TB, content []byte) func(string) bool {
	var config struct {
		Server struct{ AllowNavigation []string }
	}
	if err := json.Unmarshal(content, &config); err != nil {
		t.Fatalf("no JSON: %v", err)
	}
	return func(raw string) bool {
		u, err := url.Parse(raw)
		if err != nil {
			return false
		}
		for _, mask := range config.Server.AllowNavigation {
			if capacitorCovers(t, mask, u.Hostname()) {
				return true
			}
		}
		return false
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
