package dialect

import (
	"testing"

	"github.com/cordon-sec/cordon/policy"
)

func TestIOSOriginIsCut(t *testing.T) {
	t.Parallel()
	v31 := iosGrammar{scheme: iosLower}
	v40 := iosGrammar{scheme: iosLetters, fold: true, shortSeparator: true}
	v80 := iosGrammar{scheme: iosFull, fold: true, shortSeparator: true}
	for _, c := range []struct {
		grammar                  iosGrammar
		text                     string
		scheme, host, port, path string
		used                     string
	}{
		{v31, "http://h:80/p", "http", "h", "80", "/p", "http://h:80/p"},
		{v31, "h", "", "h", "", "", "h"},
		{v31, "*.h", "", "*.h", "", "", "*.h"},
		{v31, "*.*", "", "*", "", "", "*"},
		{v31, "*x", "", "*", "", "", "*"},
		{v31, "*://*", "*", "*", "", "", "*://*"},
		{v31, "h*t*://a", "", "h", "", "", "h"},
		{v31, "sms:*", "", "sms", "", "", "sms"},
		{v31, "HTTP://h", "", "HTTP", "", "", "HTTP"},
		{v31, "http://h:*/x", "http", "h", "", "", "http://h"},
		{v31, "http://u:p@h", "http", "u", "", "", "http://u"},
		{v31, "http:///p", "http", "", "", "/p", "http:///p"},
		{v31, "http://h/a\nb", "http", "h", "", "/a", "http://h/a"},
		{v31, "http://h:٨٠", "http", "h", "٨٠", "", "http://h:٨٠"},
		{v40, "sms:*", "sms", "*", "", "", "sms:*"},
		{v40, "localhost:3000", "localhost", "3000", "", "", "localhost:3000"},
		{v40, "cdn.example:80/x", "", "cdn.example", "80", "/x", "cdn.example:80/x"},
		{v40, "http:/h", "http", "h", "", "", "http:/h"},
		{v40, "http:////x", "http", "", "", "//x", "http:////x"},
		{v40, "HTTP://h", "HTTP", "h", "", "", "HTTP://h"},
		{v80, "cdn.example:80/x", "cdn.example", "80", "", "/x", "cdn.example:80/x"},
		{v80, "HTTP://h", "", "HTTP", "", "", "HTTP"},
		{v80, "x+y-z.1:a", "x+y-z.1", "a", "", "", "x+y-z.1:a"},
		{v80, "", "", "", "", "", ""},
	} {
		o := c.grammar.split(c.text)
		if o.scheme != c.scheme || o.host != c.host || o.port != c.port || o.path != c.path ||
			c.text[:o.used] != c.used {
			t.Errorf("%q: %+v", c.text, o)
		}
	}
}

func TestIOSFlaws(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		target, origin string
		want           policy.Flaw
	}{
		{"ios@3.0.0", "apache.org", policy.NoFlaw},
		{"ios@3.0.0", "http://apache.org/p", policy.Cut},
		{"ios@3.0.0", "http://apache.org/", policy.NoFlaw},
		{"ios@3.0.0", "sms:*", policy.BreaksBuild},
		{"ios@3.0.0", "a(b", policy.Unreadable},
		{"ios@3.0.0", "http://h:*/x", policy.Unreadable},
		{"ios@3.1.0", "http://apache.org/p", policy.NoFlaw},
		{"ios@3.1.0", "http://iota.*", policy.Cut},
		{"ios@3.1.0", "http://h/dir/", policy.NeverMatches},
		{"ios@3.1.0", "http://", policy.NeverMatches},
		{"ios@3.1.0", "http://h:0", policy.NoFlaw},
		{"ios@3.5.0", "FOO://h", policy.NeverMatches},
		{"ios@2.2.0", "http://apache.org", policy.Ignored},
		{"ios@4.5.5", "http://apache.org", policy.Ignored},
	} {
		rules := compileLines(t, c.target, element("access", "origin", c.origin)).Rules()
		if rules[0].Flaw != c.want || (c.want == policy.NoFlaw) != (rules[0].Note == "") {
			t.Errorf("%s %q: %s %q, want %s", c.target, c.origin, rules[0].Flaw, rules[0].Note, c.want)
		}
	}
	for href, want := range map[string]policy.Flaw{
		"https://h/*": policy.NoFlaw, "": policy.Rewritten, "/": policy.Rewritten, "http://": policy.Rewritten,
		"localhost:3000": policy.Rewritten, "tel:*": policy.NoFlaw, "tel:5": policy.Rewritten, "*": policy.NoFlaw,
		"https://a*b": policy.Cut,
	} {
		rules := compileLines(t, "ios@4.5.5", element("allow-navigation", "href", href)).Rules()
		if rules[0].Flaw != want {
			t.Errorf("%q: %s %q, want %s", href, rules[0].Flaw, rules[0].Note, want)
		}
	}
}

func TestIOSExternalEntryIsAGrant(t *testing.T) {
	t.Parallel()
	p := compileLines(t, "ios@3.6.3", `<access origin="http://apache.org" launch-external="yes"/>`)
	d := p.Decide(policy.Request{URL: "http://apache.org/", Kind: policy.XHR})
	if d.Verdict != policy.Allow || d.Rule == nil || d.Rule.Flaw != policy.Rewritten || d.Rule.Place.Line != 2 {
		t.Errorf("%+v", d)
	}
}

func TestIOSStrictAsksTheLists(t *testing.T) {
	t.Parallel()
	p := compileLines(t, "ios@8.0.1", `<allow-navigation href="https://page.example/*"/>`,
		`<access origin="https://api.example"/>`, `<allow-intent href="https://out.example/*"/>`)
	for url, want := range map[string]policy.Verdict{
		"https://page.example/x": policy.Allow, "https://api.example/x": policy.Allow,
		"https://out.example/": policy.Block, "https://evil.test/": policy.Block,
	} {
		if d := p.Decide(policy.Request{URL: url, Kind: policy.XHR, Strict: true}); d.Verdict != want {
			t.Errorf("%s: %+v, want %s", url, d, want)
		}
		if d := p.Decide(policy.Request{URL: url, Kind: policy.XHR}); d.Verdict != policy.Bypass ||
			d.Reason != policy.NeverAsked {
			t.Errorf("%s: %+v, want a bypass", url, d)
		}
	}
}

func TestIOSHostText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, host string
		want       bool
	}{
		{"*", "x.y", true}, {"h", "h", true}, {"h", "H", false}, {"*.h", "h", true}, {"*.h", ".h", true},
		{"*.h", "a_b.h", true}, {"*.h", "xh", false}, {"h.*", "h.com", true}, {"h.*", "h.zz", true},
		{"h.*", "h.museum", true}, {"h.*", "h.co.uk", false}, {"h.*", "h.CO", false},
		{"1.2.3.*", "1.2.3.anything.x", true}, {"1.2.300.*", "1.2.300.com", true}, {"1.2.300.*", "1.2.300.4", false},
		{"*.2.3.*", "1.2.3.com", true}, {"*.2.3.*", "1.2.3.4", false}, {"*.*", "anything", true}, {"a*c", "abbc", true},
		{"a*c", "ac", true}, {"a*c", "acd", false}, {"a(b|c)", "ac", true}, {"ab?", "a", true}, {"a.b", "axb", false},
	} {
		l, note := iosHostLanguage(c.text)
		if note != "" {
			t.Errorf("%q: %s", c.text, note)
		} else if got := l.Contains(c.host); got != c.want {
			t.Errorf("%q covers %q: %v", c.text, c.host, got)
		}
	}
}
