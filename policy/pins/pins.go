// Package pins reads and writes the pins of an app: the elements of its
// config.xml
//
//	<cordon:pin host="api.example.org" subdomains="true" sha256="…" expires="2027-06-30" certificate="ca"/>
//
// and the .cer files of its www/certificates. Every platform ignores the
// element; Cordon's exports, client and gateway make it true.
//
// What cannot be read is a [Problem], and binds its host to nothing, so that a
// slip of the pen closes a connection instead of opening it.
//
// [Set] gives what an app's pins bind, [Read] and [ReadFiles] the two halves of it
// with what is wrong, and [Add] writes pins into a config.xml, every other byte as
// it was. The package is pure, and its functions are safe for concurrent use.
package pins

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// Namespace is the XML namespace of Cordon's own elements in a config.xml. The
// prefix "cordon" always stands for it, whatever it is bound to: Cordova's own
// tools tell elements apart by their prefix.
const Namespace = "urn:cordon:1"

// Prefix is the prefix that is written and always understood.
const Prefix = "cordon"

// Problem is a pin that does not say what it should.
type Problem struct {
	// Place is where in the config.xml it stands; zero for a file.
	Place policy.Place
	// File is the .cer file, or "".
	File string
	// Msg says what is wrong, and what to do.
	Msg string
	// Unbound says that no host could be told, so that nothing is closed in its
	// place: whoever enforces pins should not start.
	Unbound bool
}

// Error returns where and what, on one line.
func (p *Problem) Error() string {
	if p.File != "" {
		return p.File + ": " + p.Msg
	}
	return p.Place.String() + ": " + p.Msg
}

// Element is one <cordon:pin> element.
type Element struct {
	Place policy.Place
	// Entry is what it says. Without hashes it could not be read.
	Entry pin.Entry
}

// Read returns the pins of a config.xml as a platform sees it, "" for those of
// every platform, in file order.
func Read(doc *configxml.Document, platform string) ([]Element, []*Problem) {
	var elements []Element
	var problems []*Problem
	for _, e := range all(doc, platform) {
		place := doc.Place(e.Start, e.End)
		report := func(unbound bool, format string, args ...any) {
			problems = append(problems, &Problem{Place: place, Msg: fmt.Sprintf(format, args...), Unbound: unbound})
		}
		entry, ok := readElement(e, report)
		if !ok {
			continue
		}
		entry.Source = fmt.Sprintf("%s:%d", place.File, place.Line)
		elements = append(elements, Element{place, entry})
	}
	return elements, problems
}

// all returns the pin elements.
func all(doc *configxml.Document, platform string) []*configxml.Element {
	list := pinsOf(nil, doc.For(platform))
	if platform == "" {
		for _, child := range doc.Root().Children {
			if child.Name == "platform" {
				list = pinsOf(list, child.Children)
			}
		}
	}
	return list
}

// pinsOf appends those of the elements that are pins.
func pinsOf(list, elements []*configxml.Element) []*configxml.Element {
	for _, e := range elements {
		if e.Name == "pin" && (e.Space == Namespace || e.Prefix == Prefix) {
			list = append(list, e)
		}
	}
	return list
}

// readElement reads one element; ok is false if it binds no host.
func readElement(e *configxml.Element, report func(unbound bool, format string, args ...any)) (entry pin.Entry,
	ok bool) {
	for _, a := range e.Attrs {
		if a.Prefix == "" && a.Name != "host" && a.Name != "subdomains" && a.Name != "sha256" && a.Name != "expires" &&
			a.Name != "certificate" && a.Name != "xmlns" {
			report(false, "a pin has no attribute %q (host, subdomains, sha256, expires, certificate)", a.Name)
		}
	}
	entry.Host = strings.ToLower(e.Value("host"))
	if below, wild := strings.CutPrefix(entry.Host, "*."); wild {
		report(false, `write host=%q subdomains="true" instead of a wildcard`, below)
		entry.Host, entry.Subdomains = below, true
	}
	if err := pin.CheckHost(entry.Host); err != nil {
		report(true, "%v", err)
		return entry, false
	}
	switch value := e.Value("subdomains"); value {
	case "true":
		entry.Subdomains = true
	case "false", "":
	default:
		report(false, `subdomains=%q is neither "true" nor "false"; taken as "true"`, value)
		entry.Subdomains = true
	}
	switch value := e.Value("certificate"); value {
	case "ca":
		entry.Authority = true
	case "leaf", "":
	default:
		report(false, `certificate=%q is neither "leaf" nor "ca"; taken as "leaf"`, value)
	}
	hash, err := pin.ParseHash(strings.TrimSpace(e.Value("sha256")))
	if err != nil {
		report(false, "%v", err)
		return entry, true
	}
	if value, given := e.Attr("expires"); given {
		if entry.Expires, err = ParseDate(value.Value); err != nil {
			report(false, "%v", err)
			return entry, true
		}
	}
	entry.Hashes = []pin.Hash{hash}
	return entry, true
}

// ParseDate reads the day from whose beginning, in UTC, a pin no longer counts.
func ParseDate(s string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, fmt.Errorf("expires=%q is not a day as 2027-06-30", s)
	}
	return t, nil
}

// File is one file of an app's www/certificates.
type File struct {
	// Name is the path as messages show it; its last element counts.
	Name string
	Data []byte
}

// ReadFiles returns the pins that .cer files stand for: certificates instead
// of the roots, as the Cordova plugins use them. Unlike there, each belongs to
// a host: the one that the file is named after (api.example.org.cer), or else
// the names in the certificate. Files that the plugins would not load are
// passed over; those that they would and that are not one DER certificate are
// problems.
func ReadFiles(files []File) ([]pin.Entry, []*Problem) {
	var entries []pin.Entry
	var problems []*Problem
	for _, f := range files {
		base := path.Base(f.Name)
		loaded, warning := pin.LoadedByDevices(base)
		if !loaded {
			if warning != "" {
				problems = append(problems,
					&Problem{File: f.Name, Msg: strings.TrimPrefix(warning, base+": "), Unbound: true})
			}
			continue
		}
		named := strings.TrimSuffix(base, ".cer")
		isHost := strings.Contains(named, ".") && pin.CheckHost(named) == nil
		c, err := pin.ReadCER("", f.Data)
		if err != nil {
			problems = append(problems, &Problem{File: f.Name, Msg: err.Error(), Unbound: !isHost})
			if isHost {
				entries = append(entries, pin.Entry{Host: named, Mode: pin.InsteadOfRoots, Source: f.Name})
			}
			continue
		}
		hosts := []string{named}
		if !isHost {
			hosts = certificateHosts(c)
		}
		for _, host := range hosts {
			name, below := strings.CutPrefix(host, "*.")
			entries = append(entries, pin.Entry{Host: name, Subdomains: below, Mode: pin.InsteadOfRoots,
				Anchors: [][]byte{f.Data}, Source: f.Name})
		}
		if len(hosts) == 0 {
			problems = append(problems, &Problem{File: f.Name, Unbound: true,
				Msg: "neither the file nor the certificate names a host: name the file after it, as in " +
					"api.example.org.cer"})
		}
	}
	return entries, problems
}

// certificateHosts returns the host names that a server's certificate is for.
func certificateHosts(c *pin.Certificate) []string {
	if c.CA && !c.SelfIssued {
		return nil
	}
	var hosts []string
	for _, name := range c.Names {
		name = strings.ToLower(name)
		if pin.CheckHost(strings.TrimPrefix(name, "*.")) == nil {
			hosts = append(hosts, name)
		}
	}
	return hosts
}

// Set makes one set of a config.xml, as a platform sees it, and its .cer
// files. It is nil if the app pins nothing at all. The set is safe to use
// whatever the problems, except those that are Unbound.
func Set(doc *configxml.Document, platform string, files []File) (*pin.Set, []*Problem) {
	elements, problems := Read(doc, platform)
	entries, more := ReadFiles(files)
	problems = append(problems, more...)
	for _, e := range elements {
		entries = append(entries, e.Entry)
	}
	if len(entries) == 0 {
		return nil, problems
	}
	set, err := pin.NewSet(entries...)
	if err != nil {
		// Every entry was checked when it was read.
		return nil, append(problems, &Problem{Place: doc.Place(0, 0), Msg: err.Error(), Unbound: true})
	}
	return set, problems
}
