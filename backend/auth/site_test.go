package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/internal/secret"
)

// behind answers like a part that is open to everyone, and says who asked.
func behind(w http.ResponseWriter, r *http.Request) {
	p, err := identity.FromContext(r.Context())
	if err != nil {
		WriteRefusal(w, err)
		return
	}
	io.WriteString(w, p.User.ID+" "+r.Header.Get("X-MS-CLIENT-PRINCIPAL-ID"))
}

// ask sends a request through the middleware.
func (s *site) ask(method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://own.example"+path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.Middleware(http.HandlerFunc(behind)).ServeHTTP(w, r)
	return w
}

func TestWhereTheTokenIs(t *testing.T) {
	s := newSite(t, nil)
	ann, bob := s.signIn("ann"), s.signIn("bob")
	cookie, _, _ := strings.Cut(s.get(nil, "/.auth/login/google?login_hint=ann").Header.Get("Set-Cookie"), ";")
	cookie = strings.TrimPrefix(cookie, CookieName+"=")
	for _, headers := range [][]string{{"X-ZUMO-AUTH", ann.AuthenticationToken},
		{"Cookie", CookieName + "=" + cookie}} {
		s.ask("GET", "/", headers...) // both are remembered now
	}
	for name, c := range map[string]struct {
		headers []string
		want    string // the user, "" for nobody, "401"
	}{
		"nothing":       {nil, ""},
		"X-ZUMO-AUTH":   {[]string{"X-ZUMO-AUTH", ann.AuthenticationToken}, ann.User.UserID},
		"bearer in it":  {[]string{"X-ZUMO-AUTH", "bearer " + ann.AuthenticationToken}, ann.User.UserID},
		"Authorization": {[]string{"Authorization", "Bearer " + ann.AuthenticationToken}, ann.User.UserID},
		"BEARER":        {[]string{"Authorization", "BEARER " + ann.AuthenticationToken}, ann.User.UserID},
		"both": {[]string{"Authorization", "Bearer " + ann.AuthenticationToken, "X-ZUMO-AUTH",
			bob.AuthenticationToken}, bob.User.UserID},
		"empty X-ZUMO-AUTH": {[]string{"Authorization", "Bearer " + ann.AuthenticationToken, "X-ZUMO-AUTH", ""},
			ann.User.UserID},
		"broken X-ZUMO-AUTH": {[]string{"Authorization", "Bearer " + ann.AuthenticationToken, "X-ZUMO-AUTH", "x"},
			"401"},
		"Basic": {[]string{"Authorization", "Basic eDp5"}, "401"},
		"changed": {[]string{"X-ZUMO-AUTH",
			ann.AuthenticationToken[:len(ann.AuthenticationToken)-2] + "AA"}, "401"},
		"a stranger's cookie": {[]string{"Cookie", CookieName + "=abc"}, ""},
		"a token as cookie":   {[]string{"Cookie", CookieName + "=" + ann.AuthenticationToken}, ""},
		"a cookie as token":   {[]string{"X-ZUMO-AUTH", cookie}, "401"},
		"the cookie":          {[]string{"Cookie", CookieName + "=" + cookie}, ann.User.UserID},
		"forged principal":    {[]string{"X-MS-CLIENT-PRINCIPAL-ID", "sid:x"}, ""},
	} {
		w := s.ask("GET", "/tables/x", c.headers...)
		got := strings.TrimSpace(w.Body.String())
		if w.Code == http.StatusUnauthorized {
			got = "401"
			var body map[string]string
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body["name"] != "JsonWebTokenError" ||
				w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s: refused with %s", name, w.Body)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestOwnersOwnLogin covers tokens that the owner's code signs with the key.
func TestOwnersOwnLogin(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Issuer, c.Audience = "urn:any", "urn:thing" })
	claims := jwt.MapClaims{"sub": "their-user-7", "iss": "urn:any", "aud": "urn:thing", "ver": "3",
		"email": "ann@example.org", "roles": []string{"boss"}}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(hexKey(t))
	if err != nil {
		t.Fatal(err)
	}
	if w := s.ask("GET", "/", "X-ZUMO-AUTH", token); strings.TrimSpace(w.Body.String()) != "their-user-7" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	me := s.meOf(token)[0]
	if me.UserID != "ann@example.org" || claimValues(me.UserClaims, "roles") != "boss" {
		t.Errorf("me is %+v", me)
	}
	wantStatus(t, s.get(nil, "/.auth/refresh", "X-ZUMO-AUTH", token), http.StatusBadRequest)
	if _, err := s.RevokeUser(context.Background(), "their-user-7"); err != nil {
		t.Fatal(err)
	}
	if w := s.ask("GET", "/", "X-ZUMO-AUTH", token); w.Code != http.StatusOK {
		// The token says nothing of when it was issued: it counts as issued
		// before everything.
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	} else {
		t.Error("a revoked user's token was accepted")
	}
}

func TestCookieFromAnotherSite(t *testing.T) {
	s := newSite(t, nil)
	cookie := strings.Split(s.get(nil, "/.auth/login/google").Header.Get("Set-Cookie"), ";")[0]
	for _, c := range []struct {
		method  string
		headers []string
		want    int
	}{
		{"GET", nil, 200}, {"GET", []string{"Sec-Fetch-Site", "cross-site"}, 200},
		{"POST", nil, 200}, {"POST", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		{"DELETE", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://sub.own.example"}, 403},
		{"PATCH", []string{"Origin", "null"}, 403},
		{"POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://app.example"}, 200},
	} {
		if w := s.ask(c.method, "/tables/x", append(c.headers, "Cookie", cookie)...); w.Code != c.want {
			t.Errorf("%s %v: %d, want %d", c.method, c.headers, w.Code, c.want)
		}
	}
}

func TestWholeSite(t *testing.T) {
	s := newSite(t, nil)
	token := s.signIn("ann").AuthenticationToken
	excluded := []string{"/public", "/open/*", "/Mixed/*"}
	for _, c := range []struct {
		rule, method, path string
		headers            []string
		want               int
		location           string
	}{
		{"allow", "GET", "/x", nil, 200, ""},
		{"401", "GET", "/x", nil, 401, ""},
		{"403", "GET", "/x", nil, 403, ""},
		{"401", "GET", "/x", []string{"X-ZUMO-AUTH", token}, 200, ""},
		{"401", "GET", "/x", []string{"X-ZUMO-AUTH", "broken"}, 401, ""},
		{"401", "OPTIONS", "/x", nil, 200, ""},
		{"401", "GET", "/public", nil, 200, ""},
		{"401", "GET", "/public/", nil, 200, ""},
		{"401", "GET", "/PUBLIC", nil, 200, ""},
		{"401", "GET", "/public/x", nil, 401, ""},
		{"401", "GET", "/open/a/b", nil, 200, ""},
		{"401", "GET", "/open", nil, 200, ""},
		{"401", "GET", "/openx", nil, 401, ""},
		{"401", "GET", "/mixed/a", nil, 200, ""},
		{"401", "GET", "/open/../x", nil, 401, ""},
		{"401", "GET", "/open//../x", nil, 401, ""},
		{"401", "GET", "/open/%2e%2e/x", nil, 401, ""},
		{"401", "GET", "/open/..;/x", nil, 401, ""},
		{"login", "GET", "/page?a=b", []string{"Accept", "text/html"}, 302,
			"/.auth/login/google?post_login_redirect_uri=%2Fpage%3Fa%3Db"},
		{"login", "GET", "//evil.example", []string{"Accept", "text/html"}, 302, "/.auth/login/google"},
		{"login", "GET", "/page", []string{"Accept", "application/json"}, 401, ""},
		{"login", "GET", "/page", []string{"Accept", "text/html", "X-ZUMO-VERSION", "x"}, 401, ""},
		{"login", "GET", "/page", []string{"Accept", "text/html", "X-Requested-With", "XMLHttpRequest"}, 401, ""},
		{"login", "POST", "/page", []string{"Accept", "text/html"}, 302, "/.auth/login/google"},
	} {
		s.open(func(config *Config) { config.Unauthenticated, config.Excluded = c.rule, excluded })
		w := s.ask(c.method, c.path, c.headers...)
		if w.Code != c.want || w.Header().Get("Location") != c.location {
			t.Errorf("%s: %s %s %v: %d %s", c.rule, c.method, c.path, c.headers, w.Code, w.Header().Get("Location"))
		}
	}
}

func TestSessions(t *testing.T) {
	s := newSite(t, nil)
	ann, phone, bob := s.signIn("ann"), s.signIn("ann"), s.signIn("bob")
	list := func(token string) []sessionEntry {
		resp := s.get(nil, "/.auth/sessions", "X-ZUMO-AUTH", token)
		wantStatus(t, resp, http.StatusOK)
		var entries []sessionEntry
		if err := json.NewDecoder(resp.Body).Decode(&entries); err != nil {
			t.Fatal(err)
		}
		return entries
	}
	entries := list(ann.AuthenticationToken)
	if len(entries) != 2 || entries[0].Current == entries[1].Current || entries[0].Provider != "google" {
		t.Fatalf("sessions %+v", entries)
	}
	other := entries[0]
	if other.Current {
		other = entries[1]
	}
	wantStatus(t, s.send(nil, "DELETE", "/.auth/sessions/"+other.ID, "", "X-ZUMO-AUTH", bob.AuthenticationToken),
		http.StatusNotFound)
	wantStatus(t, s.send(nil, "DELETE", "/.auth/sessions/"+other.ID, "", "X-ZUMO-AUTH", ann.AuthenticationToken),
		http.StatusNoContent)
	wantStatus(t, s.get(nil, "/.auth/me", "X-ZUMO-AUTH", phone.AuthenticationToken), http.StatusUnauthorized)
	s.meOf(ann.AuthenticationToken)
	third := s.signIn("ann")
	s.wait(time.Second)
	wantStatus(t, s.send(nil, "DELETE", "/.auth/sessions", "", "Authorization", "Bearer "+ann.AuthenticationToken),
		http.StatusNoContent)
	for _, token := range []string{ann.AuthenticationToken, third.AuthenticationToken} {
		wantStatus(t, s.get(nil, "/.auth/me", "X-ZUMO-AUTH", token), http.StatusUnauthorized)
		wantStatus(t, s.get(nil, "/.auth/refresh", "X-ZUMO-AUTH", token), http.StatusUnauthorized)
	}
	s.meOf(bob.AuthenticationToken)
	s.wait(time.Millisecond)
	if again := s.signIn("ann"); again.User != ann.User || len(list(again.AuthenticationToken)) != 1 {
		t.Error("a new sign-in after signing out everywhere does not work")
	}
}

// TestRevocationReachesOtherProcesses opens a second server over the store.
func TestRevocationReachesOtherProcesses(t *testing.T) {
	s := newSite(t, nil)
	ann := s.signIn("ann")
	public, _ := url.Parse(s.web.URL)
	second, err := New(t.Context(), Options{Config: Config{SigningKey: "env:KEY"}, URL: public, Loopback: true,
		Store: s.store, Secrets: testSecrets(), Now: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-ZUMO-AUTH", ann.AuthenticationToken)
	if p, err := second.Authenticate(r); err != nil || p.User.ID != ann.User.UserID {
		t.Fatalf("%v, %v", p, err)
	}
	wantStatus(t, s.get(nil, "/.auth/logout", "X-ZUMO-AUTH", ann.AuthenticationToken), http.StatusFound)
	if err := second.loadRevocations(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, err := second.Authenticate(r); err == nil {
		t.Errorf("the other process still knows %v", p.User)
	}
}

func TestStoreDoesNotAnswer(t *testing.T) {
	s := newSite(t, nil)
	token := s.signIn("ann").AuthenticationToken
	s.store.fail = errors.New("disk on fire")
	for path, want := range map[string]int{"/.auth/me": 503, "/.auth/refresh": 503, "/.auth/sessions": 503} {
		resp := s.get(nil, path, "X-ZUMO-AUTH", token)
		if body := bodyOf(t, resp); resp.StatusCode != want || strings.Contains(body, "fire") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	if got := s.get(nil, "/.auth/login/google?session_mode=token").Header.Get("Location"); !strings.HasPrefix(got,
		"done#error=") {
		t.Errorf("sent to %s", got)
	}
	if w := s.ask("GET", "/", "X-ZUMO-AUTH", token); w.Code != http.StatusServiceUnavailable {
		t.Errorf("middleware: %d", w.Code)
	}
	if w := s.ask("GET", "/"); w.Code != http.StatusOK {
		t.Errorf("an anonymous request needs no store: %d", w.Code)
	}
}

func TestAsymmetricTokens(t *testing.T) {
	change := func(c *Config) { c.Algorithm, c.KeyRotation = "ES256", 24*time.Hour }
	s := newSite(t, change)
	before := s.signIn("ann")
	keys := func() (ids []string) {
		resp := s.get(nil, "/.well-known/jwks.json")
		wantStatus(t, resp, http.StatusOK)
		var set struct{ Keys []struct{ Kid, Alg string } }
		if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
			t.Fatal(err)
		}
		for _, k := range set.Keys {
			ids = append(ids, k.Kid)
		}
		return ids
	}
	header := func(token string) string {
		text, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
		return string(text)
	}
	first := keys()
	if len(first) != 1 || !strings.Contains(header(before.AuthenticationToken), `"alg":"ES256"`) ||
		!strings.Contains(header(before.AuthenticationToken), first[0]) {
		t.Fatalf("keys %v, header %s", first, header(before.AuthenticationToken))
	}
	s.wait(23*time.Hour + 55*time.Minute)
	if err := s.rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if second := keys(); len(second) != 2 || !strings.Contains(header(s.signIn("ann").AuthenticationToken), first[0]) {
		t.Errorf("the next key is not published ahead: %v", second)
	}
	s.wait(keyLead)
	s.open(change) // a restart, over the same store
	second := keys()
	after := s.signIn("ann")
	if len(second) != 2 || !strings.Contains(header(after.AuthenticationToken), second[1]) ||
		after.User != before.User {
		t.Errorf("the new key does not sign: %v, %s", second, header(after.AuthenticationToken))
	}
	wantStatus(t, s.get(nil, "/.auth/refresh", "X-ZUMO-AUTH", before.AuthenticationToken), http.StatusOK)
	s.open(func(c *Config) { change(c); c.SigningKey = "env:OTHER" })
	if again := s.signIn("ann"); again.User != before.User {
		t.Error("a new root key orphaned a user")
	}
}

func TestWarningsAndErrorsAtStart(t *testing.T) {
	start := func(key secret.Reference) ([]string, error) {
		public, _ := url.Parse("https://localhost:1")
		s, err := New(t.Context(), Options{Config: Config{SigningKey: key}, URL: public, Loopback: true,
			Store: newMemoryStore(), Secrets: testSecrets()})
		if err != nil {
			return nil, err
		}
		return s.Warnings(), nil
	}
	if warnings, err := start("env:KEY"); err != nil || len(warnings) != 0 {
		t.Errorf("a good key: %v, %v", warnings, err)
	}
	if warnings, err := start("text-env:SHORT"); err != nil || len(warnings) != 1 ||
		strings.Contains(warnings[0], "tooshort") {
		t.Errorf("a short text: %v, %v", warnings, err)
	}
	if warnings, err := start(""); err != nil || len(warnings) != 1 {
		t.Errorf("no key: %v, %v", warnings, err)
	}
	for _, key := range []secret.Reference{"env:SHORTHEX", "env:SHORT", "env:UNSET", "tooshort"} {
		if _, err := start(key); err == nil || strings.Contains(err.Error(), "tooshort") ||
			strings.Contains(err.Error(), "aabb") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// FuzzCookie looks for a cookie that is accepted although it was not given out.
func FuzzCookie(f *testing.F) {
	s := newSite(f, nil)
	good, _, _ := strings.Cut(s.get(nil, "/.auth/login/google").Header.Get("Set-Cookie"), ";")
	good = strings.TrimPrefix(good, CookieName+"=")
	f.Add("")
	f.Add(good[:40] + "AAAA" + good[44:])
	f.Add(good[:len(good)/2])
	f.Fuzz(func(t *testing.T, value string) {
		if p, err := s.verifyCookie(value, 0); err == nil {
			t.Errorf("%q was accepted as %s", value, p.user)
		}
		r := httptest.NewRequest("GET", "/.auth/login/google/callback?state=x", nil)
		r.AddCookie(&http.Cookie{Name: flowName("x"), Value: value})
		if f, _, err := s.resume(r, "google", "x"); err == nil {
			t.Errorf("%q was taken for a sign-in: %v", value, f)
		}
	})
}

// FuzzForm posts anything to every endpoint that reads a body: no panic, no 500,
// no session.
func FuzzForm(f *testing.F) {
	s := newSite(f, func(c *Config) { c.Providers["google"] = ProviderConfig{Type: "development", Picker: true} })
	f.Add("application/x-www-form-urlencoded", "state=a&user=b&code=%zz")
	f.Add("application/json", `{"access_token":`)
	f.Add("multipart/form-data; boundary=x", "--x\r\n")
	f.Add("", "\xff")
	f.Fuzz(func(t *testing.T, kind, body string) {
		for _, path := range []string{"/.auth/login/google/callback", "/.auth/login",
			"/.auth/login/google?" + url.QueryEscape(body), "/.auth/refresh", "/.auth/logout"} {
			r := httptest.NewRequest("POST", path, strings.NewReader(body))
			r.Header.Set("Content-Type", kind)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
	})
}

// FuzzLoginQuery begins sign-ins with any query: whatever is handed over goes to
// a place that is listed.
func FuzzLoginQuery(f *testing.F) {
	s := newSite(f, nil)
	f.Add("session_mode=token&post_login_redirect_url=https://app.example/x")
	f.Add("completion_type=postMessage&completion_origin=https://app.example&post_login_redirect_uri=//evil")
	f.Add("post_login_redirect_uri=/a%0d%0ab")
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/.auth/login/google", nil)
		r.Host = "localhost"
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		location := w.Header().Get("Location")
		if location == "" {
			return
		}
		base, fragment, _ := strings.Cut(location, "#")
		_, err := s.places.accept(base)
		if base != "done" && err != nil || strings.ContainsAny(location, "\r\n") || strings.Contains(base, "token=") &&
			strings.Contains(base, "eyJ") || len(fragment) > 0 && !strings.Contains(fragment, "=") {
			t.Errorf("%q was sent to %q", query, location)
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	s := newSite(b, nil)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-ZUMO-AUTH", s.signIn("ann").AuthenticationToken)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Authenticate(r); err != nil {
			b.Fatal(err)
		}
	}
}
