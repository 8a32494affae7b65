package answer_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cordon-sec/cordon/plugin/engine/answer"
)

func widget(body string) []byte {
	return []byte("<widget xmlns:cordon=\"urn:cordon:1\" id=\"a.b\" version=\"1.0.0\">\n" + body + "\n</widget>\n")
}

func TestFolder(t *testing.T) {
	f := answer.NewFolder(map[string][]byte{"config.xml": []byte("x"), "www/index.html": nil,
		"www/js/app.js": []byte("y"), "../out": nil, "/abs": nil, ".": nil})
	if err := fstest.TestFS(f, "config.xml", "www/index.html", "www/js/app.js"); err != nil {
		t.Error(err)
	}
}

// What a newer rule set finds is told, and stops nothing before it is chosen.
func TestRuleSets(t *testing.T) {
	for _, test := range []struct {
		preference string
		stops      bool
	}{{"", false}, {`<preference name="CordonRules" value="1"/>`, false},
		{`<preference name="CordonRules" value="2"/>`, true}} {
		got, err := answer.Check(answer.NewFolder(map[string][]byte{
			"config.xml": widget(test.preference + `<plugin name="cordova-plugin-advanced-http"/>`),
			"www/app.js": []byte(`cordova.plugin.http.setServerTrustMode("pinned", go)`),
		}), answer.Question{})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(
			got.Findings,
			func(f answer.Finding) bool { return f.Rule == "pinned-without-certificate" },
		)
		if i < 0 || got.Findings[i].Stops != test.stops {
			t.Errorf("%s: %+v", test.preference, got.Findings)
		}
	}
	for _, value := range []string{"0", "3", "all"} {
		_, err := answer.Check(answer.NewFolder(map[string][]byte{
			"config.xml": widget(`<preference name="CordonRules" value="` + value + `"/>`)}), answer.Question{})
		if err == nil || !strings.Contains(err.Error(), "CordonRules: it must be a rule set from 1 to 2") {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestCheck(t *testing.T) {
	catchAll := widget(`<engine name="android" spec="15.1.0"/><access origin="*"/>`)
	for name, test := range map[string]struct {
		config   []byte
		question answer.Question
		rule     string
		stops    bool
	}{
		"stops at high":      {catchAll, answer.Question{}, "access-catch-all", true},
		"asked for critical": {catchAll, answer.Question{FailOn: "critical"}, "access-catch-all", false},
		"asked for never":    {catchAll, answer.Question{FailOn: "never"}, "access-catch-all", false},
		"preference": {widget(`<preference name="CordonFailOn" value="critical"/><access origin="*"/>`),
			answer.Question{}, "access-catch-all", false},
		"not readable": {[]byte("<widget><a></widget>"), answer.Question{FailOn: "never"},
			"config-not-read", true},
		"the time is in the request": {widget(`<cordon:pin host="a.example" ` +
			`sha256="C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=" expires="2020-01-01"/>`),
			answer.Question{Now: 1.7e9}, "pin-expired", true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := answer.Check(answer.NewFolder(map[string][]byte{"config.xml": test.config}), test.question)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(got.Findings, func(f answer.Finding) bool { return f.Rule == test.rule })
			if i < 0 || got.Findings[i].Stops != test.stops || got.Findings[i].Line == 0 ||
				got.Findings[i].Message == "" {
				t.Errorf("%+v", got.Findings)
			}
		})
	}
	if _, err := answer.Check(answer.NewFolder(map[string][]byte{"config.xml": catchAll}),
		answer.Question{FailOn: "loud"}); err == nil {
		t.Error("a level that does not exist is taken")
	}
	if _, err := answer.Check(answer.NewFolder(nil), answer.Question{}); err == nil {
		t.Error("a folder without a config.xml is checked")
	}
}

const page = `<!doctype html><html><head><meta http-equiv="Content-Security-Policy" content="default-src ` +
	`*"></head></html>`

func prepared(config []byte) map[string][]byte {
	android := "platforms/android/app/src/main/"
	return map[string][]byte{
		"config.xml": config,
		android + "AndroidManifest.xml": []byte(`<manifest xmlns:android="x"><application android:icon="i" ` +
			`android:theme="t"/></manifest>`),
		android + "assets/www/index.html":                                    []byte(page),
		android + "assets/www/plugins/cordova-plugin-cordon/www/settings.js": []byte("old"),
		"platforms/ios/www/index.html":                                       []byte(page),
		"platforms/ios/App/App-Info.plist": []byte("<plist version=\"1.0\">\n" +
			"<dict>\n\t<key>A</key>\n\t<string>b</string>\n</dict>\n</plist>\n"),
		"platforms/browser/www/sub/page.html": []byte(page),
		"ios/App/App/public/index.html":       []byte(page),
		"ios/App/App/Info.plist": []byte("<plist version=\"1.0\">\n<dict>\n\t<key>A</key>\n" +
			"\t<string>b</string>\n</dict>\n</plist>\n"),
	}
}

// Every platform gets what concerns it, and a second time there is nothing to
// do, whatever the preferences.
func TestExports(t *testing.T) {
	for name, test := range map[string]struct {
		preferences string
		want        []string
		engines     int
	}{
		"usual": {"", []string{
			"ios/App/App/Info.plist", "ios/App/App/public/index.html",
			"platforms/android/app/src/main/AndroidManifest.xml",
			"platforms/android/app/src/main/assets/www/index.html",
			"platforms/android/app/src/main/assets/www/plugins/cordova-plugin-cordon/www/settings.js",
			"platforms/android/app/src/main/res/xml/network_security_config.xml", "platforms/browser/www/sub/page.html",
			"platforms/ios/App/App-Info.plist", "platforms/ios/www/index.html",
		}, 1},
		"csp alone": {`<preference name="CordonExports" value="csp"/><preference name="CordonExplain" value="never"/>`,
			[]string{
				"ios/App/App/public/index.html", "platforms/android/app/src/main/assets/www/index.html",
				"platforms/android/app/src/main/assets/www/plugins/cordova-plugin-cordon/www/settings.js",
				"platforms/browser/www/sub/page.html", "platforms/ios/www/index.html",
			}, 0},
		"none": {`<preference name="CordonExports" value="none"/>`,
			[]string{"platforms/android/app/src/main/assets/www/plugins/cordova-plugin-cordon/www/settings.js"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			files := prepared(widget(test.preferences + `<access origin="https://api.example"/>`))
			got, err := answer.Exports(answer.NewFolder(files), answer.Question{})
			if err != nil {
				t.Fatal(err)
			}
			after := maps.Clone(files)
			var names []string
			for _, c := range got.Changes {
				names = append(names, c.Name)
				after[c.Name] = c.Content
			}
			slices.Sort(names)
			if !slices.Equal(names, test.want) || len(got.Engines) != test.engines {
				t.Errorf("changed %q, engines %q", names, got.Engines)
			}
			again, err := answer.Exports(answer.NewFolder(after), answer.Question{})
			if err != nil || len(again.Changes) != 0 {
				t.Errorf("a second time: %v, %d changes", err, len(again.Changes))
			}
		})
	}
}

func TestExportsRefuse(t *testing.T) {
	owned := prepared(widget(""))
	owned["platforms/android/app/src/main/res/xml/network_security_config.xml"] = []byte("<network-security-config/>")
	named := prepared(widget(""))
	named["platforms/android/app/src/main/AndroidManifest.xml"] = []byte(`<manifest xmlns:android="x"><application ` +
		`android:networkSecurityConfig="@xml/mine"/></manifest>`)
	for name, test := range map[string]struct {
		files map[string][]byte
		want  string
	}{
		"a person's file":      {owned, "CordonForce"},
		"a person's attribute": {named, "CordonForce"},
		"a pin":                {prepared(widget(`<cordon:pin host="a.example" sha256="short"/>`)), `"line":2`},
		"a format": {prepared(widget(`<preference name="CordonExports" value="squid"/>`)),
			"the format of a prepared platform must be"},
		"a config":  {prepared([]byte("<widget>")), `"file":"config.xml"`},
		"no config": {map[string][]byte{}, "no config.xml"},
	} {
		t.Run(name, func(t *testing.T) {
			got := string(answer.Encode(answer.Exports(answer.NewFolder(test.files), answer.Question{})))
			if !strings.Contains(got, `{"error":`) || !strings.Contains(got, test.want) {
				t.Errorf("%s", got)
			}
		})
	}
}

// The app gets the list and nothing else of the file, each line at its place.
func TestSettings(t *testing.T) {
	config := widget("<preference name=\"Secret\" value=\"s3cret\"/>\n" +
		"<access origin=\"https://a.example/?a&amp;b\"/>\n\n" +
		"<platform name=\"ios\"><access origin=\"https://ios.example\"/></platform>\n" +
		"<allow-navigation href='https://n.example'/>\n" +
		`<cordon:pin host="a.example" subdomains="true" sha256="C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=" ` +
		`expires="2099-01-01"/>`)
	got, err := answer.Exports(answer.NewFolder(prepared(config)), answer.Question{Build: "debug"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Changes {
		_, module, ok := strings.Cut(string(c.Content), "module.exports = ")
		if !ok {
			continue
		}
		var s answer.Settings
		if err := json.Unmarshal([]byte(strings.TrimSuffix(module, ";\n});\n")), &s); err != nil {
			t.Fatal(err)
		}
		want := "<widget>\n\n<access origin=\"https://a.example/?a&amp;b\"/>\n\n\n" +
			"<allow-navigation href=\"https://n.example\"/></widget>"
		if s.Config != want || s.Platform != "android" || !s.Debug || !s.Explain || s.Enforced != "native" {
			t.Errorf("%+v", s)
		}
		if len(s.Pins) != 1 || s.Pins[0] !=
			(answer.PinnedHost{Host: "a.example", Subdomains: true, Expires: "2099-01-01"}) {
			t.Errorf("%+v", s.Pins)
		}
		return
	}
	t.Error("no settings are written")
}

// What Capacitor evaluated says where the platforms stand, whatever code the
// configuration is.
func TestFolders(t *testing.T) {
	computed := []byte(`export default { appId: "a.b", android: { path: folder() }, ios: apple }`)
	for name, test := range map[string]struct {
		config  string
		content []byte
		folders map[string]string
		want    []string
	}{
		"computed": {"capacitor.config.ts", computed, map[string]string{"android": "native/droid", "ios": "apple"},
			[]string{"apple/App/App/public/index.html", "native/droid/app/src/main/assets/public/index.html"}},
		"not evaluated": {"capacitor.config.json", []byte(`{"android": {"path": "native/droid"}}`), nil,
			[]string{"native/droid/app/src/main/assets/public/index.html"}},
		"left by a change": {"capacitor.config.json", []byte(`{"android": {"path": "native/droid"}}`),
			map[string]string{"android": "android", "ios": "ios"}, nil},
		"out of reach": {"capacitor.config.ts", computed,
			map[string]string{"android": "../native/droid", "ios": "/apple"},
			nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := answer.Exports(answer.NewFolder(map[string][]byte{
				"config.xml": widget(`<preference name="CordonExports" value="csp"/>`), test.config: test.content,
				"native/droid/app/src/main/assets/public/index.html": []byte(page),
				"apple/App/App/public/index.html":                    []byte(page),
			}), answer.Question{Folders: test.folders})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, c := range got.Changes {
				names = append(names, c.Name)
			}
			slices.Sort(names)
			if !slices.Equal(names, test.want) {
				t.Errorf("changed %q, want %q", names, test.want)
			}
		})
	}
}
