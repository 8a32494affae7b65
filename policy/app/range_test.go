package app_test

import (
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
)

// Ranges are read as npm reads them.
func TestParseRange(t *testing.T) {
	for _, test := range []struct {
		spec, lowest string
		one, exact   bool
		yes, no      string
	}{
		{"1.2.3", "1.2.3", true, true, "1.2.3", "1.2.4"},
		{"v1.2.3-beta.1", "1.2.3", true, true, "1.2.3", "1.2.2"},
		{"^1.2.3", "1.2.3", true, false, "1.9.0", "2.0.0"},
		{"^0.2.3", "0.2.3", true, false, "0.2.9", "0.3.0"},
		{"^ 0.0.3", "0.0.3", true, false, "0.0.3", "0.0.4"},
		{"~1.2.3", "1.2.3", true, false, "1.2.9", "1.3.0"},
		{"~1", "1.0.0", true, false, "1.9.0", "2.0.0"},
		{"6", "6.0.0", true, false, "6.9.0", "7.0.0"},
		{"6.x", "6.0.0", false, false, "6.9.0", "7.0.0"},
		{">=7 <14", "7.0.0", false, false, "13.9.0", "14.0.0"},
		{"^6.0.0 || ^13.0.0", "6.0.0", false, false, "13.0.1", "7.0.0"},
		{"<8", "", false, false, "7.9.0", "8.0.0"},
		{"<=8", "", false, false, "8.9.0", "9.0.0"},
		{">8.1", "8.2.0", false, false, "8.2.0", "8.1.9"},
		{"1.2 - 2.3.4", "1.2.0", false, false, "2.3.4", "2.3.5"},
		{"*", "", false, false, "99.0.0", ""},
		{"", "", false, false, "99.0.0", ""},
		{"<0", "", false, false, "", "0.0.0"},
		{"<0.0.0", "", false, false, "", "99.0.0"},
		{"<*", "", false, false, "", "1.0.0"},
		{">x", "", false, false, "", "1.0.0"},
		{"<0 || 2", "", false, false, "2.1.0", "1.0.0"},
		{">=2 <1", "2.0.0", false, false, "", "1.5.0"},
	} {
		r, ok := app.ParseRange(test.spec)
		if !ok || r.Lowest.String() != test.lowest || r.One != test.one || r.Exact != test.exact {
			t.Errorf("%q: %v, %+v", test.spec, ok, r)
		}
		if test.yes != "" && !r.Allows(versionOf(t, test.yes)) || test.no != "" && r.Allows(versionOf(t, test.no)) {
			t.Errorf("%q: it must allow %q and not %q", test.spec, test.yes, test.no)
		}
	}
	for _, spec := range []string{"latest", "github:a/b", "file:../x", "npm:x@1.0.0", "a/b", "./x", "x.tgz",
		"https://a.example/x.git#v1.2.1", "1.2.3 x.tgz", "1.2.3/x", ">"} {
		if r, ok := app.ParseRange(spec); ok {
			t.Errorf("%q is no range: %+v", spec, r)
		}
	}
}

// The lowest version of a range between two versions.
func TestFirstOfARange(t *testing.T) {
	for _, test := range []struct{ spec, from, below, want string }{
		{"^4.0.0", "4.0.0", "4.2.0", "4.0.0"},
		{"^4.0.0", "4.2.0", "6.0.0", "4.2.0"},
		{"^4.0.0", "5.0.0", "", ""},
		{"^4.0.0", "3.0.0", "4.0.0", ""},
		{"^13.0.0 || ~6.1.0", "4.0.0", "", "6.1.0"},
		{"<0", "0.0.0", "", ""},
		{"*", "3.0.0", "3.1.0", "3.0.0"},
		{"<8", "0.0.0", "2.0.0", ""}, // which is 0.0.0
	} {
		r, _ := app.ParseRange(test.spec)
		below := policy.Version{}
		if test.below != "" {
			below = versionOf(t, test.below)
		}
		v, ok := r.First(versionOf(t, test.from), below)
		if v.String() != test.want || ok != (test.want != "" || test.spec == "<8") {
			t.Errorf("%s from %s below %s: %s, %v", test.spec, test.from, test.below, v, ok)
		}
	}
}

func versionOf(t *testing.T, text string) policy.Version {
	t.Helper()
	v, err := policy.ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What is known of a plugin is known of the package of its name on npm: of a fork, a
// folder or a file nothing is.
func TestKnownPluginFromElsewhere(t *testing.T) {
	const camera, webview = "cordova-plugin-camera", "cordova-plugin-ionic-webview"
	for _, spec := range []string{"github:evil/fork", "evil/fork", "file:../fork", "./fork", "npm:other@4.0.0",
		"https://a.example/cordova-plugin-ionic-webview.git#v1.2.1", "git+ssh://git@a.example/x.git#semver:^4.0.0",
		"fork.tgz", "other-plugin", "workspace:*"} {
		for _, id := range []string{camera, webview} {
			if known, ok := app.KnownPlugin(id, spec); ok {
				t.Errorf("%s from %s is known: %+v", id, spec, known)
			}
		}
		if missing := (&app.App{Plugins: []app.Plugin{{ID: camera, Spec: spec}}}).Missing(); len(missing) != 1 {
			t.Errorf("%s from %s must be missing", camera, spec)
		}
	}
	for spec, want := range map[string]string{
		"": "plugin.xml of 3.1.2, 4.0.0, 4.2.1 and 5.0.1", "latest": "plugin.xml of 3.1.2, 4.0.0, 4.2.1 and 5.0.1",
		"^1.2.1": "plugin.xml of 1.2.1", "~2.5": "plugin.xml of 2.5.3",
		">=4":    "plugin.xml of 3.1.2, 4.0.0, 4.2.1 and 5.0.1",
		">=1 <2": "plugin.xml of 1.2.1", ">=1": "", "^1.0.0 || ^4.0.0": "", "<5": "",
	} {
		if known, _ := app.KnownPlugin(webview, spec); known.Source != want {
			t.Errorf("%s: %q, want %q", spec, known.Source, want)
		}
	}
}

// Of a plugin that is in no table nothing is read: a project may name many, with long
// ranges.
func TestKnownPluginLooksForTheNameFirst(t *testing.T) {
	long := strings.Repeat("1||", 1000) + "1"
	if n := testing.AllocsPerRun(10, func() { app.KnownPlugin("cordova-plugin-other", long) }); n != 0 {
		t.Errorf("%v allocations for a plugin that is not known", n)
	}
	if _, ok := app.KnownPlugin("cordova-plugin-camera", long); !ok {
		t.Error("one that is known must be")
	}
}
