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
  "globalValidation": { "unauthenticatedClientAction": "RedirectToLoginPage", "redirectToProvider":
	"azureactivedirectory", "excludedPaths": ["/public"] },
  "httpSettings": { "requireHttps": true, "routes": { "apiPrefix": "/.auth" }, "forwardProxy": { "convention":
	"Standard" } },
  "login": {
    "tokenStore": { "enabled": true, "tokenRefreshExtensionHours": 48 },
    "allowedExternalRedirectUrls": ["todoapp://easyauth.callback", "https://app.example/"],
    "cookieExpiration": { "convention": "FixedTime", "timeToExpiration": "02:30:00" },
    "nonce": { "validateNonce": true, "nonceExpirationInterval": "00:10:00" }
  },
  "identityProviders": {
    "azureActiveDirectory": { "enabled": true, "registration": { "openIdIssuer":
	"https://sts.windows.net/11111111-2222-3333-4444-555555555555/", "clientId": "aad-client",
		"clientSecretSettingName": "AAD_SECRET" },
      "login": { "loginParameters": ["domain_hint=example.org", "response_type=token"] }, "validation":
	{ "allowedAudiences": ["api://x"] } },
    "facebook": { "registration": { "appId": "fb", "appSecretSettingName": "FB_SECRET" }, "login": { "scopes":
	["email"] } },
    "twitter": { "enabled": false, "registration": { "consumerKey": "tw", "consumerSecretSettingName": "TW_SECRET" } },
    "google": { "registration": {} },
    "openIdConnectProviders": { "MyIdp": { "registration": { "clientId": "my", "clientCredential":
	{ "clientSecretSettingName": "MY_SECRET" },
      "openIdConnectConfiguration": { "wellKnownOpenIdConfiguration":
	"https://idp.example/base/.well-known/openid-configuration" } }, "login": { "scopes": ["openid"] } } },
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
			"aad": {Type: "aad", Bearer: true, Tenant: "11111111-2222-3333-4444-555555555555", ClientID: "aad-client",
				ClientSecret: secret.Reference("text-env:AAD_SECRET"), Audiences: []string{"api://x"},
				Parameters: map[string]string{"domain_hint": "example.org"}},
			"facebook": {Type: "facebook", ClientID: "fb", ClientSecret: "text-env:FB_SECRET",
				Scopes: []string{"email"}},
			"myidp": {Type: "oidc", Bearer: true, Issuer: "https://idp.example/base", ClientID: "my",
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

// TestImportRefuses has documents that would open a site, or say nothing.
func TestImportRefuses(t *testing.T) {
	aad := func(validation string) string {
		return `{"identityProviders":{"azureActiveDirectory":{"registration":{"clientId":"c","openIdIssuer":` +
			`"https://login.microsoftonline.com/x.example/v2.0"},"validation":` + validation + `}}}`
	}
	template := func(action, condition string) string {
		return `{"parameters":{"action":{"defaultValue":"AllowAnonymous"}},"resources":[{` + condition +
			`"type":"Microsoft.Web/sites/config","name":"site/authsettingsV2","properties":{"globalValidation":` +
			`{"unauthenticatedClientAction":` + action + `}}}]}`
	}
	for _, c := range [][2]string{
		{"", "unexpected end of JSON input"},
		{"[]", "holds no settings"},
		{"{}", "holds no settings"},
		{`{"properties":{}}`, "holds no settings"},
		{`{"platform":{}}`, "holds no settings"},
		{`{"identity":{"a":true}}`, "holds no settings"},
		{`{"globalValidation":{"unauthenticatedClientAction":"Surprise"}}`, `"Surprise" is not known`},
		{`{"globalValidation":{"unauthenticatedClientAction":["Return401"]}}`, "is not known"},
		{`{"globalValidation":{"requireAuthentication":"maybe"}}`, "requireAuthentication must be true or false"},
		{`{"globalValidation":{"allowedCallers":["x"]}}`, "globalValidation.allowedCallers may keep people out"},
		{`{"globalValidation":{"unauthenticatedClientAction":"AllowAnonymous"},"GlobalValidation":{}}`,
			"GlobalValidation is there twice"},
		{`{"login":{"cookieExpiration":{"timeToExpiration":"8h"}}}`, "not hh:mm:ss"},
		{`{"login":{"cookieExpiration":{"timeToExpiration":"00:00:00"}}}`, "must be longer than zero"},
		{aad(`{"defaultAuthorizationPolicy":{"allowedPrincipals":{"groups":[""]}}}`), "groups[0] must not be empty"},
		{aad(`{"defaultAuthorizationPolicy":{"allowedApplications":[" "]}}`), "Applications[0] must not be empty"},
		{template(`"[parameters('action')]"`, ""), "depends on the parameter"},
		{template(`"Return401"`, `"condition":false,`), "under a condition"},
		{`{"resources":[{"type":"Microsoft.Resources/deployments","properties":{"template":` +
			template(`"[parameters('action')]"`, "") + `}}]}`, "depends on the parameter"},
		{`{"login":{"nonce":{"nonceExpirationInterval":"a:b:c"}}}`, "not hh:mm:ss"},
		{`{"login":{"tokenStore":{"tokenRefreshExtensionHours":"NaN"}}}`, "must be a number of hours"},
		{`{"login":{"allowedExternalRedirectUrls":"https://x.example"}}`, "must be a list"},
		{`{"platform":{"enabled":true,"configFilePath":"auth.json"}}`, "only names the file"},
		{`{"enabled":true,"isAuthFromFile":"true","authFilePath":"a"}`, "only names the file"},
		{`{"enabled":true,"clientId":"c","configVersion":"v2"}`, "old view"},
		{`{"enabled":false,"unauthenticatedClientAction":null,"tokenStoreEnabled":false}`, "nothing to import"},
		{`{"enabled":true,"clientId":"c","platform":{"enabled":true}}`, "mixes both versions"},
		{`{"enabled":true,"clientId":"c","aadClaimsAuthorization":"{\"roles\":[1]}"}`, "may keep people out"},
		{`{"enabled":true,"clientId":"c","aadClaimsAuthorization":"3"}`, "with an object"},
		{`{"httpSettings":{"routes":{"apiPrefix":"auth"}}}`, "identity.path"},
		{`{"identityProviders":{"google":[]}}`, "must be an object"},
		{`{"identityProviders":{"openIdConnectProviders":[]}}`, "must be an object"},
		{`{"identityProviders":{"customOpenIdConnectProviders":{"google":{"registration":{"clientId":"c",` +
			`"openIdConnectConfiguration":{"issuer":"https://a.example"}}}},"google":{"registration":{"clientId":` +
			`"d"}}}}`,
			"two providers are called google"},
		{`{"identityProviders":{"google":{"registration":{"clientId":"c"},"validation":{"jwtClaimChecks":` +
			`{"allowedGroups":["g"]}}}}}`,
			"of azureActiveDirectory only"},
		{aad(`{"defaultAuthorizationPolicy":{"allowedPrincipals":{"roles":["r"]}}}`),
			"allowedPrincipals.roles may keep people out"},
		{aad(`{"defaultAuthorizationPolicy":{"allowedPrincipals":{"identities":["i"]}},"jwtClaimChecks":` +
			`{"allowedGroups":["g"]}}`),
			"must both hold"},
		{aad(`{"defaultAuthorizationPolicy":{"allowedApplications":["a"]},"jwtClaimChecks":` +
			`{"allowedClientApplications":["b"]}}`),
			"no application is in both lists"},
		{aad(`{"allowedTenants":["t"]}`), "may keep people out"},
		{`{"resources":[{"type":"Microsoft.Web/sites/config","name":"s/authsettingsV2","properties":{"platform":` +
			`{"enabled":"[equals(1,2)]"}}}]}`,
			"only Azure can evaluate"},
		{`{"resources":[{"type":"Microsoft.Web/sites/config","name":"a/authsettingsV2","properties":{"platform":{` +
			`"enabled":true}}},{"type":"Microsoft.Web/sites/config","name":"b/authsettingsV2","properties":{` +
			`"platform":{"enabled":true}}}]}`,
			"holds several settings"},
		{strings.Repeat("[", 100) + strings.Repeat("]", 100), "nests deeper"},
	} {
		text, want := c[0], c[1]
		_, _, err := ImportEasyAuth([]byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), "auth.json: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestImportActions has every way to say what becomes of a request without a user;
// of two that differ the stricter one counts.
func TestImportActions(t *testing.T) {
	const google = `,"identityProviders":{"google":{"registration":{"clientId":"c"}}}`
	for text, want := range map[string]string{
		`"unauthenticatedClientAction":"RedirectToLoginPage"`:                               "login",
		`"unauthenticatedClientAction":"redirecttologinpage"`:                               "login",
		`"unauthenticatedClientAction":"AllowAnonymous"`:                                    "allow",
		`"unauthenticatedClientAction":"Return401"`:                                         "401",
		`"unauthenticatedClientAction":"RejectWith401"`:                                     "401",
		`"unauthenticatedClientAction":"Return403"`:                                         "403",
		`"unauthenticatedClientAction":"RejectWith403"`:                                     "403",
		`"unauthenticatedClientAction":"Return404"`:                                         "404",
		`"unauthenticatedClientAction":"RejectWith404"`:                                     "404",
		`"unauthenticatedClientAction":0`:                                                   "login",
		`"UnauthenticatedClientAction":1`:                                                   "allow",
		`"unauthenticatedClientAction":null,"requireAuthentication":true`:                   "login",
		`"requireAuthentication":false`:                                                     "allow",
		`"requireAuthentication":"False"`:                                                   "allow",
		`"excludedPaths":["/a"]`:                                                            "login",
		`"requireAuthentication":true,"unauthenticatedClientAction":"AllowAnonymous"`:       "401",
		`"requireAuthentication":false,"unauthenticatedClientAction":"RedirectToLoginPage"`: "login",
		`"redirectToProvider":"twitter","unauthenticatedClientAction":"Return401"`:          "401",
	} {
		got, _, err := ImportEasyAuth([]byte(`{"properties":{"globalValidation":{` + text + `}` + google + `}}`))
		if err != nil || got.Unauthenticated != want {
			t.Errorf("%s: %q, %v; want %q", text, got.Unauthenticated, err, want)
		}
	}
	// Without a single provider to send browsers to there is no page to send them to.
	got, notes, err := ImportEasyAuth(
		[]byte(`{"globalValidation":{"unauthenticatedClientAction":"RedirectToLoginPage"}}`))
	if err != nil || got.Unauthenticated != "401" || !strings.Contains(strings.Join(notes, "\n"), "login_provider") {
		t.Errorf("%+v, %v, %v", got, notes, err)
	}
}

// TestImportEncodings has one document as the tools of Windows write it.
func TestImportEncodings(t *testing.T) {
	const text = `{"globalValidation":{"unauthenticatedClientAction":"RejectWith401"}}`
	little, big := []byte{0xff, 0xfe}, []byte{0xfe, 0xff}
	for _, c := range []byte(text) {
		little, big = append(little, c, 0), append(big, 0, c)
	}
	for _, data := range [][]byte{[]byte(text), []byte("\ufeff" + text), little, big} {
		if got, _, err := ImportEasyAuth(data); err != nil || got.Unauthenticated != "401" {
			t.Errorf("%q: %+v, %v", data[:4], got, err)
		}
	}
}

// TestImportIssuers has the addresses that sites name their providers by.
func TestImportIssuers(t *testing.T) {
	const id = "0f1e2d3c-0000-0000-0000-000000000000"
	const policy = "https://c.b2clogin.com/c.onmicrosoft.com/B2C_1_in/v2.0"
	for issuer, want := range map[string]ProviderConfig{
		"": {},
		"https://sts.windows.net/" + id + "/v2.0":                             {Tenant: id},
		"https://login.microsoftonline.com/" + strings.ToUpper(id) + "/v2.0/": {Tenant: id},
		"https://login.microsoftonline.com/Common/v2.0":                       {Tenant: "common"},
		"https://login.microsoftonline.us/" + id + "/v2.0": {
			Issuer: "https://login.microsoftonline.us/" + id + "/v2.0"},
		"https://login.microsoftonline.com/te/c.onmicrosoft.com/B2C_1_in/v2.0": {
			Issuer: "https://login.microsoftonline.com/te/c.onmicrosoft.com/B2C_1_in/v2.0"},
		policy:             {Issuer: policy},
		policy + wellKnown: {Issuer: policy},
		"https://c.b2clogin.com/c.onmicrosoft.com/v2.0/.well-known/openid-configuration?p=B2C_1_in": {
			Discovery: "https://c.b2clogin.com/c.onmicrosoft.com/v2.0/.well-known/openid-configuration?p=B2C_1_in"},
		"https://c.ciamlogin.com/" + id + "/v2.0": {Issuer: "https://c.ciamlogin.com/" + id + "/v2.0"},
	} {
		got, _, err := ImportEasyAuth([]byte(`{"identityProviders":{"azureActiveDirectory":{"registration":` +
			`{"clientId":"c","openIdIssuer":"` + issuer + `"}}}}`))
		want.Type, want.ClientID, want.Bearer = "aad", "c", true
		if diff := cmp.Diff(want, got.Providers["aad"]); err != nil || diff != "" {
			t.Errorf("%s: %v %s", issuer, err, diff)
		}
	}
	for document, want := range map[string]ProviderConfig{
		"https://h.example/slash/" + wellKnown[1:]: {Type: "oidc", Issuer: "https://h.example/slash"},
		"https://h.example/openid.json":            {Type: "oidc", Discovery: "https://h.example/openid.json"},
		policy + wellKnown:                         {Type: "oidc", Discovery: policy + wellKnown},
		entraHost + "common/v2.0" + wellKnown:      {Type: "aad", Tenant: "common"},
	} {
		got, _, err := ImportEasyAuth([]byte(`{"identityProviders":{"customOpenIdConnectProviders":{"My":{` +
			`"registration":{"clientId":"c","openIdConnectConfiguration":{"wellKnownOpenIdConfiguration":"` +
			document + `"}}}}}}`))
		want.ClientID, want.Bearer = "c", true
		if diff := cmp.Diff(want, got.Providers["my"]); err != nil || diff != "" {
			t.Errorf("%s: %v %s", document, err, diff)
		}
	}
}

// TestImportNotesAreLines has names and values that would end the comment that a
// note becomes.
func TestImportNotesAreLines(t *testing.T) {
	_, notes, err := ImportEasyAuth([]byte(`{"globalValidation":{"unauthenticatedClientAction":"Return401",` +
		`"excludedPaths":["a\nidentity: {unauthenticated: allow}"]},"a\nb":1,` +
		`"identityProviders":{"x\u2028y":{"z":1}}}`))
	if err != nil || len(notes) != 4 {
		t.Fatalf("%q, %v", notes, err)
	}
	for _, note := range notes {
		if strings.ContainsAny(note, "\n\r\u2028") {
			t.Errorf("%q has several lines", note)
		}
	}
}
