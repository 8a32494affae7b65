package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/internal/secret"
)

// apple is OpenID Connect with two ways of its own: the client secret is a
// token that we sign, and the answer comes as a form, on the first sign-in with
// the user's name beside it. (Apple, "Sign in with Apple REST API".)
type apple struct{ *openID }

// appleSecretLife is how long a client secret of ours lives; Apple allows six
// months.
const appleSecretLife = 5 * time.Minute

func newApple(b providerBase, secrets secret.Source) (provider, error) {
	p := newOpenID(b)
	p.formPost = true
	if b.config.PrivateKey == "" {
		return &apple{p}, nil // the client secret was made elsewhere
	}
	value, err := secrets.Resolve(b.config.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("identity.providers.%s.private_key: %w", b.name, err)
	}
	key, err := parseApplePEM(value.Bytes())
	if err != nil {
		return nil, fmt.Errorf("identity.providers.%s.private_key: %w", b.name, err)
	}
	p.clientSecret = func() (string, error) {
		now := b.now()
		token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
			"iss": b.config.TeamID, "sub": b.config.ClientID, "aud": appleIssuer,
			"iat": now.Unix(), "exp": now.Add(appleSecretLife).Unix(),
		})
		token.Header["kid"] = b.config.KeyID
		return token.SignedString(key)
	}
	return &apple{p}, nil
}

func parseApplePEM(data []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("is not a PEM file")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("is not an ECDSA key in PKCS #8")
	}
	return key, nil
}

func (p *apple) finish(ctx context.Context, a *attempt, callback url.Values) (*outcome, error) {
	out, err := p.openID.finish(ctx, a, callback)
	if err != nil {
		return nil, err
	}
	var user struct {
		Name struct {
			First string `json:"firstName"`
			Last  string `json:"lastName"`
		} `json:"name"`
	}
	// The form field is not signed: it may name the user, never identify it.
	if json.Unmarshal([]byte(callback.Get("user")), &user) == nil {
		given, family := shorten(user.Name.First, 100), shorten(user.Name.Last, 100)
		if full := strings.TrimSpace(given + " " + family); full != "" {
			out.Claims = append(out.Claims, identity.Claim{Type: identity.ClaimGiven, Value: given},
				identity.Claim{Type: identity.ClaimSurname, Value: family},
				identity.Claim{Type: identity.ClaimName, Value: full})
		}
	}
	return out, nil
}
