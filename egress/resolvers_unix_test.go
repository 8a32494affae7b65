//go:build unix

package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// standard is Go's own resolver before one server. It tells no time to live, so
// that its answers hold for ttl, whatever the server says.
func standard(server netip.AddrPort, ttl time.Duration) Resolver {
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.String())
	}}
	return ResolverFunc(func(ctx context.Context, host string) ([]netip.Addr, time.Duration, error) {
		addrs, err := r.LookupNetIP(ctx, "ip", host+".")
		return addrs, ttl, err
	})
}

// BenchmarkResolvers holds the stub against Go's resolver, the two in turn, over
// a name server on loopback: a name that is asked for the first time (p50 and
// processor time, both with the server's own, stub to standard), and the queries
// of ten minutes with a dial a second (on a clock of its own) by time to live.
func BenchmarkResolvers(b *testing.B) {
	ttl := uint32(60)
	server := serveNames(b, func(q dnsmessage.Question, id uint16, _ bool) [][]byte {
		value := "192.0.2.1"
		if q.Type == dnsmessage.TypeAAAA {
			value = "2001:db8::1"
		}
		return [][]byte{message(q, id, dnsmessage.RCodeSuccess, false, record(q.Name.String(), value, ttl))}
	})
	stub, err := NewResolver(server.addr)
	if err != nil {
		b.Fatal(err)
	}
	resolvers := []Resolver{stub, standard(server.addr, fileTTL)}
	b.Run("cold", func(b *testing.B) {
		var times [2][]time.Duration
		var cpu [2]time.Duration
		var queries [2]int
		n := 0
		for b.Loop() {
			for i, r := range resolvers {
				c := newCache(r, time.Minute, time.Now)
				before, asked, began := processorTime(b), server.count(), time.Now()
				if _, _, err := c.lookup(b.Context(), fmt.Sprintf("n%d.example", n)); err != nil {
					b.Fatal(err)
				}
				times[i] = append(times[i], time.Since(began))
				cpu[i] += processorTime(b) - before
				queries[i] += server.count() - asked
			}
			n++
		}
		for i := range times {
			slices.Sort(times[i])
		}
		b.ReportMetric(float64(times[0][n/2])/float64(times[1][n/2]), "p50-ratio")
		b.ReportMetric(float64(cpu[0])/float64(cpu[1]), "cpu-ratio")
		b.ReportMetric(float64(queries[0])/float64(n), "queries/stub")
		b.ReportMetric(float64(queries[1])/float64(n), "queries/standard")
	})
	for _, each := range []uint32{60, 0} {
		ttl = each
		b.Run(fmt.Sprintf("ttl=%d", each), func(b *testing.B) {
			// The count does not depend on b.N.
			for i, r := range append(resolvers, standard(server.addr, 0)) {
				now := time.Now()
				c := newCache(r, time.Minute, func() time.Time { return now })
				asked := server.count()
				for range 600 {
					if _, _, err := c.lookup(b.Context(), "page.example"); err != nil {
						b.Fatal(err)
					}
					now = now.Add(time.Second)
				}
				unit := []string{"queries/stub", "queries/standard-5s", "queries/standard-1s"}[i]
				b.ReportMetric(float64(server.count()-asked), unit)
			}
		})
	}
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
