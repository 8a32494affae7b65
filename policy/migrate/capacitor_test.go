package migrate_test

import (
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/migrate"
)

// What the report compares with is Capacitor itself: data: pages open inside, the
// plugins still ask the list, and listed pages may call native code as before.
func TestCapacitorIsCompared(t *testing.T) {
	doc, err := configxml.Parse("config.xml", []byte(`<widget id="a"><plugin name="cordova-plugin-camera"/>
<access origin="https://api.example.com"/><allow-navigation href="https://app.example.com/*"/></widget>`))
	if err != nil {
		t.Fatal(err)
	}
	result, err := migrate.File(doc, migrate.Options{
		From: policy.Target{Platform: "android", Version: policy.Version{Major: 13}},
		To:   policy.Target{Platform: migrate.Capacitor},
	})
	if err != nil {
		t.Fatal(err)
	}
	after := result.Report.Pairs[0].New
	if got := after.Target().String(); got != "capacitor-android@8.4.2" {
		t.Errorf("compared with %s", got)
	}
	for _, test := range []struct {
		kind policy.Kind
		url  string
		want policy.Verdict
	}{
		{policy.Navigation, "data:text/html,x", policy.Allow},
		{policy.Plugin, "https://api.example.com/x", policy.Allow},
		{policy.Plugin, "https://evil.example/", policy.Block},
		{policy.Bridge, "https://app.example.com/x", policy.Allow},
		{policy.Bridge, "https://evil.example/", policy.Block},
		{policy.BridgeFrame, "https://app.example.com/x", policy.Block},
	} {
		if got := after.Decide(policy.Request{URL: test.url, Kind: test.kind}); got.Verdict != test.want {
			t.Errorf("%s %s: %s (%s), want %s", test.kind, test.url, got.Verdict, got.Reason, test.want)
		}
	}
	if len(result.Notes) == 0 || !strings.HasPrefix(result.Notes[0].Message, "data: and blob: pages open inside") {
		t.Errorf("the notes do not tell that data: pages open inside: %+v", result.Notes)
	}
}

// What no line of the new file says is told as each platform decides it.
func TestCapacitorIsTold(t *testing.T) {
	for platform, want := range map[string]string{
		"android": "data: and blob: pages open inside whatever is listed, and Cordova plugins ask the list that " +
			"cordova.accessOrigins writes (<access>): see the comparison for who may call native code",
		"ios": "pages that are not listed are handed to other apps, and Cordova plugins ask no list: see the " +
			"comparison for who may call native code",
	} {
		result := run(t, platform, "capacitor", `<widget id="a"><access origin="https://api.example.com"/></widget>`,
			migrate.Options{})
		if got := result.Notes[0].Message; got != want {
			t.Errorf("from %s: %s, want %s", platform, got, want)
		}
	}
}
