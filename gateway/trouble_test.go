package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// silentOrigin accepts connections and never answers; it returns its port.
func silentOrigin(t *testing.T) string {
	t.Helper()
	return serveConns(t, nil, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
}

func TestUpstreamTrouble(t *testing.T) {
	silent := silentOrigin(t)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	deadPort := portOf(dead.Addr().String())
	dead.Close()
	s := newSite(t, usualRules, func(c *config.Config) {
		c.Timeouts.ResponseHeader = 200 * time.Millisecond
		c.Timeouts.Lookup = 200 * time.Millisecond
	})
	s.writeRules(
		`<access origin="http://silent.test:` + silent + `"/><access origin="http://dead.test:` + deadPort + `"/>
<access origin="http://hangs.invalid"/><access origin="https://hangs.invalid"/><access origin="http://broken.invalid"/><access origin="http://none.invalid"/>`,
	)
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	for _, each := range []struct {
		request string
		status  int
		reason  string
	}{
		{"GET http://silent.test:" + silent + "/ HTTP/1.1", 504, reasonUpstreamSlow},
		{"POST http://silent.test:" + silent + "/ HTTP/1.1\r\nContent-Length: 0", 504, reasonUpstreamSlow},
		{"GET http://dead.test:" + deadPort + "/ HTTP/1.1", 502, "unreachable"},
		{"CONNECT dead.test:" + deadPort + " HTTP/1.1", 502, "unreachable"},
		{"GET http://hangs.invalid/ HTTP/1.1", 504, "resolver-failed"},
		{"CONNECT hangs.invalid:443 HTTP/1.1", 504, "resolver-failed"},
		{"GET http://broken.invalid/ HTTP/1.1", 502, "resolver-failed"},
		{"GET http://none.invalid/ HTTP/1.1", 502, "no-such-host"},
	} {
		c := s.dial()
		c.send(each.request + "\r\nHost: x\r\n\r\n")
		resp, body := c.answer("GET")
		if resp.StatusCode != each.status || !strings.Contains(body, each.reason) {
			t.Errorf("%s: %d %s", each.request, resp.StatusCode, body)
		}
		e := s.decisions()[len(s.decisions())-1]
		if e.Verdict != event.Failed || e.Detail == "" {
			t.Errorf("%s: event %+v", each.request, e)
		}
	}
}

// trouble is what a resolver says about names that do not end in .test.
func trouble(ctx context.Context, host string) error {
	switch host {
	case "hangs.invalid":
		<-ctx.Done()
		return ctx.Err()
	case "broken.invalid":
		return errors.New("the name server refuses")
	}
	return egress.ErrNoSuchHost
}

func TestNamedPlatform(t *testing.T) {
	for _, platform := range []string{"android@15.1.0", "android@3.6.4", "ios@8", "w3c"} {
		s := newSite(t, usualRules, func(c *config.Config) {
			c.Apps[0].Platform = platform
		})
		s.writeRules(`<access origin="http://plain.test:{plain}"/><allow-navigation ` +
			`href="http://plain.test:{plain}/*"/>`)
		if err := s.gateway.Reload(); err != nil {
			t.Fatal(err)
		}
		resp, body := s.get("http://plain.test:{plain}/x")
		if resp.StatusCode != 200 {
			t.Errorf("%s, listed: %d %s", platform, resp.StatusCode, body)
		}
		if resp, _ := s.get("http://evil.test:{evil}/x"); resp.StatusCode != 403 {
			t.Errorf("%s, unlisted: %d", platform, resp.StatusCode)
		}
		if n := s.evil.connections(); n != 0 {
			t.Errorf("%s: the unlisted origin saw %d connections", platform, n)
		}
	}
}

func TestLaunchRulesOpenNothing(t *testing.T) {
	s := newSite(t, `<allow-intent href="http://evil.test:{evil}"/><access origin="http://other.test:{evil}" `+
		`launch-external="yes"/><allow-navigation href="http://plain.test:{plain}"/>`, nil)
	s.writeRules(`<allow-intent href="http://evil.test:{evil}"/><access origin="http://other.test:{evil}" ` +
		`launch-external="yes"/><allow-navigation href="http://plain.test:{plain}"/>`)
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]int{"http://evil.test:{evil}/": 403, "http://other.test:{evil}/": 403,
		"http://plain.test:{plain}/": 200} {
		if resp, _ := s.get(url); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", url, resp.StatusCode, want)
		}
	}
}

func TestRequireTLS(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Apps[0].RequireTLS = true })
	for _, request := range []string{"GET http://plain.test:{plain}/ HTTP/1.1", "CONNECT plain.test:{plain} HTTP/1.1"} {
		c := s.dial()
		c.send(s.fill(request) + "\r\nHost: x\r\n\r\n")
		if resp, body := c.answer("GET"); resp.StatusCode != 403 {
			t.Errorf("%s: %d %s", request, resp.StatusCode, body)
		}
	}
	s.connect("secure.test:{secure}")
}

func TestReadinessIsNotified(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	s := newSite(t, usualRules, nil)
	buffer := make([]byte, 64)
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := conn.Read(buffer); err != nil || string(buffer[:n]) != "READY=1" {
		t.Errorf("%q %v", buffer[:n], err)
	}
	s.stop()
	if n, err := conn.Read(buffer); err != nil || string(buffer[:n]) != "STOPPING=1" {
		t.Errorf("%q %v", buffer[:n], err)
	}
}

func TestLargeTransfersSurviveTheStop(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Timeouts.Drain = 10 * time.Second })
	client, server := s.rawTunnel(t)
	const size = 32 << 20
	go func() {
		chunk := make([]byte, 1<<20)
		for range size >> 20 {
			if _, err := server.Write(chunk); err != nil {
				return
			}
			time.Sleep(2 * time.Millisecond)
		}
		server.Close()
	}()
	first := make([]byte, 1<<20)
	if _, err := io.ReadFull(client, first); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() { s.stop(); close(stopped) }()
	rest, err := io.Copy(io.Discard, client)
	if err != nil || rest+int64(len(first)) != size {
		t.Errorf("%d bytes of %d, %v", rest+int64(len(first)), size, err)
	}
	client.Close()
	<-stopped
}

// pacOf asks for the proxy configuration and returns where it leads.
func pacOf(t *testing.T, body string) string {
	t.Helper()
	_, after, _ := strings.Cut(body, `return "`)
	way, _, found := strings.Cut(after, `"`)
	if !found || strings.Contains(body, "DIRECT") {
		t.Fatalf("%q", body)
	}
	return way
}

// TestPAC: the script names an address that the browser which asks can use.
func TestPAC(t *testing.T) {
	own := func(s *site, host string) string {
		c := s.dial()
		c.send("GET /proxy.pac HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
		_, body := c.answer("GET")
		return pacOf(t, body)
	}
	admin := func(s *site) string {
		w := httptest.NewRecorder()
		s.gateway.adminServer().Handler.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost:9090/proxy.pac", nil))
		return pacOf(t, w.Body.String())
	}
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	s := newSite(t, usualRules, nil)
	check("asked by its address", own(s, s.addr), "PROXY "+s.addr)
	check("asked by a name", own(s, "Proxy.test:3128"), "PROXY proxy.test:3128")
	check("asked by a name alone", own(s, "proxy.test"), "PROXY proxy.test:80")
	check("bound to one address", admin(s), "PROXY "+s.addr)

	s = newSite(t, usualRules, func(c *config.Config) { c.Listen = "0.0.0.0:0" })
	port := portOf(s.addr)
	s.addr = "127.0.0.1:" + port
	check("everywhere, asked by a name", own(s, "proxy.test:"+port), "PROXY proxy.test:"+port)
	for _, asked := range []string{"0.0.0.0:" + port, "", "[::]", "a..b"} {
		check("everywhere, asked by "+asked, own(s, asked), "PROXY 127.0.0.1:"+port)
	}
	check("everywhere, by the operators' listener", admin(s), "PROXY localhost:"+port)

	s = newSite(t, usualRules, func(c *config.Config) { c.Listen, c.PublicName = "0.0.0.0:0", "proxy.example" })
	port = portOf(s.addr)
	s.addr = "127.0.0.1:" + port
	check("a public name", own(s, "127.0.0.1:"+port), "PROXY proxy.example:"+port)
	check("a public name, by the operators' listener", admin(s), "PROXY proxy.example:"+port)

	root := testpki.Root(t, testpki.Spec{Name: "Fleet"})
	certificate, key := writePair(t, root.Leaf(t, testpki.Spec{Name: "x", Hosts: []string{"*.test", "proxy.test"}}))
	s = newSite(t, usualRules, func(c *config.Config) {
		c.Listen, c.TLS = "0.0.0.0:0", &config.TLS{Certificate: certificate, Key: key}
	})
	check("TLS", admin(s), "HTTPS proxy.test:"+portOf(s.addr))
}
