package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/backend/identity"
)

// CookieName is the cookie of a browser's session; App Service's own name.
const CookieName = "AppServiceAuthSession"

// ErrUnavailable says that nobody can tell who asks because the store does not
// answer.
var ErrUnavailable = errors.New("auth: the store does not answer")

// Authenticate returns who asks, nil for nobody. The token is looked for as the
// original server does (azure-mobile-apps 4.0.2,
// express/middleware/authenticate.js): X-ZUMO-AUTH wins over Authorization, and
// "Bearer " before a token is dropped in either. Without a token the session
// cookie counts. Where a provider's own tokens are accepted (ProviderConfig.Bearer),
// Authorization may have one. A proof that does not hold is a *identity.TokenError; a store
// that does not answer is ErrUnavailable.
func (s *Server) Authenticate(r *http.Request) (*identity.Principal, error) {
	if raw, iss, ok := s.bearerOf(r.Header.Get("Authorization"), r.Header.Get("X-ZUMO-AUTH")); ok {
		return s.prove(r.Context(), bearerProof, raw, func(ctx context.Context) (knownProof, error) {
			return s.verifyBearer(ctx, raw, iss)
		})
	}
	if token := tokenOf(r.Header); token != "" {
		return s.proveOwn(r.Context(), tokenProof, token)
	}
	for _, c := range r.CookiesNamed(CookieName) {
		// A cookie of another server on this host is not ours to judge.
		p, err := s.proveOwn(r.Context(), cookieProof, c.Value)
		if err == nil || errors.Is(err, ErrUnavailable) {
			return p, err
		}
	}
	return nil, nil
}

// tokenOf returns the session token of a request, "" if there is none.
func tokenOf(h http.Header) string {
	token := h.Get("X-ZUMO-AUTH")
	if token == "" {
		token = h.Get("Authorization")
	}
	if len(token) >= 7 && strings.EqualFold(token[:7], "bearer ") {
		token = token[7:]
	}
	return strings.TrimSpace(token)
}

// proof is what a token or cookie says before anybody asked the store.
type proof struct {
	session, user, provider string
	issued, expires         time.Time
	claims                  map[string]any
	cookie                  bool
}

var errRevokedToken = &identity.TokenError{Name: "JsonWebTokenError", Message: "session revoked"}

// The kinds of proofs. A text counts as one kind only: a token in a cookie is
// none.
const (
	tokenProof  = "t"
	cookieProof = "c"
	bearerProof = "b"
)

// proveOwn returns the principal of a token or a cookie of ours.
func (s *Server) proveOwn(ctx context.Context, kind, text string) (*identity.Principal, error) {
	return s.prove(ctx, kind, text, func(ctx context.Context) (knownProof, error) {
		verify := s.verifyToken
		if kind == cookieProof {
			verify = s.verifyCookie
		}
		claim, err := verify(text, 0)
		if err != nil {
			return knownProof{}, err
		}
		return s.principal(ctx, claim)
	})
}

// prove returns the principal of a proof, from memory when it was seen within
// the last minute.
func (s *Server) prove(ctx context.Context, kind, text string,
	verify func(context.Context) (knownProof, error)) (*identity.Principal, error) {
	key, keys := sha256.Sum256([]byte(kind+text)), s.authority.Keys()
	now := s.now()
	known, ok := s.known.get(key, keys, now)
	if !ok {
		var err error
		if known, err = verify(ctx); err != nil {
			return nil, err
		}
		s.known.put(key, keys, known, now)
	}
	p := known.principal
	if s.revoked.refuses(p.Session, p.User.ID, known.began) ||
		known.named != p.User.ID && s.revoked.refuses("", known.named, known.began) {
		return nil, errRevokedToken
	}
	return p, nil
}

func (s *Server) verifyToken(text string, grace time.Duration) (proof, error) {
	t, err := s.authority.Verify(text, grace)
	if err != nil {
		return proof{}, err
	}
	return proof{session: t.Session, user: t.Subject, provider: t.Provider, issued: t.Issued, expires: t.Expires,
		claims: t.Claims}, nil
}

// cookieContent is what a session cookie holds, sealed.
type cookieContent struct {
	Session  string `json:"s"`
	User     string `json:"u"`
	Provider string `json:"p"`
	Issued   int64  `json:"i"`
	Expires  int64  `json:"e"`
}

var errCookie = &identity.TokenError{Name: "JsonWebTokenError", Message: "cookie invalid"}

func (s *Server) verifyCookie(text string, grace time.Duration) (proof, error) {
	if len(text) > 4096 {
		return proof{}, errCookie
	}
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return proof{}, errCookie
	}
	plain, err := s.boxes.cookie.Open(sealed, "")
	if err != nil {
		return proof{}, errCookie
	}
	var c cookieContent
	if err := json.Unmarshal(plain, &c); err != nil || c.User == "" {
		return proof{}, errCookie
	}
	p := proof{session: c.Session, user: c.User, provider: c.Provider, issued: time.Unix(c.Issued, 0).UTC(),
		expires: time.Unix(c.Expires, 0).UTC(), cookie: true}
	if !p.expires.Add(grace).After(s.now()) {
		return proof{}, errCookie
	}
	return p, nil
}

// setCookie gives the browser its session.
func (s *Server) setCookie(w http.ResponseWriter, r *http.Request, session Session) error {
	now := s.now()
	plain, err := json.Marshal(cookieContent{Session: session.ID, User: session.User, Provider: session.Provider,
		Issued: now.Unix(), Expires: now.Add(s.config.Lifetime).Unix()})
	if err != nil {
		return fmt.Errorf("auth: making a cookie: %w", err)
	}
	value := base64.RawURLEncoding.EncodeToString(s.boxes.cookie.Seal(plain, ""))
	// It outlives its content by the grace period, so that it can be refreshed.
	http.SetCookie(w, &http.Cookie{Name: CookieName, Value: value, Path: "/", HttpOnly: true, Secure: s.secure(r),
		SameSite: http.SameSiteLaxMode, MaxAge: int((s.config.Lifetime + s.config.RefreshGrace).Seconds())})
	return nil
}

// clearCookies ends every cookie whose name starts with that of the session:
// App Service splits large ones.
func (s *Server) clearCookies(w http.ResponseWriter, r *http.Request) {
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, CookieName) {
			http.SetCookie(w, &http.Cookie{Name: c.Name, Path: "/", HttpOnly: true, Secure: s.secure(r),
				SameSite: http.SameSiteLaxMode, MaxAge: -1})
		}
	}
}

// principal asks the store about the proof's session. A token without one was
// signed by the owner's own login code: its own claims count.
func (s *Server) principal(ctx context.Context, c proof) (knownProof, error) {
	p := &identity.Principal{Session: c.session, Issued: c.issued, Expires: c.expires, Cookie: c.cookie,
		User: identity.User{ID: c.user, Provider: c.provider}}
	if c.session == "" {
		p.User.Claims = claimsOf(c.claims)
		p.User.Name = first(text(c.claims, "email"), text(c.claims, "name"))
		var err error
		if p.User.ID, err = s.person(ctx, c.user); err != nil {
			return knownProof{}, err
		}
		return knownProof{principal: p, named: c.user, began: c.issued}, nil
	}
	session, err := s.store.Session(ctx, c.session)
	switch {
	case errors.Is(err, ErrNotFound):
		return knownProof{}, errRevokedToken
	case err != nil:
		return knownProof{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case !session.Revoked.IsZero():
		return knownProof{}, errRevokedToken
	}
	if ok, err := s.owns(ctx, session, c.user); err != nil {
		return knownProof{}, err
	} else if !ok {
		return knownProof{}, errRevokedToken
	}
	p.User.ID = session.User
	p.User.Name = session.Name
	if secrets, err := s.openSession(session); err == nil {
		p.User.Claims = secrets.Claims
	}
	return knownProof{principal: p, named: c.user, began: session.Created}, nil
}

// proofCache remembers the principals of proofs for a minute. Two generations
// bound it: when the young one is full it becomes the old one.
type proofCache struct {
	mu         sync.Mutex
	young, old map[[32]byte]knownProof
}

// knownProof is the principal of a proof.
type knownProof struct {
	principal *identity.Principal
	named     string    // the user that the proof names, who may have been merged into the principal's
	began     time.Time // when the session, or a token without one, was made
	keys      *identity.KeySet
	until     time.Time
}

const (
	proofsKept  = 4096
	proofsFresh = time.Minute
)

func newProofCache() *proofCache { return &proofCache{young: map[[32]byte]knownProof{}} }

// get returns what is known, unless the proof has expired since or the keys
// have changed.
func (c *proofCache) get(key [32]byte, keys *identity.KeySet, now time.Time) (knownProof, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.young[key]
	if !ok {
		entry, ok = c.old[key]
	}
	return entry, ok && entry.keys == keys && now.Before(entry.until)
}

// forget drops all of it.
func (c *proofCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young, c.old = map[[32]byte]knownProof{}, nil
}

func (c *proofCache) put(key [32]byte, keys *identity.KeySet, entry knownProof, now time.Time) {
	entry.keys, entry.until = keys, now.Add(proofsFresh)
	if expires := entry.principal.Expires; !expires.IsZero() && expires.Before(entry.until) {
		entry.until = expires
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= proofsKept {
		c.old, c.young = c.young, map[[32]byte]knownProof{}
	}
	c.young[key] = entry
}
