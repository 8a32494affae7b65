package migrate

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// grant is what one origin stands for, apart from the words of any platform.
type grant struct {
	// all is every URL.
	all bool
	// schemes are those that it covers, none for every scheme.
	schemes []string
	// rest is what follows the colon of a scheme without hosts.
	rest string
	// host is a name with "*" for wildcards, "" for every host.
	host string
	// below says that names below the host are covered too.
	below bool
	// port is a number, 0 for every port.
	port int
	// path is "" for every path, else with "*" for any run of characters.
	path string
	// topLevel says that the host ends in a label for any top-level domain.
	topLevel bool
}

var (
	web      = []string{"http", "https"}
	webAndFT = []string{"http", "https", "ftp", "ftps"}
)

var originParts = regexp.MustCompile(`\A(?:([^:/]*):(//)?)?([^/?#]*)([^\n]*)\z`)

// readOrigin returns what an origin stands for on the reader's platform;
// problem says what of it has no equal elsewhere.
func (r *reader) readOrigin(text string, e *configxml.Element) (grants []grant, problem string) {
	if text == "*" {
		return []grant{{all: true}}, ""
	}
	g, ok := r.splitOrigin(text)
	if !ok {
		return nil, "the old platform does not read it as an origin"
	}
	subdomains := e.Value("subdomains")
	switch r.language {
	case hostText:
		g.port, g.path = 0, ""
		g.schemes = webSchemes(g.schemes)
		if base, found := strings.CutSuffix(g.host, ".*"); found && !fourNumbers(g.host) {
			g.host, g.topLevel = base, true
		}
	case rawRegexp:
		g.schemes = web
		g.below = g.below || strings.EqualFold(subdomains, "true")
		g.host = strings.ReplaceAll(g.host, `\.`, ".")
		problem = "the old platform reads an expression without an end: what begins like it passes too"
		if strings.ContainsAny(g.host, `*+?()[]{}|^$\`) {
			return nil, "the old platform reads it as a regular expression"
		}
	case blackberry, widget:
		g.below = g.below || subdomains == "true" && g.host != ""
		if r.language == widget {
			g.path = ""
		} else if g.path = strings.TrimRight(g.path, "/"); g.path != "" {
			g.path += "/*"
		}
	case windows:
		g.port, g.path = 0, ""
	case strictText:
		g.below = g.below || subdomains == "true"
		if g.path != "" && !strings.HasSuffix(g.path, "*") {
			g.path = strings.TrimRight(g.path, "/") + "/*"
		}
	}
	if len(g.schemes) == 0 && g.rest == "" && !strings.HasPrefix(text, "*:") {
		g.schemes = web
		if r.language == strictText {
			g.schemes = []string{"https"}
		}
	}
	return []grant{g}, problem
}

// webSchemes returns the schemes of an origin up to iOS 3.0: all that an origin
// without one stands for, or those of them that a wildcard in it covers.
func webSchemes(named []string) []string {
	if len(named) == 0 {
		return webAndFT
	}
	if !strings.Contains(named[0], "*") {
		return named
	}
	var list []string
	for _, scheme := range webAndFT {
		if ok, err := path.Match(named[0], scheme); ok && err == nil {
			list = append(list, scheme)
		}
	}
	return list
}

// splitOrigin takes an origin apart as the reader's language does.
func (r *reader) splitOrigin(text string) (g grant, ok bool) {
	m := originParts.FindStringSubmatch(text)
	if m == nil {
		return g, false
	}
	scheme, slashes, authority, rest := m[1], m[2], m[3], m[4]
	switch {
	case scheme != "" && slashes == "" && isHostPort(r, scheme, authority):
		authority = scheme + ":" + authority
	case scheme != "" && slashes == "" && r.opaque:
		g.schemes, g.rest = []string{strings.ToLower(scheme)}, authority+rest
		return g, g.rest != ""
	case scheme != "" && slashes == "":
		return g, false
	case scheme != "" && scheme != "*":
		g.schemes = []string{strings.ToLower(scheme)}
	}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		return g, false
	}
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.HasSuffix(authority, "]") {
		host, port = authority[:i], authority[i+1:]
	}
	if n, err := strconv.Atoi(port); err == nil && n > 0 && n < 65536 {
		g.port = n
	} else if port != "" {
		return g, false
	}
	if rest != "" && rest != "/*" {
		g.path = rest
	}
	if base, below := strings.CutPrefix(host, "*."); below {
		host, g.below = base, true
	}
	if host == "*" {
		host, g.below = "", false
	} else if host == "" {
		return g, false
	}
	if r.cuts && strings.Contains(host, "*") {
		return g, false
	}
	g.host = strings.ToLower(host)
	return g, true
}

// isHostPort tells h.example:8443 from tel:112.
func isHostPort(r *reader, scheme, rest string) bool {
	digits := rest != "" && strings.Trim(rest, "0123456789") == ""
	if r.language == hostText || !r.opaque {
		return digits
	}
	return digits && (strings.Contains(scheme, ".") || strings.ContainsAny(scheme, "0123456789"))
}

func fourNumbers(host string) bool {
	parts := strings.Split(host, ".")
	for _, p := range parts {
		if p != "*" && strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return len(parts) == 4
}

// expandWildcards puts what the owner named in the place of wildcards that only
// the old platform has.
func (m *migration) expandWildcards(grants []grant) []grant {
	var all []grant
	for _, g := range grants {
		switch {
		case g.topLevel:
			for _, domain := range m.options.TopLevel {
				if !strings.Contains(g.host, "*") {
					all = append(all, g.withHost(g.host+"."+strings.Trim(strings.ToLower(domain), ".")))
				}
			}
		case strings.Contains(g.host, "*"):
			for _, host := range m.hosts(g.host) {
				all = append(all, g.withHost(host))
			}
		default:
			all = append(all, g)
		}
	}
	return all
}

func (g grant) withHost(host string) grant {
	g.host, g.topLevel = host, false
	return g
}

// hosts returns the hosts that a wildcard inside a name is found to stand for:
// those that the owner names, that other entries name, and what the owner's
// top-level domains make of the last label.
func (m *migration) hosts(pattern string) []string {
	var found []string
	add := func(host string) {
		host = strings.ToLower(host)
		matched, err := path.Match(pattern, host)
		for _, known := range found {
			matched = matched && known != host
		}
		if err == nil && matched {
			found = append(found, host)
		}
	}
	for _, host := range m.options.Hosts {
		add(host)
	}
	for _, e := range m.elements() {
		if g, ok := m.from.splitOrigin(m.from.text(e)); ok && !strings.Contains(g.host, "*") && g.host != "" {
			add(g.host)
		}
	}
	if i := strings.LastIndexByte(pattern, '.'); i >= 0 && !strings.Contains(pattern[:i], "*") {
		for _, domain := range m.options.TopLevel {
			add(pattern[:i+1] + strings.Trim(domain, "."))
		}
	}
	return found
}
