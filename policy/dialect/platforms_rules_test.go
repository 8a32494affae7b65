package dialect

import (
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

func compileFor(t testing.TB, target, body string) *policy.Policy {
	t.Helper()
	doc, err := configxml.Parse("config.xml", []byte("<widget>"+body+"</widget>"))
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

// What a platform does to an entry that it does not read as written stands on
// the rule.
func TestFlawsOfEntries(t *testing.T) {
	t.Parallel()
	const plugin = `<plugin name="cordova-plugin-whitelist"/>`
	tests := []struct {
		target, body string
		flaw         policy.Flaw
		purpose      policy.Purpose
		note         string // a part of it
		patterns     int
	}{
		{"android@3.6.4", `<access origin="h.example"/>`, policy.NoFlaw, policy.ForRequest, "", 2},
		{"android@3.6.4", `<access origin="https://h.example"/>`, policy.NoFlaw, policy.ForRequest, "", 1},
		{"android@3.6.4", `<access/>`, policy.Ignored, policy.ForRequest, "origin", 0},
		{"android@3.6.4", `<access origin="http://h.*"/>`, policy.Dropped, policy.ForRequest, "form", 0},
		{"android@3.6.4", `<access origin="sms://"/>`, policy.Dropped, policy.ForRequest, "no host", 0},
		{"android@3.6.4", `<access origin="h.example:99999999999"/>`, policy.Dropped, policy.ForRequest, "port", 0},
		{"android@3.6.4", `<access origin="http://u@h.example"/>`, policy.NeverMatches, policy.ForRequest, "literally",
			1},
		{"android@3.6.4", `<access origin="http://h.example/p?q"/>`, policy.NeverMatches, policy.ForRequest, "path", 1},
		{"android@3.6.4", `<access origin="localhost:3000"/>`, policy.Rewritten, policy.ForRequest,
			"localhost is read as the scheme and 3000 as the host", 1},
		{"android@3.5.0", `<access origin="localhost:3000"/>`, policy.NoFlaw, policy.ForRequest, "", 2},
		{"android@3.6.4", `<access origin="http://h.example" subdomains="true"/>`, policy.Rewritten, policy.ForRequest,
			"subdomains", 1},
		{"android@3.0.0", `<access origin="http://h.example" subdomains="true"/>`, policy.NoFlaw, policy.ForRequest, "",
			1},
		{"android@3.6.4", `<access origin="http://h.example" launch-external="yes"/>`, policy.NoFlaw, policy.ForLaunch,
			"", 1},
		{"android@3.6.4", `<access origin="http://h.example" launch-external="no"/>`, policy.Rewritten,
			policy.ForLaunch, "whatever its value", 1},
		{"android@3.5.1", `<access origin="http://h.example" launch-external="yes"/>`, policy.Rewritten,
			policy.ForRequest, "not known before 3.6", 1},
		{"android@2.9.1", `<access origin="http://h.example" launch-external="yes"/>`, policy.Rewritten,
			policy.ForRequest, "not known before 3.6", 1},
		{"android@15.0.0", `<access origin="http://h.example" launch-external="yes"/>`, policy.Rewritten,
			policy.ForRequest, "no longer known", 1},
		{"android@3.6.4", `<allow-intent href="sms:*"/>`, policy.Ignored, policy.ForLaunch, "before 4.0", 0},
		{"android@2.9.1", `<allow-navigation href="*"/>`, policy.Ignored, policy.ForNavigation, "before 4.0", 0},
		{"android@2.9.1", `<access origin="http://("/>`, policy.Dropped, policy.ForRequest, "Java", 0},
		{
			"android@2.9.1",
			`<access origin="http://\N{GREEK SMALL LETTER ALPHA}"/>`,
			policy.Unreadable,
			policy.ForRequest,
			"Java",
			0,
		},
		{"android@4.1.1", `<access origin="http://h.example"/>`, policy.Ignored, policy.ForRequest,
			"without cordova-plugin-whitelist", 0},
		{"android@4.1.1", `<content src="index.html"/>` + plugin, policy.Rewritten, policy.ForNavigation, "host", 2},
		{"android@4.1.1", `<content src="/index.html"/>` + plugin, policy.Dropped, policy.ForNavigation, "no host", 0},
		{"android@4.1.1", `<allow-navigation href="*"/>` + plugin, policy.NoFlaw, policy.ForNavigation, "", 3},
		{"android@15.0.0", `<access origin="*"/>`, policy.NoFlaw, policy.ForRequest, "", 2},
		{"amazon-fireos@3.6.3", `<access origin="http://h.example" launch-external="no"/>`, policy.Rewritten,
			policy.ForLaunch, "whatever its value", 1},
		{"blackberry10@3.8.0", `<access origin="http://h.example/p"/>`, policy.NoFlaw, policy.ForRequest, "", 1},
		{"blackberry10@3.8.0", `<access origin="h.example"/>`, policy.BreaksBuild, policy.ForRequest, "letters", 0},
		{"blackberry10@3.8.0", `<access origin="http://"/>`, policy.BreaksBuild, policy.ForRequest, "nothing follows",
			0},
		{"blackberry10@3.8.0", `<access origin="*"><feature id="x"/></access>`, policy.BreaksBuild, policy.ForRequest,
			"features", 0},
		{"blackberry10@3.6.3", `<access origin="http://*.h.example"/>`, policy.NeverMatches, policy.ForRequest,
			"has no meaning here", 1},
		{"blackberry10@3.8.0", `<access origin="http://*.h.example"/>`, policy.NoFlaw, policy.ForRequest, "", 1},
		{"blackberry10@3.8.0", `<access origin="http://h.example/*"/>`, policy.NeverMatches, policy.ForRequest, "path",
			1},
		{"blackberry10@3.8.0", `<access origin="http://h.example/?*"/>`, policy.NoFlaw, policy.ForRequest, "", 1},
		{"blackberry10@3.0.0", `<access origin="http://h.example"/>`, policy.Ignored, policy.ForRequest, "before 3.1",
			0},
		{"blackberry10@3.8.0", `<access/>`, policy.Ignored, policy.ForRequest, "no attributes", 0},
		{"blackberry10@3.8.0", `<access subdomains="true"/>`, policy.Ignored, policy.ForRequest, "neither", 0},
		{"blackberry10@3.8.0", `<allow-intent href="sms:*"/>`, policy.Ignored, policy.ForLaunch, "not known", 0},
		{"blackberry10@3.1.0", `<access origin="http://bücher.example"/>`, policy.Rewritten, policy.ForRequest, "ASCII",
			1},
		{"blackberry10@3.1.0", `<access origin="http://¢.example"/>`, policy.BreaksBuild, policy.ForRequest, "ASCII",
			0},
	}
	for _, test := range tests {
		rule := compileFor(t, test.target, test.body).Rules()[0]
		if rule.Flaw != test.flaw || rule.Purpose != test.purpose || len(rule.Patterns) != test.patterns ||
			!strings.Contains(rule.Note, test.note) || (test.note == "") != (rule.Note == "") {
			t.Errorf("%s %s: flaw %q, purpose %s, %d patterns, note %q; want %q, %s, %d, %q", test.target, test.body,
				rule.Flaw, rule.Purpose, len(rule.Patterns), rule.Note, test.flaw, test.purpose, test.patterns,
				test.note)
		}
	}
}

// Rules of the file come first and know their place; those that a platform
// adds come last and have none.
func TestOrderOfRules(t *testing.T) {
	t.Parallel()
	body := `<plugin name="cordova-plugin-whitelist"/><content src="index.html"/><access origin="http://("/><access ` +
		`origin="*"/><access origin="http://h.example"/>`
	for _, target := range []string{"android@2.9.1", "android@3.1.0", "android@3.6.4", "android@9.1.0",
		"android@10.0.0", "android@15.0.0", "amazon-fireos@3.6.3", "blackberry10@3.8.0"} {
		own, last := false, -1
		for _, rule := range compileFor(t, target, body).Rules() {
			if rule.Implicit() {
				own = true
				continue
			}
			if own {
				t.Errorf("%s: %s comes after a rule of the platform", target, rule.Place)
			}
			if rule.Place.Start <= last {
				t.Errorf("%s: %s is not in file order", target, rule.Place)
			}
			last = rule.Place.Start
		}
	}
}

// An entry "*" ends the list: what follows is not read any more.
func TestUnlimitedEndsTheList(t *testing.T) {
	t.Parallel()
	p := compileFor(t, "android@3.5.0", `<access origin="*"/><access origin="http://h.example"/>`)
	if rule := p.Rules()[1]; rule.Flaw != policy.Ignored || len(rule.Patterns) != 0 {
		t.Errorf("the entry behind * has flaw %q and %d patterns", rule.Flaw, len(rule.Patterns))
	}
	if got := p.Decide(policy.Request{URL: "whatever", Kind: policy.Navigation}); got.Reason != policy.Unlimited ||
		got.Rule == nil || got.Rule.Text != "*" {
		t.Errorf("decided %s (%s) by %v", got.Verdict, got.Reason, got.Rule)
	}
}

// Where the platform never asks, a strict request is answered by the list.
func TestStrictAnswersWhereThePlatformNeverAsks(t *testing.T) {
	t.Parallel()
	body := `<plugin name="cordova-plugin-whitelist"/><access origin="https://h.example"/><access ` +
		`origin="wss://h.example"/>`
	for _, target := range []string{"android@2.5.0", "android@2.9.1/2.3", "android@3.6.4", "android@9.1.0",
		"android@15.0.0", "amazon-fireos@3.6.3"} {
		p := compileFor(t, target, body)
		for _, kind := range policy.Kinds() {
			for _, url := range []string{"https://h.example/x", "https://evil.test/", "wss://evil.test/"} {
				got := p.Decide(policy.Request{URL: url, Kind: kind, Strict: true})
				if got.Verdict == policy.Bypass || got.Verdict == policy.Allow && !strings.Contains(url, "h.example") &&
					got.Reason != policy.SchemeNotAsked {
					t.Errorf("%s, %s %s: %s (%s)", target, kind, url, got.Verdict, got.Reason)
				}
			}
		}
		for _, kind := range []policy.Kind{policy.Media, policy.WebSocket} {
			if got := p.Decide(policy.Request{URL: "wss://h.example/x", Kind: kind, Strict: true}); target !=
				"android@2.5.0" && got.Verdict != policy.Allow {
				t.Errorf("%s, %s: %s (%s), want allow", target, kind, got.Verdict, got.Reason)
			}
		}
	}
}

func TestLowerFull(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"HÜ.Example": "hü.example", "\u0130": "i\u0307", "\u212A": "k", "ΑΣ": "ας", "ΑΣΑ": "ασα", "Σ": "σ",
		"ΑΣ.x": "ασ.x", "ΑΣ'": "ας'", "x": "x",
	} {
		if got := lowerFull(in); got != want {
			t.Errorf("lowerFull(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzOldPlatforms compiles any origin for every version that is told apart
// and decides any URL: nothing panics, and asking twice gives one answer.
func FuzzOldPlatforms(f *testing.F) {
	for _, seed := range [][2]string{
		{"http://*.h.example:80/p/*", "http://a.h.example:80/p/x"}, {"*", "intent://x"},
		{"localhost:3000", "localhost:3000"}, {"http://(a|b)+.example", "https://ab.example/"},
		{"file:///x?*", "file:///x?y"}, {"data://a.b/c", "at://a.b:80/c"},
		{"http://a.b:80/p\\q", "http://x.a.b:80/%zz"}, {"https://u:p@h/", "https://u:p@h//"},
	} {
		f.Add(seed[0], seed[1])
	}
	var targets []policy.Target
	for _, name := range []string{"android", "amazon-fireos", "blackberry10"} {
		platform, _ := Lookup(name)
		for _, b := range platform.Breaks {
			targets = append(targets, policy.Target{Platform: name, Version: b.Version})
		}
	}
	f.Fuzz(func(t *testing.T, origin, url string) {
		var b strings.Builder
		b.WriteString(`<widget><plugin name="cordova-plugin-whitelist"/>`)
		for _, form := range []string{`<access origin="`, `<access subdomains="true" origin="`, `<allow-intent href="`,
			`<access launch-external="" origin="`, `<content src="`} {
			b.WriteString(form + attributeText(origin) + `"/>`)
		}
		b.WriteString("</widget>")
		doc, err := configxml.Parse("config.xml", []byte(b.String()))
		if err != nil {
			return
		}
		for _, target := range targets {
			p, err := Compile(doc, target)
			if err != nil {
				t.Fatalf("%s: %v", target, err)
			}
			for _, kind := range []policy.Kind{policy.Navigation, policy.XHR, policy.Plugin} {
				first := p.Decide(policy.Request{URL: url, Kind: kind})
				if again := p.Decide(policy.Request{URL: url, Kind: kind}); again != first {
					t.Errorf("%s %s %q: %v, then %v", target, kind, url, first, again)
				}
			}
		}
	})
}

func attributeText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;").Replace(s)
}
