// Package sealing keeps small values secret and unchanged while they lie in a
// database or with a client: XChaCha20-Poly1305 under keys derived by HKDF from
// root keys, one for each purpose.
package sealing

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrOpen says that a value was not sealed for this purpose and context under
// any of the keys. It never says which of these.
var ErrOpen = errors.New("sealing: the value does not open")

const (
	layout   = 1 // the first byte of every sealed value
	idBytes  = 4
	overhead = 1 + idBytes + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
)

// Box seals for one purpose. Its first key seals, all keys open, so that root
// keys can be exchanged. It is immutable and safe for concurrent use, and prints
// as ***.
type Box struct {
	purpose string
	keys    []key
}

type key struct {
	id   []byte
	aead cipher.AEAD
}

// NewBox derives the keys for a purpose from the roots, the current one first.
func NewBox(purpose string, roots ...[]byte) (*Box, error) {
	if len(roots) == 0 || purpose == "" {
		return nil, errors.New("sealing: a box needs a purpose and a root key")
	}
	b := &Box{purpose: purpose}
	for _, root := range roots {
		if len(root) == 0 {
			return nil, errors.New("sealing: a root key is empty")
		}
		derived, err := Derive(root, purpose, chacha20poly1305.KeySize+idBytes)
		if err != nil {
			return nil, err
		}
		aead, err := chacha20poly1305.NewX(derived[:chacha20poly1305.KeySize])
		if err != nil {
			return nil, fmt.Errorf("sealing: %w", err)
		}
		b.keys = append(b.keys, key{id: derived[chacha20poly1305.KeySize:], aead: aead})
	}
	return b, nil
}

// Derive returns n bytes that belong to the root and the purpose alone.
func Derive(root []byte, purpose string, n int) ([]byte, error) {
	derived, err := hkdf.Key(sha256.New, root, nil, "cordon "+purpose, n)
	if err != nil {
		return nil, fmt.Errorf("sealing: deriving a key: %w", err)
	}
	return derived, nil
}

// Seal returns the value sealed. It opens only with the same context, which
// says where the value belongs, such as the id of its row.
func (b *Box) Seal(value []byte, context string) []byte {
	k := b.keys[0]
	out := make([]byte, 1+idBytes+chacha20poly1305.NonceSizeX, len(value)+overhead)
	out[0] = layout
	copy(out[1:], k.id)
	nonce := out[1+idBytes:]
	rand.Read(nonce)
	return k.aead.Seal(out, nonce, value, b.bound(context))
}

// Open returns the value, or ErrOpen.
func (b *Box) Open(sealed []byte, context string) ([]byte, error) {
	if len(sealed) < overhead || sealed[0] != layout {
		return nil, ErrOpen
	}
	id, nonce, text := sealed[1:1+idBytes], sealed[1+idBytes:1+idBytes+chacha20poly1305.NonceSizeX],
		sealed[1+idBytes+chacha20poly1305.NonceSizeX:]
	for _, k := range b.keys {
		if !bytes.Equal(k.id, id) {
			continue
		}
		if value, err := k.aead.Open(nil, nonce, text, b.bound(context)); err == nil {
			return value, nil
		}
	}
	return nil, ErrOpen
}

// bound is the associated data: purpose and context, told apart by length.
func (b *Box) bound(context string) []byte {
	return fmt.Appendf(nil, "%d:%s%s", len(b.purpose), b.purpose, context)
}

// String hides the keys.
func (b *Box) String() string { return b.purpose + " ***" }

// GoString hides the keys from %#v too.
func (b *Box) GoString() string { return b.String() }
