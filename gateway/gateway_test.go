package gateway

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
)

func TestForward(t *testing.T) {
	s := newSite(t, usualRules, nil)
	resp, body := s.get("http://plain.test:{plain}/a/b?c=d", "X-Zumo-Auth: token", "Connection: X-Hop", "X-Hop: 1",
		"Proxy: evil", "Accept-Encoding: br")
	if resp.StatusCode != 200 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	for name, want := range map[string]string{
		"X-Host": s.fill("plain.test:{plain}"), "X-Target": "/a/b?c=d", "X-Got-X-Zumo-Auth": "token",
		"X-Got-Accept-Encoding": "br", "X-Got-X-Hop": "", "X-Got-Proxy": "", "X-Got-Connection": "",
		"Proxy-Authenticate": "", "X-Got-User-Agent": "",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	lane.Until(t, "the decision is recorded", func() bool { return len(s.decisions()) == 1 })
	e := s.decisions()[0]
	if e.Verdict != event.Allowed || e.App != "app" || e.Host != "plain.test" || e.Path != "/a/b" || e.Status != 200 ||
		e.Place == "" || e.Address.Port() != s.plain.port {
		t.Errorf("event = %+v", e)
	}
}

func TestForwardDenied(t *testing.T) {
	s := newSite(t, usualRules, nil)
	c := s.dial()
	for range 2 { // the connection stays open after a refused request without a body
		c.send(s.fill("GET http://evil.test:{evil}/?q=secret HTTP/1.1\r\nHost: plain.test\r\n\r\n"))
		resp, body := c.answer("GET")
		if resp.StatusCode != 403 || resp.Header.Get("Content-Type") != "application/problem+json" ||
			!strings.Contains(body, `"reason":"not-listed"`) {
			t.Fatalf("%d %v %s", resp.StatusCode, resp.Header, body)
		}
		if !strings.Contains(body, s.decisions()[len(s.decisions())-1].ID) {
			t.Errorf("the answer %s lacks the id of the event", body)
		}
	}
	if n := s.evil.connections(); n != 0 {
		t.Errorf("the denied origin saw %d connections", n)
	}
	if e := s.decisions()[0]; e.Path != "/" || e.Verdict != event.Blocked ||
		e.Detail != s.fill(`<access origin="http://evil.test:{evil}"/> would allow it`) {
		t.Errorf("event = %+v", e)
	}
}

func TestForwardBodies(t *testing.T) {
	s := newSite(t, usualRules, nil)
	c := s.dial()
	for _, each := range []struct{ name, head, body, want string }{
		{"sized", "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", "hello", "hello"},
		{"chunked", "PUT {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n",
			"hello"},
		{"get with body", "GET {} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n", "ab", "ab"},
		{"expect", "POST {} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "ab", "ab"},
		{"empty post", "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "", ""},
		{"delete", "DELETE {} HTTP/1.1\r\nHost: x\r\n\r\n", "", ""},
	} {
		c.send(strings.Replace(each.head, "{}", s.fill("http://plain.test:{plain}/echo"), 1) + each.body)
		resp, body := c.answer("POST")
		for resp.StatusCode == 100 {
			resp, body = c.answer("POST")
		}
		if resp.StatusCode != 200 || body != each.want {
			t.Errorf("%s: %d %q, want %q", each.name, resp.StatusCode, body, each.want)
		}
	}
}

func TestForwardHeadAndRange(t *testing.T) {
	s := newSite(t, usualRules, nil)
	c := s.dial()
	c.send(s.fill("HEAD http://plain.test:{plain}/file HTTP/1.1\r\nHost: x\r\n\r\n"))
	if resp, _ := c.answer("HEAD"); resp.StatusCode != 200 || resp.ContentLength != 1000000 {
		t.Errorf("HEAD: %d, length %d", resp.StatusCode, resp.ContentLength)
	}
	c.send(s.fill("GET http://plain.test:{plain}/file HTTP/1.1\r\nHost: x\r\nRange: bytes=10-19\r\n\r\n"))
	if resp, body := c.answer("GET"); resp.StatusCode != 206 || body != "0123456789" ||
		resp.Header.Get("Content-Range") != "bytes 10-19/1000000" {
		t.Errorf("range: %d %q %v", resp.StatusCode, body, resp.Header)
	}
	c.send(s.fill("GET http://plain.test:{plain}/file HTTP/1.1\r\nHost: x\r\n\r\n"))
	if resp, body := c.answer("GET"); resp.StatusCode != 200 || len(body) != 1000000 {
		t.Errorf("whole: %d, %d bytes", resp.StatusCode, len(body))
	}
	if n := s.plain.connections(); n != 1 {
		t.Errorf("the origin saw %d connections for three requests, want 1", n)
	}
}

func TestForwardOddities(t *testing.T) {
	s := newSite(t, usualRules, nil)
	t.Run("redirect is handed back", func(t *testing.T) {
		if resp, _ := s.get("http://plain.test:{plain}/redirect"); resp.StatusCode != 302 ||
			resp.Header.Get("Location") != "http://evil.test/" {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
	})
	t.Run("407 of an origin", func(t *testing.T) {
		resp, body := s.get("http://plain.test:{plain}/407")
		if resp.StatusCode != 502 || resp.Header.Get("Proxy-Authenticate") != "" ||
			!strings.Contains(body, reasonUpstream407) {
			t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
		}
	})
	t.Run("events arrive one by one", func(t *testing.T) {
		c := s.dial()
		c.send(s.fill("GET http://plain.test:{plain}/events HTTP/1.1\r\nHost: x\r\n\r\n"))
		resp, err := http.ReadResponse(c.reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 9)
		if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "data: 0\n\n" {
			t.Errorf("%q %v", first, err)
		}
		rest, err := io.ReadAll(resp.Body)
		if err != nil || string(rest) != "data: 1\n\ndata: 2\n\n" {
			t.Errorf("%q %v", rest, err)
		}
	})
	t.Run("https in absolute form goes over TLS", func(t *testing.T) {
		resp, body := s.get("https://secure.test:{secure}/x")
		if resp.StatusCode != 200 || resp.Header.Get("X-Host") != s.fill("secure.test:{secure}") {
			t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
		}
	})
}

func TestConnect(t *testing.T) {
	s := newSite(t, usualRules, nil)
	c := s.connect("secure.test:{secure}")
	secure := c.tls(s, "secure.test")
	io.WriteString(secure, "GET /inside HTTP/1.1\r\nHost: secure.test\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(secure), nil)
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("X-Target") != "/inside" {
		t.Fatalf("%v %v", resp, err)
	}
	secure.Close()
	lane.Until(t, "the tunnel's end is recorded", func() bool {
		list := s.ring.Latest()
		return len(list) == 2 && list[1].Type == event.Close && list[1].Up > 100 && list[1].Down > 500 &&
			list[0].ID == list[1].ID
	})
	if e := s.ring.Latest()[0]; e.Verdict != event.Allowed || e.Reason != "listed" || e.Host != "secure.test" ||
		e.Method != "CONNECT" {
		t.Errorf("event = %+v", e)
	}
}

func TestConnectServerNames(t *testing.T) {
	s := newSite(t, usualRules+`<access origin="https://127.0.0.1:{secure}"/>`, nil)
	for _, each := range []struct{ target, name, reason string }{
		{"secure.test:{secure}", "other.test", reasonNameMismatch},
		{"secure.test:{secure}", "", reasonNameMissing},
		{"SECURE.test.:{secure}", "secure.test", "listed"},
		{"127.0.0.1:{secure}", "", "listed"},
		{"127.0.0.1:{secure}", "secure.test", reasonNameUnexpected},
	} {
		t.Run(each.target+" "+each.name, func(t *testing.T) {
			before := len(s.decisions())
			c := s.connect(each.target)
			secure := tls.Client(c, &tls.Config{ServerName: each.name, InsecureSkipVerify: true})
			err := secure.Handshake()
			if (err == nil) != (each.reason == "listed") {
				t.Errorf("handshake: %v", err)
			}
			lane.Until(t, "one more decision", func() bool { return len(s.decisions()) == before+1 })
			if e := s.decisions()[before]; e.Reason != each.reason {
				t.Errorf("reason %q, want %q (%s)", e.Reason, each.reason, e.Detail)
			}
		})
	}
}

// TestOptimisticHello sends the hello together with the CONNECT, and cut in the
// middle.
func TestOptimisticHello(t *testing.T) {
	s := newSite(t, usualRules, nil)
	hello := string(captureHello(t, &tls.Config{ServerName: "secure.test"}))
	for _, cut := range []int{0, 1, len(hello) / 2, len(hello)} {
		c := s.dial()
		c.send(s.fill("CONNECT secure.test:{secure} HTTP/1.1\r\nHost: x\r\n\r\n") + hello[:cut])
		if resp, _ := c.answer("CONNECT"); resp.StatusCode != 200 {
			t.Fatalf("%d", resp.StatusCode)
		}
		c.send(hello[cut:])
		if first, err := c.reader.ReadByte(); err != nil || first != recordHandshake {
			t.Errorf("cut at %d: the origin answered %d, %v", cut, first, err)
		}
		c.Close()
	}
}

func TestConnectDenied(t *testing.T) {
	s := newSite(t, usualRules, nil)
	c := s.dial()
	c.send(s.fill("CONNECT evil.test:{evil} HTTP/1.1\r\nHost: x\r\n\r\n" +
		"GET http://plain.test:{plain}/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"))
	resp, body := c.answer("GET")
	if resp.StatusCode != 403 || !strings.Contains(body, "not-listed") {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	if !c.closed() {
		t.Error("the connection is open after a refused CONNECT")
	}
	if seen := s.plain.saw(); len(seen) != 0 {
		t.Errorf("tunnel data was read as a request: %v", seen)
	}
}

func TestTunnelMovesALot(t *testing.T) {
	s := newSite(t, usualRules, nil)
	client, server := s.rawTunnel(t)
	const size = 8 << 20
	sum := func(r io.Reader, n int64) error {
		moved, err := io.Copy(io.Discard, io.LimitReader(r, n))
		if err == nil && moved != n {
			err = fmt.Errorf("%d bytes of %d", moved, n)
		}
		return err
	}
	errs := make(chan error, 4)
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	write := func(w io.Writer) {
		for range size >> 20 {
			if _, err := w.Write(chunk); err != nil {
				errs <- err
				return
			}
		}
		errs <- nil
	}
	go write(client)
	go write(server)
	go func() { errs <- sum(client, size) }()
	go func() { errs <- sum(server, size) }()
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestHalfClose(t *testing.T) {
	s := newSite(t, usualRules, nil)
	client, server := s.rawTunnel(t)
	client.Conn.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(server); err != nil || len(rest) != 0 {
		t.Fatalf("the server read %q, %v", rest, err)
	}
	io.WriteString(server, "after your end")
	server.Close()
	if rest, err := io.ReadAll(client); err != nil || string(rest) != "after your end" {
		t.Errorf("the client read %q, %v", rest, err)
	}
}

// rawTunnel returns both ends of a tunnel whose hello has passed.
func (s *site) rawTunnel(t *testing.T) (*client, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	target := "raw.test:" + portOf(l.Addr().String())
	s.writeRules(usualRules + `<access origin="https://` + target + `"/>`)
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	c := s.connect(target)
	hello := captureHello(t, &tls.Config{ServerName: "raw.test"})
	c.send(string(hello))
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	server.SetDeadline(time.Now().Add(20 * time.Second))
	got := make([]byte, len(hello))
	if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, hello) {
		t.Fatalf("the hello did not arrive as it was: %v", err)
	}
	return c, server
}

// captureHello returns the first flight that crypto/tls sends.
func captureHello(t testing.TB, c *tls.Config) []byte {
	t.Helper()
	here, there := net.Pipe()
	go func() {
		tls.Client(here, c).Handshake()
		here.Close()
	}()
	b := make([]byte, 1<<16)
	n, err := there.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	there.Close()
	return b[:n]
}

func TestWebSocket(t *testing.T) {
	s := newSite(t, usualRules, nil)
	const shake = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: eA==\r\n\r\n"
	echo := func(c *client) {
		t.Helper()
		resp, err := http.ReadResponse(c.reader, nil)
		if err != nil || resp.StatusCode != 101 || resp.Header.Get("Sec-WebSocket-Accept") != "x" {
			t.Fatalf("%v %v", resp, err)
		}
		c.send("ping")
		got := make([]byte, 4)
		if _, err := io.ReadFull(c.reader, got); err != nil || string(got) != "ping" {
			t.Errorf("%q %v", got, err)
		}
	}
	t.Run("absolute form ws", func(t *testing.T) {
		c := s.dial()
		c.send(s.fill("GET ws://plain.test:{plain}/ws HTTP/1.1\r\nHost: x\r\n" + shake))
		echo(c)
	})
	t.Run("absolute form http", func(t *testing.T) {
		c := s.dial()
		c.send(s.fill("GET http://plain.test:{plain}/ws HTTP/1.1\r\nHost: x\r\n" + shake))
		echo(c)
	})
	t.Run("in a tunnel", func(t *testing.T) {
		c := s.connect("plain.test:{plain}")
		c.send(s.fill("GET /ws HTTP/1.1\r\nHost: plain.test:{plain}\r\n" + shake))
		echo(c)
	})
	t.Run("in a tunnel without an upgrade", func(t *testing.T) {
		c := s.connect("plain.test:{plain}")
		c.send(s.fill("GET /plain HTTP/1.1\r\nHost: plain.test:{plain}\r\n\r\n"))
		if resp, body := c.answer("GET"); resp.StatusCode != 200 || resp.Header.Get("X-Target") != "/plain" {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
	})
	t.Run("cleartext to a TLS rule", func(t *testing.T) {
		c := s.connect("secure.test:{secure}")
		c.send("GET /ws HTTP/1.1\r\nHost: secure.test\r\n" + shake)
		if !c.closed() {
			t.Error("the tunnel is open")
		}
	})
}

func TestReload(t *testing.T) {
	s := newSite(t, usualRules, nil)
	client, server := s.rawTunnel(t)
	s.writeRules(`<access origin="http://other.test:{plain}"/>`)
	lane.Until(t, "the change is in force", func() bool {
		resp, _ := s.get("http://other.test:{plain}/")
		return resp.StatusCode == 200
	})
	if resp, _ := s.get("http://plain.test:{plain}/"); resp.StatusCode != 403 {
		t.Errorf("what the new file does not list got %d", resp.StatusCode)
	}
	if err := writeFile(s.config, "<widget><access"); err != nil {
		t.Fatal(err)
	}
	lane.Until(t, "the broken file is noticed", func() bool {
		for _, e := range s.ring.Latest() {
			if e.Type == event.Notice && e.Reason == "reload-failed" {
				return true
			}
		}
		return false
	})
	if resp, _ := s.get("http://other.test:{plain}/"); resp.StatusCode != 200 {
		t.Errorf("a broken file took the old policy away: %d", resp.StatusCode)
	}
	io.WriteString(server, "still")
	got := make([]byte, 5)
	if _, err := io.ReadFull(client, got); err != nil || string(got) != "still" {
		t.Errorf("the tunnel broke on reload: %q %v", got, err)
	}
}

func TestDrainKnowsTunnels(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Timeouts.Drain = 5 * time.Second })
	client, server := s.rawTunnel(t)
	stopped := make(chan struct{})
	go func() { s.stop(); close(stopped) }()
	lane.Until(t, "nothing new is accepted", func() bool {
		c, err := net.Dial("tcp", s.addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	io.WriteString(server, "the rest")
	server.Close()
	if got, err := io.ReadAll(client); err != nil || string(got) != "the rest" {
		t.Errorf("%q %v", got, err)
	}
	client.Close()
	<-stopped
}

func TestIdleTunnelIsClosed(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Timeouts.Idle = 100 * time.Millisecond })
	client, _ := s.rawTunnel(t)
	if !client.closed() {
		t.Error("a silent tunnel stays open")
	}
	lane.Until(t, "the end says why", func() bool {
		list := s.ring.Latest()
		return list[len(list)-1].Detail == "idle"
	})
}
