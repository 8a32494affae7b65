package dialect

import (
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
	"github.com/google/go-cmp/cmp"
)

// Expected values were taken from android.net.Uri with the codec of each
// level.
func TestAndroidURI(t *testing.T) {
	t.Parallel()
	const all = pattern.HasScheme | pattern.HasHost | pattern.HasPath
	tests := []struct {
		raw      string
		old, new pattern.URL
	}{
		{raw: "", old: pattern.URL{Port: -1, Has: pattern.HasPath}},
		{raw: "x", old: pattern.URL{Port: -1, Path: "x", Has: pattern.HasPath}},
		{raw: ":", old: pattern.URL{Port: -1, Has: pattern.HasScheme}},
		{raw: "sms:5", old: pattern.URL{Scheme: "sms", Port: -1, Has: pattern.HasScheme}},
		{raw: "http:", old: pattern.URL{Scheme: "http", Port: -1, Has: pattern.HasScheme}},
		{raw: "http:/p?q", old: pattern.URL{Scheme: "http", Path: "/p", Port: -1,
			Has: pattern.HasScheme | pattern.HasPath}},
		{raw: "http://h", old: pattern.URL{Scheme: "http", Host: "h", Port: -1, Has: all}},
		{raw: "http://h?q/", old: pattern.URL{Scheme: "http", Host: "h", Port: -1, Has: all}},
		{raw: "//h/p", old: pattern.URL{Host: "h", Path: "/p", Port: -1, Has: pattern.HasHost | pattern.HasPath}},
		{raw: "file:///p", old: pattern.URL{Scheme: "file", Path: "/p", Port: -1, Has: all}},
		{raw: "http://h:8080/p#f", old: pattern.URL{Scheme: "http", Host: "h", Port: 8080, Path: "/p", Has: all}},
		{raw: "http://h:0/", old: pattern.URL{Scheme: "http", Host: "h", Port: portZero, Path: "/", Has: all}},
		{raw: "http://h:-80/",
			old: pattern.URL{Scheme: "http", Host: "h", Port: -1, Path: "/", Has: all},
			new: pattern.URL{Scheme: "http", Host: "h:-80", Port: -1, Path: "/", Has: all}},
		{raw: "http://a@b@c/",
			old: pattern.URL{Scheme: "http", Host: "b@c", Port: -1, Path: "/", Has: all},
			new: pattern.URL{Scheme: "http", Host: "c", Port: -1, Path: "/", Has: all}},
		{raw: `http://good\@evil/`,
			old: pattern.URL{Scheme: "http", Host: "evil", Port: -1, Path: "/", Has: all},
			new: pattern.URL{Scheme: "http", Host: "good", Port: -1, Path: `\@evil/`, Has: all}},
		{raw: "http://good:80x/",
			old: pattern.URL{Scheme: "http", Host: "good", Port: -1, Path: "/", Has: all},
			new: pattern.URL{Scheme: "http", Host: "good:80x", Port: -1, Path: "/", Has: all}},
		{raw: "http://[::1]:8080/",
			old: pattern.URL{Scheme: "http", Host: "[", Port: -1, Path: "/", Has: all},
			new: pattern.URL{Scheme: "http", Host: "[::1]", Port: 8080, Path: "/", Has: all}},
		{raw: "http://h:%38%30/",
			old: pattern.URL{Scheme: "http", Host: "h", Port: 80, Path: "/", Has: all},
			new: pattern.URL{Scheme: "http", Host: "h:80", Port: -1, Path: "/", Has: all}},
	}
	for _, test := range tests {
		if test.new.Has == 0 {
			test.new = test.old
		}
		test.old.Whole, test.new.Whole = test.raw, test.raw
		if diff := cmp.Diff(test.old, androidURI19.split(test.raw)); diff != "" {
			t.Errorf("API 19, %q (-want +got):\n%s", test.raw, diff)
		}
		if diff := cmp.Diff(test.new, androidURI29.split(test.raw)); diff != "" {
			t.Errorf("API 29, %q (-want +got):\n%s", test.raw, diff)
		}
	}
}

func TestAndroidDecode(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, old, new string }{
		{"%41%c3%bc%F0%9F%98%80", "Aü😀", "Aü😀"},
		{"a+b", "a+b", "a+b"},
		{"%", "\uFFFD", "\uFFFD"},
		{"a%4", "a\uFFFD", "a\uFFFD"},
		{"%zzy", "\uFFFDy", "\uFFFD\x00zy"},
		{"%4zy", "\uFFFDy", "\uFFFD\x04y"},
		{"%é1x", "\uFFFDx", "\uFFFD\x001x"},
		{"%😀x", "\uFFFDx", "\uFFFD\x00x"},
		{"%ff%fe", "\uFFFD\uFFFD", "\uFFFD\uFFFD"},
		{"%e2%84x", "\uFFFDx", "\uFFFDx"},
		{"%f0%9f%98x", "\uFFFDx", "\uFFFDx"},
		{"%c0%80", "\uFFFD\uFFFD", "\uFFFD\uFFFD"},
		{"%ed%a0%80", "\uFFFD", "\uFFFD"},
		{"%c3x%bc", "\uFFFDx\uFFFD", "\uFFFDx\uFFFD"},
	}
	for _, test := range tests {
		if got := androidURI19.decode(test.in); got != test.old {
			t.Errorf("API 19: %s is %q, want %q", test.in, got, test.old)
		}
		if strings.ContainsRune(test.in, '😀') {
			continue // half a pair of surrogates has no spelling in UTF-8
		}
		if got := androidURI29.decode(test.in); got != test.new {
			t.Errorf("API 29: %s is %q, want %q", test.in, got, test.new)
		}
	}
}

func TestAndroidSplitDoesNotAllocate(t *testing.T) {
	for _, raw := range []string{"https://user@api.example.org:8443/v1/x?y#z", "file:///x", "sms:5551234",
		"http://h:80x/"} {
		for _, uri := range []androidURI{androidURI19, androidURI29} {
			if n := testing.AllocsPerRun(100, func() { uri.split(raw) }); n != 0 {
				t.Errorf("%s: %v allocations", raw, n)
			}
		}
		if n := testing.AllocsPerRun(100, func() { blackberryURIOf(v(3, 8, 0)).split(raw) }); n != 0 {
			t.Errorf("BlackBerry, %s: %v allocations", raw, n)
		}
	}
}

func TestStartsWithKnowsHostAndPort(t *testing.T) {
	t.Parallel()
	tests := []struct {
		prefix, url string
		want        bool
	}{
		{"https://localhost/", "https://localhost", false},
		{"https://localhost/", "https://localhost/", true},
		{"https://localhost/", "https://evil.test", false},
		{"https://localhost/", "https://localhost:8080", false},
		{"https://localhost:8080/", "https://localhost:8080/x", true},
		{"http:", "http://evil.test", true},
		{"file://", "https://evil.test", false},
		{"data:", "https://evil.test", false},
		{"https://h/", "HTTPS://h/", false},
	}
	for _, test := range tests {
		p := androidURI29.startsWith(test.prefix)
		u := androidURI29.split(test.url)
		if got := p.Covers(&u); got != test.want {
			t.Errorf("%s begins with %s: %v, want %v", test.url, test.prefix, got, test.want)
		}
	}
}

func TestUnknownPathIsNotHeldAgainstARequest(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"android@3.6.4", "android@9.1.0"} {
		p := compileFor(t, target, `<plugin name="cordova-plugin-whitelist"/><access origin="https://h.example/v1/*"/>`)
		for url, want := range map[string]policy.Verdict{"https://h.example:443": policy.Block,
			"https://h.example": policy.Allow, "https://evil.test": policy.Block} {
			got := p.Decide(policy.Request{URL: url, Kind: policy.XHR, AnyPath: true})
			if url == "https://h.example:443" {
				want = policy.Allow // an entry without a port covers any
			}
			if got.Verdict != want {
				t.Errorf("%s, %s: %s (%s), want %s", target, url, got.Verdict, got.Reason, want)
			}
		}
	}
}

func FuzzAndroidURI(f *testing.F) {
	for _, raw := range []string{"http://a@b@h:80/p?q#f", `http://h\@x:٨٠/%zz%e2%84`, "file:///%", "x:%", "//h%4",
		"http://h:%38%30/%c0%80"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, uri := range []androidURI{androidURI19, androidURI29} {
			u := uri.split(raw)
			if u.Has&pattern.HasHost != 0 && !strings.Contains(raw, "//") {
				t.Errorf("%q has a host without //", raw)
			}
			if u.Has&pattern.HasHost == 0 && (u.Host != "" || u.Port != -1) {
				t.Errorf("%q: an absent host with the value %q, port %d", raw, u.Host, u.Port)
			}
			if diff := cmp.Diff(u, uri.split(raw)); diff != "" {
				t.Errorf("%q is split differently again:\n%s", raw, diff)
			}
		}
	})
}

func TestOldPlatformsDecideWithoutAllocation(t *testing.T) {
	body := `<plugin name="cordova-plugin-whitelist"/><access origin="https://api.example/v1"/><access ` +
		`origin="https://*.cdn.example/*"/><access origin="https://api.example/v1/deep/er"/>`
	for target, body := range map[string]string{
		"android@3.6.4": body, "android@9.1.0": body, "android@15.0.0": body, "amazon-fireos@3.5.0": body,
		"blackberry10@3.8.0": body,
	} {
		p := compileFor(t, target, body)
		for _, url := range []string{"https://api.example/v1/x/y?z=1", "https://a.cdn.example/x",
			"https://evil.test:8443/x/y/z", "file:///x"} {
			for _, kind := range []policy.Kind{policy.Navigation, policy.XHR, policy.Plugin} {
				if n := testing.AllocsPerRun(100, func() { p.Decide(policy.Request{URL: url, Kind: kind}) }); n != 0 {
					t.Errorf("%s, %s %s: %v allocations", target, kind, url, n)
				}
			}
		}
	}
}
