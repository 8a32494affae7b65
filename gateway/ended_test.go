//go:build linux

package gateway

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
)

// hangUp resets a connection.
func hangUp(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// exitSite is a site with a raw origin, raw.test, for each way in.
func exitSite(t *testing.T) (s *site, origin net.Listener, host string) {
	t.Helper()
	origin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { origin.Close() })
	host = "raw.test:" + portOf(origin.Addr().String())
	s = newSite(t, `<access origin="http://`+host+`"/><access origin="http://hangs.invalid"/>
<access origin="https://hangs.invalid"/>`,
		func(c *config.Config) {
			c.Timeouts.Lookup, c.Timeouts.Connect = 20*time.Second, 20*time.Second
			c.Timeouts.Idle, c.Timeouts.ResponseHeader = 20*time.Second, 20*time.Second
		})
	return s, origin, host
}

// exit is one way in which a request ends. With an origin, it has the request's
// head and the first half of its body by then.
type exit struct {
	name, request string
	end           func(t *testing.T, c *client, origin net.Conn)
	want          event.Event // verdict, reason, status, bytes
}

const half = "POST http://{raw}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf"

func clientResets(_ *testing.T, c *client, _ net.Conn) { hangUp(c.Conn) }

func requestExits() []exit {
	gone := event.Event{Verdict: event.Failed, Reason: reasonClientGone}
	goneUp := gone
	goneUp.Up = 4
	const get = "GET http://{raw}/ HTTP/1.1\r\nHost: x\r\n\r\n"
	return []exit{
		{"reset, the name is looked up", "GET http://hangs.invalid/ HTTP/1.1\r\nHost: x\r\n\r\n", clientResets, gone},
		{"reset, a tunnel's name is looked up", "CONNECT hangs.invalid:443 HTTP/1.1\r\nHost: x\r\n\r\n", clientResets,
			gone},
		{"reset, the origin is silent", get, clientResets, gone},
		{"reset, half the body is sent", half, clientResets, goneUp},
		{"closed, half the body is sent", half, func(t *testing.T, c *client, _ net.Conn) {
			_ = c.Conn.(*net.TCPConn).CloseWrite()
			if resp, _ := c.answer("POST"); resp.StatusCode != 400 {
				t.Errorf("status %d", resp.StatusCode)
			}
		}, event.Event{Verdict: event.Failed, Reason: reasonClientGone, Status: 400, Up: 4}},
		{"closed, and still reading", get, func(t *testing.T, c *client, origin net.Conn) {
			_ = c.Conn.(*net.TCPConn).CloseWrite()
			io.WriteString(origin, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			if resp, body := c.answer("GET"); resp.StatusCode != 200 || body != "ok" {
				t.Errorf("%d %q", resp.StatusCode, body)
			}
		}, event.Event{Verdict: event.Allowed, Reason: "listed", Status: 200, Down: 2}},
		{"reset, half the response is there", get, func(_ *testing.T, c *client, origin net.Conn) {
			io.WriteString(origin, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
			for range len("HTTP/1.1 200 OK\r\n") {
				_, _ = c.reader.ReadByte()
			}
			hangUp(c.Conn)
		}, event.Event{Verdict: event.Failed, Reason: reasonClientGone, Status: 200, Down: 4}},
		{"the origin closes", get, func(_ *testing.T, _ *client, origin net.Conn) { origin.Close() },
			event.Event{Verdict: event.Failed, Reason: reasonUpstreamGone, Status: 502}},
		{"the origin resets", get, func(_ *testing.T, _ *client, origin net.Conn) { hangUp(origin) },
			event.Event{Verdict: event.Failed, Reason: reasonUpstreamGone, Status: 502}},
		{"the origin closes, half the response is there", get, func(_ *testing.T, _ *client, origin net.Conn) {
			io.WriteString(origin, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
			origin.Close()
		}, event.Event{Verdict: event.Failed, Reason: reasonUpstreamGone, Status: 200, Down: 4}},
		{"a broken chunk from the client",
			strings.Replace(half, "Content-Length: 8\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n4\r\n", 1) + "\r\n",
			func(_ *testing.T, c *client, _ net.Conn) { io.WriteString(c.Conn, "x\r\n") },
			event.Event{Verdict: event.Blocked, Reason: reasonFraming, Status: 400, Up: 4}},
	}
}

// TestRequestsSayWhoEnded: the event of a request says whose doing its end was,
// and after how many bytes.
func TestRequestsSayWhoEnded(t *testing.T) {
	for _, each := range requestExits() {
		t.Run(each.name, func(t *testing.T) {
			s, origin, host := exitSite(t)
			c := s.dial()
			c.send(strings.ReplaceAll(each.request, "{raw}", host))
			var conn net.Conn
			if strings.Contains(each.request, "{raw}") {
				conn = received(t, origin, strings.Contains(each.request, "half"))
			} else {
				lane.Until(t, "the name is looked up", func() bool { return s.gateway.limits.requests.now.Load() == 1 })
			}
			each.end(t, c, conn)
			var list []event.Event
			lane.Until(t, "the request's event", func() bool { list = s.ring.Latest(); return len(list) > 0 })
			got, want := list[0], each.want
			if len(list) != 1 || got.Verdict != want.Verdict || got.Reason != want.Reason ||
				got.Status != want.Status || got.Up != want.Up || got.Down != want.Down {
				t.Errorf("%+v, want %v %s %d, %d up, %d down", list, want.Verdict, want.Reason, want.Status, want.Up,
					want.Down)
			}
			lane.Until(t, "nothing is counted", func() bool {
				return s.gateway.limits.requests.now.Load() == 0 && s.gateway.limits.tunnels.now.Load() == 0
			})
		})
	}
}

// received accepts a connection and reads a request off it, up to half its body.
func received(t *testing.T, origin net.Listener, body bool) net.Conn {
	t.Helper()
	conn, err := origin.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var seen strings.Builder
	one := make([]byte, 1)
	for !strings.HasSuffix(seen.String(), map[bool]string{true: "half", false: "\r\n\r\n"}[body]) {
		if _, err := io.ReadFull(conn, one); err != nil {
			t.Fatalf("%v after %q", err, &seen)
		}
		seen.Write(one)
	}
	return conn
}

// TestSilentSidesAreTold: a time-out says whom it was waiting for.
func TestSilentSidesAreTold(t *testing.T) {
	for _, each := range []struct {
		name, request, answer string
		status                int
		reason                string
	}{
		{"the client's body", half, "", 408, reasonClientSlow},
		{"the origin's head", "GET http://{raw}/ HTTP/1.1\r\nHost: x\r\n\r\n", "", 504, reasonUpstreamSlow},
		{"the origin's body", "GET http://{raw}/ HTTP/1.1\r\nHost: x\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf", 200, reasonUpstreamSlow},
	} {
		t.Run(each.name, func(t *testing.T) {
			s, origin, host := exitSite(t)
			st := *s.gateway.state.Load()
			st.config.Timeouts.Idle, st.config.Timeouts.ResponseHeader = 100*time.Millisecond, 100*time.Millisecond
			s.gateway.state.Store(&st)
			c := s.dial()
			c.send(strings.ReplaceAll(each.request, "{raw}", host))
			conn := received(t, origin, each.status == 408)
			io.WriteString(conn, each.answer)
			lane.Until(t, "the request's event", func() bool { return len(s.ring.Latest()) > 0 })
			e := s.ring.Latest()[0]
			if e.Verdict != event.Failed || e.Reason != each.reason || e.Status != each.status {
				t.Errorf("%+v", e)
			}
		})
	}
}

// fullOrigin listens at a port that answers no SYN any more: its backlog is full.
func fullOrigin(t *testing.T) (port string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	bound := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err := errors.Join(bound, unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port = strconv.Itoa(name.(*unix.SockaddrInet4).Port)
	for {
		conn, err := net.DialTimeout("tcp", "127.0.0.1:"+port, 100*time.Millisecond)
		if err != nil {
			return port
		}
		t.Cleanup(func() { conn.Close() })
	}
}

// TestHangingDialIsLeft: a client that resets while its origin is dialled is
// told as such, at once.
func TestHangingDialIsLeft(t *testing.T) {
	full := "full.test:" + fullOrigin(t)
	for _, request := range []string{"GET http://" + full + "/ HTTP/1.1", "CONNECT " + full + " HTTP/1.1"} {
		s, _, _ := exitSite(t)
		s.writeRules(`<access origin="http://` + full + `"/><access origin="https://` + full + `"/>`)
		if err := s.gateway.Reload(); err != nil {
			t.Fatal(err)
		}
		before := len(s.ring.Latest()) // the reload's
		c := s.dial()
		c.send(request + "\r\nHost: x\r\n\r\n")
		lane.Until(t, "the request is there", func() bool { return s.gateway.limits.requests.now.Load() == 1 })
		hangUp(c.Conn)
		lane.Until(t, "the request's event", func() bool { return len(s.ring.Latest()) > before })
		if e := s.ring.Latest()[before]; e.Verdict != event.Failed || e.Reason != reasonClientGone || e.Status != 0 {
			t.Errorf("%s: %+v", request, e)
		}
	}
}

// TestTunnelsSayWhoEnded: the close event of a tunnel names who ended it.
func TestTunnelsSayWhoEnded(t *testing.T) {
	raw := func(c net.Conn) *net.TCPConn {
		if secure, ok := c.(*client).Conn.(*tls.Conn); ok {
			return secure.NetConn().(*net.TCPConn)
		}
		return c.(*client).Conn.(*net.TCPConn)
	}
	exits := []struct {
		name string
		end  func(t *testing.T, s *site, client, origin net.Conn)
		want string
	}{
		{"the client closes", func(_ *testing.T, _ *site, client, origin net.Conn) {
			client.(interface{ Close() error }).Close()
			_, _ = io.Copy(io.Discard, origin)
			origin.Close()
		}, byClient},
		{"the client resets", func(_ *testing.T, _ *site, client, _ net.Conn) { hangUp(raw(client)) }, byClient},
		{"the origin closes", func(_ *testing.T, _ *site, client, origin net.Conn) {
			origin.Close()
			_, _ = io.Copy(io.Discard, client)
			client.Close()
		}, byOrigin},
		{"the origin resets", func(_ *testing.T, _ *site, _, origin net.Conn) { hangUp(origin) }, byOrigin},
		{"nobody says anything", func(_ *testing.T, s *site, _, _ net.Conn) {
			for range 2 { // the first look remembers, the second compares
				s.gateway.tunnels.sweep(time.Now().Add(time.Hour), 0)
			}
		}, byIdle},
		{"the operator ends it", func(t *testing.T, s *site, _, _ net.Conn) {
			if !s.gateway.EndTunnel(s.gateway.Tunnels()[0].ID) {
				t.Error("there is no such tunnel")
			}
		}, byOperator},
		{"the gateway stops", func(_ *testing.T, s *site, _, _ net.Conn) { s.stop() }, byShutdown},
	}
	for _, each := range exits {
		t.Run(each.name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, s *site, origin net.Listener, connect func() net.Conn) {
				client := connect()
				hello := captureHello(t, &tls.Config{ServerName: "raw.test"})
				if _, err := client.Write(hello); err != nil {
					t.Fatal(err)
				}
				server, err := origin.Accept()
				if err != nil {
					t.Fatal(err)
				}
				defer server.Close()
				_, _ = io.ReadFull(server, make([]byte, len(hello)))
				_, _ = io.WriteString(server, "hello, you")
				_, _ = io.ReadFull(client, make([]byte, 10))
				lane.Until(t, "the tunnel moves", func() bool { return len(s.gateway.Tunnels()) == 1 })
				each.end(t, s, client, server)
				var last event.Event
				lane.Until(t, "the tunnel's end", func() bool {
					list := s.ring.Latest()
					last = list[len(list)-1]
					return last.Type == event.Close
				})
				got := fmt.Sprint(last.Detail, " ", last.Reason, " ", last.Up, " ", last.Down)
				if want := fmt.Sprint(each.want, " listed ", len(hello), " ", 10); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			})
		})
	}
}
