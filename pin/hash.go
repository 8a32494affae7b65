// Package pin holds certificate pins: the RFC 7469 hash of a public key, the
// .cer files that Cordova plugins pin with, and sets of pins that belong to
// hosts.
//
// Two things are called pinning, and they are different features; they have
// different names here. Pins on top of the roots ([OnTopOfRoots]) are hashes
// of public keys, one of which must stand in a chain that the system's roots
// already vouch for. Pins instead of the roots ([InsteadOfRoots]) are whole
// certificates that replace the system's roots, which is what
// cordova-plugin-http and cordova-plugin-advanced-http make of .cer files.
//
// The package is pure: it opens nothing and reads no clock, so the time is a
// parameter. It finds the public key by walking the certificate's DER itself,
// so that a certificate which crypto/x509 refuses (an unknown algorithm, a
// negative serial number) still has its pin.
package pin

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Hash is a pin as RFC 7469 defines it: the SHA-256 of a certificate's DER
// SubjectPublicKeyInfo, taken over the bytes as they stand in the certificate.
// A renewed certificate with the same key keeps its pin.
type Hash [sha256.Size]byte

// ParseHash reads a pin in base64 with padding (RFC 4648 section 4), with or
// without "sha256/" before it as OkHttp and curl write it ("sha256//").
func ParseHash(s string) (Hash, error) {
	var h Hash
	text := s
	if rest, ok := strings.CutPrefix(text, "sha256/"); ok {
		text = strings.TrimPrefix(rest, "/")
	}
	if strings.HasPrefix(text, "sha1/") {
		return h, fmt.Errorf("pin %q is a SHA-1 pin; only SHA-256 pins count", s)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return h, fmt.Errorf("pin %q is not base64", s)
	}
	if len(raw) != len(h) {
		return h, fmt.Errorf("pin %q has %d bytes; a SHA-256 has %d", s, len(raw), len(h))
	}
	copy(h[:], raw)
	if h == (Hash{}) {
		return h, errors.New("a pin of zeros matches nothing")
	}
	return h, nil
}

// String returns the pin in base64 with padding, as it stands in a config.xml,
// in Android's network security config and in RFC 7469 headers.
func (h Hash) String() string { return base64.StdEncoding.EncodeToString(h[:]) }

// HashOf returns the pin of the DER SubjectPublicKeyInfo spki.
func HashOf(spki []byte) Hash { return sha256.Sum256(spki) }

// Of returns the pin of a DER certificate. The error is a *FormatError.
func Of(der []byte) (Hash, error) {
	spki, err := SPKI(der)
	if err != nil {
		return Hash{}, err
	}
	return HashOf(spki), nil
}
