package dialect_test

import (
	"testing"

	"github.com/cordon-sec/cordon/policy"
)

// Every reason of the closed list is given by some platform, and documented.
func TestEveryReasonIsReached(t *testing.T) {
	tests := []struct {
		target, body, kind, url string
		want                    policy.Reason
	}{
		{"cordon", ``, "xhr", "https://a.example/", policy.NotListed},
		{"cordon", `<access origin="https://a.example"/>`, "xhr", "https://a.example/", policy.Listed},
		{"cordon", `<allow-intent href="tel:*"/>`, "navigation", "tel:1", policy.ListedExternal},
		{"cordon", ``, "xhr", "https:a", policy.Malformed},
		{"android@3.6.4", ``, "navigation", "file:///x", policy.BuiltIn},
		{"ios@8.0.1", ``, "navigation", "file:///x", policy.BuiltInRule},
		{"w3c", `<access origin="*"/>`, "xhr", "https://a.example/", policy.Unlimited},
		{"android@15.0.0", ``, "xhr", "https://a.example/", policy.NeverAsked},
		{"android@3.6.4", ``, "xhr", "ftp://a.example/", policy.SchemeNotAsked},
		{"ios@3.0.0", ``, "navigation", "foo:bar", policy.HandedOver},
		{"wp8@2.3.0", ``, "navigation", "https://a.example/", policy.NoList},
		{"tizen", ``, "navigation", "https://a.example/", policy.Unverified},
	}
	reached := map[policy.Reason]bool{}
	for _, test := range tests {
		kind, err := policy.ParseKind(test.kind)
		if err != nil {
			t.Fatal(err)
		}
		got := compile(t, test.target, test.body).Decide(policy.Request{URL: test.url, Kind: kind})
		reached[got.Reason] = true
		if got.Reason != test.want {
			t.Errorf("%s: %s of %s: %s (%s), want %s", test.target, test.kind, test.url, got.Verdict, got.Reason,
				test.want)
		}
	}
	reached[policy.NoPlugins] = true // TestNoPlugins
	for _, reason := range policy.Reasons() {
		if !reached[reason] {
			t.Errorf("no test reaches %s", reason)
		}
		if reason.Explain() == "" || reason.String() == "" {
			t.Errorf("reason %d is not documented", reason)
		}
	}
}

// A strict decision is never bypass, whatever the platform.
func TestStrictDecisionsNeverBypass(t *testing.T) {
	const body = `<access origin="https://a.example"/><allow-navigation href="https://n.example/*"/><allow-intent ` +
		`href="tel:*"/>`
	for _, target := range []string{
		"cordon", "w3c", "tizen", "android@2.5.0", "android@2.9.1", "android@3.1.0", "android@3.5.1", "android@3.6.4",
		"android@3.6.4/2.3", "android@4.1.1", "android@9.1.0", "android@10.0.0", "android@15.0.0",
		"amazon-fireos@3.5.0", "ios@3.0.0", "ios@3.6.3", "ios@4.1.1", "ios@8.0.1", "blackberry10@3.8.0", "wp7@3.4.0",
		"wp8@2.3.0", "wp8@3.8.2", "windows@4.4.0",
	} {
		compiled := compile(t, target, body)
		for _, kind := range append(policy.Kinds(), policy.AnyKind) {
			for _, url := range []string{"https://a.example/", "https://evil.test/", "http://n.example/x", "tel:1",
				"file:///x", "data:,x", "about:blank", ""} {
				d := compiled.Decide(policy.Request{URL: url, Kind: kind, Strict: true})
				if d.Verdict == policy.Bypass {
					t.Errorf("%s: %s of %q is bypassed (%s)", target, kind, url, d.Reason)
				}
				if url == "https://evil.test/" && kind != policy.Navigation && d.Verdict == policy.Allow &&
					d.Reason != policy.NoList && d.Reason != policy.SchemeNotAsked {
					t.Errorf("%s: %s of %q is allowed (%s), though no line lists it", target, kind, url, d.Reason)
				}
			}
		}
	}
}
