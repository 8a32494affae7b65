package pattern

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// mixedPatterns returns n patterns as a large list has them: most are exact
// hosts, three in ten are suffixes, one in ten has a port, two in ten a path.
func mixedPatterns(n int) []Pattern {
	web := OneOf(Exactly("https"), Exactly("wss"))
	open := OneOf(Exactly("http"), Exactly("ws"))
	patterns := make([]Pattern, n)
	for i := range patterns {
		host := mixedHost(i)
		p := Pattern{Scheme: web, Host: Exactly(host), Path: Any()}
		switch i % 10 {
		case 1, 4, 7:
			p.Host = Below(host)
		case 2:
			p.Port = Port(8000 + i%1000)
		case 5, 8:
			p.Path = Within(fmt.Sprintf("/v%d/api", i%7))
		case 9:
			p.Scheme = open
		}
		patterns[i] = p
	}
	return patterns
}

func mixedHost(i int) string {
	return fmt.Sprintf("%s-%d.shop%d.example", [...]string{"api", "cdn", "img", "login", "static"}[i%5], i, i%977)
}

// mixedURLs returns URLs of which three in ten are covered by mixedPatterns(n).
func mixedURLs(n, count int) []URL {
	random := rand.New(rand.NewPCG(1, 2))
	urls := make([]URL, count)
	for at := range urls {
		i := random.IntN(n)
		u := URL{Scheme: "https", Path: "/v2/orders/17", Port: -1, Has: HasScheme | HasHost | HasPath}
		u.Host = strings.Replace(mixedHost(i), ".shop", ".store", 1)
		if at%10 < 3 {
			i -= i % 10
			if at%2 == 0 && i+4 < n {
				i += 4
			}
			u.Host = mixedHost(i)
			if i%10 == 4 {
				u.Host = "www." + u.Host
			}
		}
		u.Whole = u.Scheme + "://" + u.Host + u.Path
		urls[at] = u
	}
	return urls
}

var sizes = []int{10, 1_000, 100_000, 1_000_000}

func BenchmarkMatch(b *testing.B) {
	for _, n := range sizes {
		set := NewSet(mixedPatterns(n))
		urls := mixedURLs(n, 1<<16)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				set.Match(&urls[i%len(urls)])
			}
		})
	}
}

func BenchmarkGoMapByHost(b *testing.B) {
	for _, n := range sizes {
		hosts := make(map[string]int, n)
		for i := range n {
			hosts[mixedHost(i)] = i
		}
		urls := mixedURLs(n, 1<<16)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			found := 0
			for i := 0; b.Loop(); i++ {
				_, rest, _ := strings.Cut(urls[i%len(urls)].Whole, "://")
				host, _, _ := strings.Cut(rest, "/")
				found += hosts[host]
			}
		})
	}
}

func BenchmarkNewSet(b *testing.B) {
	const n = 1_000_000
	patterns := mixedPatterns(n)
	text := 0
	for i := range patterns {
		text += len(patterns[i].Host.text) + len(patterns[i].Path.text)
	}
	for b.Loop() {
		NewSet(patterns)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	set := NewSet(patterns)
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/rule")
	b.ReportMetric((float64(after.HeapAlloc-before.HeapAlloc)-float64(text))/n, "B/rule-beyond-text")
	runtime.KeepAlive(set)
	runtime.KeepAlive(patterns)
}

func BenchmarkURLParse(b *testing.B) {
	urls := mixedURLs(1000, 1<<10)
	for i := 0; b.Loop(); i++ {
		if _, err := url.Parse(urls[i%len(urls)].Whole); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompareLargeLists(b *testing.B) {
	before, after := largeLists()
	for b.Loop() {
		if _, outcome := Covered(WebHosts, after).Minus(Covered(WebHosts, before)).Witness(DefaultSteps); outcome !=
			Found {
			b.Fatal(outcome)
		}
	}
}

func BenchmarkProveLargeListsEqual(b *testing.B) {
	before, _ := largeLists()
	after := slices.Clone(before)
	slices.Reverse(after)
	for b.Loop() {
		if url, outcome := Covered(WebHosts, after).Minus(Covered(WebHosts, before)).Witness(DefaultSteps); outcome !=
			Empty {
			b.Fatal(url, outcome)
		}
	}
}
