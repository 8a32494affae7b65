// Package egress is how anything leaves a Cordon process: a name is resolved
// once, every answer is judged, the judged addresses are raced, and nothing
// else is dialled. There is no gap between check and connection for a name
// server to change its mind in.
//
// Addresses that are not public (private, loopback, link-local, multicast,
// reserved, and everything that embeds one) are refused unless the
// configuration names them with a [Private]. A refused answer is dropped and
// recorded; the other answers are used.
//
// TLS is 1.2 at least, 1.3 where the other side can, verified against the
// system's roots or a given pool, with pins on top of the roots or instead of
// them (package pin).
//
// Nothing here decides whether a host may be reached at all: that is the
// policy's, and it comes first.
//
// Start with [New] and the zero [Config], which is the safe default. Dialer.Dial
// connects, Dialer.DialTLS speaks TLS besides, and Dialer.Transport is an
// http.Transport over both. Every error of theirs is an [*Error]: the [Step] that
// failed, a [Reason] from a closed list, and whether it was a refusal of this side
// (Reason.Refused) or a failure of the other. Every call keeps to its context and
// to the bounds of Config.
//
// A Dialer is safe for concurrent use and starts no goroutine that outlives the
// calls that need it; a [Resolver] must be safe, too.
package egress

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/pin"
)

// Defaults of Config.
const (
	// DefaultDNSTimeout bounds one resolution.
	DefaultDNSTimeout = 5 * time.Second
	// DefaultConnectTimeout bounds all attempts to connect together.
	DefaultConnectTimeout = 10 * time.Second
	// DefaultAttemptDelay is how long an attempt is waited for before the next
	// address is tried beside it (RFC 8305 section 5).
	DefaultAttemptDelay = 250 * time.Millisecond
	// DefaultTLSTimeout bounds a TLS handshake.
	DefaultTLSTimeout = 10 * time.Second
	// MaxTTL is the longest time for which answers are kept, whatever the name
	// server says.
	MaxTTL = 60 * time.Second
	// MinTTL is the shortest time for which answers are kept, also where the name
	// server says 0: a browser that opens six connections at once asks once. Every
	// kept answer is judged again when it is dialled, so that none of it opens an
	// address that the name had not.
	MinTTL = time.Second
	// MaxAttempts is the most addresses that one dial tries.
	MaxAttempts = 16
)

// Config configures a Dialer. The zero Config is the safe default: the
// machine's resolver, public addresses only, the system's roots, no pins.
type Config struct {
	// Resolver answers what addresses a name has. Nil: the machine's own
	// (NewSystemResolver).
	Resolver Resolver
	// Allow names the addresses that may be dialled although they are not
	// public.
	Allow []Private
	// OwnPorts are the ports on which this process listens. An address of this
	// machine is refused on them, even where Allow covers it, unless an entry
	// of Allow names the port. AddOwnPorts adds more later.
	OwnPorts []uint16
	// OwnAddrs are addresses of this machine that its interfaces do not show,
	// such as the public side of a NAT.
	OwnAddrs []netip.Addr
	// Roots are the trusted authorities. Nil: the system's.
	Roots *x509.CertPool
	// Pins bind hosts to keys or certificates. Nil: none.
	Pins *pin.Set
	// Revocations are lists of revoked certificates. Nil: none.
	Revocations *RevocationLists
	// DNSTimeout, ConnectTimeout, AttemptDelay and TLSTimeout are the bounds of
	// the steps; zero means the default.
	DNSTimeout, ConnectTimeout, AttemptDelay, TLSTimeout time.Duration
	// KeepAlive is how often a silent connection is probed, as net.Dialer has it:
	// zero means its default, negative never, which saves four system calls for
	// each connection where the caller bounds its silence anyway.
	KeepAlive time.Duration
	// Now is the clock for pins, certificates and kept answers. Nil: time.Now.
	Now func() time.Time
	// Interfaces returns the addresses of this machine. Nil: asks the system.
	Interfaces func() ([]netip.Addr, error)
}

// Destination is what to connect to.
type Destination struct {
	// Host is a host name as A-labels, or an address in canonical form without
	// brackets. Upper-case letters are taken as lower-case ones; anything else
	// that is not in normal form (a trailing dot, octal numbers, a zone) is
	// refused.
	Host string
	Port uint16
	// Allow adds to the configuration's Allow, as one app's rules do.
	Allow []Private
	// Pins, if not nil, stand in for the configuration's Pins.
	Pins *pin.Set
	// Revocations, if not nil, stand in for the configuration's.
	Revocations *RevocationLists
}

// Answer is one judged address of a host.
type Answer struct {
	Addr netip.Addr
	// Refused says why the address is not dialled; its zero value, Usable,
	// that it is.
	Refused Refusal
	// Range is the special-purpose range that Addr, or the IPv4 address that it
	// embeds, belongs to; the zero Prefix if none.
	Range netip.Prefix
}

// String returns the address with the refusal, for logs.
func (a Answer) String() string {
	if a.Refused == Usable {
		return a.Addr.String()
	}
	return fmt.Sprintf("%s (%s)", a.Addr, a.Refused)
}

// Result says how a connection came about.
type Result struct {
	Host string
	// Addr is the address that was connected to.
	Addr netip.AddrPort
	// Resolve, Connect and Handshake are how long the steps took; zero for a
	// step that was not needed.
	Resolve, Connect, Handshake time.Duration
	// Cached says that the answers had been kept from an earlier lookup. They
	// were judged again.
	Cached bool
	// Refused are the answers that were dropped.
	Refused []Answer
	// Failed are the attempts that failed before, with their errors.
	Failed []Attempt
}

// Attempt is one failed attempt to connect.
type Attempt struct {
	Addr netip.AddrPort
	Err  error
}

// Dialer connects to hosts. It is safe for concurrent use and starts no
// goroutine that outlives the calls that need it.
type Dialer struct {
	config Config
	cache  *cache
	net    net.Dialer

	mu       sync.RWMutex
	ownPorts map[uint16]bool
}

// New returns a Dialer. It returns an error if the configuration contradicts
// itself.
func New(config Config) (*Dialer, error) {
	for i, p := range config.Allow {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("egress: allowed range %d: %w", i+1, err)
		}
	}
	for _, d := range []struct {
		value *time.Duration
		name  string
		def   time.Duration
	}{
		{&config.DNSTimeout, "DNS time-out", DefaultDNSTimeout},
		{&config.ConnectTimeout, "connect time-out", DefaultConnectTimeout},
		{&config.AttemptDelay, "attempt delay", DefaultAttemptDelay},
		{&config.TLSTimeout, "TLS time-out", DefaultTLSTimeout},
	} {
		if *d.value < 0 {
			return nil, fmt.Errorf("egress: the %s is negative", d.name)
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Interfaces == nil {
		config.Interfaces = interfaces
	}
	if config.Resolver == nil {
		config.Resolver = NewSystemResolver()
	}
	d := &Dialer{config: config, ownPorts: map[uint16]bool{}}
	d.net.KeepAlive = config.KeepAlive
	d.cache = newCache(config.Resolver, config.DNSTimeout, config.Now)
	d.AddOwnPorts(config.OwnPorts...)
	return d, nil
}

// AddOwnPorts adds ports on which this process listens, once it knows them.
func (d *Dialer) AddOwnPorts(ports ...uint16) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, port := range ports {
		d.ownPorts[port] = true
	}
}

func (d *Dialer) owns(port uint16) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.ownPorts[port]
}

// interfaces asks the system for this machine's addresses.
func interfaces() ([]netip.Addr, error) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				addrs = append(addrs, addr.Unmap())
			}
		}
	}
	return addrs, nil
}

// Resolve returns the judged answers for the destination's host: those that a
// Dial would use and those that it would drop. The error is an *Error; it is
// nil even if every answer is refused.
func (d *Dialer) Resolve(ctx context.Context, to Destination) ([]Answer, error) {
	answers, _, err := d.resolve(ctx, to)
	return answers, err
}

// resolve also reports whether the answers had been kept.
func (d *Dialer) resolve(ctx context.Context, to Destination) (answers []Answer, cached bool, err error) {
	host, addr, err := parseHost(to.Host)
	if err != nil {
		return nil, false, &Error{Step: StepResolve, Reason: BadHost, Host: to.Host, Err: err}
	}
	addrs := []netip.Addr{addr}
	if !addr.IsValid() {
		if addrs, cached, err = d.cache.lookup(ctx, host); err != nil {
			return nil, false, resolveError(host, err)
		}
	}
	return d.judgeAll(host, addrs, to), cached, nil
}

func (d *Dialer) judgeAll(host string, addrs []netip.Addr, to Destination) []Answer {
	answers := make([]Answer, len(addrs))
	for i, a := range addrs {
		answers[i] = d.judge(host, a, to)
	}
	return answers
}
