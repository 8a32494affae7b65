package dialect

import (
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// Origin is one line of a config.xml in the strict reading, as the parts that
// it is written of: what an export puts into another system's words.
type Origin struct {
	// Rule is the line, with its purpose and place.
	Rule policy.Rule
	// Schemes are the schemes that the line covers, such as https and wss; for
	// a launch line possibly another one, such as tel.
	Schemes []string
	// Host is a name as A-labels in lower case, or an address (IPv6 in
	// brackets). It is "" for every host, and for a scheme without hosts.
	Host string
	// Subdomains says that the names below Host are covered too.
	Subdomains bool
	// Port is the explicit port, 0 for each scheme's own.
	Port int
	// Path is the folder that is covered with everything below it, without a
	// slash at the end; "" for every path. For a scheme without hosts it is
	// what follows the colon, with "*" for any run of characters.
	Path string
	// Navigation says that pages may be opened there: the line is about
	// navigation, or about requests in a file without allow-navigation.
	Navigation bool
}

// Hierarchical reports whether the origin's schemes lead to a host.
func (o *Origin) Hierarchical() bool {
	name, _ := knownScheme(o.Schemes[0])
	return name != ""
}

// Address reports whether the host is an address.
func (o *Origin) Address() bool { return o.Host != "" && isAddress(o.Host) }

// Covers reports whether the scheme is one of the origin's.
func (o *Origin) Covers(scheme string) bool {
	for _, s := range o.Schemes {
		if s == scheme {
			return true
		}
	}
	return false
}

// Origins returns the lines of the document that grant something in the strict
// reading, in file order. Lines that do not fit are missing here; Compile for
// the target "cordon" has them with the reason.
func Origins(doc *configxml.Document) []Origin { return readDocument(doc, true).origins }
