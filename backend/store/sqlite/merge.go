package sqlite

import (
	"context"
	"database/sql/driver"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/store/rows"
)

var _ auth.Merger = (*Store)(nil)

// Merge implements auth.Merger.
func (s *Store) Merge(ctx context.Context, m auth.Merge) (out auth.Merged, err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		return w.atomic(func() error {
			out = auth.Merged{}
			if err := w.mergeable(m, &out); err != nil || m.DryRun {
				return err
			}
			if err := w.moveRows(m); err != nil {
				return err
			}
			return w.moveUser(m)
		})
	})
	return out, err
}

// mergeable looks at both users and says what a merge would do.
func (w *writer) mergeable(m auth.Merge, out *auth.Merged) error {
	var users [2]auth.User
	for i, id := range []string{m.From, m.To} {
		err := w.c.query(context.Background(), userColumns+"WHERE id=?", named([]driver.Value{id}),
			func(row []driver.Value) error {
				users[i] = scanUser(row)
				return nil
			})
		if err != nil {
			return err
		}
		if users[i].ID == "" {
			return auth.ErrNotFound
		}
	}
	if err := m.Check(users[0], users[1]); err != nil {
		return err
	}
	for _, c := range m.Columns {
		r := auth.MergedRows{UserColumn: c}
		count := "SELECT count(*) FROM " + rows.Quote(c.Table) + " WHERE " + rows.Quote(c.Column) + "=?"
		var err error
		if r.From, err = w.c.number(count, m.From); err == nil {
			r.To, err = w.c.number(count, m.To)
		}
		if err != nil {
			return err
		}
		if r.From+r.To > 0 {
			out.Rows = append(out.Rows, r)
		}
	}
	n, err := w.c.number("SELECT count(*) FROM cordon_session WHERE user_id=? AND revoked IS NULL", m.From)
	if err != nil {
		return err
	}
	blocks, err := w.c.number("SELECT count(*) FROM cordon_revocation WHERE session='' AND user_id=?", m.From)
	out.Sessions, out.Blocked = int(n), blocks > 0
	if err == nil && out.Conflict() && !m.Both && users[0].Merged == "" {
		err = auth.ErrBothHaveRows
	}
	return err
}

// moveRows gives the rows to the other user, as a write of each, so that clients
// pull them.
func (w *writer) moveRows(m auth.Merge) error {
	for _, c := range m.Columns {
		table, column := rows.Quote(c.Table), rows.Quote(c.Column)
		n, err := w.c.number("SELECT count(*) FROM "+table+" WHERE "+column+"=?", m.From)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		stamp, err := w.stamp(c.Table)
		if err != nil {
			return err
		}
		_, err = w.c.exec("UPDATE "+table+" SET "+column+`=?, "updatedAt"=?, "version"=? WHERE `+column+"=?",
			named([]driver.Value{m.To, stamp, m.Version, m.From}))
		if err != nil {
			return err
		}
	}
	return nil
}

// moveUser gives the other user the sessions, and the orders to refuse tokens, which
// end what they cover of the other's own; and notes whom the user was merged into.
func (w *writer) moveUser(m auth.Merge) error {
	at := moment(m.At)
	for _, step := range []struct {
		text string
		args []driver.Value
	}{
		{"UPDATE cordon_session SET user_id=? WHERE user_id=?", []driver.Value{m.To, m.From}},
		{`INSERT INTO cordon_revocation(session,user_id,before,at,expires)
			SELECT '',?,before,?,expires FROM cordon_revocation WHERE session='' AND user_id=?
			ON CONFLICT(session,user_id) DO UPDATE SET
			before=max(ifnull(before,excluded.before),ifnull(excluded.before,before)), at=excluded.at,
			expires=max(ifnull(expires,excluded.expires),ifnull(excluded.expires,expires))`,
			[]driver.Value{m.To, at, m.From}},
		{`UPDATE cordon_session SET revoked=?, sealed=NULL WHERE revoked IS NULL AND user_id=? AND created<=
			(SELECT before FROM cordon_revocation WHERE session='' AND user_id=?)`, []driver.Value{at, m.To, m.To}},
		{"UPDATE cordon_user SET merged=? WHERE id=? OR merged=?", []driver.Value{m.To, m.From, m.From}},
	} {
		if _, err := w.c.exec(step.text, named(step.args)); err != nil {
			return err
		}
	}
	return nil
}
