package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Origin is a server's certificate with one thing about it, and what package
// egress says of it: a reason, or "" where it is fine.
type Origin struct {
	Name        string
	Certificate tls.Certificate
	Reason      string
}

// Origins makes certificates for a host below the root, each with another fault,
// and a few without one that look as if.
func Origins(t testing.TB, root *Pair, host string) []Origin {
	t.Helper()
	return append(chains(t, root, host), stapled(t, root, host)...)
}

func chains(t testing.TB, root *Pair, host string) []Origin {
	t.Helper()
	past, now := Now.Add(-48*time.Hour), Now
	leaf := Spec{Name: host, Hosts: []string{host}}
	with := func(change func(*Spec)) Spec {
		s := leaf
		change(&s)
		return s
	}
	changed := func(change func(*x509.Certificate)) Spec { return with(func(s *Spec) { s.Change = change }) }
	below := func(s Spec) *Pair { s.Name = "Intermediate"; return root.Intermediate(t, s) }
	rsaKey := below(Spec{Key: "rsa"})
	sha1 := func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }
	rootSHA1 := func(c *x509.Certificate) {
		if sha1(c); root.Certificate.PublicKeyAlgorithm == x509.ECDSA {
			c.SignatureAlgorithm = x509.ECDSAWithSHA1
		}
	}
	good := below(Spec{})
	return []Origin{
		{"good", good.Leaf(t, leaf).TLS(), ""},
		{"good RSA", rsaKey.Leaf(t, with(func(s *Spec) { s.Key = "rsa" })).TLS(), ""},
		{"expired", good.Leaf(t, with(func(s *Spec) { s.From, s.To = past, past.Add(time.Hour) })).TLS(),
			"certificate-expired"},
		{"not valid yet", good.Leaf(t, with(func(s *Spec) { s.From = now.Add(time.Hour) })).TLS(),
			"certificate-expired"},
		{"expired intermediate", below(Spec{From: past, To: past.Add(time.Hour)}).Leaf(t, leaf).TLS(),
			"certificate-expired"},
		{"wrong host", good.Leaf(t, Spec{Name: host, Hosts: []string{"other." + host}}).TLS(), "wrong-name"},
		{"common name only", good.Leaf(t, Spec{Name: host}).TLS(), "wrong-name"},
		{"wildcard above", good.Leaf(t, Spec{Hosts: []string{"*.test"}}).TLS(), ""},
		{"wildcard below", good.Leaf(t, Spec{Hosts: []string{"*." + host}}).TLS(), "wrong-name"},
		{"self-signed", SelfSigned(t, leaf).TLS(), "untrusted"},
		{"another root", Root(t, Spec{Name: "Other"}).Leaf(t, leaf).TLS(), "untrusted"},
		{"without its intermediate", good.Leaf(t, leaf).Alone(), "untrusted"},
		{"for clients", good.Leaf(t, changed(func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		})).TLS(), "untrusted"},
		{"below a leaf", good.Leaf(t, Spec{Name: "No authority"}).Leaf(t, leaf).TLS(), "untrusted"},
		{"unknown critical extension", good.Leaf(t, changed(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true,
				Value: []byte{5, 0}}}
		})).TLS(), "untrusted"},
		{"SHA-1", rsaKey.Leaf(t, changed(sha1)).TLS(), "untrusted"},
		{"SHA-1 in the intermediate", below(Spec{Change: rootSHA1}).Leaf(t, leaf).TLS(), "untrusted"},
		{"RSA of 1024 bits", good.Leaf(t, with(func(s *Spec) { s.Signer = smallRSA(t) })).TLS(), "untrusted"},
		{"RSA of 2040 bits in the intermediate", below(Spec{Signer: rsaOf(t, 2040)}).Leaf(t, leaf).TLS(), "untrusted"},
		{"curve of 224 bits in the intermediate", below(Spec{Signer: smallCurve(t)}).Leaf(t, leaf).TLS(), "untrusted"},
		{"names that the intermediate may sign", below(Spec{Change: func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{host}
		}}).Leaf(t, leaf).TLS(), ""},
		{"not a name that the intermediate may sign", below(Spec{Change: func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"allowed.test"}
		}}).Leaf(t, leaf).TLS(), "untrusted"},
		{"a name that the intermediate may not sign", below(Spec{Change: func(c *x509.Certificate) {
			c.ExcludedDNSDomains = []string{host}
		}}).Leaf(t, leaf).TLS(), "untrusted"},
	}
}

func rsaOf(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatalf("testpki: key: %v", err)
	}
	return key
}

func smallRSA(t testing.TB) crypto.Signer { t.Helper(); return rsaOf(t, 1024) }

func smallCurve(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatalf("testpki: key: %v", err)
	}
	return key
}

// MustStaple makes a certificate require a stapled OCSP answer.
func MustStaple(c *x509.Certificate) {
	c.ExtraExtensions = append(c.ExtraExtensions,
		pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}})
}

// stapled are certificates with OCSP answers.
func stapled(t testing.TB, root *Pair, host string) []Origin {
	t.Helper()
	issuer := root.Intermediate(t, Spec{Name: "Intermediate"})
	leaf := issuer.Leaf(t, Spec{Name: host, Hosts: []string{host}})
	must := issuer.Leaf(t, Spec{Name: host, Hosts: []string{host}, Change: MustStaple})
	responder := issuer.Leaf(t, Spec{Name: "Responder", Change: func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	}})
	other := Root(t, Spec{Name: "Other"})
	fresh, stale := Now.Add(time.Hour), Now.Add(-time.Minute)
	answer := func(of, by *Pair, status int, until time.Time) []byte {
		template := ocsp.Response{Status: status, SerialNumber: of.Certificate.SerialNumber,
			ThisUpdate: Now.Add(-time.Hour), NextUpdate: until}
		if status == ocsp.Revoked {
			template.RevokedAt = Now.Add(-24 * time.Hour)
		}
		if by != issuer && by != other {
			template.Certificate = by.Certificate
		}
		raw, err := ocsp.CreateResponse(issuer.Certificate, by.Certificate, template, by.Key)
		if err != nil {
			t.Fatalf("testpki: OCSP: %v", err)
		}
		return raw
	}
	with := func(p *Pair, staple []byte) tls.Certificate {
		c := p.TLS()
		c.OCSPStaple = staple
		return c
	}
	const revoked, missing = "certificate-revoked", "staple-missing"
	return []Origin{
		{"staple: good", with(leaf, answer(leaf, issuer, ocsp.Good, fresh)), ""},
		{"staple: revoked", with(leaf, answer(leaf, issuer, ocsp.Revoked, fresh)), revoked},
		{"staple: revoked, says a responder", with(leaf, answer(leaf, responder, ocsp.Revoked, fresh)), revoked},
		{"staple: revoked, and old", with(leaf, answer(leaf, issuer, ocsp.Revoked, stale)), revoked},
		{"staple: old", with(leaf, answer(leaf, issuer, ocsp.Good, stale)), ""},
		{"staple: another's", with(leaf, answer(must, issuer, ocsp.Revoked, fresh)), ""},
		{"staple: revoked, says a stranger", with(leaf, answer(leaf, other, ocsp.Revoked, fresh)), ""},
		{"staple: no OCSP", with(leaf, []byte("no OCSP")), ""},
		{"must-staple: good", with(must, answer(must, issuer, ocsp.Good, fresh)), ""},
		{"must-staple: good, says a responder", with(must, answer(must, responder, ocsp.Good, fresh)), ""},
		{"must-staple: revoked", with(must, answer(must, issuer, ocsp.Revoked, fresh)), revoked},
		{"must-staple: none", must.TLS(), missing},
		{"must-staple: old", with(must, answer(must, issuer, ocsp.Good, stale)), missing},
		{"must-staple: unknown", with(must, answer(must, issuer, ocsp.Unknown, fresh)), missing},
		{"must-staple: another's", with(must, answer(leaf, issuer, ocsp.Good, fresh)), missing},
		{"must-staple: good, says a stranger", with(must, answer(must, other, ocsp.Good, fresh)), missing},
		{"must-staple: good, says a neighbour", with(must, answer(must, leaf, ocsp.Good, fresh)), missing},
		{"must-staple: no OCSP", with(must, []byte("no OCSP")), missing},
	}
}
