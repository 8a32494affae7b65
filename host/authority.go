package host

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Authority is a host with a port, as a request names its target: a value that is
// compared, dialled and written, whatever its text looked like. The zero Authority
// is nobody's.
type Authority struct {
	// Name is the host.
	Name Name
	// Port is from 1 to 65535.
	Port uint16
}

// String returns host:port, with brackets around an IPv6 address.
func (a Authority) String() string { return a.Name.URL() + ":" + strconv.Itoa(int(a.Port)) }

// ErrAuthority is what every refused authority is, for errors.Is.
var ErrAuthority = errors.New("not a host and port")

func badAuthority(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrAuthority, fmt.Sprintf(format, args...))
}

// maxAuthority bounds the text of an authority: a name of 253 bytes may be
// longer before mapping.
const maxAuthority = 1024

// ParseAuthority reads host:port as it stands on the wire (RFC 9110, section 7.2),
// the host by ParseASCII. If a default port is given, text that is a host alone
// has that port; with 0, the port must be there, as in the target of a CONNECT
// (section 9.3.6).
func ParseAuthority(s string, defaultPort uint16) (Authority, error) {
	if s == "" || len(s) > maxAuthority {
		return Authority{}, badAuthority("length %d", len(s))
	}
	text, port, found := "", "", false
	if s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return Authority{}, badAuthority("bracket without its partner")
		}
		text = s[:end+1]
		rest := s[end+1:]
		if rest != "" && rest[0] != ':' {
			return Authority{}, badAuthority("text after the bracket")
		}
		port, found = strings.CutPrefix(rest, ":")
	} else {
		text, port, found = strings.Cut(s, ":")
	}
	name, err := ParseASCII(text)
	if err != nil {
		return Authority{}, badAuthority("%v", err)
	}
	a := Authority{Name: name, Port: defaultPort}
	if found || defaultPort == 0 {
		a.Port, err = ParsePort(port)
	}
	if err != nil {
		return Authority{}, err
	}
	return a, nil
}

// ParsePort reads a decimal port from 1 to 65535, without sign or leading zero.
func ParsePort(s string) (uint16, error) {
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
