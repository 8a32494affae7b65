package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/cordon-sec/cordon/pin"
)

// ParseHost returns the normal form of a host: a name as lower-case A-labels,
// or an address in canonical form (then addr is valid). Everything that some
// resolver or C library would read as another host is an error: short, octal
// or hexadecimal addresses, zones, trailing dots, ports, empty labels. Names
// in other scripts must be A-labels already.
func ParseHost(s string) (host string, addr netip.Addr, err error) { return parseHost(s) }

func parseHost(s string) (host string, addr netip.Addr, err error) {
	host = lower(s)
	if strings.IndexByte(host, ':') >= 0 {
		addr, err = parseLiteral(host)
		return host, addr, err
	}
	if endsInNumber(host) {
		addr, err = parseLiteral(host)
		return host, addr, err
	}
	return host, netip.Addr{}, pin.CheckHost(host)
}

// parseLiteral reads an address in canonical form (RFC 5952 for IPv6).
func parseLiteral(s string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, errors.New("not a host name, and not an address in canonical form")
	}
	if addr.Zone() != "" {
		return netip.Addr{}, errors.New("an address with a zone")
	}
	if addr.String() != s {
		return netip.Addr{}, fmt.Errorf("an address that is not in canonical form, which is %s", addr)
	}
	return addr, nil
}

// endsInNumber tells names apart that a URL parser or inet_aton takes as IPv4
// (WHATWG URL section 3.5): the last label is decimal, or 0x and hexadecimal.
func endsInNumber(host string) bool {
	last := strings.TrimSuffix(host, ".")
	if i := strings.LastIndexByte(last, '.'); i >= 0 {
		last = last[i+1:]
	}
	if last == "" {
		return false
	}
	if strings.Trim(last, "0123456789") == "" {
		return true
	}
	hex, ok := strings.CutPrefix(last, "0x")
	return ok && strings.Trim(hex, "0123456789abcdef") == ""
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
