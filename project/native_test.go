package project_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy/native"
)

const security = `<network-security-config><base-config cleartextTrafficPermitted="true"/></network-security-config>`

func carried(set *native.Set) []string {
	var list []string
	for _, f := range set.Fragments {
		text := fmt.Sprint(f.Carrier, " ", f.Place)
		if f.Kind == native.Security {
			text += " " + f.Name
		}
		if f.Generated {
			text += " generated"
		}
		list = append(list, text)
	}
	return list
}

func TestNativeFilesOfCapacitor(t *testing.T) {
	p := read(t, folder(
		"capacitor.config.json", "{}",
		"android/app/src/main/AndroidManifest.xml", "<manifest/>",
		"android/app/src/main/res/xml/net.xml", security,
		"android/app/src/main/res/xml/paths.xml", "<paths/>",
		"android/app/src/main/res/xml/config.xml", widget,
		"android/app/src/free/AndroidManifest.xml", "<manifest/>",
		"android/app/src/debug/AndroidManifest.xml", "<manifest/>",
		"android/app/src/androidTest/AndroidManifest.xml", "<manifest/>",
		"ios/App/App/Info.plist", "<plist><dict/></plist>",
	))
	want := []string{
		"file android/app/src/free/AndroidManifest.xml:1:1", "file android/app/src/main/AndroidManifest.xml:1:1",
		"file android/app/src/main/res/xml/net.xml:1:1 net", "file ios/App/App/Info.plist:1:1",
	}
	if diff := cmp.Diff(want, carried(p.Native)); diff != "" {
		t.Error(diff)
	}
	if got := string(p.Content("android/app/src/main/res/xml/net.xml")); got != security {
		t.Errorf("content %q", got)
	}
}

// TestManifestOfCordovaPlugins: what Capacitor makes of the manifests of Cordova's plugins is
// read where the platform stands, after what people write.
func TestManifestOfCordovaPlugins(t *testing.T) {
	const made = "capacitor-cordova-android-plugins/src/main/AndroidManifest.xml"
	const moved = `{"android": {"path": "native/droid"}}`
	for config, dir := range map[string]string{`{}`: "android/", moved: "native/droid/"} {
		p := read(t, folder("capacitor.config.json", config, dir+made, "<manifest/>",
			dir+"app/src/main/AndroidManifest.xml", "<manifest/>"))
		want := []string{
			"file " + dir + "app/src/main/AndroidManifest.xml:1:1",
			"file " + dir + made + ":1:1 generated",
		}
		if diff := cmp.Diff(want, carried(p.Native)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestNativeFragmentsOfCordova: config.xml, each plugin once, and last what
// Cordova's tools wrote.
func TestNativeFragmentsOfCordova(t *testing.T) {
	const plugin = `<plugin><platform name="android"><config-file target="AndroidManifest.xml"
		parent="/manifest"><application/></config-file><resource-file src="src/net.xml"
		target="res/xml/plugin_net.xml"/></platform></plugin>`
	p := read(t, folder(
		"config.xml", `<widget><plugin name="cordova-plugin-b"/><platform name="android">
			<resource-file src="res/net.xml" target="app/src/main/res/xml/net_sec.xml"/>
			<resource-file src="res/gone.xml" target="app/src/main/res/xml/gone.xml"/></platform></widget>`,
		"res/net.xml", security,
		"package.json", `{"devDependencies": {"@scope/plugin-c": "1", "cordova-plugin-a": "1", "left-pad": "1"}}`,
		"plugins/cordova-plugin-a/plugin.xml", plugin,
		"plugins/cordova-plugin-a/src/net.xml", security,
		"node_modules/cordova-plugin-a/plugin.xml", plugin,
		"node_modules/cordova-plugin-b/plugin.xml", plugin,
		"node_modules/@scope/plugin-c/plugin.xml", "<plugin",
		"node_modules/left-pad/index.js", "",
		"node_modules/unnamed/plugin.xml", plugin,
		"platforms/android/app/src/main/AndroidManifest.xml", "<manifest/>",
		"platforms/ios/App/App-Info.plist", "<plist><dict/></plist>",
	))
	want := []string{
		"resource-file res/net.xml:1:1 net_sec",
		"config-file plugins/cordova-plugin-a/plugin.xml:1:34",
		"resource-file plugins/cordova-plugin-a/src/net.xml:1:1 plugin_net",
		"config-file node_modules/cordova-plugin-b/plugin.xml:1:34",
		"file platforms/android/app/src/main/AndroidManifest.xml:1:1 generated",
		"file platforms/ios/App/App-Info.plist:1:1 generated",
	}
	if diff := cmp.Diff(want, carried(p.Native)); diff != "" {
		t.Error(diff)
	}
	var skipped []string
	for _, s := range p.Skipped {
		skipped = append(skipped, s.Name+": "+s.Why)
	}
	all := strings.Join(skipped, "\n")
	for _, want := range []string{"res/gone.xml: line 3 of config.xml copies it, and it is not there",
		"node_modules/@scope/plugin-c/plugin.xml: ",
		"node_modules/cordova-plugin-b/src/net.xml: line 2 of node_modules/cordova-plugin-b/plugin.xml copies it"} {
		if !strings.Contains(all, want) {
			t.Errorf("not said: %s\n%s", want, all)
		}
	}
}
