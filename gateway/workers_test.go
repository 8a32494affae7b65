package gateway

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
)

// TestKeptAliveAfterRefusal: one connection, first refused requests, then one
// that goes through, in one piece and byte by byte.
func TestKeptAliveAfterRefusal(t *testing.T) {
	s := newSite(t, usualRules, nil)
	refused := s.fill("GET http://evil.test:{evil}/a HTTP/1.1\r\nHost: evil.test\r\n\r\n")
	allowed := s.fill("GET http://plain.test:{plain}/b HTTP/1.1\r\nHost: plain.test\r\n\r\n")
	check := func(t *testing.T, c *client) {
		t.Helper()
		for i, want := range []int{403, 403, 200, 403, 200} {
			if resp, body := c.answer("GET"); resp.StatusCode != want || resp.Close {
				t.Fatalf("answer %d: %d (close: %v) %s", i, resp.StatusCode, resp.Close, body)
			}
		}
	}
	all := refused + refused + allowed + refused + allowed
	t.Run("in one piece", func(t *testing.T) {
		c := s.dial()
		c.send(all)
		check(t, c)
	})
	t.Run("byte by byte", func(t *testing.T) {
		c := s.dial()
		go func() {
			for i := range len(all) {
				if _, err := io.WriteString(c.Conn, all[i:i+1]); err != nil {
					return
				}
			}
		}()
		check(t, c)
	})
	t.Run("one after the other", func(t *testing.T) {
		c := s.dial()
		for _, text := range []string{refused, refused, allowed, refused, allowed} {
			c.send(text)
			want := 403
			if text == allowed {
				want = 200
			}
			if resp, body := c.answer("GET"); resp.StatusCode != want {
				t.Fatalf("%d %s", resp.StatusCode, body)
			}
		}
	})
	if got := len(s.evil.saw()); got != 0 {
		t.Errorf("%d refused requests have arrived", got)
	}
	counts := map[event.Verdict]int{}
	lane.Until(t, "each request has its one decision", func() bool {
		clear(counts)
		for _, e := range s.decisions() {
			counts[e.Verdict]++
		}
		return counts[event.Allowed] == 6 && counts[event.Blocked] == 9
	})
}

// TestRefusalLooksTheSame: a client cannot tell whether a worker or the HTTP
// server refused it.
func TestRefusalLooksTheSame(t *testing.T) {
	s := newSite(t, usualRules, nil)
	ask := func(extra string) *http.Response {
		c := s.dial()
		c.send(s.fill("GET http://evil.test:{evil}/ HTTP/1.1\r\nHost: x\r\n" + extra + "\r\n"))
		resp, body := c.answer("GET")
		if resp.StatusCode != 403 || !strings.Contains(body, `"reason":"not-listed"`) {
			t.Fatalf("%d %s", resp.StatusCode, body)
		}
		resp.Header.Del("Date")
		return resp
	}
	worker, server := ask(""), ask("Connection: keep-alive, x\r\n")
	if worker.Status != server.Status || worker.Proto != server.Proto || len(worker.Header) != len(server.Header) {
		t.Errorf("%s %v\n%s %v", worker.Proto, worker.Header, server.Proto, server.Header)
	}
	for name, value := range server.Header {
		if got := worker.Header[name]; strings.Join(got, ",") != strings.Join(value, ",") {
			t.Errorf("%s: %v and %v", name, got, value)
		}
	}
}

// TestSecondAddressIsTried: a name whose first address does not answer is
// reached by its second, also when the answer is kept.
func TestSecondAddressIsTried(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) {
		c.Apps[0].Private = append(
			c.Apps[0].Private,
			config.Private{Host: "*", Range: netip.MustParsePrefix("127.0.0.0/8")},
		)
	})
	s.name("secure.test", "127.0.0.9", "127.0.0.1") // nothing listens at the first
	for range 3 {
		c := s.connect("secure.test:{secure}")
		secure := c.tls(s, "secure.test")
		if err := secure.Handshake(); err != nil {
			t.Fatal(err)
		}
		secure.Close()
	}
}

// TestSilentConnectionIsClosed: a client that connects and says nothing is let
// go after the time for a head.
func TestSilentConnectionIsClosed(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Timeouts.Header = 100 * time.Millisecond })
	if c := s.dial(); !c.closed() {
		t.Error("a silent connection is open")
	}
	c := s.dial()
	c.send(s.fill("GET http://evil.test:{evil}/ HTTP/1.1\r\nHost: x\r\n\r\n"))
	if resp, _ := c.answer("GET"); resp.StatusCode != 403 {
		t.Errorf("%d", resp.StatusCode)
	}
}

// TestKeptAliveEnds: a refused connection is kept as long as keep_alive says.
func TestKeptAliveEnds(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Timeouts.KeepAlive = 100 * time.Millisecond })
	c := s.dial()
	c.send(s.fill("GET http://evil.test:{evil}/ HTTP/1.1\r\nHost: x\r\n\r\n"))
	if resp, _ := c.answer("GET"); resp.StatusCode != 403 {
		t.Errorf("%d", resp.StatusCode)
	}
	if !c.closed() {
		t.Error("the connection is open")
	}
}

// TestTunnelsOfAnyBeginning: the hello may come with the CONNECT, in pieces, or
// with more behind it.
func TestTunnelsOfAnyBeginning(t *testing.T) {
	s := newSite(t, usualRules, nil)
	head := s.fill("CONNECT secure.test:{secure} HTTP/1.1\r\nHost: x\r\n\r\n")
	for name, cut := range map[string]func(hello string) []string{
		"all at once":   func(hello string) []string { return []string{head + hello} },
		"head apart":    func(hello string) []string { return []string{head, hello} },
		"head in two":   func(hello string) []string { return []string{head[:20], head[20:] + hello} },
		"hello in two":  func(hello string) []string { return []string{head + hello[:50], hello[50:]} },
		"byte by byte":  func(hello string) []string { return strings.Split(head+hello, "") },
		"hello by byte": func(hello string) []string { return append([]string{head}, strings.Split(hello, "")...) },
	} {
		t.Run(name, func(t *testing.T) {
			c := s.dial()
			begin := &firstWrite{Conn: c, cut: cut}
			secure := tls.Client(
				begin,
				&tls.Config{ServerName: "secure.test", RootCAs: s.root.Pool(), NextProtos: []string{"http/1.1"}},
			)
			begin.established = func() { c.answer("CONNECT") }
			if err := secure.Handshake(); err != nil {
				t.Fatal(err)
			}
			io.WriteString(secure, "GET /x HTTP/1.1\r\nHost: secure.test\r\n\r\n")
			if resp, _ := newClient(t, secure).answer("GET"); resp.StatusCode != 200 {
				t.Errorf("%d", resp.StatusCode)
			}
		})
	}
}

// firstWrite sends the first thing that is written in pieces.
type firstWrite struct {
	net.Conn
	cut         func(string) []string
	established func()
}

func (w *firstWrite) Write(p []byte) (int, error) {
	if w.cut == nil {
		return w.Conn.Write(p)
	}
	for _, piece := range w.cut(string(p)) {
		if _, err := io.WriteString(w.Conn, piece); err != nil {
			return 0, err
		}
	}
	w.cut = nil
	w.established()
	return len(p), nil
}

// TestStopCutsWhatWaits: a gateway that ends lets go of connections in every
// phase, and ends.
func TestStopCutsWhatWaits(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Timeouts.Drain = 50 * time.Millisecond })
	silent := s.dial()
	kept := s.dial()
	kept.send(s.fill("GET http://evil.test:{evil}/ HTTP/1.1\r\nHost: x\r\n\r\n"))
	kept.answer("GET")
	greeting := s.connect("secure.test:{secure}")
	s.stop()
	// The system may not have handed a silent connection over; then it says so
	// when something is sent.
	_, _ = io.WriteString(silent.Conn, "GET")
	for name, c := range map[string]*client{"silent": silent, "kept": kept, "greeting": greeting} {
		if !c.closed() {
			t.Errorf("the %s connection is open", name)
		}
	}
}
