package project_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project"
)

// A range whose versions decide differently, or that spans majors, does not name a
// version: it is the highest known that is allowed, as npm installs it, and assumed. What
// the others decide may count.
func TestVersionOfARange(t *testing.T) {
	for spec, want := range map[string][2]string{
		"6.4.0":             {"android@6.4.0", ""},
		"^6.2.0":            {"android@6.2.0", ""},
		"~6.2.0":            {"android@6.2.0", ""},
		"6":                 {"android@6.0.0", ""},
		"99.0.0":            {"android@15.1.0", "android@15.1.0"},
		"15.9.0":            {"android@15.9.0", ""},
		">=7 <14":           {"android@13.0.0", "android@13.0.0"},
		"^6.0.0 || ^13.0.0": {"android@13.0.0", "android@13.0.0"},
		"<8":                {"android@7.1.4", "android@7.1.4"},
		"<0.5":              {"android@2.0.0", "android@2.0.0"},
		">=6.0.0":           {"android@15.1.0", "android@15.1.0"},
		">6":                {"android@15.1.0", "android@15.1.0"},
		"6.x":               {"android@6.0.0", ""},
		"^10.0.0":           {"android@10.1.2", "android@10.1.2"},
		"10":                {"android@10.1.2", "android@10.1.2"},
		"10.x":              {"android@10.1.2", "android@10.1.2"},
		"~10.0.0":           {"android@10.0.0", ""},
		"^10.1.1":           {"android@10.1.1", ""},
		"<0":                {"android@2.0.0", "android@2.0.0"},
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

// The versions of a range that decide otherwise than the one that is assumed.
func TestAlternatives(t *testing.T) {
	for _, test := range []struct{ file, text, want string }{
		{"config.xml", `<widget><engine name="ios" spec="^4.0.0"/></widget>`, "ios@4.5.5: ios@4.0.0"},
		{"config.xml", `<widget><engine name="ios" spec=">=4.1 &lt;7"/></widget>`,
			"ios@6.3.0: ios@4.1.0 ios@4.2.0"},
		{"config.xml", `<widget><engine name="ios" spec="*"/></widget>`, "ios@8.1.1: "},
		{"config.xml", `<widget><engine name="ios" spec="latest"/></widget>`, "ios@8.1.1: "},
		{"config.xml", `<widget><engine name="ios" spec="6"/></widget>`, "ios@6.0.0: "},
		{"config.xml", `<widget><engine name="ios"/></widget>`, "ios@8.1.1: "},
		{"package.json", `{"dependencies": {"@capacitor/android": "^4.4.0"}}`, "capacitor-android@4.8.2: " +
			"capacitor-android@4.4.0 capacitor-android@4.5.0 capacitor-android@4.7.2"},
	} {
		p := reads(t, "capacitor.config.json", "{}", test.file, test.text)
		if test.file == "config.xml" {
			p = reads(t, test.file, test.text)
		}
		if got := targetList(p.Targets) + ": " + targetList(p.Alternatives); got != test.want {
			t.Errorf("%s: %s, want %s", test.text, got, test.want)
		}
		if len(p.Alternatives) > 0 && len(p.Assumed) != 1 {
			t.Errorf("%s: assumed %v", test.text, p.Assumed)
		}
	}
}

// package-lock.json says the version that npm installs: after what is installed, before
// package.json. One that package.json does not allow is made anew.
func TestVersionOfTheLock(t *testing.T) {
	const v3 = `{"packages": {"": {}, "node_modules/cordova-android": {"version": "9.1.0"}}}`
	const v1 = `{"dependencies": {"cordova-android": {"version": "9.1.0"}}}`
	const alias = `{"packages": {"node_modules/cordova-android": {"name": "fork", "version": "9.1.0"}}}`
	const other = `{"packages": {"x/node_modules/cordova-android": {"version": "9.1.0"}}}`
	const nine, thirteen = "android@9.0.0", "android@13.0.0"
	for _, test := range []struct{ lock, asked, installed, want, assumed string }{
		{v3, "^9.0.0", "", "android@9.1.0", ""}, {v1, ">=7", "", "android@9.1.0", ""},
		{v3, "13.0.0", "10.1.2", "android@10.1.2", ""},
		{alias, "^9.0.0", "", nine, nine}, {other, "^9.0.0", "", nine, nine},
		{v3, "13.0.0", "", thirteen, ""}, {v1, "^13.0.0", "", thirteen, thirteen},
		{v3, "^7.0.0", "", "android@7.0.0", "android@7.0.0"}, {v3, "github:me/fork", "", "android@9.1.0", ""},
	} {
		files := []string{"config.xml", catchAll, "package-lock.json", test.lock, "node_modules/x", "",
			"package.json", `{"dependencies": {"cordova-android": "` + test.asked + `"}}`}
		if test.installed != "" {
			files = append(files, "node_modules/cordova-android/package.json", `{"version": "`+test.installed+`"}`)
		}
		p := reads(t, files...)
		if got := targetList(p.Targets); got != test.want || targetList(p.Assumed) != test.assumed {
			t.Errorf("%s for %s: %s, want %s; assumed %v", test.lock, test.asked, got, test.want, p.Assumed)
		}
	}
	p := reads(t, "capacitor.config.json", "{}", "package.json", `{"dependencies": {"@capacitor/android": "^6.0.0"}}`,
		"package-lock.json", `{"packages": {"node_modules/@capacitor/android": {"version": "6.1.2"}}}`)
	if got := targetList(p.Targets); got != "capacitor-android@6.1.2" {
		t.Error(got)
	}
}

// Names that are no platform's are not looked for: a list may have very many.
func TestPlatformsThatAreNone(t *testing.T) {
	p := reads(t, "config.xml", `<widget><engine name="x"/><engine name="../y"/><engine name="browser"/></widget>`,
		"package.json", `{"cordova": {"platforms": ["z", "ios", "../w", "electron"]}}`,
		"node_modules/cordova-z/package.json", `{"version": "1.0.0"}`)
	var names []string
	for _, e := range p.Engines {
		names = append(names, e.Name)
	}
	if got := strings.Join(names, " "); got != "electron ios browser" {
		t.Error(got)
	}
}

// A range of package.json is what npm makes of it, wherever its packages are: where that
// is not found the version is assumed, and of versions that decide differently it is the
// highest that is known.
func TestVersionOfAWorkspace(t *testing.T) {
	const remedy = "the plugin cordova-plugin-x is named and its plugin.xml is not there: what it adds to " +
		"the list is " +
		"not known (run npm install; packages of folders above are read up to the workspace's root)"
	for _, test := range []struct{ spec, file, target, assumed string }{
		{"^10.0.0", "www/x", "android@10.1.2", "android@10.1.2"},
		{"^10.0.0", "node_modules/.bin/x", "android@10.1.2", "android@10.1.2"},
		{"^12.0.0", "www/x", "android@12.0.0", "android@12.0.0"},
		{"^12.0.0", "node_modules/.bin/x", "android@12.0.0", "android@12.0.0"},
		{"12.0.0", "www/x", "android@12.0.0", ""},
	} {
		p := reads(t, "config.xml", catchAll, test.file, "", "package.json",
			`{"dependencies": {"cordova-android": "`+test.spec+`", "cordova-plugin-x": "1"}}`)
		if got := targetList(p.Assumed); targetList(p.Targets) != test.target || got != test.assumed {
			t.Errorf("%v: targets %v, assumed %s", test, p.Targets, got)
		}
		unknown := p.Ships().Unknowns()
		if len(unknown) != 1 || (unknown[0].What == remedy) != (test.file == "www/x") {
			t.Errorf("%v: %v", test, unknown)
		}
	}
	p := reads(t, "capacitor.config.json", "{}", "package.json", `{"dependencies": {"@capacitor/android": "^6.0.0"}}`)
	if got := targetList(p.Assumed); got != "capacitor-android@6.2.2" {
		t.Error(got)
	}
}

// A version whose major is newer than those that are known is decided as the latest,
// which is assumed, and nothing is promised over it; the rest of the project is as it was.
func TestVersionThatIsNewer(t *testing.T) {
	const cordova = "android is 99.0.1, which is newer than what is known: what is said is what android@15.1.0 does"
	for name, test := range map[string]struct {
		files    []string
		want     string
		platform string
		at       string
		ships    bool
	}{
		"an engine": {[]string{"config.xml", "<widget>\n<engine name=\"android\" spec=\"99.0.1\"/></widget>"}, cordova,
			"android", "config.xml:2", false},
		"installed": {[]string{"config.xml", widget, "package.json", `{"dependencies": {"cordova-android": "*"}}`,
			"node_modules/cordova-android/package.json", `{"version": "99.0.1"}`}, cordova, "android",
			"package.json:1", true},
		"Capacitor": {[]string{"capacitor.config.json", "{}", "package.json",
			`{"dependencies": {"@capacitor/ios": "^99.0.0"}}`, "package-lock.json",
			`{"packages": {"node_modules/@capacitor/ios": {"version": "99.2.0"}}}`}, "capacitor-ios is 99.2.0, which " +
			"is newer than what is known: what is said is what capacitor-ios@8.4.2 does", "capacitor-ios",
			"package.json:1", true},
	} {
		p := reads(t, test.files...)
		unknown := p.Ships().Unknown(test.platform)
		if len(unknown) != 1 || unknown[0].What != test.want || len(p.Newer) != 1 || p.Newer[0] != unknown[0] ||
			fmt.Sprintf("%s:%d", unknown[0].Place.File, unknown[0].Place.Line) != test.at {
			t.Errorf("%s: %v, newer %v", name, unknown, p.Newer)
		}
		if len(p.Assumed) != 1 || len(p.Targets) != 1 || p.Assumed[0] != p.Targets[0] {
			t.Errorf("%s: targets %v, assumed %v", name, p.Targets, p.Assumed)
		}
		if p.Ships().Ships() != test.ships || len(p.Ships().Unknown("wp8")) != 0 {
			t.Errorf("%s: what ships is known: %v", name, p.Ships().Ships())
		}
	}
}

// A platform that is asked for without a version is the project's own.
func TestOwnVersions(t *testing.T) {
	files := folder(
		"config.xml",
		`<widget><engine name="android" spec="12.0.0"/><engine name="ios" spec="*"/></widget>`,
	)
	for asked, want := range map[string][2]string{
		"":                   {"android@12.0.0 ios@8.1.1", "ios@8.1.1"},
		"android":            {"android@12.0.0", ""},
		"android ios":        {"android@12.0.0 ios@8.1.1", "ios@8.1.1"},
		"android@9.0.0":      {"android@9.0.0", ""},
		"ios@8.1.1":          {"ios@8.1.1", ""},
		"wp8 cordon":         {"cordon wp8@3.8.2", "wp8@3.8.2"},
		"android android@12": {"android@12.0.0", ""},
	} {
		var targets []policy.Target
		for _, name := range strings.Fields(asked) {
			at, err := policy.ParseTarget(name)
			if err != nil {
				t.Fatal(err)
			}
			targets = append(targets, at)
		}
		p, err := project.ReadShips(files, project.Options{Targets: targets})
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{targetList(p.Targets), targetList(p.Assumed)}; got != want {
			t.Errorf("%q: %q, want %q", asked, got, want)
		}
	}
}
