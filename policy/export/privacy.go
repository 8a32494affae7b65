package export

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy/privacy"
)

// privacyFormat is PrivacyManifest; its constant describes it.
var privacyFormat = Format{
	Name:     PrivacyManifest,
	Title:    "Apple privacy manifest",
	Declares: true,
	Limits: []string{
		"which domains track is the developer's statement, and none is guessed",
		"what the app collects and which required reason API it uses is not known here",
		"what native libraries contact without asking the list is theirs to declare",
	},
}

// safetyFormat is DataSafety; its constant describes it.
var safetyFormat = Format{
	Name:     DataSafety,
	Title:    "Domains contacted, for data safety forms",
	Declares: true,
	Limits: []string{
		"which data is sent to a domain is not known here",
		"what native libraries contact without asking the list is not among the domains",
	},
}

// exportPrivacy writes a privacy manifest with what is known of tracking, and the
// domains that the app contacts in a comment.
func exportPrivacy(s Source) Artifact {
	s = s.built()
	domains := s.Domains()
	var b strings.Builder
	b.WriteString(privacyFormat.header("  ", s))
	b.WriteString("  Domains contacted" + none(domains) + "\n")
	for i := range domains {
		columns := domains[i].columns()
		columns[0] = domains[i].inComment()
		fmt.Fprintf(&b, "    %s\n", strings.Join(columns, "  "))
	}
	comment := commentXML(b.String())
	w := writer{indent: "\t"}
	for _, e := range s.PrivacyEntries("\t") {
		w.line(0, "<key>%s</key>", e.Key)
		w.b.WriteString(e.Value)
	}
	content := propertyListHead(comment) + "<plist version=\"1.0\">\n<dict>\n" + w.b.String() + "</dict>\n</plist>\n"
	return Artifact{Path: "PrivacyInfo.xcprivacy", Content: []byte(content), Losses: s.domainLosses(), Domains: domains}
}

// inComment is the name of a domain as it can stand in a comment of XML, which must not
// have "--": as people write it, else by the lines that say it.
func (d *Domain) inComment() string {
	name := d.Name()
	if !strings.Contains(name, "--") {
		return name
	}
	if decoded, err := idna.Punycode.ToUnicode(d.Host); err == nil && !strings.Contains(decoded, "--") {
		if again, err := host.Normalize(decoded); err == nil && again == d.Host { // it says the same
			return strings.TrimSuffix(name, d.Host) + decoded
		}
	}
	var places []string
	for _, r := range d.Rules {
		places = append(places, r.Place.String())
	}
	return "the host of " + strings.Join(places, ", ") + " (its two hyphens must not stand in a comment)"
}

func none(domains []Domain) string {
	if len(domains) == 0 {
		return ": none."
	}
	return ":"
}

// PlistEntry is a key of a property list with its value as XML.
type PlistEntry struct{ Key, Value string }

// PrivacyEntries returns the keys of a privacy manifest that say what is known of
// tracking, each line of a value behind the indentation given. Where nothing tracks,
// NSPrivacyTrackingDomains is left out, as Apple's TN3181 has it.
func (s Source) PrivacyEntries(indent string) []PlistEntry {
	tracks := s.Tracks || len(s.Tracking) > 0
	list := []PlistEntry{{privacy.Tracking, fmt.Sprintf("%s<%t/>\n", indent, tracks)}}
	if len(s.Tracking) == 0 {
		return list
	}
	w := writer{indent: indent}
	w.line(0, "<array>")
	for _, t := range slices.Sorted(slices.Values(s.Tracking)) {
		w.line(1, "<string>%s</string>", escape(t))
	}
	w.line(0, "</array>")
	return append(list, PlistEntry{privacy.TrackingDomains, w.b.String()})
}

// exportSafety writes the domains that the app contacts as text: one a line, with how
// and what for, and each line of the policy that says so.
func exportSafety(s Source) Artifact {
	s = s.built()
	domains := s.Domains()
	var b strings.Builder
	b.WriteString(safetyFormat.header("# ", s))
	if len(domains) == 0 {
		b.WriteString("# The policy lets the app contact no domain.\n")
	}
	for i := range domains {
		d := &domains[i]
		b.WriteString(strings.Join(d.columns(), "  ") + "\n")
		for _, r := range d.Rules {
			fmt.Fprintf(&b, "    %s\n", r)
		}
	}
	return Artifact{Path: "cordon-domains.txt", Content: []byte(b.String()), Losses: s.domainLosses(), Domains: domains}
}

// columns are what is said of a domain in one line.
func (d *Domain) columns() []string {
	encrypted := "encrypted"
	if !d.Encrypted() {
		encrypted = "not encrypted"
	}
	list := []string{d.Name(), encrypted + " (" + strings.Join(d.Schemes, ", ") + ")", strings.Join(d.Purposes, ", ")}
	if d.Tracking {
		list = append(list, "tracking")
	}
	return list
}

// String writes the line with its place, and who brings it.
func (r DomainRule) String() string {
	text := fmt.Sprintf("%s: %s %s", r.Place, r.Element, r.Text)
	if r.By != "" {
		text += ", of " + r.By
	}
	return text
}
