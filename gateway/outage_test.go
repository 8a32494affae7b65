package gateway

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
)

// TestResolverGoesAndComesBack: without its resolver the gateway says so, what is
// open goes on, and the first request after its return is answered.
func TestResolverGoesAndComesBack(t *testing.T) {
	s := newSite(t, usualRules, func(c *Config) { c.Timeouts.Lookup = 200 * time.Millisecond })
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
	echo := s.connect("plain.test:{plain}")
	upgrade := s.fill("GET /ws HTTP/1.1\r\nHost: plain.test:{plain}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Key: eA==\r\n\r\n")
	echo.send(upgrade)
	if resp := echo.response("GET"); resp.StatusCode != 101 {
		t.Fatalf("%d", resp.StatusCode)
	}
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
		echo.send("on")
		if got := make([]byte, 2); must(io.ReadFull(echo, got)) != nil || string(got) != "on" {
			t.Errorf("the open tunnel says %q", got)
		}
		health.Store(fine)
		if resp, body := s.get("http://" + host + ":{plain}/"); resp.StatusCode != 200 {
			t.Errorf("the first request after its return: %d %s", resp.StatusCode, body)
		}
	}
}

func must(_ int, err error) error { return err }
