package clienttest

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/server"

	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/proctest"
	"github.com/cordon-sec/cordon/settings"
)

// openIDProvider starts the independent provider and returns its issuer.
func openIDProvider(t *testing.T, modules, redirect string) string {
	t.Helper()
	node := exec.Command("node", "provider.mjs", modules, redirect)
	stdin, err := node.StdinPipe() // it ends with its input
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close() })
	return proctest.Start(t, node).Line(anAddress)
}

// anAddress finds a line that is an address.
func anAddress(line string) string {
	if !strings.HasPrefix(line, "http") {
		return ""
	}
	return strings.TrimSpace(line)
}

// secureBackend runs a backend with TLS by the development authority. It returns
// its URL and what Chromium needs to trust it: the hash of its key.
func secureBackend(t *testing.T, port, issuer, origin string) (address, spki string) {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(upstream.Close)
	t.Setenv("CORDON_TEST_KEY", strings.Repeat("0123456789abcdef", 4))
	t.Setenv("CORDON_TEST_SECRET", "provider-secret")
	dir := t.TempDir()
	file := filepath.Join(dir, "cordon.yaml")
	config := fmt.Sprintf(`server: { listen: "127.0.0.1:%s", url: "https://localhost:%s", tls: development, cors: [localhost] }
database: "sqlite:./cordon.db"
identity:
  signing_key: "env:CORDON_TEST_KEY"
  redirects: [%q]
  providers:
    google: { type: development }
    op: { type: oidc, issuer: %q, client_id: cordon, client_secret: "env:CORDON_TEST_SECRET", scopes: [openid, email, profile, offline_access], parameters: { prompt: consent } }
services:
  echo: { upstream: %q, access: authenticated }
tables:
  secret: { columns: {text: string}, access: authenticated, per_user: true }
`, port, port, origin, issuer, upstream.URL)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := settings.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	log := &strings.Builder{}
	b, err := server.Open(t.Context(), s, server.Options{Stdout: io.Discard, Stderr: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- b.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the backend said: %s", log.String())
		}
	})
	return "https://localhost:" + port, keyHash(t, dir, port)
}

// keyHash connects as a client that trusts the development authority, and
// returns the hash of the server's key.
func keyHash(t *testing.T, dir, port string) string {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(dir, ".cordon", "ca", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("the authority's file holds no certificate")
	}
	conn, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: pool, ServerName: "localhost"})
	if err != nil {
		t.Fatalf("whoever trusts the authority does not trust the server: %v", err)
	}
	defer conn.Close()
	sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// appPage serves the app's page under another origin than the backend's.
func appPage(t *testing.T, script string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/login.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, script) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><button id="in">Sign in</button>
<p id="user"></p><p id="row"></p><p id="api"></p><p id="renewed"></p><p id="me"></p><p id="end"></p><script src="/login.js"></script>`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// TestLogin signs in with the original client, in a real browser, over TLS: by a
// popup and, as Cordova apps do, by the fragment; at an independent provider with
// its own pages and at the development provider.
func TestLogin(t *testing.T) {
	lane.Real(t)
	dir := modules(t)
	browsertest.Find(t)
	script := bundle(t, dir, "login.js")
	for _, c := range []struct {
		name, provider, cordova string
		user                    string
		me                      string
	}{
		{"popup at the provider", "op", "", "ann", "op ann@example.org true"},
		{"fragment at the provider", "op", "1", "ann", "op ann@example.org true"},
		{"popup in development", "google", "", "", "google developer@localhost false"},
		{"fragment in development", "google", "1", "", "google developer@localhost false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := appPage(t, script)
			origin := strings.Replace(app.URL, "127.0.0.1", "localhost", 1)
			port := proctest.FreePort(t)
			issuer := openIDProvider(t, dir, "https://localhost:"+port+"/.auth/login/op/callback")
			address, spki := secureBackend(t, port, issuer, origin)
			page := browsertest.Open(t, browsertest.Flag("ignore-certificate-errors-spki-list="+spki))
			// The provider's own pages want a font and an icon that are not here.
			page.Expect(browsertest.Failed("https://fonts.googleapis.com/*").Maybe("only the provider's pages ask"),
				browsertest.Failed(strings.TrimSuffix(issuer, "/")+"/favicon.ico").Maybe("only the provider's "+
					"pages ask"))
			page.Navigate(origin + "/?" +
				url.Values{"url": {address}, "provider": {c.provider}, "cordova": {c.cordova}}.Encode())
			popup := page.Popup(func() { page.Click("#in") }, nil)
			if c.user != "" {
				signInAtProvider(popup, c.user)
			}
			if c.cordova != "" {
				reportAddress(page, popup, address)
			}
			finish(t, page, c.me)
		})
	}
}

// signInAtProvider fills in the provider's own pages: sign-in, then consent.
func signInAtProvider(popup *browsertest.Page, user string) {
	popup.Type(`input[name=login]`, user)
	popup.Type(`input[name=password]`, "anything")
	popup.Click(`button[type=submit]`)
	popup.WaitFor(`!document.querySelector("input[name=login]") && document.querySelector("button[type=submit]")`)
	popup.ClickAway(`button[type=submit]`)
}

// reportAddress tells the app's page the popup's address, as an InAppBrowser
// does, once it is the one that the client waits for.
func reportAddress(app, popup *browsertest.Page, address string) {
	at := browsertest.Await[string](popup,
		fmt.Sprintf("location.href.startsWith(%q) && location.href", address+"/.auth/login/done#token="))
	browsertest.Eval[bool](app, fmt.Sprintf("navigated(%q), true", at))
}

// finish waits for the end of the app's script and compares what it shows.
func finish(t *testing.T, page *browsertest.Page, me string) {
	t.Helper()
	page.WaitFor(`document.querySelector("#end").textContent !== ""`)
	shown := browsertest.Eval[map[string]string](page,
		`Object.fromEntries(["user", "row", "api", "renewed", "me", "end"].map((id) => [id, `+
			`document.getElementById(id).textContent]))`)
	if shown["end"] != "done" || !strings.HasPrefix(shown["user"], "sid:") || shown["renewed"] != shown["user"] ||
		shown["row"] != "mine" || shown["api"] != "GET" || shown["me"] != me {
		t.Errorf("the app shows %v", shown)
	}
}
