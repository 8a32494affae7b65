package up

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/internal/browsertest"
)

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
			_, _ = io.WriteString(w, `<!doctype html>`+
				`<meta http-equiv="Content-Security-Policy" content="default-src 'none'">`+
				`<title>Dev</title><script type="module">window.preamble = true</script><style>p{}</style>`+
				`<script type="module" src="/main.ts"></script>`)
		}
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server
}

// A development server's pages get the app's policy, and its WebSocket passes.
func TestUpAppURL(t *testing.T) {
	t.Parallel()
	server := startDevServer(t)
	u := start(t, Config{Dir: appDir(t, map[string]string{"capacitor.config.json": capacitorConfig}),
		AppURL: server.URL})
	if u.AppURL == nil || u.AppURL.String() != server.URL || u.Pages != "" {
		t.Errorf("the pages are those of %v, or in %q", u.AppURL, u.Pages)
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
	if err != nil || response.StatusCode != http.StatusOK || strings.Contains(string(body), "http-equiv") ||
		!strings.Contains(string(body), "<title>Dev") {
		t.Errorf("the page: %d %s %v", response.StatusCode, body, err)
	}
	csp := response.Header.Get("Content-Security-Policy")
	for _, want := range []string{"https://login.example.com", "script-src 'self' 'sha256-",
		"style-src 'self' 'unsafe-inline';", "report-to cordon"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy has no %q: %s", want, csp)
		}
	}
	if response.Header.Get("ETag") != "" || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the page may be kept with an old policy: %v", response.Header)
	}
	if status, header, body := apptest.Get(t, u.client(t, false), u.page+"main.ts"); status != http.StatusOK ||
		body != "window.module = true" || header.Get("Content-Security-Policy") != "" {
		t.Errorf("a module: %d %v %s", status, header, body)
	}
	if line := websocketLine(t, u.page, "live"); line != "HTTP/1.1 101 Switching Protocols" {
		t.Errorf("live reload's WebSocket gets %q", line)
	}
	server.CloseClientConnections()
	server.Close()
	if status, _, body := apptest.Get(t, u.client(t, false), u.page); status != http.StatusBadGateway ||
		!strings.Contains(body, "Start it (npm run dev), then load this page again.") {
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
	_, err = fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\n"+
		"Connection: Upgrade\r\nUpgrade: websocket\r\n"+
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

// A browser runs a development server's modules and its WebSocket under the app's
// policy, and what leaves the list is refused there too.
func TestUpAppURLInTheBrowser(t *testing.T) {
	t.Parallel()
	u := start(t, Config{Dir: appDir(t, map[string]string{"capacitor.config.json": capacitorConfig}),
		AppURL: startDevServer(t).URL})
	if testing.Short() {
		t.Skip("-short: the browser tests take half a minute")
	}
	p := browsertest.Open(t, browsertest.Proxy(u.Gateway.Host))
	p.Navigate(u.page + "go")
	p.WaitFor(`window.preamble === true && window.module === true`)
	if at := browsertest.Eval[string](p, "location.href"); at != u.page+"notes/1" {
		t.Errorf("a redirect of the development server leads to %s", at)
	}
	live := browsertest.Eval[string](p, `new Promise((said) => {
		const socket = new WebSocket("ws://" + location.host + "/live")
		socket.onmessage = (message) => { socket.close(); said("message") }
		socket.onerror = () => said("error")
	})`)
	if live != "message" {
		t.Errorf("live reload's WebSocket ends in a %s", live)
	}
	p.Expect(browsertest.Failed("https://tracker.example.net/"))
	refused := browsertest.Eval[string](p,
		`fetch("https://tracker.example.net/").then(() => "loaded", () => "refused")`)
	if refused != "refused" {
		t.Errorf("a host that is on no list was %s", refused)
	}
}

// A development server's redirects stay at the app's address.
func TestUpAppURLRedirects(t *testing.T) {
	t.Parallel()
	server := startDevServer(t)
	u := start(t, Config{Dir: appDir(t, map[string]string{"capacitor.config.json": capacitorConfig}),
		AppURL: server.URL})
	client := u.client(t, false)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for to, want := range map[string]string{
		server.URL + "/notes/1?a=b#c": "/notes/1?a=b#c", server.URL: "/", server.URL +
			"//evil.example/": "/evil.example/",
		"/notes/1": "/notes/1", "https://login.example.com/": "https://login.example.com/",
	} {
		response, err := client.Get(u.page + "go?to=" + strings.ReplaceAll(strings.ReplaceAll(to, "#", "%23"), "&",
			"%26"))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := response.Header.Get("Location"); got != want {
			t.Errorf("a redirect to %s leads to %s, want %s", to, got, want)
		}
	}
}
