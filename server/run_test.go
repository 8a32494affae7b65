package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/settings"
)

// running is a backend under test.
type running struct {
	*Backend
	client *http.Client
	stderr *lockedBuffer
	stop   func() error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// load writes a configuration into dir and loads it.
func load(t testing.TB, dir, text string) *settings.Settings {
	t.Helper()
	file := filepath.Join(dir, "cordon.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := settings.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run starts a backend from a configuration.
func run(t testing.TB, dir, text string, o Options) *running {
	t.Helper()
	r := &running{stderr: &lockedBuffer{}}
	o.Stdout, o.Stderr = io.Discard, r.stderr
	b, err := Open(context.Background(), load(t, dir, text), o)
	if err != nil {
		t.Fatal(err)
	}
	r.Backend = b
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Serve(ctx) }()
	var once sync.Once
	var result error
	r.stop = func() error {
		once.Do(func() { cancel(); result = <-done })
		return result
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	config := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}
	if pem, err := os.ReadFile(filepath.Join(dir, ".cordon", "ca", ca.CertificateFile)); err == nil {
		config.RootCAs.AppendCertsFromPEM(pem)
	}
	r.client = &http.Client{Timeout: 10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, b.Addr().String())
			}}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return r
}

// token signs in at the development provider.
func (r *running) token(t testing.TB) string {
	t.Helper()
	resp, err := r.client.Get(r.URL.String() + "/.auth/login/google?session_mode=token")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := url.PathUnescape(strings.TrimPrefix(resp.Header.Get("Location"), "done#token="))
	if err != nil {
		t.Fatal(err)
	}
	var result struct{ AuthenticationToken string }
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		t.Fatalf("%v: sent to %s", err, resp.Header.Get("Location"))
	}
	return result.AuthenticationToken
}

func (r *running) do(t testing.TB, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, r.URL.String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("ZUMO-API-VERSION", "2.0.0")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	resp, err := r.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func TestServe(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s by %s", r.Method, r.Header.Get("X-MS-CLIENT-PRINCIPAL-ID"))
	}))
	defer upstream.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "seed.json"), []byte(`[{"id":"s1","text":"seeded"}]`),
		0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_KEY", strings.Repeat("ab", 32))
	r := run(t, dir, `server: { listen: "127.0.0.1:0" }
database: "sqlite:./data.db"
identity: { signing_key: "env:TEST_KEY", providers: { google: {type: development} } }
tables: { todo: { columns: {text: string}, access: authenticated, seed: seed.json } }
services: { echo: { upstream: "`+upstream.URL+`", access: authenticated } }
`, Options{Admin: "127.0.0.1:0"})
	token := r.token(t)
	// This client would rather speak HTTP/2, which has no reason phrases.
	if resp, body := r.do(t, "GET", "/tables/todo", "", "X-ZUMO-AUTH", token); resp.StatusCode != 200 ||
		!strings.Contains(body, "seeded") || resp.Proto != "HTTP/1.1" {
		t.Errorf("table: %d %s %s", resp.StatusCode, resp.Proto, body)
	}
	if _, body := r.do(t, "DELETE", "/API/Echo", "x", "X-ZUMO-AUTH", token); !strings.HasPrefix(body,
		"DELETE by sid:") {
		t.Errorf("service: %s", body)
	}
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready",
		"/metrics": `cordon_http_requests_total{part="tables",status="200"} 1`} {
		resp, err := http.Get("http://" + r.AdminAddr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %.200s", path, resp.StatusCode, body)
		}
	}
	request, _ := http.NewRequest("GET", "http://"+r.AdminAddr().String()+"/metrics", nil)
	request.Host = "evil.example"
	if resp, err := http.DefaultClient.Do(request); err != nil || resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("the admin listener answers under a strange name: %v, %v", resp.Status, err)
	}
	lines := strings.Join(r.Lines(), "\n")
	for _, part := range []string{"Serving https://localhost:", "google (development)", "/tables/todo",
		"/api/echo  " + upstream.URL, "Data in sqlite:" + dir, "Admin on http://127.0.0.1:"} {
		if !strings.Contains(lines, part) {
			t.Errorf("start-up does not say %q:\n%s", part, lines)
		}
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if log := r.stderr.String(); strings.Contains(log, token[:30]) || strings.Contains(log, "session_mode") {
		t.Errorf("the log holds a token or a query: %s", log)
	}
}

// TestDrain holds a request while the server is told to stop.
func TestDrain(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		io.WriteString(w, "finished")
	}))
	defer upstream.Close()
	r := run(t, t.TempDir(), `server: { listen: "127.0.0.1:0", tls: off }
services: { slow: { upstream: "`+upstream.URL+`" } }
telemetry: { log: none }
`, Options{})
	answer := make(chan string, 1)
	go func() {
		resp, err := r.client.Get(r.URL.String() + "/api/slow")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- r.stop() }()
	for { // until the listener is closed
		conn, err := net.Dial("tcp", r.Addr().String())
		if err != nil {
			break
		}
		conn.Close()
		runtime.Gosched()
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped before the request was answered: %v", err)
	default:
	}
	close(release)
	if got := <-answer; got != "finished" {
		t.Errorf("the request got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// TestStopEndsStreams stops a server that would wait an hour for a stream of
// events.
func TestStopEndsStreams(t *testing.T) {
	r := run(t, t.TempDir(),
		`{server: { listen: "127.0.0.1:0", tls: off, admin: "127.0.0.1:0", drain: 1h }, telemetry: {log: none}}`,
		Options{})
	resp, err := http.Get("http://" + r.AdminAddr().String() + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("the stream broke off: %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for text, environment := range map[string]bool{
		`server: { listen: "` + taken.Addr().String() + `" }`:                                        true,
		`{server: { listen: "127.0.0.1:0", tls: off }, database: "sqlite:./none/x.db"}`:              true,
		`{server: { listen: "127.0.0.1:0", tls: {cert: none.pem, key: none.pem} }}`:                  false,
		`{server: { listen: "127.0.0.1:0", tls: off }, identity: {signing_key: "env:CORDON_UNSET"}}`: false,
		`{server: { listen: "127.0.0.1:0", tls: off }, egress: {roots: none.pem}}`:                   false,
		`{server: { listen: "127.0.0.1:0", tls: off }, database: "env:CORDON_UNSET"}`:                false,
		`{server: { listen: "127.0.0.1:0", tls: off }, tables: {a: {seed: none.json}}}`:              false,
		`{server: { listen: "127.0.0.1:0", tls: off }, telemetry: {log: none/x.log}}`:                true,
		`{server: { listen: "127.0.0.1:0", tls: off, admin: "` + taken.Addr().String() + `" }}`:      true,
	} {
		b, err := Open(t.Context(), load(t, t.TempDir(), text), Options{Stdout: io.Discard, Stderr: io.Discard})
		if err == nil {
			b.Close(t.Context())
			t.Errorf("%s was opened", text)
			continue
		}
		var failure *EnvironmentError
		if errors.As(err, &failure) != environment {
			t.Errorf("%s: %v (environment: %v)", text, err, !environment)
		}
	}
	if _, err := Open(t.Context(), load(t, t.TempDir(), `server: { listen: "127.0.0.1:0", tls: off }`),
		Options{Admin: "0.0.0.0:0", Stdout: io.Discard, Stderr: io.Discard}); err == nil {
		t.Error("an admin address that others reach was taken")
	}
}

// TestWebhooksInTheClear sends webhooks to where they may and may not go.
func TestWebhooksInTheClear(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/", http.StatusFound)
		}
	}))
	defer hook.Close()
	client := func(egress string) *http.Client {
		r := run(t, t.TempDir(),
			`{server: { listen: "127.0.0.1:0", tls: off }, egress: {allow: [`+egress+`]}, telemetry: {log: none}}`,
			Options{})
		return r.webhookClient()
	}
	allowed, refused := client(`"127.0.0.0/8"`), client("")
	if resp, err := allowed.Get(hook.URL); err != nil || resp.StatusCode != 200 {
		t.Errorf("an allowed address: %v", err)
	}
	if resp, err := allowed.Get(hook.URL + "/away"); err != nil || resp.StatusCode != 302 {
		t.Errorf("a redirect was followed: %v", err)
	}
	if resp, err := allowed.Get(strings.Replace(hook.URL, "127.0.0.1", "localhost", 1)); err != nil ||
		resp.StatusCode != 200 {
		t.Errorf("an allowed name: %v", err)
	}
	for _, address := range []string{hook.URL, strings.Replace(hook.URL, "127.0.0.1", "localhost", 1),
		strings.Replace(hook.URL, "http:", "https:", 1)} {
		if _, err := refused.Get(address); err == nil {
			t.Errorf("%s was reached without an entry", address)
		}
	}
	if _, err := allowed.Get("http://192.0.2.1/"); err == nil {
		t.Error("http went to a public address")
	}
	if _, err := allowed.Get("ftp://127.0.0.1/"); err == nil {
		t.Error("ftp was spoken")
	}
}

// TestWebhookArrives follows an insert to a private address that egress.allow
// covers, signed with a secret that the configuration names.
func TestWebhookArrives(t *testing.T) {
	arrived := make(chan *http.Request, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived <- r }))
	defer hook.Close()
	t.Setenv("HOOK_SECRET", "hook-secret")
	r := run(
		t,
		t.TempDir(),
		`{server: { listen: "127.0.0.1:0", tls: off }, egress: {allow: ["127.0.0.0/8"]}, telemetry: {log: none},
tables: {todo: {columns: {text: string}, webhook: {url: "`+hook.URL+`", secret: "text-env:HOOK_SECRET"}}}}`,
		Options{},
	)
	if resp, body := r.do(t, "POST", "/tables/todo", `{"text":"x"}`); resp.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	select {
	case request := <-arrived:
		if request.Method != http.MethodPost || request.Header.Get("X-Cordon-Signature") == "" {
			t.Errorf("%s %v", request.Method, request.Header)
		}
	case <-time.After(20 * time.Second):
		t.Errorf("no webhook arrived: %s", r.stderr)
	}
}

// renewer writes certificates of an authority of its own into a folder.
func renewer(t *testing.T, dir string) func(host string) {
	t.Helper()
	authority, _, err := ca.OpenOrCreate(filepath.Join(dir, "ca"), ca.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return func(host string) {
		t.Helper()
		issuer, err := authority.Issuer(ca.IssuerOptions{}) // each has a key of its own
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := issuer.Leaf(host)
		if err != nil {
			t.Fatal(err)
		}
		key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		writePEM(t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", leaf.Certificate[0])
		writePEM(t, filepath.Join(dir, "key.pem"), "PRIVATE KEY", key)
	}
}

// TestCertificateFiles renews a certificate in every way it can go.
func TestCertificateFiles(t *testing.T) {
	dir := t.TempDir()
	write := renewer(t, dir)
	write("one.example")
	var log lockedBuffer
	f := &certificateFiles{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"),
		log: slog.New(slog.NewTextHandler(&log, nil))}
	if err := f.load(); err != nil {
		t.Fatal(err)
	}
	serves := func(want, when string) {
		t.Helper()
		f.refresh()
		c, err := f.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.DNSNames[0]; got != want {
			t.Errorf("%s: it serves %s, want %s", when, got, want)
		}
	}
	serves("one.example", "at the start")
	write("two.example.org")
	serves("two.example.org", "after a renewal")
	key, err := os.ReadFile(f.key)
	if err != nil {
		t.Fatal(err)
	}
	write("three.example")
	newKey, err := os.ReadFile(f.key)
	if err != nil {
		t.Fatal(err)
	}
	rewrite := func(data []byte) {
		t.Helper()
		if err := errors.Join(os.WriteFile(f.key+".next", data, 0o600), os.Rename(f.key+".next", f.key)); err != nil {
			t.Fatal(err)
		}
	}
	rewrite(key)
	serves("two.example.org", "with the new certificate and the old key")
	f.refresh()
	if n := strings.Count(log.String(), "cannot be read"); n != 1 {
		t.Errorf("one change was complained about %d times:\n%s", n, log.String())
	}
	rewrite(newKey)
	serves("three.example", "with the new key too")
	if err := os.WriteFile(f.cert, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	serves("three.example", "after a broken renewal")
	if err := os.Remove(f.cert); err != nil {
		t.Fatal(err)
	}
	serves("three.example", "while a file is missing")
}

// TestCertificateIsRenewedWhileServing leaves the looking to the server.
func TestCertificateIsRenewedWhileServing(t *testing.T) {
	dir := t.TempDir()
	write := renewer(t, dir)
	write("one.example")
	text := `{server: { listen: "127.0.0.1:0", tls: {cert: cert.pem, key: key.pem} }, telemetry: {log: none}}`
	b, err := Open(t.Context(), load(t, dir, text), Options{Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	b.tls.every = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Serve(ctx) }()
	served := func() string {
		// only the name counts here
		conn, err := tls.Dial("tcp", b.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].DNSNames[0]
	}
	if got := served(); got != "one.example" {
		t.Errorf("serves %s", got)
	}
	write("two.example.org")
	lane.Until(t, "the new certificate is served", func() bool { return served() == "two.example.org" })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestDatabaseName(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"database: \"sqlite:data/x.db\"\n": "sqlite:" + filepath.Join(dir, "data/x.db"),
		"{}\n":                             "sqlite:" + filepath.Join(dir, "cordon.db"),
		"database: \"postgres://ann:secret@db.example/todo\"\n": "postgres://ann:xxxxx@db.example/todo",
		"database: \"env:NOT_SET\"\n":                           "env:NOT_SET",

		"database: " +
			"\"postgresql://ann@/todo?host=%2Frun%2Fp&password=secret\"\n": "postgresql://ann@/todo?host=%2Frun%2Fp",
		"database: \"postgres://ann:secret@[::1/todo\"\n": "postgres",
	} {
		if got := DatabaseName(load(t, dir, text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
