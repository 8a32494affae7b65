package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/store/rows"
)

var _ auth.Merger = (*Store)(nil)

// Merge implements auth.Merger.
func (s *Store) Merge(ctx context.Context, m auth.Merge) (out auth.Merged, err error) {
	err = s.transact(ctx, func(ctx context.Context, tx pgx.Tx, again bool) error {
		found := auth.Merged{}
		stamps, err := clocks(ctx, tx, m)
		if err == nil {
			err = mergeable(ctx, tx, m, &found)
		}
		if !again { // what an earlier attempt has moved is not there any more
			out = found
		}
		if err != nil || m.DryRun {
			return err
		}
		for _, c := range m.Columns {
			_, err := tx.Exec(ctx,
				"UPDATE "+rows.Quote(c.Table)+" SET "+dialect.Column(c.Column)+`=$1, "updatedAt"=$2, "version"=$3 `+
					"WHERE "+dialect.Column(c.Column)+"=$4", m.To, time.UnixMilli(stamps[c.Table]), m.Version, m.From)
			if err != nil {
				return err
			}
		}
		return moveUser(ctx, tx, m)
	})
	return out, translate(err)
}

// clocks takes the clocks of the tables, in one order for all, so that nobody else
// writes to them until the end, and returns a stamp for each.
func clocks(ctx context.Context, tx pgx.Tx, m auth.Merge) (map[string]int64, error) {
	stamps := map[string]int64{}
	if m.DryRun {
		return stamps, nil
	}
	var names []string
	for _, c := range m.Columns {
		names = append(names, c.Table)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		var stamp, last, now int64
		if err := tx.QueryRow(ctx, clockSQL, name, int64(0)).Scan(&stamp, &last, &now); err != nil {
			return nil, err
		}
		stamps[name] = stamp
	}
	return stamps, nil
}

// mergeable looks at both users and says what a merge would do.
func mergeable(ctx context.Context, tx pgx.Tx, m auth.Merge, out *auth.Merged) error {
	found, err := tx.Query(ctx, userColumns+"WHERE id=$1 OR id=$2 ORDER BY id FOR UPDATE", m.From, m.To)
	if err != nil {
		return err
	}
	users, err := pgx.CollectRows(found, scanUser)
	if err != nil {
		return err
	}
	byID := map[string]auth.User{}
	for _, u := range users {
		byID[u.ID] = u
	}
	if byID[m.From].ID == "" || byID[m.To].ID == "" {
		return auth.ErrNotFound
	}
	if err := m.Check(byID[m.From], byID[m.To]); err != nil {
		return err
	}
	for _, c := range m.Columns {
		r := auth.MergedRows{UserColumn: c}
		name := dialect.Column(c.Column)
		err := tx.QueryRow(ctx, "SELECT count(*) FILTER (WHERE "+name+"=$1), count(*) FILTER (WHERE "+name+"=$2) FROM "+
			rows.Quote(c.Table)+" WHERE "+name+" IN ($1,$2)", m.From, m.To).Scan(&r.From, &r.To)
		if err != nil {
			return err
		}
		if r.From+r.To > 0 {
			out.Rows = append(out.Rows, r)
		}
	}
	err = tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM cordon_session WHERE user_id=$1 AND revoked IS NULL),
		EXISTS (SELECT FROM cordon_revocation WHERE session='' AND user_id=$1)`,
		m.From).Scan(&out.Sessions, &out.Blocked)
	if err == nil && out.Conflict() && !m.Both && byID[m.From].Merged == "" {
		err = auth.ErrBothHaveRows
	}
	return err
}

// moveUser gives the other user the sessions, and the orders to refuse tokens, which
// end what they cover of the other's own; and notes whom the user was merged into.
func moveUser(ctx context.Context, tx pgx.Tx, m auth.Merge) error {
	at := moment(m.At)
	for _, step := range []struct {
		text string
		args []any
	}{
		{"UPDATE cordon_session SET user_id=$1 WHERE user_id=$2", []any{m.To, m.From}},
		{`INSERT INTO cordon_revocation AS old (session,user_id,before,at,expires)
			SELECT '',$1,before,$2,expires FROM cordon_revocation WHERE session='' AND user_id=$3
			ON CONFLICT(session,user_id) DO UPDATE SET before=greatest(old.before,excluded.before), at=excluded.at,
			expires=greatest(old.expires,excluded.expires)`, []any{m.To, at, m.From}},
		{`UPDATE cordon_session SET revoked=$1, sealed=NULL WHERE revoked IS NULL AND user_id=$2 AND created<=
			(SELECT before FROM cordon_revocation WHERE session='' AND user_id=$2)`, []any{at, m.To}},
		{"UPDATE cordon_user SET merged=$1 WHERE id=$2 OR merged=$2", []any{m.To, m.From}},
	} {
		if _, err := tx.Exec(ctx, step.text, step.args...); err != nil {
			return err
		}
	}
	return nil
}
