package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/auth"
)

// at is a moment that stores keep exactly.
func at(minutes int) time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func testSecrets(t *testing.T, open Opener) {
	s := open(t)
	var group sync.WaitGroup
	got := make([]string, 8)
	for i := range got {
		group.Go(func() {
			v, err := s.Secret(t.Context(), "id", []byte(fmt.Sprint("fresh", i)))
			if err != nil {
				t.Error(err)
			}
			got[i] = string(v)
		})
	}
	group.Wait()
	for _, v := range got {
		if v == "" || v != got[0] {
			t.Fatalf("concurrent first calls got %q", got)
		}
	}
	v, err := s.Secret(t.Context(), "other\x7e", []byte("y\x00\xff"))
	wantErr(t, "another", err, nil)
	same(t, "value", string(v), "y\x00\xff")
}

func testOnce(t *testing.T, open Opener) {
	s := open(t)
	o := auth.Once{Kind: "code", Key: "k", Sealed: []byte{0, 1}, Expires: at(5)}
	wantErr(t, "put", s.PutOnce(t.Context(), o), nil)
	wantErr(t, "put again", s.PutOnce(t.Context(), o), auth.ErrExists)
	wantErr(t, "another kind", s.PutOnce(t.Context(), auth.Once{Kind: "state", Key: "k", Expires: at(1)}), nil)
	_, err := s.TakeOnce(t.Context(), "code", "other", at(0))
	wantErr(t, "unknown", err, auth.ErrNotFound)
	_, err = s.TakeOnce(t.Context(), "state", "k", at(1))
	wantErr(t, "expired", err, auth.ErrNotFound)
	var group sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 8 {
		group.Go(func() {
			got, err := s.TakeOnce(t.Context(), "code", "k", at(4))
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				won++
				same(t, "taken", got, o)
			} else if !errors.Is(err, auth.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	same(t, "takers", won, 1)
}

func testUsers(t *testing.T, open Opener) {
	s := open(t)
	u := auth.User{ID: "sid:1", Provider: "google", Issuer: "i", Subject: "s", Name: "Ännchen", Mail: "a@example.org",
		Created: at(0), Seen: at(0)}
	wantErr(t, "put", s.PutUser(t.Context(), u), nil)
	changed := auth.User{ID: "sid:1", Provider: "other", Issuer: "x", Subject: "y", Name: "Anna", Mail: "",
		Created: at(9), Seen: at(9)}
	wantErr(t, "put", s.PutUser(t.Context(), changed), nil)
	u.Name, u.Mail, u.Seen = "Anna", "", at(9)
	got, err := s.User(t.Context(), "sid:1")
	wantErr(t, "user", err, nil)
	same(t, "user", got, u)
	_, err = s.User(t.Context(), "none")
	wantErr(t, "unknown", err, auth.ErrNotFound)
	for i := range 5 {
		wantErr(t, "put", s.PutUser(t.Context(), auth.User{ID: fmt.Sprintf("b%d", i), Created: at(0)}), nil)
	}
	ids := ""
	for after := ""; ; {
		page, err := s.Users(t.Context(), after, 2)
		wantErr(t, "users", err, nil)
		if len(page) == 0 {
			break
		}
		for _, u := range page {
			ids += u.ID + " "
			after = u.ID
		}
	}
	same(t, "ids", ids, "b0 b1 b2 b3 b4 sid:1 ")
}

func session(id, user string, created int) auth.Session {
	return auth.Session{ID: id, User: user, Provider: "google", Name: "Anna", Agent: "Mozilla", Created: at(created),
		Renewed: at(created), Expires: at(created + 60), Sealed: []byte("s"), Version: 1}
}

func testSessions(t *testing.T, open Opener) {
	s := open(t)
	x := session("x", "u", 0)
	wrong := x
	wrong.Version = 7
	wantErr(t, "create", s.CreateSession(t.Context(), wrong), nil)
	wantErr(t, "create again", s.CreateSession(t.Context(), x), auth.ErrExists)
	got, err := s.Session(t.Context(), "x")
	wantErr(t, "session", err, nil)
	same(t, "session", got, x)
	_, err = s.Session(t.Context(), "none")
	wantErr(t, "unknown", err, auth.ErrNotFound)
	x.Name, x.Renewed, x.Expires, x.Sealed, x.Agent = "New", at(5), at(65), []byte("t"), "ignored"
	wantErr(t, "update", s.UpdateSession(t.Context(), x), nil)
	wantErr(t, "update again", s.UpdateSession(t.Context(), x), auth.ErrStale)
	x.ID = "none"
	wantErr(t, "update unknown", s.UpdateSession(t.Context(), x), auth.ErrNotFound)
	got, _ = s.Session(t.Context(), "x")
	if got.Version != 2 || got.Name != "New" || got.Agent != "Mozilla" || string(got.Sealed) != "t" ||
		!got.Expires.Equal(at(65)) {
		t.Errorf("updated: %+v", got)
	}
	for _, y := range []auth.Session{session("b", "u", 3), session("a", "u", 3), session("c", "v", 4)} {
		wantErr(t, "create", s.CreateSession(t.Context(), y), nil)
	}
	list, err := s.Sessions(t.Context(), "u")
	wantErr(t, "sessions", err, nil)
	ids := ""
	for _, y := range list {
		ids += y.ID
	}
	same(t, "order", ids, "abx")
}

func testRevocations(t *testing.T, open Opener) {
	s := open(t)
	for _, x := range []auth.Session{session("a", "u", 0), session("b", "u", 10), session("c", "u", 20),
		session("d", "v", 0)} {
		wantErr(t, "create", s.CreateSession(t.Context(), x), nil)
	}
	n, err := s.Revoke(t.Context(), auth.Revocation{Session: "d", At: at(21), Expires: at(90)})
	wantErr(t, "revoke", err, nil)
	same(t, "one session", n, 1)
	gone, err := s.Session(t.Context(), "d")
	wantErr(t, "session", err, nil)
	if !gone.Revoked.Equal(at(21)) || gone.Sealed != nil {
		t.Errorf("revoked: %+v", gone)
	}
	wantErr(t, "update", s.UpdateSession(t.Context(), gone), auth.ErrStale)
	n, err = s.Revoke(t.Context(), auth.Revocation{User: "u", Before: at(10), At: at(22), Expires: at(90)})
	wantErr(t, "revoke", err, nil)
	same(t, "sessions of a user", n, 2)
	n, err = s.Revoke(t.Context(), auth.Revocation{User: "u", Before: at(5), At: at(23), Expires: at(80)})
	wantErr(t, "revoke", err, nil)
	same(t, "nothing new", n, 0)
	_, err = s.Revoke(t.Context(), auth.Revocation{User: "stranger", Before: at(5), At: at(24), Expires: at(80)})
	wantErr(t, "unknown user", err, nil)
	list, err := s.Revocations(t.Context(), at(22))
	wantErr(t, "revocations", err, nil)
	same(t, "revocations", list, []auth.Revocation{
		{User: "u", Before: at(10), At: at(23), Expires: at(90)},
		{User: "stranger", Before: at(5), At: at(24), Expires: at(80)}})
}

func testSigningKeys(t *testing.T, open Opener) {
	s := open(t)
	key := func(id string, created int) auth.SigningKey {
		return auth.SigningKey{ID: id, Sealed: []byte(id), Created: at(created), Active: at(created + 1)}
	}
	wantErr(t, "not the first", s.PutSigningKey(t.Context(), key("a", 0), "z"), auth.ErrStale)
	var group sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		group.Go(func() { errs[i] = s.PutSigningKey(t.Context(), key(fmt.Sprint("k", i), 0), "") })
	}
	group.Wait()
	first := ""
	for i, err := range errs {
		if err == nil {
			first += fmt.Sprint("k", i)
		} else {
			wantErr(t, "a late first key", err, auth.ErrStale)
		}
	}
	if len(first) != 2 {
		t.Fatalf("first keys: %s", first)
	}
	wantErr(t, "the same", s.PutSigningKey(t.Context(), key(first, 5), first), auth.ErrExists)
	second := key("n", 5)
	second.Retired = at(50)
	wantErr(t, "second", s.PutSigningKey(t.Context(), second, first), nil)
	list, err := s.SigningKeys(t.Context())
	wantErr(t, "keys", err, nil)
	same(t, "keys", list, []auth.SigningKey{key(first, 0), second})
}

func testSweep(t *testing.T, open Opener) {
	s := open(t)
	wantErr(t, "put", s.PutOnce(t.Context(), auth.Once{Kind: "a", Key: "old", Expires: at(1)}), nil)
	wantErr(t, "put", s.PutOnce(t.Context(), auth.Once{Kind: "a", Key: "new", Expires: at(11)}), nil)
	wantErr(t, "put", s.CreateSession(t.Context(), session("old", "u", -100)), nil)
	wantErr(t, "put", s.CreateSession(t.Context(), session("new", "u", 0)), nil)
	_, err := s.Revoke(t.Context(), auth.Revocation{Session: "gone", At: at(0), Expires: at(2)})
	wantErr(t, "put", err, nil)
	wantErr(t, "put", s.PutSigningKey(t.Context(),
		auth.SigningKey{ID: "k", Sealed: []byte("x"), Created: at(0), Active: at(0), Retired: at(3)}, ""), nil)
	wantErr(t, "put", s.PutSigningKey(t.Context(),
		auth.SigningKey{ID: "l", Sealed: []byte("x"), Created: at(1), Active: at(1)}, "k"), nil)
	n, err := s.Sweep(t.Context(), at(10), at(0))
	wantErr(t, "sweep", err, nil)
	same(t, "swept", n, 4)
	keys, err := s.SigningKeys(t.Context())
	if err != nil || len(keys) != 1 || keys[0].ID != "l" {
		t.Errorf("keys: %v %v", keys, err)
	}
	_, err = s.Session(t.Context(), "new")
	wantErr(t, "a session that is needed", err, nil)
}
