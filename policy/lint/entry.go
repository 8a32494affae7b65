package lint

import (
	"net/netip"
	"slices"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// role is what an element of the list is for.
type role uint8

const (
	forAccess     role = iota // <access>
	forExternal               // <access launch-external>
	forNavigation             // <allow-navigation>
	forIntent                 // <allow-intent>
	forContent                // <content src>
)

// entry is one element of the list as it stands in the file. What it means is
// asked of the readings; its parts are only for rules about the text itself.
type entry struct {
	element *configxml.Element
	index   int    // its number in run.entries
	twin    *entry // the first element that says the same; nil for that one
	role    role
	has     bool   // the attribute is there
	opaque  bool   // a scheme without "//"
	scope   string // the platform whose <platform> element holds it, or ""
	attr    *configxml.Attr
	text    string

	scheme, user, host, port, path string
}

// attribute returns the name of the attribute that the element is about.
func (e *entry) attribute() string {
	switch e.role {
	case forAccess, forExternal:
		return "origin"
	case forContent:
		return "src"
	}
	return "href"
}

// findEntries lists the elements of the list that prepare hands to platforms: the
// own ones of config.xml, and then those that other files add to what ships.
func findEntries(doc, effective *configxml.Document) (list []*entry, own int) {
	top := doc.Root().Children
	list = make([]*entry, 0, len(top))
	first := make(map[string]*entry, len(top))
	var slab []entry // new entries are cut from it: there may be a hundred thousand
	add := func(element *configxml.Element, scope string) {
		role, ok := roleOf(element)
		if !ok {
			return
		}
		if len(slab) == 0 {
			slab = make([]entry, 128)
		}
		e := &slab[0]
		slab = slab[1:]
		*e = entry{element: element, index: len(list), role: role, scope: scope}
		e.read()
		if key := e.identity(); first[key] != nil {
			e.twin = first[key]
		} else {
			first[key] = e
		}
		list = append(list, e)
	}
	for _, e := range top {
		if e.Name != "platform" {
			add(e, "")
			continue
		}
		for _, child := range e.Children {
			add(child, e.Value("name"))
		}
	}
	own = len(list)
	for _, p := range effective.Parts() {
		for _, e := range p.Elements {
			add(e, p.Platform)
		}
	}
	return list, own
}

// roleOf returns what an element is for, and whether it is one of the list.
func roleOf(element *configxml.Element) (role, bool) {
	switch element.Name {
	case "access":
		if _, external := element.Attr("launch-external"); external {
			return forExternal, true
		}
		return forAccess, true
	case "allow-navigation":
		return forNavigation, true
	case "allow-intent":
		return forIntent, true
	case "content":
		return forContent, true
	}
	return 0, false
}

// read finds the attribute that the element is about, and takes its text apart.
func (e *entry) read() {
	e.attr, e.has = attrOf(e.element, e.attribute())
	if !e.has && (e.role == forAccess || e.role == forExternal) {
		e.attr, e.has = attrOf(e.element, "uri")
	}
	e.text = e.attr.Value
	e.split()
}

// attrOf returns the attribute without a prefix of that name, or an empty one.
func attrOf(e *configxml.Element, local string) (*configxml.Attr, bool) {
	for i := range e.Attrs {
		if a := &e.Attrs[i]; a.Prefix == "" && a.Name == local {
			return a, true
		}
	}
	return &configxml.Attr{}, false
}

// identity is what makes two entries the same.
func (e *entry) identity() string {
	b := make([]byte, 0, 128)
	for _, part := range []string{e.element.Prefix, e.element.Name, e.scope} {
		b = append(append(b, part...), 0)
	}
	for i := range e.element.Attrs {
		if a := &e.element.Attrs[i]; a.Prefix != "xmlns" && a.Name != "xmlns" {
			b = append(append(append(b, a.Prefix...), ':'), a.Name...)
			b = append(append(append(b, '='), a.Value...), 0)
		}
	}
	return string(b)
}

// split takes the text apart as its author meant it.
func (e *entry) split() {
	text := strings.TrimSpace(e.text)
	rest := text
	if scheme, after, ok := strings.Cut(text, "://"); ok && isScheme(scheme) {
		e.scheme, rest = strings.ToLower(scheme), after
	} else if scheme, after, ok := strings.Cut(text, ":"); ok && isScheme(scheme) && !startsWithDigit(after) {
		e.scheme, e.opaque = strings.ToLower(scheme), true
		return
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest, e.path = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		e.user, rest = rest[:i], rest[i+1:]
	}
	if strings.HasPrefix(rest, "[") {
		if i := strings.IndexByte(rest, ']'); i >= 0 {
			e.host, e.port = rest[:i+1], strings.TrimPrefix(rest[i+1:], ":")
			return
		}
	}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		rest, e.port = rest[:i], rest[i+1:]
	}
	e.host = strings.ToLower(rest)
}

func isScheme(s string) bool {
	if s == "*" {
		return true
	}
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !('0' <= s[i] && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.')) {
			return false
		}
	}
	return s != ""
}

func startsWithDigit(s string) bool { return s != "" && '0' <= s[0] && s[0] <= '9' }

// base returns the host without a leading "*.".
func (e *entry) base() string { return strings.TrimPrefix(e.host, "*.") }

// below reports whether the entry is meant to cover names below its host.
func (e *entry) below() bool {
	return strings.HasPrefix(e.host, "*.") || e.element.Value("subdomains") == "true"
}

// anyHost reports whether the text names every host.
func (e *entry) anyHost() bool {
	return e.has && (e.text == "*" || !e.opaque && (e.host == "*" || e.host == "*.*" || e.host == "*."))
}

// web reports whether the entry is about http, https or WebSocket hosts.
func (e *entry) web() bool {
	switch e.scheme {
	case "", "*", "http", "https", "ws", "wss":
		return e.has && !e.opaque && e.host != ""
	}
	return false
}

// opens reports whether the entry lets something load inside the app.
func (e *entry) opens() bool {
	return e.role == forAccess || e.role == forNavigation
}

// address returns the host as an address, if it is one in canonical form.
func (e *entry) address() (netip.Addr, bool) {
	n, err := hostname.Parse(e.host)
	return n.Addr(), err == nil && n.Addr().IsValid()
}

// sample returns a URL that the author meant the entry to cover.
func (e *entry) sample() string {
	if e.opaque {
		return e.scheme + ":cordon-probe"
	}
	return e.sampleOf(e.schemeOr("https"))
}

func (e *entry) schemeOr(other string) string {
	if e.scheme == "" || e.scheme == "*" {
		return other
	}
	return e.scheme
}

func (e *entry) sampleOf(scheme string) string {
	host := e.base()
	if host == "*" || host == "" {
		host = probeHost
	}
	port := ""
	if e.port != "" && e.port != "*" {
		port = ":" + e.port
	}
	path := strings.ReplaceAll(e.path, "*", "x")
	if path == "" {
		path = "/"
	}
	return scheme + "://" + host + port + path
}

// probeHost is a host that no file lists: .invalid belongs to nobody (RFC
// 2606).
const probeHost = "cordon-probe.invalid"

// entryCovers reports whether the entry, as this target reads it, covers the
// URL for the purpose that the element has there.
func (rd *reading) entryCovers(e *entry, raw string) bool {
	u := rd.policy.Split(raw)
	return rd.entryHolds(e, &u)
}

func (rd *reading) entryHolds(e *entry, u *pattern.URL) bool {
	if u.Malformed {
		return false
	}
	for _, rule := range rd.rules[e.index] {
		if !mayCover(rule) {
			continue
		}
		for i := range rule.Patterns {
			if rule.Patterns[i].Covers(u) {
				return true
			}
		}
	}
	return false
}

// grantsAny reports whether the entry, as this target reads it, may cover any URL.
func (rd *reading) grantsAny(e *entry) bool { return slices.ContainsFunc(rd.rules[e.index], mayCover) }

func mayCover(rule *policy.Rule) bool {
	return rule.Flaw != policy.Dropped && rule.Flaw != policy.Ignored && len(rule.Patterns) > 0
}

// covering returns the readings in which the entry covers the URL.
func covering(readings []*reading, e *entry, raw string) []*reading {
	var list []*reading
	for _, rd := range readings {
		if rd.entryCovers(e, raw) {
			list = append(list, rd)
		}
	}
	return list
}
