package dialect

import (
	"os"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy/pattern"
)

// What Capacitor's own class says of masks and hosts (testdata/hostmask, written
// by the class itself; HostMasks.java tells how).
func TestCapacitorMasks(t *testing.T) {
	data, err := os.ReadFile("testdata/hostmask/verdicts.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	hosts := strings.Split(lines[0], "\t")[1:]
	for _, line := range lines[1:] {
		mask, covered, _ := strings.Cut(line, "\t")
		language, _ := capacitorMask(mask)
		for i, host := range hosts {
			if got, want := language.Contains(host), covered[i] == '1'; got != want {
				t.Errorf("the mask %q covers %q: %v, want %v", mask, host, got, want)
			}
		}
	}
}

// CAPInstanceConfiguration.doesHost, and what it did before 3.2.5 with several
// wildcards: traced by hand, since there is no Swift to run here.
func TestCapacitorIOSMasks(t *testing.T) {
	for _, test := range []struct {
		mask, host    string
		before, after bool
	}{
		{"*", "x", true, true},
		{"*.example.com", "a.example.com", true, true},
		{"*.Example.com", "a.eXample.com", true, true},
		{"*.example.com", "a.b.example.com", false, false},
		{"*.example.com", "example.com", false, false},
		{"com", "example.com", false, false},
		{".example..com.", "example.com", true, true},
		{"example.com", "example.com.", true, true},
		{"*.*.example.com", "a.b.example.com", false, true},
		{"*.*.example.com", "a.*.other.com", true, false},
		{"*.*", "a.b", false, true},
		{"a.*.*", "a.b.c", false, true},
		{".", "", true, true},
	} {
		before, _ := capacitorIOSMask(test.mask, true)
		after, _ := capacitorIOSMask(test.mask, false)
		if got := before.Contains(test.host); got != test.before {
			t.Errorf("before 3.2.5 %q covers %q: %v, want %v", test.mask, test.host, got, test.before)
		}
		if got := after.Contains(test.host); got != test.after {
			t.Errorf("%q covers %q: %v, want %v", test.mask, test.host, got, test.after)
		}
	}
}

// Which texts are rules of origins, and what they cover, as the web view's own
// tests say (Chromium, components/js_injection/common/origin_matcher_unittest.cc).
func TestWebOrigins(t *testing.T) {
	for _, text := range []string{
		"", "example.com", "httpbin.org", "://example.com", "*://example.com", "https://www.example.com/index.html",
		"https://example.com/", "http://192.168.0.1/*", "https://*foobar.com", "https://x.*.y.com",
		"https://*.*.example.com", "https://e*xample.com", "https://example.com*", "https://*", "http://*",
		"https://example.com:", "https://example.com:*", "https://example.com:-1", "https://example.com:+443",
		"http://", "https://", "https://:80", "https://192.168.0.0/16", "https://fefe:13::abc/33", "http://[a:b:*]",
		"http://[a:b:*", "x-mail://hostname", "x-mail://hostname:80", "x-mail://*", "file://host", "ionic://localhost",
		"https://user@example.com", "https://example.com:99999", "https:example.com",
	} {
		if _, valid := webOrigins(text); valid {
			t.Errorf("%q counts as a rule of origins", text)
		}
	}
	uri := androidURI29
	for _, test := range []struct{ rule, covered, not string }{
		{"https://www.example.com:99", "https://www.example.com:99/x",
			"http://www.example.com:99 https://www.example.com https://music.example.com:99"},
		{"http://www.example.com", "http://www.example.com http://www.example.com:80/",
			"https://www.example.com http://www.example.com:99 http://music.example.com"},
		{"https://*.example.com", "https://www.example.com https://a.b.example.com:443/p",
			"https://example.com http://www.example.com https://www.example.com:99 " +
				"https://www.example.com.evil.example"},
		{" https://EXAMPLE.com ", "https://example.com", "https://a.example.com"},
		{"https://192.168.0.1", "https://192.168.0.1:443", "https://192.168.0.2"},
		{"https://[3ffe:2a00:100:7031:0:0::1]", "https://[3ffe:2a00:100:7031::1]/", "https://[3ffe::1]"},
		{"x-mail://", "x-mail://hostname", "y-mail://hostname"},
		{"*", "https://a.example http://b.example:81 data:,x", ""},
	} {
		patterns, valid := webOrigins(test.rule)
		if !valid {
			t.Errorf("%q is no rule of origins", test.rule)
		}
		set := pattern.NewSet(patterns)
		for _, url := range strings.Fields(test.covered) {
			if u := uri.split(url); !covers(set, &u) {
				t.Errorf("%q does not cover %s", test.rule, url)
			}
		}
		for _, url := range strings.Fields(test.not) {
			if u := uri.split(url); covers(set, &u) {
				t.Errorf("%q covers %s", test.rule, url)
			}
		}
	}
}

func covers(set *pattern.Set, u *pattern.URL) bool {
	_, ok := set.Match(u)
	return ok
}
