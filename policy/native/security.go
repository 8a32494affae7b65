package native

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// Config is a network security configuration, as Android's XmlConfigSource
// reads it.
type Config struct {
	Fragment *Fragment
	// Base is <base-config>, nil if there is none.
	Base *Section
	// Domains are the <domain-config>s, each before those inside it.
	Domains []*Section
	// Debug is <debug-overrides>, which counts in debuggable builds only.
	Debug *Section
	// Problems are what Android refuses: one of them, and the app stops with
	// an exception at its first connection.
	Problems []Problem
	// Unknown are the values that are not known, since a plugin's variable in them has
	// none, each as a clause; nothing else is said of what holds them.
	Unknown []Problem

	seen map[string]bool
}

// Section is a <base-config>, <domain-config> or <debug-overrides>.
type Section struct {
	Name  string
	Place policy.Place
	// Outer is the <domain-config> around it, nil for none.
	Outer *Section
	// Cleartext is cleartextTrafficPermitted.
	Cleartext Flag
	// Domains are the hosts of a <domain-config>.
	Domains []Domain
	// Trusted says that there is a <trust-anchors>, Anchors what it holds.
	Trusted bool
	Anchors []Anchor
	// Pins is nil for none.
	Pins *PinSet
}

// Flag is a setting that is on or off.
type Flag struct {
	// Said says that it is written; Value is what the system makes of it.
	Said, Value bool
	// Text is what is written.
	Text  string
	Place policy.Place
	// Source is the attribute that sets it.
	Source configxml.Attr
	// Unknown says that the value is not known, and Value is false then: see
	// [Config].Unknown.
	Unknown bool
}

// Domain is one <domain>.
type Domain struct {
	// Host is what Android compares, in lower case.
	Host string
	// Below says that the names below it count as well.
	Below bool
	Place policy.Place
	// Never says why no host equals it, "" if one can.
	Never string
	// Unknown says that the host is not known: see [Config].Unknown.
	Unknown bool
}

// Anchor is one <certificates>: a source of authorities.
type Anchor struct {
	// Source is system, user, wfa or the name of a resource.
	Source string
	// OverridesPins says that what it vouches for is not held to the pins.
	OverridesPins bool
	Place         policy.Place
}

// Permits returns whether a section lets cleartext through, with the flag that
// says so: its own, or that of what it inherits from. Not said is the system's
// default.
func (c *Config) Permits(s *Section) Flag {
	for ; s != nil; s = s.Outer {
		if s.Cleartext.Said {
			return s.Cleartext
		}
	}
	if c.Base != nil {
		return c.Base.Cleartext
	}
	return Flag{}
}

// PinsOf returns the pins that count for a section.
func (c *Config) PinsOf(s *Section) *PinSet {
	for ; s != nil; s = s.Outer {
		if s.Pins != nil {
			return s.Pins
		}
	}
	return nil
}

// For returns the section that counts for a host: the one of the most specific
// domain, else the base (nil if there is none). A single final dot of the host
// does not count.
func (c *Config) For(host string) *Section {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	found, longest := c.Base, -1
	for _, s := range c.Domains {
		for _, d := range s.Domains {
			switch {
			case d.Host == host:
				return s
			case d.Below && strings.HasSuffix(host, "."+d.Host) && len(d.Host) > longest:
				found, longest = s, len(d.Host)
			}
		}
	}
	return found
}

func readConfig(f *Fragment) *Config {
	c := &Config{Fragment: f, seen: make(map[string]bool)}
	elements := f.Elements
	if f.Carrier == File || f.Carrier == ResourceFile {
		elements = f.Elements[0].Children
	}
	for _, e := range elements {
		switch e.Name {
		case "base-config":
			if c.Base != nil {
				c.refuse(e, "only one base-config is allowed")
				continue
			}
			c.Base = c.section(e, nil)
		case "domain-config":
			c.section(e, nil)
		case "debug-overrides":
			if c.Debug != nil {
				c.refuse(e, "only one debug-overrides is allowed")
				continue
			}
			c.Debug = c.section(e, nil)
		}
	}
	return c
}

func (c *Config) place(e *configxml.Element) policy.Place {
	return c.Fragment.Document.Place(e.Start, e.TagEnd)
}

func (c *Config) refuse(e *configxml.Element, format string, args ...any) {
	c.Problems = append(c.Problems, Problem{c.place(e), fmt.Sprintf(format, args...)})
}

// unset notes a value of an element that is not known, since a plugin's variable in it has
// none, and reports whether it is one.
func (c *Config) unset(e *configxml.Element, what, text string) bool {
	why := c.Fragment.Unset[e.Start]
	if why == "" || !strings.Contains(text, "$") {
		return false
	}
	c.Unknown = append(c.Unknown, Problem{c.place(e), fmt.Sprintf("%s is %s, and %s", what, strings.TrimSpace(text),
		why)})
	return true
}

func (c *Config) section(e *configxml.Element, outer *Section) *Section {
	s := &Section{Name: e.Name, Place: c.place(e), Outer: outer}
	if e.Name == "domain-config" {
		c.Domains = append(c.Domains, s)
	}
	if a, ok := e.Attr("cleartextTrafficPermitted"); ok {
		// What is neither true nor false, a reference too, gets the reader's
		// default, and that is to permit.
		value, known := boolean(a.Value)
		unknown := c.unset(e, "cleartextTrafficPermitted", a.Value)
		s.Cleartext = Flag{Said: true, Value: (value || !known) && !unknown, Text: a.Value,
			Place: c.Fragment.Document.Place(a.Start, a.End), Source: a, Unknown: unknown}
	}
	for _, child := range e.Children {
		c.part(s, child)
	}
	if s.Name == "domain-config" && len(s.Domains) == 0 {
		c.refuse(e, "a domain-config must have a domain of its own")
	}
	return s
}

func (c *Config) part(s *Section, e *configxml.Element) {
	onlyDomain := e.Name == "domain" || e.Name == "pin-set" || e.Name == "domain-config"
	if onlyDomain && s.Name != "domain-config" {
		c.refuse(e, "%s is not allowed in %s", e.Name, s.Name)
		return
	}
	switch e.Name {
	case "domain":
		c.domain(s, e)
	case "trust-anchors":
		if s.Trusted {
			c.refuse(e, "only one trust-anchors is allowed in a %s", s.Name)
			return
		}
		s.Trusted = true
		c.anchors(s, e)
	case "pin-set":
		if s.Pins != nil {
			c.refuse(e, "only one pin-set is allowed in a domain-config")
			return
		}
		s.Pins = c.pinSet(e)
	case "domain-config":
		c.section(e, s)
	}
}

func (c *Config) domain(s *Section, e *configxml.Element) {
	host := strings.ToLower(strings.TrimSpace(e.Text))
	switch {
	case len(e.Children) > 0:
		c.refuse(e, "a domain must hold a name and nothing else")
		return
	case host == "":
		c.refuse(e, "a domain must hold a name")
		return
	case c.unset(e, "a domain", e.Text):
		s.Domains = append(
			s.Domains,
			Domain{Host: host, Place: c.Fragment.Document.Place(e.Start, e.End), Unknown: true},
		)
		return
	case c.seen[host]:
		c.refuse(e, "%q stands here a second time: a domain may be named once in the whole file", host)
	}
	c.seen[host] = true
	below, _ := boolean(e.Value("includeSubdomains"))
	c.unset(e, "includeSubdomains", e.Value("includeSubdomains"))
	s.Domains = append(s.Domains, Domain{Host: host, Below: below, Never: never(host),
		Place: c.Fragment.Document.Place(e.Start, e.End)})
}

// never says why no host equals a domain.
func never(host string) string {
	if address, err := netip.ParseAddr(host); err == nil && address.Zone() == "" {
		return ""
	}
	switch {
	case strings.Contains(host, "://"):
		return "a scheme is not part of a name"
	case strings.ContainsAny(host, "/?#"):
		return "a path is not part of a name"
	case strings.Contains(host, "*"):
		return "there are no wildcards: includeSubdomains=\"true\" stands for the names below"
	case strings.Contains(host, "@"):
		return "a user is not part of a name"
	case strings.HasPrefix(host, "["):
		return "an address is written without brackets"
	case strings.Contains(host, ":"):
		return "a port is not part of a name"
	case strings.HasPrefix(host, "."), strings.Contains(host, ".."):
		return "a label of it is empty"
	case strings.HasSuffix(host, "."):
		return "the final dot is taken off the host, not off the domain"
	case strings.ContainsAny(host, " \t\r\n"):
		return "it has blank space in it"
	case strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }):
		return "hosts are compared in their ASCII form (xn--…)"
	}
	return ""
}

func (c *Config) anchors(s *Section, e *configxml.Element) {
	for _, child := range e.Children {
		if child.Name != "certificates" {
			continue
		}
		source, ok := child.Attr("src")
		if !ok {
			c.refuse(child, "certificates must have src")
			continue
		}
		a := Anchor{Source: source.Value, OverridesPins: s.Name == "debug-overrides", Place: c.place(child)}
		if value, ok := boolean(child.Value("overridePins")); ok {
			a.OverridesPins = value
		}
		c.unset(child, "overridePins", child.Value("overridePins"))
		switch {
		case c.unset(child, "the src of certificates", a.Source):
			continue
		case a.Source == "system", a.Source == "user", a.Source == "wfa":
		case strings.HasPrefix(a.Source, "@"):
		default:
			c.refuse(child, "the src of certificates must be system, user or a resource such as @raw/ca, not %q",
				a.Source)
			continue
		}
		s.Anchors = append(s.Anchors, a)
	}
}
