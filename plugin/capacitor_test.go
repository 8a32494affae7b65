package plugin_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cordon-sec/cordon/internal/lane"
)

// capacitorApp is a project of Capacitor's own command line, from npm.
type capacitorApp struct {
	tc       toolchain
	dir, web string // web is the folder of the pages
}

// capacitorInstalled holds Capacitor with both of its platforms, and the package,
// which are installed once for all tests.
var capacitorInstalled struct {
	sync.Mutex
	dir string
}

// newCapacitorApp makes a project with Capacitor and the package installed.
func newCapacitorApp(t *testing.T, web string) *capacitorApp {
	t.Helper()
	a := &capacitorApp{tc: newToolchain(t), dir: t.TempDir(), web: web}
	if err := os.CopyFS(a.dir, os.DirFS(installCapacitor(t, a.tc))); err != nil {
		t.Fatal(err)
	}
	write(t, a.dir, web+"/index.html", "<!doctype html><html><head><title>t</title></head><body></body></html>")
	return a
}

// installCapacitor returns the folder of what is installed, beside the package.
func installCapacitor(t *testing.T, tc toolchain) string {
	t.Helper()
	tarball := pack(t)
	capacitorInstalled.Lock()
	defer capacitorInstalled.Unlock()
	if capacitorInstalled.dir != "" {
		return capacitorInstalled.dir
	}
	dir := filepath.Join(filepath.Dir(tarball), "capacitor")
	write(t, dir, "package.json", `{"private": true}`)
	packages := []string{"install", "typescript@" + typescriptRelease, tarball}
	for _, part := range []string{"cli", "core", "android", "ios"} {
		packages = append(packages, "@capacitor/"+part+"@"+capacitorRelease)
	}
	if out, err := command(t, dir, tc.env, "npm", packages...).CombinedOutput(); err != nil {
		tc.unreachable(t, "npm install @capacitor/cli", out, err)
	}
	capacitorInstalled.dir = dir
	return dir
}

// cap runs the command line of Capacitor as npx does.
func (a *capacitorApp) cap(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := command(t, a.dir, a.tc.env, filepath.Join(a.dir, "node_modules/.bin/cap"), args...).CombinedOutput()
	return string(out), err
}

// must runs a command that has to succeed.
func (a *capacitorApp) must(t *testing.T, args ...string) {
	t.Helper()
	if out, err := a.cap(t, args...); err != nil || strings.Contains(out, "[error]") {
		t.Fatalf("cap %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// refused requires that a command fails with what was wrong, once, and without a
// stack trace, and that it copies nothing.
func (a *capacitorApp) refused(t *testing.T, want string, args ...string) {
	t.Helper()
	name := "cap " + strings.Join(args, " ")
	write(t, a.dir, a.web+"/later.html", "<!doctype html><html><head></head></html>")
	out, err := a.cap(t, args...)
	if err == nil {
		t.Errorf("%s ended well:\n%s", name, out)
	}
	if strings.Count(out, "Cordon: ") != 1 || !strings.Contains(out, want) {
		t.Errorf("%s does not say %q once:\n%s", name, want, out)
	}
	if strings.Contains(out, "    at ") || strings.Contains(out, "rror:") {
		t.Errorf("%s shows a stack trace:\n%s", name, out)
	}
	for _, folder := range []string{"android/app/src/main/assets/public", "ios/App/App/public"} {
		if _, err := os.Stat(filepath.Join(a.dir, folder, "later.html")); err == nil {
			t.Errorf("%s copied pages to %s", name, folder)
		}
	}
	if err := os.Remove(filepath.Join(a.dir, a.web, "later.html")); err != nil {
		t.Fatal(err)
	}
}

const noPolicy = "Cordon: there is no config.xml in the project's folder"

// Capacitor's own command line runs the package's scripts: the check before it
// copies the pages, the exports after. Without a policy, or with one that does not
// hold, it fails.
func TestCapacitor(t *testing.T) {
	lane.Real(t)
	t.Parallel()
	a := newCapacitorApp(t, "www")
	write(t, a.dir, "capacitor.config.json", `{"appId": "org.example.app", "appName": "App", "webDir": "www"}`)
	write(t, a.dir, "config.xml", fmt.Sprintf(appConfig, ""))
	// Without CocoaPods, as here, cap add ios leaves out pod install and says so.
	a.must(t, "add", "android")
	a.exported(t, false)
	for _, args := range [][]string{{"add", "ios"}, {"sync"}, {"copy"}} {
		a.must(t, args...)
		a.exported(t, true)
	}
	for _, args := range [][]string{{"sync"}, {"copy", "android"}, {"update", "android"}} {
		if err := os.Rename(filepath.Join(a.dir, "config.xml"), filepath.Join(a.dir, "kept.xml")); err != nil {
			t.Fatal(err)
		}
		a.refused(t, noPolicy, args...)
		if err := os.Rename(filepath.Join(a.dir, "kept.xml"), filepath.Join(a.dir, "config.xml")); err != nil {
			t.Fatal(err)
		}
	}
	write(t, a.dir, "config.xml", fmt.Sprintf(appConfig, `<access origin="*" />`))
	for _, args := range [][]string{{"sync"}, {"copy", "ios"}} {
		a.refused(t, "config.xml:12:5: high: ", args...)
	}
	write(t, a.dir, "config.xml", fmt.Sprintf(appConfig, ""))
	// A fresh clone has no copied pages: they are not kept in version control.
	if err := os.RemoveAll(filepath.Join(a.dir, "android/app/src/main/assets/public")); err != nil {
		t.Fatal(err)
	}
	a.must(t, "update", "android")
	a.must(t, "sync")
	a.exported(t, true)
}

// exported requires the policy in what was copied: for Android, and for iOS too if
// that was added.
func (a *capacitorApp) exported(t *testing.T, ios bool) {
	t.Helper()
	base := "android/app/src/main/"
	const pin = "C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M="
	wanted := map[string]string{
		base + "assets/public/index.html":                                    connect + ";",
		base + "AndroidManifest.xml":                                         "@xml/network_security_config",
		base + "res/xml/network_security_config.xml":                         pin,
		base + "assets/public/plugins/cordova-plugin-cordon/www/settings.js": `"enforced":"native"`,
	}
	if ios {
		wanted["ios/App/App/public/index.html"] = connect + ";"
		wanted["ios/App/App/Info.plist"] = pin
		wanted["ios/App/App/public/plugins/cordova-plugin-cordon/www/settings.js"] = `"enforced":"unverified"`
	}
	for name, want := range wanted {
		if text := read(t, a.dir, name); strings.Count(text, want) != 1 {
			t.Errorf("%s has not %q once:\n%s", name, want, text)
		}
	}
}

// addWithSwiftPackages adds iOS with Swift packages. Capacitor 7.6.9 writes the right
// project, but goes on as if it were one of CocoaPods (it compares the word in lower
// case with SPM), and ends for want of a Podfile. Later commands look at the project.
func (a *capacitorApp) addWithSwiftPackages(t *testing.T) {
	t.Helper()
	out, err := a.cap(t, "add", "ios", "--packagemanager", "SPM")
	if err != nil && !strings.Contains(out, "ios/App/Podfile'") {
		t.Fatalf("cap add ios --packagemanager SPM: %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(a.dir, "ios/App/CapApp-SPM/Package.swift")); err != nil {
		t.Fatalf("the project has no Swift packages: %v\n%s", err, out)
	}
}

// A configuration that is code, whose webDir is computed: Capacitor says where the
// pages are. iOS with Swift packages has the same places.
func TestCapacitorInTypeScript(t *testing.T) {
	lane.Real(t)
	t.Parallel()
	a := newCapacitorApp(t, "out")
	write(t, a.dir, "capacitor.config.ts", "import type { CapacitorConfig } from '@capacitor/cli';\n\n"+
		"const config: CapacitorConfig = {\n  appId: 'org.example.app',\n  appName: 'App',\n"+
		"  webDir: ['o', 'ut'].join(''),\n};\n\nexport default config;\n")
	write(t, a.dir, "config.xml", fmt.Sprintf(appConfig, ""))
	a.must(t, "add", "android")
	a.addWithSwiftPackages(t)
	a.must(t, "sync")
	a.exported(t, true)
	// What the pages do is looked at, wherever they are.
	write(t, a.dir, "out/app.js", "cordovaHTTP.acceptAllCerts(true)")
	a.refused(t, "out/app.js:1:", "copy")
	if err := os.Remove(filepath.Join(a.dir, "out/app.js")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(a.dir, "config.xml")); err != nil {
		t.Fatal(err)
	}
	a.refused(t, noPolicy, "sync")
}
