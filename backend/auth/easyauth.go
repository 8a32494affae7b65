package auth

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/internal/secret"
)

// easyAuth is the part of App Service's auth.json that means something here
// (Microsoft, "File-based configuration in Azure App Service authentication").
type easyAuth struct {
	Platform struct {
		Enabled *bool `json:"enabled"`
	} `json:"platform"`
	GlobalValidation struct {
		Action   string   `json:"unauthenticatedClientAction"`
		Provider string   `json:"redirectToProvider"`
		Excluded []string `json:"excludedPaths"`
	} `json:"globalValidation"`
	HTTP struct {
		RequireHTTPS *bool `json:"requireHttps"`
		Routes       struct {
			Prefix string `json:"apiPrefix"`
		} `json:"routes"`
		Proxy struct {
			Convention string `json:"convention"`
		} `json:"forwardProxy"`
	} `json:"httpSettings"`
	Login struct {
		Routes struct {
			Logout string `json:"logoutEndpoint"`
		} `json:"routes"`
		TokenStore struct {
			Enabled      *bool    `json:"enabled"`
			RefreshHours *float64 `json:"tokenRefreshExtensionHours"`
		} `json:"tokenStore"`
		Fragments bool     `json:"preserveUrlFragmentsForLogins"`
		Redirects []string `json:"allowedExternalRedirectUrls"`
		Cookie    struct {
			Convention string `json:"convention"`
			Time       string `json:"timeToExpiration"`
		} `json:"cookieExpiration"`
		Nonce struct {
			Validate *bool  `json:"validateNonce"`
			Interval string `json:"nonceExpirationInterval"`
		} `json:"nonce"`
	} `json:"login"`
	Providers map[string]json.RawMessage `json:"identityProviders"`
}

// easyAuthProvider is one provider of an auth.json; custom ones nest two of the
// members.
type easyAuthProvider struct {
	Enabled      *bool `json:"enabled"`
	Registration struct {
		ClientID       string `json:"clientId"`
		AppID          string `json:"appId"`
		ConsumerKey    string `json:"consumerKey"`
		Issuer         string `json:"openIdIssuer"`
		SecretSetting  string `json:"clientSecretSettingName"`
		AppSecret      string `json:"appSecretSettingName"`
		ConsumerSecret string `json:"consumerSecretSettingName"`
		Credential     struct {
			SecretSetting string `json:"clientSecretSettingName"`
		} `json:"clientCredential"`
		OpenID struct {
			WellKnown string `json:"wellKnownOpenIdConfiguration"`
			Issuer    string `json:"issuer"`
		} `json:"openIdConnectConfiguration"`
	} `json:"registration"`
	Login struct {
		Scopes     []string `json:"scopes"`
		Parameters []string `json:"loginParameters"`
		NameClaim  string   `json:"nameClaimType"`
	} `json:"login"`
	Validation struct {
		Audiences []string `json:"allowedAudiences"`
	} `json:"validation"`
}

// easyAuthTypes maps the names of an auth.json to those of a Config.
var easyAuthTypes = map[string]string{"azureActiveDirectory": "aad", "google": "google", "facebook": "facebook",
	"gitHub": "github", "twitter": "twitter", "apple": "apple", "legacyMicrosoftAccount": "microsoftaccount"}

// ImportEasyAuth makes a Config of an auth.json of App Service. Secrets stay
// where they are: a setting's name becomes an environment variable's. The notes
// say what was left out and what is to be done. Anything that would open the
// site wider than before is an error.
func ImportEasyAuth(data []byte) (Config, []string, error) {
	var in easyAuth
	if err := json.Unmarshal(data, &in); err != nil {
		return Config{}, nil, fmt.Errorf("auth.json: %w", err)
	}
	c := Config{SigningKey: "env:WEBSITE_AUTH_SIGNING_KEY", Redirects: in.Login.Redirects,
		Excluded: in.GlobalValidation.Excluded}
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	note("signing_key: set WEBSITE_AUTH_SIGNING_KEY to the value that the site had, and its tokens stay valid if " +
		"issuer and audience stay https://{site}/")
	if err := in.importSite(&c, note); err != nil {
		return Config{}, nil, err
	}
	if err := in.importLogin(&c, note); err != nil {
		return Config{}, nil, err
	}
	c.Providers = map[string]ProviderConfig{}
	for name, raw := range in.Providers {
		if err := importProviders(&c, name, raw, note); err != nil {
			return Config{}, nil, err
		}
	}
	slices.Sort(notes)
	return c, notes, nil
}

func (in *easyAuth) importSite(c *Config, note func(string, ...any)) error {
	if in.Platform.Enabled != nil && !*in.Platform.Enabled {
		note("platform.enabled was false: the site was open; set unauthenticated as you need it")
	}
	switch in.GlobalValidation.Action {
	case "", "AllowAnonymous":
		c.Unauthenticated = "allow"
	case "RedirectToLoginPage":
		c.Unauthenticated = "login"
	case "Return401":
		c.Unauthenticated = "401"
	case "Return403":
		c.Unauthenticated = "403"
	default:
		return fmt.Errorf("auth.json: unauthenticatedClientAction %q is not known", in.GlobalValidation.Action)
	}
	if p := strings.ToLower(in.GlobalValidation.Provider); p != "" {
		c.LoginProvider = p
		if p == "azureactivedirectory" {
			c.LoginProvider = "aad"
		}
	}
	if prefix := strings.ToLower(in.HTTP.Routes.Prefix); prefix != "" && prefix != DefaultPath {
		c.Path = prefix
	}
	if in.HTTP.RequireHTTPS != nil && !*in.HTTP.RequireHTTPS {
		note("httpSettings.requireHttps was false: this server speaks https, or http on loopback")
	}
	if convention := in.HTTP.Proxy.Convention; convention != "" && convention != "NoProxy" {
		note("httpSettings.forwardProxy: set server.url to the public address, and server.proxies to the proxy's")
	}
	return nil
}

func (in *easyAuth) importLogin(c *Config, note func(string, ...any)) error {
	if in.Login.Routes.Logout != "" {
		note("login.routes.logoutEndpoint is not taken over: sign-out is at %s/logout", first(c.Path, DefaultPath))
	}
	if in.Login.TokenStore.Enabled != nil && !*in.Login.TokenStore.Enabled {
		note("login.tokenStore was off: providers' tokens are kept here, sealed")
	}
	if hours := in.Login.TokenStore.RefreshHours; hours != nil {
		c.RefreshGrace = time.Duration(*hours * float64(time.Hour))
	}
	if in.Login.Fragments {
		note("login.preserveUrlFragmentsForLogins is not taken over")
	}
	if in.Login.Nonce.Validate != nil && !*in.Login.Nonce.Validate {
		note("login.nonce.validateNonce was false: nonces are always checked here")
	}
	if in.Login.Cookie.Convention == "IdentityProviderDerived" {
		note("login.cookieExpiration followed the provider: set lifetime")
	}
	var err error
	if c.Lifetime, err = clockTime(in.Login.Cookie.Time); err != nil {
		return fmt.Errorf("auth.json: cookieExpiration: %w", err)
	}
	if c.NonceLifetime, err = clockTime(in.Login.Nonce.Interval); err != nil {
		return fmt.Errorf("auth.json: nonceExpirationInterval: %w", err)
	}
	for i, entry := range c.Redirects {
		if _, err := parseRedirect(entry); err != nil {
			note("redirects[%d] %q %s", i, entry, err)
		}
	}
	return nil
}

// clockTime reads hours, minutes and seconds, "08:00:00".
func clockTime(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return 0, fmt.Errorf("%q is not hh:mm:ss", text)
	}
	var total time.Duration
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		n, err := strconv.ParseUint(parts[i], 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not hh:mm:ss", text)
		}
		total += time.Duration(n) * unit
	}
	return total, nil
}

func importProviders(c *Config, name string, raw json.RawMessage, note func(string, ...any)) error {
	if name == "openIdConnectProviders" {
		var custom map[string]easyAuthProvider
		if err := json.Unmarshal(raw, &custom); err != nil {
			return fmt.Errorf("auth.json: openIdConnectProviders: %w", err)
		}
		for name, p := range custom {
			p.importAs(c, strings.ToLower(name), "oidc", note)
		}
		return nil
	}
	typ, known := easyAuthTypes[name]
	if !known {
		note("identityProviders.%s is not known and was left out", name)
		return nil
	}
	var p easyAuthProvider
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("auth.json: identityProviders.%s: %w", name, err)
	}
	p.importAs(c, typ, typ, note)
	return nil
}

func (p easyAuthProvider) importAs(c *Config, name, typ string, note func(string, ...any)) {
	r := p.Registration
	out := ProviderConfig{Type: typ, ClientID: first(r.ClientID, r.AppID, r.ConsumerKey), Scopes: p.Login.Scopes,
		Audiences: p.Validation.Audiences, Issuer: first(r.Issuer, r.OpenID.Issuer,
			strings.TrimSuffix(r.OpenID.WellKnown, "/.well-known/openid-configuration"))}
	if p.Enabled != nil && !*p.Enabled || out.ClientID == "" {
		return
	}
	if setting := first(r.SecretSetting, r.AppSecret, r.ConsumerSecret, r.Credential.SecretSetting); setting != "" {
		out.ClientSecret = secret.Reference("text-env:" + setting)
	}
	for _, pair := range p.Login.Parameters {
		key, value, _ := strings.Cut(pair, "=")
		if key == "scope" {
			out.Scopes = strings.Fields(value)
			continue
		}
		if slices.Contains(ownParameters, key) {
			note("providers.%s: the login parameter %s is set by this server", name, key)
			continue
		}
		if out.Parameters == nil {
			out.Parameters = map[string]string{}
		}
		out.Parameters[key] = value
	}
	if typ == "aad" {
		// "https://login.microsoftonline.com/{tenant}/v2.0" is what the type makes
		// of a tenant; sts.windows.net is the issuer of the same tenant's v1 tokens.
		if u, err := url.Parse(out.Issuer); err == nil &&
			(u.Host == "login.microsoftonline.com" || u.Host == "sts.windows.net") {
			out.Tenant, out.Issuer = strings.Split(strings.Trim(u.Path, "/"), "/")[0], ""
		}
	}
	if p.Login.NameClaim != "" {
		note("providers.%s: nameClaimType is not taken over; the friendly name comes from preferred_username, "+
			"email or name", name)
	}
	c.Providers[name] = out
}
