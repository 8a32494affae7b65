package project_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/project"
)

const widerCopy = `{"server": {"allowNavigation": ["evil.example"]}}`

// The platforms' own files are read where the configuration says that they are.
func TestPlatformFolders(t *testing.T) {
	for name, test := range map[string]struct {
		android, ios string // as they are written
		at           string // where the folders are in truth, in the workspace
		shown        string
	}{
		"where they usually are": {"android", "ios", "app/", ""},
		"below another folder":   {"native/android", "native/ios", "app/native/", "native/"},
		"with dots":              {"./native/./android/", "native//ios", "app/native/", "native/"},
		"beside the app":         {"../native/android", "../native/ios", "native/", "../native/"},
	} {
		files := folder(
			"nx.json",
			"{}",
			"app/package.json",
			"{}",
			"app/capacitor.config.json",
			`{"android": {"path": "`+test.android+`"}, "ios": {"path": "`+test.ios+`"}}`,
			test.at+"android/app/src/main/assets/capacitor.config.json",
			widerCopy,
			test.at+"ios/App/App/capacitor.config.json",
			widerCopy,
			test.at+"android/app/src/main/res/xml/config.xml",
			`<widget><access origin="https://plugin.example"/></widget>`,
			test.at+"android/app/src/main/AndroidManifest.xml",
			`<manifest xmlns:android="http://schemas.android.com/apk/res/android"><application
android:usesCleartextTraffic="true"/></manifest>`,
			test.at+"android/app/src/main/assets/public/index.html",
			"<!DOCTYPE html>",
		)
		p, err := project.Read(project.Within(files, "app"), project.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{test.shown + "android/app/src/main/assets/capacitor.config.json",
			test.shown + "ios/App/App/capacitor.config.json"}
		if got := copiesOf(p); !slices.Equal(got, want) {
			t.Errorf("%s: copies %v, want %v", name, got, want)
		}
		if len(p.Pages) != 1 || p.Pages[0].Name != test.shown+"android/app/src/main/assets/public/index.html" {
			t.Errorf("%s: pages %+v", name, p.Pages)
		}
		if len(p.Native.Statements) == 0 {
			t.Errorf("%s: the manifest was not read", name)
		}
		if got := targetList(p.Targets); !strings.Contains(got, "capacitor-android@") ||
			!strings.Contains(got, "capacitor-ios@") {
			t.Errorf("%s: targets %s", name, got)
		}
		if n := len(p.Ships().Added("capacitor-android")); n != 1 {
			t.Errorf("%s: %d elements of the config.xml that Cordova plugins ask", name, n)
		}
	}
}

func copiesOf(p *app.App) []string {
	var names []string
	for i := range p.Copies {
		names = append(names, p.Copies[i].Name)
	}
	return names
}

// A folder that is not read, or that only running the configuration would tell, is not
// known.
func TestPlatformFoldersElsewhere(t *testing.T) {
	for _, written := range []string{"/srv/android", "../android", "../../android", `C:\\android`, "an*"} {
		p := reads(t, "package.json", "{}", "capacitor.config.json", "{\n"+`"android": {"path": "`+written+`"}}`,
			"android/app/src/main/assets/capacitor.config.json", widerCopy)
		unknown := p.Ships().Unknown("capacitor-android")
		if len(unknown) != 1 || !strings.Contains(unknown[0].What, "android.path is ") || unknown[0].Place.Line != 2 ||
			len(p.Ships().Unknown("capacitor-ios")) != 0 {
			t.Errorf("%s: %v", written, unknown)
		}
		if len(p.Copies) > 0 {
			t.Errorf("%s: another folder was read: %v", written, copiesOf(p))
		}
	}
	p := reads(
		t,
		"capacitor.config.ts",
		"export default {\n  webDir: 'dist',\n  android: { path: process.env.DROID },\n};\n",
	)
	unknown := p.Ships().Unknown("capacitor-android")
	if len(unknown) != 1 || !strings.HasPrefix(unknown[0].What, "android.path is computed") ||
		unknown[0].Place.Line != 3 {
		t.Errorf("a path that is computed: %v", unknown)
	}
}

// A copy of the configuration that says something else is what ships until the next cap
// copy, and a flavour's own file takes its place: neither is known to be kept out.
func TestCopyIsUnknown(t *testing.T) {
	const config = `{"server": {"allowNavigation": ["a.example"]}}`
	for name, test := range map[string]struct{ at, platform, counts string }{
		"the copy": {"android/app/src/main/assets/", "capacitor-android", "the copy ships until npx cap copy is run"},
		"that of iOS": {"ios/App/App/", "capacitor-ios",
			"the copy ships until npx cap copy is run"},
		"a flavour": {"android/app/src/prod/assets/", "capacitor-android",
			"the file of this flavour takes the place of what npx cap copy writes"},
		"for debugging": {"android/app/src/debug/assets/", "", ""},
		"of a test":     {"android/app/src/testProd/assets/", "", ""},
	} {
		p := reads(t, "capacitor.config.json", config, test.at+"capacitor.config.json",
			"{\"server\": {\n\"allowNavigation\": [\"a.example\", \"evil.example\"]}}")
		var unknown []string
		for _, u := range p.Ships().Unknowns() {
			unknown = append(unknown, u.Platform+" "+u.Place.String()+": "+u.What)
		}
		var want []string
		if test.platform != "" {
			want = []string{test.platform + " " + test.at + "capacitor.config.json:2:34: server.allowNavigation has " +
				`"evil.example" here, and not in capacitor.config.json: ` + test.counts}
		}
		if !slices.Equal(unknown, want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(unknown, "\n"), strings.Join(want, "\n"))
		}
		if p = reads(t, "capacitor.config.json", config, test.at+"capacitor.config.json", config); len(
			p.Ships().Unknowns()) != 0 {
			t.Errorf("%s: one that says the same: %v", name, p.Ships().Unknowns())
		}
		if p = reads(t, "capacitor.config.json", config, test.at+"capacitor.config.json", "{"); test.platform != "" &&
			len(p.Ships().Unknowns()) != 1 {
			t.Errorf("%s: one that cannot be read: %v", name, p.Ships().Unknowns())
		}
	}
}

// Prepared platforms are found where the configuration says that they are.
func TestLayoutsOfOtherFolders(t *testing.T) {
	list, err := project.Layouts(folder("capacitor.config.json", `{"android": {"path": "native/droid"}}`,
		"native/droid/app/src/main/assets/public/index.html", ""), nil)
	if err != nil || len(list) != 1 || list[0].Web != "native/droid/app/src/main/assets/public" ||
		list[0].Manifest != "native/droid/app/src/main/AndroidManifest.xml" {
		t.Errorf("%+v, %v", list, err)
	}
}
