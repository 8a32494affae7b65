package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordon-sec/cordon/internal/lane"
)

func parseAddrs(list ...string) []netip.Addr {
	addrs := make([]netip.Addr, len(list))
	for i, s := range list {
		addrs[i] = netip.MustParseAddr(s)
	}
	return addrs
}

// answers is a resolver with fixed answers and no time to live.
type answers map[string][]string

func (a answers) LookupAddrs(_ context.Context, host string) ([]netip.Addr, time.Duration, error) {
	list, ok := a[host]
	if !ok {
		return nil, 0, ErrNoSuchHost
	}
	return parseAddrs(list...), 0, nil
}

// sequence is a resolver whose answers change with every lookup, as a
// rebinding attacker's do.
type sequence struct {
	asked atomic.Int32
	ttl   time.Duration
	list  [][]string
}

func (s *sequence) LookupAddrs(context.Context, string) ([]netip.Addr, time.Duration, error) {
	n := int(s.asked.Add(1)) - 1
	return parseAddrs(s.list[min(n, len(s.list)-1)]...), s.ttl, nil
}

// listen serves one TCP address and counts what connects to it.
func listen(t testing.TB, addr string) (port uint16, accepted *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	accepted = new(atomic.Int32)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			wg.Go(func() { _, _ = io.Copy(conn, conn); _ = conn.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().(*net.TCPAddr).AddrPort().Port(), accepted
}

// touch makes sure that the other side has accepted, and closes.
func touch(t *testing.T, conn net.Conn) {
	t.Helper()
	defer conn.Close()
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Error(err)
	}
}

// leakCheck fails the test if it leaves goroutines behind.
func leakCheck(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		lane.Until(t, fmt.Sprintf("%d goroutines, as before", before),
			func() bool { return runtime.NumGoroutine() <= before })
	})
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %T (%v) is not an *Error", err, err)
	}
	return e
}

func TestDialUsesOnlyJudgedAddresses(t *testing.T) {
	leakCheck(t)
	port, accepted := listen(t, "127.0.0.1:0")
	d := testDialer(t, Config{
		Resolver: answers{"mixed.example": {"169.254.169.254", "127.0.0.1", "::1", "10.0.0.1"},
			"bad.example": {"127.0.0.1", "::ffff:127.0.0.1"}},
	})
	conn, result, err := d.Dial(t.Context(),
		Destination{Host: "Mixed.Example", Port: port, Allow: []Private{private(t, "mixed.example", "127.0.0.1", 0)}})
	if err != nil {
		t.Fatal(err)
	}
	touch(t, conn)
	if result.Addr != netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port) || len(result.Refused) != 3 {
		t.Errorf("result %+v, want 127.0.0.1 and three refused", result)
	}
	_, result, err = d.Dial(t.Context(), Destination{Host: "bad.example", Port: port})
	if e := asError(t, err); e.Reason != AddressRefused || e.Step != StepJudge || !e.Reason.Refused() || e.Timeout() ||
		len(e.Refused) != 2 || len(result.Refused) != 2 {
		t.Errorf("error %v, want both addresses refused", e)
	}
	if n := accepted.Load(); n != 1 {
		t.Errorf("%d connections were opened, want 1", n)
	}
}

// TestRebinding dials a name whose answers change between lookups: what was
// judged is what is dialled, and kept answers are judged again for every
// destination.
func TestRebinding(t *testing.T) {
	port, accepted := listen(t, "127.0.0.1:0")
	resolver := &sequence{list: [][]string{{"127.0.0.1"}, {"10.0.0.1"}, {"127.0.0.1"}}}
	d := testDialer(t, Config{Resolver: resolver})
	now := time.Now()
	d.cache.now = func() time.Time { return now }
	to := Destination{Host: "rebind.example", Port: port, Allow: []Private{private(t, "", "127.0.0.1", 0)}}
	conn, _, err := d.Dial(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	touch(t, conn)
	if n := resolver.asked.Load(); n != 1 {
		t.Errorf("one dial asked %d times", n)
	}
	now = now.Add(MinTTL)
	if _, _, err := d.Dial(t.Context(), to); asError(t, err).Reason != AddressRefused {
		t.Errorf("the second answer was used: %v", err)
	}
	if n := accepted.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	resolver = &sequence{list: [][]string{{"127.0.0.1"}}, ttl: time.Minute}
	d = testDialer(t, Config{Resolver: resolver})
	conn, _, err = d.Dial(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	touch(t, conn)
	_, result, err := d.Dial(t.Context(), Destination{Host: to.Host, Port: port})
	if asError(t, err).Reason != AddressRefused || !result.Cached || resolver.asked.Load() != 1 {
		t.Errorf("a kept answer was not judged again: %v, %+v, asked %d times", err, result, resolver.asked.Load())
	}
}

func TestDialFallsBack(t *testing.T) {
	leakCheck(t)
	port, _ := listen(t, "127.0.0.1:0")
	d := testDialer(t, Config{
		Resolver: answers{"a.example": {"127.0.0.2", "127.0.0.3", "127.0.0.1"},
			"dead.example": {"127.0.0.2", "127.0.0.3"}},
		Allow: []Private{private(t, "", "127.0.0.0/8", 0)},
	})
	conn, result, err := d.Dial(t.Context(), Destination{Host: "a.example", Port: port})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if result.Addr.Addr() != netip.MustParseAddr("127.0.0.1") || len(result.Failed) != 2 {
		t.Errorf("result %+v, want 127.0.0.1 after two failures", result)
	}
	_, _, err = d.Dial(t.Context(), Destination{Host: "dead.example", Port: port})
	if e := asError(t, err); e.Reason != Unreachable || len(e.Failed) != 2 || e.Timeout() || e.Reason.Refused() {
		t.Errorf("error %v, want two failed attempts", e)
	}
}

// TestDialSilentAddress has a first address that never answers: a listener
// whose backlog is full, so that the system drops the handshake.
func TestDialSilentAddress(t *testing.T) {
	leakCheck(t)
	port, _ := listen(t, "127.0.0.1:0")
	silent := silentAddr(t, port)
	d := testDialer(t, Config{
		Resolver: answers{"a.example": {silent.Addr().String(), "127.0.0.1"},
			"dead.example": {silent.Addr().String()}, "dead2.example": {silent.Addr().String(), "127.0.0.9"}},
		Allow:          []Private{private(t, "", "127.0.0.0/8", 0)},
		AttemptDelay:   20 * time.Millisecond,
		ConnectTimeout: 5 * time.Second,
	})
	conn, result, err := d.Dial(t.Context(), Destination{Host: "a.example", Port: silent.Port()})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if result.Addr.Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("connected to %s", result.Addr)
	}
	d.config.ConnectTimeout = 100 * time.Millisecond
	for _, host := range []string{"dead.example", "dead2.example"} {
		_, _, err = d.Dial(t.Context(), Destination{Host: host, Port: silent.Port()})
		if e := asError(t, err); !e.Timeout() || e.Step != StepConnect {
			t.Errorf("%s: error %v, want a time-out of connect", host, e)
		}
	}
}

// silentAddr returns an address that drops connections: a listener with a
// backlog of one that nobody accepts from; port 0 is any.
func silentAddr(t *testing.T, port uint16) netip.AddrPort {
	t.Helper()
	l, err := listenBacklog("127.0.0.7", port)
	if err != nil {
		t.Skipf("no listener with a short backlog here: %v", err)
	}
	t.Cleanup(l.close)
	for range 8 {
		c, err := net.DialTimeout("tcp", l.addr.String(), 100*time.Millisecond)
		if err != nil {
			return l.addr
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	t.Skip("the system accepts beyond the backlog")
	return netip.AddrPort{}
}

func TestDialRefusesHosts(t *testing.T) {
	d := testDialer(t, Config{Allow: []Private{private(t, "", "127.0.0.0/8", 0)}})
	for _, host := range []string{"", "127.1", "0177.0.0.1", "a.", "[::1]", "fe80::1%lo", "a b"} {
		_, _, err := d.Dial(t.Context(), Destination{Host: host, Port: 443})
		if e := asError(t, err); e.Reason != BadHost || e.Step != StepResolve {
			t.Errorf("%q: %v, want bad-host", host, e)
		}
	}
	if _, _, err := d.Dial(t.Context(), Destination{Host: "a.example"}); asError(t, err).Reason != BadHost {
		t.Errorf("port 0: %v", err)
	}
	if _, _, err := d.Dial(t.Context(), Destination{Host: "a.example", Port: 1}); asError(t, err).Reason != NoSuchHost {
		t.Errorf("unknown name: %v", err)
	}
}

// TestLookupsAreShared asks for one name from many sides while its lookup is
// in flight, and holds the times of kept answers against a clock.
func TestLookupsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		d := testDialer(t,
			Config{Resolver: ResolverFunc(func(ctx context.Context, host string) ([]netip.Addr, time.Duration, error) {
				asked.Add(1)
				time.Sleep(time.Second)
				ttl := time.Hour
				switch host {
				case "short.example":
					ttl = 10 * time.Second
				case "never.example":
					ttl = 0
				}
				return parseAddrs("8.8.8.8"), ttl, nil
			})})
		resolve := func(host string) {
			if _, err := d.Resolve(t.Context(), Destination{Host: host, Port: 443}); err != nil {
				t.Error(err)
			}
		}
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { resolve("a.example") })
		}
		wg.Wait()
		if n := asked.Load(); n != 1 {
			t.Errorf("50 callers asked %d times", n)
		}
		time.Sleep(MaxTTL - time.Second)
		resolve("a.example")
		if n := asked.Load(); n != 1 {
			t.Errorf("kept answers were not used: asked %d times", n)
		}
		time.Sleep(2 * time.Second)
		resolve("a.example")
		if n := asked.Load(); n != 2 {
			t.Errorf("answers were kept for longer than %v: asked %d times", MaxTTL, n)
		}
		resolve("short.example")
		time.Sleep(11 * time.Second)
		resolve("short.example")
		if n := asked.Load(); n != 4 {
			t.Errorf("answers outlived their time: asked %d times", n)
		}
		for range 3 {
			resolve("never.example")
		}
		if n := asked.Load(); n != 5 {
			t.Errorf("a name that is not to be kept was asked for %d times within a second", n-4)
		}
		time.Sleep(MinTTL)
		resolve("never.example")
		if n := asked.Load(); n != 6 {
			t.Errorf("it was kept for longer than %v", MinTTL)
		}
	})
}

// TestLookupEndsWithItsCallers cancels callers one by one; the lookup is
// cancelled with the last one and not before.
func TestLookupEndsWithItsCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		d := testDialer(t,
			Config{Resolver: ResolverFunc(func(ctx context.Context, _ string) ([]netip.Addr, time.Duration, error) {
				<-ctx.Done()
				ended <- ctx.Err()
				return nil, 0, ctx.Err()
			})})
		to := Destination{Host: "a.example", Port: 443}
		first, cancelFirst := context.WithCancel(t.Context())
		second, cancelSecond := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, ctx := range []context.Context{first, second} {
			wg.Go(func() {
				if _, err := d.Resolve(ctx, to); !errors.Is(err, context.Canceled) {
					t.Errorf("Resolve: %v, want canceled", err)
				}
			})
		}
		synctest.Wait()
		cancelFirst()
		synctest.Wait()
		select {
		case <-ended:
			t.Error("the lookup ended although a caller waits")
		default:
		}
		cancelSecond()
		wg.Wait()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("lookup ended with %v", err)
		}
		began := time.Now()
		_, err := d.Resolve(t.Context(), to)
		if e := asError(t, err); !e.Timeout() || e.Reason != ResolverFailed || time.Since(began) != DefaultDNSTimeout {
			t.Errorf("a resolver that never answers: %v after %v", err, time.Since(began))
		}
		<-ended
	})
}

// TestDeafResolver never returns, whatever its context says.
func TestDeafResolver(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	d := testDialer(t, Config{DNSTimeout: 30 * time.Millisecond,
		Resolver: ResolverFunc(func(context.Context, string) ([]netip.Addr, time.Duration, error) {
			<-release
			return nil, 0, nil
		})})
	_, err := d.Resolve(t.Context(), Destination{Host: "a.example", Port: 443})
	if e := asError(t, err); !e.Timeout() {
		t.Errorf("error %v, want a time-out", e)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(ResolverFunc(func(context.Context, string) ([]netip.Addr, time.Duration, error) {
		return parseAddrs("8.8.8.8"), time.Hour, nil
	}), time.Second, time.Now)
	name := []byte("aaaaaa.example")
	for i := range maxKept + 100 {
		for j, n := 0, i; j < 4; j, n = j+1, n/26 {
			name[j] = byte('a' + n%26)
		}
		if _, _, err := c.lookup(t.Context(), string(name)); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.kept) > maxKept {
		t.Errorf("%d names are kept, want at most %d", len(c.kept), maxKept)
	}
}
