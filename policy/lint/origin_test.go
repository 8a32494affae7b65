package lint_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/google/go-cmp/cmp"
)

// The web view of the plugin serves an app over http unless it is told otherwise,
// and its own addresses are no development hosts.
func TestIonicWebViewServesOverHTTP(t *testing.T) {
	const plugin = `<widget><engine name="android" spec="9.1.0"/><engine name="ios" spec="6.2.0"/>
<plugin name="cordova-plugin-ionic-webview" spec="5.0.1"/>
<allow-navigation href="http://localhost/*"/>`
	_, found := check(t, fstest.MapFS{"config.xml": {Data: []byte(plugin + "</widget>")}})
	const want = "config.xml:2:1: medium: cordova-plugin-ionic-webview serves the app's own pages from " +
		"http://localhost unless <preference name=\"Scheme\" value=\"https\"/> says otherwise\n"
	if diff := cmp.Diff(want, lines(of(found, "cleartext-app-scheme"))); diff != "" {
		t.Error(diff)
	}
	if list := of(found, "development-host"); len(list) > 0 {
		t.Errorf("the app's own origin is a development host:\n%s", lines(list))
	}
	_, found = check(t, fstest.MapFS{"config.xml": {Data: []byte(plugin +
		`<preference name="Scheme" value="https"/></widget>`)}})
	if list := of(found, "cleartext-app-scheme"); len(list) > 0 {
		t.Errorf("with Scheme=https:\n%s", lines(list))
	}
}

// A request that is refused as mixed content on one target goes out on another.
func TestMixedContentIsOfSomeTargets(t *testing.T) {
	files := fstest.MapFS{
		"config.xml": {Data: []byte(`<widget><engine name="android" spec="12.0.1"/><engine name="ios" spec="6.2.0"/>
</widget>`)},
		"www/app.js":     {Data: []byte(`fetch("http://api.example.com/x")`)},
		"www/index.html": {Data: []byte(`<!doctype html><script src="app.js"></script>`)},
	}
	_, found := check(t, files)
	for id, want := range map[string]string{"mixed-content": "android@12.0.1", "source-cleartext-url": "ios@6.2.0"} {
		list := of(found, id)
		if len(list) != 1 || len(list[0].Targets) != 1 || list[0].Targets[0].String() != want {
			t.Errorf("%s: %+v, want one on %s", id, list, want)
		}
	}
	files["config.xml"] = &fstest.MapFile{Data: []byte(`<widget><engine name="android" spec="12.0.1"/></widget>`)}
	_, found = check(t, files)
	if list := of(found, "source-cleartext-url"); len(list) > 0 {
		t.Errorf("nothing is reached that Android refuses:\n%s", lines(list))
	}
	files["config.xml"] = &fstest.MapFile{Data: []byte(`<widget><engine name="android" spec="12.0.1"/>
<preference name="scheme" value="http"/></widget>`)}
	_, found = check(t, files)
	if len(of(found, "mixed-content")) > 0 || len(of(found, "source-cleartext-url")) != 1 {
		t.Errorf("from http://localhost it goes out:\n%s", lines(found.Findings))
	}
}

func TestHostsOfTheAppsOwnPages(t *testing.T) {
	for _, test := range []struct {
		host string
		real bool
	}{
		{"www.example.com", true}, {"App.Example.NET", true}, {"93.184.216.34", true}, {"localhost", false},
		{"app.localhost", false}, {"myapp", false}, {"app.invalid", false}, {"app.local", false},
		{"192.168.1.4", false},
	} {
		_, found := check(t, fstest.MapFS{"config.xml": {Data: []byte(`<widget><engine name="android" spec="12.0.1"/>
<preference name="hostname" value="` + test.host + `"/></widget>`)}})
		got := slices.ContainsFunc(lints(found), func(id string) bool { return id == "app-host-real" })
		if got != test.real {
			t.Errorf("%s: %v", test.host, got)
		}
	}
}

// lints are the ids of what was found.
func lints(report *lint.Report) []string {
	var ids []string
	for _, f := range report.Findings {
		ids = append(ids, f.Rule.ID)
	}
	return ids
}
