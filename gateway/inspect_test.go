package gateway

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
)

// inspectingSite is a site whose app is inspected, with a client that trusts
// the gateway's authority.
func inspectingSite(t *testing.T, rules string, change func(*config.Config)) (*site, *x509.CertPool) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ca")
	authority, err := ca.Create(dir, ca.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, rules, func(c *config.Config) {
		c.Apps[0].Inspect = true
		c.CA = config.CA{Certificate: filepath.Join(dir, ca.CertificateFile), Key: filepath.Join(dir, ca.KeyFile)}
		if change != nil {
			change(c)
		}
	})
	return s, authority.Pool()
}

const inspectRules = `<access origin="https://secure.test:{secure}/app"/>
<access origin="https://other.test:{secure}"/>
<access origin="https://untrusted.test:{secure}"/>
<access origin="http://plain.test:{plain}"/>`

func inspectClient(s *site, pool *x509.CertPool, http2 bool) *http.Client {
	proxy, _ := url.Parse("http://" + s.addr)
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: pool},
		ForceAttemptHTTP2: http2, DisableCompression: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func TestInspect(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		s, pool := inspectingSite(t, inspectRules, nil)
		client := inspectClient(s, pool, http2)
		for _, each := range []struct {
			url    string
			status int
			reason string
		}{
			{"https://secure.test:{secure}/app/x?q=1", 200, "listed"},
			{"https://secure.test:{secure}/apple", 403, "not-listed"},
			{"https://secure.test:{secure}/app/../secret", 403, "not-listed"},
			{"https://secure.test:{secure}/app/%2e%2e/secret", 403, "not-listed"},
			{"https://other.test:{secure}/any", 200, "listed"},
			{"https://untrusted.test:{secure}/", 403, "certificate-name"},
		} {
			resp, err := client.Get(s.fill(each.url))
			if err != nil {
				t.Errorf("http2 %v, %s: %v", http2, each.url, err)
				continue
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if each.url == "https://untrusted.test:{secure}/" {
				if resp.StatusCode < 400 {
					t.Errorf("an origin with a wrong certificate got %d", resp.StatusCode)
				}
				continue
			}
			if resp.StatusCode != each.status || each.status == 403 && !strings.Contains(string(body), each.reason) {
				t.Errorf("http2 %v, %s: %d %s", http2, each.url, resp.StatusCode, body)
			}
			if http2 != (resp.ProtoMajor == 2) {
				t.Errorf("http2 %v, %s: answered in %s", http2, each.url, resp.Proto)
			}
		}
		body := strings.Repeat("0123456789", 20000)
		resp, err := client.Post(s.fill("https://other.test:{secure}/echo"), "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(got) != body {
			t.Errorf("http2 %v: echoed %d bytes of %d, %v", http2, len(got), len(body), err)
		}
		if resp, err := client.Get(s.fill("https://evil.test:{evil}/")); err == nil {
			t.Errorf("an unlisted host: %d", resp.StatusCode)
		}
		for _, e := range s.decisions() {
			if e.Method == "GET" && e.Path == "/app/x" &&
				(e.Verdict != event.Allowed || e.Scheme != "https" || e.Host != "secure.test") {
				t.Errorf("event = %+v", e)
			}
			if e.Method == "POST" && (e.Up != int64(len(body)) || e.Down != int64(len(body))) {
				t.Errorf("%d bytes up and %d down are recorded, %d were sent", e.Up, e.Down, len(body))
			}
		}
	}
}

// inside opens an inspected tunnel and returns the decrypted connection.
func (s *site) inside(target, name string, pool *x509.CertPool) (*tls.Conn, *bufio.Reader) {
	s.t.Helper()
	c := s.connect(target)
	secure := tls.Client(c, &tls.Config{ServerName: name, RootCAs: pool, NextProtos: []string{"http/1.1"}})
	if err := secure.Handshake(); err != nil {
		s.t.Fatal(err)
	}
	return secure, bufio.NewReader(secure)
}

func TestInspectSeesTheHost(t *testing.T) {
	s, pool := inspectingSite(t, inspectRules, nil)
	for _, each := range []struct {
		head   string
		status int
	}{
		{"GET /any HTTP/1.1\r\nHost: other.test:{secure}\r\n\r\n", 200},
		{"GET /any HTTP/1.1\r\nHost: secure.test:{secure}\r\n\r\n", 421},
		{"GET https://other.test:{secure}/any HTTP/1.1\r\nHost: x\r\n\r\n", 200},
		{"GET https://secure.test:{secure}/any HTTP/1.1\r\nHost: other.test\r\n\r\n", 421},
		{"GET http://other.test:{secure}/any HTTP/1.1\r\nHost: other.test\r\n\r\n", 421},
		{"TRACE /any HTTP/1.1\r\nHost: other.test:{secure}\r\n\r\n", 405},
		{"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n", 421},
	} {
		secure, reader := s.inside("other.test:{secure}", "other.test", pool)
		io.WriteString(secure, s.fill(each.head))
		resp, err := http.ReadResponse(reader, nil)
		if err != nil || resp.StatusCode != each.status {
			t.Errorf("%q: %v %v, want %d", each.head, resp, err, each.status)
		}
		secure.Close()
	}
}

func TestInspectWebSocket(t *testing.T) {
	s, pool := inspectingSite(t, inspectRules, nil)
	secure, reader := s.inside("other.test:{secure}", "other.test", pool)
	io.WriteString(secure, s.fill("GET /ws HTTP/1.1\r\nHost: other.test:{secure}\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n\r\n"))
	resp, err := http.ReadResponse(reader, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatalf("%v %v", resp, err)
	}
	io.WriteString(secure, "ping")
	got := make([]byte, 4)
	if _, err := io.ReadFull(reader, got); err != nil || string(got) != "ping" {
		t.Errorf("%q %v", got, err)
	}
	secure.Close()
	lane.Until(t, "every tunnel is gone", func() bool { return s.gateway.tunnels.count() == 0 })
}

func TestInspectIsNotWeaker(t *testing.T) {
	s, pool := inspectingSite(t, inspectRules, nil)
	c := s.connect("secure.test:{secure}")
	secure := tls.Client(c, &tls.Config{ServerName: "other.test", RootCAs: pool})
	if err := secure.Handshake(); err == nil {
		t.Error("a server name other than the target was served")
	}
	s.name("rebound.test", "10.0.0.1")
	s.writeRules(`<access origin="https://rebound.test"/>`)
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	c = s.dial()
	c.send("CONNECT rebound.test:443 HTTP/1.1\r\nHost: x\r\n\r\n")
	if resp, body := c.answer("GET"); resp.StatusCode != 403 || !strings.Contains(body, "address-refused") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	old := &tls.Config{ServerName: "other.test", RootCAs: pool, MaxVersion: tls.VersionTLS11,
		MinVersion: tls.VersionTLS10}
	s.writeRules(inspectRules)
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	if err := tls.Client(s.connect("other.test:{secure}"), old).Handshake(); err == nil {
		t.Error("TLS 1.1 was served")
	}
}

func TestInspectPins(t *testing.T) {
	s, pool := inspectingSite(t, inspectRules, func(c *config.Config) {
		c.Apps[0].Pins = []config.Pin{{Host: "other.test",
			SPKI: []string{"YLh1dUR9y6Kja30RrAn7JKnbQG/uEtLMkBgFF2Fuihg="}}}
	})
	resp, err := inspectClient(s, pool, true).Get(s.fill("https://other.test:{secure}/"))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 502 || !strings.Contains(string(body), "pin-mismatch") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}
