package export

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// Domain is a host that the policy lets the app contact over the network.
type Domain struct {
	// Host is a name or an address, "*" for every host.
	Host string
	// Subdomains says that the names below the host are contacted too.
	Subdomains bool
	// Schemes are the schemes by which, sorted.
	Schemes []string
	// Purposes are what for: "requests", "pages", or both.
	Purposes []string
	// Tracking says that the developer stated the host to be one that tracks.
	Tracking bool
	// Rules are the lines that say so, in file order.
	Rules []DomainRule
}

// Encrypted reports whether nothing is sent to the host unencrypted.
func (d *Domain) Encrypted() bool {
	return !slices.Contains(d.Schemes, "http") && !slices.Contains(d.Schemes, "ws")
}

// Name writes the host, with "*." before one whose names below are contacted too.
func (d *Domain) Name() string {
	if d.Subdomains {
		return "*." + d.Host
	}
	return d.Host
}

// DomainRule is a line of the policy that a domain comes from.
type DomainRule struct {
	// Element and Text are the line's: "access" and its origin.
	Element, Text string
	// Place is where it stands.
	Place policy.Place
	// By is the plugin that brings it, "" for the app itself.
	By string
}

// Domains returns the hosts that the policy lets the app contact, sorted, each once.
// What is handed to other apps is not among them.
func (s Source) Domains() []Domain {
	var list []Domain
	for _, o := range s.Wire() {
		if !o.Hierarchical() {
			continue
		}
		d := Domain{Host: o.Host, Subdomains: o.Subdomains}
		if d.Host == "" {
			d.Host = "*"
		}
		i := slices.IndexFunc(list, func(other Domain) bool {
			return other.Host == d.Host && other.Subdomains == d.Subdomains
		})
		if i < 0 {
			d.Tracking = s.tracks(&o)
			i, list = len(list), append(list, d)
		}
		list[i].add(&o, s.By)
	}
	slices.SortFunc(list, func(a, b Domain) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Name(), b.Name()))
	})
	return list
}

func (d *Domain) add(o *dialect.Origin, by func(policy.Place) string) {
	d.Schemes = merge(d.Schemes, o.Schemes...)
	if o.Rule.Purpose == policy.ForRequest || !o.Navigation { // a frame is requested
		d.Purposes = merge(d.Purposes, "requests")
	}
	if o.Navigation {
		d.Purposes = merge(d.Purposes, "pages")
	}
	r := DomainRule{Element: o.Rule.Element, Text: o.Rule.Text, Place: o.Rule.Place}
	if by != nil {
		r.By = by(r.Place)
	}
	d.Rules = append(d.Rules, r)
}

// merge adds texts to a sorted list, each once.
func merge(list []string, more ...string) []string {
	list = append(list, more...)
	slices.Sort(list)
	return slices.Compact(list)
}

// tracks reports whether one of the hosts that were stated to track is among those of
// a line.
func (s Source) tracks(o *dialect.Origin) bool {
	return slices.ContainsFunc(s.Tracking, func(t string) bool {
		return o.Host == t || strings.HasSuffix(o.Host, "."+t) || o.Subdomains && strings.HasSuffix(t, "."+o.Host)
	})
}

// domainLosses are what has to be known before the domains are declared.
func (s Source) domainLosses() []Loss {
	losses := slices.Clone(s.Unread)
	everything := false
	origins := s.Wire()
	for i := range origins {
		if o := &origins[i]; o.Host == "" && o.Hierarchical() {
			everything = true
			losses = append(losses, Loss{Place: o.Rule.Place, Rule: o.Rule.Text, Widens: true,
				Message: "it covers every host, so that no list of domains is complete"})
		}
	}
	for _, t := range s.Tracking {
		one := Source{Tracking: []string{t}}
		if !everything && !slices.ContainsFunc(origins, func(o dialect.Origin) bool { return one.tracks(&o) }) {
			losses = append(losses, Loss{Rule: t, Message: "it was stated to track, and no line lets the app reach " +
				"it; what a native library contacts belongs into that library's own privacy manifest"})
		}
	}
	return losses
}
