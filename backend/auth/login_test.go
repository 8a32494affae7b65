package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/internal/secret"
)

func TestLoginByFragment(t *testing.T) {
	s := newSite(t, nil)
	result := s.signIn("")
	if again := s.signIn("ann@example.org"); again.User != result.User {
		t.Errorf("the same user has two ids: %v, %v", result.User, again.User)
	}
	if bob := s.signIn("bob@example.org"); bob.User == result.User {
		t.Error("two users have the same id")
	}
	claims := jwt.MapClaims{}
	if _, err := jwt.ParseWithClaims(result.AuthenticationToken, claims,
		func(*jwt.Token) (any, error) { return hexKey(t), nil }); err != nil {
		t.Fatal(err)
	}
	site := s.web.URL + "/"
	for name, want := range map[string]any{"sub": result.User.UserID, "stable_sid": result.User.UserID, "idp": "google",
		"ver": "3", "iss": site, "aud": site} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	want := []tokenEntry{{ProviderName: "google", UserID: "ann@example.org", UserClaims: []identity.Claim{
		{Type: identity.ClaimNameID, Value: "ann@example.org"}, {Type: identity.ClaimName, Value: "ann@example.org"},
		{Type: identity.ClaimMail, Value: "ann@example.org"}}}}
	if diff := cmp.Diff(want, s.meOf(result.AuthenticationToken)); diff != "" {
		t.Error(diff)
	}
}

func hexKey(t testing.TB) []byte {
	key, err := identity.ParseHexKey(testHexKey)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSigningKeyMayChange(t *testing.T) {
	s := newSite(t, nil)
	before := s.signIn("ann")
	s.open(func(c *Config) { c.SigningKey = "env:OTHER" })
	if after := s.signIn("ann"); after.User != before.User {
		t.Errorf("a new signing key orphaned %v, who is now %v", before.User, after.User)
	}
	wantStatus(t, s.get(nil, "/.auth/me", "X-ZUMO-AUTH", before.AuthenticationToken), http.StatusUnauthorized)
	s.open(func(c *Config) { c.SigningKey, c.PreviousKeys = "env:OTHER", []secret.Reference{"env:KEY"} })
	if me := s.meOf(before.AuthenticationToken); len(me) != 1 || me[0].UserID != "ann" {
		t.Errorf("with the previous key: %v", me)
	}
}

func TestLoginByCookie(t *testing.T) {
	s := newSite(t, nil)
	c := s.browser()
	resp := s.get(c, "/.auth/login/google?post_login_redirect_uri=%2Fhome%3Fa%3D1")
	wantStatus(t, resp, http.StatusFound)
	if got := resp.Header.Get("Location"); got != "/home?a=1" {
		t.Errorf("sent to %s", got)
	}
	cookie := resp.Header.Get("Set-Cookie")
	for _, want := range []string{"AppServiceAuthSession=", "HttpOnly", "Secure", "Path=/;", "SameSite=Lax"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %s lacks %s", cookie, want)
		}
	}
	wantStatus(t, s.get(c, "/.auth/me"), http.StatusOK)
	resp = s.get(c, "/.auth/login/google")
	if got := resp.Header.Get("Location"); got != "/.auth/login/done" {
		t.Errorf("by default sent to %s", got)
	}
	resp = s.get(c, "/.auth/logout?post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye")
	if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusFound || got != "https://app.example/bye" {
		t.Errorf("after sign-out: %d, %s", resp.StatusCode, got)
	}
	wantStatus(t, s.get(c, "/.auth/me"), http.StatusUnauthorized)
	wantStatus(t, s.get(nil, "/.auth/me", "Cookie", strings.Split(cookie, ";")[0]), http.StatusOK) // another sign-in's
}

func TestLogoutRevokesTheSession(t *testing.T) {
	s := newSite(t, nil)
	result, other := s.signIn("ann"), s.signIn("ann")
	resp := s.get(nil, "/.auth/logout", "X-ZUMO-AUTH", result.AuthenticationToken)
	if got := resp.Header.Get("Location"); got != "/.auth/logout/done" {
		t.Errorf("sent to %s", got)
	}
	resp = s.get(nil, "/.auth/me", "X-ZUMO-AUTH", result.AuthenticationToken)
	wantStatus(t, resp, http.StatusUnauthorized)
	if body := bodyOf(t, resp); body != `{"name":"JsonWebTokenError","message":"session revoked"}` {
		t.Error(body)
	}
	wantStatus(t, s.get(nil, "/.auth/refresh", "X-ZUMO-AUTH", result.AuthenticationToken), http.StatusUnauthorized)
	s.meOf(other.AuthenticationToken)
	for id, session := range s.store.sessions {
		if !session.Revoked.IsZero() && session.Sealed != nil {
			t.Errorf("session %s kept its tokens", id)
		}
	}
	wantStatus(t, s.get(nil, "/.auth/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.example"),
		http.StatusBadRequest)
	wantStatus(t, s.get(nil, "/.auth/logout/done"), http.StatusOK)
}

// TestLogoutEndsAllThatIsShown: a request with a token beside the cookie of another
// sign-in, and with two cookies, ends all of these sessions.
func TestLogoutEndsAllThatIsShown(t *testing.T) {
	s := newSite(t, nil)
	token := s.signIn("ann").AuthenticationToken
	var cookies []string
	for range 2 {
		resp := s.get(s.browser(), "/.auth/login/google?post_login_redirect_uri=%2Fhome")
		cookie, _, _ := strings.Cut(resp.Header.Get("Set-Cookie"), ";")
		wantStatus(t, s.get(nil, "/.auth/me", "Cookie", cookie), http.StatusOK)
		cookies = append(cookies, cookie)
	}
	wantStatus(t, s.get(nil, "/.auth/logout", "X-ZUMO-AUTH", token, "Cookie", strings.Join(cookies, "; ")),
		http.StatusFound)
	wantStatus(t, s.get(nil, "/.auth/me", "X-ZUMO-AUTH", token), http.StatusUnauthorized)
	for _, cookie := range cookies {
		wantStatus(t, s.get(nil, "/.auth/me", "Cookie", cookie), http.StatusUnauthorized)
	}
}

func TestPopup(t *testing.T) {
	s := newSite(t, nil)
	c := s.browser()
	resp := s.get(c, "/.auth/login/google?session_mode=token&completion_type=postMessage&"+
		"completion_origin=https%3A%2F%2Fapp.example")
	wantStatus(t, resp, http.StatusFound)
	if got := resp.Header.Get("Location"); !strings.HasPrefix(got, "done#token=") {
		t.Errorf("sent to %s", got)
	}
	resp = s.get(c, "/.auth/login/done")
	if body := bodyOf(t, resp); !strings.Contains(body, `var origin = "https://app.example"`) {
		t.Errorf("the page does not know the origin: %s", body)
	}
	if policy := resp.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") ||
		strings.Contains(policy, "unsafe") {
		t.Errorf("policy %s", policy)
	}
	s.wait(3 * time.Minute)
	if body := bodyOf(t, s.get(c, "/.auth/login/done")); !strings.Contains(body, `var origin = ""`) {
		t.Errorf("the origin outlived its time: %s", body)
	}
	for _, origin := range []string{"https://evil.example", "https://app.example.evil", "https://app.example:444",
		"http://app.example", "null", "", "*", "https://app.example/x", "https://user@app.example",
		"javascript:alert(1)"} {
		resp := s.get(nil, "/.auth/login/google?session_mode=token&completion_type=postMessage&completion_origin="+
			url.QueryEscape(origin))
		if body := bodyOf(t, resp); resp.StatusCode != http.StatusBadRequest || strings.Contains(body, "token=") ||
			resp.Header.Get("Location") != "" {
			t.Errorf("origin %q: %d %s", origin, resp.StatusCode, body)
		}
	}
}

// sdkVerifier makes a verifier and challenge as the SDKs do (GetSha256Hash).
func sdkVerifier() (verifier, challenge string) {
	var b [32]byte
	rand.Read(b[:])
	verifier = base64.StdEncoding.EncodeToString(b[:])
	sum := sha256.Sum256([]byte(verifier))
	return verifier, base64.StdEncoding.EncodeToString(sum[:])
}

// codeOf begins a native app's sign-in and returns its code.
func (s *site) codeOf(challenge string) string {
	s.t.Helper()
	resp := s.get(nil, "/.auth/login/google?post_login_redirect_url=todoapp%3A%2F%2Feasyauth.callback&code_challenge="+
		challenge+"&code_challenge_method=S256")
	wantStatus(s.t, resp, http.StatusFound)
	code, ok := strings.CutPrefix(resp.Header.Get("Location"), "todoapp://easyauth.callback#authorization_code=")
	if !ok {
		s.t.Fatalf("sent to %s", resp.Header.Get("Location"))
	}
	return code
}

func TestNativeApp(t *testing.T) {
	s := newSite(t, nil)
	for i := range 40 { // all the characters of base64 come up
		verifier, challenge := sdkVerifier()
		encoded := url.QueryEscape(challenge)
		switch i % 3 {
		case 1:
			encoded = strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(challenge)
		case 2:
			encoded = strings.ReplaceAll(challenge, "=", "%3D") // a bare plus
		}
		exchange := "/.auth/login/google/token?authorization_code=" + s.codeOf(encoded) + "&code_verifier=" +
			url.QueryEscape(verifier)
		resp := s.get(nil, exchange)
		wantStatus(t, resp, http.StatusOK)
		s.meOf(parseToken(t, bodyOf(t, resp)).AuthenticationToken)
		resp = s.get(nil, exchange)
		if body := bodyOf(t, resp); resp.StatusCode != http.StatusBadRequest || body != "" {
			t.Fatalf("a code was used twice: %d %s", resp.StatusCode, body)
		}
	}
}

func TestNativeAppRefusals(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Providers["aad"] = ProviderConfig{Type: "development"} })
	verifier, challenge := sdkVerifier()
	good := url.QueryEscape(challenge)
	exchange := func(provider, code, verifier string) int {
		return s.get(nil, "/.auth/login/"+provider+"/token?authorization_code="+code+"&code_verifier="+
			url.QueryEscape(verifier)).StatusCode
	}
	code := s.codeOf(good)
	if got := exchange("google", code, "wrong"); got != http.StatusBadRequest {
		t.Errorf("a wrong verifier: %d", got)
	}
	if got := exchange("google", code, verifier); got != http.StatusBadRequest {
		t.Errorf("a code survived a wrong verifier: %d", got)
	}
	if got := exchange("aad", s.codeOf(good), verifier); got != http.StatusBadRequest {
		t.Errorf("another provider's code: %d", got)
	}
	late := s.codeOf(good)
	s.wait(6 * time.Minute)
	if got := exchange("google", late, verifier); got != http.StatusBadRequest {
		t.Errorf("a late code: %d", got)
	}
	for name, query := range map[string]string{
		"no challenge": "post_login_redirect_url=todoapp://easyauth.callback&session_mode=token",
		"plain": "post_login_redirect_url=todoapp://easyauth.callback&code_challenge=" + good +
			"&code_challenge_method=plain",
		"no method": "post_login_redirect_url=todoapp://easyauth.callback&code_challenge=" + good,
		"short challenge": "post_login_redirect_url=todoapp://easyauth.callback&code_challenge=AAAA&" +
			"code_challenge_method=S256",
		"foreign scheme": "post_login_redirect_url=evil://easyauth.callback&code_challenge=" + good +
			"&code_challenge_method=S256",
		"another host": "post_login_redirect_url=todoapp://other&code_challenge=" + good +
			"&code_challenge_method=S256",
		"nowhere to return": "code_challenge=" + good + "&code_challenge_method=S256",
		"cookie, native":    "post_login_redirect_url=todoapp://easyauth.callback",
		"foreign site":      "post_login_redirect_url=https://evil.example/",
		"unknown mode":      "session_mode=tokens",
		"old frame":         "completion_type=iframe&completion_origin=https://app.example",
	} {
		resp := s.get(nil, "/.auth/login/google?"+query)
		if resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" {
			t.Errorf("%s: %d, sent to %s", name, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
	wantStatus(t, s.get(nil, "/.auth/login/nobody"), http.StatusNotFound)
}

func TestTokenToAnAllowedPage(t *testing.T) {
	s := newSite(t, nil)
	resp := s.get(nil, "/.auth/login/google?session_mode=token&post_login_redirect_url="+
		url.QueryEscape("https://other.example/in"))
	encoded, ok := strings.CutPrefix(resp.Header.Get("Location"), "https://other.example/in#token=")
	if !ok {
		t.Fatalf("sent to %s", resp.Header.Get("Location"))
	}
	decodeToken(t, encoded)
}

func TestPicker(t *testing.T) {
	s := newSite(t, func(c *Config) {
		c.Providers["google"] = ProviderConfig{Type: "development", Picker: true, Users: []string{`<b>&"x`}}
	})
	c := s.browser()
	resp := s.get(c, "/.auth/login/google?session_mode=token")
	body := bodyOf(t, resp)
	if !strings.Contains(body, "&lt;b&gt;&amp;&#34;x") || strings.Contains(body, "<b>") {
		t.Errorf("the page shows %s", body)
	}
	_, rest, _ := strings.Cut(body, `name="state" value="`)
	state, _, _ := strings.Cut(rest, `"`)
	form := url.Values{"state": {state}, "user": {"zoë@example.org"}}.Encode()
	post := func(c *http.Client, form string) *http.Response {
		return s.send(c, http.MethodPost, "/.auth/login/google/callback", form, "Content-Type",
			"application/x-www-form-urlencoded")
	}
	wantStatus(t, post(s.browser(), form), http.StatusBadRequest) // another browser
	resp = post(c, form)
	wantStatus(t, resp, http.StatusFound)
	encoded, ok := strings.CutPrefix(resp.Header.Get("Location"), "../done#token=")
	if !ok {
		t.Fatalf("sent to %s", resp.Header.Get("Location"))
	}
	if me := s.meOf(decodeToken(t, encoded).AuthenticationToken); me[0].UserID != "zoë@example.org" {
		t.Errorf("signed in as %s", me[0].UserID)
	}
	wantStatus(t, post(c, form), http.StatusBadRequest) // used
}

func TestLateReturnBeginsAnew(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Providers["google"] = ProviderConfig{Type: "development", Picker: true} })
	c := s.browser()
	_, rest, _ := strings.Cut(bodyOf(t, s.get(c, "/.auth/login/google?session_mode=token&x=y")), `name="state" value="`)
	state, _, _ := strings.Cut(rest, `"`)
	s.wait(6 * time.Minute)
	resp := s.get(c, "/.auth/login/google/callback?user=ann&state="+state)
	if got := resp.Header.Get("Location"); got != "/.auth/login/google?session_mode=token&x=y" {
		t.Errorf("sent to %s", got)
	}
}

func TestProviderRefusal(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Providers["google"] = ProviderConfig{Type: "development", Picker: true} })
	for query, want := range map[string]string{
		"session_mode=token": "../done#error=The%20user%20said%20no",
		"session_mode=token&completion_type=postMessage" +
			"&completion_origin=https://app.example": "../done#error=The%20user%20said%20no",
		"": "",
	} {
		c := s.browser()
		_, rest, _ := strings.Cut(bodyOf(t, s.get(c, "/.auth/login/google?"+query)), `name="state" value="`)
		state, _, _ := strings.Cut(rest, `"`)
		resp := s.get(c, "/.auth/login/google/callback?error=access_denied&error_description=The+user+said+no&state="+
			state)
		if got := resp.Header.Get("Location"); got != want {
			t.Errorf("%s: sent to %s", query, got)
		}
	}
}

func TestRebindingDoesNotReachTheDevelopmentProvider(t *testing.T) {
	s := newSite(t, nil)
	ask := func(host string) int {
		r, err := http.NewRequest(http.MethodGet, s.web.URL+"/.auth/login/google?session_mode=token", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		resp, err := s.browser().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	for host, want := range map[string]int{"evil.example": 403, "localhost.evil.example": 403, "192.0.2.1": 403,
		"localhost:1": 302, "127.9.9.9": 302, "[::1]:8443": 302, "app.localhost": 302, "app.example": 302} {
		if got := ask(host); got != want {
			t.Errorf("Host %s: %d, want %d", host, got, want)
		}
	}
}

func TestDevelopmentProviderNeedsLoopback(t *testing.T) {
	config := Config{SigningKey: "env:KEY", Providers: map[string]ProviderConfig{"google": {Type: "development"}}}
	public := &url.URL{Scheme: "https", Host: "app.example"}
	for _, c := range []struct {
		url      *url.URL
		loopback bool
	}{{public, true}, {&url.URL{Scheme: "https", Host: "localhost"}, false}} {
		_, err := New(t.Context(),
			Options{Config: config, URL: c.url, Loopback: c.loopback, Store: newMemoryStore(), Secrets: testSecrets()})
		if err == nil || !strings.Contains(err.Error(), "needs server.listen and server.url on loopback") {
			t.Errorf("%v, loopback %v: %v", c.url, c.loopback, err)
		}
	}
}

func TestClientFlow(t *testing.T) {
	s := newSite(t, nil)
	post := func(path, body string, headers ...string) *http.Response {
		return s.send(nil, http.MethodPost, path, body,
			append([]string{"Content-Type", "application/json"}, headers...)...)
	}
	resp := post("/.auth/login/google?extra=1", `{"access_token":"ann"}`, "X-ZUMO-AUTH", "broken")
	wantStatus(t, resp, http.StatusOK)
	result := parseToken(t, bodyOf(t, resp))
	resp = post("/.auth/login", `{"authenticationToken":"`+result.AuthenticationToken+`"}`)
	wantStatus(t, resp, http.StatusOK)
	if again := parseToken(t, bodyOf(t, resp)); again != result {
		t.Errorf("a token came back as another user's: %v", again.User)
	}
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{"/.auth/login/google", ``, 400}, {"/.auth/login/google", `[]`, 400}, {"/.auth/login/google", `{`, 400},
		{"/.auth/login/google", `{}`, 400}, {"/.auth/login/google", `"x"`, 400},
		{"/.auth/login/google", `{"access_token":7}`, 400},
		{"/.auth/login/google", `{"access_token":"` + strings.Repeat("x", maxForm) + `"}`, 413},
		{"/.auth/login/nobody", `{"access_token":"x"}`, 404}, {"/.auth/login", `{}`, 400},
		{"/.auth/login", `{"authenticationToken":"a.b.c"}`, 401},
	} {
		resp := post(c.path, c.body)
		if resp.StatusCode != c.want {
			t.Errorf("%s %.40s: %d, want %d", c.path, c.body, resp.StatusCode, c.want)
		}
		var answer map[string]string
		if err := json.Unmarshal([]byte(bodyOf(t, resp)), &answer); err != nil ||
			answer["error"]+answer["message"] == "" {
			t.Errorf("%s %.40s: clients find no text in %v", c.path, c.body, answer)
		}
	}
	resp = s.send(nil, http.MethodPost, "/.auth/login/google", "access_token=ann", "Content-Type",
		"application/x-www-form-urlencoded")
	wantStatus(t, resp, http.StatusUnsupportedMediaType)
}

func TestRateLimit(t *testing.T) {
	s := newSite(t, func(c *Config) { c.RateLimit = 3 })
	for _, path := range []string{"/.auth/login/google", "/.auth/login/google/token", "/.auth/refresh"} {
		for i := range 4 {
			resp := s.get(nil, path)
			if limited := resp.StatusCode == http.StatusTooManyRequests; limited != (i == 3) {
				t.Errorf("%s: request %d: %d", path, i, resp.StatusCode)
			}
			if i == 3 && resp.Header.Get("Retry-After") != "20" {
				t.Errorf("%s: Retry-After %s", path, resp.Header.Get("Retry-After"))
			}
		}
	}
	s.wait(20 * time.Second)
	wantStatus(t, s.get(nil, "/.auth/login/google"), http.StatusFound)
	wantStatus(t, s.get(nil, "/.auth/login/google"), http.StatusTooManyRequests)
}

func TestOtherNames(t *testing.T) {
	s := newSite(t, func(c *Config) {
		c.Providers = map[string]ProviderConfig{"aad": {Type: "development"}, "twitter": {Type: "development"}}
	})
	for path, want := range map[string]string{"WindowsAzureActiveDirectory": "aad", "x": "twitter", "AAD": "aad"} {
		resp := s.get(nil, "/.auth/login/"+path+"?session_mode=token")
		encoded, _ := strings.CutPrefix(resp.Header.Get("Location"), "done#token=")
		if me := s.meOf(decodeToken(t, encoded).AuthenticationToken); me[0].ProviderName != want {
			t.Errorf("%s signed in at %s", path, me[0].ProviderName)
		}
	}
}

func TestCustomPath(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Path = "/signin" })
	resp := s.get(nil, "/SignIn/Login/GOOGLE/?session_mode=token")
	if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusFound ||
		!strings.HasPrefix(got, "done#token=") {
		t.Errorf("%d, sent to %s", resp.StatusCode, got)
	}
	wantStatus(t, s.get(nil, "/.auth/me"), http.StatusNotFound)
}
