package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// wireName is a spelling of a host, and where it is that host: a server name, an
// authority (of a CONNECT, an absolute URL or a Host field) and a certificate's
// alternative name. Everywhere else it is refused, or another host.
type wireName struct {
	written                 string
	sni, authority, subject bool
}

// wireNames are spellings of one host; each of them was taken for it by some
// reader.
func wireNames(host string) []wireName {
	const all = true
	switch host {
	case "kiosk.test":
		return []wireName{
			{"kiosk.test", all, all, all},
			{"KIOSK.Test", all, all, all},
			{"kiosk.test.", false, true, false},
			{"kiosk.test..", false, false, false},
			{".kiosk.test", false, false, false},
			{"kiosk..test", false, false, false},
			{"\u212aiosk.test", false, false, false}, // KELVIN SIGN
			{"kio\u017fk.test", false, false, false}, // LONG S
			{"\uff4biosk.test", false, false, false}, // fullwidth k
			{"k\u0131osk.test", false, false, false}, // dotless i
			{"k\u0130osk.test", false, false, false}, // I with a dot above
			{"kiosk\u3002test", false, false, false},
			{"kiosk\uff0etest", false, false, false},
			{"kiosk\uff61test", false, false, false},
			{"kio\u00adsk.test", false, false, false}, // soft hyphen
			{"kio\u200bsk.test", false, false, false}, // zero-width space
			{"kiosk.te\ufb06", false, false, false},   // ligature st
			{"kiosk%2etest", false, false, false},
			{"%6biosk.test", false, false, false},
			{"%6Biosk.tes%74", false, false, false},
			{"kiosk.test%00", false, false, false},
			{"kiosk.test%", false, false, false},
			{" kiosk.test", false, false, false},
			{"kiosk.test\x00", false, false, false},
			{"kiosk.test\x00.evil.test", false, false, false},
			{"user@kiosk.test", false, false, false},
			{"xn--kiosk-.test", false, false, false},
			{"xn--iosk-3l5a.test", false, false, false}, // KELVIN SIGN as an A-label
			{"evil.test", false, false, false},
			{"a.kiosk.test", false, false, false},
		}
	case "xn--bcher-kva.test":
		return []wireName{
			{"xn--bcher-kva.test", all, all, all},
			{"XN--BCHER-KVA.TEST", all, all, all},
			{"xn--Bcher-kva.test", all, all, all},
			{"b\u00fccher.test", false, false, false},
			{"b\u00dccher.test", false, false, false},
			{"bu\u0308cher.test", false, false, false},
			{"b%c3%bccher.test", false, false, false},
			{"b\xfccher.test", false, false, false}, // Latin-1
			{"xn--bcher-kva.test.", false, true, false},
			{"xn--xn--bcher-kva-.test", false, false, false},
		}
	case "127.0.0.1":
		return []wireName{
			{"127.0.0.1", false, true, false}, // names have no addresses in them
			{"127.0.0.1.", false, true, false},
			{"[::ffff:127.0.0.1]", false, true, false},
			{"127.1", false, false, false},
			{"127.0.1", false, false, false},
			{"0x7f.0.0.1", false, false, false},
			{"0x7f000001", false, false, false},
			{"0177.0.0.1", false, false, false},
			{"127.0.0.01", false, false, false},
			{"2130706433", false, false, false},
			{"127.0.0.1.1", false, false, false},
			{"127.0.0.1%lo", false, false, false},
			{"\uff11\uff12\uff17.0.0.1", false, false, false},
			{"127\u30020\u30020\u30021", false, false, false},
			{"::ffff:127.0.0.1", false, false, false},
			{"[::ffff:7f00:1]", false, false, false},
			{"[::127.0.0.1]", false, false, false},
		}
	case "::1":
		return []wireName{
			{"[::1]", false, true, false},
			{"::1", false, false, false},
			{"[::1%lo]", false, false, false},
			{"[::1%25lo]", false, false, false},
			{"[0:0:0:0:0:0:0:1]", false, false, false},
			{"[::0001]", false, false, false},
			{"[::1", false, false, false},
			{"[v1.x]", false, false, false},
			{"[\uff1a\uff1a1]", false, false, false},
			{"[::1].", false, false, false},
		}
	}
	panic(host)
}

// TestNamesOnTheWire reads one list of spellings wherever a name comes from the
// wire.
func TestNamesOnTheWire(t *testing.T) {
	for _, host := range []string{"kiosk.test", "xn--bcher-kva.test", "127.0.0.1", "::1"} {
		for _, each := range wireNames(host) {
			hello, _, err := readHello(records(message(extension{extServerName, serverName(each.written)}), maxRecord))
			if got := err == nil && hello.name == host; got != each.sni {
				t.Errorf("server name %q: %q, %v", each.written, hello.name, err)
			}
			to, err := parseAuthority(each.written + ":443")
			if got := err == nil && to.host == host; got != each.authority {
				t.Errorf("CONNECT %q: %+v, %v", each.written, to, err)
			}
			absolute, err := parseTarget("http://" + each.written + ":443/")
			if got := err == nil && absolute.host == host; got != each.authority {
				t.Errorf("GET %q: %+v, %v", each.written, absolute, err)
			}
			tunnel := authority{host: host, port: 443}
			if addr, err := netip.ParseAddr(host); err == nil {
				tunnel.addr = addr
			}
			r := &http.Request{Method: "GET", RequestURI: "/", Host: each.written, ProtoMajor: 1, ProtoMinor: 1}
			if _, reason := insideTarget(r, "https", tunnel); (reason == "") != each.authority {
				t.Errorf("Host: %q inside a tunnel to %s: %q", each.written, host, reason)
			}
		}
	}
}

// TestTokensOnTheWire: what is compared without regard to case is ASCII, too.
func TestTokensOnTheWire(t *testing.T) {
	for upgrade, want := range map[string]bool{"websocket": true, "WebSocket": true, "web\u017focket": false,
		"websoc\u212aet": false} {
		if got := asksWebSocket(http.Header{"Upgrade": {upgrade}, "Connection": {"upgrade"}}); got != want {
			t.Errorf("Upgrade: %q asks for a WebSocket: %v", upgrade, got)
		}
	}
	for scheme, want := range map[string]bool{"Basic": true, "BASIC": true, "Ba\u017fic": false} {
		if _, _, got := parseBasic([]string{scheme + " dTpw"}); got != want {
			t.Errorf("Proxy-Authorization: %s is read: %v", scheme, got)
		}
	}
}

// TestNamesOfClientCertificates: a DNS name is one in any case, and nothing else
// is made equal.
func TestNamesOfClientCertificates(t *testing.T) {
	uri := &url.URL{Scheme: "spiffe", Host: "Fleet.test", Path: "/Kiosk"}
	for configured, want := range map[string]bool{"kiosk.device": true, "KIOSK.Device": true,
		"\u212aiosk.device": false, "spiffe://Fleet.test/Kiosk": true, "spiffe://fleet.test/Kiosk": false,
		"Other": false} {
		names := certificateNames(&x509.Certificate{DNSNames: []string{"Kiosk.DEVICE"}, URIs: []*url.URL{uri},
			Subject: pkix.Name{CommonName: "Other"}})
		if got := slices.Contains(names, config.CertificateName(configured)); got != want {
			t.Errorf("%q is among %q: %v, want %v", configured, names, got, want)
		}
	}
}

// TestNamesThroughTheGateway sends the spellings as a client does, and sees
// whether something comes back from the origin.
func TestNamesThroughTheGateway(t *testing.T) {
	s, pool := inspectingSite(t, `<access origin="http://kiosk.test:{plain}"/>
<access origin="https://other.test:{secure}"/><access origin="http://127.0.0.1:{plain}"/>
<access origin="http://xn--bcher-kva.test:{plain}"/>`, nil)
	for _, host := range []string{"kiosk.test", "xn--bcher-kva.test", "127.0.0.1"} {
		for _, each := range wireNames(host) {
			before := len(s.plain.saw())
			conn := s.dial()
			conn.send(s.fill("GET http://" + each.written + ":{plain}/ HTTP/1.1\r\nHost: x\r\n\r\n"))
			resp, body := conn.answer("GET")
			if each.authority != (resp.StatusCode == 200) || each.authority != (len(s.plain.saw()) > before) {
				t.Errorf("GET http://%q: %d %s", each.written, resp.StatusCode, body)
			}
			conn = s.dial()
			conn.send(s.fill("CONNECT " + each.written + ":{plain} HTTP/1.1\r\nHost: x\r\n\r\n"))
			if resp, body := conn.answer("CONNECT"); each.authority != (resp.StatusCode == 200) {
				t.Errorf("CONNECT %q: %d %s", each.written, resp.StatusCode, body)
			}
		}
	}
	for written, status := range map[string]int{"other.test": 200, "OTHER.TEST": 200, "other.test.": 200,
		"o\u0074her\u3002test": 400, "oth\u212ar.test": 400, "other%2etest": 421, "evil.test": 421} {
		secure, reader := s.inside("other.test:{secure}", "other.test", pool)
		secure.Write([]byte(s.fill("GET / HTTP/1.1\r\nHost: " + written + ":{secure}\r\n\r\n")))
		if resp, err := http.ReadResponse(reader, nil); err != nil || resp.StatusCode != status {
			t.Errorf("Host: %q inside: %v %v, want %d", written, resp, err, status)
		}
		secure.Close()
	}
}

// TestNamesOfCertificates shows an origin's certificate with each spelling as
// its alternative name.
func TestNamesOfCertificates(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Root"})
	dialer, err := egress.New(egress.Config{Roots: root.Pool()})
	if err != nil {
		t.Fatal(err)
	}
	var leaf tls.Certificate
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &leaf, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.(*tls.Conn).Handshake()
			conn.Close()
		}
	}()
	for _, host := range []string{"kiosk.test", "xn--bcher-kva.test", "127.0.0.1"} {
		for _, each := range wireNames(host) {
			leaf = namedLeaf(t, root, each.written)
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_, err = dialer.Handshake(t.Context(), conn, egress.Destination{Host: host, Port: 443}, egress.TLSOptions{})
			var e *egress.Error
			if got := err == nil; got != each.subject || err != nil && !errors.As(err, &e) {
				t.Errorf("a certificate for %q, shown for %s: %v", each.written, host, err)
			}
			conn.Close()
		}
	}
}

// namedLeaf makes a certificate whose only alternative name is those bytes.
func namedLeaf(t *testing.T, root *testpki.Pair, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	names, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte(name)}})
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: testpki.Now.Add(-time.Hour),
		NotAfter: testpki.Now.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: names}}}
	der, err := x509.CreateCertificate(rand.Reader, template, root.Certificate, key.Public(), root.Key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
