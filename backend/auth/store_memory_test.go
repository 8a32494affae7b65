package auth

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// memoryStore is a Store for tests of this package; the real ones are proven by
// storetest.
type memoryStore struct {
	mu          sync.Mutex
	secrets     map[string][]byte
	once        map[[2]string]Once
	users       map[string]User
	sessions    map[string]Session
	revocations []Revocation
	keys        []SigningKey
	fail        error
}

func newMemoryStore() *memoryStore {
	return &memoryStore{secrets: map[string][]byte{}, once: map[[2]string]Once{}, users: map[string]User{},
		sessions: map[string]Session{}}
}

func (m *memoryStore) lock() (func(), error) {
	m.mu.Lock()
	return m.mu.Unlock, m.fail
}

func (m *memoryStore) Secret(_ context.Context, name string, fresh []byte) ([]byte, error) {
	unlock, err := m.lock()
	defer unlock()
	if m.secrets[name] == nil {
		m.secrets[name] = fresh
	}
	return m.secrets[name], err
}

func (m *memoryStore) PutOnce(_ context.Context, o Once) error {
	unlock, err := m.lock()
	defer unlock()
	if err != nil {
		return err
	}
	if _, ok := m.once[[2]string{o.Kind, o.Key}]; ok {
		return ErrExists
	}
	m.once[[2]string{o.Kind, o.Key}] = o
	return nil
}

func (m *memoryStore) TakeOnce(_ context.Context, kind, key string, now time.Time) (Once, error) {
	unlock, err := m.lock()
	defer unlock()
	o, ok := m.once[[2]string{kind, key}]
	delete(m.once, [2]string{kind, key})
	if err == nil && (!ok || !o.Expires.After(now)) {
		err = ErrNotFound
	}
	return o, err
}

func (m *memoryStore) PutUser(_ context.Context, u User) error {
	unlock, err := m.lock()
	defer unlock()
	if old, ok := m.users[u.ID]; ok {
		old.Name, old.Mail, old.Seen = u.Name, u.Mail, u.Seen
		u = old
	}
	m.users[u.ID] = u
	return err
}

func (m *memoryStore) User(_ context.Context, id string) (User, error) {
	unlock, err := m.lock()
	defer unlock()
	u, ok := m.users[id]
	if !ok {
		return u, ErrNotFound
	}
	return u, err
}

func (m *memoryStore) Users(_ context.Context, after string, limit int) ([]User, error) {
	unlock, err := m.lock()
	defer unlock()
	var all []User
	for id, u := range m.users {
		if id > after {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b User) int { return cmp.Compare(a.ID, b.ID) })
	return all[:min(limit, len(all))], err
}

func (m *memoryStore) CreateSession(_ context.Context, s Session) error {
	unlock, err := m.lock()
	defer unlock()
	s.Version = 1
	m.sessions[s.ID] = s
	return err
}

func (m *memoryStore) Session(_ context.Context, id string) (Session, error) {
	unlock, err := m.lock()
	defer unlock()
	s, ok := m.sessions[id]
	if err == nil && !ok {
		err = ErrNotFound
	}
	return s, err
}

func (m *memoryStore) UpdateSession(_ context.Context, s Session) error {
	unlock, err := m.lock()
	defer unlock()
	old, ok := m.sessions[s.ID]
	switch {
	case err != nil:
		return err
	case !ok:
		return ErrNotFound
	case old.Version != s.Version || !old.Revoked.IsZero():
		return ErrStale
	}
	s.Version++
	m.sessions[s.ID] = s
	return nil
}

func (m *memoryStore) Sessions(_ context.Context, user string) ([]Session, error) {
	unlock, err := m.lock()
	defer unlock()
	var all []Session
	for _, s := range m.sessions {
		if s.User == user && s.Revoked.IsZero() {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Session) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return all, err
}

func (m *memoryStore) Revoke(_ context.Context, r Revocation) (int, error) {
	unlock, err := m.lock()
	defer unlock()
	if err != nil {
		return 0, err
	}
	m.revocations = append(m.revocations, r)
	n := 0
	for id, s := range m.sessions {
		if s.Revoked.IsZero() && (id == r.Session || r.User != "" && s.User == r.User && !s.Created.After(r.Before)) {
			s.Revoked, s.Sealed = r.At, nil
			m.sessions[id] = s
			n++
		}
	}
	return n, nil
}

func (m *memoryStore) Revocations(_ context.Context, since time.Time) ([]Revocation, error) {
	unlock, err := m.lock()
	defer unlock()
	var all []Revocation
	for _, r := range m.revocations {
		if !r.At.Before(since) {
			all = append(all, r)
		}
	}
	return all, err
}

func (m *memoryStore) SigningKeys(context.Context) ([]SigningKey, error) {
	unlock, err := m.lock()
	defer unlock()
	return slices.Clone(m.keys), err
}

func (m *memoryStore) PutSigningKey(_ context.Context, k SigningKey, after string) error {
	unlock, err := m.lock()
	defer unlock()
	newest := ""
	if len(m.keys) > 0 {
		newest = m.keys[len(m.keys)-1].ID
	}
	if newest != after {
		return ErrStale
	}
	m.keys = append(m.keys, k)
	return err
}

func (m *memoryStore) Sweep(_ context.Context, now, forgotten time.Time) (int, error) {
	unlock, err := m.lock()
	defer unlock()
	n := len(m.sessions) + len(m.once)
	for id, s := range m.sessions {
		if !s.Expires.After(forgotten) {
			delete(m.sessions, id)
		}
	}
	for id, o := range m.once {
		if !o.Expires.After(now) {
			delete(m.once, id)
		}
	}
	return n - len(m.sessions) - len(m.once), err
}
