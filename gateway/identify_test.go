package gateway

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/testpki"
)

func basic(user, password string) string {
	return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// twoApps is a site whose shared listener recognises two apps by credential,
// of which only the first may reach the plain origin; a third has a listener of
// its own.
func twoApps(t *testing.T) *site {
	t.Setenv("SHOP_PASSWORD", "s3cret")
	t.Setenv("NEWS_PASSWORD", "other")
	empty := filepath.Join(t.TempDir(), "config.xml")
	if err := os.WriteFile(empty, []byte("<widget xmlns='http://www.w3.org/ns/widgets'/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	return newSite(t, usualRules, func(c *config.Config) {
		shop := c.Apps[0]
		shop.Name, shop.Credential = "shop", &config.Credential{User: "shop", Password: "env:SHOP_PASSWORD"}
		news := config.App{
			Name:       "news",
			Config:     empty,
			Credential: &config.Credential{User: "news", Password: "env:NEWS_PASSWORD"},
		}
		kiosk := c.Apps[0]
		kiosk.Name, kiosk.Listen = "kiosk", "127.0.0.1:0"
		c.Apps = []config.App{shop, news, kiosk}
	})
}

func TestCredentials(t *testing.T) {
	s := twoApps(t)
	for _, each := range []struct {
		name   string
		fields []string
		status int
		app    string
	}{
		{"right", []string{basic("shop", "s3cret")}, 200, "shop"},
		{"missing", nil, 407, ""},
		{"wrong password", []string{basic("shop", "wrong")}, 403, ""},
		{"unknown user", []string{basic("nobody", "s3cret")}, 403, ""},
		{"empty password of an unknown user", []string{basic("nobody", "")}, 403, ""},
		{"another scheme", []string{"Proxy-Authorization: Bearer s3cret"}, 403, ""},
		{"two credentials", []string{basic("news", "other"), basic("shop", "s3cret")}, 403, ""},
		{"no base64", []string{"Proxy-Authorization: Basic !!!"}, 403, ""},
		{"another app's policy", []string{basic("news", "other")}, 403, "news"},
		{"forged role", []string{basic("news", "other"), "X-Smokescreen-Role: shop", "X-App: shop",
			"Forwarded: for=127.0.0.1"}, 403, "news"},
		{"Authorization is for the origin", []string{strings.TrimPrefix(basic("shop", "s3cret"), "Proxy-")}, 407, ""},
	} {
		t.Run(each.name, func(t *testing.T) {
			before := len(s.decisions())
			resp, body := s.get("http://plain.test:{plain}/", each.fields...)
			if resp.StatusCode != each.status {
				t.Fatalf("%d %s", resp.StatusCode, body)
			}
			if got := resp.Header.Get("Proxy-Authenticate"); (got != "") != (each.status == 407) {
				t.Errorf("Proxy-Authenticate: %q", got)
			}
			if resp.Header.Get("X-Got-Proxy-Authorization") != "" {
				t.Error("the origin got the proxy credential")
			}
			lane.Until(t, "a decision", func() bool { return len(s.decisions()) == before+1 })
			if e := s.decisions()[before]; e.App != each.app || strings.Contains(e.Detail, "s3cret") {
				t.Errorf("app %q, detail %q", e.App, e.Detail)
			}
		})
	}
}

func TestCredentialOnConnect(t *testing.T) {
	s := twoApps(t)
	c := s.dial()
	c.send(s.fill("CONNECT secure.test:{secure} HTTP/1.1\r\nHost: x\r\n\r\n"))
	if resp, _ := c.answer("GET"); resp.StatusCode != 407 || !c.closed() {
		t.Errorf("without a credential: %d", resp.StatusCode)
	}
	c = s.dial()
	c.send(s.fill("CONNECT secure.test:{secure} HTTP/1.1\r\nHost: x\r\n" + basic("shop", "wrong") + "\r\n\r\n"))
	if resp, _ := c.answer("GET"); resp.StatusCode != 403 || !c.closed() {
		t.Errorf("with a wrong one: %d", resp.StatusCode)
	}
	c = s.dial()
	c.send(s.fill("CONNECT secure.test:{secure} HTTP/1.1\r\nHost: x\r\n" + basic("shop", "s3cret") + "\r\n\r\n"))
	if resp, _ := c.answer("CONNECT"); resp.StatusCode != 200 {
		t.Errorf("with it: %d", resp.StatusCode)
	}
}

func TestOwnListenerIdentifies(t *testing.T) {
	s := twoApps(t)
	s.addr = s.gateway.AppAddr("kiosk").String()
	if resp, body := s.get("http://plain.test:{plain}/", basic("news", "other")); resp.StatusCode != 200 {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if e := s.decisions()[0]; e.App != "kiosk" || e.Identity != "listener" {
		t.Errorf("event = %+v", e)
	}
}

// writePair writes a certificate and its key for the configuration.
func writePair(t *testing.T, p *testpki.Pair) (certificate, key string) {
	t.Helper()
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := os.WriteFile(certificate, p.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, p.KeyPEM(t), 0o600); err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// getByTLS sends a request to a TLS listener, with a client certificate if there
// is one.
func (s *site) getByTLS(addr string, root, pair *testpki.Pair, fields ...string) (*http.Response, error) {
	config := &tls.Config{ServerName: "proxy.test", RootCAs: root.Pool()}
	if pair != nil {
		config.Certificates = []tls.Certificate{pair.TLS()}
	}
	conn, err := tls.Dial("tcp", addr, config)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(conn, s.fill("GET http://plain.test:{plain}/ HTTP/1.1\r\nHost: x\r\n"+
		strings.Join(append(fields, ""), "\r\n")+"\r\n"))
	return http.ReadResponse(bufio.NewReader(conn), nil)
}

// TestEverySignIsNeeded: whatever is configured for an app must hold, on its own
// listener and on the shared one.
func TestEverySignIsNeeded(t *testing.T) {
	t.Setenv("KIOSK_PASSWORD", "s3cret")
	root := testpki.Root(t, testpki.Spec{Name: "Fleet"})
	certificate, key := writePair(t, root.Leaf(t, testpki.Spec{Name: "proxy.test", Hosts: []string{"proxy.test"}}))
	authority, _ := writePair(t, root)
	s := newSite(t, usualRules, func(c *config.Config) {
		c.TLS = &config.TLS{Certificate: certificate, Key: key, ClientCA: authority}
		password := &config.Credential{User: "kiosk", Password: "env:KIOSK_PASSWORD"}
		app := func(name, listen, certificate string, credential *config.Credential) config.App {
			a := c.Apps[0]
			a.Name, a.Listen, a.Certificate, a.Credential = name, listen, certificate, credential
			return a
		}
		c.Apps = []config.App{
			app("own", "127.0.0.1:0", "own.device", nil),
			app("both", "127.0.0.1:0", "both.device", &config.Credential{User: "both", Password: "env:KIOSK_PASSWORD"}),
			app("shared", "", "shared.device", password),
		}
	})
	device := func(name string) *testpki.Pair { return root.Leaf(t, testpki.Spec{Name: "x", Hosts: []string{name}}) }
	pairs := map[string]*testpki.Pair{"": nil}
	for _, name := range []string{"own.device", "both.device", "shared.device", "other.device"} {
		pairs[name] = device(name)
	}
	kiosk, both := basic("kiosk", "s3cret"), basic("both", "s3cret")
	for _, test := range []struct {
		app, certificate, credential string
		status                       int
		identity                     string
	}{
		{"own", "", "", 403, ""}, {"own", "other.device", "", 403, ""}, {"own", "shared.device", "", 403, ""},
		{"own", "own.device", "", 200, "certificate"}, {"own", "", kiosk, 403, ""},
		{"both", "both.device", "", 407, ""}, {"both", "", both, 403, ""}, {"both", "both.device", kiosk, 403, ""},
		{"both", "other.device", both, 403, ""}, {"both", "both.device", both, 200, "certificate+credential"},
		{"shared", "", kiosk, 403, ""}, {"shared", "shared.device", "", 407, ""}, {"shared", "", "", 407, ""},
		{"shared", "shared.device", basic("kiosk", "wrong"), 403, ""}, {"shared", "shared.device", both, 403, ""},
		{"shared", "other.device", kiosk, 403, ""},
		{"shared", "shared.device", kiosk, 200, "certificate+credential"},
	} {
		addr := s.addr
		if own := s.gateway.AppAddr(test.app); own != nil {
			addr = own.String()
		}
		var fields []string
		if test.credential != "" {
			fields = []string{test.credential}
		}
		before := len(s.decisions())
		resp, err := s.getByTLS(addr, root, pairs[test.certificate], fields...)
		if err != nil || resp.StatusCode != test.status {
			t.Errorf("%+v: %v %v", test, resp, err)
			continue
		}
		lane.Until(t, "a decision", func() bool { return len(s.decisions()) == before+1 })
		if e := s.decisions()[before]; e.Identity != test.identity || test.identity != "" && e.App != test.app {
			t.Errorf("%+v: app %q, identity %q", test, e.App, e.Identity)
		}
	}
}

func TestClientCertificates(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Fleet"})
	proxy := root.Leaf(t, testpki.Spec{Name: "proxy.test", Hosts: []string{"proxy.test"}})
	certificate, key := writePair(t, proxy)
	authority, _ := writePair(t, root)
	s := newSite(t, usualRules, func(c *config.Config) {
		c.Apps[0].Certificate = "shop.device"
		c.TLS = &config.TLS{Certificate: certificate, Key: key, ClientCA: authority}
	})
	get := func(pair *testpki.Pair) (*http.Response, error) { return s.getByTLS(s.addr, root, pair) }
	shop := root.Leaf(t, testpki.Spec{Name: "x", Hosts: []string{"shop.device"}})
	if resp, err := get(shop); err != nil || resp.StatusCode != 200 {
		t.Errorf("the app's certificate: %v %v", resp, err)
	}
	if resp, err := get(root.Leaf(t, testpki.Spec{Name: "shop.device", Hosts: []string{"other.device"}})); err != nil ||
		resp.StatusCode != 403 {
		t.Errorf("a common name beside another alternative name: %v %v", resp, err)
	}
	if resp, err := get(nil); err != nil || resp.StatusCode != 403 {
		t.Errorf("no certificate: %v %v", resp, err)
	}
	stranger := testpki.Root(t, testpki.Spec{Name: "Stranger"}).Leaf(t,
		testpki.Spec{Name: "x", Hosts: []string{"shop.device"}})
	if resp, err := get(stranger); err == nil && resp.StatusCode != 403 { // Go's client does not even send it
		t.Errorf("a certificate of another authority got %d", resp.StatusCode)
	}
}

func TestReportModeRelaxesTheListOnly(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Apps[0].Mode = config.Report })
	s.name("private.test", "10.1.2.3")
	for _, each := range []struct {
		request, reason string
		status          int
	}{
		{"GET http://evil.test:{evil}/ HTTP/1.1", reasonPort, 403},
		{"CONNECT evil.test:22 HTTP/1.1", reasonPort, 403},
		{"GET http://private.test/ HTTP/1.1", "address-refused", 403},
		{"CONNECT private.test:443 HTTP/1.1", "address-refused", 403},
		{"CONNECT 10.1.2.3:443 HTTP/1.1", "address-refused", 403},
		{"GET http://x@plain.test/ HTTP/1.1", reasonBadTarget, 400},
	} {
		c := s.dial()
		c.send(s.fill(each.request + "\r\nHost: x\r\n\r\n"))
		resp, body := c.answer("GET")
		if resp.StatusCode != each.status || !strings.Contains(body, each.reason) {
			t.Errorf("%s: %d %s", each.request, resp.StatusCode, body)
		}
	}
	a := s.gateway.state.Load().apps[0]
	if r := a.decide("https", authority{host: "evil.test", port: 443}, "/", true); !r.ok || r.verdict != "report" ||
		r.reason != "not-listed" {
		t.Errorf("an unlisted host in report mode: %+v", r)
	}
	if r := a.decide("http", authority{host: "evil.test", port: 443}, "/", false); r.ok {
		t.Errorf("cleartext on 443 in report mode: %+v", r)
	}
}

func TestLimits(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) {
		c.Apps[0].Limits = config.Limits{Rate: 0.5, Burst: 2}
	})
	for range 2 {
		if resp, _ := s.get("http://plain.test:{plain}/"); resp.StatusCode != 200 {
			t.Fatalf("within the burst: %d", resp.StatusCode)
		}
	}
	resp, body := s.get("http://plain.test:{plain}/")
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" || !strings.Contains(body, reasonRate) {
		t.Errorf("above the rate: %d %v %s", resp.StatusCode, resp.Header, body)
	}
	s = newSite(t, usualRules, func(c *config.Config) { c.Limits.Tunnels = 1 })
	first := s.connect("secure.test:{secure}")
	c := s.dial()
	c.send(s.fill("CONNECT secure.test:{secure} HTTP/1.1\r\nHost: x\r\n\r\n"))
	if resp, body := c.answer("GET"); resp.StatusCode != 429 || !strings.Contains(body, reasonTunnels) || !c.closed() {
		t.Errorf("a tunnel too many: %d %s", resp.StatusCode, body)
	}
	first.Close()
	lane.Until(t, "the first tunnel is gone", func() bool { return s.gateway.tunnels.count() == 0 })
	s.connect("secure.test:{secure}")
}

func TestProxyProtocol(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) {
		c.ProxyProtocol = append(c.ProxyProtocol, prefixOf(addrPort(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}).Addr()))
	})
	v2 := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x07\x7f\x00\x00\x01\x1f\x90\x00\x50"
	for _, header := range []string{"PROXY TCP4 198.51.100.7 127.0.0.1 8080 80\r\n", v2} {
		before := len(s.decisions())
		c := s.dial()
		c.send(header + s.fill("GET http://plain.test:{plain}/ HTTP/1.1\r\nHost: x\r\n\r\n"))
		if resp, _ := c.answer("GET"); resp.StatusCode != 200 {
			t.Fatalf("%d", resp.StatusCode)
		}
		lane.Until(t, "a decision", func() bool { return len(s.decisions()) > before })
		if got := s.decisions()[before].Client.String(); got != "198.51.100.7:8080" {
			t.Errorf("client = %s", got)
		}
	}
	c := s.dial()
	c.send(s.fill("GET http://plain.test:{plain}/ HTTP/1.1\r\nHost: x\r\n\r\n"))
	if !c.closed() {
		t.Error("a listed source without a header was served")
	}
	plain := newSite(t, usualRules, nil)
	c = plain.dial()
	c.send("PROXY TCP4 198.51.100.7 127.0.0.1 8080 80\r\n" +
		plain.fill("GET http://plain.test:{plain}/ HTTP/1.1\r\nHost: x\r\n\r\n"))
	if resp, _ := c.answer("GET"); resp.StatusCode != 400 {
		t.Errorf("a header from a source that is not listed: %d", resp.StatusCode)
	}
}

func FuzzReadProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 198.51.100.7 127.0.0.1 8080 80\r\nGET /"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x07\x7f\x00\x00\x01\x1f\x90\x00\x50"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		source, err := readProxyHeader(r)
		if err != nil && source.IsValid() {
			t.Fatal("an error with an address")
		}
		read := len(data) - r.Len()
		if err == nil && !bytes.HasPrefix(data, proxySignature) && !bytes.HasSuffix(data[:read], []byte("\r\n")) {
			t.Fatalf("read %d bytes, past or short of the line", read)
		}
		if source.Addr().Is4In6() || source.Addr().Zone() != "" {
			t.Fatalf("source %s", source)
		}
	})
}
