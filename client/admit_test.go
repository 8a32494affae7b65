package client

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// FuzzAdmit gives any URL to the client: what it lets out has one meaning, the
// policy allows exactly that, and it carries no token.
func FuzzAdmit(f *testing.F) {
	doc, err := configxml.Parse("config.xml",
		[]byte(`<widget><access origin="https://*.example.org/v1"/><access origin="http://a.example:8080"/><access `+
			`origin="https://bücher.example"/></widget>`))
	if err != nil {
		f.Fatal(err)
	}
	p, err := dialect.Compile(doc, policy.Target{Platform: dialect.Strict})
	if err != nil {
		f.Fatal(err)
	}
	g, err := newGuarded(p, Options{})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{
		"https://api.example.org/v1/a?b=c#d", "http://a.example:8080/", "https://bücher.example/",
		"https://BÜCHER.example:443/%2e%2e/x", "https://x.example.org/v1/../v2", "https://x.example.org:/v1",
		"https://u@x.example.org/v1", "https://x.example.org\\@evil.example/v1", "https:x.example.org/v1",
		"https://x.example.org./v1", "https://x。example.org/v1?token=1", "https://[::ffff:127.0.0.1]/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := url.Parse(raw)
		if err != nil {
			return
		}
		out, err := g.admit(&http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{}})
		if err != nil {
			return
		}
		host, _, err := egress.ParseHost(out.URL.Hostname())
		if err != nil || host != out.URL.Hostname() || out.Host != "" || out.URL.User != nil || out.URL.Opaque != "" {
			t.Fatalf("%q leaves as %q to host %q", raw, out.URL, out.Host)
		}
		again, err := url.Parse(out.URL.String())
		if err != nil || again.Host != out.URL.Host || again.EscapedPath() != out.URL.EscapedPath() {
			t.Fatalf("%q leaves as %q, which reads differently", raw, out.URL)
		}
		if d := p.Decide(policy.Request{URL: withoutFragment(out.URL), Kind: policy.XHR, Strict: true}); d.Verdict !=
			policy.Allow {
			t.Fatalf("%q leaves as %q, which is not allowed", raw, out.URL)
		}
		if where := tokenInURL(out.URL); where != "" {
			t.Fatalf("%q leaves with a token in %s", raw, where)
		}
	})
}
