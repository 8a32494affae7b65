//go:build unix

package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/proctest"
)

// TestStoppedOrigin: an origin that is held up costs the requests to it their time
// and nothing else, and is used again as soon as it goes on.
func TestStoppedOrigin(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asOrigin+"=1")
	p := proctest.Start(t, cmd)
	address := p.Line(func(line string) string {
		at, found := strings.CutPrefix(line, "at ")
		if !found {
			return ""
		}
		return at
	})
	host := "held.test:" + portOf(address)
	s := newSite(t, usualRules+`<access origin="http://`+host+`"/>`, func(c *config.Config) {
		c.Timeouts.ResponseHeader = 200 * time.Millisecond
	})
	url := "http://" + host
	if _, body := s.get(url + "/"); body != "awake" {
		t.Fatal(body)
	}
	socket := s.dial()
	socket.send("GET ws://" + host + "/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Key: x\r\n\r\n")
	if resp, _ := socket.answer("GET"); resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp.Status)
	}

	p.Pause()
	before := len(s.decisions())
	for range 3 { // over the kept connection, and over new ones, which the system still takes
		if resp, body := s.get(url + "/"); resp.StatusCode != 504 {
			t.Errorf("held up: %d %s", resp.StatusCode, body)
		}
	}
	for _, e := range s.decisions()[before:] {
		if e.Verdict != event.Failed || e.Reason != reasonUpstreamSlow || e.Status != 504 {
			t.Errorf("%+v", e)
		}
	}
	if !s.allows("http://plain.test:{plain}/") {
		t.Error("another origin is not reached")
	}
	socket.send("echo")

	p.Resume()
	if resp, body := s.get(url + "/"); resp.StatusCode != 200 || body != "awake" {
		t.Errorf("it goes on: %d %s", resp.StatusCode, body)
	}
	echo := make([]byte, 4)
	if _, err := io.ReadFull(socket, echo); err != nil || string(echo) != "echo" {
		t.Errorf("the open connection: %q, %v", echo, err)
	}
}

// nameServer answers 127.0.0.1 for every name, while it runs.
type nameServer struct {
	t    *testing.T
	conn net.PacketConn
	done sync.WaitGroup
}

func (n *nameServer) listen(address string) string {
	n.t.Helper()
	var err error
	if n.conn, err = net.ListenPacket("udp", address); err != nil {
		n.t.Fatal(err)
	}
	n.done.Go(func() {
		buffer := make([]byte, 512)
		for {
			count, from, err := n.conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:count]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Additionals = true, nil
			if q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60},
					Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
				}}
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = n.conn.WriteTo(packed, from)
			}
		}
	})
	return n.conn.LocalAddr().String()
}

func (n *nameServer) stop() {
	n.conn.Close()
	n.done.Wait()
}

// TestLostResolver: while nobody resolves names, what is open goes on, what is
// known is reached, what is not is refused with its reason, and the first request
// after the return succeeds.
func TestLostResolver(t *testing.T) {
	s := newSite(t, `<access origin="http://*.test:{plain}"/><access origin="https://*.test:{secure}"/>`, nil)
	s.stop()
	n := &nameServer{t: t}
	address := n.listen("127.0.0.1:0")
	options := s.gateway.options
	options.Metrics, options.Resolver = nil, nil
	options.Loaded.Config.DNS = []string{address}
	g, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	s.gateway = g
	s.start()
	if !s.allows("http://known.test:{plain}/") {
		t.Fatal("the resolver is not asked")
	}
	open := s.connect("secure.test:{secure}").tls(s, "secure.test")
	if err := open.Handshake(); err != nil {
		t.Fatal(err)
	}

	n.stop()
	resp, body := s.get("http://new.test:{plain}/")
	if resp.StatusCode != 502 && resp.StatusCode != 504 || !strings.Contains(body, `"resolver-failed"`) {
		t.Errorf("a name that is not known: %d %s", resp.StatusCode, body)
	}
	if !s.allows("http://known.test:{plain}/") {
		t.Error("a name that is known is not reached")
	}
	io.WriteString(open, "GET / HTTP/1.1\r\nHost: secure.test\r\n\r\n")
	if _, err := io.ReadFull(open, make([]byte, len("HTTP/1.1 200"))); err != nil {
		t.Errorf("an open tunnel: %v", err)
	}

	n.listen(address)
	defer n.stop()
	for _, host := range []string{"new.test", "another.test"} {
		if resp, body := s.get("http://" + host + ":{plain}/"); resp.StatusCode != 200 {
			t.Errorf("the first request for %s after the return: %d %s", host, resp.StatusCode, body)
		}
	}
}

// TestResolverThatRefusesOrIsSilent: each has its status, and the first request
// afterwards is answered.
func TestResolverThatRefusesOrIsSilent(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Timeouts.Lookup = 200 * time.Millisecond })
	s.stop()
	const fine, refuses, silent = 0, 1, 2
	var health atomic.Int32
	resolver := egress.ResolverFunc(func(ctx context.Context, _ string) ([]netip.Addr, time.Duration, error) {
		switch health.Load() {
		case refuses:
			return nil, 0, errors.New("the name server refuses")
		case silent:
			<-ctx.Done()
			return nil, 0, ctx.Err()
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, time.Minute, nil
	})
	o := s.gateway.options
	o.Resolver, o.Metrics = resolver, event.NewMetrics()
	var err error
	if s.gateway, err = New(o); err != nil {
		t.Fatal(err)
	}
	s.start()
	for i, each := range []struct {
		health int32
		status int
	}{{refuses, 502}, {silent, 504}} {
		host := string(rune('a'+i)) + ".test" // nothing of it is kept
		s.writeRules(`<access origin="http://plain.test:{plain}"/><access origin="http://` + host + `:{plain}"/>`)
		if err := s.gateway.Reload(); err != nil {
			t.Fatal(err)
		}
		health.Store(each.health)
		if resp, body := s.get("http://" + host + ":{plain}/"); resp.StatusCode != each.status ||
			!strings.Contains(body, "resolver-failed") {
			t.Errorf("without a resolver: %d %s, want %d", resp.StatusCode, body, each.status)
		}
		health.Store(fine)
		if resp, body := s.get("http://" + host + ":{plain}/"); resp.StatusCode != 200 {
			t.Errorf("the first request after its return: %d %s", resp.StatusCode, body)
		}
	}
}
