package lint_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const androidSpace = `xmlns:android="http://schemas.android.com/apk/res/android"`

// ofCapacitor is a Capacitor project with an application element, and other files.
func ofCapacitor(application string, others ...string) []string {
	return append([]string{"capacitor.config.json", "{}", "www/index.html", "<p>",
		"android/app/src/main/AndroidManifest.xml", `<manifest ` + androidSpace + `>` + application + `</manifest>`},
		others...)
}

// told lists what a project's native files are told of: rules, severities and messages.
func told(t *testing.T, pairs []string, rules ...string) []string {
	t.Helper()
	_, report := check(t, files(pairs...))
	var list []string
	for _, f := range report.Findings {
		if slices.Contains(rules, f.Rule.ID) {
			list = append(list, f.Rule.ID+" "+f.Place.String()+": "+f.Message)
		}
	}
	return list
}

// TestReferencesInManifests: a reference is followed to every value that the project
// holds for it, the most open one is told, and one that is not there is not known.
func TestReferencesInManifests(t *testing.T) {
	const values = "android/app/src/main/res/values"
	bools := func(text string) string { return `<resources><bool name="clear">` + text + `</bool></resources>` }
	const at = "android/app/src/main/AndroidManifest.xml:1:83: "
	const cleartext = "manifest-cleartext " + at + "android:usesCleartextTraffic allows cleartext to every host; "
	const open = cleartext + "@bool/clear comes to true by "
	const unknown = "facts-unknown " + at + `android:usesCleartextTraffic is "@bool/clear", and `
	const alias = `<resources><item type="bool" name="clear">@bool/b</item><bool name="b">1</bool></resources>`
	for what, test := range map[string]struct {
		files []string
		want  string
	}{
		"closed": {[]string{values + "/bools.xml", bools("false")}, ""},
		"open":   {[]string{values + "/bools.xml", bools("true")}, open + values + "/bools.xml:1"},
		"newer devices": {[]string{values + "/a.xml", bools("false"), values + "-v24/b.xml", bools("true")},
			open + values + "-v24/b.xml:1"},
		"alias": {[]string{values + "/a.xml", alias}, cleartext + "@bool/clear comes to 1 by " + values + "/a.xml:1"},
		"flavour": {[]string{"android/app/src/free/res/values/x.xml", bools("true")},
			open + "android/app/src/free/res/values/x.xml:1"},
		"debug": {[]string{"android/app/src/debug/res/values/x.xml", bools("true"), values + "/a.xml", bools("false")},
			""},
		"script": {[]string{"android/app/build.gradle", "android {\n d { resValue 'bool', 'clear', 'true' }"},
			open + "android/app/build.gradle:2"},
		"gone": {nil, unknown + "@bool/clear is not among the app's own resources"},
		"unread": {[]string{values + "/a.xml", `<resources><bool name="clear">false</bool>`}, unknown + values +
			"/a.xml, which may give it another value, was not read: line 1: the element <resources> is never closed"},
	} {
		got := told(t, ofCapacitor(`<application android:usesCleartextTraffic="@bool/clear"/>`, test.files...),
			"manifest-cleartext", "facts-unknown")
		if all := strings.Join(got, "\n"); all != test.want {
			t.Errorf("%s: %s\nwant %s", what, all, test.want)
		}
	}
}

// TestPlaceholdersInManifests: what a script of Gradle writes out counts, in builds for
// release; what it computes, or does not say, is not known.
func TestPlaceholdersInManifests(t *testing.T) {
	const debuggable, unknown = "manifest-debuggable", "facts-unknown"
	for _, test := range [][2]string{
		{`android { defaultConfig { manifestPlaceholders = [debug: "true"] } }`, debuggable},
		{`android { defaultConfig { manifestPlaceholders = [debug: "false"] } }`, ""},
		{`android { defaultConfig { manifestPlaceholders = [debug: isDebug()] } }`, unknown},
		{`android { defaultConfig { manifestPlaceholders = [other: "true"] } }`, unknown},
		{`android { buildTypes { debug { manifestPlaceholders = [debug: "true"] } } }`, unknown},
		{"android { defaultConfig { manifestPlaceholders = [debug: 'true'] }\n" +
			"buildTypes { release { manifestPlaceholders = [debug: 'false'] } } }", ""},
		{"android { productFlavors { a { manifestPlaceholders.debug = 'false' }\n" +
			"b { manifestPlaceholders.debug = 'true' } } }", debuggable},
		{"", unknown},
	} {
		script, want := test[0], test[1]
		got := told(t, ofCapacitor(`<application android:debuggable="${debug}"/>`, "android/app/build.gradle", script),
			debuggable, unknown)
		id := ""
		for _, each := range got {
			each, _, _ = strings.Cut(each, " ")
			id += each
		}
		if id != want {
			t.Errorf("%s\n%q, want %q", script, got, want)
		}
	}
}

// TestPlaceholdersOfAppliedScripts: a script that another one applies is read, wherever in
// the project it stands; one that is not known makes what is found uncertain.
func TestPlaceholdersOfAppliedScripts(t *testing.T) {
	const debuggable, unknown = "manifest-debuggable", "facts-unknown"
	for apply, want := range map[string]string{
		`apply from: 'gradle/flavors.gradle'`:             debuggable,
		`apply(from = "../../config/flavors.gradle")`:     debuggable,
		`apply { from("gradle/flavors.gradle") }`:         debuggable,
		`apply from: "$rootDir/flavors.gradle"`:           unknown,
		`apply from: rootProject.file('flavors.gradle')`:  unknown,
		`apply from: 'https://a.example/flavors.gradle'`:  unknown,
		`apply from: '/etc/flavors.gradle'`:               unknown,
		`apply from: '../../../flavors.gradle'`:           unknown,
		`if (x) { apply from: 'not-there.gradle' }`:       "",
		`copy { from 'gradle/flavors.gradle' }`:           "",
		`apply plugin: 'x'; implementation from('x.aar')`: "",
	} {
		const flavors = `android.buildTypes.release.manifestPlaceholders = [debug: "true"]`
		got := told(t, ofCapacitor(`<application android:debuggable="${debug}"/>`, "android/app/build.gradle",
			`android { defaultConfig { manifestPlaceholders = [debug: "false"] } }`+"\n"+apply,
			"android/app/gradle/flavors.gradle", flavors, "config/flavors.gradle", flavors), debuggable, unknown)
		var ids []string
		for _, each := range got {
			id, _, _ := strings.Cut(each, " ")
			ids = append(ids, id)
		}
		if id := strings.Join(ids, " "); id != want {
			t.Errorf("%s\n%q, want %q", apply, got, want)
		}
	}
}

// TestNamedConfigurationByPlaceholder: the configurations that a placeholder may name
// count; where that is not known, all do.
func TestNamedConfigurationByPlaceholder(t *testing.T) {
	const nsc = `<network-security-config><base-config cleartextTrafficPermitted="true"/></network-security-config>`
	project := ofCapacitor(`<application android:networkSecurityConfig="${nsc}"/>`,
		"android/app/src/main/res/xml/open.xml", nsc, "android/app/src/main/res/xml/other.xml", nsc)
	got := told(t, project, "nsc-cleartext-base", "facts-unknown")
	want := []string{
		`facts-unknown android/app/src/main/AndroidManifest.xml:1:83: android:networkSecurityConfig is "${nsc}", and ` +
			"${nsc} is given no value that is written out",
		"nsc-cleartext-base android/app/src/main/res/xml/open.xml:1:39: base-config permits cleartext to every host",
		"nsc-cleartext-base android/app/src/main/res/xml/other.xml:1:39: base-config permits cleartext to every host",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = told(t, append(project, "android/app/build.gradle", `manifestPlaceholders = [nsc: "@xml/open"]`),
		"nsc-cleartext-base", "facts-unknown")
	if diff := cmp.Diff(want[1:2], got); diff != "" {
		t.Error(diff)
	}
}

// TestReferencesOfComponents: what other apps may use, and the schemes that are claimed,
// where references say so.
func TestReferencesOfComponents(t *testing.T) {
	project := ofCapacitor(`<application android:allowBackup="@bool/gone">
<service android:name="A" android:exported="@bool/on"/>
<service android:name="B" android:exported="@bool/gone"/>
<activity android:name="C" android:exported="false"><intent-filter>
<category android:name="android.intent.category.BROWSABLE"/><data android:scheme="@string/own"/>
<data android:scheme="${auth}"/></intent-filter></activity></application>`,
		"android/app/src/main/res/values/v.xml",
		`<resources><bool name="on">true</bool><string name="own">shelf</string></resources>`)
	got := told(t, project, "exported-component", "custom-scheme", "app-backup", "facts-unknown")
	const at, values = " android/app/src/main/AndroidManifest.xml:", "android/app/src/main/res/values/v.xml:1"
	want := []string{
		"app-backup" + at + "1:83: the app's data, its web storage and cookies included, may be backed up without " +
			`any rule: android:allowBackup is "@bool/gone", and @bool/gone is not among the app's own resources`,
		"exported-component" + at + `2:27: every app on the device can use the service "A"; @bool/on comes to true ` +
			"by " + values,
		"exported-component" + at + `3:27: every app on the device may be able to use the service "B": ` +
			`android:exported is "@bool/gone", and @bool/gone is not among the app's own resources`,
		"custom-scheme" + at + `5:67: every app and page can open "shelf:", and other apps can claim the scheme too; ` +
			"@string/own comes to shelf by " + values,
		"custom-scheme" + at + `6:7: every app and page can open the scheme that "${auth}" comes to, which is not ` +
			"known: ${auth} is given no value that is written out",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestBuildSettingsInInfo: build settings are looked up in every configuration but those
// for debugging.
func TestBuildSettingsInInfo(t *testing.T) {
	const plist = `<plist><dict><key>NSAppTransportSecurity</key><dict><key>NSAllowsArbitraryLoads</key>` +
		`<string>$(ATS)</string></dict></dict></plist>`
	const project = "ios/App/App.xcodeproj/project.pbxproj"
	settings := func(release, debug string) string {
		return "// !$*UTF8*$!\n{ objects = {\nA /* Release */ = { isa = XCBuildConfiguration; buildSettings = {\n" +
			release +
			"};\nname = Release; };\nB = { isa = XCBuildConfiguration; buildSettings = { " + debug +
			" }; name = Debug; };\n}; }"
	}
	const open = "ats-arbitrary-loads ios/App/App/Info.plist:1:53: NSAllowsArbitraryLoads switches App Transport " +
		"Security off; $(ATS) comes to YES by "
	const unknown = "facts-unknown ios/App/App/Info.plist:1:53: NSAllowsArbitraryLoads is $(ATS), and $(ATS) is " +
		"given no value that is written out"
	for what, test := range map[string]struct {
		files []string
		want  string
	}{
		"nowhere": {nil, unknown},
		"release": {[]string{project, settings("ATS = YES;\n", "")}, open + project + ":4"},
		"closed":  {[]string{project, settings("ATS = NO;\n", "ATS = YES;")}, ""},
		"debug":   {[]string{project, settings("", "ATS = YES;")}, unknown},
		"config": {[]string{"ios/App/Release.xcconfig", "// x\nATS[sdk=iphoneos*] = YES // on\n"},
			open + "ios/App/Release.xcconfig:2"},
		"debugger": {[]string{"ios/App/Debug.xcconfig", "ATS = YES\n"}, unknown},
		"included": {[]string{project, settings("ATS = NO;\n", ""), "ios/App/Release.xcconfig",
			"#include \"../../config/base-debug.xcconfig\"\n#include? \"Pods/a.xcconfig\"\n",
			"config/base-debug.xcconfig", "ATS = YES\n"}, open + "config/base-debug.xcconfig:1"},
		"included from outside": {[]string{project, settings("ATS = NO;\n", ""), "ios/App/Release.xcconfig",
			"#include \"../../../base.xcconfig\"\n"}, "facts-unknown ios/App/App/Info.plist:1:53: " +
			"NSAllowsArbitraryLoads is $(ATS), and ../base.xcconfig, which may give it another value, was not read: " +
			"ios/App/Release.xcconfig takes it in, and it stands outside the project and its workspace"},
		"damaged": {[]string{project, "{ objects = ", "ios/App/a.xcconfig", "ATS = NO\n"},
			"facts-unknown ios/App/App/Info.plist:1:53: NSAllowsArbitraryLoads is $(ATS), and " + project +
				", which may give it another value, was not read: it is not a project of Xcode"},
	} {
		got := told(t, append([]string{"capacitor.config.json", "{}", "www/index.html", "<p>",
			"ios/App/App/Info.plist", plist}, test.files...), "ats-arbitrary-loads", "facts-unknown")
		if all := strings.Join(got, "\n"); all != test.want {
			t.Errorf("%s: %s\nwant %s", what, all, test.want)
		}
	}
}

// TestPluginVariablesInNativeFiles: the project's value of a plugin's variable counts in
// native files as it does in the list, at the place where it stands in plugin.xml.
func TestPluginVariablesInNativeFiles(t *testing.T) {
	const plugin = `<plugin id="cordova-plugin-x" version="1.0.0">
<preference name="CLEAR"/><preference name="ATS" default="false"/>
<platform name="android"><edit-config file="AndroidManifest.xml" mode="merge" target="/manifest/application">
<application android:usesCleartextTraffic="$CLEAR"/></edit-config></platform>
<platform name="ios"><config-file target="*-Info.plist" parent="NSAppTransportSecurity">
<dict><key>NSAllowsArbitraryLoads</key><string>$ATS</string></dict></config-file></platform></plugin>`
	const at = "plugins/cordova-plugin-x/plugin.xml:"
	cleartext := "manifest-cleartext " + at + "4:14: android:usesCleartextTraffic allows cleartext to every host"
	for manifest, want := range map[string][]string{
		`{}`: {"facts-unknown " + at + `4:14: android:usesCleartextTraffic is "$CLEAR", and the variable CLEAR of ` +
			"the plugin cordova-plugin-x is given no value, and has no default"},
		`{"cordova": {"plugins": {"cordova-plugin-x": {"CLEAR": "false"}}}}`: nil,
		`{"cordova": {"plugins": {"cordova-plugin-x": {"CLEAR": true, "ATS": "YES"}}}}`: {cleartext,
			"ats-arbitrary-loads " + at + "6:7: NSAllowsArbitraryLoads switches App Transport Security off"},
		`{"cordova": {"plugins": {"cordova-plugin-x": {"CLEAR": "\"/>"}}}}`: {"facts-unknown " + at +
			`4:14: android:usesCleartextTraffic is "$CLEAR", and the value of the variable CLEAR of the plugin ` +
			"cordova-plugin-x has markup or a $ in it"},
	} {
		got := told(t, []string{"config.xml", "<widget/>", "www/index.html", "<p>", "package.json", manifest,
			"plugins/cordova-plugin-x/plugin.xml", plugin}, "manifest-cleartext", "ats-arbitrary-loads",
			"facts-unknown")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", manifest, diff)
		}
	}
}

// TestPluginVariablesBesideCapacitor: Capacitor puts in the defaults alone, so that what
// Cordova's tools would be given is not what ships, where both may build the app.
func TestPluginVariablesBesideCapacitor(t *testing.T) {
	const plugin = `<plugin id="p"><preference name="OPEN" default="true"/><platform name="android">
<edit-config file="AndroidManifest.xml" mode="merge" target="/manifest/application">
<application android:usesCleartextTraffic="$OPEN"/></edit-config></platform></plugin>`
	const at = "plugins/p/plugin.xml:3:14: "
	unknown := "facts-unknown " + at + `android:usesCleartextTraffic is "$OPEN", and the variable OPEN of the ` +
		"plugin p is given a value that Capacitor does not read: it takes the default"
	open := "manifest-cleartext " + at + "android:usesCleartextTraffic allows cleartext to every host"
	for given, want := range map[string][]string{"false": {unknown}, "true": {open}} {
		got := told(t, []string{"config.xml", `<widget><plugin name="p"><variable name="OPEN" value="` + given +
			`"/></plugin></widget>`, "capacitor.config.json", `{"webDir": "www"}`, "www/index.html", "<p>",
			"plugins/p/plugin.xml", plugin}, "manifest-cleartext", "facts-unknown")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", given, diff)
		}
	}
}

// TestPluginVariablesInSecurityConfigs: a variable without a value makes that unknown of a
// network security configuration in which it stands, and nothing else is said of it.
func TestPluginVariablesInSecurityConfigs(t *testing.T) {
	const plugin = `<plugin id="p"><preference name="API"/><platform name="android">
<config-file target="res/xml/network_security_config.xml" parent="/network-security-config">
<base-config cleartextTrafficPermitted="$API"><trust-anchors><certificates src="$API"/></trust-anchors></base-config>
<domain-config cleartextTrafficPermitted="true"><domain>$API</domain>
<domain includeSubdomains="$API">a.example</domain><domain>$API</domain>
<pin-set expiration="$API"><pin digest="SHA-256">$API</pin></pin-set>
</domain-config></config-file></platform></plugin>`
	project := func(manifest string) []string {
		return told(t, []string{"config.xml", "<widget/>", "www/index.html", "<p>", "package.json", manifest,
			"plugins/p/plugin.xml", plugin}, "nsc-cleartext-base", "nsc-cleartext-domain", "nsc-user-authorities",
			"nsc-invalid", "nsc-domain-useless", "nsc-pins-expired", "nsc-pin-backup", "facts-unknown")
	}
	const at = "facts-unknown plugins/p/plugin.xml:"
	const unset = " is $API, and the variable API of the plugin p is given no value, and has no default"
	want := []string{at + "3:1: cleartextTrafficPermitted" + unset, at + "3:62: the src of certificates" + unset,
		at + "4:49: a domain" + unset, at + "5:1: includeSubdomains" + unset,
		"nsc-cleartext-domain plugins/p/plugin.xml:5:1: cleartext is permitted to \"a.example\": the list does not " +
			"allow it at all", at + "5:52: a domain" + unset,
		at + "6:1: the expiration of a pin-set" + unset, at + "6:28: a pin" + unset}
	if diff := cmp.Diff(want, project("{}")); diff != "" {
		t.Error(diff)
	}
	const given = `{"cordova": {"plugins": {"p": {"API": "api.example"}}}}`
	if all := strings.Join(project(given), "\n"); strings.Contains(all, "facts-unknown") ||
		!strings.Contains(all, "api.example") {
		t.Error(all)
	}
}

// TestEachNamedConfiguration: of several configurations that may be named each that is not
// there is told, and another name for one need not be a file itself.
func TestEachNamedConfiguration(t *testing.T) {
	const nsc = `<network-security-config><base-config cleartextTrafficPermitted="false"/></network-security-config>`
	alias := func(name, to string) string {
		return `<resources><item type="xml" name="` + name + `">@xml/` + to + `</item></resources>`
	}
	const res = "android/app/src/main/res/"
	got := told(t, ofCapacitor(`<application android:networkSecurityConfig="@xml/nsc"/>`, res+"xml/strict.xml", nsc,
		res+"values/r.xml", alias("nsc", "second"), res+"values/s.xml", alias("second", "strict"),
		res+"values-v26/r.xml", alias("nsc", "open")), "nsc-not-read", "facts-unknown")
	want := []string{
		"nsc-not-read android/app/src/main/AndroidManifest.xml:1:83: @xml/open was not found, so nothing " +
			"is known of it",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
