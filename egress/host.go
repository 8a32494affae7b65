package egress

import (
	"errors"
	"net/netip"

	hostname "github.com/cordon-sec/cordon/host"
)

// ParseHost returns the normal form of a host: a name as lower-case A-labels,
// or an address in canonical form (then addr is valid). Everything that some
// resolver or C library would read as another host is an error: short, octal
// or hexadecimal addresses, zones, trailing dots, ports, empty labels. Names
// in other scripts must be A-labels already.
func ParseHost(s string) (host string, addr netip.Addr, err error) { return parseHost(s) }

func parseHost(s string) (host string, addr netip.Addr, err error) {
	written := lower(s)
	n, err := hostname.ParsePlain(written)
	switch {
	case err != nil:
		return "", netip.Addr{}, err
	case n.String() != written:
		return "", netip.Addr{}, errors.New("the host name must be in normal form: " + n.String())
	}
	return n.String(), n.Addr(), nil
}

// lower lowers ASCII letters only, without allocating if there are none.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if b[j] >= 'A' && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
