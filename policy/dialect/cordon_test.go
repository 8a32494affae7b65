package dialect_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/google/go-cmp/cmp"
)

// compile reads the body of a widget for a target, or ends the test.
func compile(t testing.TB, target, body string) *policy.Policy {
	t.Helper()
	doc, err := configxml.Parse("config.xml", []byte("<widget>"+body+"</widget>"))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	parsed, err := dialect.ParseTarget(target)
	if err != nil {
		t.Fatalf("target: %v", err)
	}
	compiled, err := dialect.Compile(doc, parsed)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return compiled
}

func TestStrictPatterns(t *testing.T) {
	tests := []struct {
		origin string
		allow  string // blank-separated
		block  string
	}{
		{"https://h.example",
			"https://h.example https://h.example/ wss://h.example/s https://H.EXAMPLE/x?y#z https://h.example:443/ " +
				"https://h.example./",
			"http://h.example/ ws://h.example/ https://h.example:8443/ https://a.h.example/ " +
				"https://h.example.evil.test/ https://h.examplf/"},
		{"http://h.example",
			"http://h.example/ ws://h.example/ http://h.example:80/",
			"https://h.example/ wss://h.example/ http://h.example:443/"},
		{"h.example", "https://h.example/ wss://h.example/", "http://h.example/ ws://h.example/"},
		{"*://h.example",
			"http://h.example/ https://h.example/ ws://h.example/ wss://h.example/",
			"ftp://h.example/ http://h.example:443/ https://h.example:80/"},
		{"*://h.example:443", "https://h.example/ http://h.example:443/ ws://h.example:443/", "http://h.example/"},
		{"*://h.example:8080", "https://h.example:8080/ ws://h.example:8080/", "http://h.example/ https://h.example/"},
		{"https://*.h.example",
			"https://h.example/ https://a.h.example/ https://b.a.h.example/ https://a_b.h.example/ " +
				"https://A_B.H.example/",
			"https://xh.example/ https://h.example.evil.test/ https://.h.example/"},
		{"https://h.example:8443", "https://h.example:8443/ wss://h.example:8443/", "https://h.example/"},
		{"h.example:8443", "https://h.example:8443/", "https://h.example/ http://h.example:8443/"},
		{"localhost:3000", "https://localhost:3000/", "localhost:3000 http://localhost:3000/"},
		{"https://h.example/*", "https://h.example/ https://h.example", ""},
		{"https://h.example/", "https://h.example/ https://h.example/x", ""},
		{"https://h.example/p",
			"https://h.example/p https://h.example/p/ https://h.example/p/q https://h.example/p?x " +
				"https://h.example/%70/q https://h.example/q/../p/x",
			"https://h.example/ https://h.example/pq https://h.example/P https://h.example/p/../q " +
				"https://h.example/p/%2e%2e/q https://h.example/p%2fq https://h.example/p/%5cq"},
		{"https://h.example/p/*", "https://h.example/p https://h.example/p/q", "https://h.example/pq"},
		{"*", "https://a.example/ wss://b.example/",
			"http://a.example/ https://10.0.0.1/ https://[::1]/ ftp://a.example/"},
		{"https://*", "https://a.example/ wss://b.example/",
			"http://a.example/ https://127.0.0.1/ https://a.example:8443/"},
		{"https://*/*", "https://a.example/x", "https://127.0.0.1/"},
		{"http://*", "http://a.example/ ws://a.example/", "https://a.example/ http://127.0.0.1/"},
		{"https://10.0.0.1", "https://10.0.0.1/",
			"https://10.0.0.01/ https://167772161/ https://0xa000001/ https://10.1/ https://10.0.0.1.example/"},
		{"https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443/",
			"https://[2001:DB8::1]:8443/ https://[2001:db8:0::1]:8443/ https://[2001:db8::1%25eth0]:8443/"},
		{"https://bücher.example", "https://bücher.example/ https://xn--bcher-kva.example/ https://BÜCHER.example/ " +
			"https://XN--BCHER-KVA.example/", "https://bucher.example/"},
		{"https://example.com", "https://example。com/ https://EXAMPLE.com/", "https://examp\u200ble.org/"},
		{"https://h_1.example", "https://h_1.example/", "https://h-1.example/"},
	}
	for _, test := range tests {
		compiled := compile(t, "cordon", `<access origin="`+test.origin+`"/>`)
		if flaw := compiled.Rules()[0].Note; flaw != "" {
			t.Errorf("origin %s does not fit: %s", test.origin, flaw)
		}
		for _, url := range strings.Fields(test.allow) {
			if got := compiled.Decide(policy.Request{URL: url, Kind: policy.XHR}); got.Verdict != policy.Allow ||
				got.Rule == nil {
				t.Errorf("origin %s, %s: %s (%s), want allow by the rule", test.origin, url, got.Verdict, got.Reason)
			}
		}
		for _, url := range strings.Fields(test.block) {
			if got := compiled.Decide(policy.Request{URL: url, Kind: policy.XHR}); got.Verdict != policy.Block {
				t.Errorf("origin %s, %s: %s (%s), want block", test.origin, url, got.Verdict, got.Reason)
			}
		}
	}
}

func TestStrictRefusesAmbiguousURLs(t *testing.T) {
	compiled := compile(t, "cordon", `<access origin="*"/><access origin="http://*"/><access `+
		`origin="https://127.0.0.1"/><access origin="https://[::1]"/>`)
	for _, url := range []string{
		"", "h.example", "//h.example/", "/x", "index.html", "https:h.example", "https:/h.example/",
		"https:///h.example/", "https://", "https://?x", "https://user@h.example/", "https://user:pw@h.example/",
		"https://h.example\\@evil.test/", "https:\\\\h.example/", "https://h.example\\x", " https://h.example/",
		"https://h.example/ ", "https://h.example/\x00", "https://h.example/a\tb", "ht\ntps://h.example/",
		"https://h.example/%", "https://h.example/%zz", "https://h.example/%f", "https://h%2eexample/",
		"https://h.example:/", "https://h.example:0/", "https://h.example:0443/", "https://h.example:65536/",
		"https://h.example:80x/", "https://h.example:+80/", "https://h..example/", "https://.example/", "https://./",
		"https://[::1/", "https://::1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/",
		"https://127.1/", "https://0177.0.0.1/", "https://127.0.0.1.5/", "https://１２７.0.0.1/", "https://h.example。/",
		"https://h.example。./", "https://h.example。。/", "https://127。0.0.1/", "https://[::ffff:127.0.0.1%25lo]/",
		"https://[0:0:0:0:0:0:0:1]/", "https://h.0x1f/", "https://a b.example/", "https://h.example\x7f/",
		"https://h!.example/", "https://" + strings.Repeat("a", 64) + ".example/",
		"https://" + strings.Repeat("a.", 130) + "example/", "https://xn--a.example/", "https://\xff.example/",
		"https://h.example/\xff", "1https://h.example/",
	} {
		if got := compiled.Decide(policy.Request{URL: url, Kind: policy.XHR}); got.Verdict != policy.Block ||
			got.Reason != policy.Malformed {
			t.Errorf("%q: %s (%s), want block (malformed)", url, got.Verdict, got.Reason)
		}
	}
}

func TestStrictDropsLinesThatDoNotFit(t *testing.T) {
	for _, origin := range []string{
		"", " ", " https://h.example", "https://h.example ", "https://*.google.*", "https://a*b.example",
		"http*://h.example", "https://h.*", "https://user@h.example", "https://h.example?x", "https://h.example/#x",
		"https://h.example/a*", "https://h.example/*/b", "https://h.example/a/../b", "https://h.example/%61",
		"https://h.example:0", "https://h.example:*", "https://h.example:99999", "https://10.0.0.01",
		"https://*.10.0.0.1", "sms:*", "tel:112", "file:///*", "data:*", "https:h.example", "https:*", "https:///x",
		"https://", "://h.example", "h.example\\x", "https://**", "**", "*.*", "https://a..b", "https://xn--a",
		"ftp://h.example", "h.example:http",
	} {
		compiled := compile(t, "cordon", `<access origin="`+origin+`"/>`)
		rule := compiled.Rules()[0]
		if rule.Flaw != policy.Dropped || rule.Note == "" || rule.Patterns != nil {
			t.Errorf("origin %q: flaw %q, note %q, %d patterns; want it dropped with a note", origin, rule.Flaw,
				rule.Note, len(rule.Patterns))
		}
	}
}

func TestStrictPurposes(t *testing.T) {
	const (
		access   = `<access origin="https://api.example"/>`
		external = `<access origin="https://out.example" launch-external="yes"/><allow-intent ` +
			`href="tel:*"/><allow-intent href="market://details*"/>`
		navigation = `<allow-navigation href="https://page.example/app/*"/>`
		content    = `<content src="https://start.example/index.html?v=1"/>`
	)
	tests := []struct {
		body, url, kind string
		want            policy.Verdict
	}{
		{access, "https://api.example/", "xhr", policy.Allow},
		{access, "https://api.example/", "navigation", policy.Allow},
		{access, "wss://api.example/", "websocket", policy.Allow},
		{access, "https://api.example/a.mp4", "media", policy.Allow},
		{access + navigation, "https://api.example/", "navigation", policy.Block},
		{access + navigation, "https://page.example/app/1", "navigation", policy.Allow},
		{access + navigation, "https://page.example/other", "navigation", policy.Block},
		{access + navigation, "https://page.example/other", "script", policy.Allow},
		{access + navigation, "https://page.example/other", "frame", policy.Allow},
		{access + navigation, "https://page.example/app/1", "xhr", policy.Block},
		{access + navigation, "https://page.example/app/1", "image", policy.Block},
		{access + `<allow-navigation href="::"/>`, "https://api.example/", "navigation", policy.Block},
		{content, "https://start.example/index.html", "navigation", policy.Allow},
		{content, "https://start.example/other.html", "navigation", policy.Block},
		{content, "https://start.example/x.js", "script", policy.Allow},
		{`<content src="index.html"/>`, "https://index.html/", "navigation", policy.Block},
		{external, "https://out.example/", "navigation", policy.Launch},
		{external, "https://out.example/", "xhr", policy.Block},
		{external, "tel:112", "navigation", policy.Launch},
		{external, "TEL:112", "navigation", policy.Launch},
		{external, "tel:112", "xhr", policy.Block},
		{external, "market://details?id=x", "navigation", policy.Launch},
		{external, "market://search?q=x", "navigation", policy.Block},
		{external + `<access origin="https://out.example"/>`, "https://out.example/", "navigation", policy.Allow},
		{`<access origin="https://out.example" launch-external="no"/>`, "https://out.example/", "xhr", policy.Block},
		{`<access origin="https://out.example" launch-external="no"/>`, "https://out.example/", "navigation",
			policy.Block},
		{`<access uri="https://old.example" subdomains="true"/>`, "https://a.old.example/", "xhr", policy.Allow},
		{`<access origin="https://old.example" subdomains="TRUE"/>`, "https://a.old.example/", "xhr", policy.Block},
		{`<platform name="android"><access origin="https://scoped.example"/></platform>`, "https://scoped.example/",
			"xhr", policy.Block},
		{`<allow-intent href="*"/>`, "https://10.0.0.1/", "navigation", policy.Block},
		{`<allow-intent href="*"/>`, "https://a.example/", "navigation", policy.Launch},
		{``, "https://a.example/", "navigation", policy.Block},
	}
	for _, test := range tests {
		kind, err := policy.ParseKind(test.kind)
		if err != nil {
			t.Fatal(err)
		}
		got := compile(t, "cordon", test.body).Decide(policy.Request{URL: test.url, Kind: kind})
		if got.Verdict != test.want {
			t.Errorf("%s\n%s of %s: %s (%s), want %s", test.body, test.kind, test.url, got.Verdict, got.Reason,
				test.want)
		}
	}
}

// On the wire the kind is unknown, and of a tunnel the path too.
func TestStrictOnTheWire(t *testing.T) {
	compiled := compile(t, "cordon", `<access origin="https://api.example/v1"/><allow-navigation `+
		`href="https://page.example"/><allow-intent href="https://out.example"/>`)
	tests := []struct {
		url     string
		anyPath bool
		want    policy.Verdict
	}{
		{"https://api.example/v1/x", false, policy.Allow},
		{"https://api.example/v2", false, policy.Block},
		{"https://api.example", true, policy.Allow},
		{"wss://api.example", true, policy.Allow},
		{"https://page.example/x", false, policy.Allow},
		{"https://out.example/", false, policy.Block},
		{"https://out.example", true, policy.Block},
		{"https://other.example", true, policy.Block},
	}
	for _, test := range tests {
		got := compiled.Decide(policy.Request{URL: test.url, AnyPath: test.anyPath})
		if got.Verdict != test.want {
			t.Errorf("%s (any path %v): %s (%s), want %s", test.url, test.anyPath, got.Verdict, got.Reason, test.want)
		}
	}
}

func TestDecideAllocatesNothing(t *testing.T) {
	compiled := compile(t, "cordon",
		`<access origin="https://*.example.org"/><access origin="https://api.example:8443/v1/*"/>`)
	for _, url := range []string{"https://a.b.example.org/x/y?q=1", "https://API.example:8443/v1/users",
		"https://evil.test/", "tel:112"} {
		request := policy.Request{URL: url, Kind: policy.XHR}
		if n := testing.AllocsPerRun(100, func() { compiled.Decide(request) }); n != 0 {
			t.Errorf("%s: %v allocations, want none", url, n)
		}
	}
}

func TestW3C(t *testing.T) {
	const body = `<access origin="https://example.org" subdomains="true"/><access origin="http://10.0.0.1" subdomains="true"/>
		<access origin="http://path.example/"/><access origin="nohost"/><access origin="https://user@u.example"/><access origin="http://p.example:8080"/>`
	tests := []struct {
		url  string
		want policy.Verdict
	}{
		{"https://example.org/", policy.Allow},
		{"https://example.org:443/x", policy.Allow},
		{"https://a.example.org/", policy.Allow},
		{"https://notexample.org/", policy.Block},
		{"http://example.org/", policy.Block},
		{"http://10.0.0.1/", policy.Allow},
		{"http://a.10.0.0.1/", policy.Block},
		{"http://path.example/", policy.Block},
		{"https://nohost/", policy.Block},
		{"https://u.example/", policy.Block},
		{"http://p.example:8080/", policy.Allow},
		{"http://p.example/", policy.Block},
	}
	for _, target := range []string{"w3c", "tizen@2.5.0"} {
		compiled := compile(t, target, body)
		for _, test := range tests {
			if got := compiled.Decide(policy.Request{URL: test.url, Kind: policy.XHR}); got.Verdict != test.want {
				t.Errorf("%s: %s: %s (%s), want %s", target, test.url, got.Verdict, got.Reason, test.want)
			}
		}
	}
}

func TestParseTarget(t *testing.T) {
	for written, want := range map[string]string{
		"cordon": "cordon", "w3c": "w3c", "android": "android@15.1.0", "android@3.6.4/2.3": "android@3.6.4/2.3",
		"ios@8": "ios@8.0.0", "android@3.2": "android@3.2.0", "wp8@3.8.2": "wp8@3.8.2",
	} {
		got, err := dialect.ParseTarget(written)
		if err != nil || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", written, got, err, want)
		}
	}
	for written, nearest := range map[string]string{
		"andriod": "android", "android@99": "android@15.1.0", "android@1.5": "android@2.0.0", "iphone@4": "ios",
		"cordon@1": "cordon", "": "ios", "android@x": "android", "blackbery10@3.8": "blackberry10",
		"android@3.6.4/": "android",
	} {
		_, err := dialect.ParseTarget(written)
		if err == nil || !strings.Contains(err.Error(), "nearest known: "+nearest) {
			t.Errorf("%q: %v; want an error that names %s", written, err, nearest)
		}
	}
}

func TestOrigins(t *testing.T) {
	doc, err := configxml.Parse("config.xml", []byte(`<widget><access origin="HTTP://*.Bücher.example:8080/p/*"/><access origin="*"/>
		<access origin="https://10.0.0.1" subdomains="true"/><allow-intent href="tel:*"/><access origin="https://a*b"/></widget>`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range dialect.Origins(doc) {
		got = append(got, fmt.Sprintf("%v %s %v %d %s %v %v %v", o.Schemes, o.Host, o.Subdomains, o.Port, o.Path,
			o.Navigation, o.Hierarchical(), o.Address()))
	}
	want := []string{
		"[http ws] xn--bcher-kva.example true 8080 /p true true false",
		"[https wss]  false 0  true true false",
		"[https wss] 10.0.0.1 false 0  true true true",
		"[tel]  false 0 * false false false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("origins (-want +got):\n%s", diff)
	}
}
