// Package appbound reads WKAppBoundDomains of an Info.plist as WebKit does: the
// domains in whose pages an app for iOS may run scripts of its own.
//
// An app whose Info.plist has the key (iOS 14 and later,
// https://webkit.org/blog/10882/app-bound-domains/) has it for all of its web
// views, those of plugins included. Pages that are not bound to the app are then
// without its scripts and style sheets, its message handlers, which the bridges
// of Cordova and Capacitor are made of, and its handling of their cookies. In a
// web view that is limited (limitsNavigationsToAppBoundDomains) they do not even
// open in the main frame, and service workers work in those that do. In one that
// is not limited no page is bound.
//
// What is read here was read in WebKit's sources: WebsiteDataStoreCocoa.mm
// (initializeAppBoundDomains, schemeOrDomainIsAppBound), WebPageProxy.cpp
// (setIsNavigatingToAppBoundDomainAndCheckIfPermitted,
// shouldTreatURLProtocolAsAppBound) and RegistrableDomain.h.
//
// The package is pure, and its functions are safe for concurrent use.
package appbound

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/native"
	"github.com/cordon-sec/cordon/policy/publicsuffix"
)

// Key is the key of Info.plist.
const Key = "WKAppBoundDomains"

// Max is how many domains and schemes WebKit keeps: what comes after them does not
// count.
const Max = 10

// Domain is what WebKit keeps of one entry.
type Domain struct {
	// Name is a registrable domain, such as example.org for app.example.org; the
	// host itself where it has none; or a scheme.
	Name string
	// Scheme says that it is a scheme, which covers pages of any host.
	Scheme bool
}

// OfHost returns the domain that a host in normal form belongs to, as an address of
// IPv6 in brackets: the one that somebody registered, else the host itself.
func OfHost(name string) Domain {
	if registered, ok := publicsuffix.Registrable(name); ok {
		name = registered
	}
	return Domain{Name: name}
}

// Below reports whether the names below the domain are covered as well.
func (d Domain) Below() bool {
	_, registered := publicsuffix.Registrable(d.Name)
	return registered && !d.Scheme
}

// Covers reports whether pages of a scheme and a host in normal form are of the
// domain.
func (d Domain) Covers(scheme, name string) bool {
	if d.Scheme {
		return d.Name == scheme
	}
	return name != "" && OfHost(name) == d
}

// String writes the domain as an entry: a scheme with its colon.
func (d Domain) String() string {
	if d.Scheme {
		return d.Name + ":"
	}
	return d.Name
}

// Own reports whether pages are bound to the app without an entry: what it opens as
// files, and what has no host. Newer versions of WebKit count localhost and its
// addresses as well, see Local; older ones want an entry for it.
func Own(scheme string) bool {
	return slices.Contains([]string{"file", "about", "data", "blob", "javascript"}, scheme)
}

// Local reports whether a host in normal form is one that newer versions of WebKit
// count without an entry.
func Local(name string) bool { return host.IsLoopback(name) }

// Read returns what WebKit keeps of an entry; why says the reason where it keeps
// nothing, or where what it keeps is not what the entry says.
func Read(text string) (d Domain, ok bool, why string) {
	entry := strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
	if entry == "" || entry == ":" {
		return Domain{}, false, "an entry of WKAppBoundDomains is empty"
	}
	if name, scheme := strings.CutSuffix(entry, ":"); scheme {
		if name != strings.ToLower(name) {
			why = fmt.Sprintf("%q covers nothing: the scheme of a page is in lower case", text)
		}
		return Domain{Name: name, Scheme: true}, true, why
	}
	authority, why := authorityOf(entry)
	if why != "" {
		return Domain{}, false, fmt.Sprintf("%q is not a domain: %s", text, why)
	}
	bare, star := strings.CutPrefix(authority, "*.")
	read, err := host.ParseAuthority(bare)
	switch {
	case strings.ContainsAny(authority, " \t\r\n"):
		return Domain{}, false, fmt.Sprintf("%q is not a domain: it has blank space in it", text)
	case err != nil && strings.Contains(authority, "*"):
		return Domain{}, false, fmt.Sprintf("%q is not a domain: there are no wildcards, and the names below count "+
			"anyway", text)
	case err != nil:
		return Domain{}, false, fmt.Sprintf("%q is not a domain", text)
	}
	d = OfHost(read.Host.URL())
	if star {
		why = fmt.Sprintf("%q counts as %q: there are no wildcards, and the names below count anyway", text, d.Name)
	}
	return d, true, why
}

// hierarchical are the schemes whose URLs have a host however many slashes there are.
var hierarchical = []string{"http", "https", "ws", "wss", "ftp"}

// authorityOf takes the host with its port out of an entry, which WebKit reads as a
// URL; of one without a scheme as https.
func authorityOf(entry string) (authority, why string) {
	rest := entry
	if name, after, ok := strings.Cut(entry, ":"); ok && isScheme(name) {
		rest = after
		switch lower := strings.ToLower(name); {
		case slices.Contains(hierarchical, lower):
		case !strings.HasPrefix(after, "//"):
			return "", "what stands before the colon is read as a scheme"
		}
	}
	rest = strings.TrimLeft(rest, `/\`)
	if end := strings.IndexAny(rest, `/\?#`); end >= 0 {
		rest = rest[:end]
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	if rest == "" {
		return "", "it has no host"
	}
	return rest, ""
}

// isScheme reports whether what stands before a colon can be a scheme (RFC 3986,
// section 3.1).
func isScheme(name string) bool {
	for i := range len(name) {
		letter := name[i]|0x20 >= 'a' && name[i]|0x20 <= 'z'
		if !letter && (i == 0 || strings.IndexByte("0123456789+-.", name[i]) < 0) {
			return false
		}
	}
	return name != ""
}

// List is one WKAppBoundDomains, with what carries it.
type List struct {
	native.Entry
	// Domains are those that count, each once, in order.
	Domains []Listed
	// Wrong are the entries that do not count, or count as something else.
	Wrong []native.Problem
}

// Listed is a domain with the first entry that stands for it.
type Listed struct {
	Domain
	Value *native.Value
}

// Covers reports whether one of the list's domains covers pages of a scheme and a
// host in normal form.
func (l *List) Covers(scheme, name string) bool {
	return slices.ContainsFunc(l.Domains, func(d Listed) bool { return d.Domain.Covers(scheme, name) })
}

// Lists returns what a project says about App-Bound Domains, by what carries it.
func Lists(s *native.Set) []List {
	var lists []List
	for _, e := range s.Key(Key) {
		l := List{Entry: e}
		l.read()
		lists = append(lists, l)
	}
	return lists
}

func (l *List) read() {
	if l.Value.Type != native.TypeArray {
		l.wrong(l.Place, "WKAppBoundDomains must be an array of domains")
		return
	}
	for _, item := range l.Value.Items {
		if item.Type != native.TypeString {
			l.wrong(item.Place, "an entry of WKAppBoundDomains must be a string")
			continue
		}
		d, ok, why := Read(item.Text)
		known := slices.ContainsFunc(l.Domains, func(have Listed) bool { return have.Domain == d })
		if ok && !known && len(l.Domains) == Max {
			l.wrong(item.Place, fmt.Sprintf("%q comes after the tenth: WebKit reads ten", item.Text))
			continue
		}
		if ok && !known {
			l.Domains = append(l.Domains, Listed{d, item})
		}
		if why != "" {
			l.wrong(item.Place, why)
		}
	}
}

func (l *List) wrong(place policy.Place, msg string) {
	l.Wrong = append(l.Wrong, native.Problem{Place: place, Msg: msg})
}
