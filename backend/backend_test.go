package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/event"
)

// noStore is a store that knows nobody.
type noStore struct{ auth.Store }

func (noStore) Secret(_ context.Context, _ string, fresh []byte) ([]byte, error) { return fresh, nil }
func (noStore) Revocations(context.Context, time.Time) ([]auth.Revocation, error) {
	return nil, nil
}
func (noStore) Session(context.Context, string) (auth.Session, error) {
	return auth.Session{}, auth.ErrNotFound
}

// named answers with its name and the path that it saw.
type named string

func (n named) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/tables/panic" {
		panic(errors.New("a s3cret"))
	}
	io.WriteString(w, string(n)+" "+r.URL.Path+" "+r.RemoteAddr)
}

func newBackend(t *testing.T, change func(*Options)) http.Handler {
	t.Helper()
	public := &url.URL{Scheme: "https", Host: "localhost:8443"}
	server, err := auth.New(t.Context(), auth.Options{URL: public, Loopback: true, Store: noStore{}})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Auth: server, Tables: named("tables"), Services: named("services"), URL: public}
	if change != nil {
		change(&o)
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func do(h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRoutes(t *testing.T) {
	h := newBackend(t, nil)
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/tables/x", 200, "tables /tables/x"}, {"GET", "/TABLES/X", 200, "tables /TABLES/X"},
		{"GET", "/Tables/x/", 200, "tables /Tables/x/"}, {"DELETE", "/api/echo", 200, "services /api/echo"},
		{"GET", "/API/echo", 200, "services"}, {"PUT", "/push/installations/0c5e", 204, ""},
		{"DELETE", "/Push/Installations/0c5e/", 204, ""}, {"GET", "/push/installations/0c5e", 405, ""},
		{"PUT", "/push/installations", 404, ""}, {"PUT", "/push/other/1", 404, ""}, {"GET", "/.auth/me", 401, ""},
		{"GET", "/.AUTH/ME", 401, ""}, {"GET", "/.well-known/jwks.json", 200, `{"keys":[]}`},
		{"GET", "/swagger", 200, `"swagger":"2.0"`}, {"GET", "/swagger/", 200, `"swagger":"2.0"`},
		{"POST", "/swagger", 405, ""}, {"GET", "/", 404, ""}, {"GET", "/tablesx/x", 404, ""},
		{"GET", "/healthz", 404, ""}, {"GET", "/metrics", 404, ""}, {"GET", "/.authx", 404, ""},
	} {
		w := do(h, c.method, c.path)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
	if w := do(newBackend(t, func(o *Options) { o.NoSwagger, o.Tables = true, nil }), "GET",
		"/swagger"); w.Code != 404 {
		t.Errorf("swagger turned off: %d", w.Code)
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	ring := event.NewRing(10)
	h := newBackend(t, func(o *Options) { o.Events = event.NewRecorder(ring) })
	if w := do(h, "GET", "/tables/panic"); w.Code != 500 || strings.Contains(w.Body.String(), "s3cret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	events := ring.Latest()
	if len(events) != 1 || events[0].Reason != "panic" || !strings.Contains(events[0].Detail, "backend_test.go") ||
		strings.Contains(events[0].Detail, "s3cret") {
		t.Errorf("events %+v", events)
	}
}

func TestCORS(t *testing.T) {
	h := newBackend(t, func(o *Options) {
		o.CORS = []string{"localhost", "*.example.org", "app.*.test.*", "capacitor://only",
			"https://exact.example:8443", "https://bücher.example", "https://own.example:443", "http://[::1]:80",
			"127.0.0.1"}
	})
	for origin, want := range map[string]bool{
		"http://localhost": true, "https://localhost:3000": true, "ms-appx-web://localhost": true,
		"ionic://localhost": true, "app://LOCALHOST": true, "https://a.example.org": true,
		"http://a.b.example.org:81": true, "https://app.x.test.y": true, "capacitor://only": true,
		"https://exact.example:8443": true, "https://example.org": false, "https://localhost.evil": false,
		"https://evil.example": false, "null": false, "file://": false, "ftp://localhost": false,
		"https://a.example.org.evil": false, "https://localhost/path": false, "https://u@localhost": false,
		"capacitor://a.example.org": false, "https://exact.example": false, "https://evil?localhost": false,
		"https://a_b.example.org": false, "garbage": false, "": false,
		// As browsers write what is listed, and hosts that are written oddly.
		"https://xn--bcher-kva.example": true, "https://own.example": true, "http://[::1]": true,
		"http://127.0.0.1:3000": true, "http://[::ffff:127.0.0.1]": true, "https://a.example.org.": true,
		"https://a..example.org": false, "http://127.1": false, "http://0x7f.1": false, "https://localhost:": false,
		"http://[::1%25lo]": false, "https://a%2eexample.org": false, "https://localhost:080": false,
	} {
		w := do(h, "GET", "/tables/x", "Origin", origin)
		got := w.Header().Get("Access-Control-Allow-Origin")
		if w.Code != 200 || (got == origin && origin != "") != want ||
			!want && w.Header().Get("Access-Control-Expose-Headers") != "" {
			t.Errorf("%q: %d, allowed %q", origin, w.Code, got)
		}
		if w.Header().Get("Vary") != "Origin" {
			t.Errorf("%q: Vary %q", origin, w.Header().Get("Vary"))
		}
	}
	w := do(h, "OPTIONS", "/tables/x", "Origin", "https://localhost", "Access-Control-Request-Method", "PATCH",
		"Access-Control-Request-Headers", "X-ZUMO-AUTH, zumo-api-version,if-match")
	want := map[string]string{"Access-Control-Allow-Origin": "https://localhost",
		"Access-Control-Allow-Headers": "X-ZUMO-AUTH, zumo-api-version,if-match",
		"Access-Control-Allow-Methods": "GET, PUT, PATCH, POST, DELETE, OPTIONS", "Access-Control-Max-Age": "300",
		"Access-Control-Expose-Headers": "Link,Etag,WWW-Authenticate"}
	for name, value := range want {
		if w.Header().Get(name) != value {
			t.Errorf("preflight: %s is %q", name, w.Header().Get(name))
		}
	}
	if w.Code != http.StatusNoContent {
		t.Errorf("preflight: %d", w.Code)
	}
	w = do(h, "OPTIONS", "/.auth/me", "Origin", "https://evil.example", "Access-Control-Request-Headers", "x")
	if len(w.Header()) != 1 {
		t.Errorf("a stranger's preflight: %v", w.Header())
	}
	w = do(h, "OPTIONS", "/tables/x", "Origin", "https://localhost", "Access-Control-Request-Headers", "x\x00y")
	if w.Header().Get("Access-Control-Allow-Headers") != "" {
		t.Error("odd headers were echoed")
	}
	if w := do(h, "GET", "/.auth/me", "Origin", "https://localhost"); w.Code != 401 ||
		w.Header().Get("Access-Control-Allow-Origin") == "" {
		t.Error("a page cannot read its 401")
	}
	if w := do(newBackend(t, func(o *Options) { o.CORS = []string{"null"} }), "GET", "/tables/x", "Origin",
		"null"); w.Header().Get("Access-Control-Allow-Origin") != "null" {
		t.Error("null was listed and is refused")
	}
	if w := do(newBackend(t, nil), "GET", "/tables/x", "Origin",
		"http://localhost:1"); w.Header().Get("Access-Control-Allow-Origin") == "" {
		t.Error("localhost is the default")
	}
	for _, entry := range []string{"", "a b", "https://", "https://a/b", "https://*.a", "(", "https://a?b",
		"https://a..b", "http://127.1", "http://[::1%25lo]", "https://a:0"} {
		if CheckCORS([]string{entry}) == nil {
			t.Errorf("%q was taken", entry)
		}
	}
}

func TestSwagger(t *testing.T) {
	h := newBackend(t, func(o *Options) {
		o.Name = "Todo"
		o.TablesConfig = tables.Config{"TodoItem": {SoftDelete: true, Access: tables.Authenticated,
			Read: tables.Operation{Access: tables.Anonymous},
			Columns: map[string]tables.Column{"text": {Type: "string"}, "qty": {Type: "number"}, "done": {Type: "bool"},
				"due": {Type: "date"}}}}
	})
	var document struct {
		Info  struct{ Title string }
		Host  string
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Security    []any
			Parameters  []struct{ Name, In string }
			Responses   map[string]any
		}
		Definitions map[string]struct {
			Properties map[string]struct {
				Type, Format string
				ReadOnly     bool
			}
		}
		SecurityDefinitions map[string]map[string]string
	}
	if err := json.Unmarshal(do(h, "GET", "/swagger").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	table, item := document.Paths["/tables/TodoItem"], document.Paths["/tables/TodoItem/{id}"]
	if len(table) != 2 || len(item) != 4 || table["get"].OperationID != "QueryTodoItem" ||
		len(table["get"].Security) != 0 || len(table["post"].Security) != 1 || item["patch"].Responses["412"] == nil {
		t.Errorf("paths %+v", document.Paths)
	}
	p := document.Definitions["TodoItem"].Properties
	if p["due"].Format != "date-time" || p["qty"].Type != "number" || p["qty"].Format != "float" ||
		p["done"].Type != "boolean" || !p["version"].ReadOnly || p["deleted"].Type != "boolean" ||
		p["text"].Type != "string" {
		t.Errorf("properties %+v", p)
	}
	parameters := table["get"].Parameters
	if last := parameters[len(parameters)-1]; last.Name != "zumo-api-version" || last.In != "header" ||
		document.Host != "localhost:8443" || document.Info.Title != "Todo" {
		t.Errorf("document %+v", document)
	}
	if document.SecurityDefinitions["EasyAuth"]["name"] != "x-zumo-auth" {
		t.Errorf("security %v", document.SecurityDefinitions)
	}
}

func TestProxiesAreBelieved(t *testing.T) {
	h := newBackend(t, func(o *Options) {
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("10.0.0.0/8")}
	})
	for forwarded, want := range map[string]string{
		"":                                 "192.0.2.1:1234", // httptest's own address
		"203.0.113.9":                      "203.0.113.9:0",
		"198.51.100.1, 203.0.113.9":        "203.0.113.9:0",
		"203.0.113.9, 10.1.1.1, 192.0.2.7": "203.0.113.9:0",
		"garbage, 10.1.1.1":                "10.1.1.1:0",
		"2001:db8::1":                      "[2001:db8::1]:0",
	} {
		if w := do(h, "GET", "/tables/x", "X-Forwarded-For", forwarded); !strings.HasSuffix(w.Body.String(), " "+want) {
			t.Errorf("%q: %s, want %s", forwarded, w.Body, want)
		}
	}
	if w := do(newBackend(t, nil), "GET", "/tables/x", "X-Forwarded-For",
		"203.0.113.9"); !strings.HasSuffix(w.Body.String(), " 192.0.2.1:1234") {
		t.Errorf("a stranger was believed: %s", w.Body)
	}
}

// What is mounted knows the client's own address and who asks, and no other origin
// may read it.
func TestMounts(t *testing.T) {
	h := newBackend(t, func(o *Options) {
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		o.CORS = []string{"a.example"}
		o.Mounts = map[string]http.Handler{"/console": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			who, err := identity.FromContext(r.Context())
			fmt.Fprintf(w, "console %s %s %t %v", r.URL.Path, r.RemoteAddr, who.Authenticated(), err)
		})}
	})
	for path, want := range map[string]string{
		"/console":   "console /console 203.0.113.9:0 false <nil>",
		"/console/x": "console /console/x 203.0.113.9:0 false <nil>",
		"/tables/x":  "tables /tables/x 203.0.113.9:0",
	} {
		w := do(h, "GET", path, "X-Forwarded-For", "203.0.113.9", "Origin", "https://a.example")
		if w.Body.String() != want {
			t.Errorf("%s: %s, want %s", path, w.Body, want)
		}
		if readable := w.Header().Get("Access-Control-Allow-Origin") != ""; readable != (path == "/tables/x") {
			t.Errorf("%s: other origins may read it: %t", path, readable)
		}
	}
	if w := do(h, "GET", "/consolex"); w.Code != http.StatusNotFound {
		t.Errorf("a longer name: %d %s", w.Code, w.Body)
	}
	for _, bad := range []string{"", "/", "console", "/a/b", "/console/"} {
		if _, err := New(Options{Auth: nil, Mounts: map[string]http.Handler{bad: h}}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

type blank struct{ h http.Header }

func (b blank) Header() http.Header         { return b.h }
func (b blank) Write(p []byte) (int, error) { return len(p), nil }
func (b blank) WriteHeader(int)             {}

// BenchmarkChain is what every request passes before its part.
func BenchmarkChain(b *testing.B) {
	public := &url.URL{Scheme: "https", Host: "localhost:8443"}
	server, err := auth.New(b.Context(), auth.Options{URL: public, Loopback: true, Store: noStore{}})
	if err != nil {
		b.Fatal(err)
	}
	h, err := New(Options{Auth: server, Tables: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		URL: public, Events: event.NewRecorder()})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/tables/todoitem/1", nil)
	for name, value := range map[string]string{"ZUMO-API-VERSION": "2.0.0", "X-ZUMO-INSTALLATION-ID": "x",
		"X-ZUMO-VERSION": "x", "Accept": "application/json", "User-Agent": "x", "X-ZUMO-FEATURES": "x"} {
		r.Header.Set(name, value)
	}
	b.ReportAllocs()
	for b.Loop() {
		w := blank{http.Header{}}
		h.ServeHTTP(w, r)
	}
}
