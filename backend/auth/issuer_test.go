package auth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// trade hands a token of the provider in and returns who that is, "" for nobody.
func (s *site) trade(token string) string {
	s.t.Helper()
	resp := s.send(nil, http.MethodPost, "/.auth/login/my", `{"id_token":"`+token+`"}`)
	if resp.StatusCode != http.StatusOK {
		return ""
	}
	return parseToken(s.t, bodyOf(s.t, resp)).User.UserID
}

// TestIssuerIsNotTheAddress has providers whose documents name another issuer than
// the address that the configuration has.
func TestIssuerIsNotTheAddress(t *testing.T) {
	const id = "11111111-2222-3333-4444-555555555555"
	document := ProviderConfig{Discovery: "{base}/a" + wellKnown}
	both := func(issuer string) ProviderConfig {
		return ProviderConfig{Discovery: document.Discovery, Issuer: issuer}
	}
	policy := ProviderConfig{Type: "aad", Issuer: "{base}/x.example/B2C_1_in/v2.0"}
	const policyPath = "/x.example/B2C_1_in/v2.0"
	for name, c := range map[string]struct {
		config  ProviderConfig // {base} is the provider's origin
		path    string         // where the document is
		issuer  string         // what it says
		refused bool
	}{
		"slash in the document":   {ProviderConfig{Issuer: "{base}/slash"}, "/slash", "{base}/slash/", false},
		"slash in the settings":   {ProviderConfig{Issuer: "{base}/slash/"}, "/slash", "{base}/slash", false},
		"slash in both":           {ProviderConfig{Issuer: "{base}/slash/"}, "/slash", "{base}/slash/", false},
		"another path":            {ProviderConfig{Issuer: "{base}/a"}, "/a", "{base}/b", true},
		"another host":            {ProviderConfig{Issuer: "{base}/a"}, "/a", "https://other.example/a", true},
		"discovery alone":         {document, "/a", "{base}/b/", false},
		"discovery, another host": {document, "/a", "https://other.example/a", true},
		"discovery, another port": {document, "/a", "http://127.0.0.1:9/a", true},
		"discovery, many tenants": {document, "/a", "{base}/{tenantid}/v2.0", true},
		"discovery, named issuer": {both("https://other.example"), "/a", "https://other.example", false},
		"discovery, wrong issuer": {both("{base}/b"), "/a", "{base}/c", true},
		"policy":                  {policy, policyPath, "{base}/" + id + "/v2.0/", false},
		"policy, another host":    {policy, policyPath, "https://x.b2clogin.com/" + id + "/v2.0/", true},
		"aad, not https": {ProviderConfig{Type: "aad", Issuer: "{base}/x/v2.0"}, "/x/v2.0",
			"http://login.example/x/v2.0", true},
		"a google of somebody":     {ProviderConfig{Issuer: "{base}"}, "", "https://accounts.google.com", true},
		"the short one of another": {ProviderConfig{Issuer: "{base}"}, "", "accounts.google.com", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newIssuer(t)
			in := func(text string) string { return strings.ReplaceAll(text, "{base}", p.URL) }
			p.mount(c.path)
			p.issued = in(c.issuer)
			p.claims = map[string]any{"iss": p.issued, "tfp": "B2C_1_in"}
			s := siteWith(t, p, func(config *ProviderConfig) {
				config.Issuer, config.Discovery = in(c.config.Issuer), in(c.config.Discovery)
				config.Type = first(c.config.Type, "oidc")
			})
			if user := s.trade(p.idToken("")); (user == "") != c.refused {
				t.Errorf("signed in as %q", user)
			}
			p.claims = map[string]any{"iss": p.URL + "/another"}
			if user := s.trade(p.idToken("")); user != "" {
				t.Errorf("a token of another issuer signs in %q", user)
			}
		})
	}
}

// mount serves the discovery document below a path too.
func (p *issuer) mount(path string) {
	if path == "" {
		return
	}
	inner := p.Config.Handler
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path+wellKnown {
			p.discovery(w, r)
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// TestExternalIDIssuer has the issuers of External ID, whose host is the
// directory's id.
func TestExternalIDIssuer(t *testing.T) {
	const id = "11111111-2222-3333-4444-555555555555"
	p := newOpenID(providerBase{config: ProviderConfig{Type: "aad", Issuer: "https://c.ciamlogin.com/" + id + "/v2.0"}})
	for issuer, want := range map[string]bool{
		"https://" + id + ".ciamlogin.com/" + id + "/v2.0":              true,
		"https://" + id + ".ciamlogin.com/" + id + "/v2.0/":             true,
		"https://" + id + ".ciamlogin.com/other/v2.0":                   false,
		"https://evil.ciamlogin.com/" + id + "/v2.0":                    false,
		"https://" + id + ".ciamlogin.com.evil.example/" + id + "/v2.0": false,
		"http://" + id + ".ciamlogin.com/" + id + "/v2.0":               false,
	} {
		if err := p.checkDocument(issuer); (err == nil) != want {
			t.Errorf("%s: %v", issuer, err)
		}
	}
	if other := newOpenID(providerBase{config: ProviderConfig{Type: "aad",
		Issuer: "https://evil.example/v2.0"}}); other.checkDocument("https://"+id+".ciamlogin.com/"+id+"/v2.0") == nil {
		t.Error("a stranger's document may name a directory")
	}
}

// TestPolicies refuses tokens of another policy of the same directory.
func TestPolicies(t *testing.T) {
	p := newIssuer(t)
	p.mount("/x.example/b2c_1_in/v2.0")
	p.issued = p.URL + "/11111111-2222-3333-4444-555555555555/v2.0/"
	s := siteWith(t, p, func(c *ProviderConfig) { c.Type, c.Issuer = "aad", p.URL+"/x.example/b2c_1_in/v2.0" })
	for claims, want := range map[string]bool{`{}`: false, `{"tfp":"B2C_1_in"}`: true, `{"tfp":"B2C_1_reset"}`: false,
		`{"acr":"b2c_1_in"}`: true, `{"acr":"b2c_1_reset"}`: false, `{"acr":"1"}`: false,
		`{"tfp":"B2C_1_reset","acr":"b2c_1_in"}`: false} {
		if err := json.Unmarshal([]byte(claims), &p.claims); err != nil {
			t.Fatal(err)
		}
		p.claims["iss"] = p.issued
		if user := s.trade(p.idToken("")); (user != "") != want {
			t.Errorf("%s: %q", claims, user)
		}
		p.claims = nil
	}
	for address, want := range map[string]string{"https://x.example/v2.0" + wellKnown + "?p=B2C_1A_in": "B2C_1A_in",
		"https://x.example/v2.0": ""} {
		if got := policyOf(address); got != want {
			t.Errorf("%s names the policy %q", address, got)
		}
	}
}

// TestGoogleIsOne has both spellings of Google's issuer: one person.
func TestGoogleIsOne(t *testing.T) {
	for _, typ := range []string{"google", "oidc"} {
		p := newOpenID(providerBase{config: ProviderConfig{Type: typ, Issuer: googleIssuer}})
		found := &discovered{issuer: googleIssuer}
		for _, issuer := range []string{googleIssuer, "accounts.google.com"} {
			if got, err := p.issuerOf(found, issuer, nil); err != nil || got != googleIssuer {
				t.Errorf("%s, %s: %q, %v", typ, issuer, got, err)
			}
		}
		for _, issuer := range []string{"http://accounts.google.com", "https://accounts.google.com/", "google.com",
			""} {
			if _, err := p.issuerOf(found, issuer, nil); err == nil {
				t.Errorf("%q is taken for Google", issuer)
			}
		}
	}
	p := newOpenID(providerBase{config: ProviderConfig{Type: "oidc", Issuer: "https://other.example"}})
	if _, err := p.issuerOf(&discovered{issuer: "https://other.example"}, "accounts.google.com", nil); err == nil {
		t.Error("another provider signs Google's users in")
	}
}

// TestOneIssuerPerDirectory has all tokens of a directory give one issuer.
func TestOneIssuerPerDirectory(t *testing.T) {
	const id = "abcdefab-2222-3333-4444-555555555555"
	for _, d := range []string{entraHost + id + "/v2.0", entraHost + "{tenantid}/v2.0"} {
		p := newOpenID(providerBase{config: ProviderConfig{Type: "aad"}})
		for _, issuer := range []string{entraHost + id + "/v2.0", stsHost + id + "/",
			entraHost + strings.ToUpper(id) + "/v2.0"} {
			got, err := p.issuerOf(&discovered{issuer: d}, issuer, map[string]any{"tid": strings.ToUpper(id)})
			if err != nil || got != entraHost+id+"/v2.0" {
				t.Errorf("%s at %s: %q, %v", issuer, d, got, err)
			}
		}
	}
}

// TestAnswersAs has the iss of authorization responses (RFC 9207).
func TestAnswersAs(t *testing.T) {
	const id = "11111111-2222-3333-4444-555555555555"
	for _, c := range []struct {
		document, iss string
		want          bool
	}{{"https://a.example", "https://a.example", true}, {"https://a.example", "https://b.example", false},
		{googleIssuer, "accounts.google.com", true}, {entraHost + "{tenantid}/v2.0", entraHost + id + "/v2.0", true},
		{entraHost + "{tenantid}/v2.0", "https://evil.example/" + id + "/v2.0", false},
		{entraHost + "{tenantid}/v2.0", entraHost + "{tenantid}/v2.0", false}} {
		if got := (&discovered{issuer: c.document}).answersAs(c.iss); got != c.want {
			t.Errorf("%s for %s: %v", c.iss, c.document, got)
		}
	}
}

// TestAdmitted has the users and applications that are let in, by groups,
// identities and applications, and what a token does not say.
func TestAdmitted(t *testing.T) {
	byGroup := ProviderConfig{AllowedGroups: []string{"G1", "g2"}}
	byUser := ProviderConfig{AllowedIdentities: []string{"u1"}}
	either := ProviderConfig{AllowedGroups: []string{"g1"}, AllowedIdentities: []string{"u1"}}
	byApp := ProviderConfig{AllowedApplications: []string{"app", "CLIENT"}}
	otherApp := ProviderConfig{AllowedApplications: []string{"app"}}
	for _, c := range []struct {
		config ProviderConfig
		claims string
		want   bool
	}{
		{ProviderConfig{}, `{}`, true}, {byGroup, `{"groups":["x","g1"]}`, true}, {byGroup, `{"groups":["x"]}`, false},
		{byGroup, `{"groups":"g1"}`, false}, {byGroup, `{}`, false}, {byGroup, `{"hasgroups":true}`, false},
		{byGroup, `{"_claim_names":{"groups":"src1"}}`, false}, {byGroup, `{"oid":"g1"}`, false},
		{byUser, `{"oid":"U1"}`, true}, {byUser, `{"oid":"u2"}`, false}, {byUser, `{"sub":"u1"}`, false},
		{byUser, `{"groups":["u1"]}`, false}, {either, `{"oid":"u1"}`, true}, {either, `{"groups":["g1"]}`, true},
		{either, `{"oid":"u2","groups":["g2"]}`, false}, {byApp, `{}`, true}, {byApp, `{"azp":"app"}`, true},
		{byApp, `{"appid":"APP"}`, true}, {byApp, `{"azp":"evil"}`, false}, {byApp, `{"azp":"app","appid":"evil"}`,
			false},
		{byApp, `{"azp":"evil","appid":"app"}`, false}, {otherApp, `{}`, false},
	} {
		c.config.Type, c.config.ClientID = "aad", "client"
		var claims map[string]any
		if err := json.Unmarshal([]byte(c.claims), &claims); err != nil {
			t.Fatal(err)
		}
		err := newOpenID(providerBase{config: c.config}).admit([]string{"client"}, claims)
		if (err == nil) != c.want {
			t.Errorf("%+v, %s: %v", c.config, c.claims, err)
		}
	}
}

// TestNotAdmitted is the answer to a user who is none of those who are let in: 403
// to an app, the reason to a browser, and no session.
func TestNotAdmitted(t *testing.T) {
	p := newIssuer(t)
	s := siteWith(t, p, func(c *ProviderConfig) { c.Type, c.AllowedGroups = "aad", []string{"c"} })
	resp := s.send(nil, http.MethodPost, "/.auth/login/my", `{"id_token":"`+p.idToken("")+`"}`)
	wantStatus(t, resp, http.StatusForbidden)
	resp = s.loginAt(s.browser(), "session_mode=token")
	if got, _ := url.PathUnescape(resp.Header.Get("Location")); !strings.Contains(got, "#error=You are not allowed") {
		t.Errorf("sent to %s", got)
	}
	if len(s.store.sessions) != 0 {
		t.Error("there is a session")
	}
	p.claims = map[string]any{"groups": []string{"c"}}
	if s.trade(p.idToken("")) == "" {
		t.Error("a member of the group is kept out")
	}
}

// TestListsAreForAAD keeps a configuration from naming people whom nobody checks.
func TestListsAreForAAD(t *testing.T) {
	config := Config{SigningKey: "env:X", Excluded: []string{"/a", "public", "/a/*/b", "/a/../b", "/c/*", "/*", "/"},
		Providers: map[string]ProviderConfig{"google": {ClientID: "c", AllowedGroups: []string{"g"}},
			"aad":    {ClientID: "c", Tenant: "a/b", Discovery: "http://x.example/"},
			"github": {ClientID: "c", ClientSecret: "env:X", Discovery: "https://x.example/"}}}
	var got []string
	for _, p := range config.Check(&url.URL{Scheme: "https", Host: "a.example"}, false) {
		got = append(got, strings.Join(p.Path, "."))
	}
	slices.Sort(got)
	if want := "excluded.1 excluded.2 excluded.3 providers.aad.discovery providers.aad.tenant " +
		"providers.github.discovery " +
		"providers.google.allowed_groups"; strings.Join(
		got,
		" ",
	) != want {
		t.Errorf("problems at %s", got)
	}
}

func TestEntraTenants(t *testing.T) {
	const tenant, other = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
	const letters = "abcdefab-2222-3333-4444-555555555555"
	for _, c := range []struct {
		config ProviderConfig
		found  string // issuer in the discovery document
		issuer string
		tid    string
		want   bool
	}{
		{ProviderConfig{Tenant: "common"}, entraHost + "{tenantid}/v2.0", entraHost + tenant + "/v2.0", tenant, true},
		{ProviderConfig{}, entraHost + "{tenantid}/v2.0", stsHost + tenant + "/", tenant, true},
		{ProviderConfig{}, entraHost + "{tenantid}/v2.0", entraHost + other + "/v2.0", tenant, false},
		{ProviderConfig{}, entraHost + "{tenantid}/v2.0", entraHost + "{tenantid}/v2.0", "{tenantid}", false},
		{ProviderConfig{}, entraHost + "{tenantid}/v2.0", "https://evil.example/" + tenant + "/v2.0", tenant, false},
		{ProviderConfig{Tenants: []string{tenant}}, entraHost + "{tenantid}/v2.0", entraHost + tenant + "/v2.0", tenant,
			true},
		{ProviderConfig{Tenants: []string{other}}, entraHost + "{tenantid}/v2.0", entraHost + tenant + "/v2.0", tenant,
			false},
		{ProviderConfig{Tenant: tenant}, entraHost + tenant + "/v2.0", entraHost + tenant + "/v2.0", tenant, true},
		{ProviderConfig{Tenant: tenant}, entraHost + tenant + "/v2.0", stsHost + tenant + "/", tenant, true},
		{ProviderConfig{Tenant: tenant}, entraHost + tenant + "/v2.0", entraHost + other + "/v2.0", other, false},
		{ProviderConfig{Tenant: tenant}, entraHost + tenant + "/v2.0", stsHost + other + "/", other, false},
		{ProviderConfig{Tenant: "Organizations"}, entraHost + "{tenantid}/v2.0", entraHost + tenant + "/v2.0", tenant,
			true},
		{ProviderConfig{Tenant: "organizations"}, entraHost + "{tenantid}/v2.0", entraHost + consumersTenant + "/v2.0",
			consumersTenant, false},
		{ProviderConfig{Tenant: "consumers"}, entraHost + consumersTenant + "/v2.0",
			entraHost + consumersTenant + "/v2.0", consumersTenant, true},
		{ProviderConfig{Tenant: "consumers"}, entraHost + consumersTenant + "/v2.0", entraHost + tenant + "/v2.0",
			tenant,
			false},
		{ProviderConfig{Tenant: "contoso.onmicrosoft.com"}, entraHost + tenant + "/v2.0", entraHost + tenant + "/v2.0",
			tenant, true},
		{ProviderConfig{Tenant: "contoso.onmicrosoft.com"}, entraHost + tenant + "/v2.0", stsHost + tenant + "/",
			tenant,
			true},
		{ProviderConfig{Tenant: "contoso.onmicrosoft.com"}, entraHost + tenant + "/v2.0", entraHost + other + "/v2.0",
			other, false},
		{ProviderConfig{Tenants: []string{strings.ToUpper(letters)}}, entraHost + "{tenantid}/v2.0",
			entraHost + strings.ToUpper(letters) + "/v2.0", strings.ToUpper(letters), true},
		{ProviderConfig{Issuer: "https://login.microsoftonline.us/common/v2.0"},
			"https://login.microsoftonline.us/{tenantid}/v2.0", "https://login.microsoftonline.us/" + tenant + "/v2.0",
			tenant,
			true},
		{ProviderConfig{Issuer: "https://login.microsoftonline.us/common/v2.0"},
			"https://login.microsoftonline.us/{tenantid}/v2.0", entraHost + tenant + "/v2.0", tenant, false},
		{ProviderConfig{Issuer: "https://login.microsoftonline.us/common/v2.0"},
			"https://login.microsoftonline.us/{tenantid}/v2.0", stsHost + tenant + "/", tenant, false},
		{ProviderConfig{Issuer: "https://x.b2clogin.com/x.example/b2c_1_in/v2.0"},
			"https://x.b2clogin.com/" + tenant + "/v2.0/", "https://x.b2clogin.com/" + tenant + "/v2.0/", "", true},
		{ProviderConfig{Issuer: "https://x.b2clogin.com/x.example/b2c_1_in/v2.0"},
			"https://x.b2clogin.com/" + tenant + "/v2.0/", stsHost + tenant + "/", tenant, false},
	} {
		c.config.Type = "aad"
		p := newOpenID(providerBase{config: c.config})
		_, err := p.issuerOf(&discovered{issuer: c.found}, c.issuer, map[string]any{"tid": c.tid})
		if (err == nil) != c.want {
			t.Errorf("%+v, token of %s: %v", c.config, c.issuer, err)
		}
	}
}
