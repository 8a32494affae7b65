package pin

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ReadChain reads certificates for a person to look at, in any form that holds
// them openly: one in DER, or one and more as PEM text, in their order. For
// what devices load, see ReadCER. The error is a *FormatError; one broken
// certificate spoils the file.
func ReadChain(name string, data []byte) ([]*Certificate, error) {
	if c, err := ReadCER(name, data); err == nil {
		return []*Certificate{c}, nil
	} else if !bytes.Contains(data, []byte("-----BEGIN CERTIFICATE-----")) {
		return nil, err
	}
	var chain []*Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			format, remedy := diagnosePEM(data)
			return nil, &FormatError{Name: name, Format: format, Remedy: remedy}
		case block.Type != "CERTIFICATE":
			continue
		}
		c, err := ReadCER("", block.Bytes)
		if err != nil {
			return nil, &FormatError{Name: name, Format: Broken, Err: fmt.Errorf("PEM block %d: %w", len(chain)+1, err)}
		}
		chain = append(chain, c)
	}
	if begun := bytes.Count(data, []byte("-----BEGIN CERTIFICATE-----")); len(chain) != begun {
		return nil, &FormatError{Name: name, Format: Truncated,
			Err: fmt.Errorf("%d of %d PEM blocks can be read", len(chain), begun)}
	}
	return chain, nil
}

// OfFile returns the pin of a key that is in a file: a certificate or a bare
// public key, in DER or as PEM text. It is for backup pins, whose keys may not
// have a certificate yet.
func OfFile(name string, data []byte) (Hash, error) {
	if block, _ := pem.Decode(data); block != nil && block.Type == "PUBLIC KEY" {
		data = block.Bytes
	}
	if spki, rest, err := expect(data, tagSequence, ""); err == nil && len(rest) == 0 && checkSPKI(spki.body) == nil {
		return HashOf(data), nil
	}
	chain, err := ReadChain(name, data)
	if err != nil {
		return Hash{}, err
	}
	return chain[0].Pin(), nil
}

// ExpiryNotice is how long before its end a certificate or a pin is worth a
// warning: an app's update needs weeks to reach everybody.
const ExpiryNotice = 60 * 24 * time.Hour

// Warnings says what a person should know before pinning a chain: certificates
// of one file or server, the leaf first if there is one. Each is a sentence
// without a full stop.
func Warnings(chain []*Certificate, now time.Time) []string {
	var warnings []string
	leaves, seen := 0, []Hash{}
	for _, c := range chain {
		name := c.CommonName()
		if name == "" {
			name = strings.Join(c.Names, ", ")
		}
		switch {
		case c.NotAfter.IsZero():
			warnings = append(warnings, fmt.Sprintf("%q: the expiry cannot be read", name))
		case now.After(c.NotAfter):
			warnings = append(warnings, fmt.Sprintf("%q expired on %s", name, c.NotAfter.Format(time.DateOnly)))
		case now.Before(c.NotBefore):
			warnings = append(warnings,
				fmt.Sprintf("%q is not valid before %s", name, c.NotBefore.Format(time.DateOnly)))
		case now.Add(ExpiryNotice).After(c.NotAfter):
			warnings = append(warnings, fmt.Sprintf("%q expires soon, on %s", name, c.NotAfter.Format(time.DateOnly)))
		}
		if !c.CA {
			leaves++
		}
		if slices.Contains(seen, c.Pin()) {
			warnings = append(warnings, fmt.Sprintf("%q has the same key as another certificate here", name))
		}
		seen = append(seen, c.Pin())
	}
	if leaves == len(chain) && leaves > 0 {
		warnings = append(warnings,
			"only a server's own key: a new key locks the app out unless a backup pin is there before")
	}
	return warnings
}
