package project_test

import (
	"strings"
	"testing"
)

// A package.json that is a folder may stand for one that names plugins: it is said.
func TestPackageThatIsAFolder(t *testing.T) {
	for _, name := range []string{"package.json", "package-lock.json"} {
		p := reads(t, "config.xml", catchAll, name+"/x", "")
		want := name + " was not read, so that what it says is not known: it is a folder"
		if got := p.Ships().Unknowns(); len(got) != 1 || got[0].What != want {
			t.Errorf("%v, want %s", got, want)
		}
		if len(p.Skipped) != 1 || p.Skipped[0].Name != name {
			t.Errorf("skipped: %v", p.Skipped)
		}
	}
}

// npm skips a byte order mark: what stands behind it counts, in its place.
func TestPackageWithByteOrderMark(t *testing.T) {
	const mark = "\uFEFF"
	p := reads(t, "config.xml", catchAll, "package.json",
		mark+"{\n"+`"devDependencies": {"cordova-android": "12.0.1", "cordova-plugin-whitelist": "1.3.5"}}`)
	if len(p.Ships().Unknowns()) != 0 || targetList(p.Targets) != "android@12.0.1" || len(p.Plugins) != 1 ||
		p.Plugins[0].Place.String() != "package.json:2:50" {
		t.Errorf("unknown %v, targets %v, plugins %+v", p.Ships().Unknowns(), p.Targets, p.Plugins)
	}
	p = reads(t, "config.xml", catchAll, "package.json", mark+`{"dependencies": {"cordova-android": "12"}}`,
		"node_modules/cordova-android/package.json", mark+`{"version": "12.0.1"}`)
	if got := targetList(p.Targets); got != "android@12.0.1" {
		t.Error(got)
	}
}

// cordova.plugins may be a list of names.
func TestPluginsAsList(t *testing.T) {
	p := reads(t, "config.xml", catchAll, "package.json",
		`{"cordova": {"plugins": ["cordova-plugin-whitelist@1.3.5", "com.example.absent", "@a/cordova-plugin-b", 1]}}`)
	var got []string
	for _, plugin := range p.Plugins {
		got = append(got, plugin.ID+"="+plugin.Spec)
	}
	if text := strings.Join(got, " "); text !=
		"cordova-plugin-whitelist=1.3.5 com.example.absent= @a/cordova-plugin-b=" {
		t.Error(text)
	}
	if got := len(p.Missing()); got != 2 {
		t.Errorf("%d are missing, want 2", got)
	}
}
