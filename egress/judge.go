package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Refusal says why an address is not dialled. The list is closed; its zero
// value, Usable, means that it is.
type Refusal uint8

// The refusals.
const (
	// Usable: the address may be dialled.
	Usable Refusal = iota
	// Special: the address is in a special-purpose range that is not public.
	Special
	// Embedded: the address carries an IPv4 address that is refused, or is of a
	// transition mechanism that reaches IPv4 by itself.
	Embedded
	// Zoned: the address has a zone.
	Zoned
	// Own: the address is this machine's, and the port this process's.
	Own
	// Invalid: not an address at all.
	Invalid
	refusalCount
)

var refusalNames = [refusalCount]string{"usable", "special-purpose", "embedded-ipv4", "zone", "own-listener", "invalid"}

// String returns the refusal as it stands in events, such as
// "special-purpose".
func (r Refusal) String() string {
	if r < refusalCount {
		return refusalNames[r]
	}
	return "invalid-refusal"
}

// Private names addresses that may be dialled although they are not public.
type Private struct {
	// Host is the host for which the range counts: a name, an address, "*.name"
	// for a name and everything below it, "" or "*" for every host.
	Host string
	// Range is the range that is allowed.
	Range netip.Prefix
	// Port, if not zero, limits the entry to that port. Only an entry that
	// names its port reaches a port on which this process listens itself.
	Port uint16
}

// ParsePrivate makes a Private of a host pattern and a range, which may be a
// single address.
func ParsePrivate(host, addresses string) (Private, error) {
	p := Private{Host: lower(host)}
	prefix, err := netip.ParsePrefix(addresses)
	if err != nil {
		addr, addrErr := netip.ParseAddr(addresses)
		if addrErr != nil || addr.Zone() != "" {
			return Private{}, fmt.Errorf("%q is neither an address nor a range such as 10.1.0.0/16", addresses)
		}
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	p.Range = prefix
	return p, p.check()
}

func (p *Private) check() error {
	if !p.Range.IsValid() || p.Range.Addr().Zone() != "" {
		return errors.New("no valid range")
	}
	if p.Range != p.Range.Masked() {
		return fmt.Errorf("range %s has bits beyond its length; did you mean %s?", p.Range, p.Range.Masked())
	}
	if p.Range.Addr().Is4In6() {
		return fmt.Errorf("range %s: write it as IPv4", p.Range)
	}
	host := strings.TrimPrefix(p.Host, "*.")
	if host == "" && p.Host == "" || host == "*" {
		return nil
	}
	if _, _, err := parseHost(host); err != nil {
		return fmt.Errorf("host %q: %w", p.Host, err)
	}
	return nil
}

// covers reports whether the entry allows addr for the host and port.
func (p *Private) covers(host string, addr netip.Addr, port uint16) bool {
	if p.Port != 0 && p.Port != port || !p.Range.Contains(addr) {
		return false
	}
	if p.Host == "" || p.Host == "*" {
		return true
	}
	name := lower(p.Host)
	if suffix, ok := strings.CutPrefix(name, "*."); ok {
		return host == suffix || strings.HasSuffix(host, "."+suffix)
	}
	return host == name
}

// special are the ranges that are not public: the IANA special-purpose
// registries for IPv4 and IPv6 (RFC 6890 and its updates) except what they
// call globally reachable, multicast, and what older documents reserved.
var special = parsePrefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",

	"::/128", "::1/128", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32", "3fff::/20",
	"5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

// The ranges whose addresses carry an IPv4 address, or lead to one.
var (
	compatible = netip.MustParsePrefix("::/96")
	translated = netip.MustParsePrefix("::ffff:0:0:0/96")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48")
	sixToFour  = netip.MustParsePrefix("2002::/16")
	teredo     = netip.MustParsePrefix("2001::/32")
	// unicast is all that IANA has given out as global unicast.
	unicast = netip.MustParsePrefix("2000::/3")
)

func parsePrefixes(list ...string) []netip.Prefix {
	prefixes := make([]netip.Prefix, len(list))
	for i, s := range list {
		prefixes[i] = netip.MustParsePrefix(s)
	}
	return prefixes
}

// Judge says whether addr is public: Usable if it is, else why not and in
// which range. An IPv4-mapped address is judged as the IPv4 address that it
// is.
func Judge(addr netip.Addr) Answer {
	a := Answer{Addr: addr}
	switch {
	case !addr.IsValid():
		a.Refused = Invalid
		return a
	case addr.Zone() != "":
		a.Refused = Zoned
		return a
	}
	addr = addr.Unmap()
	if addr.Is4() {
		a.Refused, a.Range = judgePlain(addr)
		return a
	}
	outer, inner := embedded(addr)
	switch {
	case !outer.IsValid():
		a.Refused, a.Range = judgePlain(addr)
	case outer == nat64:
		// The well-known prefix reaches exactly the address inside, and is how
		// every public IPv4 host looks on a network with DNS64 (RFC 6052).
		if refused, in := judgePlain(inner); refused != Usable {
			a.Refused, a.Range = Embedded, in
		}
	default:
		a.Refused, a.Range = Embedded, outer
	}
	return a
}

// judgePlain judges an address that embeds none.
func judgePlain(addr netip.Addr) (Refusal, netip.Prefix) {
	for _, p := range special {
		if p.Contains(addr) {
			return Special, p
		}
	}
	if addr.Is6() && !unicast.Contains(addr) {
		return Special, netip.Prefix{}
	}
	return Usable, netip.Prefix{}
}

// embedded returns the transition range that addr belongs to and the IPv4
// address inside, invalid where its position is the operator's choice.
func embedded(addr netip.Addr) (outer netip.Prefix, inner netip.Addr) {
	b := addr.As16()
	tail := netip.AddrFrom4([4]byte(b[12:16]))
	switch {
	case compatible.Contains(addr) && addr != netip.IPv6Unspecified() && addr != netip.IPv6Loopback():
		return compatible, tail
	case translated.Contains(addr):
		return translated, tail
	case nat64.Contains(addr):
		return nat64, tail
	case nat64Local.Contains(addr):
		return nat64Local, netip.Addr{}
	case sixToFour.Contains(addr):
		return sixToFour, netip.AddrFrom4([4]byte(b[2:6]))
	case teredo.Contains(addr):
		// The client's address is stored with every bit inverted (RFC 4380).
		return teredo, netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})
	}
	return netip.Prefix{}, netip.Addr{}
}

// judge decides whether an answer for host may be dialled.
func (d *Dialer) judge(host string, addr netip.Addr, to Destination) Answer {
	a := Judge(addr)
	plain := addr.Unmap()
	if d.owns(to.Port) && d.isOwn(plain) {
		if d.allowed(host, plain, to, true) {
			return Answer{Addr: addr}
		}
		a.Refused = Own
		return a
	}
	switch a.Refused {
	case Usable, Zoned, Invalid:
		return a
	}
	if !d.allowed(host, plain, to, false) {
		return a
	}
	// A range that is allowed opens what it names, not what an address in it
	// may lead to: the IPv4 address inside is judged by itself.
	if _, inner := embedded(plain); inner.IsValid() {
		if refused, _ := judgePlain(inner); refused != Usable && !d.allowed(host, inner, to, false) {
			return a
		}
	}
	return Answer{Addr: addr}
}

// allowed reports whether a Private covers the address; withPort asks for one
// that names the port.
func (d *Dialer) allowed(host string, addr netip.Addr, to Destination, withPort bool) bool {
	covers := func(p Private) bool {
		return (!withPort || p.Port != 0) && p.covers(host, addr, to.Port)
	}
	return slices.ContainsFunc(to.Allow, covers) || slices.ContainsFunc(d.config.Allow, covers)
}

// isOwn reports whether addr is this machine's. Where the system does not say,
// it is taken to be.
func (d *Dialer) isOwn(addr netip.Addr) bool {
	if _, inner := embedded(addr); inner.IsValid() {
		return d.isOwn(inner)
	}
	if addr.IsLoopback() || addr.IsUnspecified() || slices.Contains(d.config.OwnAddrs, addr) {
		return true
	}
	addrs, err := d.config.Interfaces()
	return err != nil || slices.Contains(addrs, addr.WithZone(""))
}
