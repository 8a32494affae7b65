package auth

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRefresh(t *testing.T) {
	p := newIssuer(t)
	s := siteWith(t, p, nil)
	encoded, _ := strings.CutPrefix(s.loginAt(s.browser(), "session_mode=token").Header.Get("Location"),
		"../done#token=")
	before := decodeToken(t, encoded)
	refresh := func(token string) *http.Response { return s.get(nil, "/.auth/refresh", "X-ZUMO-AUTH", token) }
	old := s.meOf(before.AuthenticationToken)[0]
	p.claims = map[string]any{"nonce": nil, "email": "new@example.org"}
	s.wait(8*time.Hour + time.Minute) // ours has expired
	wantStatus(t, s.get(nil, "/.auth/me", "X-ZUMO-AUTH", before.AuthenticationToken), http.StatusUnauthorized)
	resp := refresh(before.AuthenticationToken)
	// The issuer's clock is the real one; the site's is ahead, so its ID tokens
	// have expired there: a refresh without one must do.
	if resp.StatusCode != http.StatusForbidden {
		t.Fatalf("an expired ID token was accepted: %d", resp.StatusCode)
	}
	p.claims = map[string]any{"nonce": nil, "email": "new@example.org", "exp": s.clock().Add(time.Hour).Unix()}
	resp = refresh(before.AuthenticationToken)
	wantStatus(t, resp, http.StatusOK)
	after := parseToken(t, bodyOf(t, resp))
	if after.User != before.User || after.AuthenticationToken == before.AuthenticationToken {
		t.Errorf("refreshed as %v", after.User)
	}
	me := s.meOf(after.AuthenticationToken)[0]
	if me.AccessToken == old.AccessToken || me.RefreshToken == old.RefreshToken || me.UserID != "new@example.org" {
		t.Errorf("the provider's tokens were not renewed: %+v", me)
	}
	p.claims = map[string]any{"sub": "bob", "exp": s.clock().Add(time.Hour).Unix()}
	wantStatus(t, refresh(after.AuthenticationToken), http.StatusForbidden) // another user
	p.claims, p.refused = nil, true
	wantStatus(t, refresh(after.AuthenticationToken), http.StatusForbidden)
	p.Close()
	wantStatus(t, refresh(after.AuthenticationToken), http.StatusBadGateway)
	s.wait(8*time.Hour + 72*time.Hour)
	wantStatus(t, refresh(after.AuthenticationToken), http.StatusUnauthorized) // beyond the grace
	wantStatus(t, refresh("a.b.c"), http.StatusUnauthorized)
	wantStatus(t, s.get(nil, "/.auth/refresh"), http.StatusUnauthorized)
}

// TestRefreshTogether refreshes one session many times at once, in two
// processes: everybody gets a token, and the provider's refresh tokens, which it
// takes once, are not played against each other.
func TestRefreshTogether(t *testing.T) {
	p := newIssuer(t)
	s := siteWith(t, p, nil)
	encoded, _ := strings.CutPrefix(s.loginAt(s.browser(), "session_mode=token").Header.Get("Location"),
		"../done#token=")
	before := decodeToken(t, encoded)
	used := map[string]bool{}
	p.token = func(w http.ResponseWriter, r *http.Request) bool {
		token := r.PostForm.Get("refresh_token")
		if used[token] { // the lock of the issuer is held
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			w.Write([]byte(`{"error":"invalid_grant"}`))
			return true
		}
		used[token] = true
		return false
	}
	p.claims = map[string]any{"nonce": nil}
	public, err := url.Parse(s.web.URL)
	if err != nil {
		t.Fatal(err)
	}
	second, err := New(t.Context(), Options{Config: s.Server.config, URL: public, Loopback: true, Store: s.store,
		Secrets: testSecrets(), Client: s.web.Client(), Now: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 20 {
		server := []*Server{s.Server, second}[i%2]
		all.Go(func() {
			r := httptest.NewRequest("GET", "/.auth/refresh", nil)
			r.Header.Set("X-ZUMO-AUTH", before.AuthenticationToken)
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	all.Wait()
	if me := s.meOf(before.AuthenticationToken)[0]; used[me.RefreshToken] {
		t.Error("the store kept a refresh token that was used")
	}
}
