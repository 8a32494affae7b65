package pattern

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSetAgreesWithTheObviousMatcher(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patterns := make([]Pattern, rapid.IntRange(0, 60).Draw(t, "patterns"))
		for i := range patterns {
			patterns[i] = drawPattern(t)
		}
		agree(t, patterns, drawURL(t))
	})
}

// One host with many patterns goes through the second table.
func TestCrowdedHostAgreesWithTheObviousMatcher(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		host := rapid.SampledFrom([]Language{Any(), Present(), Exactly("a.b"), Below("a.b").Fold(), Exactly("A.b")})
		patterns := make([]Pattern, rapid.IntRange(fewEntries, 80).Draw(t, "patterns"))
		for i := range patterns {
			patterns[i] = drawPattern(t)
			patterns[i].Host = host.Draw(t, "host")
		}
		agree(t, patterns, drawURL(t))
	})
}

// Many expressions over the whole URL are found by runs of bytes.
func TestExpressionsAgreeWithTheObviousMatcher(t *testing.T) {
	pieces := []string{"http", "https?", "://", "a.b", `a\.b`, "api-1", "api-12", "shop.example", "(x|y)", ".*", "^",
		"long.name.example", "[ab]", "/", "é.example"}
	hosts := []string{"a.b", "axb", "api-1.shop.example", "api-12.shop.example", "www.long.name.example", "é.example",
		"b"}
	rapid.Check(t, func(t *rapid.T) {
		patterns := make([]Pattern, rapid.IntRange(0, 3*fewUnkeyed).Draw(t, "patterns"))
		for i := range patterns {
			expr := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 5).Draw(t, "pieces"), "")
			patterns[i] = Pattern{Scheme: Any(), Host: Any(), Path: Any(), Whole: mustExpression(expr)}
		}
		u := URL{Scheme: "https", Host: rapid.SampledFrom(hosts).Draw(t, "host"), Path: "/", Port: -1,
			Has: HasScheme | HasHost | HasPath}
		u.Whole = u.Scheme + "://" + u.Host + u.Path
		agree(t, patterns, u)
	})
}

func agree(t *rapid.T, patterns []Pattern, u URL) {
	wantEntry, want := firstCovering(patterns, &u)
	gotEntry, got := NewSet(patterns).Match(&u)
	if got != want || gotEntry != wantEntry {
		t.Fatalf("%+v:\ngot  %d, %v\nwant %d, %v", u, gotEntry, got, wantEntry, want)
	}
}

func FuzzSet(f *testing.F) {
	f.Add("https", "a.example", "/v1/x", int32(-1), uint8(7), "a.example\nexample\n*.example\n/v1/*\n.example")
	f.Add("https", "A.EXAMPLE", "/V1", int32(8443), uint8(7), "a.example\nA.example\n/v1\n/V1\n")
	f.Add("tel", "", "", int32(-1), uint8(1), "tel\n\n.\n..")
	f.Fuzz(func(t *testing.T, scheme, host, path string, port int32, has uint8, texts string) {
		lines := strings.Split(texts, "\n")
		if len(lines) > 40 {
			lines = lines[:40]
		}
		patterns := make([]Pattern, 0, 4*len(lines))
		for i, line := range lines {
			for _, host := range []Language{Exactly(line), Below(line).Fold(), Glob(line), Any()} {
				patterns = append(patterns, Pattern{
					Scheme: OneOf(Exactly(lines[0]), Exactly("https")).Fold(),
					Host:   host,
					Port:   Port(i % 3 * 40),
					Path:   OneOf(Glob(lines[len(lines)-1-i]), Within(line)),
				})
			}
		}
		u := URL{Whole: host + path, Scheme: scheme, Host: host, Path: path, Port: port, Has: Parts(has & 7),
			AnyPath: has&8 != 0}
		wantEntry, want := firstCovering(patterns, &u)
		if gotEntry, got := NewSet(patterns).Match(&u); got != want || gotEntry != wantEntry {
			t.Fatalf("got %d, %v; want %d, %v", gotEntry, got, wantEntry, want)
		}
	})
}

func TestZeroSetCoversNothing(t *testing.T) {
	u := URL{Scheme: "https", Host: "a.example", Has: HasScheme | HasHost | HasPath, Port: -1}
	var nilSet *Set
	for name, set := range map[string]*Set{"nil": nilSet, "zero": {}, "of none": NewSet(nil),
		"of zero patterns": NewSet(make([]Pattern, 20))} {
		if entry, ok := set.Match(&u); ok || entry != -1 {
			t.Errorf("%s: Match = %d, %v; want -1, false", name, entry, ok)
		}
	}
}

func TestLongTextsAreStillFound(t *testing.T) {
	label := strings.Repeat("x", 50)
	long := strings.Repeat(label+".", 6) + "example"
	deep := "/" + strings.Repeat("segment/", 100) + "end"
	https := Exactly("https")
	patterns := []Pattern{
		{Scheme: https, Host: Exactly(long), Path: Exactly("/exact")},
		{Scheme: https, Host: Below(long), Path: Within("/below")},
		{Scheme: https, Host: Below("example"), Path: Exactly(deep)},
		{Scheme: https, Host: Below(label + ".example").Fold(), Path: Any()},
	}
	for i := range 5 {
		patterns = append(patterns,
			Pattern{Scheme: https, Host: Below(strings.Repeat("l.", 60+i) + "test"), Path: Any()})
	}
	for i := range 300 {
		patterns = append(patterns, Pattern{Scheme: https, Host: Exactly("one.test"), Path: Within(deep[:200+i])})
	}
	set := NewSet(patterns)
	for _, u := range []URL{
		{Host: long, Path: "/exact"},
		{Host: "a." + long, Path: "/below/x"},
		{Host: "a.example", Path: deep},
		{Host: strings.ToUpper("a." + long), Path: "/"},
		{Host: "one.test", Path: deep},
		{Host: strings.Repeat("l.", 60) + "test", Path: "/"},
		{Host: strings.Repeat("l.", 64) + "test", Path: "/"},
		{Host: "x." + strings.Repeat("l.", 62) + "test", Path: "/"},
		{Host: "x." + strings.Repeat("l.", 64) + "test", Path: "/"},
		{Host: "one.test", Path: deep[:300]},
		{Host: "one.test", Path: "/" + strings.Repeat("/", 1000)},
	} {
		u.Scheme, u.Port, u.Has = "https", -1, HasScheme|HasHost|HasPath
		wantEntry, want := firstCovering(patterns, &u)
		if gotEntry, got := set.Match(&u); got != want || gotEntry != wantEntry {
			t.Errorf("%.40s…%.20s…: got %d, %v; want %d, %v", u.Host, u.Path, gotEntry, got, wantEntry, want)
		}
	}
}

func TestManyDistinctSchemes(t *testing.T) {
	var patterns []Pattern
	for i := range 2 * maxSchemes {
		patterns = append(patterns, Pattern{Scheme: Exactly(fmt.Sprintf("s%d", i)), Host: Exactly("h"), Path: Any()})
	}
	set := NewSet(patterns)
	for _, i := range []int{0, 1, maxNamedSchemes - 1, maxNamedSchemes, maskedSchemes, maskedSchemes + 1,
		maxSchemes - 1, maxSchemes, 2*maxSchemes - 1} {
		u := URL{Scheme: fmt.Sprintf("s%d", i), Host: "h", Port: -1, Has: HasScheme | HasHost}
		if entry, ok := set.Match(&u); !ok || entry != i {
			t.Errorf("scheme %d: Match = %d, %v", i, entry, ok)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	set := NewSet(mixedPatterns(2000))
	crowd := mixedPatterns(500)
	for i := range crowd {
		crowd[i].Host = Below("crowd.example").Fold()
	}
	crowded := NewSet(crowd)
	urls := mixedURLs(2000, 64)
	for i := range 100 {
		crowd = append(crowd, Pattern{Scheme: Any(), Host: Any(), Path: Any(),
			Whole: mustExpression(fmt.Sprintf("^http://x%d.example", i))})
	}
	expressions := NewSet(crowd)
	upper := URL{Scheme: "HTTPS", Host: "API.crowd.EXAMPLE", Path: "/v1/x/y/z", Port: -1,
		Has: HasScheme | HasHost | HasPath}
	if allocs := testing.AllocsPerRun(20, func() {
		for i := range urls {
			set.Match(&urls[i])
			crowded.Match(&urls[i])
			expressions.Match(&urls[i])
		}
		set.Match(&upper)
		crowded.Match(&upper)
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// The issue of memory: at most 70 bytes a rule beyond the rule's text.
func TestIndexIsSmall(t *testing.T) {
	for _, n := range []int{1_000, 60_000, 100_000} {
		patterns := mixedPatterns(n)
		text := 0
		for i := range patterns {
			text += len(patterns[i].Host.text) + len(patterns[i].Path.text)
		}
		set := NewSet(patterns)
		size := 8*(len(set.hosts.slots)+len(set.paths.slots)) + len(set.blob) + 160*(len(set.full)+len(set.unkeyed))
		if each := float64(size-text) / float64(n); each > 70 {
			t.Errorf("%d rules: %.1f bytes a rule beyond its text", n, each)
		}
	}
}
