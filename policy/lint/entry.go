package lint

import (
	"net/netip"
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
	index   int // its number in run.entries
	role    role
	scope   string // the platform whose <platform> element holds it, or ""
	attr    configxml.Attr
	has     bool // the attribute is there
	text    string

	scheme, user, host, port, path string
	opaque                         bool // a scheme without "//"
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
	for _, e := range doc.Root().Children {
		if e.Name != "platform" {
			list = appendEntry(list, e, "")
			continue
		}
		for _, child := range e.Children {
			list = appendEntry(list, child, e.Value("name"))
		}
	}
	own = len(list)
	for _, p := range effective.Parts() {
		for _, e := range p.Elements {
			list = appendEntry(list, e, p.Platform)
		}
	}
	return list, own
}

func appendEntry(list []*entry, element *configxml.Element, scope string) []*entry {
	e := &entry{element: element, index: len(list), scope: scope}
	switch element.Name {
	case "access":
		if _, external := element.Attr("launch-external"); external {
			e.role = forExternal
		}
	case "allow-navigation":
		e.role = forNavigation
	case "allow-intent":
		e.role = forIntent
	case "content":
		e.role = forContent
	default:
		return list
	}
	e.attr, e.has = element.Attr(e.attribute())
	if !e.has && (e.role == forAccess || e.role == forExternal) {
		e.attr, e.has = element.Attr("uri")
	}
	e.text = e.attr.Value
	e.split()
	return append(list, e)
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
		if rule.Flaw == policy.Dropped || rule.Flaw == policy.Ignored {
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
