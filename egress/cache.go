package egress

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// maxKept is the most names whose answers are kept; beyond it, expired ones
// and then arbitrary ones make room.
const maxKept = 4096

// cache keeps answers for their time and shares lookups in flight. It keeps
// addresses as they came: whoever takes them judges them.
type cache struct {
	resolver Resolver
	timeout  time.Duration
	now      func() time.Time

	mu      sync.Mutex
	kept    map[string]kept
	flights map[string]*flight
}

// kept are the answers for one name. They are not changed once stored.
type kept struct {
	addrs   []netip.Addr
	expires time.Time
}

// flight is one lookup that any number of callers wait for. It is cancelled
// when the last of them gives up, so that no lookup outlives its purpose.
type flight struct {
	done    chan struct{}
	ended   <-chan struct{} // closed when its time is up, whatever the resolver does
	cancel  context.CancelFunc
	waiting int // guarded by cache.mu
	addrs   []netip.Addr
	err     error
}

func newCache(resolver Resolver, timeout time.Duration, now func() time.Time) *cache {
	return &cache{resolver: resolver, timeout: timeout, now: now, kept: map[string]kept{},
		flights: map[string]*flight{}}
}

// lookup returns the addresses of host, and whether they had been kept. The
// caller must not change them.
func (c *cache) lookup(ctx context.Context, host string) (addrs []netip.Addr, cached bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, context.Cause(ctx)
	}
	c.mu.Lock()
	if k, ok := c.kept[host]; ok {
		if c.now().Before(k.expires) {
			c.mu.Unlock()
			return k.addrs, true, nil
		}
		delete(c.kept, host)
	}
	f := c.flights[host]
	if f == nil {
		f = c.start(ctx, host)
	}
	f.waiting++
	c.mu.Unlock()

	select {
	case <-f.done:
		return f.addrs, false, f.err
	case <-ctx.Done():
		c.leave(host, f)
		return nil, false, context.Cause(ctx)
	case <-f.ended:
	}
	select {
	case <-f.done:
		return f.addrs, false, f.err
	default:
		c.leave(host, f)
		return nil, false, context.DeadlineExceeded
	}
}

// peek returns the addresses of host if they are kept.
func (c *cache) peek(host string) (addrs []netip.Addr, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept[host]
	if !ok || !c.now().Before(k.expires) {
		return nil, false
	}
	return k.addrs, true
}

// start begins a lookup; the caller holds the lock. The lookup keeps the
// values of the first caller's context but not its end: others may wait for it
// as well.
func (c *cache) start(ctx context.Context, host string) *flight {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
	f := &flight{done: make(chan struct{}), ended: ctx.Done(), cancel: cancel}
	c.flights[host] = f
	go func() {
		defer cancel()
		addrs, ttl, err := c.resolver.LookupAddrs(ctx, host)
		if err == nil && len(addrs) == 0 {
			err = ErrNoSuchHost
		}
		c.finish(host, f, addrs, ttl, err)
	}()
	return f
}

func (c *cache) finish(host string, f *flight, addrs []netip.Addr, ttl time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.addrs, f.err = addrs, err
	if c.flights[host] == f {
		delete(c.flights, host)
	}
	if ttl = max(MinTTL, min(ttl, MaxTTL)); err == nil {
		c.makeRoom()
		c.kept[host] = kept{addrs: addrs, expires: c.now().Add(ttl)}
	}
	close(f.done)
}

// leave gives a flight up that one caller no longer waits for.
func (c *cache) leave(host string, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.waiting--; f.waiting > 0 {
		return
	}
	f.cancel()
	if c.flights[host] == f {
		delete(c.flights, host)
	}
}

func (c *cache) makeRoom() {
	if len(c.kept) < maxKept {
		return
	}
	now := c.now()
	for host, k := range c.kept {
		if !now.Before(k.expires) {
			delete(c.kept, host)
		}
	}
	for host := range c.kept {
		if len(c.kept) < maxKept {
			return
		}
		delete(c.kept, host)
	}
}
