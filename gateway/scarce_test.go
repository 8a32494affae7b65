//go:build linux

package gateway

import (
	"crypto/tls"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// TestScarceDescriptors: connections that come while the system has no
// descriptor wait, the operator is told once, /readyz says so, and all is well
// when descriptors are back; on every kind of listener.
func TestScarceDescriptors(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Fleet"})
	certificate, key := writePair(t, root.Leaf(t, testpki.Spec{Name: "proxy.test", Hosts: []string{"proxy.test"}}))
	for _, each := range []struct {
		name   string
		change func(*config.Config)
		begin  string // before the request
	}{
		{"worker", nil, ""},
		{"PROXY protocol", func(c *config.Config) {
			c.ProxyProtocol = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}, "PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n"},
		{"TLS", func(c *config.Config) { c.TLS = &config.TLS{Certificate: certificate, Key: key} }, ""},
	} {
		t.Run(each.name, func(t *testing.T) {
			s := newSite(t, usualRules, each.change)
			idle := make([]*os.File, 80)
			for i := range idle {
				fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
				if err != nil {
					t.Fatal(err)
				}
				idle[i] = os.NewFile(uintptr(fd), "idle")
				defer idle[i].Close()
			}
			ready := func() int {
				w := httptest.NewRecorder()
				s.gateway.adminServer().Handler.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/readyz", nil))
				return w.Code
			}
			lane.Until(t, "it is ready", func() bool { return ready() == 200 })
			restore := noDescriptors(t)
			defer restore()
			to := addrPort(s.gateway.Addr())
			for _, one := range idle {
				to := &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}
				if err := unix.Connect(int(one.Fd()), to); err != nil {
					t.Fatal(err)
				}
				_, _ = one.WriteString("G") // for a listener that waits for the first bytes
			}
			lane.Until(t, "the operator is told", func() bool {
				list := s.ring.Latest()
				return len(list) == 1 && list[0].Type == event.Notice && list[0].Reason == reasonNoMeans
			})
			lane.Until(t, "/readyz says so", func() bool { return ready() == 503 })
			restore()
			for _, one := range idle {
				one.Close()
			}
			c := s.dial()
			if each.name == "TLS" {
				c = newClient(t, tls.Client(c.Conn, &tls.Config{ServerName: "proxy.test", RootCAs: root.Pool()}))
			}
			c.send(each.begin + s.fill("GET http://plain.test:{plain}/ HTTP/1.1\r\nHost: x\r\n\r\n"))
			if resp, body := c.answer("GET"); resp.StatusCode != 200 {
				t.Errorf("afterwards: %d %s", resp.StatusCode, body)
			}
			lane.Until(t, "it is ready again", func() bool { return ready() == 200 })
		})
	}
}

// failingOnce is a listener whose first connection fails.
type failingOnce struct {
	net.Listener
	failed atomic.Bool
}

func (l *failingOnce) Accept() (net.Conn, error) {
	if l.failed.CompareAndSwap(false, true) {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: unix.EPROTO}
	}
	return l.Listener.Accept()
}

// TestFailuresToAccept: a connection that fails is told as what it is, keeps no
// other away, and says nothing about descriptors.
func TestFailuresToAccept(t *testing.T) {
	s := newSite(t, usualRules, nil)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	go func() {
		if c, err := net.Dial("tcp", inner.Addr().String()); err == nil {
			c.Close()
		}
	}()
	conn, err := restingListener{&failingOnce{Listener: inner}, s.gateway}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	list := s.ring.Latest()
	if len(list) != 1 || list[0].Type != event.Notice || list[0].Reason != reasonAccept ||
		!strings.Contains(list[0].Detail, "protocol error") {
		t.Errorf("events: %+v", list)
	}
	if s.gateway.lacking() {
		t.Error("descriptors are said to be in use")
	}
}

// noDescriptors takes the process's free descriptors away until the function
// that it returns is called.
func noDescriptors(t *testing.T) (restore func()) {
	t.Helper()
	var usual unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &usual); err != nil {
		t.Fatal(err)
	}
	few := usual
	few.Cur = 3
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	return func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &usual) }
}

// TestKeptConnectionsAreGivenUp: where there is no descriptor for a new
// connection to an origin, one that is only kept makes room for it.
func TestKeptConnectionsAreGivenUp(t *testing.T) {
	s := newSite(t, usualRules, nil)
	ask := func(c *client, host string) {
		t.Helper()
		c.send(s.fill("GET http://" + host + ":{plain}/app HTTP/1.1\r\nHost: x\r\n\r\n"))
		if resp, body := c.answer("GET"); resp.StatusCode != 200 {
			t.Fatalf("%s: %d %s", host, resp.StatusCode, body)
		}
	}
	first, second := s.dial(), s.dial()
	ask(first, "plain.test")
	ask(second, "plain.test") // both have been accepted
	lane.Until(t, "the connection is kept", func() bool { return s.gateway.kept.count() == 1 })
	defer everyDescriptor(t)()
	ask(second, "folder.test")
}

// everyDescriptor takes all descriptors that are free, but not those that become
// free, until the function that it returns is called.
func everyDescriptor(t *testing.T) (restore func()) {
	t.Helper()
	var usual unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &usual); err != nil {
		t.Fatal(err)
	}
	highest := 0
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if n, err := strconv.Atoi(name.Name()); err == nil {
			highest = max(highest, n)
		}
	}
	var taken []int
	for {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if taken = append(taken, fd); fd > highest {
			break
		}
	}
	few := usual
	few.Cur = uint64(taken[len(taken)-1] + 1)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &usual)
		for _, fd := range taken {
			_ = unix.Close(fd)
		}
	}
}

// TestOperatorsAreServedWithoutDescriptors: who asks the operators' listener is
// answered where the system has no descriptor left, also while clients wait for
// any, and a new one is kept in the place of each that was used.
func TestOperatorsAreServedWithoutDescriptors(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Admin = "127.0.0.1:0" })
	at := addrPort(s.gateway.AdminAddr())
	var sockets []int
	for range 60 {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		sockets = append(sockets, fd)
	}
	connect := func(fd int, to netip.AddrPort) {
		if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(fd int) string {
		connect(fd, at)
		request := []byte("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if _, err := unix.Write(fd, request); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, len("HTTP/1.1 503"))
		for n := 0; n < len(answer); {
			more, err := unix.Read(fd, answer[n:])
			if more <= 0 || err != nil {
				t.Fatal(more, err)
			}
			n += more
		}
		return string(answer)
	}
	lane.Until(t, "it serves", func() bool { return s.gateway.ready.Load() })
	defer everyDescriptor(t)()
	for _, fd := range sockets[:40] {
		connect(fd, addrPort(s.gateway.Addr()))
	}
	lane.Until(t, "clients wait", s.gateway.lacking)
	for _, fd := range sockets[40:] { // more than are kept: each is there again when its connection has ended
		if got := ask(fd); got != "HTTP/1.1 200" {
			t.Errorf("%q", got)
		}
	}
}
