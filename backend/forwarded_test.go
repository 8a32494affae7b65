package backend

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/auth"
)

// seenFrom is the address that the parts of a backend see.
func seenFrom(t *testing.T, h http.Handler, remote string, headers ...string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "https://localhost:8443/tables/x", nil)
	r.RemoteAddr = remote
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return http.StatusText(w.Code)
	}
	return w.Body.String()[strings.LastIndexByte(w.Body.String(), ' ')+1:]
}

func proxied(t *testing.T, change func(*Options)) http.Handler {
	return newBackend(t, func(o *Options) {
		for _, text := range []string{"127.0.0.0/8", "10.0.0.0/8", "fe80::/10", "::ffff:192.0.2.0/120",
			"2001:db8:1::/48"} {
			o.Proxies = append(o.Proxies, netip.MustParsePrefix(text))
		}
		if change != nil {
			change(o)
		}
	})
}

// TestForwardedAddresses has the spellings of addresses that proxies write.
func TestForwardedAddresses(t *testing.T) {
	h := proxied(t, nil)
	for text, want := range map[string]string{
		"203.0.113.9":                     "203.0.113.9:0",
		"203.0.113.9:4711":                "203.0.113.9:0",
		" 203.0.113.9:4711 , 10.0.0.1:80": "203.0.113.9:0",
		"198.51.100.7:1, 203.0.113.9:2":   "203.0.113.9:0",
		"2001:db8::1":                     "[2001:db8::1]:0",
		"[2001:db8::1]":                   "[2001:db8::1]:0",
		"[2001:db8::1]:4711":              "[2001:db8::1]:0",
		"[2001:db8::1%eth0]:4711":         "[2001:db8::1]:0",
		"2001:db8::1%eth0":                "[2001:db8::1]:0",
		"203.0.113.9, [fe80::1%eth0]:1":   "203.0.113.9:0",
		"203.0.113.9, [2001:db8:1::7]":    "203.0.113.9:0",
		"::ffff:203.0.113.9":              "203.0.113.9:0",
		"[::ffff:203.0.113.9]:1":          "203.0.113.9:0",
		"203.0.113.9, ::ffff:192.0.2.1":   "203.0.113.9:0",
		"203.0.113.9:_gazonk":             "203.0.113.9:0",
		"unknown":                         "127.0.0.1:5",
		"203.0.113.9, _hidden":            "127.0.0.1:5",
		"203.0.113.9, unknown, 10.0.0.1":  "10.0.0.1:0",
		"[203.0.113.9]":                   "127.0.0.1:5",
		"203.0.113.9:99999":               "127.0.0.1:5",
		"[2001:db8::1":                    "127.0.0.1:5",
		"0x7f.1, 127.1":                   "127.0.0.1:5",
		"":                                "127.0.0.1:5",
		",":                               "127.0.0.1:5",
		"10.0.0.2, 10.0.0.1":              "10.0.0.2:0",
	} {
		if got := seenFrom(t, h, "127.0.0.1:5", "X-Forwarded-For", text); got != want {
			t.Errorf("X-Forwarded-For: %s: %s, want %s", text, got, want)
		}
	}
}

// TestForwardedField has RFC 7239's own examples and what clients try.
func TestForwardedField(t *testing.T) {
	h := proxied(t, nil)
	for text, want := range map[string]string{
		`for=192.0.3.43`:                                    "192.0.3.43:0",
		`For="[2001:db8:cafe::17]:4711"`:                    "[2001:db8:cafe::17]:0",
		`for="[2001:db8:cafe::17%en0]"`:                     "[2001:db8:cafe::17]:0",
		`for=192.0.3.60;proto=http;by=203.0.113.43`:         "192.0.3.60:0",
		`proto=https; FOR="192.0.3.60:1" ;host=a.example`:   "192.0.3.60:0",
		`for=198.51.100.17, for=192.0.3.43, for="10.0.0.1"`: "192.0.3.43:0",
		`for=192.0.3.43:99`:                                 "192.0.3.43:0",
		`for="\1\92.0.3.43"`:                                "192.0.3.43:0",
		`for=192.0.3.43, by=10.0.0.1`:                       "127.0.0.1:5",
		`for=_gazonk`:                                       "127.0.0.1:5",
		`for=unknown, for=192.0.3.43`:                       "192.0.3.43:0",
		`host="a,for=6.6.6.6;";for=192.0.3.43`:              "192.0.3.43:0",
		`for=192.0.3.43;for=6.6.6.6`:                        "Bad Request",
		`for="6.6.6.6, for=192.0.3.43`:                      "Bad Request",
		`for=6.6.6.6", for=192.0.3.43`:                      "Bad Request",
		`for="6.6.6.6"x`:                                    "Bad Request",
		`for=`:                                              "Bad Request",
		`192.0.3.43`:                                        "Bad Request",
		`for = 192.0.3.43`:                                  "Bad Request",
		`for="a\`:                                           "Bad Request",
	} {
		if got := seenFrom(t, h, "127.0.0.1:5", "Forwarded", text); got != want {
			t.Errorf("Forwarded: %s: %s, want %s", text, got, want)
		}
	}
	if got := seenFrom(t, h, "127.0.0.1:5", "Forwarded", "for=6.6.6.6", "Forwarded", "for=192.0.3.43"); got !=
		"192.0.3.43:0" {
		t.Errorf("two fields: %s", got)
	}
}

// TestForwardedOfClients has what clients send through, or past, a proxy.
func TestForwardedOfClients(t *testing.T) {
	both := []string{"Forwarded", "for=6.6.6.6", "X-Forwarded-For", "203.0.113.9"}
	if got := seenFrom(t, proxied(t, nil), "10.0.0.1:5", both...); got != "203.0.113.9:0" {
		t.Errorf("Forwarded of a client wins: %s", got)
	}
	only := proxied(t, func(o *Options) { o.ForwardedOnly = true })
	both = []string{"X-Forwarded-For", "6.6.6.6", "Forwarded", "for=203.0.113.9"}
	if got := seenFrom(t, only, "10.0.0.1:5", both...); got != "203.0.113.9:0" {
		t.Errorf("X-Forwarded-For of a client wins: %s", got)
	}
	if got := seenFrom(t, only, "10.0.0.1:5", both[:2]...); got != "10.0.0.1:5" {
		t.Errorf("X-Forwarded-For of a client is believed: %s", got)
	}
	for remote, want := range map[string]string{"203.0.113.1:5": "203.0.113.1:5",
		"[2001:db8::9%eth0]:5":   "[2001:db8::9]:5",
		"[::ffff:203.0.113.1]:5": "203.0.113.1:5", "[fe80::1%eth0]:5": "6.6.6.6:0", "[::ffff:127.0.0.1]:5": "6.6.6.6:0",
		"@": "@"} {
		if got := seenFrom(t, proxied(t, nil), remote, "X-Forwarded-For", "6.6.6.6"); got != want {
			t.Errorf("from %s: %s, want %s", remote, got, want)
		}
	}
	if got := seenFrom(t, newBackend(t, nil), "[fe80::1%eth0]:5", "Forwarded", "for=6.6.6.6"); got != "[fe80::1]:5" {
		t.Errorf("a stranger was believed: %s", got)
	}
}

// TestRateLimitByForwardedAddress counts six clients behind a proxy by themselves,
// and one that changes its port as one.
func TestRateLimitByForwardedAddress(t *testing.T) {
	public := &url.URL{Scheme: "https", Host: "localhost:8443"}
	server, err := auth.New(t.Context(), auth.Options{URL: public, Loopback: true, Store: noStore{},
		Config: auth.Config{
			RateLimit: 3, Providers: map[string]auth.ProviderConfig{"dev": {Type: "development", Picker: true}}}})
	if err != nil {
		t.Fatal(err)
	}
	h := proxied(t, func(o *Options) { o.Auth = server })
	ask := func(name, value string) int {
		r := httptest.NewRequest(http.MethodGet, "https://localhost:8443/.auth/login/dev", nil)
		r.RemoteAddr = "127.0.0.1:5"
		r.Header.Set(name, value)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	var got []int
	for _, end := range strings.Split("123456", "") {
		got = append(got, ask("X-Forwarded-For", "203.0.113."+end+":4"+end+"00"))
	}
	for _, end := range strings.Split("1234", "") {
		got = append(got, ask("Forwarded", `for="[2001:db8::`+end+`]:4`+end+`00"`))
	}
	if want := []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 429}; !slices.Equal(got, want) {
		t.Errorf("answers %v, want %v", got, want)
	}
}
