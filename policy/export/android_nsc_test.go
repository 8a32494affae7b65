package export_test

import (
	"encoding/xml"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/export"
)

// The file's elements, as android.security.net.config reads them.
type nscConfig struct {
	XMLName xml.Name `xml:"network-security-config"`
	Base    struct {
		Cleartext bool `xml:"cleartextTrafficPermitted,attr"`
	} `xml:"base-config"`
	Domains []struct {
		Cleartext bool `xml:"cleartextTrafficPermitted,attr"`
		Domain    struct {
			Subdomains bool   `xml:"includeSubdomains,attr"`
			Name       string `xml:",chardata"`
		} `xml:"domain"`
		Pins struct {
			Expiration string `xml:"expiration,attr"`
			Pins       []struct {
				Digest string `xml:"digest,attr"`
				Value  string `xml:",chardata"`
			} `xml:"pin"`
		} `xml:"pin-set"`
	} `xml:"domain-config"`
}

func nscRead(t testing.TB, content []byte) nscConfig {
	t.Helper()
	var c nscConfig
	if err := xml.Unmarshal(content, &c); err != nil {
		t.Fatalf("no XML: %v\n%s", err, content)
	}
	seen := map[string]bool{}
	for _, d := range c.Domains {
		if name := d.Domain.Name; seen[name] {
			t.Fatalf("domain %s stands twice: Android throws\n%s", name, content)
		}
		seen[d.Domain.Name] = true
	}
	return c
}

// configFor applies the precedence: the exact domain, else the longest one
// above that includes subdomains. -1 is the base configuration.
func (c *nscConfig) configFor(host string) int {
	best, length := -1, -1
	for i, d := range c.Domains {
		name := d.Domain.Name
		if name == host {
			return i
		}
		if d.Domain.Subdomains && strings.HasSuffix(host, "."+name) && len(name) > length {
			best, length = i, len(name)
		}
	}
	return best
}

// nscReader answers for cleartext alone; what is not http the format lets pass.
func nscReader(t testing.TB, content []byte) func(string) bool {
	c := nscRead(t, content)
	return func(raw string) bool {
		u, err := url.Parse(raw)
		if err != nil {
			return false
		}
		if i := c.configFor(u.Hostname()); i >= 0 {
			return c.Domains[i].Cleartext
		}
		return c.Base.Cleartext
	}
}

func TestNSCLaw(t *testing.T) {
	law{Export: writerOf("android-nsc"), Reader: nscReader, Kind: policy.AnyKind, Schemes: []string{"http"},
		Ports: []string{""}, Paths: []string{"/"}}.Check(t)
}

func TestNSCPins(t *testing.T) {
	hash := pin.HashOf([]byte("key"))
	backup := pin.HashOf([]byte("backup"))
	pins, err := pin.NewSet(
		pin.Entry{Host: "api.a.example", Hashes: []pin.Hash{hash, backup},
			Expires: time.Date(2027, 6, 30, 0, 0, 0, 0, time.UTC)},
		pin.Entry{Host: "b.example", Subdomains: true, Hashes: []pin.Hash{hash}},
		pin.Entry{Host: "c.example", Mode: pin.InsteadOfRoots, Anchors: [][]byte{{1}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	source, _ := sourceOf(t,
		`<access origin="http://*.a.example"/><access origin="http://b.example"/><access origin="https://c.example"/>`)
	source.Pins = pins
	artifact := writerOf("android-nsc")(source)
	c := nscRead(t, artifact.Content)
	tests := []struct {
		host      string
		domain    string
		cleartext bool
		pins      int
	}{
		{"a.example", "a.example", true, 0},
		{"x.a.example", "a.example", true, 0},
		{"api.a.example", "api.a.example", true, 2},
		{"b.example", "b.example", false, 1}, // its pins are for subdomains too, its cleartext is not
		{"x.b.example", "b.example", false, 1},
		{"c.example", "c.example", false, 0},
		{"d.example", "", false, 0},
	}
	for _, test := range tests {
		i := c.configFor(test.host)
		if i < 0 {
			if test.domain != "" || c.Base.Cleartext != test.cleartext {
				t.Errorf("%s has the base configuration", test.host)
			}
			continue
		}
		d := c.Domains[i]
		if d.Domain.Name != test.domain || d.Cleartext != test.cleartext || len(d.Pins.Pins) != test.pins {
			t.Errorf("%s: %+v, want domain %s, cleartext %v, %d pins", test.host, d, test.domain, test.cleartext,
				test.pins)
		}
	}
	if got := c.Domains[c.configFor("api.a.example")].Pins; got.Expiration != "2027-06-30" ||
		got.Pins[0].Value != hash.String() || got.Pins[0].Digest != "SHA-256" {
		t.Errorf("pin set %+v", got)
	}
	if !nscLoses(artifact.Losses, "b.example") || !nscLoses(artifact.Losses, "c.example") {
		t.Errorf("losses %+v, want one for b.example and one for c.example", artifact.Losses)
	}
}

func nscLoses(losses []export.Loss, rule string) bool {
	for _, loss := range losses {
		if loss.Rule == rule {
			return true
		}
	}
	return false
}
