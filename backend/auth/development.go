package auth

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/cordon-sec/cordon/backend/identity"
)

// development signs anybody in, on a developer's own machine: at once as the
// first of its users, or as the one that the login_hint or its page names. The
// configuration refuses it unless everything is on loopback.
type development struct{ providerBase }

// people are the users that the page offers; the first one is the default.
func (p *development) people() []string {
	if len(p.config.Users) > 0 {
		return p.config.Users
	}
	return []string{"developer@localhost"}
}

// user makes an outcome of a name.
func (p *development) user(name string) (*outcome, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		name = p.people()[0]
	}
	if shorten(name, 200) != name {
		return nil, errRefused
	}
	claims := []identity.Claim{{Type: identity.ClaimNameID, Value: name}, {Type: identity.ClaimName, Value: name}}
	mail := ""
	if strings.Contains(name, "@") {
		mail = name
		claims = append(claims, identity.Claim{Type: identity.ClaimMail, Value: name})
	}
	return &outcome{Issuer: p.issuer(), Subject: name, Name: name, Mail: mail, Claims: claims,
		Token: identity.ProviderToken{Provider: p.name}}, nil
}

func (p *development) issuer() string { return "urn:cordon:development:" + p.name }

func (p *development) start(_ context.Context, a *attempt) (string, error) {
	return "", fmt.Errorf("%w (the development provider has no address of its own)", errRefused)
}

func (p *development) finish(_ context.Context, _ *attempt, callback url.Values) (*outcome, error) {
	return p.user(callback.Get("user"))
}

// trade takes any token for the name of a user.
func (p *development) trade(_ context.Context, c credentials) (*outcome, error) {
	name := first(c.IDToken, c.AccessToken, c.AuthenticationToken)
	if name == "" {
		return nil, errMalformed
	}
	return p.user(name)
}

func (p *development) renew(context.Context, identity.ProviderToken) (*outcome, error) {
	return &outcome{Token: identity.ProviderToken{Provider: p.name}}, nil
}
