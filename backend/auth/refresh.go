package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/event"
)

// handleRefresh renews the provider's tokens and gives out a new session token:
// 400 when there is nothing to refresh with, 401 when the session is over, 403
// when the provider refuses (MobileServiceClient.cs of the .NET client 4.2.0).
func (s *Server) handleRefresh(w http.ResponseWriter, r *http.Request) {
	if s.limited(w, r, "refresh") {
		return
	}
	if r.Method != http.MethodGet && s.cross.Check(r) != nil {
		writeError(w, http.StatusForbidden, "The request comes from another site.")
		return
	}
	c, err := s.graceProof(r)
	if err != nil {
		s.refuseProof(w, r, err)
		return
	}
	if c.session == "" {
		s.refuseRefresh(w, r, errNoRefresh)
		return
	}
	renewed, err, _ := s.refreshes.Do(c.session, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), leaseLife+providerTimeout)
		defer cancel()
		return s.refresh(ctx, c)
	})
	if err != nil {
		s.refuseRefresh(w, r, err)
		return
	}
	session := renewed.(Session)
	if c.cookie {
		if err := s.setCookie(w, r, session); err != nil {
			s.refuseRefresh(w, r, err)
			return
		}
	}
	s.answerToken(w, r, session)
}

// graceProof is Authenticate for proofs that may have ended within the grace
// period.
func (s *Server) graceProof(r *http.Request) (proof, error) {
	if token := tokenOf(r.Header); token != "" {
		return s.verifyToken(token, s.config.RefreshGrace)
	}
	for _, c := range r.CookiesNamed(CookieName) {
		if p, err := s.verifyCookie(c.Value, s.config.RefreshGrace); err == nil {
			return p, nil
		}
	}
	return proof{}, &identity.TokenError{Name: "JsonWebTokenError", Message: "jwt must be provided"}
}

// graceProofs are all proofs of a request that name a session and may have ended
// within the grace period. Who signs out means every one of them.
func (s *Server) graceProofs(r *http.Request) (found []proof) {
	add := func(p proof, err error) {
		if err == nil && p.session != "" &&
			!slices.ContainsFunc(found, func(f proof) bool { return f.session == p.session }) {
			found = append(found, p)
		}
	}
	if token := tokenOf(r.Header); token != "" {
		add(s.verifyToken(token, s.config.RefreshGrace))
	}
	for _, c := range r.CookiesNamed(CookieName) {
		add(s.verifyCookie(c.Value, s.config.RefreshGrace))
	}
	return found
}

// refresh renews one session. A refresh token is often good for one use, so one
// process at a time may show it to the provider: the others wait for what that
// one gets.
func (s *Server) refresh(ctx context.Context, c proof) (Session, error) {
	session, mine, err := s.awaitRefresh(ctx, c)
	if err != nil || !mine {
		return session, err
	}
	lease := refreshLease(session)
	if err = s.renewProvider(ctx, &session); err == nil {
		now := s.now().UTC().Truncate(time.Millisecond)
		session.Renewed, session.Expires = now, now.Add(s.config.Lifetime)
		if err = s.store.UpdateSession(ctx, session); err == nil {
			return session, nil
		}
		if errors.Is(err, ErrStale) || errors.Is(err, ErrNotFound) {
			return Session{}, errRevokedToken // ended meanwhile
		}
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	// The lease is given back, so that whoever waits can try at once. If that
	// fails too, they take over after leaseLife.
	_, _ = s.store.TakeOnce(ctx, "refresh", lease, s.now())
	return Session{}, err
}

const (
	leaseLife = 15 * time.Second // how long a process may be with the provider
	leasePoll = 50 * time.Millisecond
)

// refreshLease names the right to refresh one version of a session.
func refreshLease(session Session) string {
	return fmt.Sprintf("%s.%d", session.ID, session.Version)
}

// awaitRefresh takes the right to refresh a session; mine is false when another
// process refreshed it while we waited.
func (s *Server) awaitRefresh(ctx context.Context, c proof) (session Session, mine bool, err error) {
	began, first := time.Now(), int64(0)
	for {
		session, err = s.liveSession(ctx, c)
		if err != nil {
			return Session{}, false, err
		}
		if first == 0 {
			first = session.Version
		}
		if session.Version != first {
			return session, false, nil
		}
		err = s.store.PutOnce(ctx,
			Once{Kind: "refresh", Key: refreshLease(session), Expires: s.now().Add(2 * leaseLife)})
		if err == nil || errors.Is(err, ErrExists) && time.Since(began) > leaseLife {
			return session, true, nil
		}
		if !errors.Is(err, ErrExists) {
			return Session{}, false, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		select {
		case <-ctx.Done():
			return Session{}, false, &errProvider{err: ctx.Err()}
		case <-time.After(leasePoll):
		}
	}
}

// liveSession reads the session of a proof, which must not be over.
func (s *Server) liveSession(ctx context.Context, c proof) (Session, error) {
	session, err := s.store.Session(ctx, c.session)
	if errors.Is(err, ErrNotFound) || err == nil && (!session.Revoked.IsZero() ||
		s.revoked.refuses(session.ID, session.User, session.Created)) {
		return Session{}, errRevokedToken
	}
	if err != nil {
		return Session{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if ok, err := s.owns(ctx, session, c.user); err != nil {
		return Session{}, err
	} else if !ok {
		return Session{}, errRevokedToken
	}
	return session, nil
}

// renewProvider asks the provider for new tokens and puts them into the
// session. The user must be the same.
func (s *Server) renewProvider(ctx context.Context, session *Session) error {
	p, ok := s.providers[session.Provider]
	secrets, err := s.openSession(*session)
	if !ok || err != nil {
		return errNoRefresh
	}
	out, err := p.renew(ctx, secrets.token(session.Provider))
	if err != nil {
		return err
	}
	if out.Subject != "" {
		ok, err := s.owns(ctx, *session, identity.UserID(s.idKey, out.Issuer, out.Subject))
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w (another user)", errRevoked)
		}
		secrets.Claims = out.Claims
		session.Name = shorten(first(out.Name, session.Name), 255)
	}
	secrets.setToken(out.Token)
	session.Sealed, err = s.sealSession(session.ID, secrets)
	return err
}

func (s *Server) refuseRefresh(w http.ResponseWriter, r *http.Request, err error) {
	var token *identity.TokenError
	var failure *errProvider
	status, text := http.StatusServiceUnavailable, "Refreshing is not possible at the moment."
	switch {
	case errors.As(err, &token):
		s.refuseProof(w, r, err)
		return
	case errors.Is(err, errNoRefresh):
		status, text = http.StatusBadRequest, "The provider does not support refresh, or gave no refresh token."
	case errors.Is(err, errNotAdmitted):
		status, text = http.StatusForbidden, "You are not allowed to use this application."
	case errors.Is(err, errRevoked), errors.Is(err, errRefused):
		status, text = http.StatusForbidden, "The refresh token was revoked or has expired."
	case errors.As(err, &failure):
		status, text = http.StatusBadGateway, "The identity provider does not answer."
	}
	s.record(r, event.Failed, "refresh-failed", err.Error(), status)
	writeError(w, status, text)
}
