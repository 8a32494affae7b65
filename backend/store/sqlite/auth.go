package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/tables"
)

// moment is a time as it is stored: milliseconds, or NULL for the zero time.
func moment(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func asTime(v driver.Value) time.Time {
	if ms, ok := v.(int64); ok {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

func asText(v driver.Value) string {
	s, _ := v.(string)
	return s
}

func asBytes(v driver.Value) []byte {
	b, _ := v.([]byte)
	return b
}

func blob(b []byte) driver.Value {
	if b == nil {
		return nil
	}
	return b
}

// list runs a query on a reading connection.
func (s *Store) list(ctx context.Context, text string, args []driver.Value, each func([]driver.Value)) error {
	return s.read(ctx, func(c *conn) error {
		return c.query(ctx, text, named(args), func(row []driver.Value) error {
			each(row)
			return nil
		})
	})
}

// change runs one statement and returns how many rows it changed. A value that
// is taken is auth.ErrExists.
func (s *Store) change(ctx context.Context, text string, args ...driver.Value) (n int64, err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		r, err := w.c.exec(text, named(args))
		if err == nil {
			n, err = r.RowsAffected()
		}
		return err
	})
	var taken *tables.DuplicateError
	if errors.As(err, &taken) {
		return 0, auth.ErrExists
	}
	return n, err
}

// Secret implements auth.Store.
func (s *Store) Secret(ctx context.Context, name string, fresh []byte) (value []byte, err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		if _, err := w.c.exec("INSERT INTO cordon_secret(name,value) VALUES(?,?) ON CONFLICT DO NOTHING",
			named2(name, fresh)); err != nil {
			return err
		}
		return w.c.query(context.Background(), "SELECT value FROM cordon_secret WHERE name=?",
			named([]driver.Value{name}), func(row []driver.Value) error {
				value = asBytes(row[0])
				return nil
			})
	})
	return value, err
}

// PutOnce implements auth.Store.
func (s *Store) PutOnce(ctx context.Context, o auth.Once) error {
	_, err := s.change(ctx, "INSERT INTO cordon_once(kind,key,sealed,expires) VALUES(?,?,?,?)", o.Kind, o.Key,
		blob(o.Sealed), moment(o.Expires))
	return err
}

// TakeOnce implements auth.Store.
func (s *Store) TakeOnce(ctx context.Context, kind, key string, now time.Time) (o auth.Once, err error) {
	found := false
	err = s.writer.do(ctx, func(w *writer) error {
		return w.c.query(context.Background(),
			"DELETE FROM cordon_once WHERE kind=? AND key=? RETURNING sealed,expires", named2(kind, key),
			func(row []driver.Value) error {
				o = auth.Once{Kind: kind, Key: key, Sealed: asBytes(row[0]), Expires: asTime(row[1])}
				found = true
				return nil
			})
	})
	if err == nil && (!found || !o.Expires.After(now)) {
		return auth.Once{}, auth.ErrNotFound
	}
	return o, err
}

// PutUser implements auth.Store.
func (s *Store) PutUser(ctx context.Context, u auth.User) error {
	_, err := s.change(ctx,
		`INSERT INTO cordon_user(id,provider,issuer,subject,name,mail,created,seen) VALUES(?,?,?,?,?,?,?,?)
		ON CONFLICT(id) DO UPDATE SET name=excluded.name, mail=excluded.mail, seen=excluded.seen`,
		u.ID, u.Provider, u.Issuer, u.Subject, u.Name, u.Mail, moment(u.Created), moment(u.Seen))
	return err
}

const userColumns = "SELECT id,provider,issuer,subject,name,mail,created,seen,merged FROM cordon_user "

func scanUser(row []driver.Value) auth.User {
	return auth.User{ID: asText(row[0]), Provider: asText(row[1]), Issuer: asText(row[2]), Subject: asText(row[3]),
		Name: asText(row[4]), Mail: asText(row[5]), Created: asTime(row[6]), Seen: asTime(row[7]),
		Merged: asText(row[8])}
}

// User implements auth.Store.
func (s *Store) User(ctx context.Context, id string) (u auth.User, err error) {
	err = s.list(ctx, userColumns+"WHERE id=?", []driver.Value{id}, func(row []driver.Value) { u = scanUser(row) })
	if err == nil && u.ID == "" {
		err = auth.ErrNotFound
	}
	return u, err
}

// Users implements auth.Store.
func (s *Store) Users(ctx context.Context, after string, limit int) (out []auth.User, err error) {
	err = s.list(ctx, userColumns+"WHERE id>? ORDER BY id LIMIT ?", []driver.Value{after, int64(limit)},
		func(row []driver.Value) {
			out = append(out, scanUser(row))
		})
	return out, err
}

// CreateSession implements auth.Store.
func (s *Store) CreateSession(ctx context.Context, x auth.Session) error {
	_, err := s.change(ctx, "INSERT INTO "+
		"cordon_session(id,user_id,provider,name,agent,created,renewed,expires,revoked,sealed,version) "+
		"VALUES(?,?,?,?,?,?,?,?,?,?,1)",
		x.ID, x.User, x.Provider, x.Name, x.Agent, moment(x.Created), moment(x.Renewed), moment(x.Expires),
		moment(x.Revoked), blob(x.Sealed))
	return err
}

const sessionColumns = "SELECT id,user_id,provider,name,agent,created,renewed,expires,revoked,sealed,version FROM " +
	"cordon_session "

func scanSession(row []driver.Value) auth.Session {
	version, _ := row[10].(int64)
	return auth.Session{ID: asText(row[0]), User: asText(row[1]), Provider: asText(row[2]), Name: asText(row[3]),
		Agent: asText(row[4]), Created: asTime(row[5]), Renewed: asTime(row[6]), Expires: asTime(row[7]),
		Revoked: asTime(row[8]), Sealed: asBytes(row[9]), Version: version}
}

// Session implements auth.Store.
func (s *Store) Session(ctx context.Context, id string) (x auth.Session, err error) {
	err = s.list(ctx, sessionColumns+"WHERE id=?", []driver.Value{id},
		func(row []driver.Value) { x = scanSession(row) })
	if err == nil && x.ID == "" {
		err = auth.ErrNotFound
	}
	return x, err
}

// UpdateSession implements auth.Store.
func (s *Store) UpdateSession(ctx context.Context, x auth.Session) error {
	n, err := s.change(ctx, "UPDATE cordon_session SET name=?,renewed=?,expires=?,sealed=?,version=version+1 WHERE "+
		"id=? AND version=? AND revoked IS NULL",
		x.Name, moment(x.Renewed), moment(x.Expires), blob(x.Sealed), x.ID, x.Version)
	if err != nil || n == 1 {
		return err
	}
	if _, err := s.Session(ctx, x.ID); err != nil {
		return err
	}
	return auth.ErrStale
}

// Sessions implements auth.Store.
func (s *Store) Sessions(ctx context.Context, user string) (out []auth.Session, err error) {
	err = s.list(ctx, sessionColumns+"WHERE user_id=? AND revoked IS NULL ORDER BY created DESC, id LIMIT 1000",
		[]driver.Value{user}, func(row []driver.Value) {
			out = append(out, scanSession(row))
		})
	return out, err
}

// Revoke implements auth.Store.
func (s *Store) Revoke(ctx context.Context, r auth.Revocation) (sessions int, err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		return w.atomic(func() error {
			_, err := w.c.exec(`INSERT INTO cordon_revocation(session,user_id,before,at,expires) VALUES(?,?,?,?,?)
				ON CONFLICT(session,user_id) DO UPDATE SET before=max(ifnull(before,excluded.before),ifnull(excluded.before,before)),
				at=excluded.at, expires=max(ifnull(expires,excluded.expires),ifnull(excluded.expires,expires))`,
				named([]driver.Value{r.Session, r.User, moment(r.Before), moment(r.At), moment(r.Expires)}))
			if err != nil {
				return err
			}
			text, args := "UPDATE cordon_session SET revoked=?, sealed=NULL WHERE revoked IS NULL AND id=?",
				[]driver.Value{moment(r.At), r.Session}
			if r.Session == "" {
				text, args = "UPDATE cordon_session SET revoked=?, sealed=NULL WHERE revoked IS NULL AND user_id=? "+
					"AND created<=?", []driver.Value{moment(r.At), r.User, moment(r.Before)}
			}
			result, err := w.c.exec(text, named(args))
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			sessions = int(n)
			return err
		})
	})
	return sessions, err
}

// Revocations implements auth.Store.
func (s *Store) Revocations(ctx context.Context, since time.Time) (out []auth.Revocation, err error) {
	from := since.UnixMilli()
	if since.IsZero() {
		from = 0
	}
	err = s.list(ctx, "SELECT session,user_id,before,at,expires FROM cordon_revocation WHERE at>=? ORDER BY at, "+
		"session, user_id", []driver.Value{from}, func(row []driver.Value) {
		out = append(out, auth.Revocation{Session: asText(row[0]), User: asText(row[1]), Before: asTime(row[2]),
			At: asTime(row[3]), Expires: asTime(row[4])})
	})
	return out, err
}

// SigningKeys implements auth.Store.
func (s *Store) SigningKeys(ctx context.Context) (out []auth.SigningKey, err error) {
	err = s.list(ctx, "SELECT id,sealed,created,active,retired FROM cordon_signing_key ORDER BY created, id", nil,
		func(row []driver.Value) {
			out = append(out, auth.SigningKey{ID: asText(row[0]), Sealed: asBytes(row[1]), Created: asTime(row[2]),
				Active: asTime(row[3]), Retired: asTime(row[4])})
		})
	return out, err
}

// PutSigningKey implements auth.Store.
func (s *Store) PutSigningKey(ctx context.Context, k auth.SigningKey, after string) error {
	return s.writer.do(ctx, func(w *writer) error {
		known, newest := false, ""
		err := w.c.query(context.Background(), "SELECT id FROM cordon_signing_key ORDER BY created, id", nil,
			func(row []driver.Value) error {
				newest = asText(row[0])
				known = known || newest == k.ID
				return nil
			})
		switch {
		case err != nil:
			return err
		case known:
			return auth.ErrExists
		case newest != after:
			return auth.ErrStale
		}
		_, err = w.c.exec("INSERT INTO cordon_signing_key(id,sealed,created,active,retired) VALUES(?,?,?,?,?)",
			named([]driver.Value{k.ID, blob(k.Sealed), moment(k.Created), moment(k.Active), moment(k.Retired)}))
		return err
	})
}

// Sweep implements auth.Store.
func (s *Store) Sweep(ctx context.Context, now, forgotten time.Time) (swept int, err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		return w.atomic(func() error {
			swept = 0
			for _, d := range []struct {
				text string
				at   time.Time
			}{
				{"DELETE FROM cordon_once WHERE expires<=?", now},
				{"DELETE FROM cordon_revocation WHERE expires<=?", now},
				{"DELETE FROM cordon_signing_key WHERE retired<=?", now},
				{"DELETE FROM cordon_session WHERE expires<=?", forgotten},
			} {
				r, err := w.c.exec(d.text, named([]driver.Value{d.at.UnixMilli()}))
				if err != nil {
					return err
				}
				n, err := r.RowsAffected()
				if err != nil {
					return err
				}
				swept += int(n)
			}
			return nil
		})
	})
	return swept, err
}
