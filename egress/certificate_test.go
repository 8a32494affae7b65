package egress

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/pin"
)

// TestOrigins connects to servers with every kind of fault in their certificate,
// in both versions of TLS.
func TestOrigins(t *testing.T) {
	const host = "origin.test"
	root := testpki.Root(t, testpki.Spec{Name: "Root", Key: "rsa"})
	for _, o := range testpki.Origins(t, root, host) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{o.Certificate}, MaxVersion: version})
			d := testDialer(t, Config{Resolver: everywhere, Allow: loopback(), Roots: root.Pool()})
			got := ""
			conn, _, err := d.DialTLS(t.Context(), Destination{Host: host, Port: port}, TLSOptions{})
			if err == nil {
				_ = conn.Close()
			} else {
				got = asError(t, err).Reason.String()
			}
			if got != o.Reason {
				t.Errorf("%s, TLS %x: %q (%v), want %q", o.Name, version, got, err, o.Reason)
			}
		}
	}
}

// TestSmallKeysAndPins: pins on top of the roots need strong keys as well; a
// trust anchor's own is its owner's choice, a server's never is.
func TestSmallKeysAndPins(t *testing.T) {
	small := testpki.Origins(t, testpki.Root(t, testpki.Spec{Name: "Root"}), host)
	at := func(name string) tls.Certificate {
		for _, o := range small {
			if strings.HasPrefix(o.Name, name) {
				return o.Certificate
			}
		}
		t.Fatal(name)
		return tls.Certificate{}
	}
	for _, s := range []struct {
		cert   tls.Certificate
		anchor []byte
		want   Reason
	}{
		{at("RSA of 1024"), at("RSA of 1024").Certificate[0], Untrusted},
		{at("RSA of 2040"), at("RSA of 2040").Certificate[1], fine},
		{at("curve of 224"), at("curve of 224").Certificate[1], fine},
	} {
		port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{s.cert}})
		pins := set(t, pin.Entry{Host: host, Mode: pin.InsteadOfRoots, Anchors: [][]byte{s.anchor}})
		if got := connect(t, Config{Pins: pins}, port, Destination{}); got != s.want {
			t.Errorf("%v: %v, want %v", s.cert.Leaf.Subject, got, s.want)
		}
	}
}
