package project_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/project"
)

// reads reads what ships of a project that is given as names and contents in turn.
func reads(t *testing.T, files ...string) *app.App {
	t.Helper()
	p, err := project.ReadShips(folder(files...), project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// decides asks a target for a URL, and says what decided: "allow plugins/x/plugin.xml:4".
func decides(t *testing.T, p *app.App, target, kind, url string) string {
	t.Helper()
	at, err := dialect.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	k, err := policy.ParseKind(kind)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := dialect.Compile(p.Ships(), at)
	if err != nil {
		t.Fatal(err)
	}
	d := compiled.Decide(policy.Request{URL: url, Kind: k})
	if d.Rule == nil || d.Rule.Implicit() {
		return d.Verdict.String()
	}
	return fmt.Sprintf("%s %s:%d", d.Verdict, d.Rule.Place.File, d.Rule.Place.Line)
}

const catchAll = `<widget xmlns="http://www.w3.org/ns/widgets">
<allow-navigation href="*"/>
</widget>`

// The whitelist plugin switches the list on on Android 4 to 9, wherever it is named.
func TestWhitelistPluginWhereverItIsNamed(t *testing.T) {
	const url = "https://evil.example/"
	for what, files := range map[string][]string{
		"nowhere":         {"package.json", `{"dependencies": {"cordova-plugin-whitelistings": "1"}}`},
		"dependencies":    {"package.json", `{"dependencies": {"cordova-plugin-whitelist": "1.3.3"}}`},
		"devDependencies": {"package.json", `{"devDependencies": {"cordova-plugin-whitelist": "^1.3.3"}}`},
		"cordova.plugins": {"package.json", `{"cordova": {"plugins": {"cordova-plugin-whitelist": {}}}}`},
		"plugins/":        {"plugins/cordova-plugin-whitelist/plugin.xml", `<plugin id="cordova-plugin-whitelist"/>`},
		"fetch.json":      {"plugins/fetch.json", `{"cordova-plugin-whitelist": {"is_top_level": true}}`},
		"a dependency of a plugin": {"package.json", `{"dependencies": {"x": "1"}}`, "node_modules/x/plugin.xml",
			`<plugin id="x"><dependency id="cordova-plugin-whitelist"/></plugin>`},
	} {
		p := reads(t, append(files, "config.xml", catchAll)...)
		want := "allow config.xml:2"
		if what == "nowhere" {
			want = "block"
		}
		if got := decides(t, p, "android@7.0.0", "navigation", url); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
		if missing := p.Missing(); len(missing) > 0 && what != "nowhere" {
			t.Errorf("%s: the plugin is known, and counts as missing", what)
		}
	}
}

const metrics = `<plugin id="metrics" version="2.1.0" xmlns="http://apache.org/cordova/ns/plugins/1.0">
<preference name="HOST" default="usual.example"/>
<access origin="https://nowhere.example"/>
<config-file target="config.xml" parent="/*">
<allow-navigation href="https://$HOST/*"/>
</config-file>
<config-file target="res/xml/config.xml" parent="/widget">
<allow-navigation href="https://android.example/*"/>
</config-file>
<platform name="ios">
<config-file target="*/config.xml" parent="/*">
<allow-navigation href="https://ios.example/*"/>
</config-file>
<config-file target="*-Info.plist" parent="x"><allow-navigation href="https://plist.example/*"/></config-file>
<edit-config file="config.xml" target="/widget/allow-navigation[@href='https://old.example/*']" mode="merge">
<allow-navigation href="https://edited.example/*"/>
</edit-config>
</platform>
</plugin>`

// What a plugin.xml puts into the built config.xml counts on its platforms, with the
// values of its variables, and says where it stands.
func TestPluginEntries(t *testing.T) {
	const widget = `<widget xmlns="http://www.w3.org/ns/widgets"><plugin name="metrics"/></widget>`
	for _, at := range []string{"plugins/metrics/plugin.xml", "node_modules/metrics/plugin.xml"} {
		p := reads(t, "config.xml", widget, at, metrics)
		for _, test := range [][3]string{
			{"android@13.0.0", "https://usual.example/", "allow " + at + ":5"},
			{"ios@7.1.0", "https://usual.example/", "allow " + at + ":5"},
			{"cordon", "https://usual.example/", "allow " + at + ":5"},
			{"android@13.0.0", "https://android.example/", "allow " + at + ":8"},
			{"ios@7.1.0", "https://android.example/", "block"},
			{"ios@7.1.0", "https://ios.example/", "allow " + at + ":12"},
			{"android@13.0.0", "https://ios.example/", "block"},
			{"ios@7.1.0", "https://edited.example/", "allow " + at + ":16"},
			{"ios@7.1.0", "https://plist.example/", "block"},
			{"cordon", "https://nowhere.example/", "block"},
		} {
			if got := decides(t, p, test[0], "navigation", test[1]); got != test[2] {
				t.Errorf("%s on %s: %s, want %s", test[1], test[0], got, test[2])
			}
		}
		if len(p.Plugins) != 1 || p.Plugins[0].Version != "2.1.0" || p.Plugins[0].Manifest != at ||
			p.Plugins[0].Place.File != "config.xml" || len(p.Missing()) != 0 {
			t.Errorf("plugins: %+v", p.Plugins)
		}
		if read := p.PluginAt(policy.Place{File: at, Start: 5}); read == nil || read.ID != "metrics" {
			t.Errorf("the plugin of %s is %v", at, read)
		}
	}
}

// A variable's value comes from package.json, then config.xml, then the plugin.
func TestPluginVariables(t *testing.T) {
	const widget = `<widget xmlns="http://www.w3.org/ns/widgets"><plugin name="metrics">` +
		`<variable name="HOST" value="config.example"/></plugin></widget>`
	manifest := []string{"plugins/metrics/plugin.xml", metrics}
	p := reads(t, append(manifest, "config.xml", widget)...)
	if got := decides(t, p, "ios@7.1.0", "navigation", "https://config.example/"); got != "allow "+manifest[0]+":5" {
		t.Errorf("config.xml's value: %s", got)
	}
	p = reads(t, append(manifest, "config.xml", widget,
		"package.json", `{"cordova": {"plugins": {"metrics": {"HOST": "\"package.example"}}}}`)...)
	if got := decides(t, p, "ios@7.1.0", "navigation", "https://config.example/"); got != "block" {
		t.Errorf("config.xml's value counts before package.json's: %s", got)
	}
}

// Packages that the project does not name are not looked at.
func TestOtherPackagesAreNotRead(t *testing.T) {
	p := reads(t, "config.xml", catchAll, "package.json", `{"dependencies": {"react": "1"}}`,
		"node_modules/metrics/plugin.xml", metrics, "node_modules/react/package.json", "{}")
	if len(p.Plugins) != 0 || len(p.Ships().Unknowns()) != 0 {
		t.Errorf("plugins %v, unknown %v", p.Plugins, p.Ships().Unknowns())
	}
}

// A plugin that is named and not there is unknown, unless it is known what it adds.
func TestMissingPlugin(t *testing.T) {
	p := reads(t, "config.xml", `<widget xmlns="http://www.w3.org/ns/widgets">
<plugin name="com.example.absent"/><plugin name="cordova-plugin-whitelist"/>
<plugin name="cordova-plugin-ionic-webview" spec="4.2.1"/>
</widget>`)
	unknown := p.Ships().Unknowns()
	if len(unknown) != 1 || unknown[0].Place.String() != "config.xml:2:1" ||
		!strings.HasPrefix(unknown[0].What, "the plugin com.example.absent is named and its plugin.xml is not there") {
		t.Errorf("unknown: %v", unknown)
	}
	for _, test := range [][3]string{
		{"android@9.1.0", "http://localhost/", "allow config.xml:3"},
		{"ios@6.2.0", "ionic://localhost/", "allow config.xml:3"},
		{"ios@6.2.0", "http://localhost/", "block"},
	} {
		if got := decides(t, p, test[0], "navigation", test[1]); got != test[2] {
			t.Errorf("%s on %s: %s, want %s", test[1], test[0], got, test[2])
		}
	}
}

// Files of plugins that cannot be read are said, each in a line, and what they add is
// not known.
func TestPluginFilesThatCannotBeRead(t *testing.T) {
	huge := "<plugin>" + strings.Repeat(" ", project.MaxManifest) + "</plugin>"
	for what, test := range map[string][2]string{
		"huge":      {huge, "it has 1048593 bytes, more than the 1048576 that are read"},
		"binary":    {"\x00\x01\x02", "line 1: not an XML file: it begins with the byte 0x00 instead of <"},
		"cut":       {"<plugin>\n<platform>", "line 2: the element <platform> is never closed"},
		"no plugin": {"<widget/>", "its root is not <plugin>"},
	} {
		p := reads(t, "config.xml", catchAll, "plugins/x/plugin.xml", test[0])
		want := "plugins/x/plugin.xml was not read, so that what the plugin x adds to the list is not known: " + test[1]
		if got := p.Ships().Unknowns(); len(got) != 1 || got[0].What != want {
			t.Errorf("%s: %v, want %s", what, got, want)
		}
	}
}

// An entry that config.xml itself gives the built file counts.
func TestConfigFileOfConfig(t *testing.T) {
	p := reads(t, "config.xml", `<widget xmlns="http://www.w3.org/ns/widgets">
<platform name="ios"><config-file target="*/config.xml" parent="/*">
<allow-navigation href="https://own.example/*"/>
</config-file></platform></widget>`)
	if got := decides(t, p, "ios@7.1.0", "navigation", "https://own.example/"); got != "allow config.xml:3" {
		t.Error(got)
	}
}

// Of a platform's version, what is installed comes first, then package.json, then
// <engine>, then PhoneGap's; else it is assumed.
func TestVersions(t *testing.T) {
	const engine = `<widget xmlns="http://www.w3.org/ns/widgets"><engine name="android" spec="6.4.0"/></widget>`
	const plain = `<widget xmlns="http://www.w3.org/ns/widgets"><platform name="android"/></widget>`
	const old = `<widget xmlns="http://www.w3.org/ns/widgets"><preference name="phonegap-version" value="%s"/></widget>`
	dev := []string{"package.json", `{"devDependencies": {"cordova-android": "^12.0.0"}}`}
	for _, test := range []struct {
		want, assumed string
		files         []string
	}{
		{"android@6.4.0", "", []string{"config.xml", engine}},
		{"android@12.0.0", "android@12.0.0", append(dev, "config.xml", engine)},
		{"android@12.0.0", "android@12.0.0", append(dev, "config.xml", engine, "node_modules/.bin/x", "")},
		{"android@13.0.0", "", append(dev, "config.xml", engine, "node_modules/cordova-android/package.json",
			`{"version": "13.0.0"}`)},
		{"android@6.4.0", "", []string{"config.xml", engine, "package.json",
			`{"cordova": {"platforms": ["android"]}}`}},
		{"android@7.1.4", "", []string{"config.xml", plain, "platforms/platforms.json", `{"android": "7.1.4"}`}},
		{"android@4.1.1", "", []string{"config.xml", plain, "platforms/android/cordova/version",
			"#!/usr/bin/env node\nvar VERSION = \"4.1.1\";\n"}},
		{"android@15.1.0", "android@15.1.0", []string{"config.xml", plain}},
		{"android@15.1.0 ios@8.1.1", "android@15.1.0 ios@8.1.1", []string{"config.xml", catchAll}},
		{"android@6.1.1 ios@4.3.0", "", []string{"config.xml", fmt.Sprintf(old, "cli-6.5.0")}},
		{"android@6.1.1 ios@4.3.0", "", []string{"config.xml", fmt.Sprintf(old, "cli-6.5.9")}},
		{"android@3.5.0 ios@3.5.0", "", []string{"config.xml", fmt.Sprintf(old, "3.5.0")}},
		{"android@15.1.0 ios@8.1.1", "android@15.1.0 ios@8.1.1", []string{"config.xml", fmt.Sprintf(old, "x")}},
	} {
		p := reads(t, test.files...)
		if got := targetList(p.Targets); got != test.want {
			t.Errorf("%q: %s, want %s", test.files, got, test.want)
		}
		if got := targetList(p.Assumed); got != test.assumed {
			t.Errorf("%q: assumed %q, want %q", test.files, got, test.assumed)
		}
	}
}

func targetList(targets []policy.Target) string {
	var names []string
	for _, t := range targets {
		names = append(names, t.String())
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// Where there is no app, the folders below that have one are named, and Meteor's list.
func TestWhereAnAppIs(t *testing.T) {
	_, err := project.ReadShips(folder(
		"src-cordova/config.xml",
		catchAll,
		"frontend/capacitor.config.ts",
		"x",
		"apps/shop/config.xml",
		catchAll,
		"apps/none/x",
		"",
		"mobile-config.js",
		"App.accessRule('*')",
	), project.Options{})
	const want = "no config.xml here; there is one in src-cordova/: cordon check src-cordova; " +
		"there is one in frontend/: cordon check frontend; there is one in apps/shop/: cordon check apps/shop; " +
		"mobile-config.js is the list of a Meteor app, and code: build the app (meteor build), then name the " +
		"config.xml " +
		"in .meteor/local/cordova-build"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// Where no page is found, the folder that was looked for is named, and what to run.
// Sources count for what the app does.
func TestNoPages(t *testing.T) {
	for _, test := range []struct {
		want, at string
		files    []string
	}{
		{"there is no page in www; if a tool makes it, run its build first", "config.xml",
			[]string{"config.xml", catchAll}},
		{"there is no page in dist, which webDir names; run the app's build, then npx cap copy",
			"capacitor.config.json",
			[]string{"capacitor.config.json", `{"webDir": "dist"}`, "src/a.vue", "<script>\nlet a\n</script>"}},
		{`webDir is "../dist", which is outside the folder; run cordon in a folder that has both`,
			"capacitor.config.json", []string{"capacitor.config.json", `{"webDir": "../dist"}`}},
		{"there is no page in www, dist/out, dist/out/browser; if a tool makes it, run its build first", "config.xml",
			[]string{"config.xml", catchAll, "angular.json",
				`{"projects": {"a": {"architect": {"build": {"options": {"outputPath": "dist/out"}}}}}}`}},
		{"", "", []string{"config.xml", catchAll, "src/index.html", "<!doctype html>"}},
		{"", "", []string{"config.xml", catchAll, "out/x/index.html", "<!doctype html>", "project.json",
			`{"targets": {"build": {"options": {"outputPath": {"base": "out", "browser": "x"}}}}}`}},
		{"", "", []string{"capacitor.config.json", `{"webDir": "dist"}`,
			"android/app/src/main/assets/public/index.html", "<!doctype html>"}},
		{"", "", []string{"config.xml", `<widget><content src="https://a.example/"/></widget>`}},
	} {
		p := read(t, folder(test.files...))
		got, at := "", ""
		if p.NoPages != nil {
			got, at = p.NoPages.Why, p.NoPages.Place.File
		}
		if got != test.want || at != test.at {
			t.Errorf("%q: %s: %q, want %s: %q", test.files, at, got, test.at, test.want)
		}
	}
}

// Of a component only its scripts are read, each byte in its place; tests and
// declarations are none of the app.
func TestSources(t *testing.T) {
	p := read(t, folder("config.xml", catchAll, "www/index.html", "<!doctype html>", "www/a.js", "1",
		"src/a.ts", "fetch('x')", "src/a.spec.ts", "", "src/types.d.ts", "", "src/b.vue",
		"<p>\u00e9</p>\n<script setup>\nlet a\n</script>\n", "src/node_modules/x.js", ""))
	var got []string
	for _, s := range p.Scripts {
		got = append(got, s.Name+"="+string(s.Data))
	}
	want := []string{"www/a.js=1", "src/a.ts=fetch('x')", "src/b.vue=         \n              \nlet a\n         \n"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A package.json that is too large may name plugins: that is not known.
func TestPackageThatCannotBeRead(t *testing.T) {
	for what, test := range map[string][2]string{
		"huge": {strings.Repeat(" ", project.MaxManifest+1),
			"package.json was not read, so that what it says is not known: it has 1048577 bytes, more than the " +
				"1048576 that " +
				"are read"},
		"no JSON": {"{", "package.json cannot be read (unexpected end of JSON input), and plugins may be named there"},
	} {
		p := reads(t, "config.xml", catchAll, "package.json", test[0])
		if got := p.Ships().Unknowns(); len(got) != 1 || got[0].What != test[1] {
			t.Errorf("%s: %v, want %s", what, got, test[1])
		}
	}
}

// The values of variables are put in one after the other, in the order in which the
// plugin declares them, as Cordova's tools do; what the project gives counts for a
// dependency too. One without a value, and one that holds markup, is not known; a place
// stays what it is in the file.
func TestVariablesOfPlugins(t *testing.T) {
	const widget = `<widget id="org.example.app" xmlns="http://www.w3.org/ns/widgets"/>`
	plugin := func(preferences, href string) string {
		return `<plugin id="p"><dependency id="q"/>` + preferences + `<config-file target="config.xml" parent="/*">
<allow-navigation href="` + href + `"/><preference name="Key" value="` + href + `"/></config-file></plugin>`
	}
	const url = "https://a.example/"
	const allowed, list = "allow plugins/p/plugin.xml:2", ", and it stands in a <allow-navigation> of the list " +
		"plugins/p/plugin.xml:2:1"
	const host, given = `<preference name="HOST"/>`, `{"HOST": "a.example"}`
	unset := "the variable HOST of the plugin p is given no value, and has no default" + list
	for what, test := range map[string]struct{ preferences, href, variables, want string }{
		"given":         {host, "https://$HOST/*", given, allowed},
		"in lower case": {`<preference name="host"/>`, "https://$HOST/*", given, allowed},
		"not declared":  {``, "https://$HOST/*", given, "block"},
		"one begins another": {host + `<preference name="HOSTE"/>`, "https://$HOSTE/*",
			`{"HOST": "a.exampl", "HOSTE": "x.example"}`, allowed},
		"no value":         {host, "https://$HOST/*", `{}`, unset},
		"an empty default": {`<preference name="HOST" default=""/>`, "https://$HOST/*", `{}`, unset},
		"not used":         {host, "https://x.example/*", `{}`, "block"},
		"another on Android": {`<preference name="HOST" default="a.example"/><platform name="android">` +
			`<preference name="HOST" default="b.example"/></platform>`, "https://$HOST/*", `{}`,
			"the variable HOST has another value on another platform" + list},
		"the package": {``, "https://$PACKAGE_NAME.a.example/*", `{}`, "block"},
		"markup": {host, "https://$HOST/*", `{"HOST": "a\"/><access origin=\"*"}`,
			"the value of the variable HOST of the plugin p has markup or a $ in it" + list},
	} {
		p := reads(t, "config.xml", widget, "plugins/p/plugin.xml", plugin(test.preferences, test.href), "package.json",
			`{"cordova": {"plugins": {"p": `+test.variables+`}}}`, "plugins/q/plugin.xml", `<plugin id="q"/>`)
		got := decides(t, p, "ios@7.1.0", "navigation", url)
		for _, u := range p.Ships().Unknowns() {
			got = u.What + " " + u.Place.String()
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", what, got, test.want)
		}
	}
}

// What a plugin was given, those that it depends on are given.
func TestVariablesOfDependencies(t *testing.T) {
	const widget = `<widget xmlns="http://www.w3.org/ns/widgets"/>`
	p := reads(t, "config.xml", widget, "package.json", `{"cordova": {"plugins": {"p": {"HOST": "a.example"}}}}`,
		"plugins/p/plugin.xml", `<plugin id="p"><dependency id="metrics"/></plugin>`,
		"plugins/metrics/plugin.xml", metrics)
	want := "allow plugins/metrics/plugin.xml:5"
	if got := decides(t, p, "ios@7.1.0", "navigation", "https://a.example/"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// In a package of Capacitor's, what Android reads on some devices counts for its platform
// too, and in a project of Capacitor's.
func TestConfigOfSomeDevices(t *testing.T) {
	const none = `{"cordova": {"accessOrigins": []}}`
	const other = `<widget><access origin="*"/></widget>`
	const narrow = `<widget><access origin="https://a.example"/></widget>`
	for base, files := range map[string][]string{
		"res":                      {"assets/capacitor.config.json", none},
		"android/app/src/main/res": {"capacitor.config.json", none},
	} {
		at := base + "/xml-v24/config.xml"
		p := reads(t, append(files, base+"/xml/config.xml", narrow, at, other)...)
		if got := decides(t, p, "capacitor-android@7.0.0", "plugin", "https://b.example/"); got != "allow "+at+":1" {
			t.Errorf("%s: %s", base, got)
		}
		want := "some devices read " + at + " instead of " + base + "/xml/config.xml, and what is said is what the " +
			"two come to together"
		if unknown := p.Ships().Unknown("capacitor-android"); len(unknown) != 1 || unknown[0].What != want {
			t.Errorf("%s: %v", base, unknown)
		}
	}
}

// A configuration that cannot be read makes a project with a config.xml one of Capacitor
// all the same, of which something is not known.
func TestCapacitorBesideConfigXML(t *testing.T) {
	for want, configuration := range map[string][2]string{
		"capacitor.config.ts is code, so that the app's configuration is not known: line 1: what is exported must be " +
			"an object that is written out; run npx cap copy, then the copy below android/ or ios/ is read": {
			"capacitor.config.ts", "export default made(process.env.STAGE);"},
		"capacitor.config.json is empty, so that what it says is not known": {"capacitor.config.json", ""},
		"capacitor.config.json cannot be read: capacitor.config.json:1:2: it is not valid JSON: invalid " +
			"character 'a' looking for beginning of object key string": {"capacitor.config.json", "{appId"},
	} {
		p, err := project.ReadShips(folder("config.xml", catchAll, configuration[0], configuration[1], "package.json",
			`{"dependencies": {"@capacitor/android": "7.2.0"}}`), project.Options{})
		if err != nil {
			t.Errorf("%q: %v", configuration, err)
			continue
		}
		var said []string
		for _, u := range p.Ships().Unknowns() {
			said = append(said, u.What)
		}
		if targets := fmt.Sprint(p.Targets); targets != "[capacitor-android@7.2.0]" ||
			!slices.Equal(said, []string{want}) {
			t.Errorf("%q: %s, not known: %q, want %q", configuration, targets, said, want)
		}
	}
}
