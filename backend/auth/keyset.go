package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// keySet is the published keys of a provider. They are fetched when a token names
// one that is not among them, but not more often than keysWait allows: strangers can
// name any key that they like. And they are fetched anew after keysFresh, so that a
// key which was withdrawn is not believed much longer. While the provider cannot be
// asked, or publishes none, those that are known hold until keysKept.
type keySet struct {
	base *providerBase
	url  string

	fetching sync.Mutex // one fetch at a time; those who know their key do not wait
	mu       sync.Mutex
	keys     []publishedKey
	fetched  time.Time // keys
	tried    time.Time
}

var _ oidc.KeySet = (*keySet)(nil)

const (
	// keysWait is how long the keys are not asked for again.
	keysWait = 10 * time.Second
	// staleWait is how long one who has what is a little old waits for the new.
	staleWait = 2 * time.Second
	keysFresh = time.Hour
	keysKept  = 24 * time.Hour
)

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
	keys, fresh := k.named(header.KeyID)
	switch {
	case len(keys) == 0:
		err := k.fetch(ctx, header.KeyID)
		if keys, _ = k.named(header.KeyID); err != nil && len(keys) == 0 {
			return nil, fmt.Errorf("fetching keys: %w", err)
		}
	case !fresh:
		k.renew(ctx, header.KeyID)
		keys, _ = k.named(header.KeyID)
	}
	for i := range keys {
		if keys[i].Algorithm != "" && keys[i].Algorithm != header.Algorithm {
			continue
		}
		if payload, err := jws.Verify(&keys[i].JSONWebKey); err == nil && keys[i].signsFor(payload) {
			return payload, nil
		}
	}
	return nil, errKey
}

// publishedKey is a key with the issuer whose tokens it signs, as the key sets that
// many of Entra's directories share have it; "" for any.
type publishedKey struct {
	jose.JSONWebKey
	issuer string
}

// publishedKeys reads the keys of a set. One that is not understood is passed over
// (RFC 7517, section 5).
func publishedKeys(raw []json.RawMessage) (keys []publishedKey) {
	for _, text := range raw {
		var key publishedKey
		var more struct {
			Issuer string `json:"issuer"`
		}
		if key.JSONWebKey.UnmarshalJSON(text) == nil && json.Unmarshal(text, &more) == nil {
			key.issuer = strings.ToLower(more.Issuer)
			keys = append(keys, key)
		}
	}
	return keys
}

// signsFor reports whether the key may sign for the token's directory: a key of one
// must not sign for another.
func (k *publishedKey) signsFor(payload []byte) bool {
	if k.issuer == "" || strings.Contains(k.issuer, anyTenant) {
		return true
	}
	var claims struct {
		Tenant string `json:"tid"`
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return false
	}
	tenant := strings.ToLower(claims.Tenant)
	return strings.EqualFold(claims.Issuer, k.issuer) ||
		tenantID.MatchString(tenant) && strings.Contains(k.issuer+"/", "/"+tenant+"/")
}

// named lists the known keys of that id, all of them for "", and whether they were
// fetched a short time ago.
func (k *keySet) named(id string) (found []publishedKey, fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	age := k.base.now().Sub(k.fetched)
	if age < 0 || age >= keysKept {
		return nil, false
	}
	for _, key := range k.keys {
		if (id == "" || key.KeyID == id) && key.Use != "enc" && key.IsPublic() {
			found = append(found, key)
		}
	}
	return found, age < keysFresh
}

// renew reads keys anew that are known and a little old. One request waits for them,
// for a short time; the others go on with what is known.
func (k *keySet) renew(ctx context.Context, id string) {
	if !k.fetching.TryLock() {
		return
	}
	done := make(chan struct{})
	go func() { // which ends with providerTimeout
		defer close(done)
		defer k.fetching.Unlock()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), providerTimeout)
		defer cancel()
		_ = k.fetchLocked(ctx, id) // what is known holds
	}()
	enough := time.NewTimer(staleWait)
	defer enough.Stop()
	select {
	case <-done:
	case <-enough.C:
	case <-ctx.Done():
	}
}

// fetch reads the keys anew, unless that was tried a moment ago or somebody else has
// found the key meanwhile.
func (k *keySet) fetch(ctx context.Context, id string) error {
	k.fetching.Lock()
	defer k.fetching.Unlock()
	// Those who leave take nothing with them: the next one would ask again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), providerTimeout)
	defer cancel()
	return k.fetchLocked(ctx, id)
}

func (k *keySet) fetchLocked(ctx context.Context, id string) error {
	if keys, fresh := k.named(id); len(keys) > 0 && fresh {
		return nil
	}
	all, _ := k.named("")
	known := len(all) > 0
	now := k.base.now()
	k.mu.Lock()
	early := !k.tried.IsZero() && now.Sub(k.tried) < keysWait && !now.Before(k.tried)
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
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	err = k.base.getJSON(r, &set)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tried = k.base.now()
	if err != nil {
		return errors.New(discoveryFailure(err))
	}
	keys := publishedKeys(set.Keys)
	if len(keys) == 0 {
		return errors.New("none that is understood was published")
	}
	k.keys, k.fetched = keys, k.tried
	return nil
}
