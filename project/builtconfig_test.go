package project_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/project"
)

// What only a built config.xml lets in is not known to be kept out: not for the
// platform that was built, whether the pages are read or not.
func TestBuiltEntryIsUnknown(t *testing.T) {
	const built = "platforms/android/app/src/main/res/xml/config.xml"
	files := fstest.MapFS{
		"config.xml": {Data: []byte(`<widget><access origin="https://a.example"/></widget>`)},
		built: {Data: []byte("<widget>\n<access origin=\"https://a.example\"/>\n" +
			"<allow-navigation href=\"https://*.left.example/*\"/>\n</widget>")},
	}
	ships, err := project.ReadShips(files, project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := project.Read(files, project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `<allow-navigation> "https://*.left.example/*" stands in the built file ` + built +
		":3 and nowhere in the project"
	for _, doc := range []*configxml.Document{ships.Effective, whole.Effective} {
		unknown := doc.Unknown("android")
		if len(unknown) != 1 || unknown[0].What != want || unknown[0].Place.Line != 3 {
			t.Errorf("got %+v, want %s", unknown, want)
		}
		if other := doc.Unknown("ios"); len(other) > 0 {
			t.Errorf("ios: %+v", other)
		}
		if entries := doc.For("android"); len(entries) != 1 || !doc.Owns(entries[0]) {
			t.Errorf("the document itself was changed: %v", entries)
		}
	}
}

// A class of plugins that only the built file names may be called by pages, and is said.
// The platform's own classes are no plugins.
func TestBuiltFeatureIsAPlugin(t *testing.T) {
	const built = "platforms/ios/Notes/config.xml"
	const app = `<widget><allow-navigation href="https://a.example/*"/>%s</widget>`
	list := fmt.Sprintf(app, "")
	feature := func(name, class string) string {
		return fmt.Sprintf(app, `<feature name="`+name+`"><param name="ios-package" value="`+class+`"/></feature>`)
	}
	for name, test := range map[string]struct {
		files   []string
		unknown int
	}{
		"nothing else":   {[]string{built, list}, 0},
		"the platform's": {[]string{built, feature("GestureHandler", "CDVGestureHandler")}, 0},
		"a plugin's":     {[]string{built, feature("Camera", "CDVCamera")}, 1},
		"another class":  {[]string{built, feature("GestureHandler", "Evil")}, 1},
		"without class":  {[]string{built, fmt.Sprintf(app, `<feature name="Camera"/>`)}, 1},
		"of a plugin that is not there": {[]string{built, feature("Camera", "CDVCamera"), "package.json",
			`{"dependencies": {"cordova-plugin-camera": "8.0.0"}}`}, 0},
		"cannot be read": {[]string{built, "<widget>"}, 1},
	} {
		p := reads(t, append([]string{"config.xml", list}, test.files...)...)
		if unknown := p.Ships().Unknown("ios"); len(unknown) != test.unknown {
			t.Errorf("%s: unknown %v", name, unknown)
		}
	}
}

// One that brings another web view changes who may call native code from frames.
func TestBuiltFeatureOfAWebView(t *testing.T) {
	const list, built = "<widget/>", `<widget><feature name="CDVWKWebViewEngine"><param name="ios-package" ` +
		`value="CDVWKWebViewEngine"/></feature></widget>`
	for text, want := range map[string]policy.Verdict{list: policy.Block, built: policy.Allow} {
		p := reads(t, "config.xml", list, "platforms/ios/Notes/config.xml", text, "package.json",
			`{"dependencies": {"cordova-plugin-camera": "8.0.0"}}`)
		compiled, err := dialect.Compile(p.Ships(), policy.Target{Platform: "ios", Version: policy.Version{Major: 5}})
		if err != nil {
			t.Fatal(err)
		}
		d := compiled.Decide(policy.Request{URL: "https://a.example/", Kind: policy.BridgeFrame})
		if d.Verdict != want {
			t.Errorf("with %s: %s, want %s", text, d.Verdict, want)
		}
	}
}

// A preference of the app's own origin that only the built file has decides what the
// built app takes for its own.
func TestBuiltPreferenceIsUnknown(t *testing.T) {
	const built = "platforms/android/app/src/main/res/xml/config.xml"
	for body, want := range map[string]string{
		`<preference name="hostname" value="cdn.example.com"/>`: `<preference> "hostname" with the value ` +
			`"cdn.example.com" stands in the built file ` + built + ":1 and nowhere in the project",
		`<preference name="Scheme" value="http"/>`: `<preference> "Scheme" with the value "http" stands in the ` +
			"built file " + built + ":1 and nowhere in the project",
		`<preference name="CordovaWebViewEngine" value="CDVWKWebViewEngine"/>`: `<preference> "CordovaWebViewEngine" ` +
			`with the value "CDVWKWebViewEngine" stands in the built file ` + built + ":1 and nowhere in the project",
		`<preference name="CordovaWebViewEngine" value="CDVWebViewEngine"/>`:                                   "",
		`<preference name="hostname" value="a.example"/>`:                                                      "",
		`<preference name="hostname" value="cdn.example.com"/><preference name="HostName" value="a.example"/>`: "",
		`<preference name="Fullscreen" value="true"/>`:                                                         "",
		`<platform name="ios"><preference name="hostname" value="cdn.example.com"/></platform>`:                "",
		`<preference name="hostname" value="a.example"/><platform name="android">` +
			`<preference name="hostname" value="b.example"/></platform>`: `<preference> "hostname" with the value ` +
			`"b.example" stands in the built file ` + built + ":1 and nowhere in the project",
	} {
		p := reads(t, "config.xml", `<widget><preference name="hostname" value="a.example"/></widget>`, built,
			"<widget>"+body+"</widget>")
		got := ""
		for _, u := range p.Ships().Unknown("android") {
			got += u.What
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
		if other := p.Ships().Unknown("ios"); len(other) > 0 {
			t.Errorf("%s: ios: %v", body, other)
		}
	}
}

// The engine that a plugin brings which is known without its plugin.xml is the plugin's.
func TestBuiltEngineOfAKnownPlugin(t *testing.T) {
	const built = `<widget><preference name="CordovaWebViewEngine" value="CDVWKWebViewEngine"/></widget>`
	for plugin, want := range map[string]int{"cordova-plugin-wkwebview-engine@1.2.2": 0,
		"cordova-plugin-ionic-webview@1.2.1": 0, "cordova-plugin-ionic-webview@2.5.3": 0,
		"cordova-plugin-ionic-webview@5.0.1": 0, "cordova-plugin-camera@8.0.0": 1} {
		id, version, _ := strings.Cut(plugin, "@")
		p := reads(t, "config.xml", `<widget><plugin name="`+id+`" spec="`+version+`"/></widget>`,
			"platforms/ios/Notes/config.xml", built)
		if unknown := p.Ships().Unknown("ios"); len(unknown) != want {
			t.Errorf("%s: %v", plugin, unknown)
		}
	}
}

// Of very many entries that only a built file has the first are told, and how many more
// there are.
func TestBuiltFileOfManyEntries(t *testing.T) {
	const built, many = "platforms/android/app/src/main/res/xml/config.xml", 2500
	var text strings.Builder
	text.WriteString("<widget>\n")
	for i := range many {
		fmt.Fprintf(&text, "<access origin=\"https://h%d.example\"/>\n", i)
	}
	text.WriteString("</widget>")
	p := reads(t, "config.xml", widget, built, text.String())
	unknown := p.Ships().Unknown("android")
	if len(unknown) != 11 || len(p.Built[0].Extra) != 1000 || p.Built[0].More != 1500 {
		t.Fatalf("%d unknown, %d entries and %d more", len(unknown), len(p.Built[0].Extra), p.Built[0].More)
	}
	const want = "2490 more entries stand in the built file " + built + " and nowhere in the project"
	if got := unknown[10]; got.What != want || got.Place.Line != 12 {
		t.Errorf("%+v, want %s", got, want)
	}
	found, err := lint.Check(p)
	if err != nil {
		t.Fatal(err)
	}
	told, rest := 0, ""
	for i := range found.Findings {
		f := &found.Findings[i]
		switch {
		case !strings.HasPrefix(f.Rule.ID, "built-config-"):
		case strings.Contains(f.Message, " more entries "):
			rest += f.Rule.ID + ": " + f.Message
		default:
			told++
		}
	}
	const more = "built-config-wider: 1500 more entries stand in the built file and nowhere in the project, which " +
		"were not looked at"
	if told != 1000 || rest != more {
		t.Errorf("%d findings, and %q", told, rest)
	}
}
