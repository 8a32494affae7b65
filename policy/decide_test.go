package policy_test

import (
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// split is a platform of the plainest sort: scheme://host/path.
func split(raw string) pattern.URL {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return pattern.URL{Malformed: true}
	}
	host, _, _ := strings.Cut(rest, "/")
	return pattern.URL{
		Whole: raw, Scheme: scheme, Host: host, Path: rest[len(host):], Port: -1,
		Has: pattern.HasScheme | pattern.HasHost | pattern.HasPath,
	}
}

func entry(rule int, scheme, host string) policy.Entry {
	return policy.Entry{Rule: rule, Pattern: &pattern.Pattern{
		Scheme: pattern.Exactly(scheme), Host: pattern.Below(host), Path: pattern.Any(),
	}}
}

// A policy with every sort of test: lists, built-in patterns, an algorithm and
// their negation.
func example() *policy.Policy {
	rules := []policy.Rule{
		{Element: "access", Text: "a", Place: policy.Place{File: "config.xml", Line: 3, Column: 5}},
		{Element: "allow-intent", Text: "b", Place: policy.Place{File: "config.xml", Line: 4, Column: 5},
			Purpose: policy.ForLaunch},
		{Text: "built in"},
	}
	secret := pattern.Pattern{Scheme: pattern.Any(), Host: pattern.Any(), Path: pattern.Within("/secret")}
	requests := []policy.Step{
		{When: []policy.Test{policy.InList(0), policy.Among(secret).Not()}, Then: policy.Allow, Reason: policy.Listed},
	}
	navigation := []policy.Step{
		{When: []policy.Test{policy.InList(1), policy.Among(secret).Not()}, Then: policy.Allow, Reason: policy.Listed},
		{When: []policy.Test{policy.InList(2)}, Then: policy.Launch, Reason: policy.ListedExternal},
	}
	return policy.New(policy.Spec{
		Rules: rules,
		Lists: []policy.List{
			{entry(2, "app", "localhost"), entry(0, "https", "a.example")},
			{entry(2, "app", "localhost"), entry(0, "https", "a.example")}, // written the same: one index
			{entry(1, "https", "b.example")},
		},
		Split: split,
		Programs: map[policy.Kind]policy.Program{
			policy.XHR:        {Steps: requests},
			policy.Navigation: {Steps: navigation},
			policy.Image: {
				Steps:  []policy.Step{{Then: policy.Bypass, Reason: policy.NeverAsked}},
				Strict: requests,
			},
			policy.Media: {Steps: []policy.Step{{Then: policy.Bypass, Reason: policy.NeverAsked}}},
			policy.Other: {Steps: []policy.Step{{When: []policy.Test{policy.FoundBy(func(u pattern.URL) int {
				return strings.Index(u.Host, "algorithm")
			})}, Then: policy.Allow, Reason: policy.Listed}}},
		},
	})
}

func TestDecide(t *testing.T) {
	p := example()
	for _, test := range []struct {
		url     string
		kind    policy.Kind
		strict  bool
		verdict policy.Verdict
		reason  policy.Reason
		rule    string
	}{
		{"https://a.example/x", policy.XHR, false, policy.Allow, policy.Listed, "a"},
		{"https://www.a.example/x", policy.Navigation, false, policy.Allow, policy.Listed, "a"},
		{"https://a.example/secret/x", policy.XHR, false, policy.Block, policy.NotListed, ""},
		{"https://b.example/", policy.XHR, false, policy.Block, policy.NotListed, ""},
		{"https://b.example/", policy.Navigation, false, policy.Launch, policy.ListedExternal, "b"},
		{"app://localhost/", policy.XHR, false, policy.Allow, policy.BuiltInRule, "built in"},
		{"nothing", policy.XHR, false, policy.Block, policy.Malformed, ""},
		{"https://evil.test/", policy.Image, false, policy.Bypass, policy.NeverAsked, ""},
		{"https://evil.test/", policy.Image, true, policy.Block, policy.NotListed, ""},
		{"https://a.example/", policy.Image, true, policy.Allow, policy.Listed, "a"},
		{"https://a.example/", policy.Media, true, policy.Block, policy.Unverified, ""},
		{"https://algorithm.example/", policy.Other, false, policy.Allow, policy.Listed, "a"},
		{"https://a.example/", policy.Other, false, policy.Block, policy.NotListed, ""},
		{"https://a.example/", policy.Font, false, policy.Block, policy.NotListed, ""},
		{"https://a.example/", policy.Kind(200), false, policy.Block, policy.NotListed, ""},
		{"https://a.example/", policy.AnyKind, false, policy.Allow, policy.Listed, "a"},
		{"https://b.example/", policy.AnyKind, false, policy.Block, policy.NotListed, ""},
		{"https://a.example/secret", policy.AnyKind, false, policy.Block, policy.NotListed, ""},
		{"nothing", policy.AnyKind, false, policy.Block, policy.Malformed, ""},
	} {
		d := p.Decide(policy.Request{URL: test.url, Kind: test.kind, Strict: test.strict})
		rule := ""
		if d.Rule != nil {
			rule = d.Rule.Text
		}
		if d.Verdict != test.verdict || d.Reason != test.reason || rule != test.rule {
			t.Errorf("%s %s strict=%v: %s, %s, %q; want %s, %s, %q",
				test.url, test.kind, test.strict, d.Verdict, d.Reason, rule, test.verdict, test.reason, test.rule)
		}
	}
}

func TestDecideWithUnknownPath(t *testing.T) {
	p := example()
	d := p.Decide(policy.Request{URL: "https://a.example/", Kind: policy.XHR, AnyPath: true})
	if d.Verdict != policy.Block {
		t.Errorf("%s: a path that might be refused must be, where it is unknown", d.Verdict)
	}
	if d := p.Decide(policy.Request{URL: "app://localhost/", Kind: policy.XHR}); d.Verdict != policy.Allow {
		t.Errorf("known path: %s", d.Verdict)
	}
}

func TestZeroPolicyBlocks(t *testing.T) {
	var zero policy.Policy
	for _, kind := range append(policy.Kinds(), policy.AnyKind) {
		if d := zero.Decide(policy.Request{URL: "https://a.example/", Kind: kind}); d.Verdict != policy.Block ||
			d.Rule != nil {
			t.Errorf("%s: %s", kind, d.Verdict)
		}
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	p := example()
	for _, url := range []string{"https://www.a.example/x", "https://evil.test/", "nothing"} {
		for _, kind := range append(policy.Kinds(), policy.AnyKind) {
			request := policy.Request{URL: url, Kind: kind}
			if n := testing.AllocsPerRun(50, func() { p.Decide(request) }); n != 0 {
				t.Errorf("%s %s: %v allocations", url, kind, n)
			}
		}
	}
}
