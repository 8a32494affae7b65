package lint_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func files(pairs ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

// TestTransportSecurityByVersion: cordova-ios derives App Transport Security from
// the list since 4.0.1, reads what narrows it since 4.3.0, and stops at what is no
// URL since 6.3.0.
func TestTransportSecurityByVersion(t *testing.T) {
	const (
		off      = "ats-disabled"
		external = "launch-external-cleartext"
		nothing  = "entry-without-effect"
		fails    = "prepare-fails"
	)
	const anywhere = `<access origin="*"/>`
	const narrowed = `<access origin="*" allows-local-networking="true"/>`
	const outside = `<access origin="http://pics.example.org" launch-external="yes"/>`
	const secure = `<access origin="https://pics.example.org" launch-external="yes"/>`
	const wild = `<allow-navigation href="*.example.org"/>`
	for _, test := range []struct {
		version, entry, rule string
		want                 bool
	}{
		{"4.0.0", anywhere, off, false}, {"4.0.1", anywhere, off, true}, {"6.2.0", anywhere, off, true},
		{"6.3.0", anywhere, off, true}, {"4.2.1", narrowed, off, true}, {"4.3.0", narrowed, off, false},
		{"4.0.0", outside, external, false}, {"4.0.1", outside, external, true}, {"6.2.0", outside, external, true},
		{"4.0.0", outside, nothing, true}, {"6.2.0", outside, nothing, false}, {"8.1.1", outside, nothing, false},
		{"6.2.0", secure, nothing, true}, {"6.2.0", secure, external, false},
		{"6.2.0", wild, fails, false}, {"6.3.0", wild, fails, true},
	} {
		_, report := check(t, config(test.entry+`<engine name="ios" spec="`+test.version+`"/>`))
		if got := len(of(report, test.rule)) > 0; got != test.want {
			t.Errorf("%s on %s: %s is %t, want %t", test.entry, test.version, test.rule, got, test.want)
		}
	}
}

// TestGeneratedFilesRepeatNothing: what Cordova's tools wrote is told where it
// comes from, and in the written file only if it is in no other place.
func TestGeneratedFilesRepeatNothing(t *testing.T) {
	const manifest = `<manifest xmlns:android="http://schemas.android.com/apk/res/android">
		<application android:usesCleartextTraffic="true" android:debuggable="true"/></manifest>`
	_, report := check(t, files(
		"config.xml", `<widget><access origin="*"/><platform name="android"><edit-config file="AndroidManifest.xml"
			mode="merge" target="/manifest/application"><application android:usesCleartextTraffic="true"/></edit-config>
			</platform><platform name="ios"/></widget>`,
		"platforms/android/app/src/main/AndroidManifest.xml", manifest,
		"platforms/ios/App/App-Info.plist", `<plist><dict><key>NSAppTransportSecurity</key><dict>
			<key>NSAllowsArbitraryLoads</key><true/></dict></dict></plist>`,
	))
	var got []string
	for _, id := range []string{"manifest-cleartext", "manifest-debuggable", "ats-disabled", "ats-arbitrary-loads"} {
		for _, f := range of(report, id) {
			got = append(got, id+" "+f.Place.File)
		}
	}
	want := []string{"manifest-cleartext config.xml",
		"manifest-debuggable platforms/android/app/src/main/AndroidManifest.xml", "ats-disabled config.xml"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPluginsNativeSettings: a finding about what a plugin brings stands in its
// plugin.xml, and fix leaves that file alone.
func TestPluginsNativeSettings(t *testing.T) {
	const plugin = `<plugin id="cordova-plugin-x">
<platform name="android"><edit-config file="AndroidManifest.xml" mode="merge" target="/manifest/application">
<application android:usesCleartextTraffic="true"/></edit-config></platform>
<platform name="ios"><config-file target="*-Info.plist" parent="NSAppTransportSecurity">
<dict><key>NSAllowsArbitraryLoads</key><true/></dict></config-file></platform></plugin>`
	_, report := check(t, files("config.xml", "<widget/>", "plugins/cordova-plugin-x/plugin.xml", plugin))
	want := "plugins/cordova-plugin-x/plugin.xml:3:14: medium: " +
		"android:usesCleartextTraffic allows cleartext to every host\n" +
		"plugins/cordova-plugin-x/plugin.xml:5:7: high: NSAllowsArbitraryLoads switches App Transport Security off\n"
	got := lines(append(of(report, "manifest-cleartext"), of(report, "ats-arbitrary-loads")...))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestNarrowerKeyTakesTheWideOneBack: iOS 10 and later ignore
// NSAllowsArbitraryLoads beside any of the narrower keys.
func TestNarrowerKeyTakesTheWideOneBack(t *testing.T) {
	_, report := check(t, files("config.xml", "<widget/>", "ios/App/App/Info.plist", `<plist><dict>
		<key>NSAppTransportSecurity</key><dict><key>NSAllowsArbitraryLoads</key><true/>
		<key>NSAllowsLocalNetworking</key><false/></dict></dict></plist>`))
	if found := of(report, "ats-arbitrary-loads"); len(found) > 0 {
		t.Error(lines(found))
	}
}

// TestNamedSecurityConfiguration: the configuration that the manifest names counts,
// another one does not; a name that leads nowhere is said.
func TestNamedSecurityConfiguration(t *testing.T) {
	const open = `<network-security-config><base-config cleartextTrafficPermitted="true"/></network-security-config>`
	project := files("capacitor.config.json", "{}", "android/app/src/main/res/xml/net.xml", open,
		"android/app/src/main/res/xml/other.xml", open)
	manifest := func(name string) {
		project["android/app/src/main/AndroidManifest.xml"] = &fstest.MapFile{Data: []byte(
			`<manifest xmlns:android="http://schemas.android.com/apk/res/android"><application
				android:networkSecurityConfig="@xml/` + name + `"/></manifest>`)}
	}
	manifest("net")
	_, report := check(t, project)
	if found := of(report, "nsc-cleartext-base"); len(found) != 1 ||
		!strings.HasSuffix(found[0].Place.File, "/net.xml") {
		t.Error(lines(found))
	}
	manifest("gone")
	_, report = check(t, project)
	want := "android/app/src/main/AndroidManifest.xml:2:5: low: @xml/gone was not found, so nothing is known of it\n"
	if got := lines(of(report, "nsc-not-read")); got != want || len(of(report, "nsc-cleartext-base")) > 0 {
		t.Errorf("%s", lines(report.Findings))
	}
}
