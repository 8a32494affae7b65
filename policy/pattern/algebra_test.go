package pattern

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The vocabulary of the drawn algebra: small enough that the sampled URLs hit
// what the patterns say.
var (
	algebraSchemes = []string{"http", "https", "ws", "tel", "intent", "HTTPS"}
	algebraHosts   = []string{"a", "b", "a.b", "A.b", "x.a.b", "_x.a.b", "a.b.c", "10.0.0.1", "0.1", "[::1]", "", "b.",
		"c"}
	algebraPaths = []string{"", "/", "/a", "/a/", "/a/b", "/ab", "/A/b", "/b", "//a", "//a.b/a", "5", "a.b", "/é"}
	algebraGlobs = []string{"/a/*", "/*", "*", "/a*b", "*b", "*.a.b", "*._x.a.b", "//a*", "//*.b/*", "5*", "a.*", "*.b",
		"*a*"}
	algebraExprs = []string{`^https?://a`, `a\.b`, `\Ahttps?://(.*\.)?a\.b`, `^http://a:8`, `b$`, `\ba\b`, `^tel:`,
		`(?i)A`, `^https?://[^/]*b/`, `^`}
	algebraPorts = []Port{AnyPort, AnyPort, NoPort, 80, 443, 8080, 70000}
)

func drawAlgebraLanguage(t *rapid.T, label string, texts []string, depth int) Language {
	text := rapid.SampledFrom(texts).Draw(t, label)
	var l Language
	switch rapid.IntRange(0, 13).Draw(t, label+" form") {
	case 0, 1:
		l = Any()
	case 2:
		l = rapid.SampledFrom([]Language{Present(), Address()}).Draw(t, label+" present")
	case 3, 4, 5:
		l = Exactly(text)
	case 6:
		l = Below(text)
	case 7:
		l = BelowInLowerCase(text)
	case 8:
		l = Prefix(text)
	case 9:
		l = Within(text)
	case 10, 11:
		l = Glob(rapid.SampledFrom(algebraGlobs).Draw(t, label+" glob"))
	case 12:
		l = mustExpression(rapid.SampledFrom(algebraExprs).Draw(t, label+" expression"))
	case 13:
		if depth == 0 {
			return Language{}
		}
		parts := make([]Language, rapid.IntRange(0, 3).Draw(t, label+" parts"))
		for i := range parts {
			parts[i] = drawAlgebraLanguage(t, fmt.Sprintf("%s %d", label, i), texts, depth-1)
		}
		l = OneOf(parts...)
	}
	if rapid.Bool().Draw(t, label+" fold") {
		l = l.Fold()
	}
	return l
}

func drawAlgebraPattern(t *rapid.T) Pattern {
	p := Pattern{
		Scheme: drawAlgebraLanguage(t, "scheme", algebraSchemes, 1),
		Host:   drawAlgebraLanguage(t, "host", algebraHosts, 1),
		Path:   drawAlgebraLanguage(t, "path", algebraPaths, 1),
		Port:   rapid.SampledFrom(algebraPorts).Draw(t, "port"),
	}
	if rapid.IntRange(0, 4).Draw(t, "whole") == 0 {
		p.Whole = mustExpression(rapid.SampledFrom(algebraExprs).Draw(t, "whole expression"))
	}
	return p
}

func drawLists(t *rapid.T) []URLSet {
	lists := make([]URLSet, rapid.IntRange(1, 3).Draw(t, "lists"))
	for i := range lists {
		patterns := make([]Pattern, rapid.IntRange(0, 4).Draw(t, "patterns"))
		for j := range patterns {
			patterns[j] = drawAlgebraPattern(t)
		}
		lists[i] = Covered(Reading(rapid.IntRange(0, 1).Draw(t, "reading")), patterns)
	}
	return lists
}

func drawSet(t *rapid.T, lists []URLSet, depth int) URLSet {
	leaf := rapid.SampledFrom(lists).Draw(t, "list")
	if depth == 0 {
		return leaf
	}
	other := drawSet(t, lists, depth-1)
	switch rapid.IntRange(0, 4).Draw(t, "operation") {
	case 0:
		return leaf.Union(other)
	case 1:
		return leaf.Intersect(other)
	case 2:
		return leaf.Minus(other)
	case 3:
		return other.Complement()
	}
	return other
}

func drawCanonical(t *rapid.T) string {
	scheme := rapid.SampledFrom([]string{"http", "https", "ws", "wss", "tel", "intent", "x-y"}).Draw(t, "url scheme")
	host := rapid.SampledFrom([]string{"a", "b", "c", "a.b", "x.a.b", "_x.a.b", "y._x.a.b", "q.x.a.b", "a.b.c",
		"d.a.b.c", "ab", "10.0.0.1", "10.0.0.10", "[::1]", "", "zz.example"}).Draw(t, "url host")
	port := rapid.SampledFrom([]string{"", "", "", ":80", ":443", ":8080", ":9", ":8"}).Draw(t, "url port")
	path := rapid.SampledFrom([]string{"", "/", "/a", "/a/", "/a/b", "/ab", "/A/b", "/b", "//a", "/a/a.b", "/q/b",
		"/a.b/"}).Draw(t, "url path")
	if rapid.IntRange(0, 3).Draw(t, "opaque") == 0 {
		return scheme + ":" + rapid.SampledFrom([]string{"5", "55", "a.b", "a", "b", "q", "A"}).Draw(t, "rest")
	}
	return scheme + "://" + host + port + path
}

const testSteps = 3_000_000

// What is found is in the set, and of what was not found nothing is.
func TestWitnessAgreesWithMembership(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := drawSet(t, drawLists(t), 3)
		url, outcome := set.Witness(testSteps)
		if outcome == Found {
			if in, ok := set.Contains(url); !in || !ok {
				t.Fatalf("witness %q: in the set %v, well-formed %v", url, in, ok)
			}
		}
		for range 12 {
			url := drawCanonical(t)
			if in, ok := set.Contains(url); in && ok && outcome == Empty {
				t.Fatalf("%q is in a set that is said to be empty", url)
			}
		}
	})
}

// Every URL has its region, and every region is what its URL is.
func TestRegionsCoverTheDomain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lists := drawLists(t)
		sets := append([]URLSet{drawSet(t, lists, 2)}, lists...)
		known := map[uint64]bool{}
		outcome := Question{Sets: sets, Steps: testSteps,
			Want: func(uint64) bool { return true }}.Regions(func(r Region) bool {
			known[r.In] = true
			if in, ok := membership(sets, r.URL); in != r.In || !ok {
				t.Fatalf("region %q: said to be in %b, is in %b, well-formed %v", r.URL, r.In, in, ok)
			}
			return true
		})
		if outcome != Found {
			return
		}
		for range 12 {
			url := drawCanonical(t)
			if in, ok := membership(sets, url); ok && !known[in] {
				t.Fatalf("%q is in %b, which no region is", url, in)
			}
		}
	})
}

func membership(sets []URLSet, url string) (in uint64, wellFormed bool) {
	for i, set := range sets {
		contains, ok := set.Contains(url)
		if c, read := readCanonical(url); read && !ok {
			contains = set.node.contains(&c) // an address that only another list names
		}
		in |= uint64(bit(contains)) << i
		wellFormed = wellFormed || ok
	}
	return in, wellFormed
}

func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lists := drawLists(t)
		a, b := drawSet(t, lists, 2), drawSet(t, lists, 2)
		for name, empty := range map[string]URLSet{
			"de Morgan, union":        differ(a.Union(b).Complement(), a.Complement().Intersect(b.Complement())),
			"de Morgan, intersection": differ(a.Intersect(b).Complement(), a.Complement().Union(b.Complement())),
			"difference":              differ(a.Minus(b), a.Intersect(b.Complement())),
			"double complement":       differ(a, a.Complement().Complement()),
			"absorption":              differ(a, a.Union(a.Intersect(b))),
			"contradiction":           a.Intersect(a.Complement()),
			"excluded middle":         Everything().Minus(a, a.Complement()),
			"own difference":          a.Minus(a),
		} {
			if url, outcome := empty.Witness(testSteps); outcome == Found {
				t.Fatalf("%s: %q speaks against it", name, url)
			}
		}
		if _, outcome := a.Union(a.Complement()).Witness(testSteps); outcome == Empty {
			t.Fatal("no URL is in a set or its complement")
		}
	})
}

func differ(a, b URLSet) URLSet { return a.Minus(b).Union(b.Minus(a)) }

func web(hosts ...string) []Pattern {
	var patterns []Pattern
	for _, host := range hosts {
		language := Exactly(host)
		if below, ok := strings.CutPrefix(host, "*."); ok {
			language = Below(below)
		}
		if host == "*" {
			language = Present()
		}
		patterns = append(patterns, Pattern{Scheme: Exactly("https"), Host: language, Path: Any()})
	}
	return patterns
}

func TestWitnessIsReadable(t *testing.T) {
	set := func(patterns ...Pattern) URLSet { return Covered(AllHosts, patterns) }
	old := set(web("api.example.org", "*.cdn.example.org")...)
	opaque := func(scheme string) Pattern { return Pattern{Scheme: Exactly(scheme), Host: Any(), Path: Any()} }
	for name, test := range map[string]struct {
		set  URLSet
		want string
	}{
		"any host": {set(web("*")...).Minus(old), "https://evil.example/"},
		"one host": {set(web("new.example.org", "api.example.org")...).Minus(old),
			"https://new.example.org/"},
		"suffix": {set(web("*.example.org")...).Minus(old), "https://example.org/"},
		"below a suffix": {set(web("*.example.org")...).Minus(set(web("example.org")...)),
			"https://www.example.org/"},
		"cleartext": {set(Pattern{Scheme: Exactly("http"), Host: Below("example.org"), Path: Any()}),
			"http://example.org/"},
		"port": {
			set(Pattern{Scheme: Exactly("https"), Host: Exactly("h.example"), Path: Any(), Port: 8443}),
			"https://h.example:8443/"},
		"any port but one": {
			set(web("h.example")...).Minus(set(Pattern{Scheme: Any(), Host: Any(), Path: Any(), Port: NoPort})),
			"https://h.example:8443/"},
		"path": {
			set(Pattern{Scheme: Exactly("https"), Host: Exactly("h.example"), Path: Within("/v1")}),
			"https://h.example/v1"},
		"path beyond": {
			set(web("h.example")...).Minus(set(Pattern{Scheme: Any(), Host: Any(), Path: Exactly("/")})),
			"https://h.example/x"},
		"all but https": {Everything().Minus(set(Pattern{Scheme: Exactly("https"), Host: Any(), Path: Any()})),
			"http://evil.example/"},
		"opaque": {Covered(WebHosts, []Pattern{opaque("sms")}), "sms:5550100"},
		"unescaped expression": {
			set(Pattern{Scheme: Any(), Host: Any(), Path: Any(),
				Whole: mustExpression(`^https?://bank.example`)}).Minus(set(web("bank.example")...),
				set(Pattern{Scheme: Exactly("http"), Host: Any(), Path: Any()})), ""},
	} {
		url, outcome := test.set.Witness(DefaultSteps)
		if outcome != Found || test.want != "" && url != test.want {
			t.Errorf("%s: %q, %v; want %q", name, url, outcome, test.want)
		}
		if in, ok := test.set.Contains(url); !in || !ok {
			t.Errorf("%s: witness %q is not in the set", name, url)
		}
	}
}

func TestExpressionEscapesItsHost(t *testing.T) {
	listed := Covered(AllHosts,
		[]Pattern{{Scheme: Any(), Host: Any(), Path: Any(), Whole: mustExpression(`^https?://bank\.example`)}})
	meant := Covered(AllHosts,
		[]Pattern{{Scheme: OneOf(Exactly("http"), Exactly("https")), Host: Exactly("bank.example"), Path: Any()}})
	url, outcome := listed.Minus(meant).Witness(DefaultSteps)
	if c, ok := readCanonical(url); outcome != Found || !ok || !strings.HasPrefix(c.host, "bank.example") ||
		c.host == "bank.example" {
		t.Errorf("witness %q, %v; want a host that only begins with bank.example", url, outcome)
	}
	if url, outcome := meant.Minus(listed).Witness(DefaultSteps); outcome != Empty {
		t.Errorf("%q, %v; want nothing", url, outcome)
	}
}

// What is easily found is found, even where the rest is beyond the budget.
func TestManyExpressionsStillYieldWhatIsNear(t *testing.T) {
	var before []Pattern
	for i := range 60 {
		before = append(before, Pattern{Scheme: Any(), Host: Any(), Path: Any(),
			Whole: mustExpression(fmt.Sprintf(`^https?://(.*.)?h%d.example`, i))})
	}
	after := append(slices.Clone(before),
		Pattern{Scheme: Any(), Host: Any(), Path: Any(), Whole: mustExpression(`^https?://new.example.org`)})
	a, b := Covered(AllHosts, before), Covered(AllHosts, after)
	if url, outcome := b.Minus(a).Witness(DefaultSteps / 4); outcome != Found || url != "https://new.example.org/" {
		t.Errorf("%q, %v", url, outcome)
	}
	if url, outcome := a.Minus(b).Witness(DefaultSteps / 40); outcome != NotDecided {
		t.Errorf("%q, %v; want not decided", url, outcome)
	}
}

func TestStrictReadingOfOtherSchemes(t *testing.T) {
	market := Pattern{Scheme: Exactly("market"), Host: Any(), Path: Glob("//details*")}
	strict := Covered(WebHosts, []Pattern{market})
	url, outcome := strict.Witness(DefaultSteps)
	if outcome != Found || !strings.HasPrefix(url, "market://details") {
		t.Errorf("witness %q, %v", url, outcome)
	}
	for url, want := range map[string]bool{"market://details/x": true, "market://detailsx:80": true,
		"market://other/x": false, "market:details": false} {
		if in, ok := strict.Contains(url); in != want || !ok {
			t.Errorf("%s: in %v, well-formed %v", url, in, ok)
		}
	}
	host := Pattern{Scheme: Exactly("market"), Host: Exactly("details"), Path: Any()}
	platform := Covered(AllHosts, []Pattern{host})
	if url, outcome := platform.Minus(strict).Witness(DefaultSteps); outcome != Empty {
		t.Errorf("%q, %v: a host named details is what both readings cover", url, outcome)
	}
	if url, outcome := strict.Minus(platform).Witness(DefaultSteps); outcome != Found {
		t.Errorf("%q, %v: only the strict reading covers hosts that begin with details", url, outcome)
	}
}

func TestBudgetIsHonest(t *testing.T) {
	lists := Covered(AllHosts, web("a.example", "*.b.example")).Minus(Covered(AllHosts,
		web("*.b.example", "a.example")))
	for steps := 0; steps < 2000; steps += 7 {
		if url, outcome := lists.Witness(steps); outcome == Found {
			t.Fatalf("%d steps: %q is in an empty set", steps, url)
		}
	}
	if _, outcome := lists.Witness(DefaultSteps); outcome != Empty {
		t.Error("not decided with the default budget")
	}
	var hard []Pattern
	for i := range 40 {
		expr := fmt.Sprintf(`x[a-z]{%d}y%d.*z`, 12+i, i)
		hard = append(hard, Pattern{Scheme: Any(), Host: Any(), Path: Any(), Whole: mustExpression(expr)})
	}
	same, turned := slices.Clone(hard), slices.Clone(hard)
	slices.Reverse(turned)
	if url, outcome := Covered(AllHosts, turned).Complement().Intersect(Covered(AllHosts, hard)).Witness(
		200_000); outcome != NotDecided {
		t.Errorf("%q, %v; want not decided", url, outcome)
	}
	if url, outcome := Covered(AllHosts, same).Complement().Intersect(Covered(AllHosts, hard)).Witness(
		200_000); outcome != Empty {
		t.Errorf("%q, %v; the same list twice is easy", url, outcome)
	}
	long := Pattern{Scheme: Any(), Host: mustExpression(`\A[a-z.]{70}\z`), Path: Any()}
	if url, outcome := Covered(AllHosts, []Pattern{long}).Witness(DefaultSteps); outcome == Empty {
		t.Errorf("%q, %v: there are such hosts, of more than one label", url, outcome)
	}
	if outcome := (Question{Sets: make([]URLSet, 65), Steps: DefaultSteps}).Regions(func(Region) bool {
		return true
	}); outcome != NotDecided {
		t.Errorf("65 sets: %v", outcome)
	}
}

func TestReadCanonical(t *testing.T) {
	for url, want := range map[string]bool{
		"https://a.example/": true, "https://a.example:8443/x": true, "https://a_b.example//x": true, "tel:112": true,
		"file:///x": true, "market://details": true, "https://[::1]:8443/": true, "https://10.0.0.1/": true,
		"x-y:z": true, "https://a.example": false, "https://a.example:443/": false, "https://A.example/": false,
		"https://a..b/": false, "https://a./": false, "https://a.example/../x": false, "https://a.example/?q": false,
		"https://u@a.example/": false, "https:a": false, "HTTPS://a/": false, "https://1.2.3/": false,
		"https://0x7f/": false, "https://[::01]/": false, "https://[1]/": false, "tel:": false, "https://a:080/": false,
		"https://a/%41": false, "": false, ":": false, "https://a:70000/": false, "tel:/x": false,
	} {
		if _, ok := readCanonical(url); ok != want {
			t.Errorf("%q: well-formed %v", url, ok)
		}
	}
}

// Lists of ten thousand rules that differ in a few.
func largeLists() (old, changed []Pattern) {
	old = mixedPatterns(10_000)
	changed = slices.Clone(old)
	changed[17].Host = Exactly("new.example.org")
	changed[5001].Host = Below("shop5.example")
	changed[9999].Path = Within("/only")
	return old, changed
}

func TestLargeListsCompare(t *testing.T) {
	before, after := largeLists()
	a, b := Covered(WebHosts, before), Covered(WebHosts, after)
	var wider, narrower []string
	outcome := Question{
		Sets: []URLSet{a, b}, Steps: DefaultSteps, Want: func(in uint64) bool { return bits.OnesCount64(in) == 1 },
	}.Regions(func(r Region) bool {
		if r.In == 2 {
			wider = append(wider, r.URL)
		} else {
			narrower = append(narrower, r.URL)
		}
		return true
	})
	if outcome != Found || !slices.Contains(wider, "https://new.example.org/") ||
		!slices.Contains(wider, "https://www.shop5.example/") || len(narrower) == 0 {
		t.Errorf("%v: wider %.5q…, narrower %q", outcome, wider, narrower)
	}
	t.Logf("%d regions wider, %d narrower", len(wider), len(narrower))
}

// Whatever is fuzzed, what is found is in the set.
func FuzzWitness(f *testing.F) {
	f.Add(`^https?://(.*.)?bank.example`, "bank.example", "/v1/*", uint16(8443))
	f.Add(`[?#]`, "*.example", "/a*b", uint16(0))
	f.Add(`\bx\b|(?i)^HTTP:|:80[0-9]`, "_x.example", "", uint16(80))
	f.Fuzz(func(t *testing.T, expr, host, path string, port uint16) {
		whole, err := Expression(expr)
		if err != nil {
			return
		}
		byWhole := Covered(AllHosts, []Pattern{{Scheme: Any(), Host: Any(), Path: Any(), Whole: whole}})
		byParts := Covered(WebHosts, []Pattern{
			{Scheme: Exactly("https"), Host: Below(host).Fold(), Path: Within(path), Port: Port(port)},
			{Scheme: Any(), Host: Glob(host), Path: Glob(path)},
		})
		for _, set := range []URLSet{byWhole, byParts, byWhole.Minus(byParts), byParts.Minus(byWhole),
			byWhole.Complement()} {
			url, outcome := set.Witness(500_000)
			if in, ok := set.Contains(url); outcome == Found && !(in && ok) {
				t.Fatalf("witness %q is not in the set", url)
			}
		}
	})
}
