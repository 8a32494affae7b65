package auth

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/cordon-sec/cordon/backend/identity"
)

// oauthProvider is a provider of OAuth 2.0 without ID tokens: who the user is
// comes from an address that the access token opens.
type oauthProvider struct {
	providerBase
	issuer   string
	endpoint oauth2.Endpoint
	profile  string
	scope    []string
	mapped   map[string]string
	refreshs bool
	// read makes of the profile the subject and the friendly name.
	read func(profile map[string]any) (subject, name, mail string)
	// prepare changes the request for the profile.
	prepare func(r *http.Request, access string)
	// bound checks that an access token that a client brought was given to
	// this app; nil means that such tokens are not accepted.
	bound func(ctx context.Context, access string) error
}

func (b *providerBase) endpoints(authorization, token string) oauth2.Endpoint {
	return oauth2.Endpoint{AuthURL: first(b.config.Endpoints.Authorization, authorization),
		TokenURL: first(b.config.Endpoints.Token, token)}
}

// newFacebook is Facebook Login (Graph API). A user's token is good for any app
// that shows it, so it is inspected first: debug_token names the app.
func newFacebook(b providerBase) *oauthProvider {
	p := &oauthProvider{providerBase: b, issuer: "https://www.facebook.com", scope: []string{"public_profile", "email"},
		endpoint: b.endpoints("https://www.facebook.com/v21.0/dialog/oauth",
			"https://graph.facebook.com/v21.0/oauth/access_token"),
		profile: first(b.config.Endpoints.UserInfo,
			"https://graph.facebook.com/v21.0/me?fields=id,name,email,first_name,last_name"),
		mapped: map[string]string{"id": identity.ClaimNameID, "email": identity.ClaimMail, "name": identity.ClaimName,
			"first_name": identity.ClaimGiven, "last_name": identity.ClaimSurname}}
	p.endpoint.AuthStyle = oauth2.AuthStyleInParams
	p.read = func(u map[string]any) (string, string, string) {
		return text(u, "id"), first(text(u, "email"), text(u, "name")), text(u, "email")
	}
	p.prepare = func(r *http.Request, access string) {
		proof := hmac.New(sha256.New, []byte(b.secret)) // appsecret_proof: the call is ours
		proof.Write([]byte(access))
		query := r.URL.Query()
		query.Set("appsecret_proof", hex.EncodeToString(proof.Sum(nil)))
		r.URL.RawQuery = query.Encode()
	}
	inspect := first(b.config.Endpoints.Inspection, "https://graph.facebook.com/debug_token")
	p.bound = func(ctx context.Context, access string) error {
		// debug_token takes the token that it is asked about as a form field.
		form := url.Values{"input_token": {access}, "method": {"GET"}}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, inspect, strings.NewReader(form.Encode()))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "Bearer "+b.config.ClientID+"|"+b.secret)
		var answer struct {
			Data struct {
				AppID string `json:"app_id"`
				Valid bool   `json:"is_valid"`
				Type  string `json:"type"`
			} `json:"data"`
		}
		if err := b.getJSON(r, &answer); err != nil {
			return err
		}
		if !answer.Data.Valid || answer.Data.AppID != b.config.ClientID || answer.Data.Type != "USER" {
			return fmt.Errorf("%w (given to another app)", errRefused)
		}
		return nil
	}
	return p
}

// newGitHub is GitHub's OAuth app flow.
func newGitHub(b providerBase) *oauthProvider {
	p := &oauthProvider{providerBase: b, issuer: "https://github.com", scope: []string{"read:user", "user:email"},
		refreshs: true, endpoint: b.endpoints("https://github.com/login/oauth/authorize",
			"https://github.com/login/oauth/access_token"),
		profile: first(b.config.Endpoints.UserInfo, "https://api.github.com/user"),
		mapped:  map[string]string{"id": identity.ClaimNameID, "email": identity.ClaimMail, "name": identity.ClaimName}}
	p.read = func(u map[string]any) (string, string, string) {
		return text(u, "id"), first(text(u, "login"), text(u, "email")), text(u, "email")
	}
	inspect := first(b.config.Endpoints.Inspection,
		"https://api.github.com/applications/"+url.PathEscape(b.config.ClientID)+"/token")
	p.bound = func(ctx context.Context, access string) error {
		body, err := json.Marshal(map[string]string{"access_token": access})
		if err != nil {
			return err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, inspect, bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth(b.config.ClientID, b.secret)
		var answer struct {
			App struct {
				ClientID string `json:"client_id"`
			} `json:"app"`
		}
		if err := b.getJSON(r, &answer); err != nil {
			return err
		}
		if answer.App.ClientID != b.config.ClientID {
			return fmt.Errorf("%w (given to another app)", errRefused)
		}
		return nil
	}
	return p
}

// newX is X with OAuth 2.0. X has no way to tell which app a token was given
// to, so a client cannot bring one.
func newX(b providerBase) *oauthProvider {
	p := &oauthProvider{providerBase: b, issuer: "https://x.com",
		scope: []string{"users.read", "tweet.read", "offline.access"}, refreshs: true,
		endpoint: b.endpoints("https://x.com/i/oauth2/authorize", "https://api.x.com/2/oauth2/token"),
		profile:  first(b.config.Endpoints.UserInfo, "https://api.x.com/2/users/me"),
		mapped:   map[string]string{"id": identity.ClaimNameID, "name": identity.ClaimName}}
	p.endpoint.AuthStyle = oauth2.AuthStyleInHeader
	p.read = func(u map[string]any) (string, string, string) {
		return text(u, "id"), first(text(u, "username"), text(u, "name")), ""
	}
	return p
}

func (p *oauthProvider) oauth(callback string) *oauth2.Config {
	return &oauth2.Config{ClientID: p.config.ClientID, ClientSecret: p.secret, Endpoint: p.endpoint,
		RedirectURL: callback, Scopes: p.scopes(p.scope...)}
}

func (p *oauthProvider) start(_ context.Context, a *attempt) (string, error) {
	return p.oauth(a.Callback).AuthCodeURL(a.State, p.authorization(a)...), nil
}

func (p *oauthProvider) finish(ctx context.Context, a *attempt, callback url.Values) (*outcome, error) {
	token, err := p.exchange(ctx, p.oauth(a.Callback), callback.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return nil, err
	}
	out, err := p.who(ctx, token.AccessToken)
	if err != nil {
		return nil, err
	}
	out.Token = p.token(token)
	return out, nil
}

func (p *oauthProvider) trade(ctx context.Context, c credentials) (*outcome, error) {
	if c.AccessToken == "" {
		return nil, errMalformed
	}
	if p.bound == nil {
		return nil, fmt.Errorf("%w (this provider's tokens do not say whom they were given to)", errRefused)
	}
	if err := p.bound(ctx, c.AccessToken); err != nil {
		return nil, err
	}
	out, err := p.who(ctx, c.AccessToken)
	if err != nil {
		return nil, err
	}
	out.Token = identity.ProviderToken{Provider: p.name, Access: c.AccessToken, Refresh: c.RefreshToken}
	return out, nil
}

func (p *oauthProvider) renew(ctx context.Context, t identity.ProviderToken) (*outcome, error) {
	if !p.refreshs || t.Refresh == "" {
		return nil, errNoRefresh
	}
	token, err := p.refresh(ctx, p.oauth(""), t)
	if err != nil {
		return nil, err
	}
	return &outcome{Token: p.token(token)}, nil
}

// who asks whom an access token belongs to.
func (p *oauthProvider) who(ctx context.Context, access string) (*outcome, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.profile, nil)
	if err != nil {
		return nil, &errProvider{err: err}
	}
	r.Header.Set("Authorization", "Bearer "+access)
	r.Header.Set("User-Agent", "cordon")
	if p.prepare != nil {
		p.prepare(r, access)
	}
	var profile map[string]any
	if err := p.getJSON(r, &profile); err != nil {
		return nil, err
	}
	if data, ok := profile["data"].(map[string]any); ok {
		profile = data // X wraps what it says
	}
	subject, name, mail := p.read(profile)
	if subject == "" || len(subject) > 255 {
		return nil, errRefused
	}
	return &outcome{Issuer: p.issuer, Subject: subject, Name: first(name, subject), Mail: mail,
		Claims: profileClaims(p.config.Type, profile, p.mapped)}, nil
}
