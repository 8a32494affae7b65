package identity

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ClockSkew is how far nbf and iat may lie in the future. exp has no leeway.
const ClockSkew = 60 * time.Second

// maxTokenBytes bounds what is parsed at all.
const maxTokenBytes = 16 << 10

// Algorithm is how session tokens are signed.
type Algorithm string

// The algorithms that tokens are minted with. HS256 is what App Service does
// and what existing verifiers read; ES256 lets others verify without the key.
const (
	HS256 Algorithm = "HS256"
	ES256 Algorithm = "ES256"
)

// Token is the content of a session token, as App Service lays it out.
type Token struct {
	// Subject is the user id, StableID the second, never-changing one of the
	// original ("stable_sid", "" to leave it out).
	Subject, StableID string
	// Provider is the provider's alias ("idp"), Version the layout's ("ver"),
	// Session the sign-in's id ("sid").
	Provider, Version, Session string
	// Issued is nbf and iat, Expires exp; zero when a token lacks them.
	Issued, Expires time.Time
	// Claims are all claims of a verified token; nil for one to be minted.
	Claims map[string]any
}

// TokenError says why a token does not hold. Name and Message are those of the
// library that the original server used, because clients show them:
// JsonWebTokenError, TokenExpiredError, NotBeforeError.
type TokenError struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	// ExpiredAt is set with TokenExpiredError.
	ExpiredAt *time.Time `json:"expiredAt,omitempty"`
}

// Error returns the name and the message; the token is in neither.
func (e *TokenError) Error() string { return e.Name + ": " + e.Message }

func invalid(message string) error { return &TokenError{Name: "JsonWebTokenError", Message: message} }

// Expired reports whether err says that a token is sound but too old.
func Expired(err error) bool {
	var e *TokenError
	return errors.As(err, &e) && e.Name == "TokenExpiredError"
}

// Authority mints and verifies the session tokens of one deployment. It is
// safe for concurrent use.
type Authority struct {
	issuer, audience string
	algorithm        Algorithm
	now              func() time.Time
	keys             atomic.Pointer[KeySet]
}

// NewAuthority returns an authority for tokens of that issuer and audience (any
// strings), signed in that way with keys.
func NewAuthority(issuer, audience string, algorithm Algorithm, keys *KeySet, now func() time.Time) (*Authority,
	error) {
	if algorithm != HS256 && algorithm != ES256 {
		return nil, fmt.Errorf("identity: unknown algorithm %q", algorithm)
	}
	if algorithm == HS256 && len(keys.Shared) == 0 {
		return nil, errors.New("identity: HS256 needs a signing key")
	}
	a := &Authority{issuer: issuer, audience: audience, algorithm: algorithm, now: now}
	a.keys.Store(keys)
	return a, nil
}

// SetKeys exchanges the keys, for example after a rotation.
func (a *Authority) SetKeys(keys *KeySet) { a.keys.Store(keys) }

// Keys returns the keys in use.
func (a *Authority) Keys() *KeySet { return a.keys.Load() }

// Mint signs a token. It always carries an expiry: t.Expires must lie after
// t.Issued.
func (a *Authority) Mint(t Token) (string, error) {
	if t.Subject == "" || !t.Expires.After(t.Issued) {
		return "", errors.New("identity: a token needs a subject and an expiry")
	}
	claims := jwt.MapClaims{
		"sub": t.Subject, "iss": a.issuer, "aud": a.audience,
		"exp": t.Expires.Unix(), "nbf": t.Issued.Unix(), "iat": t.Issued.Unix(),
	}
	for name, value := range map[string]string{"idp": t.Provider, "ver": t.Version, "sid": t.Session,
		"stable_sid": t.StableID} {
		if value != "" {
			claims[name] = value
		}
	}
	keys := a.keys.Load()
	if a.algorithm == ES256 {
		key, ok := keys.signer(a.now())
		if !ok {
			return "", errors.New("identity: no key to sign with")
		}
		token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
		token.Header["kid"] = key.ID
		return token.SignedString(key.Key)
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(keys.Shared[0])
}

// Verify checks a token: its signature by a fixed list of algorithms (HS256;
// HS384 and HS512 only with a key of at least 48 or 64 bytes, as
// AppServiceTokenHandler of azure-mobile-apps-net-server 2.0.3 signs with such
// keys; ES256 with a published key), issuer, audience, nbf, iat, and exp
// if there is one: a token signed by the owner's own login code may lack it. A
// token that expired within the last grace is accepted. Errors are *TokenError.
func (a *Authority) Verify(text string, grace time.Duration) (Token, error) {
	if len(text) > maxTokenBytes {
		return Token{}, invalid("jwt malformed")
	}
	claims, err := a.open(text)
	if err != nil {
		return Token{}, err
	}
	return a.check(claims, grace)
}

// open verifies the signature with each key that fits.
func (a *Authority) open(text string) (jwt.MapClaims, error) {
	keys, now := a.keys.Load(), a.now()
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256", "HS384", "HS512", "ES256"}),
		jwt.WithoutClaimsValidation(), jwt.WithJSONNumber(), jwt.WithStrictDecoding())
	var claims jwt.MapClaims
	_, err := parser.ParseWithClaims(text, &claims, func(t *jwt.Token) (any, error) {
		if _, critical := t.Header["crit"]; critical {
			return nil, errors.New("crit")
		}
		if t.Method.Alg() == "ES256" {
			id, _ := t.Header["kid"].(string)
			if key := keys.verifier(id, now); key != nil {
				return key, nil
			}
			return nil, errors.New("unknown kid")
		}
		return sharedKeys(keys, t.Method.Alg())
	})
	switch {
	case err == nil:
		return claims, nil
	case errors.Is(err, jwt.ErrTokenMalformed):
		return nil, invalid("jwt malformed")
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		if !strings.Contains(err.Error(), "signing method") {
			return nil, invalid("invalid signature")
		}
	}
	return nil, invalid("invalid algorithm")
}

// sharedKeys returns the symmetric keys that are long enough for alg.
func sharedKeys(keys *KeySet, alg string) (any, error) {
	least := map[string]int{"HS256": 0, "HS384": 48, "HS512": 64}[alg]
	var set jwt.VerificationKeySet
	for _, k := range keys.Shared {
		if len(k) >= max(least, 1) {
			set.Keys = append(set.Keys, k)
		}
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("no key for this algorithm")
	}
	return set, nil
}

// check looks at the claims of a token whose signature holds.
func (a *Authority) check(claims jwt.MapClaims, grace time.Duration) (Token, error) {
	now := a.now()
	t := Token{Claims: claims}
	var err [3]error
	var before time.Time
	t.Expires, err[0] = date(claims, "exp")
	before, err[1] = date(claims, "nbf")
	t.Issued, err[2] = date(claims, "iat")
	if errors.Join(err[:]...) != nil {
		return Token{}, invalid("jwt malformed")
	}
	if before.After(now.Add(ClockSkew)) || t.Issued.After(now.Add(ClockSkew)) {
		return Token{}, &TokenError{Name: "NotBeforeError", Message: "jwt not active"}
	}
	if !t.Expires.IsZero() && !t.Expires.Add(grace).After(now) {
		at := t.Expires
		return Token{}, &TokenError{Name: "TokenExpiredError", Message: "jwt expired", ExpiredAt: &at}
	}
	if iss, _ := claims["iss"].(string); iss != a.issuer || claims["iss"] == nil {
		return Token{}, invalid("jwt issuer invalid. expected: " + a.issuer)
	}
	if !slices.Contains(audiences(claims["aud"]), a.audience) {
		return Token{}, invalid("jwt audience invalid. expected: " + a.audience)
	}
	if t.Issued.IsZero() {
		t.Issued = before
	}
	for name, target := range map[string]*string{"sub": &t.Subject, "idp": &t.Provider, "ver": &t.Version,
		"sid": &t.Session, "stable_sid": &t.StableID} {
		*target, _ = claims[name].(string)
	}
	if t.Subject == "" || len(t.Subject) > 255 {
		return Token{}, invalid("jwt subject invalid")
	}
	return t, nil
}

// audiences returns aud, a string or an array of strings.
func audiences(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// date reads a NumericDate: seconds, possibly with a fraction. Absent is zero.
func date(claims jwt.MapClaims, name string) (time.Time, error) {
	v, present := claims[name]
	if !present {
		return time.Time{}, nil
	}
	number, ok := v.(interface{ Float64() (float64, error) })
	if !ok {
		return time.Time{}, fmt.Errorf("%s is not a number", name)
	}
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > 253402300799 { // the end of year 9999
		return time.Time{}, fmt.Errorf("%s is out of range", name)
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC(), nil
}
