package gateway

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// TestReloadInsideTunnels: what a reload changes counts for the next request inside
// a tunnel that is open, whatever the origin speaks.
func TestReloadInsideTunnels(t *testing.T) {
	for _, origin2 := range []bool{false, true} {
		s, pool := inspectingSite(t, usualRules, nil)
		web := endableOrigin(t, s, origin2, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
		first := s.gateway.options.Loaded.Config
		client := inspectClient(s, pool, false)
		ask := func() string {
			resp, err := client.Get(web)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			return statusOf(resp, string(body))
		}
		for _, each := range []struct {
			name, want string
			change     func(*config.Config)
		}{
			{"nothing", "200", func(*config.Config) {}},
			{"a pin", "502 pin-mismatch", func(c *config.Config) {
				const other = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
				c.Apps[0].Pins = []config.Pin{{Host: "*.test", SPKI: []string{other}}}
			}},
			{"no pin", "200", func(*config.Config) {}},
			{"a list that has expired", "502 revocation-unknown", func(c *config.Config) {
				c.CRLs = []string{revocationList(t, s.root, testpki.List{From: testpki.Now.Add(-time.Hour),
					To: testpki.Now.Add(-time.Minute)})}
			}},
			{"no list", "200", func(*config.Config) {}},
			{"no exception", "403 address-refused", func(c *config.Config) { c.Apps[0].Private = nil }},
		} {
			c := first
			c.Apps = slices.Clone(first.Apps)
			each.change(&c)
			if err := s.reload(c); err != nil {
				t.Fatal(err)
			}
			if got := ask(); got != each.want {
				t.Errorf("origin HTTP/2 %v, %s: %s, want %s", origin2, each.name, got, each.want)
			}
		}
	}
}

// TestClientsInsideTunnels: a client whose certificate is revoked, or whose
// authority is none any more, is refused inside its open tunnel, and on its open
// connection.
func TestClientsInsideTunnels(t *testing.T) {
	fleet := testpki.Root(t, testpki.Spec{Name: "Fleet"})
	certificate, key := writePair(t, fleet.Leaf(t, testpki.Spec{Name: "proxy.test", Hosts: []string{"proxy.test"}}))
	authority, _ := writePair(t, fleet)
	other, _ := writePair(t, testpki.Root(t, testpki.Spec{Name: "Other"}))
	device := fleet.Leaf(t, testpki.Spec{Name: "x", Hosts: []string{"shop.device"}})
	dir := t.TempDir()
	inspecting, err := ca.Create(filepath.Join(dir, "ca"), ca.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*config.Config){
		"revoked": func(c *config.Config) {
			c.CRLs = []string{revocationList(t, fleet, testpki.List{Revoked: []*testpki.Pair{device}})}
		},
		"of another authority": func(c *config.Config) {
			c.TLS = &config.TLS{Certificate: certificate, Key: key, ClientCA: other}
		},
	} {
		s := newSite(t, usualRules, func(c *config.Config) {
			c.Apps[0].Certificate, c.Apps[0].Inspect = "shop.device", true
			c.TLS = &config.TLS{Certificate: certificate, Key: key, ClientCA: authority}
			c.CA = config.CA{Certificate: filepath.Join(dir, "ca", ca.CertificateFile),
				Key: filepath.Join(dir, "ca", ca.KeyFile)}
		})
		dial := func() *client {
			conn, err := tls.Dial("tcp", s.addr, &tls.Config{ServerName: "proxy.test", RootCAs: fleet.Pool(),
				Certificates: []tls.Certificate{device.TLS()}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			return newClient(t, conn)
		}
		open := dial()
		ask := func(c *client, target, host string) string {
			c.send(s.fill("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"))
			resp, body := c.answer("GET")
			return statusOf(resp, body)
		}
		tunnel := dial()
		tunnel.send(s.fill("CONNECT secure.test:{secure} HTTP/1.1\r\nHost: x\r\n\r\n"))
		if resp, body := tunnel.answer("CONNECT"); resp.StatusCode != 200 {
			t.Fatal(resp.Status, body)
		}
		secure := tls.Client(tunnel, &tls.Config{ServerName: "secure.test", RootCAs: inspecting.Pool()})
		inside := &client{secure, t, bufio.NewReader(secure)}
		for _, want := range []string{"200", "403 unknown-client"} {
			if got := ask(inside, "/", "secure.test:{secure}"); got != want {
				t.Errorf("%s, inside: %s, want %s", name, got, want)
			}
			if got := ask(open, plainURL, "x"); got != want {
				t.Errorf("%s, on the open connection: %s, want %s", name, got, want)
			}
			c := s.gateway.options.Loaded.Config
			change(&c)
			if err := s.reload(c); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestGoAway: an origin in HTTP/2 that goes away is one that closed, and none of its
// words are passed on.
func TestGoAway(t *testing.T) {
	s, pool := inspectingSite(t, usualRules, nil)
	leaf := s.root.Leaf(t, testpki.Spec{Name: "away.test", Hosts: []string{"away.test"}}).TLS()
	port := serveConns(t, &tls.Config{Certificates: []tls.Certificate{leaf}, NextProtos: []string{"h2"}}, goAway)
	s.writeRules(`<access origin="https://away.test:` + port + `"/>`)
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	s.name("away.test", "127.0.0.1")
	resp, err := inspectClient(s, pool, false).Post("https://away.test:"+port+"/", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if got := statusOf(resp, string(body)); got != "502 upstream-closed" {
		t.Errorf("%s: %s", got, body)
	}
	for _, e := range s.decisions() {
		if e.Method == "POST" && (e.Detail != "the origin closed the connection" ||
			e.Address != netip.MustParseAddrPort("127.0.0.1:"+port)) {
			t.Errorf("%+v", e)
		}
	}
}

// goAway takes a request and goes away.
func goAway(c net.Conn) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c, preface); err != nil {
		return
	}
	f := http2.NewFramer(c, c)
	_ = f.WriteSettings()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		if _, ok := frame.(*http2.HeadersFrame); ok {
			_ = f.WriteGoAway(1, http2.ErrCodeInternal, []byte("secret words"))
			return
		}
	}
}
