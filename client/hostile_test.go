package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/client"
	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/pin"
)

// TestAnswersThatNeverEnd: a body that nobody wants, of a 401 or of a redirect,
// does not hold up what comes next.
func TestAnswersThatNeverEnd(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.Header.Get("X-ZUMO-AUTH"), "fresh"), r.URL.Path == "/end":
			_, _ = fmt.Fprint(rw, "fine ", r.URL.Path)
			return
		case strings.HasPrefix(r.URL.Path, "/redirect"):
			rw.Header().Set("Location", "/end")
			rw.WriteHeader(http.StatusFound)
		default:
			rw.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(rw, "who?")
		_ = http.NewResponseController(rw).Flush()
		for strings.HasSuffix(r.URL.Path, "/floods") && r.Context().Err() == nil {
			if _, err := io.WriteString(rw, strings.Repeat("x", 16<<10)); err != nil {
				return
			}
		}
		<-r.Context().Done()
	})
	plain := "http://api.example.org:" + w.plain // HTTP/1.1, where a connection has to be given up for it
	for _, where := range []string{"/stalls", "/floods", "/redirect/stalls", "/redirect/floods",
		plain + "/redirect/stalls", plain + "/redirect/floods"} {
		path := strings.TrimPrefix(where, plain)
		if where == path {
			where = w.url("api.example.org", path)
		}
		rules := compile(t, w.access("api.example.org"), `<access origin="`+plain+`"/>`)
		c := newClient(t, rules, client.Options{Egress: w.config,
			Tokens: []client.Token{{Origins: []string{w.url("api.example.org", "")}, Header: client.HeaderZumo,
				Source: &source{token: "stale"}}}})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // only so that a failure is one
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := "fine " + path
		if strings.HasPrefix(path, "/redirect") {
			want = "fine /end"
		}
		if status, body, err := do(c, r); err != nil || status != 200 || body != want {
			t.Errorf("%s: %d %q %v", where, status, body, err)
		}
		cancel()
	}
}

// TestPinsThroughRedirects: where a redirect leads is pinned for itself.
func TestPinsThroughRedirects(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, r.URL.Query().Get("to"), http.StatusTemporaryRedirect)
	})
	pins, err := pin.NewSet(pin.Entry{Host: "pinned.example.org", Hashes: []pin.Hash{{1}}})
	if err != nil {
		t.Fatal(err)
	}
	w.config.Pins = pins
	c := newClient(t, compile(t, w.access("api.example.org"), w.access("pinned.example.org")),
		client.Options{Egress: w.config})
	_, _, err = get(c, w.url("api.example.org", "/?to="+queryEscape(w.url("pinned.example.org", "/"))))
	var e *egress.Error
	if !errors.As(err, &e) || e.Reason != egress.PinMismatch || e.Host != "pinned.example.org" {
		t.Errorf("error %v, want a mismatch of pinned.example.org's pins", err)
	}
	if got := w.requests(); len(got) != 1 {
		t.Errorf("servers got %q", got)
	}
}

// TestBareRequests: a request without a Header, as programs make by hand.
func TestBareRequests(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(rw, r.Header.Get("X-ZUMO-AUTH"))
	})
	origin := w.url("api.example.org", "")
	rt, err := client.Transport(compile(t, w.access("api.example.org"), w.access("cdn.example.org")),
		client.Options{Egress: w.config, Tokens: []client.Token{{Origins: []string{origin}, Header: client.HeaderZumo,
			Source: client.StaticToken("zumo-secret")}}})
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]string{origin + "/": "zumo-secret", w.url("cdn.example.org", "/"): ""} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		request := &http.Request{URL: u}
		response, err := rt.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if string(body) != want || request.Header != nil {
			t.Errorf("%s: %q, want %q; the request has now the header %v", raw, body, want, request.Header)
		}
	}
	if _, err := rt.RoundTrip(&http.Request{}); err == nil {
		t.Error("a request without a URL was sent")
	}
}

// TestTokensInURLs hides a token in URLs, to its owner and to others.
func TestTokensInURLs(t *testing.T) {
	const token = "s3cret/+Tök&n=="
	const jwt = "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl"
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "ok") })
	c := newClient(t, compile(t, w.access("api.example.org"), w.access("cdn.example.org")), client.Options{
		Egress: w.config, Tokens: []client.Token{{Origins: []string{w.url("api.example.org", "")},
			Header: client.HeaderZumo, Source: client.StaticToken(token)}}})
	every := func(s, hex string) string { // all of it escaped
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, hex, s[i])
		}
		return b.String()
	}
	some := func(s string) string { // every third byte, and what must be
		var b strings.Builder
		for i := range len(s) {
			if c := s[i]; i%3 == 0 || c >= 0x80 || strings.IndexByte("/&=+", c) >= 0 {
				fmt.Fprintf(&b, []string{"%%%02x", "%%%02X"}[i%2], c)
			} else {
				b.WriteByte(c)
			}
		}
		return b.String()
	}
	var refused []string
	for _, s := range []string{token, jwt} {
		spelled := []string{url.PathEscape(s), url.QueryEscape(s), every(s, "%%%02x"), every(s, "%%%02X"), some(s),
			url.QueryEscape(every(s, "%%%02x")), url.QueryEscape(url.QueryEscape(some(s)))}
		for _, each := range spelled {
			refused = append(refused, "/"+each, "/a/b-"+each+"/c", "/?q="+each, "/?"+each, "/?a=b&q=x"+each+"y",
				"/?q=%zz"+each, "/#"+each, "/?a=%25#x="+each)
		}
	}
	refused = append(refused, "/?%61ccess%5Ftoken=x", "/?%2561ccess_token=x", "/?acce%73s%5ftoken%zz&access%2dtoken=x",
		"/?redirect="+url.QueryEscape("https://a.example/?t="+jwt))
	for _, path := range refused {
		for _, host := range []string{"api.example.org", "cdn.example.org"} {
			_, _, err := get(c, w.url(host, path))
			if err == nil {
				t.Errorf("%s%s was sent", host, path)
				continue
			}
			if e, got := cause(t, err); got != client.TokenInURL || strings.Contains(e.Error(), "s3cret") ||
				strings.Contains(e.Error(), "eyJ") {
				t.Errorf("%s%s: %v", host, path, err)
			}
		}
	}
	if got := w.requests(); len(got) != 0 {
		t.Errorf("servers got %q", got)
	}
	for _, path := range []string{"/s3cret", "/?q=eyJ.eyJ.x", "/eyJhbGciOiJI/eyJzdWIiOiIx/c2lnbmF0dXJl", "/",
		"/?q=100%25", "/?$skiptoken=s3cret%2F", "/a%2Fb?q=%C3%B6"} {
		if _, _, err := get(c, w.url("api.example.org", path)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
