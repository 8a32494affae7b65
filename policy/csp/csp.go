// Package csp reads and writes Content-Security-Policy: directives, source
// expressions, which directive governs which kind of request, and whether a
// URL is in a list of sources.
//
// [Parse] reads a policy, and takes whatever it is given, as browsers do:
// Policy.Effective finds the directive that governs a kind of request, and
// Policy.Allows says whether a URL may load. [ParseReports] reads what browsers
// report ([*ReportError] says why something is not a report). Policies are values;
// functions do not change their arguments and are safe for concurrent use.
//
// It follows Content Security Policy Level 3 (W3C) for what it covers. Nonces,
// hashes and 'strict-dynamic' are kept and printed, but decide nothing here:
// they allow single scripts, not places. The package is pure and imports
// nothing of Cordon.
package csp

import "strings"

// Policy is one serialised policy: its directives in order.
type Policy struct {
	Directives []Directive
	// Repeated are directives of a name that was already there. A browser
	// ignores them.
	Repeated []Directive
}

// Directive is one directive: its name in lower case, its value as tokens.
type Directive struct {
	Name    string
	Sources []string
	// Start and End enclose the directive in the parsed string, End exclusive;
	// both are 0 in one that was not parsed.
	Start, End int
}

// Parse reads a serialised policy. Nothing is an error: as in a browser, an
// unknown directive is kept and has no effect.
func Parse(s string) Policy {
	var p Policy
	for start := 0; start <= len(s); {
		end := strings.IndexByte(s[start:], ';')
		if end < 0 {
			end = len(s)
		} else {
			end += start
		}
		if tokens := strings.Fields(s[start:end]); len(tokens) > 0 {
			first := start + strings.Index(s[start:end], tokens[0])
			d := Directive{Name: strings.ToLower(tokens[0]), Sources: tokens[1:], Start: first,
				End: first + len(strings.TrimSpace(s[first:end]))}
			if _, twice := p.Get(d.Name); twice {
				p.Repeated = append(p.Repeated, d)
			} else {
				p.Directives = append(p.Directives, d)
			}
		}
		start = end + 1
	}
	return p
}

// String writes the policy as a browser reads it, without repeated directives.
func (p Policy) String() string {
	parts := make([]string, len(p.Directives))
	for i, d := range p.Directives {
		parts[i] = d.String()
	}
	return strings.Join(parts, "; ")
}

// String writes the directive, its name first.
func (d Directive) String() string {
	return strings.Join(append([]string{d.Name}, d.Sources...), " ")
}

// Get returns the directive of that name.
func (p Policy) Get(name string) (Directive, bool) {
	for _, d := range p.Directives {
		if d.Name == name {
			return d, true
		}
	}
	return Directive{}, false
}

// fallbacks lists which directives stand in for a missing one, in order (CSP
// Level 3, section 6.8.3). A directive that is not in the table has none.
var fallbacks = map[string][]string{
	"script-src-elem": {"script-src", "default-src"},
	"script-src-attr": {"script-src", "default-src"},
	"style-src-elem":  {"style-src", "default-src"},
	"style-src-attr":  {"style-src", "default-src"},
	"worker-src":      {"child-src", "script-src", "default-src"},
	"frame-src":       {"child-src", "default-src"},
	"child-src":       {"default-src"},
	"connect-src":     {"default-src"},
	"font-src":        {"default-src"},
	"img-src":         {"default-src"},
	"manifest-src":    {"default-src"},
	"media-src":       {"default-src"},
	"object-src":      {"default-src"},
	"script-src":      {"default-src"},
	"style-src":       {"default-src"},
}

// Effective returns the directive that governs what the named one would: that
// one itself, or the first fallback that is there. Without any, ok is false
// and everything is allowed.
func (p Policy) Effective(name string) (d Directive, ok bool) {
	if d, ok = p.Get(name); ok {
		return d, true
	}
	for _, other := range fallbacks[name] {
		if d, ok = p.Get(other); ok {
			return d, true
		}
	}
	return Directive{}, false
}

// Allows reports whether the policy lets a page at self load a URL under the
// named directive, such as "connect-src".
func (p Policy) Allows(name, url, self string) bool {
	d, ok := p.Effective(name)
	return !ok || d.Allows(url, self)
}

// Has reports whether the directive holds the token, ignoring case, such as
// "'unsafe-inline'" or "*".
func (d Directive) Has(token string) bool {
	for _, s := range d.Sources {
		if strings.EqualFold(s, token) {
			return true
		}
	}
	return false
}

// Guarded reports whether a nonce, a hash or 'strict-dynamic' is present: then
// a browser ignores 'unsafe-inline' in the directive.
func (d Directive) Guarded() bool {
	for _, s := range d.Sources {
		lower := strings.ToLower(s)
		for _, prefix := range []string{"'nonce-", "'sha256-", "'sha384-", "'sha512-", "'strict-dynamic'"} {
			if strings.HasPrefix(lower, prefix) {
				return true
			}
		}
	}
	return false
}

// Merge returns a policy that allows what either does: for each directive the
// union of the sources. Where one of the two has no directive that governs,
// everything is allowed there, and so the result has none either.
func Merge(a, b Policy) Policy {
	var merged Policy
	for _, d := range a.Directives {
		if other, ok := b.Effective(d.Name); ok {
			merged.Directives = append(merged.Directives, union(d.Name, d.Sources, other.Sources))
		}
	}
	for _, d := range b.Directives {
		if _, there := a.Get(d.Name); there {
			continue
		}
		if other, ok := a.Effective(d.Name); ok {
			merged.Directives = append(merged.Directives, union(d.Name, other.Sources, d.Sources))
		}
	}
	return merged
}

// Set returns the policy with the directive of that name replaced, or added at
// the end. No sources means 'none'.
func (p Policy) Set(name string, sources ...string) Policy {
	if len(sources) == 0 {
		sources = []string{"'none'"}
	}
	d := Directive{Name: strings.ToLower(name), Sources: sources}
	out := Policy{Directives: append([]Directive(nil), p.Directives...)}
	for i := range out.Directives {
		if out.Directives[i].Name == d.Name {
			out.Directives[i] = d
			return out
		}
	}
	out.Directives = append(out.Directives, d)
	return out
}

func union(name string, lists ...[]string) Directive {
	d := Directive{Name: name}
	for _, list := range lists {
		for _, source := range list {
			if !strings.EqualFold(source, "'none'") && !d.Has(source) {
				d.Sources = append(d.Sources, source)
			}
		}
	}
	if len(d.Sources) == 0 {
		d.Sources = []string{"'none'"}
	}
	return d
}
