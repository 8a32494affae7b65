package egress

import (
	"context"
	"crypto/tls"
	"time"
)

// Presented is the chain that a server shows, for a person to look at.
type Presented struct {
	// Sent are the certificates as they came, in DER, the leaf first.
	Sent [][]byte
	// Verified is a chain that leads to a trusted authority, in DER with its
	// root; nil if there is none.
	Verified [][]byte
	// Err says why the chain is not trusted; nil if it is.
	Err error
}

// Present connects to the destination and returns the chain that it shows,
// trusted or not. No byte of any request is sent. The error is an *Error, nil
// for a chain that merely is not trusted. Pins are not looked at.
func (d *Dialer) Present(ctx context.Context, to Destination) (Presented, Result, error) {
	var p Presented
	conn, result, err := d.Dial(ctx, to)
	if err != nil {
		return p, result, err
	}
	defer conn.Close()
	v := &verifier{host: lower(to.Host), roots: d.config.Roots, now: d.config.Now}
	config := d.TLSConfig(to, TLSOptions{})
	config.VerifyConnection = func(state tls.ConnectionState) error {
		for _, c := range state.PeerCertificates {
			p.Sent = append(p.Sent, c.Raw)
		}
		chains, err := v.chains(state)
		p.Err = err
		if err != nil {
			return nil
		}
		for _, c := range chains[0] {
			p.Verified = append(p.Verified, c.Raw)
		}
		return nil
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, d.config.TLSTimeout)
	defer cancel()
	secure := tls.Client(conn, config)
	err = secure.HandshakeContext(ctx)
	result.Handshake = time.Since(began)
	if err != nil {
		return p, result, d.handshakeError(ctx, conn, to.Host, err)
	}
	return p, result, nil
}
