package project_test

import (
	"testing"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// A range over more than one major does not name a version: it is the highest known
// that is allowed, and assumed.
func TestVersionOfARange(t *testing.T) {
	for spec, want := range map[string][2]string{
		"6.4.0":             {"android@6.4.0", ""},
		"^6.2.0":            {"android@6.2.0", ""},
		"~6.2.0":            {"android@6.2.0", ""},
		"6":                 {"android@6.0.0", ""},
		"99.0.0":            {"android@15.1.0", ""},
		">=7 <14":           {"android@13.0.0", "android@13.0.0"},
		"^6.0.0 || ^13.0.0": {"android@13.0.0", "android@13.0.0"},
		"<8":                {"android@7.1.4", "android@7.1.4"},
		"<0.5":              {"android@2.0.0", "android@2.0.0"},
		">=6.0.0":           {"android@15.1.0", "android@15.1.0"},
		">6":                {"android@15.1.0", "android@15.1.0"},
		"7.x":               {"android@7.1.4", "android@7.1.4"},
		"6.0.0 - 8":         {"android@8.1.0", "android@8.1.0"},
		"*":                 {"android@15.1.0", "android@15.1.0"},
		"latest":            {"android@15.1.0", "android@15.1.0"},
		"github:a/b#v6.4.0": {"android@15.1.0", "android@15.1.0"},
		"npm:fork@6.4.0":    {"android@15.1.0", "android@15.1.0"},
		"fork-6.4.0.tgz":    {"android@15.1.0", "android@15.1.0"},
	} {
		p := reads(t, "config.xml", `<widget><engine name="android" spec="`+configxml.Escape(spec)+`"/></widget>`)
		if got := [2]string{targetList(p.Targets), targetList(p.Assumed)}; got != want {
			t.Errorf("%s: %q, want %q", spec, got, want)
		}
	}
}

// package-lock.json says the version that npm installs: after what is installed, before
// package.json.
func TestVersionOfTheLock(t *testing.T) {
	const v3 = `{"packages": {"": {}, "node_modules/cordova-android": {"version": "9.1.0"}}}`
	const v1 = `{"dependencies": {"cordova-android": {"version": "9.1.0"}}}`
	const alias = `{"packages": {"node_modules/cordova-android": {"name": "fork", "version": "9.1.0"}}}`
	for _, test := range []struct{ lock, installed, want string }{
		{v3, "", "android@9.1.0"}, {v1, "", "android@9.1.0"}, {v3, "10.1.2", "android@10.1.2"},
		{alias, "", "android@7.0.0"}, {`{"packages": {"x/node_modules/cordova-android": {"version": "9.1.0"}}}`, "",
			"android@7.0.0"},
	} {
		files := []string{"config.xml", catchAll, "package-lock.json", test.lock, "node_modules/x", "",
			"package.json", `{"dependencies": {"cordova-android": "^7.0.0"}}`}
		if test.installed != "" {
			files = append(files, "node_modules/cordova-android/package.json", `{"version": "`+test.installed+`"}`)
		}
		p := reads(t, files...)
		if got := targetList(p.Targets); got != test.want || len(p.Assumed) != 0 {
			t.Errorf("%s: %s, want %s; assumed %v", test.lock, got, test.want, p.Assumed)
		}
	}
	p := reads(t, "capacitor.config.json", "{}", "package.json", `{"dependencies": {"@capacitor/android": "^6.0.0"}}`,
		"package-lock.json", `{"packages": {"node_modules/@capacitor/android": {"version": "6.1.2"}}}`)
	if got := targetList(p.Targets); got != "capacitor-android@6.1.2" {
		t.Error(got)
	}
}

// A workspace keeps its packages further up: without node_modules a range of package.json
// is assumed, and what is not there may be there.
func TestVersionOfAWorkspace(t *testing.T) {
	const remedy = "the plugin cordova-plugin-x is named and its plugin.xml is not there: what it adds to " +
		"the list is " +
		"not known (run npm install, or check from the workspace's root if its packages are installed there)"
	for _, test := range []struct{ spec, file, assumed string }{
		{"^12.0.0", "www/x", "android@12.0.0"}, {"^12.0.0", "node_modules/x", ""}, {"12.0.0", "www/x", ""},
	} {
		p := reads(t, "config.xml", catchAll, test.file, "", "package.json",
			`{"dependencies": {"cordova-android": "`+test.spec+`", "cordova-plugin-x": "1"}}`)
		if got := targetList(p.Assumed); targetList(p.Targets) != "android@12.0.0" || got != test.assumed {
			t.Errorf("%v: targets %v, assumed %s", test, p.Targets, got)
		}
		unknown := p.Ships().Unknowns()
		if len(unknown) != 1 || (unknown[0].What == remedy) != (test.file == "www/x") {
			t.Errorf("%v: %v", test, unknown)
		}
	}
	p := reads(t, "capacitor.config.json", "{}", "package.json", `{"dependencies": {"@capacitor/ios": "^6.0.0"}}`)
	if got := targetList(p.Assumed); got != "capacitor-ios@6.0.0" {
		t.Error(got)
	}
	p = reads(t, "config.xml", `<widget><engine name="android" spec="^6.0.0"/></widget>`)
	if len(p.Assumed) != 0 {
		t.Errorf("an engine's range: %v", p.Assumed)
	}
}
