package gateway

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// revocationList writes a list of the authority's to a file.
func revocationList(t *testing.T, authority *testpki.Pair, l testpki.List) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "list.crl")
	writeList(t, file, authority, l)
	return file
}

func writeList(t *testing.T, file string, authority *testpki.Pair, l testpki.List) {
	t.Helper()
	if err := os.WriteFile(file, authority.CRL(t, l), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRevokedOrigins: an origin on a list is refused wherever the gateway speaks
// TLS itself, from the reload on that brings the list.
func TestRevokedOrigins(t *testing.T) {
	s, pool := inspectingSite(t, usualRules, nil)
	file := filepath.Join(t.TempDir(), "list.crl")
	first := s.gateway.options.Loaded.Config
	leaf := &testpki.Pair{Certificate: s.secure.server.Certificate()}
	for _, each := range []struct {
		name string
		list testpki.List
		want string
	}{
		{"not on the list", testpki.List{}, "200"},
		{"on the list", testpki.List{Revoked: []*testpki.Pair{leaf}}, "502 certificate-revoked"},
		{"an expired list", testpki.List{From: testpki.Now.Add(-time.Hour), To: testpki.Now.Add(-time.Minute)},
			"502 revocation-unknown"},
		{"not on the list any more", testpki.List{}, "200"},
	} {
		writeList(t, file, s.root, each.list)
		reloaded := first
		reloaded.CRLs = []string{file}
		if err := s.reload(reloaded); err != nil {
			t.Fatal(err)
		}
		if got := status(secureURL)(s); got != each.want {
			t.Errorf("%s, https:// in absolute form: %s, want %s", each.name, got, each.want)
		}
		secure, reader := s.inside("secure.test:{secure}", "secure.test", pool)
		inner := &client{secure, t, reader}
		inner.send(s.fill("GET / HTTP/1.1\r\nHost: secure.test:{secure}\r\n\r\n"))
		resp, body := inner.answer("GET")
		if got := statusOf(resp, body); got != each.want {
			t.Errorf("%s, inspected: %s, want %s", each.name, got, each.want)
		}
	}
}

// TestRevokedClients: a client's certificate on a list counts for nothing from the
// reload on, also on a connection that is open.
func TestRevokedClients(t *testing.T) {
	fleet := testpki.Root(t, testpki.Spec{Name: "Fleet"})
	certificate, key := writePair(t, fleet.Leaf(t, testpki.Spec{Name: "proxy.test", Hosts: []string{"proxy.test"}}))
	authority, _ := writePair(t, fleet)
	device := fleet.Leaf(t, testpki.Spec{Name: "x", Hosts: []string{"shop.device"}})
	s := newSite(t, usualRules, func(c *config.Config) {
		c.Apps[0].Certificate = "shop.device"
		c.TLS = &config.TLS{Certificate: certificate, Key: key, ClientCA: authority}
	})
	conn, err := tls.Dial("tcp", s.addr, &tls.Config{ServerName: "proxy.test", RootCAs: fleet.Pool(),
		Certificates: []tls.Certificate{device.TLS()}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	open := newClient(t, conn)
	ask := func() string {
		open.send(s.fill("GET " + plainURL + " HTTP/1.1\r\nHost: x\r\n\r\n"))
		resp, body := open.answer("GET")
		return statusOf(resp, body)
	}
	if got := ask(); got != "200" {
		t.Fatal(got)
	}
	changed := s.gateway.options.Loaded.Config
	changed.CRLs = []string{revocationList(t, fleet, testpki.List{Revoked: []*testpki.Pair{device}})}
	if err := s.reload(changed); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != "403 unknown-client" {
		t.Errorf("on the open connection: %s", got)
	}
	if resp, err := s.getByTLS(s.addr, fleet, device); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("on a new one: %v, %v", resp, err)
	}
	list := s.decisions()
	if detail := list[len(list)-1].Detail; !strings.Contains(detail, "is revoked") {
		t.Errorf("the event says %q", detail)
	}
}
