package prove_test

import (
	"slices"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/prove"
)

// Without a platform a promise of a Capacitor app is about the platforms of
// Capacitor: nothing reads a config.xml there, whose list would be empty.
func TestDefaultTargetsOfCapacitor(t *testing.T) {
	const promise = "never navigate https://evil.test/*"
	old := policy.Target{Platform: "capacitor-android", Version: policy.Version{Major: 5}}
	for _, test := range []struct {
		config    string
		written   *configxml.Document
		options   prove.Options
		outcome   prove.Outcome
		platforms []string // of the refutations
	}{
		{config: `{"server":{"allowNavigation":["*"]}}`, outcome: prove.Refuted,
			platforms: []string{"capacitor-android", "capacitor-ios"}},
		{config: `{"server":{"allowNavigation":["*"]}}`, options: prove.Options{Capacitor: []policy.Target{old}},
			outcome: prove.Refuted, platforms: []string{"capacitor-android"}},
		{config: `{}`, outcome: prove.Holds},
		{config: `{"server":{"allowNavigation":["*"]}}`, written: parse(t, `<widget><name>x</name></widget>`),
			outcome: prove.Holds}, // the app has a config.xml, and the promise is about that
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
