// Package propose goes from requests that were observed to the smallest
// sensible list: exact hosts, https, one line a host, each with what asked for
// it.
//
// Call [List] with what was observed and [Insert] with the lines that a person
// agreed to, or [Replace] for a list of nothing but those lines. What the file
// has already is not inserted again.
//
// The package is pure, and its functions are safe for concurrent use.
package propose

import (
	"errors"
	"slices"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy/publicsuffix"
)

// Observation is one request that an app made.
type Observation struct {
	// Scheme is http, https, ws or wss.
	Scheme string
	// Host is a name as A-labels in lower case, or an address, IPv6 without
	// brackets.
	Host string
	// Port is the port, 0 for the scheme's own.
	Port int
	// Path is the path, "" if it was not seen.
	Path string
	// Kind is what asked, such as "image"; "" if it was not seen.
	Kind string
	// Count is how often it was seen; 0 counts as once.
	Count int
}

// Proposal is one line with what it is for.
type Proposal struct {
	Line Line
	// Site is the registrable domain, the group that the line belongs to; the
	// host itself where there is none.
	Site string
	// Kinds are the kinds that asked, sorted.
	Kinds []string
	// Paths are up to MaxPaths paths that were seen, sorted.
	Paths []string
	// Count is how many requests the line would have let through.
	Count int
	// Foreign says that the site is not the one most requests went to.
	Foreign bool
	// Warnings say what to think about before adding the line.
	Warnings []string
}

// MaxPaths bounds the paths that a proposal shows.
const MaxPaths = 5

type key struct {
	secure bool
	host   string
	port   int
}

// List returns a line for every host that was observed, grouped by site: the
// app's own site (the one with most requests) first, then by name. Secure and
// cleartext requests to a host get lines of their own; WebSockets share the
// line of http or https.
func List(observed []Observation) []Proposal {
	groups := map[key]*Proposal{}
	bySite := map[string]int{}
	for _, o := range observed {
		o.Count = max(o.Count, 1)
		k := key{o.Scheme == "https" || o.Scheme == "wss", o.Host, o.Port}
		p := groups[k]
		if p == nil {
			p = &Proposal{Line: Line{Element: "access", Origin: k.origin()}, Site: site(o.Host),
				Warnings: Warnings(k.origin())}
			groups[k] = p
		}
		p.Count += o.Count
		bySite[p.Site] += o.Count
		p.Kinds = addOnce(p.Kinds, o.Kind)
		if len(p.Paths) < MaxPaths {
			p.Paths = addOnce(p.Paths, o.Path)
		}
	}
	own := mostAsked(bySite)
	list := make([]Proposal, 0, len(groups))
	for _, p := range groups {
		p.Foreign = p.Site != own
		slices.Sort(p.Kinds)
		slices.Sort(p.Paths)
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b Proposal) int {
		if a.Foreign != b.Foreign {
			if a.Foreign {
				return 1
			}
			return -1
		}
		if c := strings.Compare(a.Site, b.Site); c != 0 {
			return c
		}
		return strings.Compare(a.Line.Origin, b.Line.Origin)
	})
	return list
}

func (k key) origin() string {
	scheme := "http"
	if k.secure {
		scheme = "https"
	}
	name, err := hostname.ParsePlain(k.host)
	if err != nil {
		return scheme + "://" + k.host // no line for it does anything, and none for another host is made of it
	}
	return scheme + "://" + hostname.Authority{Host: name, Port: uint16(k.port)}.Of(scheme)
}

func addOnce(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// site returns the registrable domain of a host, or the host.
func site(host string) string {
	if name, ok := publicsuffix.Registrable(host); ok {
		return name
	}
	return host
}

// mostAsked returns the site with most requests, of equals the first by name.
func mostAsked(counts map[string]int) string {
	best := ""
	for name, n := range counts {
		if best == "" || n > counts[best] || n == counts[best] && name < best {
			best = name
		}
	}
	return best
}

// Warnings says what a person should think about before an origin is listed:
// cleartext, an address, a name that anyone can register below.
func Warnings(origin string) []string {
	scheme, rest, _ := strings.Cut(origin, "://")
	var warnings []string
	if scheme == "http" || scheme == "ws" || scheme == "*" {
		warnings = append(warnings, "it is unencrypted: anyone on the way can read and change it")
	}
	host, _, _ := strings.Cut(rest, "/")
	if name, wild := strings.CutPrefix(host, "*."); wild {
		if publicsuffix.IsSuffix(name) != publicsuffix.Unlisted {
			return append(warnings, "anyone can have a name below "+name)
		}
		return append(warnings, "it lists every name below "+name+", also those that do not exist yet")
	}
	if host == "*" || origin == "*" {
		return append(warnings, "it lists every host there is")
	}
	at, err := hostname.ParseAuthority(host)
	switch {
	case errors.Is(err, hostname.ErrAddress) || at.Host.Addr().IsValid():
		warnings = append(warnings, "it is an address: whoever has it tomorrow is let in")
	case err == nil && publicsuffix.IsSuffix(at.Host.String()) != publicsuffix.Unlisted:
		warnings = append(warnings, "it is a public suffix, not somebody's host")
	}
	return warnings
}
