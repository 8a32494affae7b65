package auth

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/backend/identity"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/secret"
)

// Config is the key `identity` of cordon.yaml: how users sign in and what their
// tokens are like.
type Config struct {
	// SigningKey is the key of the session tokens, in hexadecimal, at least 32
	// bytes; a shorter text key is named with text-env: or text-file:. Cookies
	// and stored tokens are sealed with keys derived from it. On loopback it may
	// be left out: a key is then made and kept in the database.
	SigningKey secret.Reference `yaml:"signing_key"`
	// PreviousKeys are earlier signing keys whose tokens are still accepted.
	PreviousKeys []secret.Reference `yaml:"previous_keys"`
	// Algorithm signs new tokens: HS256 as App Service does, or ES256 with keys
	// of its own that are rotated and published at /.well-known/jwks.json.
	Algorithm string `yaml:"algorithm" enum:"HS256,ES256" default:"HS256"`
	// KeyRotation is how long an ES256 key signs.
	KeyRotation time.Duration `yaml:"key_rotation" default:"720h"`
	// Issuer is the tokens' iss: any text. Default: server.url and a slash.
	Issuer string `yaml:"issuer"`
	// Audience is the tokens' aud: any text. Default: server.url and a slash.
	Audience string `yaml:"audience"`
	// HideDeprecatedSID leaves stable_sid out of tokens and says ver 4, as
	// WEBSITE_AUTH_HIDE_DEPRECATED_SID does. The user id is the same either way.
	HideDeprecatedSID bool `yaml:"hide_deprecated_sid"`
	// Lifetime is how long a token or a cookie lasts.
	Lifetime time.Duration `yaml:"lifetime" default:"8h"`
	// RefreshGrace is how long after its end a token can still be exchanged
	// for a new one at /.auth/refresh.
	RefreshGrace time.Duration `yaml:"refresh_grace" default:"72h"`
	// NonceLifetime is how long a sign-in at a provider may take.
	NonceLifetime time.Duration `yaml:"nonce_lifetime" default:"5m"`
	// Redirects are where a sign-in may hand its result to, besides this
	// server: an origin ("https://app.example"), one URL, a URL that ends in
	// "/*", or an app's own "scheme://easyauth.callback". The origins may also
	// receive the result of a popup.
	Redirects []string `yaml:"redirects"`
	// Path is where the endpoints are.
	Path string `yaml:"path" default:"/.auth"`
	// Unauthenticated is what becomes of a request without a user, on the whole
	// site: allow (each table and service decides), 401, 403, 404, or login, which
	// sends browsers to sign in.
	Unauthenticated string `yaml:"unauthenticated" enum:"allow,401,403,404,login" default:"allow"`
	// Excluded are paths that Unauthenticated does not cover: one path, or all
	// below it with "/*" at the end.
	Excluded []string `yaml:"excluded"`
	// LoginProvider is where `unauthenticated: login` sends browsers. Default:
	// the only provider.
	LoginProvider string `yaml:"login_provider"`
	// RateLimit is how many sign-ins, code exchanges and refreshes one address
	// may ask for in a minute, each counted by itself. -1 is no limit.
	RateLimit int `yaml:"rate_limit" default:"60"`
	// Providers are the identity providers by the name that stands in
	// /.auth/login/{name}.
	Providers map[string]ProviderConfig `yaml:"providers"`
}

// ProviderConfig is one identity provider.
type ProviderConfig struct {
	// Type is how the provider works: oidc (any OpenID Connect issuer), aad,
	// google, apple, microsoftaccount, facebook, github, twitter (OAuth 1.0a),
	// x (OAuth 2.0), or development. Default: the provider's name if that is
	// one of them, otherwise oidc.
	Type string `yaml:"type" enum:"oidc,aad,google,apple,microsoftaccount,facebook,github,twitter,x,development"`
	// Issuer is the OpenID Connect issuer; its discovery document says the rest.
	// A final slash more or less does not matter. With aad it may be the address of
	// a directory or of a policy whose document names another issuer of the same
	// origin.
	Issuer string `yaml:"issuer"`
	// Discovery is the address of the discovery document, for providers that have
	// it elsewhere than below Issuer. Without an Issuer the document's own counts
	// if it is of the same origin.
	Discovery string `yaml:"discovery"`
	// ClientID is the app's id at the provider.
	ClientID string `yaml:"client_id"`
	// ClientSecret is the app's secret at the provider.
	ClientSecret secret.Reference `yaml:"client_secret"`
	// Scopes replaces what is asked for.
	Scopes []string `yaml:"scopes"`
	// Audiences are further client ids whose tokens are accepted when an app
	// brings one itself: those of the native apps.
	Audiences []string `yaml:"audiences"`
	// Bearer accepts the provider's own tokens, ID tokens and access tokens that are
	// JWTs for this client, as `Authorization: Bearer` on every request, as App
	// Service does. There is no session behind such a token: it can be refused by its
	// user and time only.
	Bearer bool `yaml:"bearer"`
	// Tenant is the directory of aad: its id or domain, common, organizations or
	// consumers, in any letter case. Default: common.
	Tenant string `yaml:"tenant"`
	// Tenants are the ids of the tenants that are let in when Tenant stands for
	// several. Empty lets every tenant in.
	Tenants []string `yaml:"tenants"`
	// AllowedGroups are the ids of the aad groups that are let in. A user who is
	// in one of them, or one of AllowedIdentities, may sign in; with both empty
	// everybody may. Users of whom the token does not say all groups (too many
	// of them) are in none.
	AllowedGroups []string `yaml:"allowed_groups"`
	// AllowedIdentities are the object ids of the aad users and service
	// principals that are let in.
	AllowedIdentities []string `yaml:"allowed_identities"`
	// AllowedApplications are the client ids of the aad applications whose
	// tokens are accepted; a sign-in in a browser counts as one of ClientID.
	// Empty accepts those of every application.
	AllowedApplications []string `yaml:"allowed_applications"`
	// TeamID is Apple's id of the team.
	TeamID string `yaml:"team_id"`
	// KeyID is Apple's id of the private key.
	KeyID string `yaml:"key_id"`
	// PrivateKey is Apple's private key, the PEM file that it gave.
	PrivateKey secret.Reference `yaml:"private_key"`
	// Parameters are added to every authorization request.
	Parameters map[string]string `yaml:"parameters"`
	// Endpoints replaces the provider's own addresses.
	Endpoints Endpoints `yaml:"endpoints"`
	// Users are the people that the development provider knows; the first one
	// signs in by default.
	Users []string `yaml:"users"`
	// Picker makes the development provider show a page to choose a user on.
	Picker bool `yaml:"picker"`
}

// Endpoints are the addresses of a provider without discovery.
type Endpoints struct {
	// Authorization is where the user's browser goes.
	Authorization string `yaml:"authorization"`
	// Token is where codes become tokens.
	Token string `yaml:"token"`
	// UserInfo says who the user is.
	UserInfo string `yaml:"userinfo"`
	// Request gives out request tokens (OAuth 1.0a).
	Request string `yaml:"request"`
	// Inspection says whom a token was given to.
	Inspection string `yaml:"inspection"`
}

// Problem is one thing that is wrong with a Config, at a path of keys below
// `identity`.
type Problem struct {
	Path []string
	Msg  string
}

// Error returns the path and the message.
func (p *Problem) Error() string { return strings.Join(p.Path, ".") + ": " + p.Msg }

// DefaultPath is where the endpoints are by default.
const DefaultPath = "/.auth"

// withDefaults fills in what was left out.
func (c Config) withDefaults(public *url.URL) Config {
	site := strings.TrimSuffix(public.String(), "/") + "/"
	setDefault(&c.Issuer, site)
	setDefault(&c.Audience, site)
	setDefault(&c.Algorithm, string(identity.HS256))
	setDefault(&c.KeyRotation, 30*24*time.Hour)
	setDefault(&c.Lifetime, 8*time.Hour)
	setDefault(&c.RefreshGrace, 72*time.Hour)
	setDefault(&c.NonceLifetime, 5*time.Minute)
	setDefault(&c.Path, DefaultPath)
	setDefault(&c.Unauthenticated, "allow")
	setDefault(&c.RateLimit, 60)
	providers := make(map[string]ProviderConfig, len(c.Providers))
	for name, p := range c.Providers {
		if p.Type == "" {
			p.Type = "oidc"
			if slices.Contains(providerTypes, name) {
				p.Type = name
			}
		}
		providers[name] = p
	}
	c.Providers = providers
	if names := slices.Sorted(maps.Keys(providers)); c.LoginProvider == "" && len(names) == 1 {
		c.LoginProvider = names[0]
	}
	return c
}

func setDefault[T comparable](value *T, def T) {
	var zero T
	if *value == zero {
		*value = def
	}
}

var (
	providerTypes = []string{"oidc", "aad", "google", "apple", "microsoftaccount", "facebook", "github", "twitter", "x",
		"development"}
	openIDTypes   = []string{"oidc", "aad", "google", "apple", "microsoftaccount"}
	tenantName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
	providerName  = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	reservedNames = []string{"done", "iframereceiver", "callback", "token"}
)

// Check returns what is wrong with the configuration by itself. loopback says
// that both the listener and the public URL can be reached from this machine
// only.
func (c Config) Check(public *url.URL, loopback bool) []*Problem {
	var all []*Problem
	add := func(msg string, path ...string) { all = append(all, &Problem{Path: path, Msg: msg}) }
	c = c.withDefaults(public)
	if c.SigningKey == "" && !loopback {
		add("is missing: it signs the session tokens (openssl rand -hex 32)", "signing_key")
	}
	if !slices.Contains([]string{"HS256", "ES256"}, c.Algorithm) {
		add("must be HS256 or ES256", "algorithm")
	}
	if !slices.Contains([]string{"allow", "401", "403", "404", "login"}, c.Unauthenticated) {
		add("must be allow, 401, 403, 404 or login", "unauthenticated")
	}
	if _, known := c.Providers[c.LoginProvider]; c.Unauthenticated == "login" && !known {
		add("names no provider; with `unauthenticated: login` one is needed", "login_provider")
	}
	if !strings.HasPrefix(c.Path, "/") || strings.HasSuffix(c.Path, "/") || c.Path != strings.ToLower(c.Path) ||
		strings.ContainsAny(c.Path, "?#%\\ {}") {
		add(`must be a lower-case path such as "/.auth"`, "path")
	}
	for name, d := range map[string]time.Duration{"lifetime": c.Lifetime, "refresh_grace": c.RefreshGrace,
		"nonce_lifetime": c.NonceLifetime, "key_rotation": c.KeyRotation} {
		if d < time.Second || d > 10*365*24*time.Hour {
			add("must be from 1s to 87600h", name)
		}
	}
	for i, entry := range c.Redirects {
		if _, err := parseRedirect(entry); err != nil {
			add(err.Error(), "redirects", fmt.Sprint(i))
		}
	}
	for i, entry := range c.Excluded {
		if err := checkExcluded(entry); err != nil {
			add(err.Error(), "excluded", fmt.Sprint(i))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		for _, p := range c.Providers[name].check(name, loopback) {
			add(p.Msg, append([]string{"providers", name}, p.Path...)...)
		}
	}
	return all
}

// check returns what is wrong with one provider.
func (p ProviderConfig) check(name string, loopback bool) []*Problem {
	var all []*Problem
	add := func(msg string, path ...string) { all = append(all, &Problem{Path: path, Msg: msg}) }
	if !providerName.MatchString(name) || slices.Contains(reservedNames, name) {
		add("a provider's name must be lower-case letters, digits, - and _, and not one of " +
			strings.Join(reservedNames, ", "))
	}
	if !slices.Contains(providerTypes, p.Type) {
		add("must be one of "+strings.Join(providerTypes, ", "), "type")
		return all
	}
	if p.Type == "development" {
		if p.Bearer {
			add("is for providers with OpenID Connect only: "+strings.Join(openIDTypes, ", "), "bearer")
		}
		if !loopback {
			add("the development provider signs anybody in: it needs server.listen and server.url on loopback")
		}
		return all
	}
	if p.ClientID == "" {
		add("is missing", "client_id")
	}
	if p.Type == "oidc" && p.Issuer == "" && p.Discovery == "" {
		add("is missing", "issuer")
	}
	if p.Discovery != "" && !secureURL(p.Discovery) {
		add("must be an https URL (http on loopback only)", "discovery")
	}
	if openID := slices.Contains(openIDTypes, p.Type); p.Discovery != "" && !openID {
		add("is for providers with OpenID Connect only: "+strings.Join(openIDTypes, ", "), "discovery")
	}
	if p.Bearer && !acceptsBearer(p.Type) {
		add("is for providers with OpenID Connect only: "+strings.Join(openIDTypes, ", "), "bearer")
	}
	if p.Tenant != "" && !tenantName.MatchString(p.Tenant) {
		add("must be a directory's id or domain, common, organizations or consumers", "tenant")
	}
	if p.Issuer != "" && !secureURL(p.Issuer) {
		add("must be an https URL (http on loopback only)", "issuer")
	}
	for key, list := range map[string][]string{"allowed_groups": p.AllowedGroups,
		"allowed_identities": p.AllowedIdentities, "allowed_applications": p.AllowedApplications} {
		if len(list) > 0 && p.Type != "aad" {
			add("is for the type aad only: tokens of other providers do not say it", key)
		}
	}
	if p.Type == "apple" && p.ClientSecret == "" && (p.TeamID == "" || p.KeyID == "" || p.PrivateKey == "") {
		add("apple needs team_id, key_id and private_key, or a client_secret that was made with them")
	}
	if slices.Contains([]string{"facebook", "github", "twitter", "x"}, p.Type) && p.ClientSecret == "" {
		add("is missing", "client_secret")
	}
	for _, endpoint := range []string{p.Endpoints.Authorization, p.Endpoints.Token, p.Endpoints.UserInfo,
		p.Endpoints.Request, p.Endpoints.Inspection} {
		if endpoint != "" && !secureURL(endpoint) {
			add("must be https URLs (http on loopback only)", "endpoints")
		}
	}
	return all
}

// secureURL reports whether secrets may be sent to this URL.
func secureURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	_, err = hostname.ParseAuthority(u.Host)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" && hostname.IsLoopback(u.Host))
}
