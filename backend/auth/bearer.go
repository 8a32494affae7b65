package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/cordon-sec/cordon/backend/identity"
)

// acceptsBearer reports whether a type's tokens can be verified, and so be accepted
// as bearer tokens.
func acceptsBearer(typ string) bool { return slices.Contains(openIDTypes, typ) }

// bearerProvider is a provider whose own tokens prove a user.
type bearerProvider interface {
	provider
	// bearer verifies a token whose issuer claims to be iss; errNotOurs says that
	// it is of another provider.
	bearer(ctx context.Context, raw, iss string) (*outcome, *oidc.IDToken, error)
}

// errNotOurs says that a token claims to be of another issuer.
var errNotOurs = errors.New("the token is of another issuer")

// openBearers lists the providers whose tokens are accepted as they are.
func (s *Server) openBearers() {
	for _, name := range slices.Sorted(maps.Keys(s.providers)) {
		if p, ok := s.providers[name].(bearerProvider); ok && s.config.Providers[name].Bearer {
			s.bearers = append(s.bearers, namedBearer{name, p})
		}
	}
}

type namedBearer struct {
	name string
	bearerProvider
}

// maxBearer bounds what is parsed at all.
const maxBearer = 16 << 10

// bearerOf returns the token of `Authorization: Bearer`, if it can only be a
// provider's: it is no token of ours, which another issuer never signs, and
// X-ZUMO-AUTH, which wins and carries our own, is not there.
func (s *Server) bearerOf(header, own string) (raw, iss string, ok bool) {
	if len(s.bearers) == 0 || own != "" || len(header) < 7 || !strings.EqualFold(header[:7], "bearer ") {
		return "", "", false
	}
	raw = strings.TrimSpace(header[7:])
	parts := strings.Split(raw, ".")
	if len(raw) > maxBearer || len(parts) != 3 {
		return "", "", false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Issuer == "" ||
		claims.Issuer == s.config.Issuer {
		return "", "", false
	}
	return raw, claims.Issuer, true
}

var (
	errBearer     = &identity.TokenError{Name: "JsonWebTokenError", Message: "jwt of the provider invalid"}
	errBearerUser = &identity.TokenError{Name: "JsonWebTokenError", Message: "user not allowed"}
)

// verifyBearer makes of a provider's token who asks. There is no session behind it:
// it can be refused by its user and time only.
func (s *Server) verifyBearer(ctx context.Context, raw, iss string) (knownProof, error) {
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	var refused, down error
	for _, p := range s.bearers {
		out, id, err := p.bearer(ctx, raw, iss)
		var failure *errProvider
		var expired *oidc.TokenExpiredError
		switch {
		case errors.Is(err, errNotOurs):
		case errors.As(err, &failure):
			down = fmt.Errorf("%w: %s: %w", ErrUnavailable, p.name, err)
		case errors.As(err, &expired):
			at := expired.Expiry.UTC()
			refused = &identity.TokenError{Name: "TokenExpiredError", Message: "jwt expired", ExpiredAt: &at}
		case errors.Is(err, errNotAdmitted):
			refused = errBearerUser
		case err == nil:
			return s.bearerProof(ctx, p.name, out, id)
		default:
			refused = errBearer
		}
	}
	if refused == nil && down != nil {
		return knownProof{}, down // it may be of the one that cannot be asked
	}
	if refused == nil { // nobody's: it is refused as any other token
		if _, refused = s.verifyToken(raw, 0); refused == nil {
			refused = errBearer
		}
	}
	return knownProof{}, refused
}

// bearerProof is the principal of a provider's token, the same user as after a
// sign-in with it. A user who was not seen before is kept, so that the operator can
// list and refuse them.
func (s *Server) bearerProof(ctx context.Context, name string, out *outcome, id *oidc.IDToken) (knownProof, error) {
	now := s.now().UTC().Truncate(time.Millisecond)
	if id.IssuedAt.IsZero() || id.IssuedAt.After(now.Add(identity.ClockSkew)) {
		return knownProof{}, errBearer // nobody could tell whether it was refused since
	}
	user := User{ID: identity.UserID(s.idKey, out.Issuer, out.Subject), Provider: name, Issuer: out.Issuer,
		Subject: out.Subject, Name: shorten(out.Name, 255), Mail: shorten(out.Mail, 255), Created: now, Seen: now}
	known, err := s.store.User(ctx, user.ID)
	if errors.Is(err, ErrNotFound) {
		err = s.store.PutUser(ctx, user)
	}
	if err != nil {
		return knownProof{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	// A provider's clock may be ahead: a token counts as made as early as it can have
	// been, so that none outlives an order to refuse what was there.
	return knownProof{began: id.IssuedAt.UTC().Add(-identity.ClockSkew), named: user.ID,
		principal: &identity.Principal{Issued: id.IssuedAt.UTC(), Expires: id.Expiry.UTC(),
			User: identity.User{ID: first(known.Merged, user.ID), Provider: name, Name: user.Name,
				Claims: out.Claims}}}, nil
}

// bearer is part of bearerProvider: the checks of the client flow.
func (p *openID) bearer(ctx context.Context, raw, iss string) (*outcome, *oidc.IDToken, error) {
	if !p.mayClaim(iss) {
		return nil, nil, errNotOurs // and nobody is asked on a stranger's behalf
	}
	d, err := p.discover(ctx)
	if err != nil {
		return nil, nil, err
	}
	if !p.claimed(d, iss) {
		return nil, nil, errNotOurs
	}
	return p.verify(ctx, d, raw, p.audiences())
}

// mayClaim reports whether an issuer may be the provider's, by what is configured.
func (p *openID) mayClaim(iss string) bool {
	if p.config.Type == "aad" || p.config.Type == "microsoftaccount" {
		return learnsIssuer(iss) || strings.HasPrefix(strings.ToLower(iss), stsHost) || sameOrigin(p.document, iss) ||
			sameIssuer(iss, p.issuer)
	}
	return sameIssuer(iss, p.issuer) || sameOrigin(p.document, iss) || p.issuer == googleIssuer && iss == googleShort
}

// claimed reports whether a token that names an issuer may be the provider's. It is
// asked before the signature is checked, so that nobody is made to look for keys in
// vain.
func (p *openID) claimed(d *discovered, iss string) bool {
	if d.answersAs(iss) {
		return true
	}
	entra := p.config.Type == "aad" && (strings.HasPrefix(d.issuer, entraHost) || strings.HasPrefix(d.issuer, stsHost))
	lower := strings.ToLower(iss)
	return entra && (strings.HasPrefix(lower, entraHost) || strings.HasPrefix(lower, stsHost))
}
