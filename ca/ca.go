// Package ca holds certificate authorities: the development authority that
// Cordon makes for one machine, an operator's own, and the short-lived server
// certificates that either signs.
//
// Whoever trusts an authority trusts everything that its key signs. So the
// development authority is made on the machine that uses it, its key never
// leaves a file that only its owner can read, it can be limited to named
// hosts, and nothing here ever installs it anywhere.
//
// Start with [OpenOrCreate] for a development authority, or [Load] for one that an
// operator brings; Authority.Issuer gives the certificates, as a tls.Config asks
// for them (Issuer.GetCertificate). Errors that callers tell apart are [ErrExists],
// [ErrNone], [ErrWrongKey], [ErrNotCA] and [ErrExpired]; each error names the
// file. [Instructions] says how each system is made to trust an authority.
//
// An Authority and an Issuer are safe for concurrent use, and print without the
// key.
package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/pin"
)

// The names of the files in an authority's directory.
const (
	// CertificateFile holds the certificate as PEM text; it may be given away.
	CertificateFile = "ca.pem"
	// KeyFile holds the private key as PKCS#8 in PEM text, with mode 0600.
	KeyFile = "ca.key"
)

// DefaultLifetime is how long a development authority is valid.
const DefaultLifetime = 2 * 365 * 24 * time.Hour

// Errors of Create and Load that callers tell apart.
var (
	// ErrExists: the directory holds an authority already.
	ErrExists = errors.New("there is an authority already")
	// ErrNone: the directory holds no authority.
	ErrNone = errors.New("there is no authority")
	// ErrWrongKey: the key does not belong to the certificate.
	ErrWrongKey = errors.New("the key does not belong to the certificate")
	// ErrNotCA: the certificate may not sign others.
	ErrNotCA = errors.New("the certificate is not an authority's")
	// ErrExpired: the certificate is expired or not valid yet.
	ErrExpired = errors.New("the certificate is not valid now")
)

// Authority is a certificate with its key that signs others. It is immutable
// and safe for concurrent use. It never prints its key.
type Authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	// above are the certificates between this one and the root, in DER.
	above [][]byte
	notes []string
}

// Options say how a development authority is to be. The zero Options is the
// default.
type Options struct {
	// Name is the common name; "": one that names Cordon, the machine's host
	// and the day.
	Name string
	// Permit limits the authority to these hosts: a name stands for itself and
	// everything below it, an address or a range for itself. Empty: no limit.
	Permit []string
	// Lifetime is how long it is valid; zero: DefaultLifetime.
	Lifetime time.Duration
	// Now is the time at which it begins; zero: the clock's.
	Now time.Time
}

// Create makes a development authority (ECDSA P-256, allowed to sign servers'
// certificates and nothing below them) in the directory, which must not exist
// or be empty. Both files appear at once or not at all, also if two processes
// try; the loser gets ErrExists.
func Create(dir string, options Options) (*Authority, error) {
	if options.Now.IsZero() {
		options.Now = time.Now()
	}
	if _, err := os.Stat(filepath.Join(dir, CertificateFile)); err == nil {
		return nil, fmt.Errorf("ca: %s: %w", dir, ErrExists)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("ca: make a key: %w", err)
	}
	template, err := options.template()
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("ca: sign: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("ca: read what was signed: %w", err)
	}
	a := &Authority{certificate: certificate, key: key}
	return a, a.save(dir)
}

func (o *Options) template() (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	lifetime := o.Lifetime
	if lifetime == 0 {
		lifetime = DefaultLifetime
	}
	if lifetime < time.Hour || lifetime > 10*DefaultLifetime {
		return nil, fmt.Errorf("ca: a lifetime of %v is not between an hour and twenty years", lifetime)
	}
	name := o.Name
	if name == "" {
		machine, err := os.Hostname()
		if err != nil || machine == "" {
			machine = "this machine"
		}
		name = fmt.Sprintf("Cordon development CA (%.20s, %s)", machine, o.Now.UTC().Format(time.DateOnly))
	}
	if len(name) > 64 {
		return nil, fmt.Errorf("ca: the name %q has more than 64 characters", name)
	}
	c := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: []string{"Cordon development"}},
		NotBefore:    o.Now.Add(-time.Hour),
		NotAfter:     o.Now.Add(lifetime),
		IsCA:         true, BasicConstraintsValid: true,
		MaxPathLen: 0, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return c, permit(c, o.Permit)
}

// permit writes the limits as name constraints (RFC 5280 section 4.2.1.10). A
// certificate that permits names only would permit every address, and the
// other way round, so what is not named is excluded.
func permit(c *x509.Certificate, hosts []string) error {
	if len(hosts) == 0 {
		return nil
	}
	c.PermittedDNSDomainsCritical = true
	for _, host := range hosts {
		if prefix, err := parseRange(host); err == nil {
			c.PermittedIPRanges = append(c.PermittedIPRanges, &net.IPNet{
				IP:   prefix.Masked().Addr().AsSlice(),
				Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen()),
			})
			continue
		}
		name := strings.TrimPrefix(host, "*.")
		if err := pin.CheckHost(name); err != nil {
			return fmt.Errorf("ca: permit: %w", err)
		}
		c.PermittedDNSDomains = append(c.PermittedDNSDomains, name)
	}
	if len(c.PermittedIPRanges) == 0 {
		c.ExcludedIPRanges = []*net.IPNet{
			{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}, {IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
		}
	}
	if len(c.PermittedDNSDomains) == 0 {
		c.ExcludedDNSDomains = []string{""}
	}
	return nil
}

func parseRange(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

// save writes both files into a directory beside dir and renames it, which is
// one step for everyone who looks.
func (a *Authority) save(dir string) error {
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return fmt.Errorf("ca: write the key: %w", err)
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	tmp, err := os.MkdirTemp(parent, ".cordon-ca-")
	if err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	defer os.RemoveAll(tmp)
	for _, f := range []struct {
		name, kind string
		der        []byte
		mode       os.FileMode
	}{
		{KeyFile, "PRIVATE KEY", key, 0o600},
		{CertificateFile, "CERTIFICATE", a.certificate.Raw, 0o644},
	} {
		text := pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der})
		if err := writeSynced(filepath.Join(tmp, f.name), text, f.mode); err != nil {
			return fmt.Errorf("ca: %w", err)
		}
	}
	if err := os.Rename(tmp, dir); err != nil {
		if entries, readErr := os.ReadDir(dir); readErr == nil && len(entries) > 0 {
			if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == CertificateFile }) {
				return fmt.Errorf("ca: %s: %w", dir, ErrExists)
			}
			return fmt.Errorf("ca: %s: the directory is not empty", dir)
		}
		return fmt.Errorf("ca: %w", err)
	}
	return nil
}

func writeSynced(name string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// newSerial returns a random serial number of 127 bits.
func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("ca: make a serial number: %w", err)
	}
	return n.Add(n, big.NewInt(1)), nil
}

// Certificate returns the authority's certificate. It must not be changed.
func (a *Authority) Certificate() *x509.Certificate { return a.certificate }

// PEM returns the certificate as PEM text, for those who are to trust it.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// Pool returns a pool that trusts this authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// Fingerprint returns the SHA-256 of the certificate as browsers and systems
// show it: pairs of hexadecimal digits with colons.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.certificate.Raw)
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(pairs, ":")
}

// Permitted returns the hosts and ranges that the authority is limited to, or
// nothing if it is not limited.
func (a *Authority) Permitted() []string {
	permitted := slices.Clone(a.certificate.PermittedDNSDomains)
	for _, n := range a.certificate.PermittedIPRanges {
		permitted = append(permitted, n.String())
	}
	return permitted
}

// Notes are sentences that an operator should see at start-up, such as that
// others can read the key file.
func (a *Authority) Notes() []string { return a.notes }

// String names the authority, without its key.
func (a *Authority) String() string { return a.certificate.Subject.CommonName }
