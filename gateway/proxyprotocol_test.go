package gateway

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
)

const (
	proxyV1 = "PROXY TCP4 198.51.100.7 127.0.0.1 8080 80\r\n"
	proxyV2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x07\x7f\x00\x00\x01\x1f\x90\x00\x50"
)

var fromLoopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// troubled is a listener that fails for a while before each connection, as one
// does when the process has no descriptors left.
type troubled struct {
	net.Listener
	failures int
	left     int
	asked    atomic.Int32
}

// Accept fails as often as it is told to, then accepts.
func (l *troubled) Accept() (net.Conn, error) {
	l.asked.Add(1)
	if l.left > 0 {
		l.left--
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	l.left = l.failures
	return l.Listener.Accept()
}

func listenLoopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// serveAddresses answers each request with the address that it came from.
func serveAddresses(t *testing.T, l net.Listener) {
	t.Helper()
	server := &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RemoteAddr) }),
		ErrorLog: log.New(io.Discard, "", 0),
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("served: %v", err)
		}
	})
}

// askThrough sends a request behind a header and returns the answer's body.
func askThrough(t *testing.T, address, header string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, header+"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// A lack of descriptors passes, and the listener hears again afterwards.
func TestProxyListenerOutlivesTemporaryErrors(t *testing.T) {
	l := &troubled{Listener: listenLoopback(t), failures: 3, left: 3}
	serveAddresses(t, newProxyListener(l, fromLoopback, 10*time.Second, nil))
	for range 3 {
		if got := askThrough(t, l.Addr().String(), proxyV1); got != "198.51.100.7:8080" {
			t.Errorf("the request came from %s", got)
		}
	}
	if n := l.asked.Load(); n < 3*4 {
		t.Errorf("the listener was asked %d times for 3 connections with 3 failures before each", n)
	}
}

// What ends the listener reaches the server each time it asks.
func TestProxyListenerEnds(t *testing.T) {
	l := newProxyListener(listenLoopback(t), fromLoopback, time.Second, nil)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	}
}

func TestProxyHeaderNamesTheSource(t *testing.T) {
	l := listenLoopback(t)
	serveAddresses(t, newProxyListener(l, fromLoopback, 10*time.Second, nil))
	for _, header := range []string{proxyV1, proxyV2} {
		if got := askThrough(t, l.Addr().String(), header); got != "198.51.100.7:8080" {
			t.Errorf("%q: the request came from %s", header, got)
		}
		// A network may deliver it in any pieces.
		source, err := readProxyHeader(iotest.OneByteReader(strings.NewReader(header + "GET /")))
		if err != nil || source.String() != "198.51.100.7:8080" {
			t.Errorf("%q, byte by byte: %s, %v", header, source, err)
		}
	}
	// What the balancer asks by itself comes from the balancer.
	for name, header := range map[string]string{
		"version 1, UNKNOWN": "PROXY UNKNOWN\r\n",
		"version 2, LOCAL":   "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00",
	} {
		host, _, err := net.SplitHostPort(askThrough(t, l.Addr().String(), header))
		if err != nil || host != "127.0.0.1" {
			t.Errorf("%s: the request came from %q, %v", name, host, err)
		}
	}
}

// A client that sends its header slowly, or never, is closed in time and holds up
// nobody, not a stop either.
func TestSlowProxyHeaderHoldsUpNobody(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) {
		c.ProxyProtocol = fromLoopback
		c.Timeouts.Header = 500 * time.Millisecond
	})
	var slow []*client
	for range 20 {
		c := s.dial()
		c.send(proxyV1[:10])
		slow = append(slow, c)
	}
	c := s.dial()
	c.send(proxyV1 + s.fill("GET http://plain.test:{plain}/ HTTP/1.1\r\nHost: x\r\n\r\n"))
	if resp, _ := c.answer("GET"); resp.StatusCode != 200 {
		t.Errorf("beside slow ones: %d", resp.StatusCode)
	}
	for _, c := range slow {
		if !c.closed() {
			t.Fatal("a connection without a whole header stays open")
		}
	}
	silent := s.dial()
	stopped := make(chan struct{})
	go func() { s.stop(); close(stopped) }()
	if !silent.closed() {
		t.Error("a connection without a header outlives the stop")
	}
	<-stopped
}

// The header is taken off before a tunnel is spliced: no byte of it is lost, and
// none of the header goes through.
func TestTunnelBehindProxyHeader(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.ProxyProtocol = fromLoopback })
	c := s.dial()
	c.send(proxyV1 + s.fill("CONNECT secure.test:{secure} HTTP/1.1\r\nHost: x\r\n\r\n"))
	if resp, body := c.answer("CONNECT"); resp.StatusCode != 200 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	inside := c.tls(s, "secure.test")
	if _, err := io.WriteString(inside,
		s.fill("GET /file HTTP/1.1\r\nHost: secure.test:{secure}\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(inside), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, resp.Body); n != 1_000_000 || err != nil {
		t.Errorf("%d bytes of a million, %v", n, err)
	}
	if err := inside.Close(); err != nil {
		t.Error(err)
	}
	lane.Until(t, "a decision", func() bool { return len(s.decisions()) > 0 })
	if got := s.decisions()[0].Client.String(); got != "198.51.100.7:8080" {
		t.Errorf("client = %s", got)
	}
}

// A conn that is asked from several sides reads its header once.
func TestProxyHeaderIsReadOnce(t *testing.T) {
	l := newProxyListener(listenLoopback(t), fromLoopback, 10*time.Second, nil)
	sender, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(sender, proxyV1+"rest"); err != nil {
		t.Fatal(err)
	}
	addresses := make(chan string)
	for range 4 {
		go func() { addresses <- conn.RemoteAddr().String() }()
	}
	for range 4 {
		if got := <-addresses; got != "198.51.100.7:8080" {
			t.Errorf("the source is %s", got)
		}
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "rest" {
		t.Errorf("behind the header: %q %v", got, err)
	}
}

// TestRefusedProxyHeaders: a header that is refused has an event; a balancer
// that only looks whether somebody is there has none.
func TestRefusedProxyHeaders(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.ProxyProtocol = fromLoopback })
	s.dial().Close()
	for n, head := range []string{"GET http://plain.test/ HTTP/1.1\r\n\r\n", "PROXY TCP4 a b c d\r\n"} {
		c := s.dial()
		c.send(head)
		if !c.closed() {
			t.Errorf("%q is taken", head)
		}
		lane.Until(t, "the event", func() bool { return len(s.ring.Latest()) == n+1 })
		e := s.ring.Latest()[n]
		if e.Type != event.Decision || e.Verdict != event.Blocked || e.Reason != reasonProxyHeader ||
			e.Client.String() != c.Conn.LocalAddr().String() {
			t.Errorf("%q: %+v", head, e)
		}
	}
}
