// Package export writes what an app's config.xml says in another system's
// words: a Content-Security-Policy, the native configuration of Android and
// iOS, a proxy's rules.
//
//	e, ok := export.Find(export.Squid)
//	artifact := e.Export(export.NewSource(doc, pins))
//
// [Exporters] lists the formats, and the constants with their names describe
// them. Writing cannot fail: what a format cannot say is in [Artifact.Losses].
//
// An export says what the strict reading of the file says (target "cordon"). It
// never allows what that blocks without saying so: where a format's words are
// too few, the artifact's losses name each line that loses something. What a
// format can say at all are its [Capability] bits, and what follows from a
// missing one is computed from them: for every line (its losses), for the
// policy as a whole ([Format.Needs]) and for the comment on top of the file
// ([Format.Cannot]). Only what is peculiar to a format stands in its own file.
//
// A new format is one file: its Format, a function from a [Source] to an
// [Artifact], a constant and a line in Exporters, and a test that reads the
// export as the format's own software does (law_test.go) and compares it with
// the policy over random lists.
//
// The package is pure, and its functions and values are safe for concurrent
// use.
package export

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// Source is what is exported: the lines of one config.xml in the strict
// reading, and the pins that belong to it.
type Source struct {
	// File is the name of the config.xml, for comments.
	File string
	// Origins are the lines that grant something, in file order.
	Origins []dialect.Origin
	// Pins are the certificate pins; nil for none.
	Pins *pin.Set
	// Page is what all pages of the app have and need together, for formats that
	// speak of pages; the zero Page is one that keeps to itself.
	Page Page
	// Own are the hosts of the app's own pages on iOS, for formats that name them.
	Own []string
	// Tracking are the domains that the developer stated to track, for formats that
	// declare what is contacted.
	Tracking []string
	// Tracks says that the app was stated to track, whether or not a domain is named.
	Tracks bool
	// Stated says that Tracking was stated for this export, and is not what the
	// project's privacy manifest has already.
	Stated bool
	// By says which plugin brings the line at a place, "" for the app's own; nil
	// where that is not known.
	By func(policy.Place) string
	// Unread are what could not be read of what the policy says, and what was read
	// as more than it says.
	Unread []Loss
	// pages are those that a Capacitor app opens, nil for other apps.
	pages *capacitorPages
}

// NewSource reads a document. Pins may be nil.
func NewSource(doc *configxml.Document, pins *pin.Set) Source {
	return Source{File: doc.Name(), Origins: dialect.Origins(doc), Pins: pins}
}

// Wire returns the lines that let something be fetched over the network, for
// formats that cannot know what asks: requests and navigation, not launches.
func (s Source) Wire() []dialect.Origin {
	return s.pick(func(o *dialect.Origin) bool { return o.Rule.Purpose != policy.ForLaunch })
}

// Requests returns the lines about what a page requests.
func (s Source) Requests() []dialect.Origin {
	return s.pick(func(o *dialect.Origin) bool { return o.Rule.Purpose == policy.ForRequest })
}

// Frames returns the lines about frames, scripts and styles: those about
// requests, and the whole hosts of those about navigation.
func (s Source) Frames() []dialect.Origin {
	frames := s.Wire()
	for i := range frames {
		if frames[i].Rule.Purpose == policy.ForNavigation {
			frames[i].Path = ""
		}
	}
	return frames
}

// Navigation returns the lines that let a page be opened inside the app.
func (s Source) Navigation() []dialect.Origin {
	return s.pick(func(o *dialect.Origin) bool { return o.Navigation })
}

// Launches returns the lines that hand a URL to another app.
func (s Source) Launches() []dialect.Origin {
	return s.pick(func(o *dialect.Origin) bool { return o.Rule.Purpose == policy.ForLaunch })
}

// Cleartext returns the lines of Wire that let something be fetched
// unencrypted, by http or ws.
func (s Source) Cleartext() []dialect.Origin {
	return s.pick(func(o *dialect.Origin) bool {
		return o.Rule.Purpose != policy.ForLaunch && (o.Covers("http") || o.Covers("ws"))
	})
}

func (s Source) pick(keep func(*dialect.Origin) bool) []dialect.Origin {
	var some []dialect.Origin
	for i := range s.Origins {
		if keep(&s.Origins[i]) {
			some = append(some, s.Origins[i])
		}
	}
	return some
}

// Capability is one thing that a policy can say and a format may be able to.
type Capability uint16

// The capabilities.
const (
	// Schemes: tells http from https.
	Schemes Capability = 1 << iota
	// Ports: tells ports apart.
	Ports
	// Paths: tells folders of one host apart.
	Paths
	// Exact: covers a host without what is below it.
	Exact
	// Deep: covers all names below a host, at any depth.
	Deep
	// EveryHost: covers every named host without covering addresses.
	EveryHost
	// Requests: limits what a page requests.
	Requests
	// Navigation: limits which pages are opened, apart from requests.
	Navigation
	// Launches: says what is handed to other apps.
	Launches
	// Pins: binds hosts to certificates.
	Pins
	// Denies: refuses what is not listed.
	Denies
	capabilityEnd
)

var capabilityTexts = map[Capability][2]string{
	Schemes:    {"schemes", "it cannot tell http from https"},
	Ports:      {"ports", "it cannot tell the ports of a host apart"},
	Paths:      {"paths", "it cannot tell the folders of a host apart"},
	Exact:      {"exact hosts", "it cannot cover a host without the names below it"},
	Deep:       {"all subdomains", "it cannot cover every depth of names below a host"},
	EveryHost:  {"every named host", "it cannot cover every named host and leave addresses out"},
	Requests:   {"requests", "it does not limit what a page requests"},
	Navigation: {"navigation", "it cannot limit navigation apart from requests"},
	Launches:   {"launches", "it does not say what is handed to other apps"},
	Pins:       {"pins", "it cannot hold certificate pins"},
	Denies:     {"denial", "it cannot refuse a host that is not listed"},
}

// Capabilities lists all capabilities, in the order of the documentation's
// table.
func Capabilities() []Capability {
	var all []Capability
	for c := Capability(1); c < capabilityEnd; c <<= 1 {
		all = append(all, c)
	}
	return all
}

// String returns the capability's name, such as "ports".
func (c Capability) String() string { return capabilityTexts[c][0] }

// Missing says in a clause what a format without the capability cannot do.
func (c Capability) Missing() string { return capabilityTexts[c][1] }

// Format describes one format.
type Format struct {
	// Name is what cordon export takes, such as "android-nsc".
	Name string
	// Title is the name for people.
	Title string
	// Can are the capabilities of the format.
	Can Capability
	// Declares says that the format tells people what the policy says, and enforces
	// nothing: what it cannot limit is no loss.
	Declares bool
	// Limits are further things that a reader of the export has to know, one
	// sentence each.
	Limits []string
}

// Cannot returns a sentence for each capability that the format lacks, then
// its limits: what the export's own comments say.
func (f Format) Cannot() []string {
	if f.Declares {
		return append([]string{"it declares what the policy says, and enforces nothing"}, f.Limits...)
	}
	var all []string
	for _, c := range Capabilities() {
		if f.Can&c == 0 {
			all = append(all, c.Missing())
		}
	}
	return append(all, f.Limits...)
}

// Needs returns what the policy as a whole needs and the format lacks: a
// sentence for each such capability. What single lines lose is in the losses of
// the artifact.
func (f Format) Needs(s Source) []string {
	if f.Declares {
		return nil
	}
	needs := Denies
	if len(s.Requests()) > 0 {
		needs |= Requests
	}
	if len(s.pick(func(o *dialect.Origin) bool { return o.Rule.Purpose == policy.ForNavigation })) > 0 {
		needs |= Navigation
	}
	if len(s.Launches()) > 0 {
		needs |= Launches
	}
	if len(s.Pins.Entries()) > 0 {
		needs |= Pins
	}
	var all []string
	for _, c := range Capabilities() {
		if needs&^f.Can&c != 0 {
			all = append(all, c.Missing())
		}
	}
	return all
}

// header returns the comment that stands on top of an export, each line behind
// the format's comment mark.
func (f Format) header(mark string, s Source) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s for %s, written by cordon export %s. Changes here are lost: change the source.\n", mark,
		f.Title, s.File, f.Name)
	for _, line := range f.Cannot() {
		fmt.Fprintf(&b, "%sLimit: %s.\n", mark, strings.TrimSuffix(line, "."))
	}
	return b.String()
}

// headerXML is header as a comment of XML.
func (f Format) headerXML(s Source) string { return commentXML(f.header("  ", s)) }

// commentXML is a comment of XML with a text of whole lines. In one "--" must not stand,
// however many hyphens there are, nor what is no character of XML.
func commentXML(text string) string {
	for strings.Contains(text, "--") {
		text = strings.ReplaceAll(text, "--", "- -")
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == '\ufffe' || r == '\uffff' {
			return '\ufffd'
		}
		return r
	}, text)
	return "<!--\n" + strings.ToValidUTF8(text, "\ufffd") + "-->\n"
}

// Artifact is one exported file.
type Artifact struct {
	// Path is where the file belongs in a project, with slashes.
	Path string
	// Content is the file.
	Content []byte
	// Losses are what this policy says and the file does not.
	Losses []Loss
	// Domains are the hosts that a declaration names, nil for other formats.
	Domains []Domain
}

// Loss is one line of the policy that the format cannot say as it stands.
type Loss struct {
	// Place is the line's, the zero Place for a loss of the whole file.
	Place policy.Place
	// Rule is the line's text.
	Rule string
	// Message says what is lost, in a sentence.
	Message string
	// Widens says that the export allows more than the line does, for want of
	// words; otherwise it allows less.
	Widens bool
	// Need says that the message is about what the app's pages need of a policy
	// besides hosts, and names the files itself: it is the same for all pages.
	// With Widens the need is met.
	Need bool
	// Drops is the source of a page's own policy that the new one has not, "" for a
	// loss of another kind.
	Drops string
	// Opens is a source of the new policy that a page's own keeps out, "" for a loss
	// of another kind.
	Opens string
}

// lose makes a loss of one line.
func lose(o *dialect.Origin, widens bool, format string, args ...any) Loss {
	return Loss{Place: o.Rule.Place, Rule: o.Rule.Text, Message: fmt.Sprintf(format, args...), Widens: widens}
}

// widening returns the losses that follow from the capabilities alone, for the
// lines given: what each of them says of ports, paths and exact hosts that the
// format cannot.
func (f Format) widening(origins []dialect.Origin) []Loss {
	var losses []Loss
	for i := range origins {
		o := &origins[i]
		if f.Can&Paths == 0 && o.Path != "" {
			losses = append(losses, lose(o, true, "the path %s is not expressed: all of the host is covered", o.Path))
		}
		if f.Can&Ports == 0 && o.Port != 0 {
			losses = append(losses, lose(o, true,
				"the port %d is not expressed: all ports of the host are covered", o.Port))
		}
		if f.Can&Exact == 0 && o.Host != "" && !o.Subdomains && !o.Address() {
			losses = append(losses, lose(o, true, "the names below %s are covered too", o.Host))
		}
		if f.Can&Schemes == 0 && o.Hierarchical() && !(o.Covers("http") && o.Covers("https")) {
			losses = append(losses, lose(o, true, "the scheme is not expressed: http and https are covered alike"))
		}
		if f.Can&EveryHost == 0 && o.Host == "" && o.Hierarchical() {
			losses = append(losses, lose(o, true, "addresses are covered by the host * too"))
		}
	}
	return losses
}

// encode writes a value as the JSON of a file.
func encode(value any) []byte {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil { // structs, lists and maps of strings and numbers always encode
		panic("export: " + err.Error())
	}
	return append(content, '\n')
}

// encodeLine writes a value as JSON in one line.
func encodeLine(value any) []byte {
	content, err := json.Marshal(value)
	if err != nil { // as in encode
		panic("export: " + err.Error())
	}
	return content
}

// portOf is the port that a line means for a scheme: its own, or the scheme's.
func portOf(o *dialect.Origin, scheme string) int {
	switch {
	case o.Port != 0:
		return o.Port
	case scheme == "https" || scheme == "wss":
		return 443
	}
	return 80
}

// tunnelLosses are what a proxy that does not look inside tunnels cannot say of a
// line about WebSockets.
func tunnelLosses(o *dialect.Origin, proxy string) []Loss {
	var losses []Loss
	if o.Covers("wss") && !o.Covers("https") {
		losses = append(losses, lose(o, true, "https to the same host passes too: its tunnel looks the same"))
	}
	if o.Covers("ws") && !o.Covers("http") {
		losses = append(losses, lose(o, false,
			"ws comes as a tunnel to %s, which cannot look inside: it is refused", proxy))
	}
	return losses
}
