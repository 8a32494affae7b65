package lint

import (
	"fmt"
	"slices"
	"strings"
)

// Standards are the entries of public catalogues that a rule is about.
type Standards struct {
	// CWE are numbers of MITRE's Common Weakness Enumeration.
	CWE []int
	// MASVS are controls of OWASP's Mobile Application Security Verification
	// Standard, such as MASVS-NETWORK-1.
	MASVS []string
	// MASWE are weaknesses of OWASP's Mobile Application Security Weakness
	// Enumeration, such as MASWE-0026.
	MASWE []string
}

// Catalogue is a public catalogue that rules refer to.
type Catalogue struct {
	// Name is CWE, MASVS or MASWE.
	Name string
	// Title is its name for people.
	Title        string
	Organization string
	Version      string
	// Page is its address.
	Page string
	// titles are those of the entries that rules may name, by their ids.
	titles map[string]string
	path   func(id string) string // the address of an entry
}

// Entry is what a rule names in a catalogue.
type Entry struct{ ID, Title, Page string }

// Catalogues returns the catalogues, in the order of the reference.
func Catalogues() []Catalogue { return catalogues }

// Entries returns the entries of the catalogue that a rule names.
func (c *Catalogue) Entries(r *Rule) []Entry {
	var ids []string
	switch c.Name {
	case "CWE":
		for _, n := range r.Standards.CWE {
			ids = append(ids, fmt.Sprintf("CWE-%d", n))
		}
	case "MASVS":
		ids = r.Standards.MASVS
	case "MASWE":
		ids = r.Standards.MASWE
	}
	var list []Entry
	for _, id := range ids {
		list = append(list, Entry{ID: id, Title: c.titles[id], Page: c.path(id)})
	}
	return list
}

var catalogues = []Catalogue{
	{
		Name: "MASVS", Title: "OWASP Mobile Application Security Verification Standard", Organization: "OWASP",
		Version: "2.1.0", Page: "https://mas.owasp.org/MASVS/", titles: masvsTitles,
		path: func(id string) string { return "https://mas.owasp.org/MASVS/controls/" + id + "/" },
	},
	{
		Name: "MASWE", Title: "OWASP Mobile Application Security Weakness Enumeration", Organization: "OWASP",
		Version: "1.0.0", Page: "https://mas.owasp.org/MASWE/", titles: masweTitles,
		path: func(id string) string { return "https://mas.owasp.org/MASWE/" + masweCategory(id) + "/" + id + "/" },
	},
	{
		Name: "CWE", Title: "Common Weakness Enumeration", Organization: "MITRE", Version: "4.17",
		Page: "https://cwe.mitre.org/", titles: cweTitles,
		path: func(id string) string {
			return "https://cwe.mitre.org/data/definitions/" + strings.TrimPrefix(id, "CWE-") + ".html"
		},
	},
}

// named is one line of the table of standards: what the rules of the line are
// about.
type named struct {
	cwe          []int
	masvs, maswe string // the ids' ends, between blanks
	rules        string // ids, between blanks
}

// inStandards completes the table of rules by what they are about in public
// catalogues. A rule may say it itself instead.
func inStandards(list []Rule) []Rule {
	byRule := make(map[string]Standards)
	for _, line := range standards {
		for _, id := range strings.Fields(line.rules) {
			s := byRule[id]
			for _, n := range line.cwe {
				if !slices.Contains(s.CWE, n) {
					s.CWE = append(s.CWE, n)
				}
			}
			s.MASVS = prefixed(s.MASVS, "MASVS-", line.masvs)
			s.MASWE = prefixed(s.MASWE, "MASWE-", line.maswe)
			byRule[id] = s
		}
	}
	for i := range list {
		if own := &list[i].Standards; own.CWE == nil && own.MASVS == nil && own.MASWE == nil {
			*own = byRule[list[i].ID]
		}
	}
	return list
}

func prefixed(list []string, prefix, ends string) []string {
	for _, end := range strings.Fields(ends) {
		if !slices.Contains(list, prefix+end) {
			list = append(list, prefix+end)
		}
	}
	return list
}
