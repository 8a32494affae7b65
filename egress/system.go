package egress

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// NewSystemResolver returns a resolver that asks as this machine is set up to.
func NewSystemResolver() Resolver {
	return ResolverFunc(func(ctx context.Context, host string) ([]netip.Addr, time.Duration, error) {
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host+".")
		return addrs, 5 * time.Second, err
	})
}
