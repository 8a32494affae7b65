package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/client"
	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// compile reads access entries strictly.
func compile(t testing.TB, entries ...string) *policy.Policy {
	t.Helper()
	doc, err := configxml.Parse("config.xml", []byte("<widget>\n"+strings.Join(entries, "\n")+"\n</widget>"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := dialect.Compile(doc, policy.Target{Platform: dialect.Strict})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// world is a handful of servers behind names, on loopback.
type world struct {
	root   *testpki.Pair
	port   string // of the TLS server
	plain  string // of the http server
	config egress.Config

	mu   sync.Mutex
	seen []*http.Request
}

// newWorld serves every name below example.org over TLS and http.
func newWorld(t *testing.T, handler http.HandlerFunc) *world {
	t.Helper()
	w := &world{root: testpki.Root(t, testpki.Spec{Name: "Root"})}
	record := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.seen = append(w.seen, r.Clone(context.Background()))
		w.mu.Unlock()
		handler(rw, r)
	})
	leaf := w.root.Leaf(t, testpki.Spec{Name: "example.org",
		Hosts: []string{"*.example.org", "example.org", "127.0.0.1"}})
	secure := httptest.NewUnstartedServer(record)
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}
	secure.EnableHTTP2 = true
	secure.StartTLS()
	plain := httptest.NewServer(record)
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	_, w.port, _ = net.SplitHostPort(secure.Listener.Addr().String())
	_, w.plain, _ = net.SplitHostPort(plain.Listener.Addr().String())
	w.config = egress.Config{
		Roots: w.root.Pool(),
		Resolver: egress.ResolverFunc(func(context.Context, string) ([]netip.Addr, time.Duration, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, 0, nil
		}),
		Allow: []egress.Private{{Host: "*.example.org", Range: netip.MustParsePrefix("127.0.0.1/32")}},
	}
	return w
}

func (w *world) url(host, path string) string { return "https://" + host + ":" + w.port + path }

func (w *world) access(host string) string { return `<access origin="` + w.url(host, "") + `"/>` }

// requests returns what the servers saw, as "host path".
func (w *world) requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	for _, r := range w.seen {
		host, _, _ := net.SplitHostPort(r.Host)
		list = append(list, host+" "+r.URL.RequestURI())
	}
	return list
}

func (w *world) last() *http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[len(w.seen)-1]
}

func newClient(t testing.TB, p *policy.Policy, o client.Options) *http.Client {
	t.Helper()
	c, err := client.New(p, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// do sends a request and returns its status and body.
func do(c *http.Client, r *http.Request) (int, string, error) {
	response, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func get(c *http.Client, url string) (int, string, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	return do(c, r)
}

func cause(t *testing.T, err error) (*client.DeniedError, client.Cause) {
	t.Helper()
	var e *client.DeniedError
	if !errors.As(err, &e) {
		t.Fatalf("error %v is not a *DeniedError", err)
	}
	return e, e.Cause
}

func TestPolicyDecidesBeforeAByteLeaves(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "ok") })
	var told atomic.Int32
	c := newClient(t, compile(t, w.access("api.example.org"),
		`<access origin="http://plain.example.org:`+w.plain+`"/>`,
		`<access origin="https://paths.example.org:`+w.port+`/v1"/>`,
		`<access origin="tel:*" launch-external="yes"/>`),
		client.Options{Egress: w.config, Denied: func(*client.DeniedError) { told.Add(1) }})
	for _, url := range []string{
		w.url("api.example.org", "/a?b=c"), w.url("API.Example.ORG", "/"), "http://plain.example.org:" + w.plain + "/x",
		w.url("paths.example.org", "/v1"), w.url("paths.example.org", "/v1/users"),
		"https://api.example.org.:" + w.port + "/", // the reading of the list leaves the dot out, too
	} {
		if status, body, err := get(c, url); err != nil || status != 200 || body != "ok" {
			t.Errorf("%s: %d %q %v", url, status, body, err)
		}
	}
	seen := len(w.requests())
	denied := map[string]client.Cause{
		w.url("other.example.org", "/"):                         client.NotAllowed,
		w.url("api.example.org.evil.org", "/"):                  client.NotAllowed,
		"https://api.example.org/":                              client.NotAllowed, // another port
		"http://api.example.org:" + w.plain + "/":               client.NotAllowed,
		w.url("plain.example.org", "/"):                         client.NotAllowed,
		w.url("paths.example.org", "/v2"):                       client.NotAllowed,
		w.url("paths.example.org", "/v10"):                      client.NotAllowed,
		"https://127.0.0.1:" + w.port + "/":                     client.NotAllowed,
		"https://0x7f.1:" + w.port + "/":                        client.Unclear,
		"https://user:secret@api.example.org:" + w.port + "/":   client.Unclear,
		"https:api.example.org":                                 client.Unclear,
		"ftp://api.example.org/":                                client.Unclear,
		"https://[::1%25lo]:" + w.port + "/":                    client.Unclear,
		w.url("api.example.org", "/?access_token=hunter2"):      client.TokenInURL,
		w.url("api.example.org", "/?x=1&X-ZUMO-AUTH=hunter2"):   client.TokenInURL,
		w.url("api.example.org", "/?%61ccess%5Ftoken=hunter2"):  client.TokenInURL,
		w.url("api.example.org", "/?x=1;token=hunter2"):         client.TokenInURL,
		w.url("api.example.org", "/?q=eyJhbGci.eyJzdWIiOiI.c2"): client.TokenInURL,
	}
	for url, want := range denied {
		_, _, err := get(c, url)
		e, got := cause(t, err)
		if got != want {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
		if s := e.Error(); strings.Contains(s, "hunter2") || strings.Contains(s, "secret") ||
			strings.Contains(s, "eyJ") {
			t.Errorf("%s: the error holds a secret: %s", url, s)
		}
	}
	if n := len(w.requests()); n != seen {
		t.Errorf("denied requests reached a server: %v", w.requests()[seen:])
	}
	if int(told.Load()) != len(denied) {
		t.Errorf("told of %d denials, want %d", told.Load(), len(denied))
	}
	for _, fine := range []string{"/?$top=10&$skiptoken=X", "/?pageToken=abc", "/?access_token=",
		"/?q=a.b.c#access_token=x"} {
		if _, _, err := get(c, w.url("api.example.org", fine)); err != nil {
			t.Errorf("%s: %v", fine, err)
		}
	}
	r, _ := http.NewRequest(http.MethodGet, w.url("api.example.org", "/"), nil)
	r.Host = "other.example.org"
	if _, _, err := do(c, r); err == nil {
		t.Error("a Host field for another site was sent")
	}
	strict := newClient(t, compile(t, `<access origin="http://plain.example.org:`+w.plain+`"/>`),
		client.Options{Egress: w.config, RequireTLS: true})
	_, _, err := get(strict, "http://plain.example.org:"+w.plain+"/x")
	if _, got := cause(t, err); got != client.CleartextRefused {
		t.Errorf("http with RequireTLS: %v", err)
	}
}

func TestAddressesAreJudged(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "ok") })
	w.config.Allow = nil
	c := newClient(t, compile(t, w.access("api.example.org"), w.access("127.0.0.1")), client.Options{Egress: w.config})
	_, _, err := get(c, w.url("api.example.org", "/"))
	var e *egress.Error
	if !errors.As(err, &e) || e.Reason != egress.AddressRefused {
		t.Errorf("an allowed name at a loopback address: %v", err)
	}
	if status, _, err := get(c, w.url("127.0.0.1", "/")); err != nil || status != 200 {
		t.Errorf("an address that a rule names: %d, %v", status, err)
	}
}

func TestPinsHold(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "ok") })
	root, err := pin.Of(w.root.DER())
	if err != nil {
		t.Fatal(err)
	}
	for hash, want := range map[pin.Hash]bool{root: true, {1}: false} {
		config := w.config
		if config.Pins, err = pin.NewSet(pin.Entry{Host: "example.org", Subdomains: true,
			Hashes: []pin.Hash{hash}}); err != nil {
			t.Fatal(err)
		}
		c := newClient(t, compile(t, w.access("api.example.org")), client.Options{Egress: config})
		_, _, err := get(c, w.url("api.example.org", "/"))
		var e *egress.Error
		if want && err != nil || !want && (!errors.As(err, &e) || e.Reason != egress.PinMismatch) {
			t.Errorf("pin %v: %v", hash, err)
		}
	}
}

// source is a token that can be refreshed.
type source struct {
	mu        sync.Mutex
	token     string
	refreshed int
	err       error
}

func (s *source) Token(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token, s.err
}

func (s *source) Refresh(_ context.Context, rejected string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshed++
	s.token = fmt.Sprintf("fresh-token-%d", s.refreshed)
	return s.token, nil
}

func TestTokensStayWithTheirOrigins(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(rw, r, to, http.StatusTemporaryRedirect)
			return
		}
		_, _ = fmt.Fprintf(rw, "%s|%s|%s", r.Header.Get("X-ZUMO-AUTH"), r.Header.Get("Authorization"),
			r.Header.Get("X-Mine"))
	})
	c := newClient(t, compile(t, w.access("api.example.org"), w.access("graph.example.org"),
		w.access("cdn.example.org"), `<access origin="http://api.example.org:`+w.plain+`"/>`),
		client.Options{Egress: w.config, Tokens: []client.Token{
			{Origins: []string{w.url("api.example.org", "")}, Header: client.HeaderZumo,
				Source: client.StaticToken("zumo-secret")},
			{Origins: []string{w.url("GRAPH.example.org", "/")}, Header: client.HeaderAuthorization,
				Source: client.StaticToken("graph-secret")},
		}})
	api, graph, cdn := w.url("api.example.org", "/end"), w.url("graph.example.org", "/end"),
		w.url("cdn.example.org", "/end")
	via := func(first string, rest ...string) string {
		to := rest[len(rest)-1]
		for i := len(rest) - 2; i >= 0; i-- {
			to = rest[i] + "?to=" + queryEscape(to)
		}
		return first + "?to=" + queryEscape(to)
	}
	for _, s := range []struct{ name, url, want string }{
		{"own", api, "zumo-secret||"},
		{"other's", graph, "|Bearer graph-secret|"},
		{"nobody's", cdn, "||"},
		{"cleartext", "http://api.example.org:" + w.plain + "/end", "||"},
		{"redirect inside", via(api, api), "zumo-secret||"},
		{"redirect away", via(api, cdn), "||"},
		{"redirect in", via(cdn, api), "||"},
		{"out and back", via(api, cdn, api), "||"},
		{"to another owner", via(api, graph), "||"},
		{"down to cleartext", via(api, "http://api.example.org:"+w.plain+"/end"), "||"},
	} {
		if _, body, err := get(c, s.url); err != nil || body != s.want {
			t.Errorf("%s: %q, %v, want %q", s.name, body, err, s.want)
		}
	}
	for _, s := range []struct{ name, url, want string }{
		{"caller's own token", api, "mine|Bearer mine|kept"},
		{"inside", via(api, api), "mine|Bearer mine|kept"},
		{"caller's own token, redirected", via(api, cdn), "||kept"},
		{"out and back", via(api, cdn, api), "||kept"},
	} {
		r, _ := http.NewRequest(http.MethodGet, s.url, nil)
		r.Header.Set("X-ZUMO-AUTH", "mine")
		r.Header.Set("Authorization", "Bearer mine")
		r.Header.Set("X-Mine", "kept")
		if _, body, err := do(c, r); err != nil || body != s.want {
			t.Errorf("%s: %q, %v, want %q", s.name, body, err, s.want)
		}
		if referer := w.last().Header.Get("Referer"); referer != "" && !strings.HasPrefix(referer, api[:len(api)-4]) {
			t.Errorf("%s: Referer %q", s.name, referer)
		}
	}
	for _, request := range w.requests() {
		if strings.Contains(request, "secret") {
			t.Errorf("a token in a URL: %s", request)
		}
	}
	if _, _, err := get(c, api+"?x=zumo-secret"); err == nil {
		t.Error("a URL that holds the token itself was sent")
	} else if e, got := cause(t, err); got != client.TokenInURL || strings.Contains(e.Error(), "zumo-secret") {
		t.Errorf("a URL that holds the token itself: %v", e)
	}
	if _, _, err := get(c, via(api, w.url("evil.example.org", "/"))); err == nil {
		t.Error("a redirect to a host that is not listed was followed")
	} else if _, got := cause(t, err); got != client.NotAllowed {
		t.Errorf("redirect: %v", err)
	}
	if s := fmt.Sprintf("%v %+v %#v %s", client.StaticToken("hunter2"), client.StaticToken("hunter2"),
		client.StaticToken("hunter2"), client.StaticToken("hunter2")); strings.Contains(s, "hunter2") {
		t.Errorf("a token prints as %s", s)
	}
}

func queryEscape(s string) string {
	return strings.NewReplacer("%", "%25", "?", "%3F", "&", "%26", "=", "%3D", ":", "%3A", "/", "%2F").Replace(s)
}

func TestEndlessRedirect(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/again", http.StatusFound) })
	c := newClient(t, compile(t, w.access("api.example.org")), client.Options{Egress: w.config})
	_, _, err := get(c, w.url("api.example.org", "/"))
	if _, got := cause(t, err); got != client.TooManyRedirects {
		t.Errorf("error %v", err)
	}
	if n := len(w.requests()); n != 10 {
		t.Errorf("%d requests, want 10", n)
	}
}

func TestRefreshOnce(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if token := r.Header.Get("X-ZUMO-AUTH"); !strings.HasPrefix(token, "fresh") || r.URL.Path == "/never" {
			rw.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(rw, "who?")
			return
		}
		_, _ = fmt.Fprintf(rw, "%s %s", r.Method, body)
	})
	tokens := &source{token: "stale"}
	c := newClient(t, compile(t, w.access("api.example.org")), client.Options{Egress: w.config,
		Tokens: []client.Token{{Origins: []string{w.url("api.example.org", "")}, Header: "x-zumo-auth",
			Source: tokens}}})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			r, _ := http.NewRequest(http.MethodPost, w.url("api.example.org", "/items"), strings.NewReader("body"))
			if status, body, err := do(c, r); err != nil || status != 200 || body != "POST body" {
				t.Errorf("%d %q %v", status, body, err)
			}
		})
	}
	wg.Wait()
	if tokens.refreshed != 1 {
		t.Errorf("refreshed %d times, want once", tokens.refreshed)
	}
	before := len(w.requests())
	status, body, err := get(c, w.url("api.example.org", "/never"))
	if err != nil || status != 401 || body != "who?" {
		t.Errorf("a token that is never accepted: %d %q %v", status, body, err)
	}
	if n := len(w.requests()) - before; n != 2 || tokens.refreshed != 2 {
		t.Errorf("%d requests and %d refreshes, want 2 and 2", n, tokens.refreshed)
	}
	// A body that cannot be sent again is not.
	tokens.token = "stale"
	r, _ := http.NewRequest(http.MethodPost, w.url("api.example.org", "/items"),
		io.MultiReader(strings.NewReader("once")))
	if status, _, err := do(c, r); err != nil || status != 401 {
		t.Errorf("a body that cannot be sent again: %d, %v", status, err)
	}
	tokens.err = errors.New("locked")
	if _, _, err := get(c, w.url("api.example.org", "/")); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("a source that fails: %v", err)
	}
	tokens.err, tokens.token = nil, "bad\r\nX-Evil: 1"
	if _, _, err := get(c, w.url("api.example.org", "/")); err == nil || strings.Contains(err.Error(), "Evil") {
		t.Errorf("a token with a line end: %v", err)
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	p := compile(t)
	static := client.StaticToken("x")
	for name, o := range map[string]client.Options{
		"no source":   {Tokens: []client.Token{{Origins: []string{"https://a.example"}, Header: "X"}}},
		"no origin":   {Tokens: []client.Token{{Header: "X", Source: static}}},
		"http origin": {Tokens: []client.Token{{Origins: []string{"http://a.example"}, Header: "X", Source: static}}},
		"path": {Tokens: []client.Token{{Origins: []string{"https://a.example/x"}, Header: "X",
			Source: static}}},
		"wildcard host": {Tokens: []client.Token{{Origins: []string{"https://*.example.org"}, Header: "X",
			Source: static}}},
		"odd address": {Tokens: []client.Token{{Origins: []string{"https://0x7f.1"}, Header: "X", Source: static}}},
		"empty label": {Tokens: []client.Token{{Origins: []string{"https://a..b"}, Header: "X", Source: static}}},
		"port 0": {Tokens: []client.Token{{Origins: []string{"https://a.example:0"}, Header: "X",
			Source: static}}},
		"port zeros": {Tokens: []client.Token{{Origins: []string{"https://a.example:0443"}, Header: "X",
			Source: static}}},
		"empty port": {Tokens: []client.Token{{Origins: []string{"https://a.example:"}, Header: "X", Source: static}}},
		"wildcard":   {Tokens: []client.Token{{Origins: []string{"*"}, Header: "X", Source: static}}},
		"bad header": {Tokens: []client.Token{{Origins: []string{"https://a.example"}, Header: "X Y", Source: static}}},
		"bad egress": {Egress: egress.Config{DNSTimeout: -1}},
	} {
		if _, err := client.New(p, o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := client.New(nil, client.Options{}); err == nil {
		t.Error("no policy: accepted")
	}
}
