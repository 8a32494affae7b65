package prove_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/prove"
)

type fataler interface{ Fatal(...any) }

func parse(t fataler, text string) *configxml.Document {
	doc, err := configxml.Parse("config.xml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func check(t fataler, assertion, config string) prove.Result {
	file, err := prove.Parse("promises", []byte(assertion))
	if err != nil {
		t.Fatal(err)
	}
	results, err := file.Check(parse(t, config), prove.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

func TestAssertions(t *testing.T) {
	const plugin = `<plugin name="cordova-plugin-whitelist"/>`
	tests := []struct {
		assertion, body string
		want            prove.Outcome
		url             string
	}{
		{"never allow http://*", `<access origin="https://a.example"/>`, prove.Holds, ""},
		{"never allow http://*", `<access origin="http://a.example"/>`, prove.Refuted, "http://a.example/"},
		{"never allow http://*", `<access origin="*://a.example"/>`, prove.Refuted, "http://a.example/"},
		{"never allow http:*", `<access origin="http://10.0.0.1"/>`, prove.Refuted, "http://10.0.0.1/"},
		{"never allow http://*", `<allow-navigation href="http://a.example"/>`, prove.Holds, ""},
		{"never launch intent:*", `<allow-intent href="intent:*"/>`, prove.Refuted, "intent:x"},
		{"never launch intent:*", `<allow-intent href="tel:*"/>`, prove.Holds, ""},
		{"always allow https://api.example.org/v1/*", `<access origin="https://api.example.org"/>`, prove.Holds, ""},
		{"always allow https://api.example.org/v1/*", `<access origin="https://api.example.org/v1/users"/>`,
			prove.Refuted, "https://api.example.org/v1"},
		{"always allow https://api.example.org/*", ``, prove.Refuted, "https://api.example.org/"},
		{"only navigate https://*.example.org/*", `<allow-navigation href="https://www.example.org"/>`, prove.Holds,
			""},
		{"only navigate https://*.example.org/*", `<allow-navigation href="https://www.example.net"/>`, prove.Refuted,
			"https://www.example.net/"},
		{"never bypass websocket", `<access origin="*"/>`, prove.Holds, ""},
		{"never bypass websocket on android", ``, prove.Refuted, "https://evil.example/"},
		// bypass
		{"never allow http://* on android", `<access origin="https://a.example"/>`, prove.Refuted,
			"http://evil.example/"},
		{"always allow https://a.example/* on android", `<access origin="https://a.example"/>`, prove.Refuted,
			"https://a.example/"},
		{"only allow *://* on w3c", `<access origin="*"/>`, prove.Refuted, ""},
		{"never block media ftp:x on w3c", `<access origin="https://a.example"/>`, prove.Refuted, ""},
		{"same on android ios", ``, prove.Holds, ""}, // neither asks about requests
		{"same navigation on android ios", `<allow-navigation href="*"/>`, prove.Refuted, ""},
		{"same navigation https://a.example/* on android@9 ios@8",
			plugin + `<allow-navigation href="https://a.example/*"/>`, prove.Holds, ""},
		{"always launch tel:*", `<allow-intent href="tel:*"/>`, prove.Holds, ""},
		{"always block https://evil.test/*", `<access origin="https://a.example"/>`, prove.Holds, ""},
		{"only allow image,media https://cdn.example/* # the rest is ours", `<access origin="https://cdn.example/x"/>`,
			prove.Holds, ""},
		{"never allow navigation http://b.example on blackberry10", `<access origin="http://a.example"/>`,
			prove.NotDecided, ""},
		{"never allow http://b.example on blackberry10", `<access origin="http://b.example"/>`, prove.Refuted,
			"http://b.example/"},
		{"never allow navigation https://* on ios@3.5", `<access origin="sms:*"/>`, prove.Refuted, "https://sms/"},
	}
	for _, test := range tests {
		r := check(t, test.assertion, "<widget>"+test.body+"</widget>")
		if r.Outcome != test.want {
			t.Errorf("%s with %s: %s, want %s: %+v", test.assertion, test.body, r.Outcome, test.want, r.Cases)
			continue
		}
		if test.url != "" && r.Cases[0].URL != test.url {
			t.Errorf("%s with %s: witness %s, want %s", test.assertion, test.body, r.Cases[0].URL, test.url)
		}
	}
}

func TestRefutationNamesTheRule(t *testing.T) {
	r := check(t, "\n  never allow http://*\n", "<widget>\n<access origin=\"http://a.example\"/></widget>")
	c := r.Cases[0]
	if c.Decision.Rule == nil || c.Decision.Rule.Place.Line != 2 || c.Decision.Verdict != policy.Allow ||
		r.Assertion.Place.Line != 2 || r.Assertion.Place.Column != 3 {
		t.Errorf("got %+v", c)
	}
}

// The strict reading's "*" is no address. A reader who takes it for one is told.
func TestNoteSaysWhatTheStrictReadingLeavesOut(t *testing.T) {
	for body, want := range map[string]string{
		`<access origin="http://10.0.0.1"/>`:       "http://10.0.0.1/ is allowed",
		`<access origin="http://a.example:8080"/>`: "http://a.example:8080/ is allowed",
		`<access origin="https://a.example"/>`:     "",
	} {
		r := check(t, "never allow http://*", "<widget>"+body+"</widget>")
		if r.Outcome != prove.Holds || !strings.Contains(r.Note, want) || (want == "") != (r.Note == "") {
			t.Errorf("%s: %s, note %q", body, r.Outcome, r.Note)
		}
	}
}

func TestSyntaxErrorsHaveAPlace(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "promises:1:1: there is no assertion",
		"# only a comment\n":               "promises:1:1: there is no assertion",
		"\nsometimes allow x":              `promises:2:1: "sometimes" cannot begin an assertion`,
		"never":                            "promises:1:6: never what?",
		"never permit http://*":            `promises:1:7: "permit" must be a verdict`,
		"never allow http://a.*":           `promises:1:13: "http://a.*" must be a set of URLs: `,
		"never allow <x>":                  `promises:1:13: "<x>" must be a set of URLs: `,
		"always allow":                     "promises:1:13: always needs URLs",
		"only navigate xhr https://a":      "promises:1:15: navigate names the kind itself",
		"never allow https://a image":      "promises:1:23: kinds stand before the URLs",
		"never allow https://a on":         "promises:1:25: on which platform?",
		"never allow https://a on andriod": "promises:1:26: ",
		"never allow https://a on ios@99":  "promises:1:26: ",
		"same on android":                  "promises:1:16: same needs two platforms",
		"same on android android":          "promises:1:17: android@15.1.0 is named twice",
		"never allow http://\xff":          "promises:1:1: the line is not UTF-8",
	} {
		_, err := prove.Parse("promises", []byte(text))
		var syntax *prove.SyntaxError
		if !errors.As(err, &syntax) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestContradictions(t *testing.T) {
	for text, url := range map[string]string{
		"never allow http://*\nalways allow http://a.example":                        "http://a.example/",
		"always allow https://a.example\nnever allow https://*.example":              "https://a.example/",
		"only allow https://a.example\nalways allow https://b.example":               "https://b.example/",
		"always allow navigation https://a.example\nalways launch https://a.example": "https://a.example/",
		"always block https://a.example/p\nalways allow https://a.example":           "https://a.example/p",
		"never allow http://*\nalways allow http://a.example on ios":                 "",
		"never allow http://*\nalways allow image http://a.example":                  "",
		"never allow http://*\nalways allow https://a.example":                       "",
		"only allow https://*.example\nalways allow https://a.example":               "",
		"only allow https://*.example\nnever allow https://a.example":                "",
		"always allow https://a.example\nalways allow https://a.example":             "",
	} {
		_, err := prove.Parse("promises", []byte(text))
		var contradiction *prove.ContradictionError
		switch found := errors.As(err, &contradiction); {
		case url == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case url != "" && (!found || contradiction.URL != url || contradiction.First.Line != 1 ||
			contradiction.Second.Line != 2):
			t.Errorf("%q: %v, want one about %s", text, err, url)
		}
	}
}

var sets = []string{"http://*", "https://*", "*://*", "*", "https://a.example", "http://*.a.example/p",
	"https://b.test:8080", "tel:*", "intent:*", "http:*"}

var bodies = []string{
	`<access origin="*"/>`, `<access origin="https://a.example"/>`, `<access origin="http://a.example/*"/>`,
	`<access origin="*://*.a.example/p/*"/>`, `<access origin="https://b.test:8080"/>`, `<access origin="b.test"/>`,
	`<allow-navigation href="https://a.example/*"/>`, `<allow-navigation href="*"/>`, `<allow-intent href="tel:*"/>`,
	`<allow-intent href="*"/>`, `<allow-intent href="https://a.example"/>`, `<plugin name="cordova-plugin-whitelist"/>`,
	`<access origin="http://10.0.0.1"/>`, `<access origin="tel:*" launch-external="yes"/>`,
}

var samples = func() []string {
	all := []string{"tel:112", "intent:x", "sms:1"}
	for _, scheme := range []string{"http", "https", "ws", "wss"} {
		for _, host := range []string{"a.example", "x.a.example", "b.test", "evil.test", "10.0.0.1"} {
			for _, end := range []string{"/", "/p", "/p/q", ":8080/", ":8443/p"} {
				all = append(all, scheme+"://"+host+end)
			}
		}
	}
	return all
}()

// member is the meaning of a set, asked of the engine as an entry of its own.
func member(t fataler, set, url string) bool {
	if set == "http:*" {
		return strings.HasPrefix(url, "http:")
	}
	p, err := dialect.Compile(parse(t, `<widget><allow-intent href="`+set+`"/></widget>`),
		policy.Target{Platform: dialect.Strict})
	if err != nil {
		t.Fatal(err)
	}
	return p.Decide(policy.Request{URL: url, Kind: policy.Navigation}).Verdict == policy.Launch
}

// What brute force over samples refutes is refuted, and every refutation's
// witness breaks the assertion.
func TestProveAgreesWithBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := rapid.SampledFrom([]string{"never", "always", "only"}).Draw(t, "form")
		verdict := rapid.SampledFrom([]string{"allow", "launch", "bypass", "block"}).Draw(t, "verdict")
		kind := rapid.SampledFrom(policy.Kinds()).Draw(t, "kind")
		set := rapid.SampledFrom(sets).Draw(t, "set")
		platform := rapid.SampledFrom([]string{"cordon", "android", "android@9", "android@3.6.4", "ios", "ios@3.9",
			"w3c"}).Draw(t, "platform")
		body := strings.Join(rapid.SliceOfN(rapid.SampledFrom(bodies), 0, 5).Draw(t, "body"), "")
		config := "<widget>" + body + "</widget>"
		text := fmt.Sprintf("%s %s %s %s on %s", form, verdict, kind, set, platform)
		result := check(t, text, config)
		target, err := dialect.ParseTarget(platform)
		if err != nil {
			t.Fatal(err)
		}
		p, err := dialect.Compile(parse(t, config), target)
		if err != nil {
			t.Fatal(err)
		}
		broken := func(url string) bool {
			got := p.Decide(policy.Request{URL: url, Kind: kind}).Verdict.String()
			hit := got == verdict || verdict == "allow" && got == "bypass"
			in := member(t, set, url)
			switch form {
			case "always":
				return in && got != verdict
			case "only":
				return hit && !in
			}
			return hit && in
		}
		if result.Outcome == prove.Refuted && !broken(result.Cases[0].URL) {
			t.Fatalf("%s with %s: %s does not break it", text, body, result.Cases[0].URL)
		}
		if result.Outcome == prove.NotDecided {
			// Only for want of knowledge about a URL that the assertion is about.
			_, url, named := strings.Cut(result.Cases[0].Why, "established, such as for ")
			in := named && member(t, set, url) != (form == "only")
			if !in || p.Decide(policy.Request{URL: url, Kind: kind}).Reason != policy.Unverified {
				t.Fatalf("%s with %s: not decided: %+v", text, body, result.Cases)
			}
		}
		for _, url := range samples {
			if broken(url) && result.Outcome != prove.Refuted {
				t.Fatalf("%s with %s: %s, but %s breaks it", text, body, result.Outcome, url)
			}
		}
	})
}

func TestExportNeverAllowsMoreThanThePolicy(t *testing.T) {
	for body, want := range map[string]prove.Outcome{
		``: prove.Holds,
		`<access origin="https://a.example/p/*"/><access origin="https://*.b.example:8443"/><allow-navigation ` +
			`href="https://c.example/x"/>`: prove.Holds,
		`<access origin="*"/>`:                prove.Refuted, // addresses, which the strict "*" is not
		`<access origin="http://a.example"/>`: prove.Refuted, // a source for http covers https
	} {
		results, err := prove.CheckExport("csp", parse(t, "<widget>"+body+"</widget>"), prove.Options{})
		if err != nil {
			t.Fatal(err)
		}
		outcome := prove.Holds
		for _, r := range results {
			if r.Outcome == prove.Refuted {
				outcome = prove.Refuted
				if r.Note == "" {
					t.Errorf("%s: %s is refuted by %s and the export does not announce it", body, r.Assertion.Text,
						r.Cases[0].URL)
				}
			} else if r.Outcome == prove.NotDecided {
				t.Errorf("%s: %+v", body, r.Cases)
			}
		}
		if outcome != want {
			t.Errorf("%s: %s, want %s: %+v", body, outcome, want, results)
		}
	}
	if _, err := prove.CheckExport("pac", parse(t, "<widget/>"), prove.Options{}); err == nil {
		t.Error("an unknown export is no error")
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"never allow http://*", "same on android ios@3.5",
		"only navigate https://*.a, http:* # x", "always launch tel:*\nnever bypass websocket"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := prove.Parse("f", []byte(text))
		if (file == nil || len(file.Assertions) == 0) && err == nil {
			t.Errorf("%q is neither read nor refused", text)
		}
	})
}

// A witness that the web view refuses is told as one: the promise is about the list.
func TestNoteSaysWhatTheWebViewRefuses(t *testing.T) {
	const want = "the list lets it pass; the web view of android@15.0.0 refuses it as mixed content to the app's own " +
		"pages, which come from https://localhost/"
	for promise, note := range map[string]string{
		"never bypass image http://* on android@15":      want,
		"never bypass websocket ws://* on android@15":    want,
		"never bypass image https://* on android@15":     "",
		"never bypass image http://* on ios@8":           "",
		"never bypass navigation http://* on android@15": "",
	} {
		r := check(t, promise, `<widget><access origin="https://a.example"/></widget>`)
		if r.Note != note || note != "" && r.Outcome != prove.Refuted {
			t.Errorf("%s: %s, note %q, want %q", promise, r.Outcome, r.Note, note)
		}
	}
}
