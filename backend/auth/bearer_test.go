package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// bearerSite starts a site whose provider "my" has its own tokens accepted.
func bearerSite(t *testing.T, p *issuer, change func(*ProviderConfig)) *site {
	return siteWith(t, p, func(c *ProviderConfig) {
		c.Bearer, c.Audiences = true, []string{"api"}
		if change != nil {
			change(c)
		}
	})
}

// TestBearer has a provider's tokens as App Service takes them: the user is the one
// of a sign-in, without a session.
func TestBearer(t *testing.T) {
	p := newIssuer(t)
	s := bearerSite(t, p, nil)
	signedIn := s.trade(p.idToken(""))
	for name, claims := range map[string]map[string]any{"an ID token": nil, "an access token": {"aud": "api",
		"azp": "app"},
		"with several audiences": {"aud": []string{"api", "x"}, "azp": "client"}} {
		p.claims = claims
		req, err := http.NewRequest(http.MethodGet, s.web.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "bearer "+p.idToken(""))
		who, err := s.Authenticate(req)
		if err != nil || who.User.ID != signedIn || who.User.Provider != "my" || who.Session != "" || who.Cookie {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	p.claims = nil
	bearer := "Bearer " + p.idToken("")
	resp := s.get(nil, "/.auth/me", "Authorization", bearer)
	wantStatus(t, resp, http.StatusOK)
	if text := bodyOf(t, resp); !strings.Contains(text, `"user_id":"ann@example.org"`) ||
		strings.Contains(text, "id_token") {
		t.Errorf("me is %s", text)
	}
	wantStatus(t, s.get(nil, "/.auth/refresh", "Authorization", bearer), http.StatusUnauthorized)
	// X-ZUMO-AUTH has tokens of ours only, and wins.
	wantStatus(t, s.get(nil, "/.auth/me", "X-ZUMO-AUTH", p.idToken("")), http.StatusUnauthorized)
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", bearer, "X-ZUMO-AUTH", "x"), http.StatusUnauthorized)
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", p.idToken("")), http.StatusUnauthorized)
	wantStatus(t, s.get(nil, "/.auth/me", "Cookie", CookieName+"="+p.idToken("")), http.StatusUnauthorized)
	own := s.send(nil, http.MethodPost, "/.auth/login/my", `{"id_token":"`+p.idToken("")+`"}`)
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization",
		"Bearer "+parseToken(t, bodyOf(t, own)).AuthenticationToken), http.StatusOK)
	if users, err := s.ListUsers(t.Context(), "", 10); err != nil || len(users) != 1 || users[0].ID != signedIn {
		t.Errorf("users %+v, %v", users, err)
	}
}

// TestBearerIsOffByDefault keeps provider tokens out where nobody asked for them.
func TestBearerIsOffByDefault(t *testing.T) {
	p := newIssuer(t)
	s := siteWith(t, p, nil)
	resp := s.get(nil, "/.auth/me", "Authorization", "Bearer "+p.idToken(""))
	wantStatus(t, resp, http.StatusUnauthorized)
	for typ, want := range map[string]bool{"development": true, "facebook": true, "twitter": true, "google": false} {
		config := Config{Providers: map[string]ProviderConfig{"x": {Type: typ, Bearer: true, ClientID: "c",
			ClientSecret: "env:X"}}}
		problems := config.Check(&url.URL{Scheme: "http", Host: "localhost:1"}, true)
		if refused := len(problems) == 1 && strings.Join(problems[0].Path,
			".") == "providers.x.bearer"; refused != want {
			t.Errorf("%s: %v", typ, problems)
		}
	}
}

// TestBearerRefusals bends the token in every claim that counts.
func TestBearerRefusals(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	claims := func(name string, value any) func(*issuer) {
		return func(p *issuer) { p.claims = map[string]any{name: value} }
	}
	for name, bend := range map[string]func(*issuer){
		"audience": claims("aud", "other"), "no audience": claims("aud", nil), "issuer": claims("iss",
			"https://evil.example"),
		"no issuer": claims("iss", nil), "issuer with a slash": func(p *issuer) {
			p.claims = map[string]any{"iss": p.URL + "/"}
		},
		"several audiences": claims("aud", []string{"client", "x"}), "expired": claims("exp",
			now.Add(-time.Minute).Unix()),
		"no expiry": claims("exp", nil), "not yet": claims("nbf", now.Add(time.Hour).Unix()), "no time": claims("iat",
			nil),
		"issued later": claims("iat", now.Add(time.Hour).Unix()), "no subject": claims("sub", nil),
		"a logout token": claims("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": 1}),
		"bound to a key": claims("cnf", map[string]any{"jkt": "x"}),
		"key":            func(p *issuer) { p.signKey = other },
		"none": func(p *issuer) {
			p.method, p.signKey = jwt.SigningMethodNone,
				jwt.UnsafeAllowNoneSignatureType
		},
		"HS256 by ours":   func(p *issuer) { p.method, p.signKey = jwt.SigningMethodHS256, hexKey(t) },
		"HS256 by secret": func(p *issuer) { p.method, p.signKey = jwt.SigningMethodHS256, []byte("client-s3cret") },
		"named as ours":   func(p *issuer) { p.claims = map[string]any{"iss": "ours"} },
	} {
		p := newIssuer(t)
		s := bearerSite(t, p, nil)
		bend(p)
		if p.claims["iss"] == "ours" {
			p.claims["iss"] = s.web.URL + "/"
		}
		resp := s.get(nil, "/.auth/me", "Authorization", "Bearer "+p.idToken(""))
		if resp.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"),
			"Bearer") {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
		if len(s.store.users) != 0 {
			t.Errorf("%s: a user was kept", name)
		}
	}
}

// TestBearerRevocation refuses a user's tokens up to a time.
func TestBearerRevocation(t *testing.T) {
	p := newIssuer(t)
	s := bearerSite(t, p, nil)
	old := "Bearer " + p.idToken("")
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", old), http.StatusOK)
	s.wait(2 * time.Second)
	wantStatus(t, s.send(nil, http.MethodDelete, "/.auth/sessions", "", "Authorization", old), http.StatusNoContent)
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", old), http.StatusUnauthorized)
	// A provider's clock may be ahead: a token that says to be of the minute after
	// may have been made before.
	p.claims = map[string]any{"iat": s.clock().Add(identity.ClockSkew - time.Second).Unix()}
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+p.idToken("")), http.StatusUnauthorized)
	s.wait(identity.ClockSkew)
	p.claims = map[string]any{"iat": s.clock().Add(2 * time.Second).Unix()}
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+p.idToken("")), http.StatusOK)
	s.wait(2 * time.Hour)
	resp := s.get(nil, "/.auth/me", "Authorization", "Bearer "+p.idToken(""))
	wantStatus(t, resp, http.StatusUnauthorized)
	if text := bodyOf(t, resp); !strings.Contains(text, `"TokenExpiredError"`) || !strings.Contains(text, "expiredAt") {
		t.Errorf("an expired token: %s", text)
	}
}

// TestBearerOfTheRightProvider does not take the tokens of one provider for those of
// another, and lets in who is let in.
func TestBearerOfTheRightProvider(t *testing.T) {
	p, q := newIssuer(t), newIssuer(t)
	s := newSite(t, func(c *Config) {
		c.Providers = map[string]ProviderConfig{
			"a": {Type: "oidc", Issuer: p.URL, ClientID: "client", Bearer: true},
			"b": {Type: "aad", Issuer: q.URL, ClientID: "client", Bearer: true, AllowedGroups: []string{"b"}}}
	})
	me := func(token string) string { return bodyOf(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+token)) }
	if text := me(p.idToken("")); !strings.Contains(text, `"provider_name":"a"`) {
		t.Error(text)
	}
	if text := me(q.idToken("")); !strings.Contains(text, `"provider_name":"b"`) {
		t.Error(text)
	}
	q.claims = map[string]any{"groups": nil}
	if text := me(q.idToken("")); !strings.Contains(text, "not allowed") {
		t.Error(text)
	}
	p.claims = map[string]any{"iss": q.URL} // p's key, q's name
	if text := me(p.idToken("")); !strings.Contains(text, `"JsonWebTokenError"`) {
		t.Error(text)
	}
	q.Close()
	s.open(func(c *Config) {
		c.Providers = map[string]ProviderConfig{"b": {Type: "oidc", Issuer: q.URL, ClientID: "client", Bearer: true}}
	})
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+q.idToken("")), http.StatusServiceUnavailable)
}

// TestKeysAreNotFetchedForStrangers asks a provider for its keys once, whatever keys
// tokens name, and again for a new key some time later.
func TestKeysAreNotFetchedForStrangers(t *testing.T) {
	p := newIssuer(t)
	var asked atomic.Int32
	inner := p.Config.Handler
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			asked.Add(1)
		}
		inner.ServeHTTP(w, r)
	})
	s := bearerSite(t, p, nil)
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+p.idToken("")), http.StatusOK)
	for _, id := range []string{"x", "y", "z"} {
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"iss": p.URL, "aud": "client", "sub": "ann",
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()})
		token.Header["kid"] = id
		text, err := token.SignedString(p.key)
		if err != nil {
			t.Fatal(err)
		}
		wantStatus(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+text), http.StatusUnauthorized)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
	s.wait(keysWait)
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"iss": p.URL})
	token.Header["kid"] = "new"
	text, err := token.SignedString(p.key)
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+text), http.StatusUnauthorized)
	if n := asked.Load(); n != 2 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

// TestProviderThatGoesAway: what a provider has published holds for a day while it
// cannot be asked, and no longer; a key that it has withdrawn holds for an hour, and a
// document that says something else is not believed.
func TestProviderThatGoesAway(t *testing.T) {
	p := newIssuer(t)
	var says atomic.Pointer[string]
	inner := p.Config.Handler
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch text := says.Load(); {
		case text == nil:
			inner.ServeHTTP(w, r)
		case *text == "":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, *text)
		}
	})
	s := bearerSite(t, p, nil)
	want := func(status int, what string) {
		t.Helper()
		p.claims = map[string]any{"iat": s.clock().Unix(), "exp": s.clock().Add(time.Hour).Unix()}
		resp := s.get(nil, "/.auth/me", "Authorization", "Bearer "+p.idToken(""))
		if text := bodyOf(t, resp); resp.StatusCode != status {
			t.Errorf("%s: %d %s", what, resp.StatusCode, text)
		}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	another, err := json.Marshal(jose.JSONWebKey{Key: key.Public(), KeyID: "another", Algorithm: "RS256"})
	if err != nil {
		t.Fatal(err)
	}
	down, none, others := "", `{"keys":[]}`, `{"keys":[`+string(another)+`]}`
	want(http.StatusOK, "at first")
	says.Store(&down)
	s.wait(keysKept - time.Minute)
	want(http.StatusOK, "down for a day")
	s.wait(2 * time.Minute)
	want(http.StatusServiceUnavailable, "down for longer")
	says.Store(nil)
	s.wait(keysWait)
	want(http.StatusOK, "up again")
	says.Store(&none)
	s.wait(keysFresh + time.Minute)
	want(http.StatusOK, "a set without keys")
	says.Store(nil)
	s.wait(keysWait)
	want(http.StatusOK, "the keys again")
	says.Store(&others)
	s.wait(keysFresh - time.Minute)
	want(http.StatusOK, "keys of an hour ago")
	s.wait(2 * time.Minute)
	want(http.StatusUnauthorized, "a key that was withdrawn")
	says.Store(nil)
	s.wait(keysWait)
	want(http.StatusOK, "a key that is back")
	other := `{"issuer":"https://other.example","authorization_endpoint":"https://other.example/",` +
		`"token_endpoint":"https://other.example/","jwks_uri":"https://other.example/"}`
	says.Store(&other)
	s.wait(discoveryFresh)
	want(http.StatusServiceUnavailable, "another's document")
	says.Store(&down)
	s.wait(discoveryRetry)
	want(http.StatusServiceUnavailable, "a document that has been given up")

	says.Store(nil)
	s.wait(discoveryRetry)
	want(http.StatusOK, "the document again")
	says.Store(&down)
	for _, each := range []struct {
		wait time.Duration
		want int
	}{{2 * 24 * time.Hour, http.StatusFound}, {discoveryKept, http.StatusForbidden}} {
		s.wait(each.wait)
		wantStatus(t, s.get(nil, "/.auth/login/my"), each.want)
	}
}

// TestKeysThatHang: while a provider's keys hang, those who know theirs are answered
// with them, one after a short time and the others at once.
func TestKeysThatHang(t *testing.T) {
	p := newIssuer(t)
	hangs := make(chan struct{})
	var hung atomic.Int32
	inner := p.Config.Handler
	hanging := atomic.Bool{}
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hanging.Load() {
			hung.Add(1)
			<-hangs
		}
		inner.ServeHTTP(w, r)
	})
	s := bearerSite(t, p, nil)
	token := func() string {
		p.claims = map[string]any{"iat": s.clock().Unix(), "exp": s.clock().Add(time.Hour).Unix()}
		return p.idToken("")
	}
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+token()), http.StatusOK)
	hanging.Store(true)
	defer close(hangs)
	s.wait(keysFresh)
	first, second := token(), token()
	answered := make(chan int)
	go func() { answered <- s.get(nil, "/.auth/me", "Authorization", "Bearer "+first).StatusCode }()
	lane.Until(t, "the keys are asked for", func() bool { return hung.Load() == 1 })
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+second), http.StatusOK)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the one that asked: %d", status)
	}
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+token()), http.StatusOK)
	if n := hung.Load(); n != 1 {
		t.Errorf("the keys were asked for %d times", n)
	}
}

// TestOneProviderThatIsDown: tokens of the others are answered as ever, and nobody
// asks for a stranger's.
func TestOneProviderThatIsDown(t *testing.T) {
	down, up := newIssuer(t), newIssuer(t)
	s := newSite(t, func(c *Config) {
		c.Providers = map[string]ProviderConfig{
			"a": {Type: "oidc", Issuer: down.URL, ClientID: "client", Bearer: true},
			"b": {Type: "oidc", Issuer: up.URL, ClientID: "client", Bearer: true}}
	})
	down.Close()
	stranger := up.idToken
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+stranger("")), http.StatusOK)
	up.claims = map[string]any{"iss": "https://nobody.example"}
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+up.idToken("")), http.StatusUnauthorized)
	up.claims = map[string]any{"iss": down.URL}
	wantStatus(t, s.get(nil, "/.auth/me", "Authorization", "Bearer "+up.idToken("")), http.StatusServiceUnavailable)
}

// TestPublishedKeys: a key of one directory signs for no other, and one that is not
// understood is passed over.
func TestPublishedKeys(t *testing.T) {
	const one, two = "11111111-0000-0000-0000-000000000000", "22222222-0000-0000-0000-000000000000"
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(jose.JSONWebKey{Key: key.Public(), KeyID: "k", Algorithm: "RS256"})
	if err != nil {
		t.Fatal(err)
	}
	with := func(issuer string) json.RawMessage {
		return json.RawMessage(strings.Replace(string(text), "{", `{"issuer":"`+issuer+`",`, 1))
	}
	keys := publishedKeys([]json.RawMessage{json.RawMessage(`{"kty":"AKP","alg":"ML-DSA-44","kid":"new"}`), text,
		with(entraHost + "{tenantid}/v2.0"), with(entraHost + one + "/v2.0")})
	if len(keys) != 3 {
		t.Fatalf("%d keys", len(keys))
	}
	for _, each := range []struct {
		key    int
		tenant string
		want   bool
	}{{0, one, true}, {1, one, true}, {1, two, true}, {2, one, true}, {2, two, false}, {2, "", false}} {
		payload := `{"iss":"` + stsHost + each.tenant + `/","tid":"` + each.tenant + `"}`
		if got := keys[each.key].signsFor([]byte(payload)); got != each.want {
			t.Errorf("key %d for %q: %v", each.key, each.tenant, got)
		}
	}
}

// TestTokensOfMachines: what is no person's signs nobody in.
func TestTokensOfMachines(t *testing.T) {
	for _, each := range []struct {
		config ProviderConfig
		claims map[string]any
		want   bool
	}{
		{ProviderConfig{Type: "google"}, map[string]any{"sub": "1", "azp": "client"}, false},
		{ProviderConfig{Type: "google"}, map[string]any{"sub": "1", "azp": "1"}, true},
		{ProviderConfig{Type: "google"}, map[string]any{"sub": "1", "email": "x@p.iam.gserviceaccount.com"}, true},
		{ProviderConfig{Type: "aad"}, map[string]any{"idtyp": "user"}, false},
		{ProviderConfig{Type: "aad"}, map[string]any{"idtyp": "app"}, true},
		{ProviderConfig{Type: "aad", AllowedApplications: []string{"a"}}, map[string]any{"idtyp": "app"}, false},
		{ProviderConfig{Type: "oidc"}, map[string]any{"sub": "1", "azp": "1"}, false},
	} {
		p := &openID{providerBase: providerBase{config: each.config}}
		if got := p.ofMachine(each.claims); got != each.want {
			t.Errorf("%s %v: %v", each.config.Type, each.claims, got)
		}
	}
}

// TestOrganizationsInAnAddress: personal accounts are kept out wherever it says so.
func TestOrganizationsInAnAddress(t *testing.T) {
	for _, c := range []ProviderConfig{
		{Tenant: "organizations"}, {Tenant: "Organizations"},
		{Issuer: entraHost + "organizations/v2.0"},
		{Discovery: entraHost + "organizations/v2.0" + wellKnown + "?appid=c"},
	} {
		c.Type = "aad"
		p := newOpenID(providerBase{config: c})
		d := &discovered{issuer: entraHost + anyTenant + "/v2.0"}
		if _, err := p.directoryOf(d, entraHost+consumersTenant+"/v2.0", consumersTenant); err == nil {
			t.Errorf("%+v lets personal accounts in", c)
		}
		const work = "11111111-0000-0000-0000-000000000000"
		if _, err := p.directoryOf(d, entraHost+work+"/v2.0", work); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
