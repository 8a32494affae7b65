package up

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/server"
)

const capacitorConfig = `{
  "appId": "com.example.notes",
  "appName": "Notes",
  "webDir": "dist",
  "server": {
    "url": "http://192.168.1.5:8100",
    "allowNavigation": [
      "login.example.com",
      "*.example.org", "https://api.example.net", "10.0.2.2"
    ]
  }
}
`

// A Capacitor project runs without a config.xml: its pages are those of webDir, its
// rules are server.allowNavigation, and the summary says so.
func TestUpCapacitor(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{
		"capacitor.config.json": capacitorConfig,
		"package.json":          `{"name":"notes","dependencies":{"@capacitor/core":"7.0.0"}}`,
		"dist/index.html":       "<!doctype html><title>Notes</title><base href=\"/\">",
		"dist/assets/app.js":    "1",
	})
	link(t, filepath.Join(dir, "capacitor.config.json"), filepath.Join(dir, "dist/assets/link.json"))
	link(t, "..", filepath.Join(dir, "dist/up"))
	link(t, "app.js", filepath.Join(dir, "dist/assets/same.js"))
	u := start(t, Config{Dir: dir})
	config := filepath.Join(dir, "capacitor.config.json")
	if u.Name != "Notes" || u.Pages != "dist" || u.AppURL != nil || u.Rules != config || !u.Capacitor {
		t.Errorf("it runs %q with the pages %q and the rules of %q (Capacitor: %v)", u.Name, u.Pages, u.Rules,
			u.Capacitor)
	}
	if want := []string{"login.example.com", "*.example.org", "10.0.2.2"}; !slices.Equal(u.Reaches, want) {
		t.Errorf("it reaches %q, want %q", u.Reaches, want)
	}
	warnings := []string{
		config + `:9:24: server.allowNavigation "https://api.example.net" is ignored: ` +
			"it must be a host without a scheme, as in api.example.net",
		config + ": server.url is not used here: --app-url names a development server",
	}
	if !slices.Equal(u.Warnings, warnings) {
		t.Errorf("it warns %q, want %q", u.Warnings, warnings)
	}
	direct := u.client(t, false)
	for path, want := range map[string]string{"": "Notes", "index.html": "Notes", "notes/7": "Notes",
		"assets/app.js": "1", "assets/same.js": "1"} {
		if status, _, body := apptest.Get(t, direct, u.page+path); status != http.StatusOK ||
			!strings.Contains(body, want) {
			t.Errorf("/%s: %d %s", path, status, body)
		}
	}
	for _, path := range []string{"assets/none.js", "capacitor.config.json", ".cordon/ca/ca.key",
		"assets/link.json", "up/capacitor.config.json", "up/.cordon/ca/ca.key"} {
		if status, _, body := apptest.Get(t, direct, u.page+path); status != http.StatusNotFound {
			t.Errorf("/%s: %d %s", path, status, body)
		}
	}
	_, header, _ := apptest.Get(t, direct, u.page)
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "https://*.example.org") ||
		strings.Contains(csp, "api.example.net") {
		t.Errorf("the policy is %s", csp)
	}
	proxied := u.client(t, true)
	for host, verdict := range map[string]string{"login.example.com": "allow", "api.example.net": "block"} {
		if response, err := proxied.Get("https://" + host + "/"); err == nil {
			_ = response.Body.Close()
		}
		_, _, body := apptest.Get(t, http.DefaultClient, u.console+"traffic?host="+host)
		if verdict == "allow" && !strings.Contains(body, `title="`+config+`:8:7"`) || verdict == "block" &&
			!strings.Contains(body, "not-listed") {
			t.Errorf("%s, which should get %s: %s", host, verdict, body)
		}
	}
	apptest.Rewrite(t, config, func(s string) string { return strings.Replace(s, `"dist",`, `"dist"`, 1) })
	if n := u.told(t); n.Kind != RulesRefused || !strings.HasPrefix(n.Text, config+":5:3: ") {
		t.Errorf("it told %+v", n)
	}
	apptest.Rewrite(t, config, func(string) string { return strings.Replace(capacitorConfig, "login.", "signin.", 1) })
	if got, want := u.told(t), (Notice{Kind: RulesInForce, File: config}); got != want {
		t.Errorf("it told %+v, want %+v", got, want)
	}
}

// Beside a config.xml, which Capacitor does not read, its own configuration still says
// which pages open inside: the gateway lets them through, and no page gets more by it.
func TestUpCapacitorWithConfig(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{
		"capacitor.config.json": strings.Replace(capacitorConfig, `"url"`, `"androidScheme": "http", "old"`, 1),
		"package.json":          `{"dependencies":{"@capacitor/android":"7.0.0","@capacitor/ios":"7.0.0"}}`,
		"dist/index.html":       "<!doctype html><title>Notes</title>",
		"config.xml": `<widget xmlns="http://www.w3.org/ns/widgets">` + "\n" +
			`<access origin="https://api.example.com"/></widget>`,
	})
	u := start(t, Config{Dir: dir})
	config := filepath.Join(dir, "capacitor.config.json")
	if want := []string{"api.example.com", "login.example.com", "*.example.org", "10.0.2.2"}; !slices.Equal(u.Reaches,
		want) || u.Capacitor {
		t.Errorf("it reaches %q, want %q (by Capacitor's own list: %v)", u.Reaches, want, u.Capacitor)
	}
	warning := config + `:9:24: server.allowNavigation "https://api.example.net" is ignored: ` +
		"it must be a host without a scheme, as in api.example.net"
	if !slices.Equal(u.Warnings, []string{warning}) {
		t.Errorf("it warns %q, want %q", u.Warnings, warning)
	}
	var device []string
	for _, d := range u.Device {
		device = append(device, d.Origin+" "+d.Target.Platform)
	}
	if want := []string{"http://localhost capacitor-android", "capacitor://localhost capacitor-ios"}; !slices.Equal(
		device, want) {
		t.Errorf("on devices the pages are at %q, want %q", device, want)
	}
	_, header, _ := apptest.Get(t, u.client(t, false), u.page)
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "https://api.example.com") ||
		strings.Contains(csp, "login.example.com") {
		t.Errorf("the policy is %s", csp)
	}
	proxied := u.client(t, true)
	for host, place := range map[string]string{"login.example.com": config + ":8:7", "sub.example.org": config + ":9:7",
		"api.example.com": filepath.Join(dir, "config.xml") + ":2:1"} {
		if response, err := proxied.Get("https://" + host + "/"); err == nil {
			_ = response.Body.Close()
		}
		_, _, body := apptest.Get(t, http.DefaultClient, u.console+"traffic?host="+host)
		if !strings.Contains(body, `title="`+place+`"`) {
			t.Errorf("%s is not let through by %s: %s", host, place, body)
		}
	}
}

// link makes a symbolic link.
func link(t testing.TB, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

// A built web app with a config.xml runs from its usual output, with its own
// routes.
func TestUpBuiltWebApp(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{
		"package.json": "{}", "index.html": "<!doctype html><title>Source</title>",
		"dist/index.html": "<!doctype html><title>Built</title>",
		"config.xml": `<widget id="a.b" xmlns="http://www.w3.org/ns/widgets"><name>Built</name>` +
			`<access origin="https://api.example.com"/></widget>`,
	})
	u := start(t, Config{Dir: dir})
	for path, want := range map[string]int{"": http.StatusOK, "orders/7": http.StatusOK,
		"main.js": http.StatusNotFound} {
		status, header, body := apptest.Get(t, u.client(t, false), u.page+path)
		if status != want || want == http.StatusOK && (!strings.Contains(body, "<title>Built") ||
			!strings.Contains(header.Get("Content-Security-Policy"), "https://api.example.com")) {
			t.Errorf("/%s: %d %s", path, status, body)
		}
	}
}

// Most Capacitor projects have a configuration in TypeScript that is one object.
func TestUpCapacitorInTypeScript(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{
		"capacitor.config.ts": "import type { CapacitorConfig } from '@capacitor/cli';\n\n" +
			"const config: CapacitorConfig = {\n" +
			"  appName: 'Notes\\x07', // not 'login.example.com'\n" +
			"  webDir: 'www',\n  server: { allowNavigation: ['login.example.com'] }, // 'login.example.com'\n};\n\n" +
			"export default config;\n",
		"www/index.html": "<!doctype html><title>Notes</title>",
	})
	u := start(t, Config{Dir: dir})
	config := filepath.Join(dir, "capacitor.config.ts")
	if !slices.Equal(u.Reaches, []string{"login.example.com"}) || u.Rules != config {
		t.Errorf("it reaches %q by %s", u.Reaches, u.Rules)
	}
	if response, err := u.client(t, true).Get("https://login.example.com/"); err == nil {
		_ = response.Body.Close()
	}
	_, _, body := apptest.Get(t, http.DefaultClient, u.console+"traffic?host=login.example.com")
	if !strings.Contains(body, `title="`+config+`:6:31"`) {
		t.Errorf("the place of the rule is another: %s", body)
	}
}

// What is wrong with a folder is said before anything is made in it.
func TestUpRefusals(t *testing.T) {
	t.Parallel()
	without := appDir(t, map[string]string{"capacitor.config.json": capacitorConfig})
	file := filepath.Join(appDir(t, map[string]string{"a.txt": ""}), "a.txt")
	malformed := appDir(t, map[string]string{"config.xml": `<widget><access origin="x"`})
	settings := appDir(t, map[string]string{
		"config.xml": `<widget><name>A</name></widget>`, "www/index.html": "", "cordon.yaml": "servr: {}\n"})
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{Dir: filepath.Join(without, "none")}, "none: no such folder"},
		{Config{Dir: file}, "this is a file, not an app's folder"},
		{Config{Dir: malformed}, filepath.Join(malformed, "config.xml") + ":1:9: "},
		{Config{Dir: settings}, `unknown field "servr"`},
		{Config{Dir: without, Platform: "beos"}, `no platform "beos"`},
		{Config{Dir: without},
			`there are no built pages: "dist", the webDir of capacitor.config.json, is not there: ` +
				"build them (npm run build), or name the development server"},
		{Config{Dir: without, AppURL: "https://localhost:5173"},
			`the development server "https://localhost:5173": the development server must be asked over http`},
		{Config{Dir: without, AppURL: "http://192.168.1.5:5173"}, "must run on this machine"},
		{Config{Dir: without, AppURL: "http://localhost:5173/app"}, "a scheme, a host and a port alone"},
		{Config{Dir: without, AppURL: "localhost:5173"}, "it must be an address, as in http://localhost:5173"},
	} {
		_, err := Open(t.Context(), test.config)
		var failure *server.EnvironmentError
		if err == nil || !strings.Contains(err.Error(), test.want) || errors.As(err, &failure) {
			t.Errorf("%+v: %v, want %q", test.config, err, test.want)
		}
		if _, err := os.Stat(filepath.Join(test.config.Dir, ".cordon")); err == nil {
			t.Errorf("%+v: it left a folder .cordon", test.config)
		}
	}
}
