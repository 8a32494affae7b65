package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/internal/secret"
)

// provider is one identity provider in action. Every kind of provider is a file
// of its own.
type provider interface {
	// start returns where the user's browser goes, and may leave what it needs
	// again in a.Secret.
	start(ctx context.Context, a *attempt) (string, error)
	// finish makes of what the provider sent to the callback the user.
	finish(ctx context.Context, a *attempt, callback url.Values) (*outcome, error)
	// trade makes of a token that a client brought the user.
	trade(ctx context.Context, c credentials) (*outcome, error)
	// renew exchanges the refresh token. The outcome's Subject is "" when the
	// provider did not say anew who the user is.
	renew(ctx context.Context, t identity.ProviderToken) (*outcome, error)
}

// attempt is one sign-in on its way through a provider.
type attempt struct {
	// Callback is our redirect URI.
	Callback string
	// State, Nonce and Verifier are fresh random values: for the return, for
	// the ID token, and of PKCE.
	State, Nonce, Verifier string
	// Extra are parameters of the client for the provider.
	Extra url.Values
	// Secret is the secret of an OAuth 1.0a request token.
	Secret string
}

// credentials are what a client brings to the client flow.
type credentials struct {
	AccessToken         string `json:"access_token"`
	AccessTokenSecret   string `json:"access_token_secret"`
	IDToken             string `json:"id_token"`
	RefreshToken        string `json:"refresh_token"`
	AuthenticationToken string `json:"authentication_token"`
	AuthorizationCode   string `json:"authorization_code"`
	RedirectURI         string `json:"redirect_uri"`
}

// String hides the secrets.
func (attempt) String() string { return "***" }

// GoString hides the secrets.
func (attempt) GoString() string { return "***" }

// String hides the tokens.
func (credentials) String() string { return "***" }

// GoString hides the tokens.
func (credentials) GoString() string { return "***" }

// outcome is a user as a provider proves it.
type outcome struct {
	Issuer, Subject string
	Name, Mail      string
	Claims          []identity.Claim
	Token           identity.ProviderToken
}

// The errors of providers that decide the answer.
var (
	// errRefused: what the client or the browser brought does not hold.
	errRefused = errors.New("the provider's answer does not prove a user")
	// errNotAdmitted: the user is proven, and is none of those who are let in.
	errNotAdmitted = errors.New("the user is not one of those who are let in")
	// errMalformed: the client left out what this provider needs.
	errMalformed = errors.New("the request lacks what this provider needs")
	// errNoRefresh: this provider has no refresh, or there is no refresh token.
	errNoRefresh = errors.New("this provider does not refresh tokens, or gave no refresh token")
	// errRevoked: the provider does not accept the refresh token any more.
	errRevoked = errors.New("the refresh token was revoked or has expired")
)

// errProvider wraps a failure of the provider or of the way to it.
type errProvider struct{ err error }

func (e *errProvider) Error() string { return "the provider failed: " + e.err.Error() }
func (e *errProvider) Unwrap() error { return e.err }

// newProvider builds the provider that a configuration describes.
func newProvider(name string, c ProviderConfig, client *http.Client, secrets secret.Source,
	now func() time.Time) (provider, error) {
	var clientSecret string
	if c.ClientSecret != "" {
		value, err := secrets.Resolve(c.ClientSecret)
		if err != nil {
			return nil, fmt.Errorf("identity.providers.%s.client_secret: %w", name, err)
		}
		clientSecret = value.Text()
	}
	base := providerBase{name: name, config: c, secret: clientSecret, client: client, now: now}
	switch c.Type {
	case "development":
		return &development{providerBase: base}, nil
	case "facebook":
		return newFacebook(base), nil
	case "github":
		return newGitHub(base), nil
	case "x":
		return newX(base), nil
	case "twitter":
		return newTwitter(base), nil
	case "apple":
		return newApple(base, secrets)
	case "oidc", "aad", "google", "microsoftaccount":
		return newOpenID(base), nil
	}
	return nil, fmt.Errorf("identity.providers.%s.type: unknown type %q", name, c.Type)
}

// providerBase is what all providers have.
type providerBase struct {
	name   string
	config ProviderConfig
	secret string
	client *http.Client
	now    func() time.Time
}

// String hides the client secret.
func (b providerBase) String() string { return b.name + " ***" }

// GoString hides the client secret.
func (b providerBase) GoString() string { return b.String() }

func (b *providerBase) scopes(usual ...string) []string {
	if len(b.config.Scopes) > 0 {
		return b.config.Scopes
	}
	return usual
}

// ownParameters are those of an authorization request that a client cannot
// set: they are ours.
var ownParameters = []string{"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce",
	"code_challenge", "code_challenge_method", "request", "request_uri", "registration", "client_secret", "code",
	"code_verifier", "grant_type", "claims",
	"p"} // p is the policy of Azure AD B2C

// authorization returns the options of an authorization request: PKCE, the
// operator's parameters, and the client's where they are not ours.
func (b *providerBase) authorization(a *attempt) []oauth2.AuthCodeOption {
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.Verifier)}
	for name, values := range a.Extra {
		if len(values) > 0 && !slices.Contains(ownParameters, strings.ToLower(name)) {
			options = append(options, oauth2.SetAuthURLParam(name, values[0]))
		}
	}
	for name, value := range b.config.Parameters {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	return options
}

// token copies what a token endpoint gave.
func (b *providerBase) token(t *oauth2.Token) identity.ProviderToken {
	id, _ := t.Extra("id_token").(string)
	return identity.ProviderToken{Provider: b.name, Access: t.AccessToken, Refresh: t.RefreshToken, ID: id,
		Expires: t.Expiry.UTC()}
}

// exchange trades an authorization code.
func (b *providerBase) exchange(ctx context.Context, c *oauth2.Config, code string,
	options ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
	if code == "" {
		return nil, errRefused
	}
	token, err := c.Exchange(context.WithValue(ctx, oauth2.HTTPClient, b.client), code, options...)
	if err != nil {
		return nil, tokenError(err, errRefused)
	}
	return token, nil
}

// refresh trades a refresh token.
func (b *providerBase) refresh(ctx context.Context, c *oauth2.Config, t identity.ProviderToken) (*oauth2.Token, error) {
	if t.Refresh == "" {
		return nil, errNoRefresh
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, b.client)
	token, err := c.TokenSource(ctx, &oauth2.Token{RefreshToken: t.Refresh}).Token()
	if err != nil {
		return nil, tokenError(err, errRevoked)
	}
	return token, nil
}

// tokenError tells a refusal of the token endpoint from its failure. The
// response's body stays out of the error: it may hold tokens.
func tokenError(err, refused error) error {
	var retrieve *oauth2.RetrieveError
	if !errors.As(err, &retrieve) {
		return &errProvider{err: stripURL(err)}
	}
	status := 0
	if retrieve.Response != nil {
		status = retrieve.Response.StatusCode
	}
	code := shorten(retrieve.ErrorCode, 64)
	if code == "invalid_client" || status >= 500 || status == http.StatusTooManyRequests {
		return &errProvider{err: fmt.Errorf("token endpoint: status %d, %s", status, code)}
	}
	return fmt.Errorf("%w (%s)", refused, code)
}

// stripURL takes the URL, which may hold secrets in its query, out of an error
// of net/http.
func stripURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// maxAnswer bounds what a provider may answer.
const maxAnswer = 1 << 20

// getJSON sends a request and decodes its answer into out. A status of 401,
// 403, 404 or 400 is errRefused.
func (b *providerBase) getJSON(r *http.Request, out any) error {
	r.Header.Set("Accept", "application/json")
	resp, err := b.client.Do(r)
	if err != nil {
		return &errProvider{err: stripURL(err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return &errProvider{err: err}
	case resp.StatusCode >= 400 && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests:
		return fmt.Errorf("%w (status %d)", errRefused, resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return &errProvider{err: fmt.Errorf("status %d", resp.StatusCode)}
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	if err := decoder.Decode(out); err != nil {
		return &errProvider{err: errors.New("its answer is not JSON")}
	}
	return nil
}

// shorten cuts a text of a stranger to printable characters and a length.
func shorten(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return -1
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}
