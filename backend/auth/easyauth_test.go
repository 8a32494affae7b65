package auth

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/internal/secret"
)

const easyAuthFile = `{
  "platform": { "enabled": true },
  "globalValidation": { "unauthenticatedClientAction": "RedirectToLoginPage", "redirectToProvider": "azureactivedirectory", "excludedPaths": ["/public"] },
  "httpSettings": { "requireHttps": true, "routes": { "apiPrefix": "/.auth" }, "forwardProxy": { "convention": "Standard" } },
  "login": {
    "tokenStore": { "enabled": true, "tokenRefreshExtensionHours": 48 },
    "allowedExternalRedirectUrls": ["todoapp://easyauth.callback", "https://app.example/"],
    "cookieExpiration": { "convention": "FixedTime", "timeToExpiration": "02:30:00" },
    "nonce": { "validateNonce": true, "nonceExpirationInterval": "00:10:00" }
  },
  "identityProviders": {
    "azureActiveDirectory": { "enabled": true, "registration": { "openIdIssuer": "https://sts.windows.net/11111111-2222-3333-4444-555555555555/", "clientId": "aad-client", "clientSecretSettingName": "AAD_SECRET" },
      "login": { "loginParameters": ["domain_hint=example.org", "response_type=token"] }, "validation": { "allowedAudiences": ["api://x"] } },
    "facebook": { "registration": { "appId": "fb", "appSecretSettingName": "FB_SECRET" }, "login": { "scopes": ["email"] } },
    "twitter": { "enabled": false, "registration": { "consumerKey": "tw", "consumerSecretSettingName": "TW_SECRET" } },
    "google": { "registration": {} },
    "openIdConnectProviders": { "MyIdp": { "registration": { "clientId": "my", "clientCredential": { "clientSecretSettingName": "MY_SECRET" },
      "openIdConnectConfiguration": { "wellKnownOpenIdConfiguration": "https://idp.example/base/.well-known/openid-configuration" } }, "login": { "scopes": ["openid"] } } },
    "azureStaticWebApps": {}
  }
}`

func TestImportEasyAuth(t *testing.T) {
	got, notes, err := ImportEasyAuth([]byte(easyAuthFile))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		SigningKey: "env:WEBSITE_AUTH_SIGNING_KEY", Lifetime: 150 * time.Minute, RefreshGrace: 48 * time.Hour,
		NonceLifetime: 10 * time.Minute, Redirects: []string{"todoapp://easyauth.callback", "https://app.example/"},
		Unauthenticated: "login", Excluded: []string{"/public"}, LoginProvider: "aad",
		Providers: map[string]ProviderConfig{
			"aad": {Type: "aad", Tenant: "11111111-2222-3333-4444-555555555555", ClientID: "aad-client",
				ClientSecret: secret.Reference("text-env:AAD_SECRET"), Audiences: []string{"api://x"},
				Parameters: map[string]string{"domain_hint": "example.org"}},
			"facebook": {Type: "facebook", ClientID: "fb", ClientSecret: "text-env:FB_SECRET",
				Scopes: []string{"email"}},
			"myidp": {Type: "oidc", Issuer: "https://idp.example/base", ClientID: "my",
				ClientSecret: "text-env:MY_SECRET", Scopes: []string{"openid"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	text := strings.Join(notes, "\n")
	for _, part := range []string{"azureStaticWebApps", "response_type", "server.proxies", "WEBSITE_AUTH_SIGNING_KEY"} {
		if !strings.Contains(text, part) {
			t.Errorf("no note on %s in\n%s", part, text)
		}
	}
	if problems := got.Check(&url.URL{Scheme: "https", Host: "app.example"}, false); len(problems) > 0 {
		t.Errorf("the result is no good configuration: %v", problems)
	}
}

func TestImportEasyAuthErrors(t *testing.T) {
	for _, text := range []string{"", "[]", `{"globalValidation":{"unauthenticatedClientAction":"Surprise"}}`,
		`{"login":{"cookieExpiration":{"timeToExpiration":"8h"}}}`,
		`{"login":{"nonce":{"nonceExpirationInterval":"a:b:c"}}}`, `{"identityProviders":{"google":[]}}`,
		`{"identityProviders":{"openIdConnectProviders":[]}}`} {
		if _, _, err := ImportEasyAuth([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}
