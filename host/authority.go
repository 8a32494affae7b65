package host

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The reasons for which a text is not a host with or without a port.
var (
	ErrUser    = errors.New("the host must stand alone, without a user name and @ before it")
	ErrBracket = errors.New("the address in brackets must be followed by nothing, or by a colon and a port")
	ErrColon   = errors.New("the host has more than one colon; an address of IPv6 must be in brackets")
	ErrPort    = errors.New("the port must be a decimal number from 1 to 65535")
)

// Authority is a host with or without a port, as it stands in a URL or in a Host
// field. Authorities compare with ==.
type Authority struct {
	// Host is the host in its normal form.
	Host Name
	// Port is the port that is written, 0 for none.
	Port uint16
}

// ParseAuthority reads a host as [Parse] does, with or without a port: the Host of
// a url.URL, a Host field, what stands between the slashes of a URL.
func ParseAuthority(s string) (Authority, error) {
	text, digits, err := Split(s)
	if err != nil {
		return Authority{}, err
	}
	var a Authority
	if a.Host, err = Parse(text); err != nil {
		return Authority{}, err
	}
	if digits != "" {
		a.Port, err = ParsePort(digits)
	}
	return a, err
}

// ParseASCIIAuthority is ParseAuthority with the host read by [ParseASCII], for what
// comes over the wire.
func ParseASCIIAuthority(s string) (Authority, error) {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return Authority{}, ErrNotASCII
		}
	}
	return ParseAuthority(s)
}

// Split takes a host and its port apart without reading the host, for what reads
// it in a way of its own: the patterns of a list, the sources of a page. An address
// of IPv6 keeps its brackets; port is "" if none is written. A user name, a colon
// too many or one without a port is an error.
func Split(s string) (host, port string, err error) {
	if strings.IndexByte(s, '@') >= 0 {
		return "", "", ErrUser
	}
	end := 0
	if strings.HasPrefix(s, "[") {
		if end = strings.IndexByte(s, ']') + 1; end == 0 || end < len(s) && s[end] != ':' {
			return "", "", ErrBracket
		}
	}
	i := strings.IndexByte(s[end:], ':')
	switch {
	case i < 0:
		return s, "", nil
	case strings.IndexByte(s[end+i+1:], ':') >= 0:
		return "", "", ErrColon
	case end+i+1 == len(s):
		return "", "", ErrPort
	}
	return s[:end+i], s[end+i+1:], nil
}

// ParsePort reads a port as it stands in a URL: a decimal number from 1 to 65535,
// without a sign or a leading zero.
func ParsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 || s[0] == '0' || s[0] == '+' {
		return 0, ErrPort
	}
	return uint16(n), nil
}

// String returns the authority as it stands in a URL, with its port if it has one.
func (a Authority) String() string {
	if a.Port == 0 {
		return a.Host.URL()
	}
	return a.Host.URL() + ":" + strconv.Itoa(int(a.Port))
}

// Of returns the authority as browsers write it in a URL of the scheme: the
// scheme's own port is left out.
func (a Authority) Of(scheme string) string {
	if a.Port == DefaultPort(scheme) {
		a.Port = 0
	}
	return a.String()
}

// DefaultPort is the port of a scheme, 0 for one that has none here.
func DefaultPort(scheme string) uint16 {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	}
	return 0
}
