package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/pin"
)

// serveTLS serves one certificate on loopback and echoes.
func serveTLS(t testing.TB, config *tls.Config) (port uint16) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				secure := tls.Server(conn, config)
				_ = secure.SetDeadline(time.Now().Add(10 * time.Second))
				_, _ = io.Copy(secure, secure)
				_ = secure.Close()
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

func loopback() []Private {
	return []Private{{Range: netip.MustParsePrefix("127.0.0.0/8")}}
}

// everywhere resolves every name to loopback.
var everywhere = ResolverFunc(func(context.Context, string) ([]netip.Addr, time.Duration, error) {
	return parseAddrs("127.0.0.1"), 0, nil
})

const host = "api.example.org"

// chains are the certificates that the tests of this file are about.
type chains struct {
	root, intermediate, leaf, expired, wrong, self, other *testpki.Pair
}

func newChains(t testing.TB, key string) chains {
	var c chains
	c.root = testpki.Root(t, testpki.Spec{Name: "Root", Key: key})
	c.intermediate = c.root.Intermediate(t, testpki.Spec{Name: "Intermediate", Key: key})
	c.leaf = c.intermediate.Leaf(t, testpki.Spec{Name: host, Hosts: []string{host}, Key: key})
	c.expired = c.intermediate.Leaf(t, testpki.Spec{Name: host, Hosts: []string{host},
		From: testpki.Now.Add(-48 * time.Hour), To: testpki.Now.Add(-24 * time.Hour)})
	c.wrong = c.intermediate.Leaf(t, testpki.Spec{Name: "other", Hosts: []string{"other.example.org"}})
	c.self = testpki.SelfSigned(t, testpki.Spec{Name: host, Hosts: []string{host}})
	c.other = testpki.Root(t, testpki.Spec{Name: "Other root"})
	return c
}

// connect makes one TLS connection and returns the reason it failed for, or
// reasonCount where it did not.
func connect(t *testing.T, config Config, port uint16, to Destination) Reason {
	t.Helper()
	config.Resolver, config.Allow = everywhere, loopback()
	d := testDialer(t, config)
	to.Host, to.Port = host, port
	conn, result, err := d.DialTLS(t.Context(), to, TLSOptions{})
	if err != nil {
		e := asError(t, err)
		if e.Host != host {
			t.Errorf("error names host %q", e.Host)
		}
		if !e.Addr.IsValid() {
			t.Errorf("error %v names no address", e)
		}
		return e.Reason
	}
	if result.Handshake == 0 || conn.ConnectionState().Version < tls.VersionTLS12 {
		t.Errorf("result %+v, TLS version %x", result, conn.ConnectionState().Version)
	}
	_ = conn.Close()
	return reasonCount
}

const fine = reasonCount

func TestTLSWithoutPins(t *testing.T) {
	leakCheck(t)
	for _, key := range []string{"ecdsa", "rsa", "ed25519"} {
		c := newChains(t, key)
		for _, s := range []struct {
			name string
			cert tls.Certificate
			pool *x509.CertPool
			want Reason
		}{
			{"good", c.leaf.TLS(), c.root.Pool(), fine},
			{"without intermediate", c.leaf.Alone(), c.root.Pool(), Untrusted},
			{"expired", c.expired.TLS(), c.root.Pool(), CertificateExpired},
			{"wrong host", c.wrong.TLS(), c.root.Pool(), WrongName},
			{"self-signed", c.self.TLS(), c.root.Pool(), Untrusted},
			{"other root", c.leaf.TLS(), c.other.Pool(), Untrusted},
			{"system roots", c.leaf.TLS(), nil, Untrusted},
		} {
			port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{s.cert}})
			if got := connect(t, Config{Roots: s.pool}, port, Destination{}); got != s.want {
				t.Errorf("%s, %s: %v, want %v", key, s.name, got, s.want)
			}
		}
	}
}

func set(t testing.TB, entries ...pin.Entry) *pin.Set {
	t.Helper()
	s, err := pin.NewSet(entries...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func hash(t testing.TB, p *testpki.Pair) pin.Hash {
	t.Helper()
	h, err := pin.Of(p.DER())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPinsOnTopOfRoots(t *testing.T) {
	c := newChains(t, "ecdsa")
	backup := hash(t, c.other)
	onTop := func(expires time.Time, hashes ...pin.Hash) *pin.Set {
		return set(t, pin.Entry{Host: "example.org", Subdomains: true, Hashes: hashes, Expires: expires})
	}
	never := time.Time{}
	good, self := c.leaf.TLS(), c.self.TLS()
	for _, s := range []struct {
		name string
		cert tls.Certificate
		pins *pin.Set
		want Reason
	}{
		{"leaf", good, onTop(never, hash(t, c.leaf), backup), fine},
		{"intermediate", good, onTop(never, hash(t, c.intermediate), backup), fine},
		{"root", good, onTop(never, hash(t, c.root), backup), fine},
		{"backup only", good, onTop(never, backup), PinMismatch},
		{"empty", good, onTop(never), PinsUnreadable},
		{"expired", good, onTop(testpki.Now.Add(-time.Second), hash(t, c.leaf)), PinsExpired},
		{"expires later", good, onTop(testpki.Now.Add(time.Hour), hash(t, c.leaf)), fine},
		{"other host", good, set(t, pin.Entry{Host: "elsewhere.example", Hashes: []pin.Hash{backup}}), fine},
		{"self-signed is not trusted for its pin", self, onTop(never, hash(t, c.self)), Untrusted},
		{"expired leaf with its pin", c.expired.TLS(), onTop(never, hash(t, c.expired)), CertificateExpired},
		{"wrong name with its pin", c.wrong.TLS(), onTop(never, hash(t, c.wrong)), WrongName},
	} {
		port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{s.cert}})
		if got := connect(t, Config{Roots: c.root.Pool(), Pins: s.pins}, port, Destination{}); got != s.want {
			t.Errorf("%s: %v, want %v", s.name, got, s.want)
		}
		if got := connect(t, Config{Roots: c.root.Pool(), Pins: onTop(never, backup)}, port,
			Destination{Pins: s.pins}); got != s.want {
			t.Errorf("%s, for the destination: %v, want %v", s.name, got, s.want)
		}
	}
}

// TestPinnedKeyOutsideTheChain sends a certificate with a pinned key beside a
// chain that it does not belong to (RFC 7469 section 2.6: only the validated
// chain counts).
func TestPinnedKeyOutsideTheChain(t *testing.T) {
	c := newChains(t, "ecdsa")
	cert := c.leaf.TLS()
	cert.Certificate = append(append([][]byte{}, cert.Certificate...), c.other.DER())
	port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}})
	pins := set(t, pin.Entry{Host: host, Hashes: []pin.Hash{hash(t, c.other)}})
	if got := connect(t, Config{Roots: c.root.Pool(), Pins: pins}, port, Destination{}); got != PinMismatch {
		t.Errorf("got %v, want pin-mismatch", got)
	}
}

// TestPinsInsteadOfRoots is the table that was measured with the plugins'
// JSSE, except that an expired pinned leaf is refused.
func TestPinsInsteadOfRoots(t *testing.T) {
	c := newChains(t, "ecdsa")
	for _, s := range []struct {
		name   string
		cert   tls.Certificate
		anchor *testpki.Pair
		want   Reason
	}{
		{"leaf", c.leaf.TLS(), c.leaf, fine},
		{"leaf, without intermediate", c.leaf.Alone(), c.leaf, fine},
		{"intermediate", c.leaf.TLS(), c.intermediate, fine},
		{"intermediate, not sent", c.leaf.Alone(), c.intermediate, fine},
		{"root", c.leaf.TLS(), c.root, fine},
		{"root, without intermediate", c.leaf.Alone(), c.root, Untrusted},
		{"intermediate, expired leaf", c.expired.TLS(), c.intermediate, CertificateExpired},
		{"intermediate, wrong host", c.wrong.TLS(), c.intermediate, WrongName},
		{"intermediate, self-signed", c.self.TLS(), c.intermediate, Untrusted},
		{"root, expired leaf", c.expired.TLS(), c.root, CertificateExpired},
		{"root, wrong host", c.wrong.TLS(), c.root, WrongName},
		{"that expired leaf", c.expired.TLS(), c.expired, PinsExpired},
		{"that leaf for another host", c.wrong.TLS(), c.wrong, WrongName},
		{"that self-signed leaf", c.self.TLS(), c.self, fine},
		{"another root", c.leaf.TLS(), c.other, Untrusted},
	} {
		port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{s.cert}})
		pins := set(t, pin.Entry{Host: host, Mode: pin.InsteadOfRoots, Anchors: [][]byte{s.anchor.DER()}})
		// The system's roots would do in every case: they are not asked.
		if got := connect(t, Config{Roots: c.root.Pool(), Pins: pins}, port, Destination{}); got != s.want {
			t.Errorf("%s: %v, want %v", s.name, got, s.want)
		}
	}
	port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{c.leaf.TLS()}})
	for name, s := range map[string]struct {
		entries []pin.Entry
		want    Reason
	}{
		"empty": {[]pin.Entry{{Host: host, Mode: pin.InsteadOfRoots}}, PinsUnreadable},
		"unreadable": {[]pin.Entry{{Host: host, Mode: pin.InsteadOfRoots, Anchors: [][]byte{[]byte("x")}}},
			PinsUnreadable},
		"one of two unreadable": {[]pin.Entry{
			{Host: host, Mode: pin.InsteadOfRoots, Anchors: [][]byte{[]byte("x"), c.root.DER()}}}, PinsUnreadable},
		"expired": {[]pin.Entry{{Host: host, Mode: pin.InsteadOfRoots, Anchors: [][]byte{c.root.DER()},
			Expires: testpki.Now}}, PinsExpired},
		"both modes": {[]pin.Entry{{Host: host, Mode: pin.InsteadOfRoots, Anchors: [][]byte{c.root.DER()}},
			{Host: host, Hashes: []pin.Hash{hash(t, c.leaf)}}}, fine},
		"both modes, key wrong": {[]pin.Entry{{Host: host, Mode: pin.InsteadOfRoots, Anchors: [][]byte{c.root.DER()}},
			{Host: host, Hashes: []pin.Hash{hash(t, c.other)}}}, PinMismatch},
	} {
		if got := connect(t, Config{Roots: c.root.Pool(), Pins: set(t, s.entries...)}, port,
			Destination{}); got != s.want {
			t.Errorf("%s: %v, want %v", name, got, s.want)
		}
	}
}

func TestTLSFloor(t *testing.T) {
	c := newChains(t, "rsa")
	for version, want := range map[uint16]Reason{tls.VersionTLS11: HandshakeFailed, tls.VersionTLS12: fine,
		tls.VersionTLS13: fine} {
		port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{c.leaf.TLS()}, MinVersion: version,
			MaxVersion: version})
		if got := connect(t, Config{Roots: c.root.Pool()}, port, Destination{}); got != want {
			t.Errorf("TLS %x: %v, want %v", version, got, want)
		}
	}
	port, _ := listen(t, "127.0.0.1:0")
	if got := connect(t, Config{}, port, Destination{}); got != HandshakeFailed {
		t.Errorf("an echo server: %v", got)
	}
}

func TestHandshakeTimesOut(t *testing.T) {
	leakCheck(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := testDialer(t, Config{Resolver: everywhere, Allow: loopback(), TLSTimeout: 50 * time.Millisecond})
	_, _, err = d.DialTLS(t.Context(), Destination{Host: host, Port: l.Addr().(*net.TCPAddr).AddrPort().Port()},
		TLSOptions{})
	if e := asError(t, err); !e.Timeout() || e.Step != StepTLS {
		t.Errorf("error %v, want a time-out of tls", e)
	}
}

func TestPresent(t *testing.T) {
	leakCheck(t)
	c := newChains(t, "ecdsa")
	for _, s := range []struct {
		name           string
		cert           tls.Certificate
		sent, verified int
	}{
		{"good", c.leaf.TLS(), 2, 3}, {"without intermediate", c.leaf.Alone(), 1, 0},
		{"self-signed", c.self.TLS(), 1, 0}, {"expired", c.expired.TLS(), 2, 0},
	} {
		port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{s.cert}})
		d := testDialer(t, Config{Resolver: everywhere, Allow: loopback(), Roots: c.root.Pool()})
		p, result, err := d.Present(t.Context(), Destination{Host: host, Port: port})
		if err != nil || len(p.Sent) != s.sent || len(p.Verified) != s.verified || (p.Err == nil) != (s.verified > 0) ||
			!result.Addr.IsValid() {
			t.Errorf("%s: %d sent, %d verified, %v, %v", s.name, len(p.Sent), len(p.Verified), p.Err, err)
		}
	}
	port, _ := listen(t, "127.0.0.1:0")
	d := testDialer(t, Config{Resolver: everywhere, Allow: loopback()})
	if _, _, err := d.Present(t.Context(), Destination{Host: host, Port: port}); asError(t,
		err).Reason != HandshakeFailed {
		t.Errorf("an echo server: %v", err)
	}
}

func TestTransport(t *testing.T) {
	leakCheck(t)
	c := newChains(t, "ecdsa")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{c.leaf.TLS()}},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/away" {
				http.Redirect(w, r, "https://evil.example/", http.StatusFound)
				return
			}
			_, _ = io.WriteString(w, r.Proto)
		}),
	}
	go func() { _ = server.ServeTLS(l, "", "") }()
	defer server.Close()
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")

	d := testDialer(t, Config{Resolver: everywhere, Roots: c.root.Pool()})
	transport := d.Transport(TransportOptions{Allow: loopback(),
		Pins: set(t, pin.Entry{Host: host, Hashes: []pin.Hash{hash(t, c.leaf)}})})
	defer transport.CloseIdleConnections()
	base := "https://" + net.JoinHostPort(host, l.Addr().String()[len("127.0.0.1:"):])
	var seen []Result
	ctx := WithObserver(t.Context(), func(r Result, err error) {
		if err == nil {
			seen = append(seen, r)
		}
	})
	if body := get(ctx, t, transport, base+"/"); body != "HTTP/2.0" {
		t.Errorf("body %q, want HTTP/2.0", body)
	}
	get(ctx, t, transport, base+"/again")
	if len(seen) != 1 || seen[0].Host != host || !seen[0].Addr.IsValid() {
		t.Errorf("observed %+v, want one connection", seen)
	}
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, base+"/away", nil)
	response, err := transport.RoundTrip(request)
	if err != nil || response.StatusCode != http.StatusFound {
		t.Fatalf("a redirect was not handed back: %v, %v", response, err)
	}
	_ = response.Body.Close()

	for raw, want := range map[string]Reason{
		"http://" + host + "/":   Cleartext,
		"https://127.1/":         BadHost,
		"https://[fe80::1%25lo]": BadHost,
	} {
		if _, err := transportGet(ctx, transport, raw); asError(t, err).Reason != want {
			t.Errorf("%s: %v, want %v", raw, err, want)
		}
	}
	strict := d.Transport(TransportOptions{})
	if _, err := transportGet(ctx, strict, base+"/"); asError(t, err).Reason != AddressRefused {
		t.Errorf("without an allowance: %v", err)
	}
}

func transportGet(ctx context.Context, rt http.RoundTripper, raw string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, raw, nil)
	if err != nil {
		return "", err
	}
	response, err := rt.RoundTrip(request)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	return string(body), errors.Join(err, response.Body.Close())
}

func get(ctx context.Context, t *testing.T, rt http.RoundTripper, raw string) string {
	t.Helper()
	body, err := transportGet(ctx, rt, raw)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
