package loopback

import (
	"errors"
	"net"
	"testing"
)

// bound is a listener with an address.
type bound struct {
	net.Listener
	address net.Addr
	closed  bool
}

func (b *bound) Addr() net.Addr { return b.address }
func (b *bound) Close() error   { b.closed = true; return errors.New("closed") }

func TestCheck(t *testing.T) {
	inside := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
	outside := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 1}
	for _, test := range []struct {
		address string
		at      net.Addr
		refused bool
	}{
		{"localhost:1", inside, false}, {"127.0.0.1:1", inside, false},
		{"[::1]:1", &net.TCPAddr{IP: net.IPv6loopback}, false},
		{"app.localhost:1", inside, false}, {"app.localhost:1", outside, true}, {"localhost:1", outside, true},
		{"localhost:1", &net.TCPAddr{IP: net.IPv4zero}, true}, {"proxy.example:1", outside, false},
		{"0.0.0.0:1", &net.TCPAddr{IP: net.IPv4zero}, false}, {"systemd", &net.UnixAddr{Name: "x"}, false},
	} {
		l := &bound{address: test.at}
		if err := Check(test.address, l); (err != nil) != test.refused || l.closed != test.refused {
			t.Errorf("%s bound to %v: %v, closed %t", test.address, test.at, err, l.closed)
		}
	}
}
