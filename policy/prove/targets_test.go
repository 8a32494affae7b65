package prove_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/prove"
)

// Without a platform a promise of a Capacitor app is about the platforms of
// Capacitor: nothing reads a config.xml there, whose list would be empty or somebody
// else's. The strict reading counts where something else is built from it.
func TestDefaultTargetsOfCapacitor(t *testing.T) {
	const promise = "never navigate https://evil.test/*"
	old := policy.Target{Platform: "capacitor-android", Version: policy.Version{Major: 5}}
	cordova := policy.Target{Platform: "android", Version: policy.Version{Major: 12}}
	left := parse(t, `<widget><name>x</name></widget>`)
	lets := parse(t, `<widget><allow-navigation href="https://evil.test/*"/></widget>`)
	const all = `{"server":{"allowNavigation":["*"]}}`
	for _, test := range []struct {
		config    string
		written   *configxml.Document
		options   prove.Options
		outcome   prove.Outcome
		platforms []string // of the refutations
	}{
		{config: all, outcome: prove.Refuted, platforms: []string{"capacitor-android", "capacitor-ios"}},
		{config: all, options: prove.Options{Targets: []policy.Target{old}}, outcome: prove.Refuted,
			platforms: []string{"capacitor-android"}},
		{config: `{}`, outcome: prove.Holds},
		{config: all, written: left, outcome: prove.Refuted, platforms: []string{"capacitor-android", "capacitor-ios"}},
		{config: all, written: left, options: prove.Options{Targets: []policy.Target{old}}, outcome: prove.Refuted,
			platforms: []string{"capacitor-android"}},
		{config: all, written: left, options: prove.Options{Targets: []policy.Target{cordova}}, outcome: prove.Refuted,
			platforms: []string{"capacitor-android", "capacitor-ios"}},
		{config: `{}`, written: left, outcome: prove.Holds},
		{config: `{}`, written: lets, options: prove.Options{Targets: []policy.Target{old}}, outcome: prove.Holds},
		{config: `{}`, written: lets, options: prove.Options{Targets: []policy.Target{old, cordova}},
			outcome: prove.Refuted, platforms: []string{"cordon"}},
		{config: `{}`, written: lets, outcome: prove.Refuted, platforms: []string{"cordon"}},
	} {
		config, err := capacitor.Read("capacitor.config.json", []byte(test.config))
		if err != nil {
			t.Fatal(err)
		}
		file, err := prove.Parse("promises", []byte(promise))
		if err != nil {
			t.Fatal(err)
		}
		doc := configxml.Effective(config.File, test.written, configxml.Additions{Capacitor: config})
		results, err := file.Check(doc, test.options)
		if err != nil {
			t.Fatal(err)
		}
		var platforms []string
		for _, c := range results[0].Cases {
			platforms = append(platforms, c.Target.Platform)
		}
		if results[0].Outcome != test.outcome || !slices.Equal(platforms, test.platforms) {
			t.Errorf("%s: %v on %v, want %v on %v", test.config, results[0].Outcome, platforms, test.outcome,
				test.platforms)
		}
		if got := file.Assertions[0].Targets; len(got) != 1 || got[0].Platform != "cordon" {
			t.Errorf("the assertions themselves were changed: %v", got)
		}
	}
}

// A platform that is named alone is the app's own version, and what is assumed is said.
func TestOwnVersions(t *testing.T) {
	old := policy.Target{Platform: "android", Version: policy.Version{Major: 3, Minor: 5}}
	other := policy.Target{Platform: "ios", Version: policy.Version{Major: 7}}
	options := prove.Options{Targets: []policy.Target{old, other}, Assumed: []policy.Target{other}}
	doc := parse(t, `<widget><access origin="https://a.example"/></widget>`)
	for text, want := range map[string]struct{ targets, assumed string }{
		"never navigate http:* on android":                 {"android@3.5.0", ""},
		"never navigate http:* on android@9.0.0 ios":       {"android@9.0.0 ios@7.0.0", "ios@7.0.0"},
		"never navigate http:* on wp8":                     {"wp8@3.8.2", "wp8@3.8.2"},
		"never navigate http:* on wp8@3.8.2":               {"wp8@3.8.2", ""},
		"never navigate http:*":                            {"cordon", ""},
		"same navigation on android android@15.0.0 ios":    {"android@3.5.0 android@15.0.0 ios@7.0.0", "ios@7.0.0"},
		"never navigate http:* on ios@7.0.0":               {"ios@7.0.0", "ios@7.0.0"},
		"never navigate http:* on capacitor-android@5.0.0": {"capacitor-android@5.0.0", ""},
	} {
		file, err := prove.Parse("promises", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		results, err := file.Check(doc, options)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(results[0].Assertion.Targets); got != want.targets {
			t.Errorf("%s: about %s, want %s", text, got, want.targets)
		}
		if got := names(results[0].Assumed); got != want.assumed {
			t.Errorf("%s: assumed %s, want %s", text, got, want.assumed)
		}
		var out, program strings.Builder
		proofs := []prove.Proof{{File: "config.xml", Results: results}}
		if err := errors.Join(prove.WriteText(&out, proofs), prove.WriteJSON(&program, proofs)); err != nil {
			t.Fatal(err)
		}
		if said := strings.Contains(out.String(), "assumed: "+want.assumed); said != (want.assumed != "") ||
			strings.Contains(program.String(), `"assumed"`) != said {
			t.Errorf("%s: assumed is said: %v in %s and %s", text, said, out.String(), program.String())
		}
	}
}

func names(targets []policy.Target) string {
	var list []string
	for _, t := range targets {
		list = append(list, t.String())
	}
	return strings.Join(list, " ")
}

// Where the version is assumed a promise holds if it does on each version that may be
// the app's; one that the assertion names is that one.
func TestAlternativesOfAnAssumedVersion(t *testing.T) {
	target := func(platform string, major, minor int) policy.Target {
		return policy.Target{Platform: platform, Version: policy.Version{Major: major, Minor: minor}}
	}
	four, five := target("capacitor-android", 4, 4), target("capacitor-android", 4, 5)
	ios, newer := target("ios", 4, 0), target("ios", 4, 2)
	options := prove.Options{Targets: []policy.Target{four, ios}, Assumed: []policy.Target{four, ios},
		Alternatives: []policy.Target{five, newer}}
	config, err := capacitor.Read("capacitor.config.json", []byte(`{"android":{"useLegacyBridge":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	written := parse(
		t,
		`<widget><allow-intent href="https://*/*"/><allow-navigation href="https://a.example/*"/></widget>`,
	)
	doc := configxml.Effective("", written, configxml.Additions{Capacitor: config})
	const may = "it holds on the version that is assumed, but the project may be built with "
	for text, want := range map[string]struct {
		outcome prove.Outcome
		why     string
	}{
		"never allow bridge-frame https:* on capacitor-android": {prove.NotDecided,
			may + "capacitor-android@4.5.0: "},
		"never allow bridge-frame https:* on capacitor-android@4.4.0": {prove.Holds, ""},
		"never allow bridge-frame https:* on capacitor-android@4.5.0": {prove.Refuted, ""},
		"never navigate https://a.example/x on ios": {prove.NotDecided,
			may + "ios@4.2.0: https://a.example/x breaks it"},
		"never navigate https://a.example/x on ios@4.0.0":      {prove.Holds, ""},
		"same navigation https://a.example/x on ios ios@4.1.0": {prove.NotDecided, may + "ios@4.2.0: "},
		"same navigation https://a.example/x on ios@4.1.0 ios": {prove.NotDecided, may + "ios@4.2.0: "},
		"same navigation https://b.example/x on ios@4.1.0 ios": {prove.Holds, ""},
	} {
		file, err := prove.Parse("promises", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		results, err := file.Check(doc, options)
		if err != nil {
			t.Fatal(err)
		}
		why := ""
		for _, c := range results[0].Cases {
			why += c.Why
		}
		if results[0].Outcome != want.outcome || !strings.HasPrefix(why, want.why) || want.why == "" && why != "" {
			t.Errorf("%s: %s, %q, want %s, %q", text, results[0].Outcome, why, want.outcome, want.why)
		}
	}
}
