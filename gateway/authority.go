package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
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
	name, err := hostname.ParseASCII(host)
	if err != nil {
		return authority{}, badAuthority("%v", err)
	}
	a := authority{host: name.String(), addr: name.Addr()}
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
