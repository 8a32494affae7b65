package csp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const text = " Default-Src 'self' ;; connect-src\n https://a.example;\tconnect-src * ; upgrade-insecure-requests"
	p := Parse(text)
	if got, want := p.String(),
		"default-src 'self'; connect-src https://a.example; upgrade-insecure-requests"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(p.Repeated) != 1 || p.Repeated[0].String() != "connect-src *" {
		t.Errorf("repeated = %v", p.Repeated)
	}
	for _, d := range p.Directives {
		if got := text[d.Start:d.End]; !strings.EqualFold(strings.Join(strings.Fields(got), " "), d.String()) {
			t.Errorf("directive %v spans %q", d, got)
		}
	}
}

func TestEffective(t *testing.T) {
	p := Parse("default-src 'none'; script-src a.example; child-src b.example")
	for name, want := range map[string]string{
		"script-src-elem": "script-src a.example",
		"worker-src":      "child-src b.example",
		"frame-src":       "child-src b.example",
		"img-src":         "default-src 'none'",
		"base-uri":        "",
	} {
		got := ""
		if d, ok := p.Effective(name); ok {
			got = d.String()
		}
		if got != want {
			t.Errorf("Effective(%s) = %q, want %q", name, got, want)
		}
	}
}

func TestAllows(t *testing.T) {
	const self = "https://localhost/"
	tests := []struct {
		sources, url string
		want         bool
	}{
		{"*", "https://a.example/", true},
		{"*", "wss://a.example/", true},
		{"*", "data:text/plain,x", false},
		{"*", "blob:https://x", false},
		{"data:", "data:text/plain,x", true},
		{"https:", "https://a.example:8443/", true},
		{"https:", "http://a.example/", false},
		{"http:", "https://a.example/", true},
		{"'none'", "https://a.example/", false},
		{"'self'", "https://localhost/x", true},
		{"'self'", "https://localhost:443/x", true},
		{"'self'", "https://localhost:8443/x", false},
		{"'self'", "http://localhost/x", false},
		{"'self'", "wss://localhost/x", true},
		{"a.example", "https://a.example/", true},
		{"a.example", "http://a.example/", false}, // the page is https
		{"a.example", "https://A.Example/", true},
		{"a.example", "https://b.a.example/", false},
		{"*.a.example", "https://b.a.example/", true},
		{"*.a.example", "https://c.b.a.example/", true},
		{"*.a.example", "https://a.example/", false},
		{"*.a.example", "https://xa.example/", false},
		{"https://a.example:8443", "https://a.example:8443/", true},
		{"https://a.example:8443", "https://a.example/", false},
		{"https://a.example:*", "https://a.example:1/", true},
		{"http://a.example:80", "https://a.example/", true},
		{"https://a.example", "wss://a.example/", false},
		{"http://a.example", "ws://a.example/", false},
		{"ws://a.example", "https://a.example/", true},
		{"wss://a.example", "https://a.example/", true},
		{"wss://a.example", "ws://a.example/", false},
		{"https://a.example/api/", "https://a.example/api/x?y", true},
		{"https://a.example/api", "https://a.example/api/x", false},
		{"https://a.example/", "https://a.example", true},
		{"https://a.example", "https://user:pw@a.example/", true},
		{"https://a.example", "https://a.example@evil.test/", false},
		{"b.example c.example", "https://c.example", true},
		{"'unsafe-inline' 'nonce-abc'", "https://a.example/", false},
		{"a.example;", "https://", false},
		{"https://a.example", "not a url", false},
	}
	for _, test := range tests {
		d := Directive{Name: "connect-src", Sources: strings.Fields(test.sources)}
		if got := d.Allows(test.url, self); got != test.want {
			t.Errorf("%s allows %s: %v, want %v", test.sources, test.url, got, test.want)
		}
	}
	if !Parse("img-src a.example").Allows("connect-src", "https://b.example/", self) {
		t.Error("without connect-src and default-src everything is allowed")
	}
}

func TestGuarded(t *testing.T) {
	for text, want := range map[string]bool{
		"script-src 'unsafe-inline'":                     false,
		"script-src 'unsafe-inline' 'NONCE-abc'":         true,
		"script-src 'sha256-abc='":                       true,
		"script-src https://nonce-.example 'self'":       false,
		"script-src 'strict-dynamic' 'unsafe-inline' x.": true,
	} {
		if got := Parse(text).Directives[0].Guarded(); got != want {
			t.Errorf("%s: guarded %v, want %v", text, got, want)
		}
	}
}

func TestMerge(t *testing.T) {
	tests := []struct{ a, b, want string }{
		{"default-src 'self'", "default-src 'none'; img-src x.example", "default-src 'self'; img-src 'self' x.example"},
		{"connect-src a.example", "img-src b.example", ""},
		{"connect-src 'none'", "connect-src 'none'", "connect-src 'none'"},
		{"connect-src a.example", "connect-src A.EXAMPLE b.example", "connect-src a.example b.example"},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, Merge(Parse(test.a), Parse(test.b)).String()); diff != "" {
			t.Errorf("Merge(%s, %s): %s", test.a, test.b, diff)
		}
	}
}

func TestSet(t *testing.T) {
	p := Parse("default-src 'self'; connect-src *").Set("connect-src", "https://a.example").Set("object-src")
	if got, want := p.String(), "default-src 'self'; connect-src https://a.example; object-src 'none'"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzParse: what is printed reads back as the same policy, and a merged
// policy allows what either did.
func FuzzParse(f *testing.F) {
	f.Add("default-src 'self'; connect-src https://*.a.example:8443/x", "img-src data:", "https://b.a.example:8443/x")
	f.Add("x;;y z", "", "data:,")
	f.Add("script-src *:*", "frame-src [::1]:80", "http://[::1]:80/")
	f.Fuzz(func(t *testing.T, a, b, url string) {
		p, q := Parse(a), Parse(b)
		if again := Parse(p.String()); again.String() != p.String() {
			t.Fatalf("%q prints as %q, which reads as %q", a, p, again)
		}
		merged := Merge(p, q)
		for name := range fallbacks {
			const self = "https://localhost/"
			if (p.Allows(name, url, self) || q.Allows(name, url, self)) && !merged.Allows(name, url, self) {
				t.Fatalf("%q and %q merge to %q, which refuses %q under %s", p, q, merged, url, name)
			}
		}
	})
}
