package dialect

import (
	"regexp"
	"testing"
)

func TestTranslateNet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		state   netState
		yes, no string
	}{
		{"/a.c", netRead, "x/abc", "/a\nc"},
		{"/a?b*c+", netRead, "/cc", "/ab"},
		{"/a??b+?", netRead, "/b", "/a"},
		{"/(ab|c)$", netRead, "/c", "/cd"},
		{"/x$", netRead, "/x\n", "/x\ny"},
		{"^/a", netRead, "/a", "x/a"},
		{"/[a-c]", netRead, "/b", "/d"},
		{"/[^a-c]", netRead, "/d", "/a"},
		{"/[]a]", netRead, "/]", "/b"},
		{"/[&^]", netRead, "/^", "/a"},
		{"/(?:ab)+", netRead, "/abab", "/a"},
		{"/a{2}b", netRead, "/aab", "/ab"},
		{"/a{,2}", netRead, "/a{,2}", "/aa"},
		{"/a{x}", netRead, "/a{x}", "/ax"},
		{"/a-b~c'd", netRead, "/a-b~c'd", "/a"},
		{"/é", netRead, "/é", "/e"},
		{"/a**", netInvalid, "", ""},
		{"/a+++", netInvalid, "", ""},
		{"/a??+", netInvalid, "", ""},
		{"?", netInvalid, "", ""},
		{"/(?", netForeign, "", ""},
		{"/(*a)", netInvalid, "", ""},
		{"/(a", netInvalid, "", ""},
		{"/a)", netInvalid, "", ""},
		{"/[a", netInvalid, "", ""},
		{"/[]", netInvalid, "", ""},
		{"/a{2}{3}", netInvalid, "", ""},
		{"/a{3,2}", netInvalid, "", ""},
		{"/a{1000}", netForeign, "", ""},
		{"/(?=a)", netForeign, "", ""},
		{"/(?i)a", netForeign, "", ""},
		{`/\d`, netForeign, "", ""},
		{"/[a-[b]]", netForeign, "", ""},
	} {
		expr, state := translateNet(c.text)
		if state != c.state {
			t.Errorf("%q: state %d, want %d", c.text, state, c.state)
			continue
		}
		if state != netRead {
			continue
		}
		re, err := regexp.Compile(expr)
		if err != nil {
			t.Errorf("%q became %q: %v", c.text, expr, err)
			continue
		}
		if !re.MatchString(c.yes) || re.MatchString(c.no) {
			t.Errorf("%q became %q: %q %v, %q %v", c.text, expr, c.yes, re.MatchString(c.yes), c.no,
				re.MatchString(c.no))
		}
	}
}

func FuzzTranslateNet(f *testing.F) {
	for _, text := range []string{"/a.c", "(a|b)*?x{2,3}$", "[]a^-z]", "((((", "a{2}{3}", "(?:", "[\x80-\xff]", "é*"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		expr, state := translateNet(text)
		if state == netRead && len(text) < 200 {
			if _, err := regexp.Compile(expr); err != nil {
				t.Skipf("too large for Go: %v", err)
			}
		}
		if state != netRead && expr != "" {
			t.Errorf("%q: %q of an expression that was not read", text, expr)
		}
	})
}
