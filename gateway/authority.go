package gateway

import (
	"errors"
	"net/netip"
	"strconv"

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
	if a.port == hostname.DefaultPort(scheme) {
		return scheme + "://" + a.bracketed() + path
	}
	return scheme + "://" + a.String() + path
}

// hostField returns the value of a Host field for the scheme.
func (a authority) hostField(scheme string) string {
	if a.port == hostname.DefaultPort(scheme) {
		return a.bracketed()
	}
	return a.String()
}

// parseAuthority reads the target of a CONNECT: a host and a port that must be
// there (RFC 9110 section 9.3.6).
func parseAuthority(s string) (authority, error) {
	return splitAuthority(s, 0)
}

// splitAuthority reads host:port, or host alone if defaultPort is not 0.
func splitAuthority(s string, defaultPort uint16) (authority, error) {
	a, err := hostname.ParseASCIIAuthority(s)
	if err != nil {
		return authority{}, err
	}
	if a.Port == 0 {
		a.Port = defaultPort
	}
	if a.Port == 0 {
		return authority{}, errNoPort
	}
	return authority{host: a.Host.String(), addr: a.Host.Addr(), port: a.Port}, nil
}

var errNoPort = errors.New("there must be a port, as in example.com:443")
