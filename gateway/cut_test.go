package gateway

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
)

// TestHalfClosedClientsGetWhatFlows: a client that has closed its side is given up
// when it has got nothing for a while, not while its answer flows.
func TestHalfClosedClientsGetWhatFlows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, closed := context.WithCancel(t.Context())
		x := &request{r: httptest.NewRequestWithContext(ctx, "GET", "/", nil), began: time.Now()}
		var given atomic.Int32
		stop := x.whenGone(func() { given.Add(1) })
		time.Sleep(time.Minute)
		closed()
		for range 10 {
			time.Sleep(halfCloseGrace - time.Second)
			x.flow()
		}
		synctest.Wait()
		if given.Load() != 0 || x.cut.Load() {
			t.Error("given up while something flows")
		}
		time.Sleep(halfCloseGrace + time.Second)
		synctest.Wait()
		if given.Load() != 1 || !x.cut.Load() || stop() {
			t.Errorf("given up %d times", given.Load())
		}

		quick := &request{r: httptest.NewRequestWithContext(ctx, "GET", "/", nil), began: time.Now()}
		stop = quick.whenGone(func() { given.Add(1) })
		synctest.Wait()
		if !stop() {
			t.Error("stopped in time, and not told so")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if given.Load() != 1 {
			t.Error("given up after it was stopped")
		}
	})
}

// held is an origin that answers half, and the rest when it is told to.
func held(rest <-chan struct{}) func(net.Conn, *bufio.Reader) {
	return func(conn net.Conn, r *bufio.Reader) {
		if readHead(r) == "" {
			return
		}
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
		<-rest
		io.WriteString(conn, "half")
	}
}

// halfAnswered asks an origin that answers half, and returns once that is there.
func halfAnswered(t *testing.T, l *lab) *client {
	t.Helper()
	c := l.open()
	c.send(l.head("GET", "/", ""))
	c.response("GET")
	if _, err := io.ReadFull(c.reader, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	return c
}

// requestEvent waits for the event of the one request that is not a tunnel's.
func requestEvent(t *testing.T, l *lab) (e event.Event) {
	t.Helper()
	lane.Until(t, "the request's event", func() bool {
		for _, e = range l.ring.Latest() {
			if e.Type == event.Decision && e.Method == "GET" {
				return true
			}
		}
		return false
	})
	return e
}

// TestWhatTheGatewayCutsIsNotTheClients: a request that is cut by an operator, or
// because the gateway stops, is told as that.
func TestWhatTheGatewayCutsIsNotTheClients(t *testing.T) {
	for _, each := range []struct {
		way, by, reason string
	}{
		{"cleartext", byOperator, reasonOperator}, {"inspected", byOperator, reasonOperator},
		{"absolute", byShutdown, reasonDraining}, {"cleartext", byShutdown, reasonDraining},
		{"inspected", byShutdown, reasonDraining},
	} {
		t.Run(each.way+" "+each.by, func(t *testing.T) {
			rest := make(chan struct{})
			defer close(rest)
			l := newLab(t, each.way, func(c *config.Config) { c.Timeouts.Drain = 10 * time.Millisecond }, held(rest))
			c := halfAnswered(t, l)
			if each.by == byOperator {
				l.gateway.EndTunnel(l.gateway.Tunnels()[0].ID)
			} else {
				l.stop()
			}
			if _, err := c.reader.ReadByte(); err == nil {
				t.Error("it goes on")
			}
			e := requestEvent(t, l)
			if e.Verdict != event.Failed || e.Reason != each.reason || e.Status != 200 || e.Down != 4 {
				t.Errorf("%+v, want %s", e, each.reason)
			}
			if each.way == "absolute" {
				return
			}
			lane.Until(t, "the tunnel's end", func() bool {
				list := l.ring.Latest()
				last := list[len(list)-1]
				return last.Type == event.Close && last.Detail == each.by
			})
		})
	}
}

// TestRequestsInTunnelsHaveTimesOfTheirOwn: a tunnel in which a request waits is
// not silent.
func TestRequestsInTunnelsHaveTimesOfTheirOwn(t *testing.T) {
	for _, way := range []string{"cleartext", "inspected"} {
		t.Run(way, func(t *testing.T) {
			rest := make(chan struct{})
			l := newLab(t, way, nil, held(rest))
			c := halfAnswered(t, l)
			for range 3 {
				l.gateway.tunnels.sweep(time.Now().Add(time.Hour), 0)
			}
			close(rest)
			end := make([]byte, 4)
			if _, err := io.ReadFull(c.reader, end); err != nil || string(end) != "half" {
				t.Fatalf("%q, %v", end, err)
			}
			lane.Until(t, "the request has ended", func() bool { return l.gateway.limits.requests.now.Load() == 0 })
			for range 2 { // the first look may find that something has moved
				l.gateway.tunnels.sweep(time.Now().Add(time.Hour), 0)
			}
			if _, err := c.reader.ReadByte(); err == nil {
				t.Error("a silent tunnel stays open")
			}
		})
	}
}

// TestClientsHandshakes: a client that does not come to terms with the gateway
// about TLS has an event that says so.
func TestClientsHandshakes(t *testing.T) {
	for _, each := range []struct {
		name   string
		shake  func(t *testing.T, c *client)
		reason string
		detail string
	}{
		{"does not trust the authority", func(t *testing.T, c *client) {
			err := tls.Client(c, &tls.Config{ServerName: "lab.test", RootCAs: x509.NewCertPool()}).Handshake()
			if err == nil {
				t.Error("it is trusted")
			}
		}, reasonClientTLS, "TLS between the client and the gateway: remote error: tls: bad certificate"},
		{"an old version", func(t *testing.T, c *client) {
			err := tls.Client(c, &tls.Config{ServerName: "lab.test", MinVersion: tls.VersionTLS10,
				MaxVersion: tls.VersionTLS11}).Handshake()
			if err == nil {
				t.Error("it is spoken")
			}
		}, reasonClientTLS, "TLS between the client and the gateway: tls: client offered only unsupported versions: " +
			"[302 301]"},
		{"leaves", func(t *testing.T, c *client) {
			if _, err := c.Conn.Write(captureHello(t, &tls.Config{ServerName: "lab.test"})); err != nil {
				t.Fatal(err)
			}
			if _, err := c.reader.ReadByte(); err != nil { // the gateway's answer
				t.Fatal(err)
			}
			_ = c.Conn.(*net.TCPConn).CloseWrite()
		}, reasonClientTLS, "the client closed the connection in its TLS handshake with the gateway: it may not " +
			"trust the gateway's authority"},
	} {
		t.Run(each.name, func(t *testing.T) {
			l := newLab(t, "inspected", nil, answers(nil, "HTTP/1.1 204 No Content\r\n\r\n"))
			c := l.connect("lab.test:" + l.port)
			each.shake(t, c)
			c.Close()
			var list []event.Event
			lane.Until(t, "the tunnel's event", func() bool { list = l.decisions(); return len(list) > 0 })
			if e := list[0]; len(list) != 1 || e.Verdict != event.Failed || e.Reason != each.reason ||
				e.Detail != each.detail {
				t.Errorf("%+v, want %s: %s", list, each.reason, each.detail)
			}
			lane.Until(t, "no tunnel is counted", func() bool { return l.gateway.limits.tunnels.now.Load() == 0 })
		})
	}
}
