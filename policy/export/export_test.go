package export_test

import (
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/export"
)

// writerOf is what writes a format.
func writerOf(name string) func(export.Source) export.Artifact {
	e, ok := export.Find(name)
	if !ok {
		panic("no format is called " + name)
	}
	return e.Export
}

// Each format has a name of its own, and one that is not there is not found.
func TestFind(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range export.Exporters() {
		found, ok := export.Find(e.Name)
		if !ok || found.Title != e.Title || seen[e.Name] {
			t.Errorf("%s is found as %q, %v", e.Name, found.Title, ok)
		}
		seen[e.Name] = true
	}
	if _, ok := export.Find("CSP"); ok || len(seen) != 13 {
		t.Errorf("there are %d formats, and CSP is one: %v", len(seen), ok)
	}
}

// What a policy needs as a whole depends on what it says.
func TestNeeds(t *testing.T) {
	pins, err := pin.NewSet(pin.Entry{Host: "a.example", Hashes: []pin.Hash{pin.HashOf([]byte("key"))}})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		body string
		pins *pin.Set
		can  export.Capability
		want string
	}{
		"nothing":       {"", nil, export.Denies, ""},
		"an empty list": {"", nil, 0, "cannot refuse a host"},
		"requests": {`<access origin="https://a.example"/>`, nil, export.Denies,
			"does not limit what a page requests"},
		"navigation": {`<allow-navigation href="https://a.example"/>`, nil, export.Denies,
			"limit navigation apart"},
		"launches": {`<allow-intent href="tel:*"/>`, nil, export.Denies, "handed to other apps"},
		"pins":     {"", pins, export.Denies, "certificate pins"},
		"all of it said": {`<access origin="https://a.example"/>`, pins, export.Denies | export.Requests | export.Pins,
			""},
	} {
		t.Run(name, func(t *testing.T) {
			source, _ := sourceOf(t, test.body)
			source.Pins = test.pins
			got := strings.Join(export.Format{Can: test.can}.Needs(source), "; ")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
