// Package publicsuffix knows under which names anyone can have a name of
// their own: "com" and "co.uk", which registries sell, and "github.io" or
// "azurewebsites.net", which hosting companies give away.
//
// A wildcard for such a name lets strangers in. The package exists because
// the known libraries pull in net/http, and policy is pure: the table is
// generated from the copy of the Public Suffix List in golang.org/x/net
// (publicsuffix.org, Mozilla Public License 2.0).
//
// [IsSuffix] asks about a name, [Registrable] gives the name that somebody owns
// below a suffix. Names are lower-case A-labels, as package host writes them. The
// table is read-only, and the functions are safe for concurrent use.
package publicsuffix

import (
	_ "embed" // the table
	"strings"
)

//go:generate go run generate.go

// rules holds one rule a line, sorted: "i" or "p" for the list's ICANN or
// private part comes after the rule and a blank.
//
//go:embed rules.txt
var rules string

// Kind says who hands out the names under a suffix.
type Kind uint8

// The kinds of suffix.
const (
	// Unlisted: the list has no rule for the name's last labels.
	Unlisted Kind = iota
	// Registry: a domain registry sells the names ("com", "co.uk").
	Registry
	// Hosting: a company gives the names to its customers ("github.io").
	Hosting
)

// String returns "unlisted", "registry" or "hosting".
func (k Kind) String() string {
	switch k {
	case Registry:
		return "registry"
	case Hosting:
		return "hosting"
	}
	return "unlisted"
}

// Of returns the public suffix of a host name in lower-case A-labels, and its
// kind. A name under no rule of the list has its last label as suffix, of kind
// Unlisted. A trailing dot is not a label.
func Of(host string) (suffix string, kind Kind) {
	host = strings.TrimSuffix(host, ".")
	suffix = host[strings.LastIndexByte(host, '.')+1:]
	for at := 0; ; {
		name := host[at:]
		if k := find("!" + name); k != Unlisted {
			_, parent, _ := strings.Cut(name, ".")
			return parent, k
		}
		if k := find(name); k != Unlisted {
			return name, k
		}
		dot := strings.IndexByte(name, '.')
		if dot < 0 {
			return suffix, Unlisted
		}
		if k := find("*" + name[dot:]); k != Unlisted {
			return name, k
		}
		at += dot + 1
	}
}

// IsSuffix reports of which kind of public suffix the whole name is; Unlisted
// if it is none of the list.
func IsSuffix(host string) Kind {
	suffix, kind := Of(host)
	if suffix != strings.TrimSuffix(host, ".") {
		return Unlisted
	}
	return kind
}

// Registrable returns the part of a host name that one owner has: the public
// suffix and one label more. ok is false for a name that is itself a suffix,
// or has no suffix of the list.
func Registrable(host string) (name string, ok bool) {
	host = strings.TrimSuffix(host, ".")
	suffix, kind := Of(host)
	if kind == Unlisted || len(host) <= len(suffix) {
		return "", false
	}
	before := strings.TrimSuffix(host[:len(host)-len(suffix)], ".")
	return host[strings.LastIndexByte(before, '.')+1:], true
}

// find looks a rule up by binary search over the lines.
func find(rule string) Kind {
	low, high := 0, len(rules)
	for low < high {
		middle := low + (high-low)/2
		start := strings.LastIndexByte(rules[low:middle], '\n') + 1 + low
		end := start + strings.IndexByte(rules[start:], '\n')
		line := rules[start:end]
		at := len(line) - 2
		switch strings.Compare(rule, line[:at]) {
		case 0:
			if line[at+1] == 'p' {
				return Hosting
			}
			return Registry
		case -1:
			high = start
		default:
			low = end + 1
		}
	}
	return Unlisted
}
