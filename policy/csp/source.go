package csp

import (
	"strconv"
	"strings"
)

// Source is one host or scheme expression taken apart.
type Source struct {
	// Scheme is in lower case, "" if none is named.
	Scheme string
	// Host is in lower case: a name, "*" for every host, or "*." and a name
	// for those below it; "" in a bare scheme.
	Host string
	// Port is "" for the scheme's own, "*" for any, or digits.
	Port string
	// Path is "" for any path.
	Path string
}

// ParseSource reads a host or scheme expression. ok is false for keywords in
// quotes and for what is neither.
func ParseSource(token string) (s Source, ok bool) {
	if token == "" || strings.ContainsAny(token, "'\",;") {
		return Source{}, false
	}
	rest := token
	if i := strings.Index(token, "://"); i >= 0 {
		s.Scheme, rest = strings.ToLower(token[:i]), token[i+3:]
	} else if scheme, found := strings.CutSuffix(token, ":"); found && isScheme(scheme) {
		return Source{Scheme: strings.ToLower(scheme)}, true
	}
	if s.Scheme != "" && !isScheme(s.Scheme) {
		return Source{}, false
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		rest, s.Path = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		rest, s.Port = rest[:i], rest[i+1:]
		if s.Port != "*" && !isDigits(s.Port) {
			return Source{}, false
		}
	}
	s.Host = strings.ToLower(rest)
	return s, isHostExpression(s.Host)
}

// Allows reports whether one of the directive's sources matches the URL, for a
// page at self; both are absolute URLs. (CSP Level 3, section 6.7.2.)
func (d Directive) Allows(url, self string) bool {
	u, ok := parseURL(url)
	if !ok {
		return false
	}
	page, _ := parseURL(self)
	for _, token := range d.Sources {
		if matches(token, u, page) {
			return true
		}
	}
	return false
}

func matches(token string, u, page address) bool {
	if token == "*" {
		return isNetwork(u.scheme) || u.scheme == page.scheme
	}
	if strings.EqualFold(token, "'self'") {
		if u.host != page.host {
			return false
		}
		return u.scheme == page.scheme && u.port == page.port ||
			selfUpgrades(page.scheme, u.scheme) && (u.port == page.port || u.ownPort() && page.ownPort())
	}
	s, ok := ParseSource(token)
	if !ok {
		return false
	}
	scheme := s.Scheme
	if scheme == "" {
		scheme = page.scheme
	}
	if scheme != u.scheme && !upgrades(scheme, u.scheme) {
		return false
	}
	if s.Host == "" {
		return true
	}
	return hostMatches(s.Host, u.host) && portMatches(s.Port, scheme, u) && pathMatches(s.Path, u.path)
}

// upgrades reports whether a source of one scheme also covers another (CSP
// Level 3, scheme-part matching). A source for https does not cover wss.
func upgrades(from, to string) bool {
	switch from {
	case "http":
		return to == "https"
	case "ws":
		return to == "wss" || to == "http" || to == "https"
	case "wss":
		return to == "https"
	}
	return false
}

// selfUpgrades is the same for 'self', which covers the page's own WebSockets.
func selfUpgrades(from, to string) bool {
	return to == "https" || to == "wss" || from == "http" && to == "ws"
}

func hostMatches(pattern, host string) bool {
	if pattern == "*" {
		return true
	}
	if base, below := strings.CutPrefix(pattern, "*"); below {
		return len(host) > len(base) && strings.HasSuffix(host, base)
	}
	return pattern == host
}

func portMatches(port, scheme string, u address) bool {
	switch {
	case port == "*", port == u.port:
		return true
	case port == "":
		return u.ownPort()
	case port == ownPort(scheme):
		return u.ownPort() // http://h:80 covers https://h
	}
	return false
}

func pathMatches(pattern, path string) bool {
	switch {
	case pattern == "" || pattern == "/" && path == "":
		return true
	case strings.HasSuffix(pattern, "/"):
		return strings.HasPrefix(path, pattern)
	}
	return path == pattern
}

// address is what matching needs of a URL.
type address struct{ scheme, host, port, path string }

func (a address) ownPort() bool { return a.port == "" || a.port == ownPort(a.scheme) }

func parseURL(url string) (address, bool) {
	scheme, rest, found := strings.Cut(url, ":")
	if !found || !isScheme(scheme) {
		return address{}, false
	}
	a := address{scheme: strings.ToLower(scheme)}
	rest, hierarchical := strings.CutPrefix(rest, "//")
	if !hierarchical {
		return a, true
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		rest, a.path = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && isDigits(rest[i+1:]) {
		rest, a.port = rest[:i], rest[i+1:]
	}
	a.host = strings.ToLower(rest)
	if a.port == ownPort(a.scheme) {
		a.port = ""
	}
	return a, true
}

func ownPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	}
	return ""
}

func isNetwork(scheme string) bool {
	return scheme == "http" || scheme == "https" || scheme == "ws" || scheme == "wss" || scheme == "ftp"
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		letter := 'a' <= c && c <= 'z'
		other := '0' <= s[i] && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return s != ""
}

func isDigits(s string) bool {
	if _, err := strconv.ParseUint(s, 10, 64); err != nil {
		return false
	}
	return s[0] != '+'
}

func isHostExpression(s string) bool {
	if s == "*" {
		return true
	}
	s = strings.TrimPrefix(s, "*.")
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z') && !('0' <= s[i] && s[i] <= '9') && s[i] != '.' && s[i] != '-' && s[i] != '_' {
			return false
		}
	}
	return s != ""
}
