package lint_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// The lock file names plugins that others bring, and what npm noted of them; what
// package.json names is said once.
func TestRetiredPluginsOfTheLockFile(t *testing.T) {
	files := fstest.MapFS{
		"config.xml":   {Data: []byte("<widget/>")},
		"package.json": {Data: []byte(`{"dependencies": {"cordova-plugin-contacts": "^3.0.1"}}`)},
		"package-lock.json": {Data: []byte(`{"lockfileVersion": 3, "packages": {
  "": {"dependencies": {"cordova-plugin-contacts": "^3.0.1"}},
  "node_modules/cordova-plugin-contacts": {"version": "3.0.1", "deprecated": "gone"},
  "node_modules/left-pad": {"version": "1.3.0", "deprecated": "use String.prototype.padStart()"},
  "node_modules/x/node_modules/cordova-plugin-console": {"version": "1.1.0"},
  "node_modules/cordova-plugin-new": {"version": "1.0.0", "deprecated": "use \"other\""},
  "node_modules/cordova-plugin-device": {"version": "3.0.0"}
}}`)},
	}
	_, found := check(t, files)
	want := "package-lock.json:5:3: medium: cordova-plugin-console is retired; use console, which the web views " +
		"support " +
		"themselves\n" +
		"package-lock.json:6:3: medium: cordova-plugin-new 1.0.0 is deprecated by its maintainers: \"use " +
		"\"other\"\"\n" +
		"package.json:1:19: medium: cordova-plugin-contacts is retired; use a maintained contacts plugin; the " +
		"repository " +
		"is archived\n"
	if diff := cmp.Diff(want, lines(of(found, "retired-plugin"))); diff != "" {
		t.Error(diff)
	}
	for _, f := range of(found, "retired-plugin") {
		if (f.Set == 2) != strings.HasPrefix(f.Place.File, "package-lock") {
			t.Errorf("%v is of set %d", f.Place, f.Set)
		}
	}
	// As npm wrote it before version 7.
	files["package-lock.json"] = &fstest.MapFile{Data: []byte(
		`{"lockfileVersion": 1, "dependencies": {"cordova-plugin-console": {"version": "1.1.0"}}}`)}
	_, found = check(t, files)
	if got := lines(of(found, "retired-plugin")); !strings.HasPrefix(got, "package-lock.json:1:41: medium: "+
		"cordova-plugin-console is retired") {
		t.Errorf("got\n%s", got)
	}
	files["package-lock.json"] = &fstest.MapFile{Data: []byte(`{"packages": cordova`)}
	_, found = check(t, files)
	if got := lines(of(found, "file-not-read")); !strings.HasPrefix(got, "package-lock.json:1:1: ") {
		t.Errorf("a file that cannot be read: %s", got)
	}
}
