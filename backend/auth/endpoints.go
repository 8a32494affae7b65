package auth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/event"
)

// refuseProof answers a proof that does not hold.
func (s *Server) refuseProof(w http.ResponseWriter, r *http.Request, err error) {
	if WriteRefusal(w, err) == http.StatusUnauthorized {
		s.record(r, event.Blocked, "token-refused", err.Error(), http.StatusUnauthorized)
	}
}

// WriteRefusal answers a request whose proof Authenticate refused: 401 with the
// error object of the original server, or 503 when the store does not answer.
// It returns the status.
func WriteRefusal(w http.ResponseWriter, err error) int {
	var token *identity.TokenError
	if errors.As(err, &token) {
		challenge := `Bearer error="invalid_token"`
		if identity.Expired(err) { // RFC 6750, section 3: why, for developers
			challenge += `, error_description="the token has expired"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
		writeJSON(w, http.StatusUnauthorized, token)
		return http.StatusUnauthorized
	}
	w.Header().Set("Retry-After", "5")
	writeError(w, http.StatusServiceUnavailable, "Signing in is not possible at the moment.")
	return http.StatusServiceUnavailable
}

// who returns the principal of a request to one of our endpoints, or answers.
func (s *Server) who(w http.ResponseWriter, r *http.Request) (*identity.Principal, bool) {
	p, err := s.Authenticate(r)
	switch {
	case err != nil:
		s.refuseProof(w, r, err)
		return nil, false
	case p == nil:
		w.Header().Set("WWW-Authenticate", "Bearer")
		writeError(w, http.StatusUnauthorized, "You must be logged in to use this application")
		return nil, false
	}
	return p, true
}

// tokenEntry is one element of /.auth/me (azure-mobile-apps-net-server 2.0.3,
// AppService/TokenEntry.cs).
type tokenEntry struct {
	AccessToken       string           `json:"access_token,omitempty"`
	AccessTokenSecret string           `json:"access_token_secret,omitempty"`
	AuthToken         string           `json:"authentication_token,omitempty"`
	ExpiresOn         string           `json:"expires_on,omitempty"`
	IDToken           string           `json:"id_token,omitempty"`
	ProviderName      string           `json:"provider_name"`
	RefreshToken      string           `json:"refresh_token,omitempty"`
	UserClaims        []identity.Claim `json:"user_claims"`
	UserID            string           `json:"user_id"`
}

// String hides the tokens.
func (e tokenEntry) String() string { return "{" + e.ProviderName + " ***}" }

// GoString hides the tokens.
func (e tokenEntry) GoString() string { return e.String() }

// handleMe says what is known of the caller: always an array.
func (s *Server) handleMe(w http.ResponseWriter, r *http.Request) {
	p, ok := s.who(w, r)
	if !ok {
		return
	}
	entries := []tokenEntry{}
	wanted := strings.ToLower(r.URL.Query().Get("provider"))
	if wanted == "" || wanted == p.User.Provider {
		entry := tokenEntry{ProviderName: p.User.Provider, UserID: first(p.User.Name, p.User.ID),
			UserClaims: p.User.Claims}
		if entry.UserClaims == nil {
			entry.UserClaims = []identity.Claim{}
		}
		t, _, err := s.ProviderToken(r.Context(), p)
		if err != nil {
			s.refuseProof(w, r, fmt.Errorf("%w: %w", ErrUnavailable, err))
			return
		}
		entry.AccessToken, entry.AccessTokenSecret, entry.IDToken, entry.RefreshToken = t.Access, t.Secret, t.ID,
			t.Refresh
		if s.config.Providers[p.User.Provider].Type == "microsoftaccount" {
			entry.AuthToken = t.ID
		}
		if !t.Expires.IsZero() {
			entry.ExpiresOn = t.Expires.UTC().Format("2006-01-02T15:04:05.0000000Z")
		}
		entries = append(entries, entry)
	}
	writeJSON(w, http.StatusOK, entries)
}

// handleLogout ends the session, that of the token and those of the cookies: the
// cookies go, and with them their tokens, the provider's and ours.
func (s *Server) handleLogout(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && s.cross.Check(r) != nil {
		writeError(w, http.StatusForbidden, "The request comes from another site.")
		return
	}
	query := r.URL.Query()
	target := first(query.Get("post_logout_redirect_uri"), query.Get("post_logout_redirect_url"))
	if target != "" {
		if native, err := s.places.accept(target); err != nil || native {
			s.page(w, r, http.StatusBadRequest, "Sign-out refused",
				"The address to return to is not on the list of allowed ones.")
			return
		}
	}
	for _, c := range s.graceProofs(r) {
		if err := s.Revoke(r.Context(), c.session); err != nil {
			s.record(r, event.Failed, "logout-failed", err.Error(), http.StatusServiceUnavailable)
			s.page(w, r, http.StatusServiceUnavailable, "Sign-out failed",
				"Signing out is not possible at the moment. Please try again.")
			return
		}
		s.record(r, event.Allowed, "logout", c.provider, http.StatusFound)
	}
	s.clearCookies(w, r)
	redirect(w, first(target, s.config.Path+"/logout/done"))
}

// sessionEntry is one element of /.auth/sessions.
type sessionEntry struct {
	ID       string    `json:"id"`
	Provider string    `json:"provider"`
	Agent    string    `json:"agent"`
	Created  time.Time `json:"created"`
	Renewed  time.Time `json:"renewed"`
	Expires  time.Time `json:"expires"`
	Current  bool      `json:"current"`
}

// handleSessions lists the caller's sessions.
func (s *Server) handleSessions(w http.ResponseWriter, r *http.Request) {
	p, ok := s.who(w, r)
	if !ok {
		return
	}
	sessions, err := s.store.Sessions(r.Context(), p.User.ID)
	if err != nil {
		s.refuseProof(w, r, fmt.Errorf("%w: %w", ErrUnavailable, err))
		return
	}
	list := []sessionEntry{}
	for _, e := range sessions {
		if e.Expires.Add(s.config.RefreshGrace).After(s.now()) {
			list = append(list, sessionEntry{ID: e.ID, Provider: e.Provider, Agent: e.Agent, Created: e.Created,
				Renewed: e.Renewed, Expires: e.Expires, Current: e.ID == p.Session})
		}
	}
	writeJSON(w, http.StatusOK, list)
}

// handleRevokeAll signs the caller out everywhere.
func (s *Server) handleRevokeAll(w http.ResponseWriter, r *http.Request) {
	if p, ok := s.whoMayChange(w, r); ok {
		n, err := s.RevokeUser(r.Context(), p.User.ID)
		s.answerRevoked(w, r, n, err)
	}
}

// handleRevokeOne ends one session of the caller; those of others are unknown.
func (s *Server) handleRevokeOne(w http.ResponseWriter, r *http.Request) {
	p, ok := s.whoMayChange(w, r)
	if !ok {
		return
	}
	session, err := s.store.Session(r.Context(), r.PathValue("id"))
	if errors.Is(err, ErrNotFound) || err == nil && session.User != p.User.ID {
		writeError(w, http.StatusNotFound, "There is no such session.")
		return
	}
	if err == nil {
		err = s.Revoke(r.Context(), session.ID)
	}
	s.answerRevoked(w, r, 1, err)
}

// whoMayChange is who for requests that change something: a cookie alone does
// not do when another site sent it.
func (s *Server) whoMayChange(w http.ResponseWriter, r *http.Request) (*identity.Principal, bool) {
	p, ok := s.who(w, r)
	if ok && p.Cookie && s.cross.Check(r) != nil {
		writeError(w, http.StatusForbidden, "The request comes from another site.")
		return nil, false
	}
	return p, ok
}

func (s *Server) answerRevoked(w http.ResponseWriter, r *http.Request, n int, err error) {
	if err != nil {
		s.refuseProof(w, r, fmt.Errorf("%w: %w", ErrUnavailable, err))
		return
	}
	s.record(r, event.Allowed, "revoke", fmt.Sprintf("%d sessions", n), http.StatusNoContent)
	w.WriteHeader(http.StatusNoContent)
}
