package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// MinKeyBytes is the least length of a signing key given in hexadecimal: HS256
// takes no shorter key (RFC 7518, section 3.2).
const MinKeyBytes = 32

// KeySet is what session tokens are signed and verified with. It is immutable.
// It prints as ***.
type KeySet struct {
	// Shared are the symmetric keys, the current one first; the others are
	// verified with only.
	Shared [][]byte
	// Private are the asymmetric keys. Tokens are signed with the one that
	// became active last.
	Private []PrivateKey
}

// PrivateKey is one ECDSA P-256 key, from when on it signs, and until when
// what it signed is accepted.
type PrivateKey struct {
	// ID is the key id.
	ID string
	// Key signs.
	Key *ecdsa.PrivateKey
	// Active is when it begins to sign; Retired when it ceases to verify, zero
	// for not yet.
	Active, Retired time.Time
}

// String hides the keys.
func (KeySet) String() string { return "***" }

// GoString hides the keys from %#v too.
func (KeySet) GoString() string { return "***" }

// String hides the key.
func (k PrivateKey) String() string { return k.ID + " ***" }

// GoString hides the key from %#v too.
func (k PrivateKey) GoString() string { return k.String() }

// ParseHexKey decodes a signing key as App Service keeps it in
// WEBSITE_AUTH_SIGNING_KEY. The error never shows the key.
func ParseHexKey(text string) ([]byte, error) {
	key, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("identity: the signing key is not hexadecimal")
	}
	if len(key) < MinKeyBytes {
		return nil, fmt.Errorf("identity: the signing key has %d bytes, at least %d are needed", len(key), MinKeyBytes)
	}
	return key, nil
}

// NewPrivateKey makes an ECDSA P-256 key with a random id.
func NewPrivateKey(active time.Time) (PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("identity: making a key: %w", err)
	}
	var id [12]byte
	rand.Read(id[:])
	return PrivateKey{ID: base64.RawURLEncoding.EncodeToString(id[:]), Key: key, Active: active}, nil
}

// MarshalKey returns the private key in PKCS #8, to be sealed and stored.
func (k PrivateKey) MarshalKey() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.Key)
	if err != nil {
		return nil, fmt.Errorf("identity: encoding a key: %w", err)
	}
	return der, nil
}

// ParsePrivateKey reads what MarshalKey wrote.
func ParsePrivateKey(der []byte) (*ecdsa.PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("identity: a stored key does not parse")
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("identity: a stored key is not of ECDSA P-256")
	}
	return key, nil
}

// signer returns the asymmetric key that signs at now.
func (s *KeySet) signer(now time.Time) (PrivateKey, bool) {
	var best PrivateKey
	for _, k := range s.Private {
		usable := !k.Active.After(now) && (k.Retired.IsZero() || k.Retired.After(now))
		if usable && (best.Key == nil || k.Active.After(best.Active)) {
			best = k
		}
	}
	return best, best.Key != nil
}

// verifier returns the asymmetric key of that id, unless it is retired.
func (s *KeySet) verifier(id string, now time.Time) *ecdsa.PublicKey {
	for _, k := range s.Private {
		if k.ID == id && (k.Retired.IsZero() || k.Retired.After(now)) {
			return &k.Key.PublicKey
		}
	}
	return nil
}

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517): those that
// sign, those that will, and those whose tokens may still be about.
func (s *KeySet) JWKS(now time.Time) []byte {
	type key struct {
		Type  string `json:"kty"`
		Use   string `json:"use"`
		Alg   string `json:"alg"`
		ID    string `json:"kid"`
		Curve string `json:"crv"`
		X     string `json:"x"`
		Y     string `json:"y"`
	}
	set := struct {
		Keys []key `json:"keys"`
	}{Keys: []key{}}
	for _, k := range s.Private {
		public := s.verifier(k.ID, now)
		if public == nil {
			continue
		}
		point, err := public.Bytes() // 0x04, x, y
		if err != nil || len(point) != 65 {
			continue
		}
		set.Keys = append(set.Keys, key{
			Type: "EC", Use: "sig", Alg: "ES256", ID: k.ID, Curve: "P-256",
			X: base64.RawURLEncoding.EncodeToString(point[1:33]),
			Y: base64.RawURLEncoding.EncodeToString(point[33:]),
		})
	}
	out, err := json.Marshal(set)
	if err != nil { // a struct of strings always encodes
		return []byte(`{"keys":[]}`)
	}
	return out
}

// UserID derives a user's id from what the provider calls itself and the user:
// "sid:" and 32 hexadecimal digits, a keyed hash. The key is the deployment's
// id key, which never changes, so neither do the ids. How App Service derives
// its own is not public.
func UserID(key []byte, issuer, subject string) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%d:%s%s", len(issuer), issuer, subject)
	return "sid:" + hex.EncodeToString(mac.Sum(nil)[:16])
}
