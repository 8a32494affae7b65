package export_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/export"
	"pgregory.net/rapid"
)

// law is what every export is tested by: it never allows what the policy blocks,
// unless it says so in its losses; and without any loss it allows exactly what the
// policy allows. It is an export with a reader of its format.
type law struct {
	// Export writes the format under test.
	Export func(export.Source) export.Artifact
	// Reader takes the exported file apart as the format's own software does,
	// and returns what that software says about a URL.
	Reader func(t testing.TB, content []byte) func(url string) bool
	// Kind is the kind of request that the format decides about.
	Kind policy.Kind
	// Schemes are the schemes that the format decides about.
	Schemes []string
	// Ports and Paths are those that the format tells apart, a port with its
	// colon. Nil: all of the world's.
	Ports, Paths []string
}

// sourceOf reads the body of a widget as an export's source.
func sourceOf(t testing.TB, body string) (export.Source, *policy.Policy) {
	t.Helper()
	doc, err := configxml.Parse("config.xml", []byte("<widget>"+body+"</widget>"))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	compiled, err := dialect.Compile(doc, policy.Target{Platform: dialect.Strict})
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return export.NewSource(doc, nil), compiled
}

// Check tests the law with random policies and every URL of a small world.
func (l law) Check(t *testing.T) {
	t.Helper()
	exact := 0
	rapid.Check(t, func(r *rapid.T) {
		body := strings.Join(rapid.SliceOfN(lawLine(), 0, 4).Draw(r, "lines"), "")
		source, compiled := sourceOf(t, body)
		artifact := l.Export(source)
		allows := l.Reader(t, artifact.Content)
		widens := slices.ContainsFunc(artifact.Losses, func(loss export.Loss) bool { return loss.Widens })
		if len(artifact.Losses) == 0 {
			exact++
		}
		for _, url := range world(l.Schemes, l.Ports, l.Paths) {
			want := compiled.Decide(policy.Request{URL: url, Kind: l.Kind}).Verdict == policy.Allow
			switch got := allows(url); {
			case got && !want && !widens:
				r.Fatalf("%s\n%s\nallows %s, which the policy blocks, and names no loss", body, artifact.Content, url)
			case !got && want && len(artifact.Losses) == 0:
				r.Fatalf("%s\n%s\nrefuses %s, which the policy allows, and names no loss", body, artifact.Content, url)
			}
		}
	})
	if exact == 0 {
		t.Error("no random policy was exported without a loss: the law was not tested")
	}
}

func lawLine() *rapid.Generator[string] {
	return rapid.Custom(func(r *rapid.T) string {
		element := rapid.SampledFrom([]string{`<access origin="`, `<access origin="`, `<allow-navigation href="`,
			`<allow-intent href="`}).Draw(r, "element")
		scheme := rapid.SampledFrom([]string{"", "https://", "http://", "*://", "wss://", "ws://"}).Draw(r, "scheme")
		host := rapid.SampledFrom([]string{"a.example", "*.a.example", "b.a.example", "*.b.a.example", "c.example",
			"localhost", "10.0.0.1", "[2001:db8::1]", "*"}).Draw(r, "host")
		port := rapid.SampledFrom([]string{"", "", "", ":8443", ":80", ":443"}).Draw(r, "port")
		path := rapid.SampledFrom([]string{"", "", "/*", "/p", "/p/*"}).Draw(r, "path")
		return element + scheme + host + port + path + `"/>`
	})
}

// world returns the URLs that the law is tested with; for nil ports and paths
// those of the whole world.
func world(schemes, ports, paths []string) []string {
	if ports == nil {
		ports = []string{"", ":8443", ":80", ":443"}
	}
	if paths == nil {
		paths = []string{"/", "/p", "/p/q", "/pq"}
	}
	var all []string
	for _, scheme := range schemes {
		for _, host := range []string{"a.example", "b.a.example", "x.b.a.example", "xa.example", "c.example",
			"localhost", "10.0.0.1", "10.0.0.2", "[2001:db8::1]", "evil.test"} {
			for _, port := range ports {
				for _, path := range paths {
					all = append(all, scheme+"://"+host+port+path)
				}
			}
		}
	}
	return all
}
