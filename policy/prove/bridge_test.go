package prove_test

import (
	"testing"

	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/prove"
)

// Promises about who may call native code hold or are refuted by a page.
func TestBridge(t *testing.T) {
	for _, test := range []struct {
		promise, config string
		outcome         prove.Outcome
	}{
		{"never allow bridge-frame on capacitor-android", `{}`, prove.Holds},
		{"never allow bridge http:* https://*.example.org on capacitor-android", `{}`, prove.Holds},
		{"never allow bridge https://login.example.org on capacitor-android",
			`{"server":{"allowNavigation":["https://login.example.org"]}}`, prove.Refuted},
		{"never allow bridge-frame on capacitor-android",
			`{"server":{"allowNavigation":["https://pay.example.net/start"]}}`, prove.Refuted},
		{"never allow bridge-frame on capacitor-ios", `{}`, prove.Refuted},
		{"never allow bridge on wp8", `{}`, prove.NotDecided}, // what it does is not known
		{"never allow bridge on cordon", `{}`, prove.Holds},
	} {
		config, err := capacitor.Read("capacitor.config.json", []byte(test.config))
		if err != nil {
			t.Fatal(err)
		}
		doc := configxml.Effective(config.File, nil, configxml.Additions{Capacitor: config})
		file, err := prove.Parse("promises", []byte(test.promise))
		if err != nil {
			t.Fatal(err)
		}
		results, err := file.Check(doc, prove.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := results[0]; got.Outcome != test.outcome {
			t.Errorf("%s with %s: %v, want %v: %+v", test.promise, test.config, got.Outcome, test.outcome, got.Cases)
		}
	}
}
