package egress

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestStart: a connection begins where nothing is to be waited for, and only to
// what Dial would connect to.
func TestStart(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).AddrPort().Port()
	loopback := Private{Host: "kept.test", Range: netip.MustParsePrefix("127.0.0.0/8")}
	d, err := New(Config{
		Resolver: ResolverFunc(func(_ context.Context, host string) ([]netip.Addr, time.Duration, error) {
			if host == "mixed.test" {
				return []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("127.0.0.1")}, time.Minute, nil
			}
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, time.Minute, nil
		}),
		Allow: []Private{
			loopback,
			{Host: "mixed.test", Range: loopback.Range},
			{Host: "127.0.0.1", Range: loopback.Range},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"kept.test", "mixed.test", "refused.test"} {
		if _, err := d.Resolve(t.Context(), Destination{Host: host, Port: port}); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		host string
		port uint16
		ok   bool
	}{
		{"kept.test", port, true},
		{"mixed.test", port, true},
		{"127.0.0.1", port, true},
		{"refused.test", port, false}, // its address is private, and nobody allows it
		{"other.test", port, false},   // must be looked up
		{"10.0.0.1", port, false},
		{"Kept.test.", port, false},
		{"kept.test", 0, false},
	} {
		fd, result, ok := d.Start(Destination{Host: test.host, Port: test.port})
		if ok != test.ok {
			t.Errorf("%s: begun %v, must be %v", test.host, ok, test.ok)
		}
		if !ok {
			continue
		}
		if want := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port); result.Addr != want {
			t.Errorf("%s: connects to %s", test.host, result.Addr)
		}
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if n, err := unix.Poll(ready, 10_000); n != 1 || err != nil || ready[0].Revents != unix.POLLOUT {
			t.Errorf("%s: poll: %d %v, events %#x", test.host, n, err, ready[0].Revents)
		}
		if nodelay, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY); nodelay != 1 || err != nil {
			t.Errorf("%s: no-delay is %d, %v", test.host, nodelay, err)
		}
		unix.Close(fd)
		conn.Close()
	}
}

// TestStartForgets: an answer whose time has passed is looked up anew.
func TestStartForgets(t *testing.T) {
	now := time.Now()
	d, err := New(Config{
		Resolver: ResolverFunc(func(context.Context, string) ([]netip.Addr, time.Duration, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, 10 * time.Second, nil
		}),
		Allow: []Private{{Range: netip.MustParsePrefix("127.0.0.0/8")}},
		Now:   func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	to := Destination{Host: "kept.test", Port: 9}
	if _, err := d.Resolve(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	begun := func() bool {
		fd, _, ok := d.Start(to)
		if ok {
			unix.Close(fd)
		}
		return ok
	}
	if !begun() {
		t.Error("a kept answer is not used")
	}
	if now = now.Add(10 * time.Second); begun() {
		t.Error("an answer is used after its time")
	}
}
