package lint

import (
	"context"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// everyTarget is each platform at each version that it tells apart.
func everyTarget() (list []policy.Target) {
	for _, p := range dialect.Platforms() {
		list = append(list, policy.Target{Platform: p.Name, Version: p.Latest})
		for _, b := range p.Breaks {
			if b.Version.Compare(p.First) >= 0 {
				list = append(list, policy.Target{Platform: p.Name, Version: b.Version})
			}
		}
	}
	return list
}

// An entry that is not asked about covers no URL elsewhere: asking it says the same,
// for every way of writing one, on every platform at every version.
func TestAnchoredEntriesCoverNothingElsewhere(t *testing.T) {
	var b strings.Builder
	b.WriteString("<widget>\n")
	for _, scheme := range []string{"", "http://", "wss://", "*://"} {
		for _, host := range []string{"example.org", "*.example.org", "EXAMPLE.org", "localhost", "a.1", "1.a",
			"evil.test", "evil", "192.0.2.1", "bücher.example", "u_s.example", "u@example.org", "example\\.org",
			".*example.org", ""} {
			for _, rest := range []string{"", ":8443", "/a"} {
				b.WriteString(`<access origin="` + scheme + host + rest + `"/>` + "\n")
			}
		}
	}
	b.WriteString("</widget>")
	doc, err := configxml.Parse("config.xml", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRun(context.Background(), &app.App{Config: doc, Targets: everyTarget()})
	if err != nil {
		t.Fatal(err)
	}
	spared := 0
	for _, rd := range r.all() {
		for _, e := range r.entries {
			if !rd.anchored(e) {
				continue
			}
			spared++
			for _, scheme := range []string{"http", "https", "ws", "wss"} {
				for _, probe := range elsewhere(scheme, e.base()) {
					if rd.entryCovers(e, probe) {
						t.Errorf("%s: %q covers %s", rd.target, e.text, probe)
					}
				}
			}
		}
	}
	if spared == 0 {
		t.Error("every entry was asked about")
	}
}
