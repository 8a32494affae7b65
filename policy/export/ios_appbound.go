package export

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/appbound"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// appBoundFormat is IOSAppBound; its constant describes it.
var appBoundFormat = Format{
	Name:  IOSAppBound,
	Title: "iOS App-Bound Domains",
	Can:   Deep | Navigation | Denies,
	Limits: []string{
		"it limits which pages open in the main frame of a limited web view, on iOS 14 and later",
		"ten domains count at most, each with every name below it",
		"in pages of other domains the app's scripts, style sheets, message handlers and cookie handling are " +
			"switched off, in every web view of the app; service workers run in pages of these domains alone",
	},
}

// exportAppBound writes a property list that holds the array alone: project puts it
// into an Info.plist.
func exportAppBound(s Source) Artifact {
	s = s.built()
	array, losses := AppBoundDomains(s, "\t")
	content := propertyListHead(appBoundFormat.headerXML(s)) +
		"<plist version=\"1.0\">\n<dict>\n\t<key>" + appbound.Key + "</key>\n" + array + "</dict>\n</plist>\n"
	return Artifact{Path: "app-bound-domains.plist", Content: []byte(content), Losses: losses}
}

// propertyListHead is what stands before <plist>, with a comment.
func propertyListHead(comment string) string {
	return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + comment +
		"<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" " +
		"\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
}

// AppBoundDomains writes the value of WKAppBoundDomains, each line behind the
// indentation given: the hosts of the app's own pages, then the domains of the pages
// that the policy opens.
func AppBoundDomains(s Source, indent string) (string, []Loss) {
	s = s.built()
	var domains []appbound.Domain
	enter := func(d appbound.Domain) bool {
		if slices.Contains(domains, d) {
			return true
		}
		if len(domains) == appbound.Max {
			return false
		}
		domains = append(domains, d)
		return true
	}
	var losses []Loss
	for _, own := range s.Own {
		d := appbound.OfHost(own)
		enter(d)
		if d.Below() {
			losses = append(losses, Loss{Rule: own, Widens: true, Message: "the app's own pages have a real name: " +
				"pages of the network at " + d.Name + " and below it count as well"})
		}
	}
	origins := s.Navigation()
	for i := range origins {
		o := &origins[i]
		switch {
		case !o.Hierarchical():
		case o.Host == "":
			losses = append(losses, lose(o, false,
				"every host cannot be said: pages of domains without an entry do not open"))
		case !enter(appbound.OfHost(o.Host)):
			losses = append(losses, lose(o, false, "%s would be the eleventh domain: its pages do not open",
				appbound.OfHost(o.Host)))
		default:
			losses = append(losses, boundLosses(o)...)
		}
	}
	w := writer{indent: indent}
	w.line(0, "<array>")
	for _, d := range domains {
		w.line(1, "<string>%s</string>", escape(d.String()))
	}
	w.line(0, "</array>")
	return w.b.String(), append(losses, s.Unread...)
}

// boundLosses are what an entry for a line does not say.
func boundLosses(o *dialect.Origin) []Loss {
	var losses []Loss
	d := appbound.OfHost(o.Host)
	switch {
	case d.Below() && (!o.Subdomains || d.Name != o.Host):
		losses = append(losses, lose(o, true, "WebKit keeps the registrable domain: pages of %s and of every name "+
			"below it count", d.Name))
	case !d.Below() && o.Subdomains:
		losses = append(losses, lose(o, false, "the names below %s are not covered", d.Name))
	}
	var parts []string
	if !o.Covers("http") || !o.Covers("https") {
		parts = append(parts, "the scheme")
	}
	if o.Port != 0 {
		parts = append(parts, "the port")
	}
	if o.Path != "" {
		parts = append(parts, "the path")
	}
	if len(parts) > 0 {
		losses = append(losses, lose(o, true, "WebKit does not compare %s", strings.Join(parts, " and ")))
	}
	return losses
}
