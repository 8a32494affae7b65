package egress

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/cordon-sec/cordon/pin"
)

// TLSOptions are what one TLS connection may ask for beyond the rules.
type TLSOptions struct {
	// Protocols are the application protocols to offer (ALPN), such as "h2".
	Protocols []string
	// Certificates are the client's own, for a server that asks for one.
	Certificates []tls.Certificate
}

// TLSConfig returns the configuration for a connection to the destination:
// TLS 1.2 at least, the certificate verified for the destination's host
// against the roots, its keys, revocation lists and its stapled OCSP answer, and the
// host's pins. All of it applies to resumed sessions as well. Its verification errors
// are *Error.
func (d *Dialer) TLSConfig(to Destination, options TLSOptions) *tls.Config {
	host := lower(to.Host)
	v := &verifier{host: host, roots: d.config.Roots, now: d.config.Now}
	pins := to.Pins
	if pins == nil {
		pins = d.config.Pins
	}
	v.bound, v.pinned = pins.For(host)
	if v.revocations = to.Revocations; v.revocations == nil {
		v.revocations = d.config.Revocations
	}
	return &tls.Config{
		ServerName:   host,
		MinVersion:   tls.VersionTLS12,
		NextProtos:   options.Protocols,
		Certificates: options.Certificates,
		Time:         d.config.Now,
		// The chain is verified by VerifyConnection, which unlike the built-in
		// verification can replace the roots for one host, and runs for resumed
		// sessions too.
		InsecureSkipVerify: true,
		VerifyConnection:   v.verify,
	}
}

// Handshake speaks TLS over a connection that Dial opened. On error the
// connection is closed.
func (d *Dialer) Handshake(ctx context.Context, conn net.Conn, to Destination, options TLSOptions) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.config.TLSTimeout)
	defer cancel()
	secure := tls.Client(conn, d.TLSConfig(to, options))
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, d.handshakeError(ctx, conn, to.Host, err)
	}
	return secure, nil
}

func (d *Dialer) handshakeError(ctx context.Context, conn net.Conn, host string, err error) *Error {
	var e *Error
	if !errors.As(err, &e) {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		e = &Error{Step: StepTLS, Reason: HandshakeFailed, Host: host, Err: err}
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		e.Addr = remote(tcp)
	}
	return e
}

// DialTLS is Dial followed by Handshake.
func (d *Dialer) DialTLS(ctx context.Context, to Destination, options TLSOptions) (*tls.Conn, Result, error) {
	conn, result, err := d.Dial(ctx, to)
	if err != nil {
		return nil, result, err
	}
	began := time.Now()
	secure, err := d.Handshake(ctx, conn, to, options)
	result.Handshake = time.Since(began)
	if err != nil {
		return nil, result, err
	}
	return secure, result, nil
}

// verifier checks the chain of one connection.
type verifier struct {
	host   string
	roots  *x509.CertPool
	now    func() time.Time
	bound  pin.Bound
	pinned bool

	revocations *RevocationLists
}

func (v *verifier) verify(state tls.ConnectionState) error {
	chains, err := v.chains(state)
	if err != nil {
		return err
	}
	if err := v.verifyStaple(state, chains); err != nil || !v.pinned {
		return err
	}
	return v.verifyPins(chains, v.now())
}

// chains returns the chains that lead from the server's certificate to what is
// trusted: the roots, or what is pinned instead of them.
func (v *verifier) chains(state tls.ConnectionState) ([][]*x509.Certificate, error) {
	now := v.now()
	if len(state.PeerCertificates) == 0 {
		return nil, &Error{Step: StepTLS, Reason: HandshakeFailed, Host: v.host, Err: errors.New("no certificate")}
	}
	options := x509.VerifyOptions{
		DNSName:       v.host,
		Roots:         v.roots,
		CurrentTime:   now,
		Intermediates: x509.NewCertPool(),
	}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	if v.pinned && v.bound.ReplacesRoots() {
		roots, err := v.anchors(now)
		if err != nil {
			return nil, v.pinError(err)
		}
		options.Roots = roots
	}
	chains, err := state.PeerCertificates[0].Verify(options)
	if err != nil {
		return nil, v.chainError(err)
	}
	if chains, err = v.strong(chains); err != nil {
		return nil, err
	}
	return v.unrevoked(chains)
}

// verifyPins requires a pin in one of the verified chains: several lead to the
// same leaf where authorities cross-signed.
func (v *verifier) verifyPins(chains [][]*x509.Certificate, now time.Time) error {
	err := error(pin.ErrMismatch)
	for _, chain := range chains {
		raw := make([][]byte, len(chain))
		for i, c := range chain {
			raw[i] = c.Raw
		}
		if err = v.bound.Verify(raw, now); err == nil {
			return nil
		}
	}
	return v.pinError(err)
}

// anchors makes a pool of the certificates that replace the roots.
func (v *verifier) anchors(now time.Time) (*x509.CertPool, error) {
	raw, err := v.bound.Anchors(now)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, der := range raw {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			// One unreadable anchor must not hide behind the others.
			return nil, pin.ErrNoPins
		}
		pool.AddCert(c)
	}
	return pool, nil
}

func (v *verifier) pinError(err error) *Error {
	e := &Error{Step: StepPin, Reason: PinMismatch, Host: v.host, Err: err}
	switch {
	case errors.Is(err, pin.ErrExpired):
		e.Reason = PinsExpired
	case errors.Is(err, pin.ErrNoPins):
		e.Reason = PinsUnreadable
	}
	return e
}

// anchored reports whether c is itself pinned instead of the roots.
func (v *verifier) anchored(c *x509.Certificate) bool {
	if !v.pinned || c == nil {
		return false
	}
	raw, err := v.bound.Anchors(v.now())
	return err == nil && slices.ContainsFunc(raw, func(der []byte) bool { return bytes.Equal(der, c.Raw) })
}

func (v *verifier) chainError(err error) *Error {
	e := &Error{Step: StepTLS, Reason: Untrusted, Host: v.host, Err: err}
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &name):
		e.Reason = WrongName
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && v.anchored(invalid.Cert):
		// The plugins on Android would accept it: see the guide to pins.
		e.Step, e.Reason, e.Err = StepPin, PinsExpired, fmt.Errorf("pinned certificate expired: %w", err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		e.Reason = CertificateExpired
	}
	return e
}
