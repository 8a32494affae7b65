package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cordon-sec/cordon/backend/identity"
)

// keyLead is how long a new signing key is published before it signs, so that
// verifiers that keep our key set for a while know it in time.
const keyLead = 10 * time.Minute

// rotate loads the asymmetric keys and makes a new one when the newest has
// signed for long enough. Of several processes that try at once one succeeds,
// and the others load what it made.
func (s *Server) rotate(ctx context.Context) error {
	if identity.Algorithm(s.config.Algorithm) != identity.ES256 {
		return nil
	}
	for range 3 {
		stored, err := s.store.SigningKeys(ctx)
		if err != nil {
			return fmt.Errorf("auth: reading signing keys: %w", err)
		}
		set, newest := s.openSigningKeys(stored)
		now := s.now()
		due := newest == nil || !newest.Active.Add(s.config.KeyRotation-keyLead).After(now)
		if !due {
			s.authority.SetKeys(set)
			return nil
		}
		after := ""
		if len(stored) > 0 {
			after = stored[len(stored)-1].ID
		}
		active := now
		if newest != nil {
			active = now.Add(keyLead)
		}
		err = s.addSigningKey(ctx, now, active, after)
		if err != nil && !errors.Is(err, ErrStale) && !errors.Is(err, ErrExists) {
			return fmt.Errorf("auth: keeping a signing key: %w", err)
		}
	}
	return errors.New("auth: the signing keys keep changing")
}

func (s *Server) addSigningKey(ctx context.Context, now, active time.Time, after string) error {
	key, err := identity.NewPrivateKey(active)
	if err != nil {
		return err
	}
	der, err := key.MarshalKey()
	if err != nil {
		return err
	}
	// It signs for one rotation, and what it signed can be refreshed for long
	// after that.
	retired := active.Add(s.config.KeyRotation + s.config.Lifetime + s.config.RefreshGrace + keyLead)
	return s.store.PutSigningKey(ctx,
		SigningKey{ID: key.ID, Sealed: s.boxes.key.Seal(der, key.ID), Created: now, Active: active, Retired: retired},
		after)
}

// openSigningKeys returns the keys that open, and the one that becomes active
// last. Keys sealed under a signing key that is gone are left out: new ones take
// their place.
func (s *Server) openSigningKeys(stored []SigningKey) (*identity.KeySet, *SigningKey) {
	set := &identity.KeySet{Shared: s.shared}
	var newest *SigningKey
	for i, k := range stored {
		der, err := s.boxes.key.Open(k.Sealed, k.ID)
		if err != nil {
			continue
		}
		key, err := identity.ParsePrivateKey(der)
		if err != nil {
			continue
		}
		set.Private = append(set.Private, identity.PrivateKey{ID: k.ID, Key: key, Active: k.Active, Retired: k.Retired})
		if newest == nil || k.Active.After(newest.Active) {
			newest = &stored[i]
		}
	}
	return set, newest
}

// handleKeys publishes the public keys.
func (s *Server) handleKeys(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(s.authority.Keys().JWKS(s.now()))
}
