package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/internal/secret"
)

// issuer is an OpenID provider whose answers a test can bend. The independent
// provider is in provider_test.go of package clienttest.
type issuer struct {
	*httptest.Server
	key *rsa.PrivateKey

	mu      sync.Mutex
	codes   map[string]url.Values // code to authorization request
	claims  map[string]any        // replaces or, with nil, removes claims
	method  jwt.SigningMethod
	signKey any
	token   func(w http.ResponseWriter, r *http.Request) bool // answers instead
	issued  string                                            // the issuer of the document, if not our own
	last    url.Values                                        // the last token request
	refused bool                                              // refresh tokens are refused
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &issuer{key: key, codes: map[string]url.Values{}, method: jwt.SigningMethodRS256, signKey: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("/keys", p.keys)
	mux.HandleFunc("/authorize", p.authorize)
	mux.HandleFunc("/token", p.exchange)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	name := p.URL
	if p.issued != "" {
		name = p.issued
	}
	json.NewEncoder(w).Encode(map[string]any{"issuer": name, "authorization_endpoint": p.URL + "/authorize",
		"token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}})
}

func (p *issuer) keys(w http.ResponseWriter, _ *http.Request) {
	json.NewEncoder(w).Encode(
		jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
}

func (p *issuer) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	code := random()
	p.codes[code] = q
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+
		url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.URL}}.Encode(), http.StatusFound)
}

func (p *issuer) exchange(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.ParseForm()
	p.last = r.PostForm
	if p.token != nil && p.token(w, r) {
		return
	}
	refuse := func(code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"error": code})
	}
	nonce := ""
	if r.PostForm.Get("grant_type") == "refresh_token" {
		if p.refused || !strings.HasPrefix(r.PostForm.Get("refresh_token"), "refresh-") {
			refuse("invalid_grant")
			return
		}
	} else {
		request, ok := p.codes[r.PostForm.Get("code")]
		delete(p.codes, r.PostForm.Get("code"))
		sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		if !ok || request.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) ||
			request.Get("redirect_uri") != r.PostForm.Get("redirect_uri") {
			refuse("invalid_grant")
			return
		}
		nonce = request.Get("nonce")
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"access_token": "access-" + random(),
		"refresh_token": "refresh-" + random(), "token_type": "Bearer", "expires_in": 3600,
		"id_token": p.idToken(nonce)})
}

// idToken signs an ID token for ann.
func (p *issuer) idToken(nonce string) string {
	claims := jwt.MapClaims{"iss": p.URL, "sub": "ann", "aud": "client", "exp": time.Now().Add(time.Hour).Unix(),
		"iat": time.Now().Unix(), "email": "ann@example.org", "name": "Ann", "groups": []string{"a", "b"},
		"nonce": nonce}
	for name, value := range p.claims {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	token := jwt.NewWithClaims(p.method, claims)
	token.Header["kid"] = "k"
	text, err := token.SignedString(p.signKey)
	if err != nil {
		panic(err)
	}
	return text
}

// siteWith starts a site with the issuer as provider "my".
func siteWith(t *testing.T, p *issuer, change func(*ProviderConfig)) *site {
	return newSite(t, func(c *Config) {
		config := ProviderConfig{Type: "oidc", Issuer: p.URL, ClientID: "client",
			ClientSecret: "text-env:CLIENT_SECRET"}
		if change != nil {
			change(&config)
		}
		c.Providers = map[string]ProviderConfig{"my": config}
	})
}

// loginAt walks a browser through the provider and returns the answer of our
// callback.
func (s *site) loginAt(c *http.Client, query string) *http.Response {
	s.t.Helper()
	resp := s.get(c, "/.auth/login/my?"+query)
	wantStatus(s.t, resp, http.StatusFound)
	resp = s.get(c, resp.Header.Get("Location"))
	wantStatus(s.t, resp, http.StatusFound)
	return s.get(c, resp.Header.Get("Location"))
}

func TestOpenIDServerFlow(t *testing.T) {
	p := newIssuer(t)
	s := siteWith(t, p, nil)
	resp := s.loginAt(s.browser(), "session_mode=token&access_type=offline&nonce=mine&scope=evil&client_id=evil")
	encoded, ok := strings.CutPrefix(resp.Header.Get("Location"), "../done#token=")
	if !ok {
		t.Fatalf("sent to %s", resp.Header.Get("Location"))
	}
	me := s.meOf(decodeToken(t, encoded).AuthenticationToken)[0]
	if me.UserID != "ann@example.org" || !strings.HasPrefix(me.AccessToken, "access-") ||
		!strings.HasPrefix(me.RefreshToken, "refresh-") || me.IDToken == "" || !strings.HasSuffix(me.ExpiresOn, "Z") {
		t.Errorf("me is %+v", me)
	}
	count := map[string]int{}
	for _, c := range me.UserClaims {
		count[c.Type]++
	}
	if count["groups"] != 2 || count[identity.ClaimMail] != 1 || count[identity.ClaimNameID] != 1 ||
		count["nonce"] != 0 {
		t.Errorf("claims %v", me.UserClaims)
	}
}

func TestOpenIDForwardsParameters(t *testing.T) {
	p := newIssuer(t)
	s := siteWith(t, p, func(c *ProviderConfig) { c.Parameters = map[string]string{"prompt": "consent"} })
	resp := s.get(nil, "/.auth/login/my?session_mode=token&access_type=offline&login_hint=a%26b&state=evil&"+
		"redirect_uri=https://evil.example&prompt=none&completion_type=postMessage&"+
		"completion_origin=https://app.example")
	u, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{"access_type": "offline", "login_hint": "a&b", "prompt": "consent",
		"client_id": "client", "response_type": "code", "redirect_uri": s.web.URL + "/.auth/login/my/callback",
		"code_challenge_method": "S256", "session_mode": "", "completion_origin": "", "scope": "openid profile email"} {
		if got := q.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(q.Get("state")) < 40 || len(q.Get("nonce")) < 40 || len(q.Get("code_challenge")) != 43 {
		t.Errorf("state, nonce or challenge are missing: %v", q)
	}
}

// TestOpenIDRefusals bends what the provider says.
func TestOpenIDRefusals(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public := x509.MarshalPKCS1PublicKey(&other.PublicKey)
	for name, bend := range map[string]func(p *issuer){
		"nonce":    func(p *issuer) { p.claims = map[string]any{"nonce": "other"} },
		"no nonce": func(p *issuer) { p.claims = map[string]any{"nonce": nil} },
		"audience": func(p *issuer) { p.claims = map[string]any{"aud": "other"} },
		"azp": func(p *issuer) {
			p.claims = map[string]any{"aud": []string{"client", "other"}, "azp": "other"}
		},
		"several audiences": func(p *issuer) { p.claims = map[string]any{"aud": []string{"client", "other"}} },
		"issuer":            func(p *issuer) { p.claims = map[string]any{"iss": "https://other.example"} },
		"expired":           func(p *issuer) { p.claims = map[string]any{"exp": time.Now().Add(-time.Minute).Unix()} },
		"no expiry":         func(p *issuer) { p.claims = map[string]any{"exp": nil} },
		"no subject":        func(p *issuer) { p.claims = map[string]any{"sub": nil} },
		"long subject":      func(p *issuer) { p.claims = map[string]any{"sub": strings.Repeat("s", 256)} },
		"key":               func(p *issuer) { p.signKey = other },
		"none": func(p *issuer) {
			p.method, p.signKey = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType
		},
		"HS256 by secret": func(p *issuer) { p.method, p.signKey = jwt.SigningMethodHS256, []byte("client-s3cret") },
		"HS256 by key":    func(p *issuer) { p.method, p.signKey = jwt.SigningMethodHS256, public },
		"no id token": func(p *issuer) {
			p.token = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Type", "application/json")
				w.Write([]byte(`{"access_token":"a","token_type":"Bearer"}`))
				return true
			}
		},
		"token endpoint fails": func(p *issuer) {
			p.token = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(500); return true }
		},
		"token endpoint redirects": func(p *issuer) {
			p.token = func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, "https://evil.example/", http.StatusTemporaryRedirect)
				return true
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newIssuer(t)
			bend(p)
			s := siteWith(t, p, nil)
			resp := s.loginAt(s.browser(), "session_mode=token")
			if got := resp.Header.Get("Location"); got != "../done#error=Sign-in%20failed.%20Please%20try%20again." {
				t.Errorf("%d, sent to %s", resp.StatusCode, got)
			}
			if len(s.store.sessions) != 0 {
				t.Error("there is a session")
			}
		})
	}
}

func TestCallbackBelongsToOneBrowserOnce(t *testing.T) {
	p := newIssuer(t)
	s := siteWith(t, p, nil)
	c := s.browser()
	first := s.get(c, "/.auth/login/my?session_mode=token")
	back := s.get(c, first.Header.Get("Location")).Header.Get("Location")
	wantStatus(t, s.get(s.browser(), back), http.StatusBadRequest)                                // a victim's browser
	wantStatus(t, s.get(c, strings.Replace(back, "state=", "state=x", 1)), http.StatusBadRequest) // another state
	wantStatus(t, s.get(c, strings.Replace(back, "/my/", "/nobody/", 1)), http.StatusNotFound)    // another provider
	// another issuer (RFC 9207)
	mixed := s.get(c, strings.Replace(back, "iss=http%3A%2F%2F127", "iss=http%3A%2F%2F128", 1))
	if got := mixed.Header.Get("Location"); !strings.HasPrefix(got, "../done#error=") {
		t.Errorf("an answer of another issuer: sent to %s", got)
	}
	first = s.get(c, "/.auth/login/my?session_mode=token")
	var cookie string
	for _, line := range first.Cookies() {
		cookie = line.Name + "=" + line.Value
		if line.SameSite != http.SameSiteNoneMode || !line.Secure || !line.HttpOnly {
			t.Errorf("the sign-in's cookie is %v", line)
		}
	}
	back = s.get(nil, first.Header.Get("Location")).Header.Get("Location")
	if got := s.get(nil, back, "Cookie", cookie).Header.Get("Location"); !strings.HasPrefix(got, "../done#token=") {
		t.Errorf("sent to %s", got)
	}
	wantStatus(t, s.get(nil, back, "Cookie", cookie), http.StatusBadRequest) // again, with the cookie kept
}

func TestOpenIDClientFlow(t *testing.T) {
	p := newIssuer(t)
	s := siteWith(t, p, func(c *ProviderConfig) { c.Audiences = []string{"ios-client"} })
	post := func(body map[string]string) *http.Response {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		return s.send(nil, http.MethodPost, "/.auth/login/my", string(text), "Content-Type", "application/json")
	}
	resp := post(map[string]string{"id_token": p.idToken("")})
	wantStatus(t, resp, http.StatusOK)
	server := s.loginAt(s.browser(), "session_mode=token")
	encoded, _ := strings.CutPrefix(server.Header.Get("Location"), "../done#token=")
	if a, b := parseToken(t, bodyOf(t, resp)), decodeToken(t, encoded); a.User != b.User {
		t.Errorf("both flows disagree: %v, %v", a.User, b.User)
	}
	p.claims = map[string]any{"aud": "ios-client"}
	wantStatus(t, post(map[string]string{"id_token": p.idToken("")}), http.StatusOK)
	wantStatus(t, post(map[string]string{"access_token": p.idToken("")}), http.StatusOK)
	p.claims = map[string]any{"aud": "foreign-client"}
	wantStatus(t, post(map[string]string{"id_token": p.idToken("")}), http.StatusUnauthorized)
	wantStatus(t, post(map[string]string{"access_token": "opaque"}), http.StatusUnauthorized)
	wantStatus(t, post(map[string]string{"refresh_token": "x"}), http.StatusBadRequest)
	p.Close()
	p.claims = nil
	s = siteWith(t, p, nil)
	wantStatus(t, s.send(nil, http.MethodPost, "/.auth/login/my", `{"id_token":"`+p.idToken("")+`"}`),
		http.StatusBadGateway)
}

func TestGoogleCodeFillsTheStore(t *testing.T) {
	p := newIssuer(t)
	s := siteWith(t, p, func(c *ProviderConfig) { c.Type = "google" })
	var user string
	p.token = func(w http.ResponseWriter, r *http.Request) bool {
		if r.PostForm.Get("code") != "from-the-app" || r.PostForm.Get("redirect_uri") != "https://redirect.example" {
			return false
		}
		p.claims = map[string]any{"sub": user}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"access_token": "access", "refresh_token": "refresh-1",
			"id_token": p.idToken(""), "token_type": "Bearer"})
		p.claims = nil
		return true
	}
	body := `{"id_token":"` + p.idToken("") +
		`","authorization_code":"from-the-app","redirect_uri":"https://redirect.example"}`
	user = "ann"
	resp := s.send(nil, http.MethodPost, "/.auth/login/my", body)
	wantStatus(t, resp, http.StatusOK)
	if me := s.meOf(parseToken(t, bodyOf(t, resp)).AuthenticationToken)[0]; me.AccessToken != "access" ||
		me.RefreshToken != "refresh-1" {
		t.Errorf("the store has %+v", me)
	}
	user = "bob"
	wantStatus(t, s.send(nil, http.MethodPost, "/.auth/login/my", body), http.StatusUnauthorized)
}

// TestApple has the ways of Apple's provider: a signed client secret and an
// answer by form.
func TestApple(t *testing.T) {
	p := newIssuer(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	testEnv["APPLE_KEY"] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	s := siteWith(t, p, func(c *ProviderConfig) {
		c.Type, c.ClientSecret, c.TeamID, c.KeyID, c.PrivateKey = "apple", "", "TEAM", "KEY",
			secret.Reference("text-env:APPLE_KEY")
	})
	c := s.browser()
	resp := s.get(c, "/.auth/login/my?session_mode=token")
	there, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || there.Query().Get("response_mode") != "form_post" ||
		there.Query().Get("scope") != "openid name email" {
		t.Fatalf("sent to %v", there)
	}
	back, err := url.Parse(s.get(c, there.String()).Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	form := back.Query()
	form.Set("user", `{"name":{"firstName":"Ann","lastName":"Example"}}`)
	back.RawQuery = ""
	resp = s.send(c, http.MethodPost, back.String(), form.Encode(), "Content-Type", "application/x-www-form-urlencoded",
		"Origin", "https://appleid.apple.com", "Sec-Fetch-Site", "cross-site")
	encoded, ok := strings.CutPrefix(resp.Header.Get("Location"), "../done#token=")
	if !ok {
		t.Fatalf("%d, sent to %s: %s", resp.StatusCode, resp.Header.Get("Location"), bodyOf(t, resp))
	}
	me := s.meOf(decodeToken(t, encoded).AuthenticationToken)[0]
	if !strings.Contains(claimValues(me.UserClaims, identity.ClaimName), "Ann Example") {
		t.Errorf("claims %v", me.UserClaims)
	}
	claims := jwt.MapClaims{}
	token, err := jwt.ParseWithClaims(p.last.Get("client_secret"), claims,
		func(*jwt.Token) (any, error) { return crypto.PublicKey(&key.PublicKey), nil }, jwt.WithTimeFunc(s.clock))
	if err != nil || token.Header["kid"] != "KEY" || claims["iss"] != "TEAM" || claims["sub"] != "client" ||
		claims["aud"] != "https://appleid.apple.com" {
		t.Errorf("client secret %v, %v", claims, err)
	}
}

func claimValues(claims []identity.Claim, typ string) string {
	var all []string
	for _, c := range claims {
		if c.Type == typ {
			all = append(all, c.Value)
		}
	}
	return strings.Join(all, ",")
}
