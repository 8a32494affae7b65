package egress

import (
	"context"
	"net/netip"
	"testing"
	"time"
)

// BenchmarkJudge judges one public address of each family.
func BenchmarkJudge(b *testing.B) {
	four, six := netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("2606:2800:21f::1")
	b.ReportAllocs()
	for b.Loop() {
		if Judge(four).Refused != Usable || Judge(six).Refused != Usable {
			b.Fatal("refused")
		}
	}
}

// BenchmarkDial is what the checks cost beside the connection itself.
func BenchmarkDial(b *testing.B) {
	port, _ := listen(b, "127.0.0.1:0")
	d, err := New(Config{
		Resolver: ResolverFunc(func(context.Context, string) ([]netip.Addr, time.Duration, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, time.Minute, nil
		}),
		Allow:    []Private{{Range: netip.MustParsePrefix("127.0.0.0/8")}},
		OwnPorts: []uint16{1},
	})
	if err != nil {
		b.Fatal(err)
	}
	to := Destination{Host: "api.example.org", Port: port}
	b.Run("resolve", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.Resolve(b.Context(), to); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("dial", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			conn, _, err := d.Dial(b.Context(), to)
			if err != nil {
				b.Fatal(err)
			}
			_ = conn.SetLinger(0)
			_ = conn.Close()
		}
	})
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
		for b.Loop() {
			conn, err := d.net.DialTCP(b.Context(), "tcp", netip.AddrPort{}, addr)
			if err != nil {
				b.Fatal(err)
			}
			_ = conn.SetLinger(0)
			_ = conn.Close()
		}
	})
}
