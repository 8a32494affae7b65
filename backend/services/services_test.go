package services

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/event"
)

// seen is what an upstream received.
type seen struct {
	Method, Path, Query, Body, Host string
	Header                          http.Header
	Trailer                         http.Header
}

// upstream starts a service that notes what it receives.
func upstream(t *testing.T, answer func(http.ResponseWriter, *http.Request)) (*httptest.Server, *seen) {
	t.Helper()
	got := &seen{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		*got = seen{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Body: string(body),
			Host: r.Host, Header: r.Header, Trailer: r.Trailer}
		if err == nil && answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server, got
}

type tokens struct {
	token identity.ProviderToken
	err   error
}

func (f tokens) ProviderToken(context.Context, *identity.Principal) (identity.ProviderToken, bool, error) {
	return f.token, f.err == nil, f.err
}

// front starts a handler before which ann has signed in when her header says so.
func front(t *testing.T, c Config) *httptest.Server {
	t.Helper()
	h, err := New(Options{Config: c, Transport: func(*url.URL) http.RoundTripper { return http.DefaultTransport },
		Tokens:         tokens{token: identity.ProviderToken{Provider: "aad", Access: "provider-token"}},
		PrivateCookies: []string{"AppServiceAuthSession", "Cordon"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("X-ZUMO-AUTH") {
		case "ann":
			r = r.WithContext(identity.NewContext(r.Context(),
				&identity.Principal{Session: "s1", User: identity.User{ID: "sid:1", Provider: "aad", Name: "ann"}},
				nil))
		case "broken":
			r = r.WithContext(identity.NewContext(r.Context(), nil,
				&identity.TokenError{Name: "JsonWebTokenError", Message: "invalid signature"}))
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

func send(t *testing.T, method, target, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header[headers[i]] = []string{headers[i+1]}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
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

func TestForward(t *testing.T) {
	up, got := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Custom", "yes")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Add("Set-Cookie", "theirs=1")
		w.Header().Add("Set-Cookie", "AppServiceAuthSession=forged")
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "short and stout")
	})
	f := front(t, Config{"Echo": {Upstream: up.URL + "/base/?key=1", Headers: map[string]string{"X-Static": "on"}}})
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		resp, body := send(t, method, f.URL+"/API/echo/a%20b/c?x=%24&y", "the body of "+method, "X-Zumo-Auth", "ann",
			"Cookie", "theirs=1; AppServiceAuthSession=secret; CordonLogin-1=x")
		if resp.StatusCode != http.StatusTeapot || body != "short and stout" || resp.Header.Get("X-Custom") != "yes" {
			t.Errorf("%s: answer %d %s %v", method, resp.StatusCode, body, resp.Header)
		}
		if resp.Header.Get("Access-Control-Allow-Origin") != "" ||
			!cmp.Equal(resp.Header["Set-Cookie"], []string{"theirs=1"}) {
			t.Errorf("%s: answer's headers %v", method, resp.Header)
		}
		want := seen{Method: method, Path: "/base/a%20b/c", Query: "key=1&x=%24&y", Body: "the body of " + method,
			Host: strings.TrimPrefix(up.URL, "http://")}
		if got.Method != want.Method || got.Path != want.Path || got.Query != want.Query || got.Body != want.Body ||
			got.Host != want.Host {
			t.Errorf("%s: upstream saw %+v", method, got)
		}
		for name, value := range map[string]string{"X-MS-CLIENT-PRINCIPAL-ID": "sid:1",
			"X-MS-CLIENT-PRINCIPAL-IDP": "aad", "X-MS-CLIENT-PRINCIPAL-NAME": "ann",
			"X-MS-TOKEN-AAD-ACCESS-TOKEN": "provider-token", "X-ZUMO-AUTH": "ann", "Cookie": "theirs=1",
			"X-Static": "on", "X-Forwarded-Host": strings.TrimPrefix(f.URL, "http://")} {
			if got.Header.Get(name) != value {
				t.Errorf("%s: upstream saw %s: %q, want %q", method, name, got.Header.Get(name), value)
			}
		}
		if principal, err := base64.StdEncoding.DecodeString(got.Header.Get("X-MS-CLIENT-PRINCIPAL")); err != nil ||
			!strings.Contains(string(principal), `"auth_typ":"aad"`) {
			t.Errorf("%s: principal %s", method, principal)
		}
	}
}

func TestNobodyCanForgeAPrincipal(t *testing.T) {
	up, got := upstream(t, nil)
	f := front(t, Config{"echo": {Upstream: up.URL}})
	r, err := http.NewRequest("POST", f.URL+"/api/echo", io.MultiReader(strings.NewReader("x")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"X-MS-CLIENT-PRINCIPAL-ID": {"sid:1"}, "x-ms-client-principal": {"e30="},
		"X_MS_CLIENT_PRINCIPAL_NAME": {"ann"}, "X-Ms-Token-Aad-Access-Token": {"t"},
		"Connection": {"X-Ms-Client-Principal-Id"}, "X-Forwarded-For": {"203.0.113.9"}}
	r.Trailer = http.Header{"X-Ms-Client-Principal-Id": {"sid:1"}}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for name, values := range got.Header {
		if identity.ReservedHeader(name) {
			t.Errorf("upstream saw %s: %v", name, values)
		}
	}
	if len(got.Trailer) > 0 || strings.Contains(got.Header.Get("X-Forwarded-For"), "203") {
		t.Errorf("upstream saw %v, %v", got.Trailer, got.Header)
	}
}

func TestConnectionHeaderDoesNotDropThePrincipal(t *testing.T) {
	up, got := upstream(t, nil)
	f := front(t, Config{"echo": {Upstream: up.URL}})
	send(t, "GET", f.URL+"/api/echo", "", "X-Zumo-Auth", "ann", "Connection", "X-Ms-Client-Principal-Id, X-Zumo-Auth")
	if got.Header.Get("X-MS-CLIENT-PRINCIPAL-ID") != "sid:1" {
		t.Errorf("upstream saw %v", got.Header)
	}
}

func TestAccess(t *testing.T) {
	up, _ := upstream(t, nil)
	f := front(t, Config{
		"open":   {Upstream: up.URL, Post: Method{Disabled}, Delete: Method{Authenticated}},
		"closed": {Upstream: up.URL, Access: Authenticated, Get: Method{Anonymous}},
		"ruled":  {Upstream: up.URL, Rule: `user.id == "sid:2" || request.operation == "put"`},
	})
	for _, c := range []struct {
		method, path, who string
		status            int
		body              string
	}{
		{"GET", "/api/open", "", 200, ""},
		{"HEAD", "/api/open", "", 200, ""},
		{"POST", "/api/open", "ann", 405, "Method post is not allowed"},
		{"DELETE", "/api/open", "", 401, "You must be logged in to use this application"},
		{"DELETE", "/api/open", "ann", 200, ""},
		{"GET", "/api/open", "broken", 401, `{"name":"JsonWebTokenError","message":"invalid signature"}`},
		{"POST", "/api/open", "broken", 401, `{"name":"JsonWebTokenError","message":"invalid signature"}`},
		{"PROPFIND", "/api/open", "ann", 405, "Method propfind is not allowed"},
		{"GET", "/api/closed", "", 200, ""},
		{"POST", "/api/closed", "", 401, "You must be logged in to use this application"},
		{"POST", "/api/closed", "ann", 200, ""},
		{"GET", "/api/ruled", "ann", 403, ""},
		{"PUT", "/api/ruled", "ann", 200, ""},
		{"GET", "/api/none", "ann", 404, ""},
		{"GET", "/api/", "ann", 404, ""},
		{"GET", "/api/open/../closed", "", 400, ""},
		{"GET", "/api/open/%2e%2e/x", "", 400, ""},
		{"GET", "/api/open/a%2fb", "", 400, ""},
		{"GET", "/api/open/a%5Cb", "", 400, ""},
		{"GET", "/api/open//b", "", 400, ""},
		{"GET", "/api/open/..;x/b", "", 400, ""},
		{"GET", "/api/open/a%00", "", 400, ""},
	} {
		var headers []string
		if c.who != "" {
			headers = []string{"X-Zumo-Auth", c.who}
		}
		resp, body := send(t, c.method, f.URL+c.path, "", headers...)
		if resp.StatusCode != c.status || c.body != "" && body != c.body {
			t.Errorf("%s %s as %q: %d %s", c.method, c.path, c.who, resp.StatusCode, body)
		}
	}
}

func TestLimits(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{}, 1)
	up, _ := upstream(t, func(_ http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/held":
			entered <- struct{}{}
			<-release
		}
	})
	gone := httptest.NewServer(nil)
	gone.Close()
	f := front(t, Config{"s": {Upstream: up.URL, MaxBody: 10, Timeout: 300 * time.Millisecond},
		"one": {Upstream: up.URL, MaxConcurrent: 1}, "gone": {Upstream: gone.URL}})
	for path, want := range map[string]int{"/api/s/slow": 504, "/api/gone": 502} {
		if resp, body := send(t, "GET", f.URL+path, ""); resp.StatusCode != want ||
			strings.Contains(body, "127.0.0.1") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	if resp, _ := send(t, "POST", f.URL+"/api/s", "elevenbytes"); resp.StatusCode != 413 {
		t.Errorf("a long body: %d", resp.StatusCode)
	}
	r, err := http.NewRequest("POST", f.URL+"/api/s", io.MultiReader(strings.NewReader("elevenbytes")))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("a long body of unknown length: %d", resp.StatusCode)
	}
	done := make(chan int)
	go func() {
		resp, err := http.Get(f.URL + "/api/one/held")
		if err != nil {
			done <- 0
			return
		}
		resp.Body.Close()
		done <- resp.StatusCode
	}()
	<-entered
	if resp, _ := send(t, "GET", f.URL+"/api/one", ""); resp.StatusCode != 503 {
		t.Errorf("one too many: %d", resp.StatusCode)
	}
	close(release)
	if status := <-done; status != 200 {
		t.Errorf("the first: %d", status)
	}
}

func TestTokensStayConfined(t *testing.T) {
	no := false
	for _, c := range []struct {
		service Service
		want    bool
	}{
		{Service{Upstream: "https://up.example"}, true}, {Service{Upstream: "http://127.0.0.1:1"}, true},
		{Service{Upstream: "http://localhost"}, true}, {Service{Upstream: "http://10.0.0.1"}, false},
		{Service{Upstream: "http://up.example"}, false},
		{Service{Upstream: "https://up.example", ForwardTokens: &no}, false},
	} {
		h, err := New(Options{Config: Config{"s": c.service},
			Transport: func(*url.URL) http.RoundTripper { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		if got := h.services["s"].sendsTokens(); got != c.want {
			t.Errorf("%s: %v", c.service.Upstream, got)
		}
	}
}

func TestStoreFailure(t *testing.T) {
	h, err := New(Options{Config: Config{"s": {Upstream: "http://127.0.0.1:1"}},
		Tokens:    tokens{err: errors.New("broken")},
		Transport: func(*url.URL) http.RoundTripper { return http.DefaultTransport }})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/api/s", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(identity.NewContext(r.Context(),
		&identity.Principal{Session: "s", User: identity.User{ID: "u"}}, nil)))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d", w.Code)
	}
}

// Why a service cannot be reached is told to the operator, not to the client.
func TestCauseIsRecorded(t *testing.T) {
	ring := event.NewRing(8)
	h, err := New(Options{Config: Config{"s": {Upstream: "http://127.0.0.1:1"}}, Events: event.NewRecorder(ring),
		Transport: func(*url.URL) http.RoundTripper { return http.DefaultTransport }})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/api/s?key=s3cret", nil))
	latest := ring.Latest()
	if len(latest) != 1 || latest[0].Reason != "service-unreachable" ||
		!strings.Contains(latest[0].Detail, "connection refused") || strings.Contains(latest[0].Detail, "s3cret") {
		t.Errorf("%+v", latest)
	}
	if w.Code != http.StatusBadGateway || strings.Contains(w.Body.String(), "refused") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A host in another script is dialled by its A-labels.
func TestUpstreamHost(t *testing.T) {
	for text, want := range map[string]string{
		"https://bücher.example/a": "xn--bcher-kva.example", "https://UP.example.:8443": "up.example:8443",
		"http://[::1]:80/": "[::1]:80", "http://[::1]": "[::1]",
	} {
		h, err := New(Options{Config: Config{"s": {Upstream: text}},
			Transport: func(*url.URL) http.RoundTripper { return http.DefaultTransport }})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := h.services["s"].upstream.Host; got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	for want, c := range map[string]Config{
		"s.upstream: is missing":                            {"s": {}},
		"s.upstream: must be an http or https URL":          {"s": {Upstream: "ftp://x"}},
		"s.upstream: the host must be a name or an address": {"s": {Upstream: "http://127.1:9"}},
		"s.upstream: the host must be a name":               {"s": {Upstream: "https://foo.0x"}},
		"s.access: must be anonymous, authenticated or disabled": {"s": {Upstream: "http://x",
			Access: "open"}},
		"s.post: must be anonymous, authenticated or disabled": {"s": {Upstream: "http://x",
			Post: Method{"x"}}},
		"s.rule: identity: condition": {"s": {Upstream: "http://x",
			Rule: "usr"}},
		"s.rule: a service has no row": {"s": {Upstream: "http://x",
			Rule: "row.a == 1"}},
		"s.headers.X-Ms-Client-Principal-Id: must be a header that may be set": {"s": {Upstream: "http://x",
			Headers: map[string]string{"X-Ms-Client-Principal-Id": "1"}}},
		"a/b: a service's name": {"a/b": {Upstream: "http://x"}},
		"echo: has the same name as Echo": {"echo": {Upstream: "http://x"},
			"Echo": {Upstream: "http://x"}},
		"s: timeout, max_body and max_concurrent must not be negative": {"s": {Upstream: "http://x",
			Timeout: -1}},
		"s.upstream: must be an http or https URL without a user name or fragmen": {"s": {Upstream: "http://u:p@x"}},
	} {
		problems := c.Check()
		if len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), want) {
			t.Errorf("want %q, got %v", want, problems)
		}
	}
}
