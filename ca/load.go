package ca

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/internal/configfile"
)

// Open loads the authority that Create made in the directory. Without one the
// error is ErrNone.
func Open(dir string) (*Authority, error) {
	certificate := filepath.Join(dir, CertificateFile)
	if _, err := os.Stat(certificate); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("ca: %s: %w", dir, ErrNone)
	}
	return Load(certificate, filepath.Join(dir, KeyFile))
}

// OpenOrCreate loads the authority in the directory, or makes it. created says
// which.
func OpenOrCreate(dir string, options Options) (a *Authority, created bool, err error) {
	a, err = Open(dir)
	if !errors.Is(err, ErrNone) {
		return a, false, err
	}
	a, err = Create(dir, options)
	if errors.Is(err, ErrExists) {
		// Another process was faster.
		a, err = Open(dir)
		return a, false, err
	}
	return a, err == nil, err
}

// Load reads an authority from a certificate file (PEM text, the authority's
// certificate first, then those between it and its root; or one certificate in
// DER) and a key file (PEM text: PKCS#8, SEC 1 or PKCS#1). Every error names
// the file; the typed ones are ErrWrongKey, ErrNotCA and ErrExpired.
func Load(certificateFile, keyFile string) (*Authority, error) {
	certificates, err := readCertificates(certificateFile)
	if err != nil {
		return nil, err
	}
	a := &Authority{certificate: certificates[0]}
	if a.key, err = readKey(keyFile); err != nil {
		return nil, err
	}
	if err := a.check(certificateFile, keyFile, time.Now()); err != nil {
		return nil, err
	}
	// What signed itself needs no sending: it is trusted or it is not.
	for _, c := range certificates {
		if c.CheckSignatureFrom(c) != nil {
			a.above = append(a.above, c.Raw)
		}
	}
	a.notes = a.note(keyFile)
	return a, nil
}

func (a *Authority) check(certificateFile, keyFile string, now time.Time) error {
	c := a.certificate
	public, ok := a.key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(c.PublicKey) {
		return fmt.Errorf("ca: %s and %s: %w (%q)", certificateFile, keyFile, ErrWrongKey, c.Subject)
	}
	if !c.BasicConstraintsValid || !c.IsCA || c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0 {
		return fmt.Errorf("ca: %s: %w (%q may not sign certificates)", certificateFile, ErrNotCA, c.Subject)
	}
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return fmt.Errorf("ca: %s: %w (valid from %s to %s)", certificateFile, ErrExpired,
			c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly))
	}
	return nil
}

// note collects what is allowed but unwise.
func (a *Authority) note(keyFile string) []string {
	var notes []string
	if info, err := os.Stat(keyFile); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		notes = append(notes, fmt.Sprintf("%s: others can read the key (mode %04o): chmod 600", keyFile,
			info.Mode().Perm()))
	}
	if left := time.Until(a.certificate.NotAfter); left < 30*24*time.Hour {
		notes = append(notes, fmt.Sprintf("the authority %q expires on %s", a,
			a.certificate.NotAfter.UTC().Format(time.DateOnly)))
	}
	return notes
}

// maxFile bounds a file of an authority, in bytes.
const maxFile = 1 << 20

func readCertificates(name string) ([]*x509.Certificate, error) {
	data, err := configfile.Read(name, maxFile)
	if err != nil {
		return nil, fmt.Errorf("ca: certificate: %w", err)
	}
	if c, err := x509.ParseCertificate(data); err == nil {
		return []*x509.Certificate{c}, nil
	}
	var certificates []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("ca: %s: certificate %d: %w", name, len(certificates)+1, err)
		}
		certificates = append(certificates, c)
	}
	if len(certificates) == 0 {
		return nil, fmt.Errorf("ca: %s: no certificate in it; want PEM text with BEGIN CERTIFICATE", name)
	}
	return certificates, nil
}

// readKey reads a private key. Its errors never hold any of the file's bytes.
func readKey(name string) (crypto.Signer, error) {
	data, err := configfile.Read(name, maxFile)
	if err != nil {
		return nil, fmt.Errorf("ca: key: %w", err)
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return nil, fmt.Errorf("ca: %s: the key is encrypted; decrypt it with: openssl pkey -in FILE -out FILE.key",
				name)
		}
		key, err := parseKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("ca: %s: %w", name, err)
		}
		return key, nil
	}
	return nil, fmt.Errorf("ca: %s: no private key in it; want PEM text with BEGIN PRIVATE KEY", name)
}

func parseKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
		return nil, fmt.Errorf("a %T cannot sign", key)
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errors.New("the private key must be in PKCS#8, SEC 1 or PKCS#1")
}
