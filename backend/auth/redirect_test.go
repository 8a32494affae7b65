package auth

import (
	"net/url"
	"strings"
	"testing"
)

func testPlaces(t testing.TB) *destinations {
	t.Helper()
	d, err := newDestinations(&url.URL{Scheme: "https", Host: "own.example"},
		[]string{"todoapp://easyauth.callback", "https://app.example", "https://exact.example/in?a=1",
			"https://below.example/spa/*", "http://localhost:3000", "https://port.example:8443", "http://[::1]",
			"https://[::ffff:1.2.3.4]:443"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRedirects(t *testing.T) {
	d := testPlaces(t)
	for _, text := range []string{"/", "/a/b?c=d&e", "/.auth/login/done", "https://own.example",
		"https://own.example/x?y", "https://OWN.example:443/x", "todoapp://easyauth.callback", "https://app.example",
		"https://app.example/any/path?q=1", "https://exact.example/in?a=1", "https://below.example/spa/",
		"https://below.example/spa/a/b?c", "https://APP.example./x", "http://[::1]:80/x", "https://1.2.3.4/",
		"http://localhost:3000/x", "https://port.example:8443/"} {
		if _, err := d.accept(text); err != nil {
			t.Errorf("%s was refused", text)
		}
	}
	for _, text := range []string{"", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`,
		"/\t/evil.example", "/%0a//x\n", "https:evil.example", "https:///evil.example", "https://evil.example",
		"https://app.example.evil.example", "https://app.example@evil.example",
		"https://evil.example#https://app.example", "https://app.example:444", "https://app.example:",
		"http://app.example", "https://user@app.example/", "https://exact.example/in", "https://exact.example/in?a=2",
		"https://exact.example/in/", "https://exact.example/IN?a=1", "https://below.example/spa",
		"https://below.example/spax", "https://below.example/spa/../x", "https://below.example/spa/%2e%2e/x",
		"https://below.example/", "todoapp://other", "todoapp://easyauth.callback/", "todoapp://easyauth.callback?x",
		"todoapp://EasyAuth.callback", "evil://easyauth.callback", "javascript:alert(1)",
		"javascript://easyauth.callback", "data:text/html,x", "http://localhost", "http://localhost:3001",
		"https://app.example/#fragment", "/a#b", "a/b", "?x", "/.//evil.example", "/..//evil.example",
		"/a/%2e%2e//evil.example", "https://app.example\\@evil.example", "https://app.example%2eevil.example",
		"https://[::1]", "https://a..b", "https://127.1", "https://0x01.2.3.4", "http://[::1%25lo]",
		"https://app.example:0443", "https://port.example", "/\u00a0", "https://аpp.example", "/a b",
		"https://app.example/" + strings.Repeat("a", 3000)} {
		if _, err := d.accept(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestRedirectEntries(t *testing.T) {
	for _, text := range []string{"", "app.example", "http://app.example", "https://app.example/*/x",
		"https://*.example", "https://app.example/x*", "myapp://callback", "myapp://easyauth.callback/",
		"MYAPP://easyauth.callback/x", "javascript://easyauth.callback", "https://u:p@app.example",
		"https://app.example/#x", "https://app.example/a/../b", "https://", "file:///x", "intent://easyauth.callback",
		"https://app.example/ x", "https://a..b", "https://127.1", "http://0x7f.1", "http://[::1%25lo]", "https://a:0",
		"https://a:"} {
		if entry, err := parseRedirect(text); err == nil {
			t.Errorf("%q was read as %+v", text, entry)
		}
	}
}

func TestEncodeComponent(t *testing.T) {
	text := "a b+c%d\"{}:,é\x00-_.!~*'()"
	got := encodeComponent(text)
	if want := "a%20b%2Bc%25d%22%7B%7D%3A%2C%C3%A9%00-_.!~*'()"; got != want {
		t.Errorf("got %s", got)
	}
	if back, err := url.PathUnescape(got); err != nil || back != text {
		t.Errorf("decoded to %q, %v", back, err)
	}
}

// FuzzRedirect holds every accepted address against the way in which browsers
// read one: from a page of ours it must lead to a place that is listed.
func FuzzRedirect(f *testing.F) {
	for _, text := range []string{"/a", "//b", "https://app.example/x", "todoapp://easyauth.callback", `/\evil`,
		"https://below.example/spa/x", "https:app.example"} {
		f.Add(text)
	}
	d := testPlaces(f)
	page, _ := url.Parse("https://own.example/.auth/login/x/callback")
	listed := map[string]bool{"https://own.example": true, "https://app.example": true, "https://exact.example": true,
		"http://[::1]": true, "https://1.2.3.4": true, "https://below.example": true,
		"http://localhost:3000": true, "https://port.example:8443": true,
		"todoapp://easyauth.callback": true}
	f.Fuzz(func(t *testing.T, text string) {
		native, err := d.accept(text)
		if err != nil {
			return
		}
		// The WHATWG parser drops tabs and line ends, and takes \ for /.
		read := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(strings.TrimSpace(text))
		target, err := page.Parse(read)
		if err != nil {
			t.Fatalf("%q was accepted and does not parse", text)
		}
		if origin := target.Scheme + "://" + hostOf(target); !listed[origin] ||
			native != (target.Scheme == "todoapp") || target.User != nil {
			t.Fatalf("%q leads to %s", text, origin)
		}
	})
}

// FuzzOrigin finds origins that are accepted and are not listed.
func FuzzOrigin(f *testing.F) {
	for _, text := range []string{"https://app.example", "null", "https://app.example:443",
		"https://app.example.evil"} {
		f.Add(text)
	}
	d := testPlaces(f)
	f.Fuzz(func(t *testing.T, text string) {
		origin, err := d.origin(text)
		if err != nil {
			return
		}
		switch origin {
		case "https://own.example", "https://app.example", "https://exact.example", "https://below.example",
			"http://localhost:3000", "https://port.example:8443":
		default:
			t.Fatalf("%q was accepted as %s", text, origin)
		}
	})
}
