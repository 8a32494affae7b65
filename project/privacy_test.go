package project

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/privacy"
)

func appOf(t *testing.T, files map[string]string) (fstest.MapFS, *app.App) {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	read, err := Read(fsys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return fsys, read
}

const trackingNone = "<plist><dict><key>NSPrivacyTracking</key><false/></dict></plist>"

// Where privacy manifests stand, which of them count, and that what stands in
// config.xml has its place there.
func TestPrivacyManifests(t *testing.T) {
	_, read := appOf(t, map[string]string{
		"config.xml": "<widget>\n <privacy-manifest/>\n <platform name=\"ios\">\n  <resource-file src=\"res\\" +
			"PrivacyInfo.xcprivacy\" target=\"PrivacyInfo.xcprivacy\"/>\n  <privacy-manifest>\n" +
			"   <!-- é --><key>NSPrivacyTracking</key>\n   <string>NO</string>\n  </privacy-manifest>\n" +
			"  <privacy-manifest><key>A</key></privacy-manifest>\n </platform>\n</widget>",
		"PrivacyInfo.xcprivacy":                   "<plist><dict><key>A</key></dict></plist>",
		"res/PrivacyInfo.xcprivacy":               trackingNone,
		"ios/App/App/PrivacyInfo.xcprivacy":       trackingNone,
		"ios/App/PrivacyInfo.xcprivacy":           trackingNone,
		"ios/App/Pods/X/PrivacyInfo.xcprivacy":    trackingNone,
		"platforms/ios/App/PrivacyInfo.xcprivacy": trackingNone,
	})
	var got []string
	for _, m := range read.PrivacyManifests {
		says := "cannot be read: " + m.Wrong
		if m.Ignored != "" {
			says = "ignored: " + m.Ignored
		}
		if m.Value != nil {
			says = "read"
			for _, p := range privacy.Check(m.Value) {
				says += " " + p.Place.String() + ": " + p.Msg
			}
		}
		got = append(got, fmt.Sprint(m.Place, " ", m.Generated, " ", says))
	}
	want := []string{
		`config.xml:2:2 false ignored: it must stand directly inside <platform name="ios">`,
		"config.xml:5:3 false read config.xml:7:4: NSPrivacyTracking must be true or false",
		"config.xml:9:3 false ignored: cordova-ios takes the first one, and this is another",
		"res/PrivacyInfo.xcprivacy:1:1 false read",
		"ios/App/App/PrivacyInfo.xcprivacy:1:1 false read",
		"ios/App/PrivacyInfo.xcprivacy:1:1 false read",
		`PrivacyInfo.xcprivacy:1:14 false cannot be read: the key "A" has no value`,
		"platforms/ios/App/PrivacyInfo.xcprivacy:1:1 true read",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What plugins bring is read from their plugin.xml, their podspec, CocoaPods' lock file
// and the files of a framework.
func TestLibraries(t *testing.T) {
	_, read := appOf(t, map[string]string{
		"capacitor.config.json": `{"webDir":"www"}`,
		"package.json": `{"dependencies":{"@capacitor/core":"7.4.0","@x/push":"1.0.0","cordova-plugin-a":"2.0.0",` +
			`"left-pad":"1.0.0"}}`,
		"node_modules/@capacitor/ios/Capacitor.podspec": "  s.dependency 'Never'\n",
		"node_modules/@x/push/package.json":             `{"version":"1.0.2"}`,
		"node_modules/@x/push/XPush.podspec": "Pod::Spec.new do |s|\n  s.dependency 'Capacitor'\n" +
			"  s.dependency \"FirebaseMessaging\", '>= 8.0', '< 9'\n  # s.dependency 'Comment'\n" +
			"  s.dependency name\nend\n",
		"node_modules/cordova-plugin-a/plugin.xml": `<plugin id="cordova-plugin-a" version="2.0.0">` +
			`<platform name="ios"><podspec><pods><pod name="Firebase/Core" spec="~> 8.0"/></pods></podspec>` +
			`<framework src="OneSignal" type="podspec" spec="3.1.0"/><framework src="UIKit.framework"/>` +
			`<framework src="lib/Alamofire.xcframework" custom="true"/>` +
			`<framework src="lib/Gone.framework" custom="true"/></platform></plugin>`,
		"node_modules/cordova-plugin-a/lib/Alamofire.xcframework/a/PrivacyInfo.xcprivacy": trackingNone,
		"ios/App/Podfile.lock": "PODS:\n  - Firebase/Core (8.9.1):\n    - Firebase/CoreOnly\n" +
			"  - FirebaseMessaging (8.9.1):\n  - \"OneSignal (3.1.0)\"\n\nDEPENDENCIES:\n  - X (1)\n",
	})
	var got []string
	for _, l := range read.Libraries {
		got = append(got, fmt.Sprintf("%s %q %q %v %v by %s %s at %v", l.Name, l.Spec, l.Installed, l.Bundled,
			l.Manifest, l.Plugin, l.Version, l.Place))
	}
	const manifest = "node_modules/cordova-plugin-a/plugin.xml"
	want := []string{
		`Firebase/Core "~> 8.0" "8.9.1" false false by cordova-plugin-a 2.0.0 at ` + manifest + ":1:83",
		`OneSignal "3.1.0" "3.1.0" false false by cordova-plugin-a 2.0.0 at ` + manifest + ":1:141",
		`Alamofire "" "" true true by cordova-plugin-a 2.0.0 at ` + manifest + ":1:231",
		`Gone "" "" false false by cordova-plugin-a 2.0.0 at ` + manifest + ":1:289",
		`Capacitor "" "" false false by @x/push 1.0.2 at node_modules/@x/push/XPush.podspec:2:1`,
		`FirebaseMessaging ">= 8.0,< 9" "8.9.1" false false by @x/push 1.0.2 at node_modules/@x/push/XPush.podspec:3:1`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// placeTwice puts an export into a project twice, and returns the last change of the first
// time: the second one has nothing to do.
func placeTwice(t *testing.T, files map[string]string, format string, s func(*export.Source)) Change {
	t.Helper()
	var last Change
	for round := range 2 {
		fsys, read := appOf(t, files)
		e, _ := export.Find(format)
		source := export.NewSource(read.Ships(), nil)
		s(&source)
		changes, _, err := Place(fsys, read, source, e, round > 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if round > 0 && !c.Same() {
				t.Errorf("a second time %s became\n%s", c.Name, c.New)
			}
			if round == 0 {
				last = c
			}
			files[c.Name] = string(c.New)
		}
	}
	return last
}

// stays is a privacy manifest that says what is stated in its own words.
const stays = "<plist><dict><key>NSPrivacyTracking</key><true/><key>NSPrivacyTrackingDomains</key><array>" +
	"<string>B.example</string><string>a.example</string></array></dict></plist>"

func TestPlacePrivacyManifest(t *testing.T) {
	tracking := func(s *export.Source) { s.Tracking, s.Stated = []string{"ads.example.org"}, true }
	nothing := func(*export.Source) {}
	for name, test := range map[string]struct {
		files map[string]string
		set   func(*export.Source)
		file  string
		want  string
	}{
		"a new element in a new platform": {map[string]string{
			"config.xml": "<widget>\n    <access origin=\"*\"/>\n</widget>\n"}, nothing, "config.xml",
			"<widget>\n    <access origin=\"*\"/>\n    <platform name=\"ios\">\n" +
				"        <privacy-manifest>\n            <key>NSPrivacyTracking</key>\n            <false/>\n" +
				"        </privacy-manifest>\n    </platform>\n</widget>\n"},
		"a new element in a platform that is there": {map[string]string{
			"config.xml": "<widget>\n    <platform name=\"ios\">\n        <icon/>\n    </platform>\n</widget>\n"},
			nothing, "config.xml", "<widget>\n    <platform name=\"ios\">\n        <icon/>\n" +
				"        <privacy-manifest>\n            <key>NSPrivacyTracking</key>\n            <false/>\n" +
				"        </privacy-manifest>\n    </platform>\n</widget>\n"},
		"the element that is there": {map[string]string{"config.xml": "<widget>\n <platform name=\"ios\">\n" +
			"  <privacy-manifest>\n   <key>NSPrivacyTracking</key>\n   <true/>\n   <key>Other</key>\n   <array/>\n" +
			"  </privacy-manifest>\n </platform>\n</widget>\n"}, tracking, "config.xml", "<widget>\n <platform " +
			"name=\"ios\">\n  <privacy-manifest>\n   <key>NSPrivacyTracking</key>\n   <true/>\n   <key>Other</key>\n" +
			"   <array/>\n   <key>NSPrivacyTrackingDomains</key>\n   <array>\n   \t<string>ads.example.org</string>\n" +
			"   </array>\n  </privacy-manifest>\n </platform>\n</widget>\n"},
		"the file of Capacitor": {map[string]string{"capacitor.config.json": `{"webDir":"www"}`,
			"ios/App/App/PrivacyInfo.xcprivacy": "<plist>\n<dict>\n\t<key>NSPrivacyTracking</key>\n\t<true/>\n</dict>" +
				"\n</plist>\n"},
			nothing, "ios/App/App/PrivacyInfo.xcprivacy",
			"<plist>\n<dict>\n\t<key>NSPrivacyTracking</key>\n\t<true/>\n</dict>\n</plist>\n"},
		"domains that are stated in another order": {map[string]string{"capacitor.config.json": `{"webDir":"www"}`,
			"ios/App/App/PrivacyInfo.xcprivacy": stays},
			func(s *export.Source) { s.Tracking, s.Stated = []string{"a.example", "b.example"}, true },
			"ios/App/App/PrivacyInfo.xcprivacy", stays},
		"a folder of Capacitor's that is named": {map[string]string{
			"config.xml":            `<widget/>`,
			"capacitor.config.json": `{"webDir":"www","ios":{"path":"native/ios"}}`, "ios/App/App/Info.plist": "left",
			"native/ios/App/App/Info.plist": "<plist/>",
			"native/ios/App/App/PrivacyInfo.xcprivacy": "<plist>\n<dict>\n\t<key>A</key>\n\t<true/>\n" +
				"</dict>\n</plist>"},
			nothing, "native/ios/App/App/PrivacyInfo.xcprivacy", "<plist>\n<dict>\n\t<key>A</key>\n\t<true/>\n" +
				"\t<key>NSPrivacyTracking</key>\n\t<false/>\n</dict>\n</plist>"},
	} {
		t.Run(name, func(t *testing.T) {
			c := placeTwice(t, test.files, "privacy-manifest", test.set)
			if c.Name != test.file {
				t.Errorf("%s was changed", c.Name)
			}
			if diff := cmp.Diff(test.want, string(c.New)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// placeOnce puts an export into a project once.
func placeOnce(
	t *testing.T,
	files map[string]string,
	format string,
	s func(*export.Source),
	force bool,
) ([]Change, error) {
	t.Helper()
	fsys, read := appOf(t, files)
	e, _ := export.Find(format)
	source := export.NewSource(read.Ships(), nil)
	s(&source)
	changes, _, err := Place(fsys, read, source, e, force)
	return changes, err
}

// What a person stated of tracking is replaced by force alone, and only by something that
// is stated.
func TestPlacePrivacyManifestOfAPerson(t *testing.T) {
	const file = "ios/App/App/PrivacyInfo.xcprivacy"
	files := func(values string) map[string]string {
		return map[string]string{"capacitor.config.json": `{"webDir":"www"}`, file: "<plist><dict>" + values +
			"</dict></plist>"}
	}
	stated := func(s *export.Source) { s.Tracking, s.Stated = []string{"ads.example.org"}, true }
	const no = "<key>NSPrivacyTracking</key><false/>"
	const other = "<key>NSPrivacyTracking</key><true/><key>NSPrivacyTrackingDomains</key><array>" +
		"<string>x.example</string></array>"
	for values, what := range map[string]string{no: "NSPrivacyTracking", other: "NSPrivacyTrackingDomains"} {
		_, err := placeOnce(t, files(values), "privacy-manifest", stated, false)
		var owned *OwnedError
		if !errors.As(err, &owned) || owned.What != what || owned.Name != file {
			t.Errorf("%s: %v", values, err)
		}
		changes, err := placeOnce(t, files(values), "privacy-manifest", stated, true)
		if err != nil || len(changes) != 1 || !strings.Contains(string(changes[0].New), "<string>ads.example.org<") {
			t.Errorf("%s by force: %v %s", values, err, changes)
		}
		changes, err = placeOnce(t, files(values), "privacy-manifest", func(*export.Source) {}, true)
		if err != nil || strings.Contains(string(changes[0].New), "<true/>") != (values == other) {
			t.Errorf("%s, with nothing stated: %v %s", values, err, changes)
		}
	}
}

// Nothing of a Capacitor app reads config.xml: without its platform, or with one that is
// elsewhere, nothing is written there, and the message has the folder that was looked at.
func TestPlaceWithoutCapacitorPlatform(t *testing.T) {
	for config, want := range map[string]string{
		`{"webDir":"www"}`: "no ios/App/App/Info.plist: add the platform first (npx cap add ios)",
		`{"webDir":"www","ios":{"path":"native/ios"}}`: "no native/ios/App/App/Info.plist: add the platform first " +
			"(npx cap add ios)",
		`{"webDir":"www","ios":{"path":"../../ios"}}`: `capacitor.config.json:1:31: ios.path is "../../ios", which ` +
			`leads out of the project and its workspace: nothing is written there`,
	} {
		for _, format := range []string{"privacy-manifest", "ios-app-bound-domains"} {
			changes, err := placeOnce(
				t,
				map[string]string{"config.xml": "<widget></widget>", "capacitor.config.json": config,
					"platforms/ios/App/App-Info.plist": "<plist><dict><key>A</key><true/></dict></plist>"},
				format,
				func(*export.Source) {},
				false,
			)
			if err == nil || err.Error() != "export "+format+": "+want {
				t.Errorf("%s: %v %s", config, err, changes)
			}
		}
	}
	const plist = "native/ios/App/App/Info.plist"
	changes, err := placeOnce(t, map[string]string{"config.xml": "<widget/>",
		"capacitor.config.json": `{"ios":{"path":"native/ios"}}`,
		plist:                   "<plist><dict><key>A</key><true/></dict></plist>"}, "ios-app-bound-domains",
		func(s *export.Source) { s.Own = []string{"localhost"} }, false)
	if err != nil || len(changes) != 1 || changes[0].Name != plist {
		t.Errorf("%v %s", err, changes)
	}
}

func TestPlaceAppBound(t *testing.T) {
	const head = "<plist>\n<dict>\n\t<key>CFBundleName</key>\n\t<string>x</string>"
	files := func(more string) map[string]string {
		return map[string]string{"config.xml": `<widget><allow-navigation href="https://shop.example.org/*"/></widget>`,
			"platforms/ios/App/App-Info.plist": head + more + "\n</dict>\n</plist>\n"}
	}
	const array = "\n\t<key>WKAppBoundDomains</key>\n\t<array>\n\t\t<string>example.org</string>\n\t</array>"
	c := placeTwice(t, files(""), "ios-app-bound-domains", func(*export.Source) {})
	if diff := cmp.Diff(head+array+"\n</dict>\n</plist>\n", string(c.New)); diff != "" {
		t.Error(diff)
	}
	fsys, read := appOf(t, files("\n\t<key>WKAppBoundDomains</key>\n\t<array><string>mine.example</string></array>"))
	e, _ := export.Find("ios-app-bound-domains")
	_, _, err := Place(fsys, read, export.NewSource(read.Ships(), nil), e, false)
	var owned *OwnedError
	if !errors.As(err, &owned) || owned.What != "WKAppBoundDomains" {
		t.Errorf("a person's list: %v", err)
	}
	fsys, read = appOf(t, map[string]string{"config.xml": "<widget/>"})
	if _, _, err = Place(fsys, read, export.NewSource(read.Ships(), nil), e, false); err == nil ||
		!strings.Contains(err.Error(), "add the platform first") {
		t.Errorf("without the platform: %v", err)
	}
}
