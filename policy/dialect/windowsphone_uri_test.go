package dialect

import (
	"strings"
	"testing"
)

// The expectations are what System.Uri of Mono 6.8 answered.
func TestSystemURI(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][5]string{ // scheme, host, path and query, local path, text
		"HTTP://Evil.TEST:80/a/./b/../c": {"http", "evil.test", "/a/c", "/a/c", "http://evil.test/a/c"},
		"http://h":                       {"http", "h", "/", "/", "http://h/"},
		"http://h?x":                     {"http", "h", "/?x", "/", "http://h/?x"},
		"http://h#x":                     {"http", "h", "/", "/", "http://h/#x"},
		"http://h/a%2e/%2E%2e/b":         {"http", "h", "/b", "/b", "http://h/b"},
		"http://h/a//b/../c":             {"http", "h", "/a//c", "/a//c", "http://h/a//c"},
		"http://h/..\\b":                 {"http", "h", "/b", "/b", "http://h/b"},
		"http://h/a b?c d":               {"http", "h", "/a%20b?c%20d", "/a b", "http://h/a b?c d"},
		"http://h/%20%2f%3f%23%25":       {"http", "h", "/%20%2f%3f%23%25", "/ /?#%", "http://h/ %2f%3f%23%25"},
		"http://h/%41%28":                {"http", "h", "/A(", "/A(", "http://h/A("},
		"http://h/%c3%a9":                {"http", "h", "/%C3%A9", "/é", "http://h/é"},
		"http://h/é":                     {"http", "h", "/%C3%A9", "/é", "http://h/é"},
		"http://h/%e9":                   {"http", "h", "/%e9", "/%E9", "http://h/%E9"},
		"http://h/%zz":                   {"http", "h", "/%25zz", "/%zz", "http://h/%25zz"},
		"http://h/|{}^`\"<>": {"http", "h",
			"/%7C%7B%7D%5E%60%22%3C%3E", "/|{}^`\"<>", "http://h/|{}^`\"<>"},
		"http://u:p@h:81/":     {"http", "h", "/", "/", "http://u:p@h:81/"},
		"http://h:/":           {"http", "h", "/", "/", "http://h/"},
		"http://h:080":         {"http", "h", "/", "/", "http://h/"},
		"http://1.2.3/":        {"http", "1.2.0.3", "/", "/", "http://1.2.0.3/"},
		"http://0x7f.010/":     {"http", "127.0.0.8", "/", "/", "http://127.0.0.8/"},
		"http://4294967295":    {"http", "255.255.255.255", "/", "/", "http://255.255.255.255/"},
		"http://4294967296/":   {"http", "4294967296", "/", "/", "http://4294967296/"},
		"http://256.1.1.1/":    {"http", "256.1.1.1", "/", "/", "http://256.1.1.1/"},
		"ftps://1.2.3/":        {"ftps", "1.2.3", "/", "/", "ftps://1.2.3/"},
		"http://[0:0::1]:81/x": {"http", "[::1]", "/x", "/x", "http://[::1]:81/x"},
		"http://-a.-b/":        {"http", "-a.-b", "/", "/", "http://-a.-b/"},
		"http://a.b./":         {"http", "a.b.", "/", "/", "http://a.b./"},
		"ftp://h:21/a?b#c":     {"ftp", "h", "/a%3Fb", "/a?b", "ftp://h/a%3Fb#c"},
		"ftps:\\\\h:0\\x":      {"ftps", "", "", "", ""},
		"ftps:foo":             {"ftps", "", "foo", "foo", "ftps:foo"},
		"ftps:///x":            {"ftps", "", "/x", "/x", "ftps:///x"},
		" http://h/ ":          {"http", "h", "/", "/", "http://h/"},
	} {
		u, ok := parseSystemURI(raw)
		if want[4] == "" {
			if ok {
				t.Errorf("%q is read as %+v", raw, u)
			}
			continue
		}
		got := [5]string{u.scheme, u.host, u.pathAndQuery(), u.local, u.text}
		if !ok || got != want {
			t.Errorf("%q: %q %v, want %q", raw, got, ok, want)
		}
	}
}

func TestSystemURIRelativeAndRefused(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"x/y.html", "", "?", "#a", "http:evil.test", "http:/x", "http:", "ws:x", "file:x",
		":a", "1a:b", "a:"} {
		if u, ok := parseSystemURI(raw); !ok || !u.relative {
			t.Errorf("%q: %+v %v, want a relative one", raw, u, ok)
		}
	}
	for _, raw := range []string{
		"http://", "http:///x", "http://a..b/", "http://.a/", "http://a b/",
		"http://a%41/", "http://h|/", "http://h\\x", "http://h:8a/", "http://h:65536/", "http://h:80 ", "http://1.-a/",
		"http://a.b.-c/", "http://[::1", "http://[x]/", "http://[fe80::1%25en0]/", "http://\xff/", "a:b",
		"http:%41", strings.Repeat("x", maxSystemURI),
	} {
		if u, ok := parseSystemURI(raw); ok {
			t.Errorf("%.40q is read as %+v", raw, u)
		}
	}
	for _, raw := range []string{"//h/x", "\\\\h\\x", "c:/x", "/x.html"} {
		if u, ok := parseSystemURI(raw); !ok || u.relative || u.scheme != "file" {
			t.Errorf("%q: %+v %v, want a file", raw, u, ok)
		}
	}
}

func FuzzSystemURI(f *testing.F) {
	for _, raw := range []string{"http://u:p@h:80/a/../%41?q#f", "http:x", "ftp://1.2/?%3f", "ftps:\\/h",
		" http://é.example/%c3%a9 ", "c|/x", "http://h/%%2e", "a0:// ", "ftps://h:80 "} {
		f.Add(raw)
	}
	phone := wpVersion{}.splitter()
	f.Fuzz(func(t *testing.T, raw string) {
		u, ok := parseSystemURI(raw)
		if ok && !u.relative && needsAuthority(u.scheme) && u.scheme != "file" && u.host == "" {
			t.Errorf("%q has no host: %+v", raw, u)
		}
		split := phone(raw)
		if quick, plain := splitPlainWeb(raw); plain &&
			(!ok || quick.Host != u.host || quick.Path != u.pathAndQuery() || quick.Scheme != u.scheme) {
			t.Errorf("%q: the quick reading %+v, the full one %+v", raw, quick, u)
		}
		if !split.Malformed && split.Has != 0 && split.Scheme == "" {
			t.Errorf("%q: %+v", raw, split)
		}
	})
}
