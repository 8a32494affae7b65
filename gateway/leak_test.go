package gateway

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/lane"
)

// drops are the ways in which a client leaves in the middle.
var drops = []struct {
	name string
	drop func(s *site, c *client, hello string)
}{
	{"connected", func(*site, *client, string) {}},
	{"half a head", func(_ *site, c *client, _ string) { io.WriteString(c.Conn, "CONNECT secure.te") }},
	{"CONNECT sent", func(s *site, c *client, _ string) { io.WriteString(c.Conn, connectHead(s)) }},
	{"established", func(s *site, c *client, _ string) { io.WriteString(c.Conn, connectHead(s)); c.answer("CONNECT") }},
	{"half a hello", func(s *site, c *client, hello string) {
		io.WriteString(c.Conn, connectHead(s))
		c.answer("CONNECT")
		io.WriteString(c.Conn, hello[:len(hello)/2])
	}},
	{"hello sent", func(s *site, c *client, hello string) { io.WriteString(c.Conn, connectHead(s)+hello) }},
	{"hello answered", func(s *site, c *client, hello string) {
		io.WriteString(c.Conn, connectHead(s)+hello)
		c.answer("CONNECT")
		c.reader.ReadByte()
	}},
	{"half closed", func(s *site, c *client, hello string) {
		io.WriteString(c.Conn, connectHead(s)+hello)
		c.answer("CONNECT")
		c.Conn.(*net.TCPConn).CloseWrite()
	}},
	{"refused", func(s *site, c *client, _ string) {
		io.WriteString(c.Conn, s.fill("CONNECT evil.test:{evil} HTTP/1.1\r\nHost: x\r\n\r\n"))
	}},
	{"half a body", func(s *site, c *client, _ string) {
		io.WriteString(c.Conn,
			s.fill("POST http://plain.test:{plain}/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"))
	}},
	{"request sent", func(s *site, c *client, _ string) {
		io.WriteString(c.Conn, s.fill("GET http://plain.test:{plain}/file HTTP/1.1\r\nHost: x\r\n\r\n"))
	}},
	{"in a stream", func(s *site, c *client, _ string) {
		io.WriteString(c.Conn, s.fill("GET http://plain.test:{plain}/events HTTP/1.1\r\nHost: x\r\n\r\n"))
		c.reader.ReadByte()
	}},
	{"in a WebSocket", func(s *site, c *client, _ string) {
		io.WriteString(c.Conn, s.fill("GET ws://plain.test:{plain}/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"+
			"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"))
		c.reader.ReadByte()
	}},
}

func connectHead(s *site) string {
	return s.fill("CONNECT secure.test:{secure} HTTP/1.1\r\nHost: x\r\n\r\n")
}

// steady waits until two looks in a row count the same.
func steady(t *testing.T, look func() (goroutines, descriptors int)) (goroutines, descriptors int) {
	t.Helper()
	lane.Until(t, "what is kept on purpose is all that is there", func() bool {
		g, d := look()
		same := g == goroutines && d == descriptors
		goroutines, descriptors = g, d
		return same
	})
	return goroutines, descriptors
}

// TestNothingIsLeftBehind opens and drops connections in every phase (1,000
// of them; 10,000 in make soak) and counts goroutines and descriptors.
func TestNothingIsLeftBehind(t *testing.T) {
	count := lane.Rounds(1000, 1000, 10_000)
	run := func(t *testing.T, s *site) {
		hello := string(captureHello(t, &tls.Config{ServerName: "secure.test"}))
		round := func(n int) {
			for i := range n {
				conn, err := net.Dial("tcp", s.addr)
				if err != nil {
					t.Fatal(err)
				}
				conn.SetDeadline(time.Now().Add(5 * time.Second))
				c := newClient(t, conn)
				drops[i%len(drops)].drop(s, c, hello)
				if i%2 == 0 {
					conn.(*net.TCPConn).SetLinger(0) // a reset instead of an end
				}
				conn.Close()
			}
		}
		round(2 * len(drops)) // what is kept on purpose is made here
		settle := func() (goroutines, descriptors int) {
			s.gateway.kept.closeAll()
			closeIdlePipes()
			s.plain.server.CloseClientConnections()
			s.secure.server.CloseClientConnections()
			runtime.GC()
			fds, _ := os.ReadDir("/proc/self/fd")
			return runtime.NumGoroutine(), len(fds)
		}
		lane.Until(t, "the first round is over", func() bool { return s.gateway.tunnels.count() == 0 })
		goroutines, descriptors := steady(t, settle)
		round(count)
		var g, d int
		lane.Until(t, "no goroutine and no descriptor is left behind", func() bool {
			g, d = settle()
			return g <= goroutines+2 && d <= descriptors+2
		})
		lane.Until(t, "no tunnel is open, and the limits count nothing", func() bool {
			return s.gateway.tunnels.count() == 0 && s.gateway.limits.requests.now.Load() == 0 &&
				s.gateway.limits.tunnels.now.Load() == 0
		})
	}
	t.Run("tunnel", func(t *testing.T) { run(t, newSite(t, usualRules, nil)) })
	t.Run("inspect", func(t *testing.T) {
		s, _ := inspectingSite(t, usualRules, nil)
		run(t, s)
	})
}
