package plugins_test

import (
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/plugins"
)

// What is known of a plugin is known of the package of its name on npm: of a fork, a
// folder or a file nothing is.
func TestKnownPluginFromElsewhere(t *testing.T) {
	const camera, webview = "cordova-plugin-camera", "cordova-plugin-ionic-webview"
	for _, spec := range []string{"github:evil/fork", "evil/fork", "file:../fork", "./fork", "npm:other@4.0.0",
		"https://a.example/cordova-plugin-ionic-webview.git#v1.2.1", "git+ssh://git@a.example/x.git#semver:^4.0.0",
		"fork.tgz", "other-plugin", "workspace:*"} {
		for _, id := range []string{camera, webview} {
			if known, ok := plugins.At(id, spec); ok {
				t.Errorf("%s from %s is known: %+v", id, spec, known)
			}
		}
		if missing := (&app.App{Plugins: []app.Plugin{{ID: camera, Spec: spec}}}).Missing(); len(missing) != 1 {
			t.Errorf("%s from %s must be missing", camera, spec)
		}
	}
	for spec, want := range map[string]string{
		"": "5.0.1", "latest": "5.0.1", "^1.2.1": "1.2.1", "~2.5": "2.5.3", ">=4": "5.0.1", ">=1 <2": "1.2.1",
		">=1": "", "^1.0.0 || ^4.0.0": "", "<5": "",
	} {
		if known, _ := plugins.At(webview, spec); !strings.HasSuffix(known.Source, want) ||
			(want == "") != (known.Source == "") {
			t.Errorf("%s: %q, want one of %q", spec, known.Source, want)
		}
	}
}

// TestNewest: what is known of one version, and of the newest.
func TestNewest(t *testing.T) {
	for version, want := range map[string]string{"1.9.9": "http", "2.0.0": "http", "3.0.0": "ionic", "9.0.0": "ionic",
		"0.0.0": "ionic"} {
		v, err := policy.ParseVersion(version)
		if err != nil {
			t.Fatal(err)
		}
		row, _ := plugins.Newest(plugins.IonicWebView, v)
		if served, ok := row.On("ios"); !ok || served.Scheme != want {
			t.Errorf("%s: %+v", version, served)
		}
	}
	if row, ok := plugins.Newest("cordova-plugin-x", policy.Version{}); ok {
		t.Errorf("%+v", row)
	}
	var bring []string
	for _, id := range []string{plugins.IonicWebView, "cordova-plugin-wkwebview-engine", "cordova-plugin-camera",
		"cordova-plugin-wkwebview-file-xhr", "cordova-plugin-wkwebview-ionic-xhr", "cordova-plugin-whitelist"} {
		if plugins.BringsWKWebView(id) {
			bring = append(bring, id)
		}
	}
	if len(bring) != 4 || bring[2] != "cordova-plugin-wkwebview-file-xhr" {
		t.Errorf("these bring WKWebView: %v", bring)
	}
}

// Of a plugin that is in no table nothing is read: a project may name many, with long
// ranges.
func TestKnownPluginLooksForTheNameFirst(t *testing.T) {
	long := strings.Repeat("1||", 1000) + "1"
	if n := testing.AllocsPerRun(10, func() { plugins.At("cordova-plugin-other", long) }); n != 0 {
		t.Errorf("%v allocations for a plugin that is not known", n)
	}
	if _, ok := plugins.At("cordova-plugin-camera", long); !ok {
		t.Error("one that is known must be")
	}
}
