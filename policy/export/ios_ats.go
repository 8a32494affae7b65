package export

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// atsFormat is IOSATS; its constant describes it.
var atsFormat = Format{
	Name:  IOSATS,
	Title: "iOS App Transport Security",
	Can:   Schemes | Exact | Deep | Pins,
	Limits: []string{
		"it says where cleartext is permitted, for all ports and paths of a host",
		"addresses have no exceptions before iOS 17",
		"the web view is not known to enforce pinned domains; native requests are (URLSession)",
		"pins do not expire",
	},
}

type exception struct {
	host       string
	subdomains bool
}

// exportATS writes a property list that holds the dictionary alone: project puts it
// into an Info.plist.
func exportATS(s Source) Artifact {
	var b strings.Builder
	b.WriteString(propertyListHead(atsFormat.headerXML(s)))
	dictionary, losses := TransportSecurity(s, "\t")
	fmt.Fprintf(&b, "<plist version=\"1.0\">\n<dict>\n\t<key>NSAppTransportSecurity</key>\n%s</dict>\n</plist>\n",
		dictionary)
	return Artifact{Path: "ats.plist", Content: []byte(b.String()), Losses: losses}
}

// TransportSecurity writes the value of NSAppTransportSecurity, each line behind the
// indentation given.
func TransportSecurity(s Source, indent string) (string, []Loss) {
	everywhere, exceptions, losses := cleartext(s)
	w := writer{indent: indent}
	w.line(0, "<dict>")
	w.flag(1, "NSAllowsArbitraryLoads", everywhere)
	if len(exceptions) > 0 {
		w.line(1, "<key>NSExceptionDomains</key>")
		w.line(1, "<dict>")
		for _, e := range exceptions {
			w.line(2, "<key>%s</key>", e.host)
			w.line(2, "<dict>")
			w.flag(3, "NSIncludesSubdomains", e.subdomains)
			w.flag(3, "NSExceptionAllowsInsecureHTTPLoads", true)
			w.line(3, "<key>NSExceptionMinimumTLSVersion</key>")
			w.line(3, "<string>TLSv1.2</string>")
			w.line(2, "</dict>")
		}
		w.line(1, "</dict>")
	}
	losses = append(losses, w.pins(s.Pins)...)
	w.line(0, "</dict>")
	return w.b.String(), losses
}

// cleartext collects where http is permitted. A name stands once: it includes
// subdomains if any of its lines does.
func cleartext(s Source) (everywhere bool, exceptions []exception, losses []Loss) {
	for _, o := range s.Cleartext() {
		switch {
		case o.Host == "":
			everywhere = true
			losses = append(losses, lose(&o, true,
				"cleartext is permitted everywhere, to addresses too, and the TLS floor is lifted"))
			continue
		case strings.HasPrefix(o.Host, "["):
			losses = append(losses, lose(&o, false,
				"an IPv6 address has no exception that iOS matches: its cleartext is refused"))
			continue
		case !o.Covers("http"):
			losses = append(losses, lose(&o, true, "cleartext is permitted for http too, not only for ws"))
		case o.Path != "" || o.Port != 0:
			losses = append(losses, lose(&o, true, "cleartext is permitted for all ports and paths of the host"))
		}
		exceptions = add(exceptions, o)
	}
	slices.SortFunc(exceptions, func(a, b exception) int { return strings.Compare(a.host, b.host) })
	return everywhere, exceptions, losses
}

func add(exceptions []exception, o dialect.Origin) []exception {
	for i := range exceptions {
		if exceptions[i].host == o.Host {
			exceptions[i].subdomains = exceptions[i].subdomains || o.Subdomains
			return exceptions
		}
	}
	return append(exceptions, exception{o.Host, o.Subdomains})
}

type writer struct {
	b      strings.Builder
	indent string
}

func (w *writer) line(depth int, format string, args ...any) {
	w.b.WriteString(w.indent + strings.Repeat("\t", depth))
	fmt.Fprintf(&w.b, format+"\n", args...)
}

func (w *writer) flag(depth int, key string, value bool) {
	w.line(depth, "<key>%s</key>", key)
	w.line(depth, "<%t/>", value)
}

// pinned is what one host is pinned to.
type pinned struct {
	below           bool
	leaf, authority []pin.Hash
}

// pins writes NSPinnedDomains. Pins are alternatives, but iOS wants a host with
// leaf and authority identities to match both: such a host gets the leaf ones
// alone.
func (w *writer) pins(set *pin.Set) []Loss {
	hosts, losses := collectPins(set)
	if len(hosts) == 0 {
		return losses
	}
	w.line(1, "<key>NSPinnedDomains</key>")
	w.line(1, "<dict>")
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		p := hosts[host]
		key, hashes := "NSPinnedLeafIdentities", p.leaf
		if len(p.leaf) == 0 {
			key, hashes = "NSPinnedCAIdentities", p.authority
		} else if len(p.authority) > 0 {
			losses = append(losses, Loss{Rule: host, Message: "the pins of authorities are left out: iOS would want " +
				"them to match as well as those of the host"})
		}
		w.line(2, "<key>%s</key>", host)
		w.line(2, "<dict>")
		w.flag(3, "NSIncludesSubdomains", p.below)
		w.line(3, "<key>%s</key>", key)
		w.line(3, "<array>")
		for _, hash := range hashes {
			w.line(4, "<dict>")
			w.line(5, "<key>SPKI-SHA256-BASE64</key>")
			w.line(5, "<string>%s</string>", hash)
			w.line(4, "</dict>")
		}
		w.line(3, "</array>")
		w.line(2, "</dict>")
	}
	w.line(1, "</dict>")
	return losses
}

func collectPins(set *pin.Set) (map[string]pinned, []Loss) {
	var losses []Loss
	hosts := map[string]pinned{}
	for _, entry := range set.Entries() {
		if entry.Mode != pin.OnTopOfRoots {
			losses = append(losses, Loss{Rule: entry.Host,
				Message: "certificates that stand in for the roots are not expressed: iOS adds pins to the roots"})
			continue
		}
		if len(entry.Hashes) == 0 {
			continue
		}
		p := hosts[entry.Host]
		if entry.Authority {
			p.authority = append(p.authority, entry.Hashes...)
		} else {
			p.leaf = append(p.leaf, entry.Hashes...)
		}
		p.below = p.below || entry.Subdomains
		hosts[entry.Host] = p
	}
	return hosts, losses
}
