package pattern

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// kind is a kind of URL: the scheme alone decides between the first and the
// others.
type kind uint8

const (
	webKind       kind = iota // http, https, ws or wss, "//", a host, a path
	opaqueKind                // another scheme, and a rest that does not begin with "/"
	authorityKind             // another scheme, "//", a host and a path that may be empty
	kinds
)

// webSchemes are the schemes that lead to hosts in every reading, the best
// known first, and their own ports.
var (
	webSchemes = [...]string{"https", "http", "wss", "ws"}
	webPorts   = [...]int32{443, 80, 443, 80}
)

func webScheme(name string) int {
	for i, scheme := range webSchemes {
		if scheme == name {
			return i
		}
	}
	return -1
}

// canonical is a URL of the domain.
type canonical struct {
	whole, scheme, host string
	path                string // of an opaque one what follows the colon
	port                int32
	kind                kind
}

// as returns the URL as patterns of a reading see it.
func (c *canonical) as(r Reading) URL {
	u := URL{Whole: c.whole, Scheme: c.scheme, Port: -1, Has: HasScheme}
	switch {
	case c.kind == webKind || c.kind == authorityKind && r == AllHosts:
		u.Host, u.Port, u.Path, u.Has = c.host, c.port, c.path, HasScheme|HasHost|HasPath
	case r == WebHosts:
		u.Path, u.Has = c.whole[len(c.scheme)+1:], HasScheme|HasPath
	}
	return u
}

// newCanonical puts the parts of a URL together.
func newCanonical(k kind, scheme, host string, port int32, path string) canonical {
	c := canonical{scheme: scheme, host: host, path: path, port: port, kind: k}
	switch {
	case k == opaqueKind:
		c.whole = scheme + ":" + path
	case port >= 0:
		c.whole = scheme + "://" + host + ":" + strconv.Itoa(int(port)) + path
	default:
		c.whole = scheme + "://" + host + path
	}
	return c
}

// readCanonical takes a URL of the domain apart; ok is false for any other.
func readCanonical(s string) (c canonical, ok bool) {
	scheme, rest, found := strings.Cut(s, ":")
	if !found || !validScheme(scheme) {
		return canonical{}, false
	}
	web := webScheme(scheme) >= 0
	after, hierarchical := strings.CutPrefix(rest, "//")
	if !hierarchical {
		c = newCanonical(opaqueKind, scheme, "", -1, rest)
		return c, !web && validRest(rest)
	}
	k := authorityKind
	if web {
		k = webKind
	}
	authority, path := after, ""
	if i := strings.IndexByte(after, '/'); i >= 0 {
		authority, path = after[:i], after[i:]
	}
	host, port := authority, int32(-1)
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.HasSuffix(authority, "]") {
		n, err := strconv.ParseUint(authority[i+1:], 10, 16)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != authority[i+1:] {
			return canonical{}, false
		}
		host, port = authority[:i], int32(n)
	}
	c = newCanonical(k, scheme, host, port, path)
	return c, validPort(k, scheme, port) && validHost(k, host) && validPath(k, path)
}

func validPort(k kind, scheme string, port int32) bool {
	return k != webKind || port != webPorts[webScheme(scheme)]
}

func validScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// anyIPv6 stands for all IPv6 addresses that no list names.
const unlistedIPv6 = "[2001:db8::1]"

// names reports whether a host language names a host by itself.
func (l *Language) names(host string) bool {
	if l.form == union {
		return slices.ContainsFunc(l.extra.members, func(each Language) bool { return each.names(host) })
	}
	return l.form == exact && same(host, l.text, l.fold)
}

// validHost checks a host that may be in the domain. Of other kinds than
// webKind it may be empty.
func validHost(k kind, host string) bool {
	if host == "" {
		return k == authorityKind
	}
	if host[0] == '[' {
		a, err := netip.ParseAddr(strings.TrimSuffix(host[1:], "]"))
		return err == nil && a.Is6() && a.Zone() == "" && "["+a.String()+"]" == host
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if endsInNumber(last) {
		a, err := netip.ParseAddr(host)
		return err == nil && a.Is4()
	}
	return validName(host)
}

// endsInNumber reports whether a last label is read as a number (WHATWG URL).
func endsInNumber(label string) bool {
	if rest, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(rest, "0123456789abcdef") == ""
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

func validName(host string) bool {
	for _, label := range strings.Split(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, hostLetters) != "" {
			return false
		}
	}
	return len(host) <= 253
}

// hostLetters and pathLetters are what names and paths are made of, in the
// order in which people like to read them.
const (
	hostLetters = "xabcdefghijklmnopqrstuvwyz0123456789-_"
	pathLetters = "xabcdefghijklmnopqrstuvwyz0123456789-_ABCDEFGHIJKLMNOPQRSTUVWXYZ.~/:@!$&'()*+,;=[]"
)

// validPath checks a path: empty where the kind lets it be, else segments that
// are not dot segments.
func validPath(k kind, path string) bool {
	if path == "" {
		return k == authorityKind
	}
	if path[0] != '/' || strings.Trim(path, pathLetters) != "" {
		return false
	}
	for _, segment := range strings.Split(path[1:], "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

func validRest(rest string) bool {
	return rest != "" && rest[0] != '/' && strings.Trim(rest, pathLetters) == ""
}
