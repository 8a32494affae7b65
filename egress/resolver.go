package egress

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// ErrNoSuchHost is what a Resolver returns for a name without addresses.
var ErrNoSuchHost = errors.New("no such host")

// Resolver answers what addresses a name has. It must be safe for concurrent
// use and respect the context.
type Resolver interface {
	// LookupAddrs returns the addresses of host, a name in lower-case A-labels
	// without a trailing dot, and for how long they hold. A name without
	// addresses is ErrNoSuchHost. Search lists must not be applied.
	LookupAddrs(ctx context.Context, host string) (addrs []netip.Addr, ttl time.Duration, err error)
}

// ResolverFunc makes a Resolver of a function.
type ResolverFunc func(ctx context.Context, host string) ([]netip.Addr, time.Duration, error)

// LookupAddrs calls the function.
func (f ResolverFunc) LookupAddrs(ctx context.Context, host string) ([]netip.Addr, time.Duration, error) {
	return f(ctx, host)
}
