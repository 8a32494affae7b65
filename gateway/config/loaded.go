package config

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/policy/enforced"
)

// Loaded is a configuration with everything that it names, as values: what a
// gateway takes. Package source makes it out of files; a caller that holds the
// values already makes it by itself, and need not name a file for what it gives.
// It is not changed once a gateway has it.
type Loaded struct {
	// Config is the configuration as it is written.
	Config Config
	// Apps are what belongs to each of Config.Apps, in their order.
	Apps []Contents
	// Certificate is the listeners' own; needed where Config.TLS is set.
	Certificate *tls.Certificate
	// ClientCAs are the authorities of client certificates, nil if none is asked
	// for; needed where Config.TLS names a file of them.
	ClientCAs *x509.CertPool
	// Authority signs for the hosts of inspected apps; needed where there are any.
	Authority *ca.Authority
	// Revocations are the revocation lists; needed where Config.CRLs names any.
	Revocations *egress.RevocationLists
}

// Contents are what an app names.
type Contents struct {
	// List is the app's list, compiled as its Options say.
	List *enforced.List
	// Password is the digest of the credential's password.
	Password Digest
}

// Digest is what is kept of a password to know it again. The zero Digest is that
// of no password. It prints as ***, and is safe for concurrent use.
type Digest struct {
	sum [sha256.Size]byte
	set bool
}

// DigestOf returns the digest of a password, and the zero Digest of an empty one.
func DigestOf(password []byte) Digest {
	if len(password) == 0 {
		return Digest{}
	}
	return Digest{sha256.Sum256(password), true}
}

// Matches reports whether d is of this password, in a time that tells nothing of
// either.
func (d Digest) Matches(password string) bool {
	sum := sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(sum[:], d.sum[:]) == 1 && d.set
}

// IsZero reports whether d is of no password.
func (d Digest) IsZero() bool { return !d.set }

// Format keeps every verb from showing the digest: passwords can be guessed from it.
func (Digest) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("***")) }

// Options are how an app's list is to be compiled.
func (a App) Options() enforced.Options {
	orDefault(&a.Platform, DefaultPlatform)
	return enforced.Options{Platform: a.Platform, Strict: a.Strict, Inspect: a.Inspect, RequireTLS: a.RequireTLS}
}

// Inspects reports whether tunnels of an app are decrypted.
func (c Config) Inspects() bool {
	for _, a := range c.Apps {
		if a.Inspect {
			return true
		}
	}
	return false
}

// Validate finds the mistakes of the configuration, and what it names and l does
// not hold.
func (l Loaded) Validate() error {
	c := l.Config
	if err := join(l.check()); err != nil {
		return err
	}
	if len(l.Apps) != len(c.Apps) {
		return fmt.Errorf("%d apps are configured, and the contents of %d are there: each needs its own",
			len(c.Apps), len(l.Apps))
	}
	for i, a := range c.Apps {
		switch held := &l.Apps[i]; {
		case held.List == nil || held.List.Policy == nil:
			return fmt.Errorf("app %q: its list must be there, compiled", a.Name)
		case a.Credential != nil && held.Password.IsZero():
			return fmt.Errorf("app %q: the password of its credential must be there", a.Name)
		}
	}
	switch {
	case c.TLS == nil && (l.Certificate != nil || l.ClientCAs != nil):
		return errors.New("tls: there is a certificate, or there are authorities of clients, and the listeners would " +
			"not speak TLS: set Config.TLS")
	case !c.Inspects() && l.Authority != nil:
		return fmt.Errorf("ca: there is an authority, and no app has inspect: true")
	case c.TLS != nil && l.Certificate == nil:
		return fmt.Errorf("tls: the certificate must be there")
	case c.TLS != nil && c.TLS.ClientCA != "" && l.ClientCAs == nil:
		return fmt.Errorf("tls: client_ca: the authorities must be there")
	case len(c.CRLs) > 0 && l.Revocations == nil:
		return fmt.Errorf("crls: the revocation lists must be there")
	case c.Inspects() && l.Authority == nil:
		return fmt.Errorf("ca: the authority must be there, for apps with inspect: true")
	}
	return nil
}
