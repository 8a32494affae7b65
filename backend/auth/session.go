package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/backend/identity"
)

// sessionSecrets are what a session keeps sealed.
type sessionSecrets struct {
	Claims  []identity.Claim `json:"claims,omitempty"`
	Access  string           `json:"access,omitempty"`
	ID      string           `json:"id,omitempty"`
	Refresh string           `json:"refresh,omitempty"`
	Secret  string           `json:"secret,omitempty"`
	Expires time.Time        `json:"expires,omitzero"`
}

// String hides the tokens.
func (sessionSecrets) String() string { return "***" }

// GoString hides the tokens.
func (sessionSecrets) GoString() string { return "***" }

func (x sessionSecrets) token(provider string) identity.ProviderToken {
	return identity.ProviderToken{Provider: provider, Access: x.Access, ID: x.ID, Refresh: x.Refresh, Secret: x.Secret,
		Expires: x.Expires}
}

func (x *sessionSecrets) setToken(t identity.ProviderToken) {
	x.Access, x.ID, x.Refresh, x.Secret, x.Expires = t.Access, t.ID, t.Refresh, t.Secret, t.Expires
}

// maxSealed is what a session may keep: the store takes 256 KiB.
const maxSealed = 200 << 10

func (s *Server) sealSession(id string, x sessionSecrets) ([]byte, error) {
	plain, err := json.Marshal(x)
	if err != nil {
		return nil, fmt.Errorf("auth: sealing a session: %w", err)
	}
	if len(plain) > maxSealed {
		return nil, &errProvider{err: fmt.Errorf("it says too much of a user: %d bytes", len(plain))}
	}
	return s.boxes.session.Seal(plain, id), nil
}

func (s *Server) openSession(session Session) (sessionSecrets, error) {
	var x sessionSecrets
	plain, err := s.boxes.session.Open(session.Sealed, session.ID)
	if err != nil {
		return x, err
	}
	if err := json.Unmarshal(plain, &x); err != nil {
		return x, fmt.Errorf("auth: a session is damaged")
	}
	return x, nil
}

// signIn keeps the user and a new session.
func (s *Server) signIn(r *http.Request, providerName string, out *outcome) (Session, error) {
	ctx, now := r.Context(), s.now().UTC().Truncate(time.Millisecond)
	var id [16]byte
	rand.Read(id[:])
	session := Session{
		ID: base64.RawURLEncoding.EncodeToString(id[:]), User: identity.UserID(s.idKey, out.Issuer, out.Subject),
		Provider: providerName, Name: shorten(out.Name, 255), Agent: shorten(r.UserAgent(), 200), Created: now,
		Renewed: now, Expires: now.Add(s.config.Lifetime),
	}
	secrets := sessionSecrets{Claims: out.Claims}
	secrets.setToken(out.Token)
	var err error
	if session.Sealed, err = s.sealSession(session.ID, secrets); err != nil {
		return Session{}, err
	}
	user := User{ID: session.User, Provider: providerName, Issuer: out.Issuer, Subject: out.Subject, Name: session.Name,
		Mail: shorten(out.Mail, 255), Created: now, Seen: now}
	if err := s.store.PutUser(ctx, user); err != nil {
		return Session{}, fmt.Errorf("auth: keeping a user: %w", err)
	}
	if session.User, err = s.person(ctx, user.ID); err != nil {
		return Session{}, err
	}
	if err := s.store.CreateSession(ctx, session); err != nil {
		return Session{}, fmt.Errorf("auth: keeping a session: %w", err)
	}
	return session, nil
}

// loginResult is what clients get for a sign-in (azure-mobile-apps-client 2.0.1,
// MobileServiceLogin.js; MSLoginSerializer.m).
type loginResult struct {
	AuthenticationToken string    `json:"authenticationToken"`
	User                loginUser `json:"user"`
}

type loginUser struct {
	UserID string `json:"userId"`
}

// String hides the token.
func (loginResult) String() string { return "***" }

// GoString hides the token.
func (loginResult) GoString() string { return "***" }

// mint makes the session token of a session, valid from now on.
func (s *Server) mint(session Session) (loginResult, error) {
	now := s.now()
	t := identity.Token{Subject: session.User, StableID: session.User, Provider: session.Provider, Version: "3",
		Session: session.ID, Issued: now, Expires: now.Add(s.config.Lifetime)}
	if s.config.HideDeprecatedSID {
		t.Version, t.StableID = "4", ""
	}
	token, err := s.authority.Mint(t)
	if err != nil {
		return loginResult{}, err
	}
	return loginResult{AuthenticationToken: token, User: loginUser{UserID: session.User}}, nil
}

// revocationPoll is how long a revocation of another process may take to reach
// this one.
const revocationPoll = 5 * time.Second

// revocations are those in force, in memory: every request asks.
type revocations struct {
	mu       sync.RWMutex
	sessions map[string]time.Time // id to expiry
	users    map[string]Revocation
	since    time.Time
}

func newRevocations() *revocations {
	return &revocations{sessions: map[string]time.Time{}, users: map[string]Revocation{}}
}

// refuses reports whether a proof of that session and user, issued then, was
// revoked.
func (v *revocations) refuses(session, user string, issued time.Time) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if len(v.sessions) == 0 && len(v.users) == 0 {
		return false
	}
	if _, ok := v.sessions[session]; ok && session != "" {
		return true
	}
	r, ok := v.users[user]
	return ok && !issued.After(r.Before)
}

func (v *revocations) add(all ...Revocation) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, r := range all {
		if r.Session != "" {
			v.sessions[r.Session] = r.Expires
		} else if old, ok := v.users[r.User]; !ok || old.Before.Before(r.Before) {
			v.users[r.User] = r
		}
		if r.At.After(v.since) {
			v.since = r.At
		}
	}
}

func (v *revocations) sweep(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, expires := range v.sessions {
		if expires.Before(now) {
			delete(v.sessions, id)
		}
	}
	for id, r := range v.users {
		if r.Expires.Before(now) {
			delete(v.users, id)
		}
	}
}

// loadRevocations takes over what other processes revoked. It looks back over a
// minute, because clocks of machines differ and writes become visible late.
func (s *Server) loadRevocations(ctx context.Context) error {
	s.revoked.mu.RLock()
	since := s.revoked.since
	s.revoked.mu.RUnlock()
	if !since.IsZero() {
		since = since.Add(-time.Minute)
	}
	all, err := s.store.Revocations(ctx, since)
	if err != nil {
		return fmt.Errorf("auth: reading revocations: %w", err)
	}
	s.revoked.add(all...)
	s.revoked.sweep(s.now())
	return nil
}

// Revoke ends one session: its tokens and cookies are refused from now on, here
// at once and in other processes within seconds.
func (s *Server) Revoke(ctx context.Context, session string) error {
	_, err := s.revoke(ctx, Revocation{Session: session})
	return err
}

// RevokeUser ends all sessions of a user and refuses every token issued until
// now, also those of the owner's own login code. It returns the number of
// sessions.
func (s *Server) RevokeUser(ctx context.Context, user string) (int, error) {
	user, err := s.person(ctx, user) // who was merged into another is that one
	if err != nil {
		return 0, fmt.Errorf("auth: revoking: %w", err)
	}
	defer s.known.forget() // of a proof, which may be of a user who was merged since
	// Tokens say in whole seconds when they were issued: one of this second
	// counts as issued before.
	return s.revoke(ctx, Revocation{User: user, Before: s.now().UTC().Truncate(time.Millisecond)})
}

func (s *Server) revoke(ctx context.Context, r Revocation) (int, error) {
	r.At = s.now().UTC().Truncate(time.Millisecond)
	r.Expires = r.At.Add(s.config.Lifetime + s.config.RefreshGrace + time.Hour)
	if r.User != "" {
		r.Expires = r.At.Add(10 * 365 * 24 * time.Hour) // tokens of others may never expire
	}
	n, err := s.store.Revoke(ctx, r)
	if err != nil {
		return 0, fmt.Errorf("auth: revoking: %w", err)
	}
	s.revoked.add(r)
	return n, nil
}

// ListUsers lists the users that have signed in, by ID, after the given one.
func (s *Server) ListUsers(ctx context.Context, after string, limit int) ([]User, error) {
	return s.store.Users(ctx, after, min(max(limit, 1), 1000))
}

// ListSessions lists the sessions of a user that are not revoked.
func (s *Server) ListSessions(ctx context.Context, user string) ([]Session, error) {
	return s.store.Sessions(ctx, user)
}

// ProviderToken returns what the provider gave for the principal's session; ok
// is false when there is nothing.
func (s *Server) ProviderToken(ctx context.Context, p *identity.Principal) (token identity.ProviderToken, ok bool,
	err error) {
	if p == nil || p.Session == "" {
		return identity.ProviderToken{}, false, nil
	}
	session, err := s.store.Session(ctx, p.Session)
	if errors.Is(err, ErrNotFound) || err == nil && !session.Revoked.IsZero() {
		return identity.ProviderToken{}, false, nil
	}
	if err != nil {
		return identity.ProviderToken{}, false, fmt.Errorf("auth: reading a session: %w", err)
	}
	secrets, err := s.openSession(session)
	if err != nil {
		return identity.ProviderToken{}, false, nil
	}
	return secrets.token(session.Provider), true, nil
}
