package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/cordon-sec/cordon/backend/identity"
)

// openID is a provider with OpenID Connect discovery. Its document is fetched
// on first use and kept for a day.
type openID struct {
	providerBase
	issuer   string // as configured or known; "" where the document alone says it
	document string // the address of the discovery document
	policy   string // the B2C policy that the address names
	tenant   string // the directory that is configured or that the address names, in lower case
	// clientSecret returns the secret for the token endpoint: a constant, or
	// with Apple a token made for the purpose.
	clientSecret func() (string, error)
	formPost     bool

	mu       sync.Mutex
	found    *discovered
	failed   time.Time
	failure  error
	fetching chan struct{}
}

// discovered is what a discovery document led to.
type discovered struct {
	endpoint oauth2.Endpoint
	keys     *keySet
	issuer   string // with {tenantid} in it where it stands for many directories
	at       time.Time
}

func newOpenID(b providerBase) *openID {
	p := &openID{providerBase: b, issuer: b.config.Issuer, document: b.config.Discovery}
	p.clientSecret = func() (string, error) { return b.secret, nil }
	if p.issuer == "" && p.document == "" {
		switch b.config.Type {
		case "google":
			p.issuer = googleIssuer
		case "apple":
			p.issuer = appleIssuer
		case "microsoftaccount":
			p.issuer = entraHost + consumersTenant + "/v2.0"
		case "aad":
			p.issuer = entraHost + strings.ToLower(first(b.config.Tenant, "common")) + "/v2.0"
		}
	}
	if p.document == "" {
		p.document = strings.TrimSuffix(p.issuer, "/") + wellKnown
	}
	p.policy = policyOf(p.document)
	p.tenant = first(strings.ToLower(b.config.Tenant), tenantOfDocument(p.document))
	return p
}

const (
	// A document is fetched anew after discoveryFresh; while the provider cannot be asked,
	// the last one holds until discoveryKept.
	discoveryFresh = 24 * time.Hour
	discoveryKept  = 7 * 24 * time.Hour
	discoveryRetry = 5 * time.Second
)

// discover returns the provider's document; one request at a time fetches it.
func (p *openID) discover(ctx context.Context) (*discovered, error) {
	for {
		p.mu.Lock()
		now := p.now()
		recent := p.failure != nil && now.Sub(p.failed) < discoveryRetry
		if p.usable(now, discoveryFresh) || p.usable(now, discoveryKept) && (recent || p.fetching != nil) {
			defer p.mu.Unlock()
			return p.found, nil
		}
		if recent {
			defer p.mu.Unlock()
			return nil, p.failure
		}
		wait, old := p.fetching, p.found
		if wait == nil {
			wait = make(chan struct{})
			p.fetching = wait
			go p.refetch(context.WithoutCancel(ctx), wait)
		}
		stale := p.usable(now, discoveryKept)
		p.mu.Unlock()
		enough := time.NewTimer(staleWait)
		defer enough.Stop()
		if !stale {
			enough.Stop()
		}
		select {
		case <-wait: // and look again
		case <-enough.C:
			return old, nil
		case <-ctx.Done():
			return nil, &errProvider{err: ctx.Err()}
		}
	}
}

// refetch fetches the document and keeps what came of it. It ends with
// providerTimeout.
func (p *openID) refetch(ctx context.Context, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	found, err := p.fetch(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(done)
	p.fetching = nil
	switch {
	case err == nil:
		p.keepKeys(found)
		p.found, p.failure = found, nil
		return
	case errors.Is(err, errDocument): // it is there, and says something else now
		p.found = nil
	}
	p.failed, p.failure = p.now(), err
}

// usable reports whether there is a document that is no older than that.
func (p *openID) usable(now time.Time, age time.Duration) bool {
	return p.found != nil && now.Sub(p.found.at) < age
}

// keepKeys lets a new document go on with the keys of the last one, if it names the
// same address for them.
func (p *openID) keepKeys(found *discovered) {
	if p.found != nil && p.found.keys.url == found.keys.url {
		found.keys = p.found.keys
	}
}

// errDocument says that a discovery document is not one that can be believed.
var errDocument = errors.New("discovery")

func (p *openID) fetch(ctx context.Context) (*discovered, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.document, nil)
	if err != nil {
		return nil, &errProvider{err: errors.New("discovery: the address cannot be used")}
	}
	var document struct {
		Issuer string   `json:"issuer"`
		Auth   string   `json:"authorization_endpoint"`
		Token  string   `json:"token_endpoint"`
		Keys   string   `json:"jwks_uri"`
		Styles []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := p.getJSON(r, &document); err != nil {
		return nil, &errProvider{err: fmt.Errorf("discovery: %s", discoveryFailure(err))}
	}
	if err := p.checkDocument(document.Issuer); err != nil {
		return nil, &errProvider{err: fmt.Errorf("%w: %w", errDocument, err)}
	}
	for _, endpoint := range []string{document.Auth, document.Token, document.Keys} {
		if !secureURL(endpoint) {
			return nil, &errProvider{err: fmt.Errorf("%w: an endpoint is missing or not https", errDocument)}
		}
	}
	keys := &keySet{base: &p.providerBase, url: document.Keys}
	return &discovered{keys: keys, issuer: document.Issuer, at: p.now(), endpoint: oauth2.Endpoint{
		AuthURL: document.Auth, TokenURL: document.Token, AuthStyle: p.authStyle(document.Styles)}}, nil
}

// discoveryFailure says why there is no document. That nobody was proven does not
// belong here.
func discoveryFailure(err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), errRefused.Error()+" "), "the provider failed: ")
}

// authStyle chooses how the client secret is shown: in the header, which is the
// default of OpenID Connect Discovery 1.0, unless the provider takes it in the
// form only, or there is none.
func (p *openID) authStyle(supported []string) oauth2.AuthStyle {
	basic := len(supported) == 0 || slices.Contains(supported, "client_secret_basic")
	if p.config.Type == "apple" || p.secret == "" || !basic {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// algorithms are those that ID tokens may be signed with: asymmetric ones.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

func (p *openID) oauth(d *discovered, callback string) (*oauth2.Config, error) {
	secret, err := p.clientSecret()
	if err != nil {
		return nil, err
	}
	scopes := p.scopes("openid", "profile", "email")
	if p.config.Type == "apple" {
		scopes = p.scopes("openid", "name", "email")
	}
	return &oauth2.Config{ClientID: p.config.ClientID, ClientSecret: secret, Endpoint: d.endpoint,
		RedirectURL: callback, Scopes: scopes}, nil
}

func (p *openID) start(ctx context.Context, a *attempt) (string, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	config, err := p.oauth(d, a.Callback)
	if err != nil {
		return "", err
	}
	options := append(p.authorization(a), oidc.Nonce(a.Nonce))
	if p.formPost {
		options = append(options, oauth2.SetAuthURLParam("response_mode", "form_post"))
	}
	return config.AuthCodeURL(a.State, options...), nil
}

func (p *openID) finish(ctx context.Context, a *attempt, callback url.Values) (*outcome, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	if iss := callback.Get("iss"); iss != "" && !d.answersAs(iss) { // RFC 9207
		return nil, fmt.Errorf("%w (another issuer answered)", errRefused)
	}
	config, err := p.oauth(d, a.Callback)
	if err != nil {
		return nil, err
	}
	token, err := p.exchange(ctx, config, callback.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	out, id, err := p.verify(ctx, d, raw, []string{p.config.ClientID})
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return nil, fmt.Errorf("%w (nonce)", errRefused)
	}
	out.Token = p.token(token)
	return out, nil
}

// trade accepts an ID token, or an access token that is a JWT for us. An opaque
// access token proves nothing: it may have been given to another app.
func (p *openID) trade(ctx context.Context, c credentials) (*outcome, error) {
	raw := first(c.IDToken, c.AuthenticationToken, c.AccessToken)
	if raw == "" || p.config.Type == "aad" && c.AccessToken == "" && c.IDToken == "" {
		return nil, errMalformed
	}
	d, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	out, _, err := p.verify(ctx, d, raw, p.audiences())
	if err != nil {
		return nil, err
	}
	out.Token = identity.ProviderToken{Provider: p.name, Access: c.AccessToken, ID: c.IDToken, Refresh: c.RefreshToken}
	if c.AuthorizationCode != "" {
		return p.fillStore(ctx, d, c, out)
	}
	return out, nil
}

// audiences are whom tokens that a client brings may be for.
func (p *openID) audiences() []string {
	all := append([]string{p.config.ClientID}, p.config.Audiences...)
	if p.config.Type == "aad" {
		all = append(all, "api://"+p.config.ClientID)
	}
	return all
}

// fillStore trades the code that came along with an ID token for tokens that
// last, and checks that both are of one user.
func (p *openID) fillStore(ctx context.Context, d *discovered, c credentials, out *outcome) (*outcome, error) {
	config, err := p.oauth(d, c.RedirectURI)
	if err != nil {
		return nil, err
	}
	token, err := p.exchange(ctx, config, c.AuthorizationCode)
	if err != nil {
		return nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	again, _, err := p.verify(ctx, d, raw, []string{p.config.ClientID})
	if err != nil {
		return nil, err
	}
	if again.Subject != out.Subject || again.Issuer != out.Issuer {
		return nil, fmt.Errorf("%w (code and token are of two users)", errRefused)
	}
	again.Token = p.token(token)
	return again, nil
}

func (p *openID) renew(ctx context.Context, t identity.ProviderToken) (*outcome, error) {
	if t.Refresh == "" {
		return nil, errNoRefresh
	}
	d, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	config, err := p.oauth(d, "")
	if err != nil {
		return nil, err
	}
	token, err := p.refresh(ctx, config, t)
	if err != nil {
		return nil, err
	}
	out := &outcome{}
	if raw, _ := token.Extra("id_token").(string); raw != "" {
		if out, _, err = p.verify(ctx, d, raw, []string{p.config.ClientID}); err != nil {
			return nil, err
		}
	}
	out.Token = p.token(token)
	out.Token.ID = first(out.Token.ID, t.ID)
	return out, nil
}

// verify checks a JWT of the provider: signature, issuer, expiry, and that it
// is for one of the audiences.
func (p *openID) verify(ctx context.Context, d *discovered, raw string, audiences []string) (*outcome, *oidc.IDToken,
	error) {
	if raw == "" || len(raw) > 64<<10 {
		return nil, nil, errRefused
	}
	verifier := oidc.NewVerifier(d.issuer, d.keys, &oidc.Config{
		SkipClientIDCheck: true, SkipIssuerCheck: true, SupportedSigningAlgs: algorithms, Now: p.now})
	id, err := verifier.Verify(oidc.ClientContext(ctx, p.client), raw)
	if err != nil {
		if strings.Contains(err.Error(), "fetching keys") {
			return nil, nil, &errProvider{err: errors.New("its keys cannot be fetched")}
		}
		var expired *oidc.TokenExpiredError
		if errors.As(err, &expired) {
			return nil, nil, fmt.Errorf("%w: %w", errRefused, expired)
		}
		return nil, nil, errRefused
	}
	var all map[string]any
	if err := id.Claims(&all); err != nil || id.Subject == "" || len(id.Subject) > 255 {
		return nil, nil, errRefused
	}
	if !forUser(raw, all) || p.ofMachine(all) {
		return nil, nil, fmt.Errorf("%w (kind of token)", errRefused)
	}
	if err := checkAudience(id, all, audiences); err != nil {
		return nil, nil, err
	}
	issuer, err := p.issuerOf(d, id.Issuer, all)
	if err != nil {
		return nil, nil, err
	}
	if err := p.checkPolicy(all); err != nil {
		return nil, nil, err
	}
	if p.config.Type == "aad" {
		if err := p.admit(id.Audience, all); err != nil {
			return nil, nil, err
		}
	}
	mail := text(all, "email")
	out := &outcome{Issuer: issuer, Subject: id.Subject, Mail: mail, Claims: claimsOf(all),
		Name: first(text(all, "preferred_username"), mail, text(all, "name"), id.Subject)}
	if p.config.Type == "google" || p.config.Type == "apple" {
		out.Name = first(mail, out.Name)
	}
	return out, id, nil
}

// forUser reports whether a token is one that shows who a user is. Providers sign
// others with the same keys: logout tokens and security events (RFC 8417) tell of a
// user, and tokens that are bound to a key (RFC 7800) prove nothing without it.
func forUser(raw string, all map[string]any) bool {
	head, _, _ := strings.Cut(raw, ".")
	plain, err := base64.RawURLEncoding.DecodeString(head)
	var header struct {
		Type string `json:"typ"`
	}
	if err != nil || json.Unmarshal(plain, &header) != nil {
		return false
	}
	typ := strings.TrimPrefix(strings.ToLower(header.Type), "application/")
	_, events := all["events"]
	_, bound := all["cnf"]
	return slices.Contains([]string{"", "jwt", "at+jwt"}, typ) && !events && !bound
}

// ofMachine reports whether a token is of a program, not of a person who signed in:
// with Google any service account can have one made for any audience, and Entra's
// say so.
func (p *openID) ofMachine(all map[string]any) bool {
	if p.config.Type == "google" {
		sub := text(all, "sub")
		return sub != "" && text(all, "azp") == sub ||
			strings.HasSuffix(strings.ToLower(text(all, "email")), ".gserviceaccount.com")
	}
	return p.config.Type == "aad" && text(all, "idtyp") == "app" &&
		len(p.config.AllowedApplications)+len(p.config.AllowedIdentities) == 0
}

// checkAudience wants one of ours in aud, and when there are several, that azp is ours
// (OpenID Connect Core 1.0, section 3.1.3.7). The azp of an access token is the
// application that asked for it, which allowed_applications is for.
func checkAudience(id *oidc.IDToken, all map[string]any, audiences []string) error {
	ours := slices.ContainsFunc(id.Audience, func(a string) bool { return slices.Contains(audiences, a) })
	azp := text(all, "azp")
	if !ours || len(id.Audience) > 1 && !slices.Contains(audiences, azp) {
		return fmt.Errorf("%w (audience)", errRefused)
	}
	return nil
}
