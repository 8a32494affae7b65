package gateway

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/pin"
)

// tlsOrigin is an origin whose TLS can be changed between connections.
type tlsOrigin struct {
	port   string
	config atomic.Pointer[tls.Config]
	seen   atomic.Int32 // requests
	last   atomic.Pointer[http.Request]
}

// newTLSOrigin answers each request with a fixed answer and closes.
func newTLSOrigin(t *testing.T, answer string) *tlsOrigin {
	t.Helper()
	o := &tlsOrigin{}
	o.config.Store(&tls.Config{})
	config := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return o.config.Load(), nil
	}}
	o.port = serveConns(t, config, func(conn net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		o.seen.Add(1)
		o.last.Store(r)
		io.WriteString(conn, answer)
	})
	return o
}

const fineAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

// through sends one GET over an established connection, and returns the status
// and the body.
func through(t *testing.T, conn io.ReadWriter, head string) (int, string) {
	t.Helper()
	io.WriteString(conn, head+"Connection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestOriginsCertificates is the table of the guide: what is checked of an
// origin's certificate where the gateway speaks TLS itself (inspected, absolute
// https), and that in a tunnel which is not inspected nothing is.
func TestOriginsCertificates(t *testing.T) {
	origin := newTLSOrigin(t, fineAnswer)
	rules := `<access origin="https://origin.test:` + origin.port + `"/>`
	inspected, pool := inspectingSite(t, rules, nil)
	tunnelled := newSite(t, rules, nil)
	target := "origin.test:" + origin.port
	for _, s := range []*site{inspected, tunnelled} {
		for _, each := range testpki.Origins(t, s.root, "origin.test") {
			origin.config.Store(&tls.Config{Certificates: []tls.Certificate{each.Certificate}})
			before := origin.seen.Load()
			status, body := through(t, s.dial(), "GET https://"+target+"/ HTTP/1.1\r\nHost: x\r\n")
			checkOrigin(t, "https://", each, status, body, origin.seen.Load()-before)
			before = origin.seen.Load()
			if s == inspected {
				secure, _ := s.inside(target, "origin.test", pool)
				status, body = through(t, secure, "GET / HTTP/1.1\r\nHost: "+target+"\r\n")
				checkOrigin(t, "inspected", each, status, body, origin.seen.Load()-before)
				continue
			}
			trusting := tls.Client(s.connect(target), &tls.Config{ServerName: "origin.test", InsecureSkipVerify: true})
			status, body = through(t, trusting, "GET / HTTP/1.1\r\nHost: "+target+"\r\n")
			each.Reason = ""
			checkOrigin(t, "a tunnel", each, status, body, origin.seen.Load()-before)
		}
	}
}

func checkOrigin(t *testing.T, way string, o testpki.Origin, status int, body string, requests int32) {
	t.Helper()
	switch {
	case o.Reason == "" && (status != 200 || requests != 1):
		t.Errorf("%s, %s: %d %s, %d requests", way, o.Name, status, body, requests)
	case o.Reason != "" && (status != 502 || !strings.Contains(body, `"reason":"`+o.Reason+`"`) || requests != 0):
		t.Errorf("%s, %s: %d %s, %d requests, want 502 %s", way, o.Name, status, body, requests, o.Reason)
	}
}

// TestOldTLS: TLS 1.2 is the floor where the gateway speaks it; in a tunnel the
// two sides agree on what they like.
func TestOldTLS(t *testing.T) {
	origin := newTLSOrigin(t, fineAnswer)
	rules := `<access origin="https://origin.test:` + origin.port + `"/>`
	target := "origin.test:" + origin.port
	s, pool := inspectingSite(t, rules, nil)
	leaf := s.root.Leaf(t, testpki.Spec{Name: "origin.test", Hosts: []string{"origin.test"}, Key: "rsa"})
	origin.config.Store(&tls.Config{Certificates: []tls.Certificate{leaf.TLS()}, MinVersion: tls.VersionTLS10,
		MaxVersion: tls.VersionTLS11})
	secure, _ := s.inside(target, "origin.test", pool)
	if status, body := through(t, secure, "GET / HTTP/1.1\r\nHost: "+target+"\r\n"); status != 502 ||
		!strings.Contains(body, "handshake-failed") {
		t.Errorf("inspected: %d %s", status, body)
	}
	client := &tls.Config{ServerName: "origin.test", RootCAs: s.root.Pool(), MinVersion: tls.VersionTLS10}
	conn := tls.Client(newSite(t, rules, nil).connect(target), client)
	if status, _ := through(t, conn, "GET / HTTP/1.1\r\nHost: "+target+"\r\n"); status != 200 {
		t.Errorf("a tunnel: %d", status)
	}
}

// TestPinsThroughRedirects: a redirect is the client's to follow; where it leads
// is pinned for itself.
func TestPinsThroughRedirects(t *testing.T) {
	origin := newTLSOrigin(t, "HTTP/1.1 302 Found\r\nLocation: https://pinned.test/\r\nContent-Length: 0\r\n"+
		"Connection: close\r\n\r\n")
	wrong := pin.Hash{1}
	s, pool := inspectingSite(t, `<access origin="https://start.test:`+origin.port+
		`"/><access origin="https://pinned.test:`+origin.port+`"/>`, func(c *config.Config) {
		c.Apps[0].Pins = []config.Pin{
			{Host: "pinned.test", SPKI: []string{base64.StdEncoding.EncodeToString(wrong[:])}},
		}
	})
	leaf := s.root.Leaf(t, testpki.Spec{Name: "x", Hosts: []string{"start.test", "pinned.test"}})
	origin.config.Store(&tls.Config{Certificates: []tls.Certificate{leaf.TLS()}})
	for host, want := range map[string]int{"start.test": 302, "pinned.test": 502} {
		target := host + ":" + origin.port
		secure, _ := s.inside(target, host, pool)
		if status, body := through(t, secure, "GET / HTTP/1.1\r\nHost: "+target+"\r\n"); status != want ||
			want == 502 && !strings.Contains(body, "pin-mismatch") {
			t.Errorf("inspected, %s: %d %s", host, status, body)
		}
		if status, _ := through(t, s.dial(), "GET https://"+target+"/ HTTP/1.1\r\nHost: x\r\n"); status != want {
			t.Errorf("https://%s: %d", host, status)
		}
	}
	if got := origin.seen.Load(); got != 2 {
		t.Errorf("%d requests arrived, want 2: nothing follows a redirect", got)
	}
}

// TestCompressedStaysCompressed: a body is passed on as it is, however large it
// would be: no decompressed size is ever the gateway's.
func TestCompressedStaysCompressed(t *testing.T) {
	var bomb bytes.Buffer
	writer := gzip.NewWriter(&bomb)
	for range 64 {
		writer.Write(make([]byte, 1<<20))
	}
	writer.Close()
	for _, encoding := range []string{"Content-Encoding: gzip", "Content-Encoding: gzip, gzip", "X-None: 1"} {
		origin := newTLSOrigin(t, "HTTP/1.1 200 OK\r\n"+encoding+"\r\nConnection: close\r\n\r\n"+bomb.String())
		s, pool := inspectingSite(t, `<access origin="https://origin.test:`+origin.port+`"/>`, nil)
		leaf := s.root.Leaf(t, testpki.Spec{Name: "x", Hosts: []string{"origin.test"}})
		origin.config.Store(&tls.Config{Certificates: []tls.Certificate{leaf.TLS()}})
		target := "origin.test:" + origin.port
		for _, accept := range []string{"", "Accept-Encoding: gzip\r\n"} {
			secure, _ := s.inside(target, "origin.test", pool)
			if status, body := through(t, secure, "GET / HTTP/1.1\r\nHost: "+target+"\r\n"+accept); status != 200 ||
				body != bomb.String() {
				t.Errorf("%s: %d, %d bytes of %d", encoding, status, len(body), bomb.Len())
			}
			if got := origin.last.Load().Header.Get("Accept-Encoding"); got != "" != (accept != "") {
				t.Errorf("the origin was asked for %q", got)
			}
		}
	}
}

// echKey makes the key of an origin that takes encrypted ClientHellos under a
// public name, and the list for its clients.
func echKey(t *testing.T, public string) (tls.EncryptedClientHelloKey, []byte) {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	body := append([]byte{7, 0, 0x20}, vector(2, key.PublicKey().Bytes())...) // id, X25519 with HKDF-SHA256
	body = append(body, vector(2, []byte{0, 1, 0, 1})...)                     // HKDF-SHA256, AES-128-GCM
	body = append(append(body, 0), vector(1, []byte(public))...)
	body = append(body, 0, 0)
	config := append(binary.BigEndian.AppendUint16(nil, extEncryptedCH), vector(2, body)...)
	return tls.EncryptedClientHelloKey{Config: config, PrivateKey: key.Bytes()}, vector(2, config)
}

// TestEncryptedHello: the outer name is what counts. A tunnel to the host that is
// meant is refused; one to the public name, if that is listed, is a tunnel to
// whoever answers there, unless it is inspected.
func TestEncryptedHello(t *testing.T) {
	key, list := echKey(t, "front.test")
	var leaf tls.Certificate
	port := serveConns(t, &tls.Config{
		GetCertificate:           func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &leaf, nil },
		EncryptedClientHelloKeys: []tls.EncryptedClientHelloKey{key},
	}, func(conn net.Conn) { conn.(*tls.Conn).Handshake() })
	rules := `<access origin="https://inner.test:` + port + `"/><access origin="https://front.test:` + port + `"/>`
	s := newSite(t, rules, nil)
	leaf = s.root.Leaf(t, testpki.Spec{Name: "x", Hosts: []string{"inner.test", "front.test"}}).TLS()
	client := &tls.Config{ServerName: "inner.test", RootCAs: s.root.Pool(), EncryptedClientHelloConfigList: list}
	if err := tls.Client(s.connect("inner.test:"+port), client).Handshake(); err == nil {
		t.Error("a tunnel to the host that is meant passed under another name")
	}
	if e := s.decisions()[0]; e.Reason != reasonNameMismatch || !strings.Contains(e.Detail, "front.test") {
		t.Errorf("event %+v", e)
	}
	fronted := tls.Client(s.connect("front.test:"+port), client)
	if err := fronted.Handshake(); err != nil || !fronted.ConnectionState().ECHAccepted {
		t.Errorf("a tunnel to a public name that is listed: %v", err)
	}
	inspecting, pool := inspectingSite(t, rules, nil)
	client.RootCAs = pool
	err := tls.Client(inspecting.connect("front.test:"+port), client).Handshake()
	var rejected *tls.ECHRejectionError
	if !errors.As(err, &rejected) || len(rejected.RetryConfigList) != 0 {
		t.Errorf("inspected: %v, want that the gateway knows no such key", err)
	}
}
