package egress

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

// What crypto/x509 leaves to others: the size of keys, and revocation as far as
// the server itself or a list shows it.

// The least sizes of keys, in bits.
const (
	minRSA   = 2048
	minCurve = 256
)

// strong leaves out the chains with a key that is too small. A trust anchor's
// key is its owner's choice; the server's own never is.
func (v *verifier) strong(chains [][]*x509.Certificate) ([][]*x509.Certificate, error) {
	var weak error
	chains = slices.DeleteFunc(chains, func(chain []*x509.Certificate) bool {
		for i, c := range chain {
			if i > 0 && i == len(chain)-1 {
				break
			}
			if err := checkKey(c); err != nil {
				weak = err
				return true
			}
		}
		return false
	})
	if len(chains) == 0 {
		return nil, &Error{Step: StepTLS, Reason: Untrusted, Host: v.host, Err: weak}
	}
	return chains, nil
}

// unrevoked leaves out the chains with a certificate that a list says is revoked, or
// may be.
func (v *verifier) unrevoked(chains [][]*x509.Certificate) ([][]*x509.Certificate, error) {
	e := &Error{Step: StepTLS, Reason: RevocationUnknown, Host: v.host}
	chains = slices.DeleteFunc(chains, func(chain []*x509.Certificate) bool {
		err := v.revocations.Check(chain, v.now())
		if errors.Is(err, ErrRevoked) {
			e.Reason, e.Err = Revoked, err
		} else if err != nil && e.Err == nil {
			e.Err = err
		}
		return err != nil
	})
	if len(chains) == 0 {
		return nil, e
	}
	return chains, nil
}

// checkKey refuses keys that are too small to vouch for anything.
func checkKey(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSA {
			return fmt.Errorf("the RSA key of %q has %d bits; at least %d are needed", c.Subject, n, minRSA)
		}
	case *ecdsa.PublicKey:
		if n := key.Params().BitSize; n < minCurve {
			return fmt.Errorf("the key of %q is on a curve of %d bits; at least %d are needed", c.Subject, n, minCurve)
		}
	}
	return nil
}

// verifyStaple reads the OCSP answer that the server sent along. One that says
// revoked is believed however old it is; one that cannot be verified counts as
// none, which is an error only for a certificate that promises one (RFC 7633).
// Nobody is asked.
func (v *verifier) verifyStaple(state tls.ConnectionState, chains [][]*x509.Certificate) error {
	leaf := state.PeerCertificates[0]
	missing := promisesStaple(leaf)
	if len(state.OCSPResponse) == 0 && !missing {
		return nil
	}
	for _, chain := range chains {
		if len(chain) < 2 {
			return nil // it is trusted itself: nobody could revoke it
		}
		answer, err := ocsp.ParseResponseForCert(state.OCSPResponse, leaf, chain[1])
		switch {
		case err != nil:
		case answer.Status == ocsp.Revoked:
			return &Error{Step: StepTLS, Reason: Revoked, Host: v.host,
				Err: fmt.Errorf("revoked on %s, says the stapled answer", answer.RevokedAt.UTC().Format(time.DateOnly))}
		case answer.Status == ocsp.Good && v.current(answer):
			missing = false
		}
	}
	if missing {
		return &Error{Step: StepTLS, Reason: StapleMissing, Host: v.host,
			Err: errors.New("the certificate requires a stapled OCSP answer (must-staple), and there is no valid one")}
	}
	return nil
}

// current reports whether an answer counts now, and was signed by the issuer or
// by whom the issuer lets answer: any certificate of the issuer's would do
// otherwise.
func (v *verifier) current(answer *ocsp.Response) bool {
	now := v.now()
	if responder := answer.Certificate; responder != nil {
		if !slices.Contains(responder.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) || now.Before(responder.NotBefore) ||
			now.After(responder.NotAfter) {
			return false
		}
	}
	return !now.Before(answer.ThisUpdate) && now.Before(answer.NextUpdate)
}

// tlsFeature is the extension by which a certificate names what its server must
// do (RFC 7633); statusRequest is the staple.
var tlsFeature = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}

const statusRequest = 5

// promisesStaple reports whether a certificate requires a stapled answer. A list
// that cannot be read requires one, too.
func promisesStaple(c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(tlsFeature) {
			var features []int
			rest, err := asn1.Unmarshal(e.Value, &features)
			return err != nil || len(rest) > 0 || slices.Contains(features, statusRequest)
		}
	}
	return false
}
