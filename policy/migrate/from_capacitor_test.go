package migrate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/migrate"
)

// What a Capacitor configuration opens inside, a config.xml that is made of it opens
// inside; what no entry can say is left out and told; the app's own address stays.
func TestFromCapacitor(t *testing.T) {
	config, err := capacitor.Read("capacitor.config.json", []byte(`{"appId": "com.example.notes", "appName": "Notes & more",
"server": {"hostname": "notes.example", "allowNavigation": ["login.example.com", "*.pay.example", "a.*.example"]},
"cordova": {"accessOrigins": ["https://api.example.com"], "preferences": {"Fullscreen": "true"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	doc := configxml.Effective(config.File, nil, configxml.Additions{Capacitor: config})
	from := policy.Target{Platform: "capacitor-android", Version: policy.Version{Major: 7}}
	to := policy.Target{Platform: "android", Version: policy.Version{Major: 15}}
	result, err := migrate.FromCapacitor(doc, migrate.Options{From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="utf-8"?>
<widget id="com.example.notes" version="1.0.0" xmlns="http://www.w3.org/ns/widgets">
    <name>Notes &amp; more</name>
    <content src="index.html"/>
    <access origin="https://api.example.com"/>
    <allow-intent href="*"/>
    <allow-navigation href="https://login.example.com/*"/>
    <allow-navigation href="http://login.example.com/*"/>
    <allow-navigation href="https://*.pay.example/*"/>
    <allow-navigation href="http://*.pay.example/*"/>
    <preference name="Fullscreen" value="true"/>
    <platform name="android">
        <preference name="Scheme" value="https"/>
        <preference name="hostname" value="notes.example"/>
    </platform>
    <platform name="ios">
        <preference name="scheme" value="capacitor"/>
        <preference name="hostname" value="notes.example"/>
    </platform>
</widget>
`
	if string(result.Data) != want {
		t.Errorf("config.xml:\n%s\nwant:\n%s", result.Data, want)
	}
	pair := result.Report.Pairs[0]
	for url, verdicts := range map[string][2]policy.Verdict{
		"https://login.example.com/x":  {policy.Allow, policy.Allow},
		"https://eu.pay.example/x":     {policy.Allow, policy.Allow},
		"https://a.b.pay.example/x":    {policy.Launch, policy.Allow}, // which is said
		"https://a.x.example/":         {policy.Allow, policy.Launch}, // and so is this
		"https://evil.example/":        {policy.Launch, policy.Launch},
		"https://notes.example/a.html": {policy.Allow, policy.Allow},
	} {
		r := policy.Request{URL: url, Kind: policy.Navigation}
		got := [2]policy.Verdict{pair.Old.Decide(r).Verdict, pair.New.Decide(r).Verdict}
		if got != verdicts {
			t.Errorf("%s: %v, want %v", url, got, verdicts)
		}
	}
	var noted []string
	for _, n := range result.Notes {
		noted = append(noted, n.Text)
	}
	if want := []string{"*.pay.example", "a.*.example", "Capacitor"}; !slices.Equal(noted, want) {
		t.Errorf("notes about %q, want %q", noted, want)
	}
	if result.Lossless() {
		t.Error("what differs must be reported")
	}
}

// A target that cannot be meant is an error with the remedy.
func TestFromCapacitorRefuses(t *testing.T) {
	config, err := capacitor.Read("capacitor.config.json", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	doc := configxml.Effective(config.File, nil, configxml.Additions{Capacitor: config})
	for _, test := range []struct{ from, to, want string }{
		{"android", "ios", "--from must be capacitor-android or capacitor-ios"},
		{"capacitor-android", migrate.Capacitor, "--to must be a platform of Cordova"},
		{"capacitor-android", "capacitor-ios", "--to must be a platform of Cordova"},
	} {
		_, err := migrate.FromCapacitor(doc, migrate.Options{From: policy.Target{Platform: test.from},
			To: policy.Target{Platform: test.to}})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test, err)
		}
	}
	alone, err := configxml.Parse("config.xml", []byte("<widget/>"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = migrate.FromCapacitor(alone, migrate.Options{From: policy.Target{Platform: "capacitor-android"},
		To: policy.Target{Platform: "android"}})
	if err == nil || !strings.Contains(err.Error(), "no Capacitor configuration beside it") {
		t.Error(err)
	}
}
