package project_test

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
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
