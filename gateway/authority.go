package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// authority is a target past the edge: a host in its one normal form and a
// port. Comparisons happen on these values, never on what the client wrote.
type authority struct {
	// host is a lower-case A-label name without a trailing dot, or the canonical
	// text of addr, without brackets.
	host string
	// addr is valid if the target is an address literal.
	addr netip.Addr
	port uint16
}

// String returns host:port, with brackets around an IPv6 address.
func (a authority) String() string {
	return a.bracketed() + ":" + strconv.Itoa(int(a.port))
}

// bracketed returns the host as it stands in a URL.
func (a authority) bracketed() string {
	if a.addr.Is6() {
		return "[" + a.host + "]"
	}
	return a.host
}

// url returns the URL of the authority as a policy is asked for it: the port
// is left out where it is the scheme's own.
func (a authority) url(scheme, path string) string {
	if a.port == schemePort(scheme) {
		return scheme + "://" + a.bracketed() + path
	}
	return scheme + "://" + a.String() + path
}

// hostField returns the value of a Host field for the scheme.
func (a authority) hostField(scheme string) string {
	if a.port == schemePort(scheme) {
		return a.bracketed()
	}
	return a.String()
}

func schemePort(scheme string) uint16 {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	}
	return 0
}

// errAuthority is what every refused authority is, for errors.Is.
var errAuthority = errors.New("not a host and port")

func badAuthority(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errAuthority, fmt.Sprintf(format, args...))
}

// maxAuthority bounds the text of an authority: a name of 253 bytes may be
// longer before mapping.
const maxAuthority = 1024

// parseAuthority reads the target of a CONNECT: a host and a port that must be
// there (RFC 9110 section 9.3.6).
func parseAuthority(s string) (authority, error) {
	return splitAuthority(s, 0)
}

// splitAuthority reads host:port, or host alone if defaultPort is not 0.
func splitAuthority(s string, defaultPort uint16) (authority, error) {
	if s == "" || len(s) > maxAuthority {
		return authority{}, badAuthority("length %d", len(s))
	}
	host, port, found := "", "", false
	if s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return authority{}, badAuthority("bracket without its partner")
		}
		host = s[:end+1]
		rest := s[end+1:]
		if rest != "" && rest[0] != ':' {
			return authority{}, badAuthority("text after the bracket")
		}
		port, found = strings.CutPrefix(rest, ":")
	} else {
		host, port, found = strings.Cut(s, ":")
	}
	a, err := parseHost(host)
	if err != nil {
		return authority{}, err
	}
	if !found && defaultPort != 0 {
		a.port = defaultPort
		return a, nil
	}
	a.port, err = parsePort(port)
	return a, err
}

// parsePort reads a decimal port from 1 to 65535, without sign or leading zero.
func parsePort(s string) (uint16, error) {
	if s == "" {
		return 0, badAuthority("no port")
	}
	if len(s) > 5 || s[0] == '0' {
		return 0, badAuthority("port is not a decimal number from 1 to 65535")
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, badAuthority("port is not a decimal number from 1 to 65535")
		}
		n = n*10 + int(s[i]-'0')
	}
	if n > 65535 {
		return 0, badAuthority("port is not a decimal number from 1 to 65535")
	}
	return uint16(n), nil
}

// parseHost brings a host into its normal form. Addresses pass in their
// canonical text only; what some C library would read as an address (octal,
// hexadecimal, short forms) is refused, also where it appears by mapping.
func parseHost(s string) (authority, error) {
	if strings.HasPrefix(s, "[") {
		return parseIPv6(s)
	}
	name, err := mapName(s)
	if err != nil {
		return authority{}, err
	}
	if !endsInNumber(name) {
		return authority{host: name}, nil
	}
	addr, err := netip.ParseAddr(name)
	if err != nil || !addr.Is4() || addr.String() != name || s != name {
		return authority{}, badAuthority("unusual spelling of an address")
	}
	return authority{host: name, addr: addr}, nil
}

func parseIPv6(s string) (authority, error) {
	inner, closed := strings.CutSuffix(s[1:], "]")
	addr, err := netip.ParseAddr(inner)
	switch {
	case !closed || err != nil || !addr.Is6():
		return authority{}, badAuthority("brackets hold no IPv6 address")
	case addr.Zone() != "":
		return authority{}, badAuthority("address with a zone")
	case addr.Is4In6() || addr.String() != inner:
		return authority{}, badAuthority("unusual spelling of an address")
	}
	return authority{host: inner, addr: addr}, nil
}

// hostProfile maps names as browsers do today (UTS 46, non-transitional).
var hostProfile = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(),
	idna.CheckJoiners(true), idna.StrictDomainName(false), idna.VerifyDNSLength(true))

// mapName returns a name as lower-case A-labels without its trailing dot.
func mapName(s string) (string, error) {
	plain, lower := true, true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		case 'A' <= c && c <= 'Z':
			lower = false
		case c >= 0x80:
			plain = false
		default:
			return "", badAuthority("character %q in a host", c)
		}
	}
	if !lower {
		s = strings.ToLower(s)
	}
	s = strings.TrimSuffix(s, ".")
	if !plain || strings.Contains(s, "xn--") {
		if !utf8.ValidString(s) {
			return "", badAuthority("name is not UTF-8")
		}
		mapped, err := hostProfile.ToASCII(s)
		if err != nil {
			return "", badAuthority("name cannot be mapped: %v", err)
		}
		if again, err := hostProfile.ToASCII(mapped); err != nil || again != mapped {
			return "", badAuthority("name has no stable normal form")
		}
		if plain && mapped != s {
			return "", badAuthority("label is not a normal A-label")
		}
		s = strings.TrimSuffix(mapped, ".")
	}
	return s, checkLabels(s)
}

// checkLabels checks the mapped name: what mapping let through must still be
// letters, digits, hyphens and underscores.
func checkLabels(s string) error {
	if s == "" || len(s) > 253 {
		return badAuthority("name of %d bytes", len(s))
	}
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			switch c := s[i]; {
			case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
			default:
				return badAuthority("character %q in a host", c)
			}
			continue
		}
		label := s[start:i]
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return badAuthority("label %q", label)
		}
		start = i + 1
	}
	return nil
}

// endsInNumber reports whether a URL parser would try to read the name as an
// IPv4 address (WHATWG URL, "ends in a number").
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	digits := last
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		for i := 0; i < len(hex); i++ {
			if c := hex[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
		return true
	}
	for i := 0; i < len(digits); i++ {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return digits != ""
}
