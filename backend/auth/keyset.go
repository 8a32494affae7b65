package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// keySet is the published keys of a provider. They are fetched when a token names
// one that is not among them, but not more often than keysWait allows: strangers can
// name any key that they like.
type keySet struct {
	base *providerBase
	url  string

	fetching sync.Mutex // one fetch at a time; those who know their key do not wait
	mu       sync.Mutex
	keys     []jose.JSONWebKey
	tried    time.Time
}

var _ oidc.KeySet = (*keySet)(nil)

// keysWait is how long an unknown key is not asked for again.
const keysWait = 10 * time.Second

var errKey = errors.New("no published key fits the signature")

// VerifySignature is part of oidc.KeySet.
func (k *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	var list []jose.SignatureAlgorithm
	for _, name := range algorithms {
		list = append(list, jose.SignatureAlgorithm(name))
	}
	jws, err := jose.ParseSignedCompact(raw, list)
	if err != nil || len(jws.Signatures) != 1 {
		return nil, errKey
	}
	header := jws.Signatures[0].Header
	keys := k.named(header.KeyID)
	if len(keys) == 0 {
		if err := k.fetch(ctx, header.KeyID); err != nil {
			return nil, fmt.Errorf("fetching keys: %w", err)
		}
		keys = k.named(header.KeyID)
	}
	for i := range keys {
		if keys[i].Algorithm != "" && keys[i].Algorithm != header.Algorithm {
			continue
		}
		if payload, err := jws.Verify(&keys[i]); err == nil {
			return payload, nil
		}
	}
	return nil, errKey
}

// named lists the known keys of that id, all of them for "".
func (k *keySet) named(id string) []jose.JSONWebKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	var found []jose.JSONWebKey
	for _, key := range k.keys {
		if (id == "" || key.KeyID == id) && key.Use != "enc" && key.IsPublic() {
			found = append(found, key)
		}
	}
	return found
}

// fetch reads the keys anew, unless that was tried a moment ago or somebody else has
// found the key meanwhile.
func (k *keySet) fetch(ctx context.Context, id string) error {
	k.fetching.Lock()
	defer k.fetching.Unlock()
	if len(k.named(id)) > 0 {
		return nil
	}
	now := k.base.now()
	k.mu.Lock()
	early := !k.tried.IsZero() && now.Sub(k.tried) < keysWait && !now.Before(k.tried)
	known := len(k.keys) > 0
	k.mu.Unlock()
	switch {
	case early && known:
		return nil
	case early:
		return errors.New("they could not be fetched a moment ago")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return errors.New("the address cannot be used")
	}
	var set jose.JSONWebKeySet
	err = k.base.getJSON(r, &set)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil || ctx.Err() == nil { // a client that leaves is no failure of the provider's
		k.tried = now
	}
	if err != nil {
		return errors.New(discoveryFailure(err))
	}
	k.keys = set.Keys
	return nil
}
