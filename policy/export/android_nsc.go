package export

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// nscFormat is AndroidNSC; its constant describes it.
var nscFormat = Format{
	Name:  AndroidNSC,
	Title: "Android Network Security Configuration",
	Can:   Schemes | Exact | Deep | Pins,
	Limits: []string{
		"it says where cleartext is permitted, for all ports and paths of a host",
		"after the expiration of a pin set Android no longer pins",
		"the plugin cordova-plugin-advanced-http brings trust managers of its own, which this file does not bind",
	},
}

// nscPath is where a Cordova project of Android 7 and later keeps the file.
const nscPath = "platforms/android/app/src/main/res/xml/network_security_config.xml"

// domain is one domain-config of the export.
type domain struct {
	host       string
	subdomains bool
	cleartext  bool
	hashes     []pin.Hash
	expires    time.Time
}

// exportNSC writes the file.
func exportNSC(s Source) Artifact {
	e := exporter{source: s}
	e.collect()
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" + nscFormat.headerXML(s) +
		"<network-security-config>\n")
	fmt.Fprintf(&b, "    <base-config cleartextTrafficPermitted=\"%t\">\n", e.everywhere)
	b.WriteString("        <trust-anchors>\n            <certificates src=\"system\" />\n        </trust-anchors>\n" +
		"    </base-config>\n")
	for _, d := range e.domains {
		d.write(&b)
	}
	b.WriteString("    <debug-overrides>\n        <trust-anchors>\n            <certificates src=\"system\" />\n" +
		"            <certificates src=\"user\" />\n")
	b.WriteString("        </trust-anchors>\n    </debug-overrides>\n</network-security-config>\n")
	return Artifact{Path: nscPath, Content: []byte(b.String()), Losses: e.losses}
}

type exporter struct {
	source     Source
	everywhere bool // cleartext to every host
	domains    []domain
	losses     []Loss
}

func (e *exporter) collect() {
	cleartext := e.source.Cleartext()
	for i := range cleartext {
		o := &cleartext[i]
		e.everywhere = e.everywhere || o.Host == ""
		switch {
		case !o.Covers("http"):
			e.losses = append(e.losses, lose(o, true, "cleartext is permitted for http too, not only for ws"))
		case o.Path != "":
			e.losses = append(e.losses,
				lose(o, true, "cleartext is permitted for the whole host, not only for %s", o.Path))
		case o.Port != 0:
			e.losses = append(e.losses,
				lose(o, true, "cleartext is permitted for all ports of the host, not only for %d", o.Port))
		case o.Host == "":
			e.losses = append(e.losses, lose(o, true, "cleartext is permitted everywhere, to addresses too"))
		}
	}
	for _, host := range e.hosts(cleartext) {
		e.domains = append(e.domains, e.domain(host, cleartext))
	}
}

// hosts returns every host that needs a configuration of its own, sorted.
func (e *exporter) hosts(cleartext []dialect.Origin) []string {
	var all []string
	for i := range cleartext {
		if host := cleartext[i].Host; host != "" {
			all = append(all, strings.Trim(host, "[]"))
		}
	}
	for _, entry := range e.source.Pins.Entries() {
		all = append(all, entry.Host)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// domain makes the configuration of one host. Where cleartext and pins
// disagree about the names below it, the file can say only one of the two; it
// says the one that lets less through.
func (e *exporter) domain(host string, cleartext []dialect.Origin) domain {
	d := domain{host: host, cleartext: e.everywhere}
	below := false // cleartext is permitted below the host, by a line of its own
	for i := range cleartext {
		o := &cleartext[i]
		name := strings.Trim(o.Host, "[]")
		d.cleartext = d.cleartext || name == host || o.Subdomains && strings.HasSuffix(host, "."+name)
		below = below || o.Subdomains && (name == host || strings.HasSuffix(host, "."+name))
	}
	below = below || e.everywhere
	pinned, pinnedBelow := e.pins(host, &d)
	switch {
	case !pinned:
		d.subdomains = below
	case !pinnedBelow:
		if below {
			e.note(host, "cleartext below %s is not permitted, because its pins are for the host alone", host)
		}
	default:
		d.subdomains = true
		if d.cleartext && !below {
			d.cleartext = false
			e.note(host, "cleartext to %s is not permitted, because its pins are for the names below it as well", host)
		}
	}
	return d
}

func (e *exporter) note(host, format string, args ...any) {
	e.losses = append(e.losses, Loss{Rule: host, Message: fmt.Sprintf(format, args...)})
}

// pins fills in the pins that bind the host.
func (e *exporter) pins(host string, d *domain) (pinned, below bool) {
	bound, ok := e.source.Pins.For(host)
	if !ok {
		return false, false
	}
	for _, entry := range bound.Entries() {
		if entry.Mode != pin.OnTopOfRoots {
			e.note(host, "the certificates that stand in for the roots of %s are not expressed as pins: Android adds "+
				"pins to the roots", host)
			continue
		}
		pinned = pinned || len(entry.Hashes) > 0
		below = below || entry.Subdomains
		d.hashes = append(d.hashes, entry.Hashes...)
		if !entry.Expires.IsZero() && (d.expires.IsZero() || entry.Expires.Before(d.expires)) {
			d.expires = entry.Expires
		}
	}
	return pinned, below
}

func (d *domain) write(b *strings.Builder) {
	fmt.Fprintf(b, "    <domain-config cleartextTrafficPermitted=\"%t\">\n", d.cleartext)
	fmt.Fprintf(b, "        <domain includeSubdomains=\"%t\">%s</domain>\n", d.subdomains, escape(d.host))
	if len(d.hashes) > 0 {
		b.WriteString("        <pin-set")
		if !d.expires.IsZero() {
			fmt.Fprintf(b, " expiration=\"%s\"", d.expires.UTC().Format(time.DateOnly))
		}
		b.WriteString(">\n")
		for _, hash := range d.hashes {
			fmt.Fprintf(b, "            <pin digest=\"SHA-256\">%s</pin>\n", hash)
		}
		b.WriteString("        </pin-set>\n")
	}
	b.WriteString("    </domain-config>\n")
}

func escape(s string) string {
	var b strings.Builder
	// A strings.Builder never fails.
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
