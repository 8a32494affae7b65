package auth

import (
	"net/http"
	"testing"
	"time"
)

// merge makes ann bob, as a store does.
func (s *site) merge(from, to string) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	u := s.store.users[from]
	u.Merged = to
	s.store.users[from] = u
	for id, session := range s.store.sessions {
		if session.User == from {
			session.User = to
			s.store.sessions[id] = session
		}
	}
}

// TestMergedUsers has whoever signs in, or is signed in, as one id be the other since
// both were merged, and nobody else.
func TestMergedUsers(t *testing.T) {
	p := newIssuer(t)
	s := bearerSite(t, p, nil)
	trade := func() loginResult {
		t.Helper()
		resp := s.send(nil, http.MethodPost, "/.auth/login/my", `{"id_token":"`+p.idToken("")+`"}`)
		wantStatus(t, resp, http.StatusOK)
		return parseToken(t, bodyOf(t, resp))
	}
	ann := trade()
	resp := s.loginAt(s.browser(), "session_mode=token")
	refreshable := decodeToken(t, resp.Header.Get("Location")[len("../done#token="):])
	p.claims = map[string]any{"sub": "bob"}
	bob := trade()
	p.claims = nil
	s.merge(ann.User.UserID, bob.User.UserID)

	who := func(header, value string) string {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, s.web.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(header, value)
		principal, err := s.Authenticate(r)
		if err != nil {
			return err.Error()
		}
		return principal.User.ID
	}
	for name, got := range map[string]string{"a token of before": who("X-ZUMO-AUTH", ann.AuthenticationToken),
		"the provider's": who("Authorization", "Bearer "+p.idToken("")), "a new sign-in": trade().User.UserID} {
		if got != bob.User.UserID {
			t.Errorf("%s is of %s, not of %s", name, got, bob.User.UserID)
		}
	}
	resp = s.get(nil, "/.auth/refresh", "X-ZUMO-AUTH", refreshable.AuthenticationToken)
	wantStatus(t, resp, http.StatusOK)
	if got := parseToken(t, bodyOf(t, resp)); got.User != bob.User {
		t.Errorf("refreshed to %v", got.User)
	}
	// A token of somebody who was not merged does not fit the session of another.
	p.claims = map[string]any{"sub": "carl"}
	carl := trade()
	s.store.mu.Lock()
	for id, session := range s.store.sessions {
		if session.User == carl.User.UserID {
			session.User = bob.User.UserID
			s.store.sessions[id] = session
		}
	}
	s.store.mu.Unlock()
	if got := who("X-ZUMO-AUTH", carl.AuthenticationToken); got != "JsonWebTokenError: session revoked" {
		t.Errorf("a stranger's token: %s", got)
	}
}

// TestSamePeople pairs the two spellings of Google's issuer.
func TestSamePeople(t *testing.T) {
	users := []User{{ID: "a", Issuer: "accounts.google.com", Subject: "1"}, {ID: "b", Issuer: googleIssuer,
		Subject: "1"},
		{ID: "c", Issuer: "accounts.google.com", Subject: "2", Merged: "d"}, {ID: "d", Issuer: googleIssuer,
			Subject: "2"},
		{ID: "e", Issuer: "https://other.example", Subject: "1"}, {ID: "f", Issuer: googleIssuer, Subject: "3"}}
	pairs := SamePeople(users)
	if len(pairs) != 1 || pairs[0][0].ID != "a" || pairs[0][1].ID != "b" {
		t.Errorf("pairs %+v", pairs)
	}
}

// TestRevokingMergedUsers: an order about either of two users who are one refuses the
// proofs of both, those that are known already too.
func TestRevokingMergedUsers(t *testing.T) {
	for _, revoke := range []string{"the one", "the other"} {
		p := newIssuer(t)
		s := bearerSite(t, p, nil)
		trade := func() loginResult {
			t.Helper()
			resp := s.send(nil, http.MethodPost, "/.auth/login/my", `{"id_token":"`+p.idToken("")+`"}`)
			wantStatus(t, resp, http.StatusOK)
			return parseToken(t, bodyOf(t, resp))
		}
		ann, bearer := trade(), "Bearer "+p.idToken("")
		p.claims = map[string]any{"sub": "bob"}
		bob, other := trade(), "Bearer "+p.idToken("")
		ids := map[string]string{"the one": ann.User.UserID, "the other": bob.User.UserID}
		proofs := map[string][2]string{
			"ann's token":  {"X-ZUMO-AUTH", ann.AuthenticationToken},
			"bob's token":  {"X-ZUMO-AUTH", bob.AuthenticationToken},
			"ann's bearer": {"Authorization", bearer}, "bob's bearer": {"Authorization", other},
		}
		ask := func(want int) {
			t.Helper()
			for name, proof := range proofs {
				if resp := s.get(nil, "/.auth/me", proof[0], proof[1]); resp.StatusCode != want {
					t.Errorf("%s is revoked, %s: %d, want %d", revoke, name, resp.StatusCode, want)
				}
			}
		}
		s.merge(ann.User.UserID, bob.User.UserID)
		ask(http.StatusOK)
		s.wait(2 * time.Second)
		if _, err := s.RevokeUser(t.Context(), ids[revoke]); err != nil {
			t.Fatal(err)
		}
		ask(http.StatusUnauthorized)
	}
}
