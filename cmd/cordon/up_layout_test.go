package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// appDir writes files into a folder of the test's own.
func appDir(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "app")
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

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

// A Capacitor project runs without a config.xml: its pages are those of webDir,
// its rules are server.allowNavigation, and the terminal says so.
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
	port := freePort(t)
	u := startUp(t, dir, port)
	config := filepath.Join(dir, "capacitor.config.json")
	for _, want := range []string{
		"Notes: dist/ with the exported Content-Security-Policy\n",
		"enforces " + config + ": login.example.com, *.example.org, 10.0.2.2\n",
		"The rules are server.allowNavigation of " + config,
		"warning: " + config + `:9:24: server.allowNavigation "https://api.example.net" is ignored: ` +
			"it must be a host without a scheme, as in api.example.net\n",
		"warning: " + config + ": server.url is not used here: --app-url names a development server\n",
	} {
		if !strings.Contains(u.words.text(), want) {
			t.Errorf("it does not say %q:\n%s", want, u.words.text())
		}
	}
	direct := u.client(t, false)
	for path, want := range map[string]string{"": "Notes", "index.html": "Notes", "notes/7": "Notes",
		"assets/app.js": "1", "assets/same.js": "1"} {
		if status, _, body := fetch(t, direct, u.page+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("/%s: %d %s", path, status, body)
		}
	}
	for _, path := range []string{"assets/none.js", "capacitor.config.json", ".cordon/ca/ca.key",
		"assets/link.json", "up/capacitor.config.json", "up/.cordon/ca/ca.key"} {
		if status, _, body := fetch(t, direct, u.page+path); status != http.StatusNotFound {
			t.Errorf("/%s: %d %s", path, status, body)
		}
	}
	_, header, _ := fetch(t, direct, u.page)
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "https://*.example.org") || strings.Contains(csp, "api.example.net") {
		t.Errorf("the policy is %s", csp)
	}
	proxied := u.client(t, true)
	for host, verdict := range map[string]string{"login.example.com": "allow", "api.example.net": "block"} {
		if response, err := proxied.Get("https://" + host + "/"); err == nil {
			_ = response.Body.Close()
		}
		_, _, body := fetch(t, http.DefaultClient, u.console+"traffic?host="+host)
		if verdict == "allow" && !strings.Contains(body, `title="`+config+`:8:7"`) || verdict == "block" && !strings.Contains(body, "not-listed") {
			t.Errorf("%s, which should get %s: %s", host, verdict, body)
		}
	}
	rewrite(t, config, func(s string) string { return strings.Replace(s, `"dist",`, `"dist"`, 1) })
	if !u.words.wait("cordon: " + config + ":5:3: ") {
		t.Fatal(u.said())
	}
	rewrite(t, config, func(string) string { return strings.Replace(capacitorConfig, "login.", "signin.", 1) })
	if !u.words.wait("cordon: " + config + " was read again: its rules are in force\n") {
		t.Fatal(u.said())
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
		"package.json": "{}", "index.html": "<!doctype html><title>Source</title>", "dist/index.html": "<!doctype html><title>Built</title>",
		"config.xml": `<widget id="a.b" xmlns="http://www.w3.org/ns/widgets"><name>Built</name><access origin="https://api.example.com"/></widget>`,
	})
	u := startUp(t, dir, freePort(t))
	for path, want := range map[string]int{"": http.StatusOK, "orders/7": http.StatusOK, "main.js": http.StatusNotFound} {
		status, header, body := fetch(t, u.client(t, false), u.page+path)
		if status != want || want == http.StatusOK && (!strings.Contains(body, "<title>Built") || !strings.Contains(header.Get("Content-Security-Policy"), "https://api.example.com")) {
			t.Errorf("/%s: %d %s", path, status, body)
		}
	}
}

// Most Capacitor projects have a configuration in TypeScript that is one object.
func TestUpCapacitorInTypeScript(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{
		"capacitor.config.ts": "import type { CapacitorConfig } from '@capacitor/cli';\n\nconst config: CapacitorConfig = {\n  appName: 'Notes\\x07', // not 'login.example.com'\n" +
			"  webDir: 'www',\n  server: { allowNavigation: ['login.example.com'] }, // 'login.example.com'\n};\n\nexport default config;\n",
		"www/index.html": "<!doctype html><title>Notes</title>",
	})
	u := startUp(t, dir, freePort(t))
	config := filepath.Join(dir, "capacitor.config.ts")
	if want := "enforces " + config + ": login.example.com\n"; !strings.Contains(u.words.text(), want) {
		t.Errorf("it does not say %q:\n%s", want, u.words.text())
	}
	if response, err := u.client(t, true).Get("https://login.example.com/"); err == nil {
		_ = response.Body.Close()
	}
	if _, _, body := fetch(t, http.DefaultClient, u.console+"traffic?host=login.example.com"); !strings.Contains(body, `title="`+config+`:6:31"`) {
		t.Errorf("the place of the rule is another: %s", body)
	}
}

// startDevServer is a development server: a page with scripts of its own, and a
// WebSocket for live reload.
func startDevServer(t testing.TB) *httptest.Server {
	t.Helper()
	standIn := newStandIn(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own := r.Host == r.Context().Value(http.LocalAddrContextKey).(net.Addr).String()
		switch {
		case !own || r.Header.Get("Origin") != "" && r.Header.Get("Origin") != "http://"+r.Host:
			http.Error(w, "foreign host or origin", http.StatusForbidden)
		case r.URL.Path == "/live":
			standIn.ServeHTTP(w, r)
		case r.URL.Path == "/go":
			to := r.FormValue("to")
			if to == "" {
				to = "http://" + r.Host + "/notes/1"
			}
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/main.ts":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, "window.module = true")
		case r.Header.Get("If-None-Match") != "":
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("ETag", `"1"`)
			_, _ = io.WriteString(w, `<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none'">`+
				`<title>Dev</title><script type="module">window.preamble = true</script><style>p{}</style><script type="module" src="/main.ts"></script>`)
		}
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server
}

// A development server's pages get the app's policy, and its WebSocket passes.
func TestUpAppURL(t *testing.T) {
	t.Parallel()
	server := startDevServer(t)
	dir := appDir(t, map[string]string{"capacitor.config.json": capacitorConfig})
	port := freePort(t)
	u := startUp(t, dir, port, "--app-url", server.URL)
	if want := "Notes: " + server.URL + " behind the exported Content-Security-Policy\n"; !strings.Contains(u.words.text(), want) {
		t.Errorf("it does not say %q:\n%s", want, u.words.text())
	}
	request, err := http.NewRequest(http.MethodGet, u.page+"notes/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Dest", "document")
	request.Header.Set("If-None-Match", `"1"`)
	response, err := u.client(t, false).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK || strings.Contains(string(body), "http-equiv") || !strings.Contains(string(body), "<title>Dev") {
		t.Errorf("the page: %d %s %v", response.StatusCode, body, err)
	}
	csp := response.Header.Get("Content-Security-Policy")
	for _, want := range []string{"https://login.example.com", "script-src 'self' 'sha256-", "style-src 'self' 'unsafe-inline';", "report-to cordon"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy has no %q: %s", want, csp)
		}
	}
	if response.Header.Get("ETag") != "" || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the page may be kept with an old policy: %v", response.Header)
	}
	if status, header, body := fetch(t, u.client(t, false), u.page+"main.ts"); status != http.StatusOK || body != "window.module = true" || header.Get("Content-Security-Policy") != "" {
		t.Errorf("a module: %d %v %s", status, header, body)
	}
	if line := websocketLine(t, u.page, "live"); line != "HTTP/1.1 101 Switching Protocols" {
		t.Errorf("live reload's WebSocket gets %q", line)
	}
	server.CloseClientConnections()
	server.Close()
	if status, _, body := fetch(t, u.client(t, false), u.page); status != http.StatusBadGateway || !strings.Contains(body, "Start it (npm run dev), then load this page again.") {
		t.Errorf("without the development server: %d %s", status, body)
	}
}

// websocketLine asks for a WebSocket as a page does, and returns the first line
// of the answer.
func websocketLine(t testing.TB, page, path string) string {
	t.Helper()
	at, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", at.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", path, at.Host, at.Host)
	if err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 512)
	n, err := conn.Read(head)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(head[:n]), "\r\n")
	return line
}

// What is wrong with a folder or a flag is said before anything starts.
func TestUpRefusals(t *testing.T) {
	t.Parallel()
	without := appDir(t, map[string]string{"capacitor.config.json": capacitorConfig})
	file := filepath.Join(appDir(t, map[string]string{"a.txt": ""}), "a.txt")
	malformed := appDir(t, map[string]string{"config.xml": `<widget><access origin="x"`})
	cut := appDir(t, map[string]string{"capacitor.config.json": `{"webDir":`})
	computed := appDir(t, map[string]string{"capacitor.config.ts": "export default make()"})
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{filepath.Join(without, "none")}, "none: no such folder"},
		{[]string{file}, "this is a file, not an app's folder"},
		{[]string{malformed}, filepath.Join(malformed, "config.xml") + ":1:9: "},
		{[]string{cut}, filepath.Join(cut, "capacitor.config.json") + ":1:10: it is not valid JSON"},
		{[]string{computed}, filepath.Join(computed, "capacitor.config.ts") + ": line 1: "},
		{[]string{without, "--port", "99999"}, "--port 99999: it must be a port from 0 to 65535"},
		{[]string{without, "--admin-port", "-1"}, "--admin-port -1: it must be a port"},
		{[]string{without, "--platform", "beos"}, `no platform "beos"`},
		{[]string{without, "--private", "x"}, "--private"},
		{[]string{without}, "there are no built pages (looked for dist"},
		{[]string{without, "--app-url", "https://localhost:5173"}, "must be asked over http"},
		{[]string{without, "--app-url", "http://192.168.1.5:5173"}, "must run on this machine"},
		{[]string{without, "--app-url", "http://localhost:5173/app"}, "a scheme, a host and a port alone"},
		{[]string{without, "--app-url", "localhost:5173"}, "it must be an address, as in http://localhost:5173"},
	} {
		var out bytes.Buffer
		status := execute(t.Context(), append([]string{"up"}, test.args...), strings.NewReader(""), &out, &out)
		if status != exitUsage || !strings.Contains(out.String(), test.want) {
			t.Errorf("%v: status %d, %s", test.args, status, out.String())
		}
	}
}
