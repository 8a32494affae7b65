package dialect

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// compileLines compiles a widget of these elements.
func compileLines(t testing.TB, target string, lines ...string) *policy.Policy {
	t.Helper()
	doc, err := configxml.Parse("config.xml", []byte("<widget>\n"+strings.Join(lines, "\n")+"\n</widget>\n"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(doc, parsed)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// element writes an element with one attribute.
func element(name, attribute, value string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(value)); err != nil {
		return ""
	}
	return fmt.Sprintf(`<%s %s="%s"/>`, name, attribute, b.String())
}

func TestWindowsPhoneFlaws(t *testing.T) {
	t.Parallel()
	for origin, want := range map[string]policy.Flaw{
		"http://apache.org":      policy.NoFlaw,
		"apache.org":             policy.Dropped,
		"http://h:x/":            policy.Dropped,
		"":                       policy.Dropped,
		"http://*.apache.org":    policy.Rewritten,
		"http://*":               policy.Rewritten,
		"http://a*b":             policy.Rewritten,
		"http://h:8080":          policy.Rewritten,
		"http://u:p@h/":          policy.NoFlaw,
		"http://h/api/*":         policy.NeverMatches,
		"*://h":                  policy.NeverMatches,
		"http://h/(a":            policy.Unreadable,
		"http://h/(?=a)":         policy.Unreadable,
		"http://[::1]/":          policy.NoFlaw,
		"http://h/page.html?a=b": policy.NoFlaw,
	} {
		rules := compileLines(t, "wp8@3.8.2", element("access", "origin", origin)).Rules()
		if len(rules) != 1 || rules[0].Flaw != want || (want == policy.NoFlaw) != (rules[0].Note == "") {
			t.Errorf("%q: %+v, want %s", origin, rules, want)
		}
	}
}

func TestWindowsPhoneNamesTheRule(t *testing.T) {
	t.Parallel()
	p := compileLines(t, "wp8@3.8.2", `<access origin="http://a.example"/>`, `<access origin="http://*.example"/>`,
		`<access origin="http://b.example/x.y"/>`, `<access origin="http://b.example/x.y"/>`)
	for url, line := range map[string]int{"http://a.example/": 2, "http://b.example/": 3, "http://c.example/": 3} {
		d := p.Decide(policy.Request{URL: url, Kind: policy.Navigation})
		if d.Verdict != policy.Allow || d.Reason != policy.Listed || d.Rule == nil || d.Rule.Place.Line != line {
			t.Errorf("%s: %+v, want line %d", url, d, line)
		}
	}
	if d := p.Decide(policy.Request{URL: "http://a.example/x", Kind: policy.Image, Strict: true}); d.Verdict !=
		policy.Allow {
		t.Errorf("a strict image: %+v", d)
	}
	if d := p.Decide(policy.Request{URL: "http://d.test/", Kind: policy.Image, Strict: true}); d.Verdict !=
		policy.Block {
		t.Errorf("a strict image elsewhere: %+v", d)
	}
}

func TestWindowsPhoneAnyPath(t *testing.T) {
	t.Parallel()
	p := compileLines(t, "wp8@3.8.2", `<access origin="http://a.example/deep/path"/>`,
		`<access origin="https://*.b.example/x.y"/>`)
	for url, want := range map[string]policy.Verdict{
		"http://a.example/": policy.Allow, "https://c.b.example/": policy.Allow, "https://a.example/": policy.Block,
		"http://b.example/": policy.Block,
	} {
		if d := p.Decide(policy.Request{URL: url, Kind: policy.Navigation, AnyPath: true}); d.Verdict != want {
			t.Errorf("%s: %+v, want %s", url, d, want)
		}
	}
}

func TestWindowsPhoneDoesNotAllocate(t *testing.T) {
	p := compileLines(t, "wp8@3.8.2", `<access origin="http://a.example"/>`, `<access origin="https://b.example/v1"/>`)
	for _, url := range []string{"http://a.example/", "http://a.example", "https://b.example/v1/x",
		"https://c.example/"} {
		if n := testing.AllocsPerRun(100,
			func() { p.Decide(policy.Request{URL: url, Kind: policy.Navigation}) }); n != 0 {
			t.Errorf("%s: %v allocations", url, n)
		}
	}
}

// FuzzNewerPlatforms compiles any origin for every break of iOS and Windows
// Phone and asks about any URL: never a panic, never a strict bypass, and no
// allowance by a rule that the platform drops.
func FuzzNewerPlatforms(f *testing.F) {
	for _, seed := range [][2]string{
		{"http://*.h.example:80/p/*", "http://a.h.example:80/p/x"}, {"*", "intent://x"},
		{"localhost:3000", "localhost:3000"}, {"h*t*://a", "http://h/"}, {"http://h/(a|b)?", "http://h/a"},
		{"*.google.*", "http://google.com/"}, {"", "http://"}, {"a(b|c)+", "http://abc/"},
		{"http://h/%41[", "http://h/A"},
	} {
		f.Add(seed[0], seed[1])
	}
	var targets []policy.Target
	for _, name := range []string{"ios", "wp7", "wp8", "windows"} {
		platform, _ := Lookup(name)
		for _, b := range platform.Breaks {
			targets = append(targets, policy.Target{Platform: name, Version: b.Version})
		}
	}
	f.Fuzz(func(t *testing.T, origin, url string) {
		doc, err := configxml.Parse("config.xml",
			[]byte("<widget>"+element("access", "origin", origin)+element("allow-navigation", "href", origin)+
				element("allow-intent", "href", origin)+"</widget>"))
		if err != nil {
			return
		}
		for _, target := range targets {
			p, err := Compile(doc, target)
			if err != nil {
				t.Fatalf("%s: %v", target, err)
			}
			for _, kind := range policy.Kinds() {
				d := p.Decide(policy.Request{URL: url, Kind: kind})
				strict := p.Decide(policy.Request{URL: url, Kind: kind, Strict: true})
				if strict.Verdict == policy.Bypass {
					t.Errorf("%s %s %q: a strict bypass", target, kind, url)
				}
				if d.Verdict == policy.Allow &&
					d.Rule != nil && (d.Rule.Flaw == policy.Dropped || d.Rule.Flaw == policy.Unreadable ||
					d.Rule.Flaw == policy.BreaksBuild) {
					t.Errorf("%s %s %q: allowed by a rule that is %s", target, kind, url, d.Rule.Flaw)
				}
			}
		}
	})
}
