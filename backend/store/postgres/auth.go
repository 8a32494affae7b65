package postgres

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/jackc/pgx/v5"
)

// moment is a time as it is stored: milliseconds, or NULL for the zero time.
func moment(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}

func asTime(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return time.UnixMilli(*ms).UTC()
}

// exec runs one statement in a transaction of its own, which is repeated if
// need be; it has to be safe to repeat.
func (s *Store) exec(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = s.transact(ctx, func(ctx context.Context, tx pgx.Tx, _ bool) error {
		tag, err := tx.Exec(ctx, text, args...)
		n = tag.RowsAffected()
		return err
	})
	return n, translate(err)
}

// create inserts a row and makes a taken key auth.ErrExists. If an earlier
// attempt may have been committed, the row that is there is taken for ours:
// keys are random.
func (s *Store) create(ctx context.Context, text string, args ...any) error {
	err := s.transact(ctx, func(ctx context.Context, tx pgx.Tx, again bool) error {
		tag, err := tx.Exec(ctx, text+" ON CONFLICT DO NOTHING", args...)
		if err == nil && tag.RowsAffected() == 0 && !again {
			return auth.ErrExists
		}
		return err
	})
	return translate(err)
}

// one reads a single row; none is auth.ErrNotFound.
func (s *Store) one(ctx context.Context, text string, args []any, dest ...any) error {
	return s.again(ctx, func() error {
		err := s.pool.QueryRow(ctx, text, args...).Scan(dest...)
		if errors.Is(err, pgx.ErrNoRows) {
			return auth.ErrNotFound
		}
		return err
	})
}

// Secret implements auth.Store.
func (s *Store) Secret(ctx context.Context, name string, fresh []byte) (value []byte, err error) {
	if _, err := s.exec(ctx, "INSERT INTO cordon_secret(name,value) VALUES($1,$2) ON CONFLICT DO NOTHING", name,
		fresh); err != nil {
		return nil, err
	}
	err = s.one(ctx, "SELECT value FROM cordon_secret WHERE name=$1", []any{name}, &value)
	return value, err
}

// PutOnce implements auth.Store.
func (s *Store) PutOnce(ctx context.Context, o auth.Once) error {
	return s.create(ctx, "INSERT INTO cordon_once(kind,key,sealed,expires) VALUES($1,$2,$3,$4)", o.Kind, o.Key,
		o.Sealed, moment(o.Expires))
}

// TakeOnce implements auth.Store. If the connection is lost before the answer,
// the value may be gone: taking it twice would be worse.
func (s *Store) TakeOnce(ctx context.Context, kind, key string, now time.Time) (auth.Once, error) {
	o := auth.Once{Kind: kind, Key: key}
	var expires *int64
	err := s.pool.QueryRow(ctx, "DELETE FROM cordon_once WHERE kind=$1 AND key=$2 RETURNING sealed,expires", kind,
		key).Scan(&o.Sealed, &expires)
	o.Expires = asTime(expires)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !o.Expires.After(now) {
		return auth.Once{}, auth.ErrNotFound
	}
	return o, translate(err)
}

// PutUser implements auth.Store.
func (s *Store) PutUser(ctx context.Context, u auth.User) error {
	_, err := s.exec(ctx, `INSERT INTO cordon_user(id,provider,issuer,subject,name,mail,created,seen) VALUES($1,$2,$3,$4,$5,$6,$7,$8)
		ON CONFLICT(id) DO UPDATE SET name=excluded.name, mail=excluded.mail, seen=excluded.seen`,
		u.ID, u.Provider, u.Issuer, u.Subject, u.Name, u.Mail, moment(u.Created), moment(u.Seen))
	return err
}

const userColumns = "SELECT id,provider,issuer,subject,name,mail,created,seen,coalesce(merged,'') FROM cordon_user "

func scanUser(row pgx.CollectableRow) (u auth.User, err error) {
	var created, seen *int64
	err = row.Scan(&u.ID, &u.Provider, &u.Issuer, &u.Subject, &u.Name, &u.Mail, &created, &seen, &u.Merged)
	u.Created, u.Seen = asTime(created), asTime(seen)
	return u, err
}

// list runs a query whose rows scan reads.
func list[T any](ctx context.Context, s *Store, scan pgx.RowToFunc[T], text string, args ...any) (out []T, err error) {
	err = s.again(ctx, func() error {
		rows, err := s.pool.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scan)
		return err
	})
	return out, err
}

func first[T any](rows []T, err error) (T, error) {
	var none T
	if err != nil {
		return none, err
	}
	if len(rows) == 0 {
		return none, auth.ErrNotFound
	}
	return rows[0], nil
}

// User implements auth.Store.
func (s *Store) User(ctx context.Context, id string) (auth.User, error) {
	return first(list(ctx, s, scanUser, userColumns+"WHERE id=$1", id))
}

// Users implements auth.Store.
func (s *Store) Users(ctx context.Context, after string, limit int) ([]auth.User, error) {
	return list(ctx, s, scanUser, userColumns+"WHERE id>$1 ORDER BY id LIMIT $2", after, limit)
}

// CreateSession implements auth.Store.
func (s *Store) CreateSession(ctx context.Context, x auth.Session) error {
	return s.create(ctx, "INSERT INTO "+
		"cordon_session(id,user_id,provider,name,agent,created,renewed,expires,revoked,sealed,version) "+
		"VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,1)",
		x.ID, x.User, x.Provider, x.Name, x.Agent, moment(x.Created), moment(x.Renewed), moment(x.Expires),
		moment(x.Revoked), x.Sealed)
}

const sessionColumns = "SELECT id,user_id,provider,name,agent,created,renewed,expires,revoked,sealed,version FROM " +
	"cordon_session "

func scanSession(row pgx.CollectableRow) (x auth.Session, err error) {
	var created, renewed, expires, revoked *int64
	err = row.Scan(&x.ID, &x.User, &x.Provider, &x.Name, &x.Agent, &created, &renewed, &expires, &revoked, &x.Sealed,
		&x.Version)
	x.Created, x.Renewed, x.Expires, x.Revoked = asTime(created), asTime(renewed), asTime(expires), asTime(revoked)
	return x, err
}

// Session implements auth.Store.
func (s *Store) Session(ctx context.Context, id string) (auth.Session, error) {
	return first(list(ctx, s, scanSession, sessionColumns+"WHERE id=$1", id))
}

// UpdateSession implements auth.Store.
func (s *Store) UpdateSession(ctx context.Context, x auth.Session) error {
	err := s.transact(ctx, func(ctx context.Context, tx pgx.Tx, again bool) error {
		tag, err := tx.Exec(ctx, "UPDATE cordon_session SET "+
			"name=$1,renewed=$2,expires=$3,sealed=$4,version=version+1 WHERE id=$5 AND version=$6 AND revoked IS NULL",
			x.Name, moment(x.Renewed), moment(x.Expires), x.Sealed, x.ID, x.Version)
		if err != nil || tag.RowsAffected() == 1 {
			return err
		}
		var version int64
		var sealed []byte
		err = tx.QueryRow(ctx, "SELECT version,sealed FROM cordon_session WHERE id=$1", x.ID).Scan(&version, &sealed)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return auth.ErrNotFound
		case err != nil:
			return err
		case again && version == x.Version+1 && bytes.Equal(sealed, x.Sealed):
			return nil
		}
		return auth.ErrStale
	})
	return translate(err)
}

// Sessions implements auth.Store.
func (s *Store) Sessions(ctx context.Context, user string) ([]auth.Session, error) {
	return list(ctx, s, scanSession,
		sessionColumns+"WHERE user_id=$1 AND revoked IS NULL ORDER BY created DESC, id LIMIT 1000", user)
}

// Revoke implements auth.Store.
func (s *Store) Revoke(ctx context.Context, r auth.Revocation) (sessions int, err error) {
	err = s.transact(ctx, func(ctx context.Context, tx pgx.Tx, _ bool) error {
		_, err := tx.Exec(ctx, `INSERT INTO cordon_revocation AS old (session,user_id,before,at,expires) VALUES($1,$2,$3,$4,$5)
			ON CONFLICT(session,user_id) DO UPDATE SET before=greatest(old.before,excluded.before), at=excluded.at, expires=greatest(old.expires,excluded.expires)`,
			r.Session, r.User, moment(r.Before), moment(r.At), moment(r.Expires))
		if err != nil {
			return err
		}
		text, args := "UPDATE cordon_session SET revoked=$1, sealed=NULL WHERE revoked IS NULL AND id=$2",
			[]any{moment(r.At), r.Session}
		if r.Session == "" {
			text, args = "UPDATE cordon_session SET revoked=$1, sealed=NULL WHERE revoked IS NULL AND user_id=$2 AND "+
				"created<=$3", []any{moment(r.At), r.User, moment(r.Before)}
		}
		tag, err := tx.Exec(ctx, text, args...)
		sessions = int(tag.RowsAffected())
		return err
	})
	return sessions, translate(err)
}

// Revocations implements auth.Store.
func (s *Store) Revocations(ctx context.Context, since time.Time) ([]auth.Revocation, error) {
	from := int64(0)
	if !since.IsZero() {
		from = since.UnixMilli()
	}
	return list(ctx, s, func(row pgx.CollectableRow) (r auth.Revocation, err error) {
		var before, at, expires *int64
		err = row.Scan(&r.Session, &r.User, &before, &at, &expires)
		r.Before, r.At, r.Expires = asTime(before), asTime(at), asTime(expires)
		return r, err
	}, "SELECT session,user_id,before,at,expires FROM cordon_revocation WHERE at>=$1 ORDER BY at, session, user_id",
		from)
}

// SigningKeys implements auth.Store.
func (s *Store) SigningKeys(ctx context.Context) ([]auth.SigningKey, error) {
	return list(ctx, s, func(row pgx.CollectableRow) (k auth.SigningKey, err error) {
		var created, active, retired *int64
		err = row.Scan(&k.ID, &k.Sealed, &created, &active, &retired)
		k.Created, k.Active, k.Retired = asTime(created), asTime(active), asTime(retired)
		return k, err
	}, "SELECT id,sealed,created,active,retired FROM cordon_signing_key ORDER BY created, id")
}

// PutSigningKey implements auth.Store.
func (s *Store) PutSigningKey(ctx context.Context, k auth.SigningKey, after string) error {
	err := s.transact(ctx, func(ctx context.Context, tx pgx.Tx, again bool) error {
		if _, err := tx.Exec(ctx, "LOCK TABLE cordon_signing_key IN SHARE ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT id FROM cordon_signing_key ORDER BY created, id")
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		newest := ""
		for _, newest = range ids {
			if newest == k.ID {
				if again {
					return nil
				}
				return auth.ErrExists
			}
		}
		if newest != after {
			return auth.ErrStale
		}
		_, err = tx.Exec(ctx, "INSERT INTO cordon_signing_key(id,sealed,created,active,retired) VALUES($1,$2,$3,$4,$5)",
			k.ID, k.Sealed, moment(k.Created), moment(k.Active), moment(k.Retired))
		return err
	})
	return translate(err)
}

// Sweep implements auth.Store.
func (s *Store) Sweep(ctx context.Context, now, forgotten time.Time) (swept int, err error) {
	err = s.transact(ctx, func(ctx context.Context, tx pgx.Tx, _ bool) error {
		swept = 0
		for _, d := range []struct {
			text string
			at   time.Time
		}{
			{"DELETE FROM cordon_once WHERE expires<=$1", now},
			{"DELETE FROM cordon_revocation WHERE expires<=$1", now},
			{"DELETE FROM cordon_signing_key WHERE retired<=$1", now},
			{"DELETE FROM cordon_session WHERE expires<=$1", forgotten},
		} {
			tag, err := tx.Exec(ctx, d.text, d.at.UnixMilli())
			if err != nil {
				return err
			}
			swept += int(tag.RowsAffected())
		}
		return nil
	})
	return swept, translate(err)
}
