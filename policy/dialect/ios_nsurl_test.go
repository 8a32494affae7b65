package dialect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy/pattern"
)

func TestNSURL(t *testing.T) {
	t.Parallel()
	const all = pattern.HasScheme | pattern.HasHost | pattern.HasPath
	for raw, want := range map[string]pattern.URL{
		"http://h/p/?q#f":      {Scheme: "http", Host: "h", Path: "/p", Port: -1, Has: all},
		"http://h":             {Scheme: "http", Host: "h", Path: "", Port: -1, Has: all},
		"http://h/":            {Scheme: "http", Host: "h", Path: "/", Port: -1, Has: all},
		"http://h//":           {Scheme: "http", Host: "h", Path: "/", Port: -1, Has: all},
		"http://h?q/x":         {Scheme: "http", Host: "h", Path: "", Port: -1, Has: all},
		"HTTP://u:p@H:080/P":   {Scheme: "HTTP", Host: "H", Path: "/P", Port: 80, Has: all},
		"http://h:/":           {Scheme: "http", Host: "h", Path: "/", Port: -1, Has: all},
		"http://[::1]:8080/":   {Scheme: "http", Host: "::1", Path: "/", Port: 8080, Has: all},
		"http://h/%41%2fb%2F":  {Scheme: "http", Host: "h", Path: "/A/b", Port: -1, Has: all},
		"http://h/a%0Db%0D%0A": {Scheme: "http", Host: "h", Path: "/a\rb", Port: -1, Has: all},
		"http://h/a%0Bb":       {Scheme: "http", Host: "h", Path: "/a\nb", Port: -1, Has: all},
		"http://h/a%E9":        {Scheme: "http", Host: "h", Port: -1, Has: all &^ pattern.HasPath},
		"http://h/a%00":        {Scheme: "http", Host: "h", Port: -1, Has: all &^ pattern.HasPath},
		"http://h/a;b":         {Scheme: "http", Host: "h", Port: -1, Has: all &^ pattern.HasPath},
		"http:///x":            {Scheme: "http", Path: "/x", Port: -1, Has: all &^ pattern.HasHost},
		"http:/x":              {Scheme: "http", Port: -1, Has: pattern.HasScheme},
		"file:/x":              {Scheme: "file", Path: "/x", Port: -1, Has: all &^ pattern.HasHost},
		"sms:5551234?body=hi":  {Scheme: "sms", Port: -1, Has: pattern.HasScheme},
		"x/y.html":             {Path: "x/y.html", Port: -1, Has: pattern.HasPath},
		"":                     {Port: -1, Has: pattern.HasPath},
	} {
		want.Whole = raw
		if diff := cmp.Diff(want, splitNSURL(raw)); diff != "" {
			t.Errorf("%q:\n%s", raw, diff)
		}
	}
}

func TestNSURLRefuses(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"http://h/a b", "http://h/ü", "http://h\\x", "http://h/%4", "http://h/%zz",
		"http://h/%", "http://a@b@h/", "http://h:8a/", "http://h:1234567890/", "http://h/#a#b", "http://%68/",
		"http://a,b/", "http://[::1/", "http://[::1]x/", "http://[x]/", "http://u[@h/", "http://h/[", "hTTP://h/",
		"Http://h", "x:[", "http://h/\x00", "http://h/\xff", "h|",
	} {
		if u := splitNSURL(raw); !u.Malformed {
			t.Errorf("%q is read as %+v", raw, u)
		}
	}
}

func TestSplittersDoNotAllocate(t *testing.T) {
	phone := wpVersion{}.splitter()
	for _, raw := range []string{"https://api.shop.example:8443/v1/list?page=2", "http://h", "file:///x/index.html",
		"tel:+15551234"} {
		if n := testing.AllocsPerRun(10, func() { splitNSURL(raw) }); n != 0 {
			t.Errorf("NSURL allocates %v times for %q", n, raw)
		}
	}
	for _, raw := range []string{"https://api.shop.example/v1/list?page=2", "http://h", "http://h/"} {
		if n := testing.AllocsPerRun(10, func() { phone(raw) }); n != 0 {
			t.Errorf("System.Uri allocates %v times for %q", n, raw)
		}
	}
}

func FuzzNSURL(f *testing.F) {
	for _, raw := range []string{"http://u:p@h:80/p/%41?q#f", "http://[::1]:1/%0d%0A", "file:///%", "x:%", "//h//",
		"http://h/%c0%80;x"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u := splitNSURL(raw)
		if u.Malformed {
			return
		}
		if u.Has&pattern.HasHost != 0 && !strings.Contains(raw, "//"+u.Host) && !strings.Contains(raw, "@"+u.Host) &&
			!strings.Contains(raw, "["+u.Host) {
			t.Errorf("%q has the host %q", raw, u.Host)
		}
		if u.Has&pattern.HasHost == 0 && u.Host != "" || u.Has&pattern.HasPath == 0 && u.Path != "" {
			t.Errorf("%q: an absent part with a value: %+v", raw, u)
		}
		if len(u.Path) > 1 && strings.HasSuffix(u.Path, "/") && !strings.Contains(raw, u.Path+"/") &&
			!strings.Contains(raw, "%") {
			t.Errorf("%q: the path %q keeps its last slash", raw, u.Path)
		}
	})
}
