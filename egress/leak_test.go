package egress

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/lane"
)

// sockets counts this process's open sockets. (Pipes are left out: the
// standard library keeps a pool of them for splice.)
func sockets(t *testing.T) int {
	t.Helper()
	const folder = "/proc/self/fd"
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Skipf("open sockets cannot be counted here: %v", err)
	}
	n := 0
	for _, e := range list {
		if target, err := os.Readlink(filepath.Join(folder, e.Name())); err == nil &&
			strings.HasPrefix(target, "socket:") {
			n++
		}
	}
	return n
}

// TestNothingLeaks gives dials up in every phase: before, during and after the
// lookup, while connecting to what answers and to what never does.
func TestNothingLeaks(t *testing.T) {
	leakCheck(t)
	rounds := lane.Rounds(1000, 1000, 10_000)
	port, _ := listen(t, "127.0.0.1:0")
	silent := silentAddr(t, 0)
	d := testDialer(t, Config{
		Allow:        []Private{private(t, "", "127.0.0.0/8", 0)},
		AttemptDelay: time.Millisecond,
		Resolver: ResolverFunc(func(ctx context.Context, host string) ([]netip.Addr, time.Duration, error) {
			select {
			case <-time.After(time.Duration(rand.IntN(2000)) * time.Microsecond):
			case <-ctx.Done():
				return nil, 0, ctx.Err()
			}
			if host == "silent.example" {
				return []netip.Addr{silent.Addr(), silent.Addr()}, time.Millisecond, nil
			}
			return parseAddrs("127.0.0.1", "127.0.0.2", "10.0.0.1"), 0, nil
		}),
	})
	before := sockets(t)
	work := make(chan int)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for i := range work {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(4000))*time.Microsecond)
				to := Destination{Host: "a.example", Port: port}
				if i%2 == 0 {
					to = Destination{Host: "silent.example", Port: silent.Port()}
				}
				if conn, _, err := d.Dial(ctx, to); err == nil {
					_ = conn.Close()
				}
				cancel()
			}
		})
	}
	for i := range rounds {
		work <- i
	}
	close(work)
	wg.Wait()
	lane.Until(t, fmt.Sprintf("%d open sockets, as before", before), func() bool { return sockets(t) <= before })
}

// FuzzSystemFiles reads anything as a hosts file and as a resolv.conf.
func FuzzSystemFiles(f *testing.F) {
	f.Add("127.0.0.1 localhost a.example\n", "a.example")
	f.Add("nameserver ::1\noptions timeout:1 use-vc\nsearch x\n", "localhost")
	f.Fuzz(func(t *testing.T, data, host string) {
		for _, addr := range lookupHosts([]byte(data), host) {
			if !addr.IsValid() {
				t.Fatal("an invalid address from the hosts file")
			}
		}
		s := parseResolvConf([]byte(data))
		if len(s.servers) == 0 || len(s.servers) > 3 || s.timeout <= 0 || s.timeout > tryTimeout {
			t.Fatalf("resolv.conf gives %+v", s)
		}
		for _, server := range s.servers {
			if !server.IsValid() || server.Port() != 53 {
				t.Fatalf("name server %v", server)
			}
		}
	})
}

func FuzzParsePrivate(f *testing.F) {
	f.Add("*.a.example", "10.0.0.0/8")
	f.Add("", "::1")
	f.Fuzz(func(t *testing.T, host, addresses string) {
		p, err := ParsePrivate(host, addresses)
		if err != nil {
			return
		}
		if !p.Range.IsValid() || p.Range != p.Range.Masked() || p.Range.Addr().Is4In6() {
			t.Fatalf("ParsePrivate(%q, %q) = %v", host, addresses, p)
		}
		if !p.covers(p.Host, p.Range.Addr(), 443) && p.Host != "" && p.Host[0] != '*' {
			t.Fatalf("%v does not cover itself", p)
		}
	})
}
