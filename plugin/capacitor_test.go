package plugin_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/lane"
)

// Capacitor's own command line runs the package's scripts: the check before it
// copies the pages, the exports after.
func TestCapacitor(t *testing.T) {
	lane.Real(t)
	t.Parallel()
	tc := newToolchain(t)
	tarball := pack(t)
	app := t.TempDir()
	write(t, app, "package.json", `{"private": true}`)
	out, err := command(t, app, tc.env, "npm", "install", "@capacitor/cli@"+capacitorRelease,
		"@capacitor/core@"+capacitorRelease, "@capacitor/android@"+capacitorRelease, tarball).CombinedOutput()
	if err != nil {
		tc.unreachable(t, "npm install @capacitor/cli", out, err)
	}
	write(t, app, "capacitor.config.json", `{"appId": "org.example.app", "appName": "App", "webDir": "www"}`)
	write(t, app, "www/index.html", "<!doctype html><html><head><title>t</title></head><body></body></html>")
	write(t, app, "config.xml", fmt.Sprintf(appConfig, ""))
	capacitor := func(args ...string) (string, error) {
		out, err := command(t, app, tc.env, filepath.Join(app, "node_modules/.bin/cap"), args...).CombinedOutput()
		return string(out), err
	}
	if out, err := capacitor("add", "android"); err != nil {
		t.Fatalf("cap add android: %v\n%s", err, out)
	}
	base := "android/app/src/main/"
	if page := read(t, app, base+"assets/public/index.html"); !strings.Contains(page, connect+";") {
		t.Errorf("the page:\n%s", page)
	}
	if manifest := read(t, app, base+"AndroidManifest.xml"); strings.Count(manifest,
		"@xml/network_security_config") != 1 {
		t.Errorf("the manifest:\n%s", manifest)
	}
	if nsc := read(t, app, base+"res/xml/network_security_config.xml"); !strings.Contains(nsc,
		"C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=") {
		t.Errorf("the network security configuration:\n%s", nsc)
	}
	if settings := read(t, app,
		base+"assets/public/plugins/cordova-plugin-cordon/www/settings.js"); !strings.Contains(settings,
		`"enforced":"native"`) {
		t.Errorf("the settings:\n%s", settings)
	}
	write(t, app, "config.xml", fmt.Sprintf(appConfig, `<access origin="*" />`))
	write(t, app, "www/later.html", "<!doctype html><html><head></head></html>")
	// cap copy says what failed and goes on to other platforms; its status is
	// 0 all the same.
	if out, _ := capacitor("copy", "android"); !strings.Contains(out, "config.xml:12:5: high:") ||
		!strings.Contains(out, "remedy: ") || !strings.Contains(out, "copy android - failed") {
		t.Errorf("cap copy with a bad list:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(app, base, "assets/public/later.html")); err == nil {
		t.Error("pages were copied although the check failed")
	}
}
