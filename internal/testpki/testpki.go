// Package testpki makes certificates for tests: authorities, intermediates and
// leaves with every kind of key and every kind of mistake. Nothing outside
// tests imports it.
package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

// Now is the time at which certificates made without other times are valid: an
// hour after they begin.
var Now = time.Now().UTC().Truncate(time.Second)

// Spec says how a certificate is to be. The zero Spec is a good ECDSA one.
type Spec struct {
	// Name is the common name of the subject.
	Name string
	// Hosts are names and addresses for the subject alternative name.
	Hosts []string
	// Key is "ecdsa" (also ""), "p384", "rsa" or "ed25519".
	Key string
	// Signer, if not nil, is the key itself: for renewed certificates.
	Signer crypto.Signer
	// From and To are the validity; zero: an hour ago, and in a day.
	From, To time.Time
	// Change, if not nil, changes the template before it is signed.
	Change func(*x509.Certificate)
}

// Pair is a certificate with its key and those that lead to its root.
type Pair struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
	// Chain is what a server sends, in DER: this certificate and the
	// intermediates above it, without the root.
	Chain [][]byte
	root  *x509.Certificate
}

// rsaKey is made once: making one takes longer than most tests.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newKey(t testing.TB, kind string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "", "ecdsa":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "rsa":
		key, err = rsaKey()
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		t.Fatalf("testpki: unknown kind of key %q", kind)
	}
	if err != nil {
		t.Fatalf("testpki: key: %v", err)
	}
	return key
}

func (s *Spec) template(t testing.TB, authority bool) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		t.Fatalf("testpki: serial: %v", err)
	}
	c := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: s.Name},
		NotBefore:    Now.Add(-time.Hour),
		NotAfter:     Now.Add(24 * time.Hour),
	}
	if !s.From.IsZero() {
		c.NotBefore = s.From
	}
	if !s.To.IsZero() {
		c.NotAfter = s.To
	}
	if authority {
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	} else {
		c.KeyUsage = x509.KeyUsageDigitalSignature
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	for _, host := range s.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, host)
		}
	}
	if s.Change != nil {
		s.Change(c)
	}
	return c
}

func sign(t testing.TB, s Spec, authority bool, parent *Pair) *Pair {
	t.Helper()
	key := s.Signer
	if key == nil {
		key = newKey(t, s.Key)
	}
	template := s.template(t, authority)
	issuer, issuerKey := template, key
	if parent != nil {
		issuer, issuerKey = parent.Certificate, parent.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
	if err != nil {
		t.Fatalf("testpki: sign %q: %v", s.Name, err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("testpki: read %q: %v", s.Name, err)
	}
	p := &Pair{Certificate: c, Key: key, Chain: [][]byte{der}, root: c}
	if parent != nil {
		p.root = parent.root
		if parent.Certificate != parent.root {
			p.Chain = append(p.Chain, parent.Chain...)
		}
	}
	return p
}

// Root makes an authority.
func Root(t testing.TB, s Spec) *Pair { t.Helper(); return sign(t, s, true, nil) }

// SelfSigned makes a leaf that signs itself.
func SelfSigned(t testing.TB, s Spec) *Pair { t.Helper(); return sign(t, s, false, nil) }

// Intermediate makes an authority below p.
func (p *Pair) Intermediate(t testing.TB, s Spec) *Pair { t.Helper(); return sign(t, s, true, p) }

// Leaf makes a server's certificate below p.
func (p *Pair) Leaf(t testing.TB, s Spec) *Pair { t.Helper(); return sign(t, s, false, p) }

// Pool returns a pool with the root above p.
func (p *Pair) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.root)
	return pool
}

// DER returns the certificate's bytes.
func (p *Pair) DER() []byte { return p.Certificate.Raw }

// PEM returns the certificate as PEM text.
func (p *Pair) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate.Raw})
}

// KeyPEM returns the private key as PKCS#8 in PEM text.
func (p *Pair) KeyPEM(t testing.TB) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		t.Fatalf("testpki: key: %v", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// TLS returns what a server presents: the certificate with its intermediates.
func (p *Pair) TLS() tls.Certificate {
	return tls.Certificate{Certificate: p.Chain, PrivateKey: p.Key, Leaf: p.Certificate}
}

// Alone returns the certificate without its intermediates: the common mistake.
func (p *Pair) Alone() tls.Certificate {
	return tls.Certificate{Certificate: p.Chain[:1], PrivateKey: p.Key, Leaf: p.Certificate}
}

// List says how a revocation list is to be. The zero List is good for a day and
// names nothing.
type List struct {
	// Revoked are the certificates that it names.
	Revoked []*Pair
	// From and To are its validity; zero: an hour ago, and in a day.
	From, To time.Time
	// Extensions are further ones.
	Extensions []pkix.Extension
	// Entry, if not nil, changes each entry.
	Entry func(*x509.RevocationListEntry)
}

// CRL returns a revocation list of the authority in PEM.
func (p *Pair) CRL(t testing.TB, l List) []byte {
	t.Helper()
	template := &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: Now.Add(-time.Hour), NextUpdate: Now.Add(24 * time.Hour),
		ExtraExtensions: l.Extensions,
	}
	if !l.From.IsZero() {
		template.ThisUpdate = l.From
	}
	if !l.To.IsZero() {
		template.NextUpdate = l.To
	}
	for _, revoked := range l.Revoked {
		entry := x509.RevocationListEntry{SerialNumber: revoked.Certificate.SerialNumber, RevocationTime: Now}
		if l.Entry != nil {
			l.Entry(&entry)
		}
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, entry)
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, p.Certificate, p.Key)
	if err != nil {
		t.Fatalf("testpki: revocation list of %q: %v", p.Certificate.Subject, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}
