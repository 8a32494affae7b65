package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// New rows need nothing that the database would have to say first. So those that
// wait go to the server in one message together with the clock, and the server
// carries them out as one transaction: one round trip, however many there are. It
// stamps them itself. What cannot go that way, or did not, takes the long one.

// together collects the new rows of a group.
type together struct{ writes []*pending }

// errAlone says that a write does not go together with others in one message.
var errAlone = errors.New("postgres: this write needs answers of the database")

// take adds a write. A guard has to see the stamp before the row is written, and
// an id that was given by hand may have to raise the sequence.
func (g *together) take(p *pending) error {
	if p.Op != tables.OpInsert || p.Guard != nil || p.Shape.Columns[rows.ID].Type == odata.Integer && !p.counted {
		return errAlone
	}
	g.writes = append(g.writes, p)
	return nil
}

// send writes the rows in one transaction. Rows whose id or unique value is taken
// are not written and get no pending.row.
func (g *together) send(ctx context.Context, s *Store, table string, crowded bool) (t turn, now int64, err error) {
	// One stamp for each row, unless they ran too far ahead the last time.
	spread := int64(len(g.writes) - 1)
	if crowded {
		spread = 0
	}
	var batch pgx.Batch
	batch.Queue(clockSQL, table, spread)
	for i, p := range g.writes {
		insert := p.stamped(table, max(0, spread-int64(i)))
		batch.Queue(insert.Text(), insert.Args...)
	}
	results := s.pool.SendBatch(ctx, &batch)
	written := make([]bool, len(g.writes))
	err = results.QueryRow().Scan(&t.stamp, &t.last, &now)
	for i := range g.writes {
		if err != nil {
			break
		}
		tag, failed := results.Exec()
		written[i], err = tag.RowsAffected() > 0, failed
	}
	if err = errors.Join(err, results.Close()); err != nil {
		return turn{}, 0, err
	}
	for i, p := range g.writes {
		row := rows.Fresh(p.Write, t.next())
		if written[i] {
			p.row = row
		}
	}
	return t, now, nil
}

// stamped is the statement that writes a new row with the clock's time less so
// many milliseconds.
func (p *pending) stamped(table string, less int64) *rows.Statement {
	places := rows.Inserted(p.Shape, p.Columns)
	s := dialect.From("INSERT INTO ", p.Shape).Write(" (").Columns(p.Shape, places).Write(") SELECT ")
	for i, place := range places {
		if i > 0 {
			s.Write(",")
		}
		typ := p.Shape.Columns[place].Type
		switch {
		case place == rows.ID:
			s.Value(p.ID, typ)
		case place == rows.Created, place == rows.Updated:
			s.Write("c.stamp")
		case place == rows.Version:
			s.Value(odata.VersionOf(p.Version), typ)
		case place < p.Shape.System():
			s.Value(odata.BooleanOf(false), typ)
		default:
			s.Value(p.Values[i-p.Shape.System()], typ)
		}
	}
	s.Write(" FROM (SELECT to_timestamp((ms-").Value(odata.IntegerOf(less), odata.Integer)
	s.Write(")::float8/1000)::timestamptz(3) AS stamp FROM cordon_clock WHERE name=").Texts(table)
	return s.Write(") AS c ON CONFLICT DO NOTHING")
}

// together writes the new rows of a group in one message. It returns the jobs that
// are left, and whether they may have been done after all.
func (w *writer) together(group []*rows.Job[*turn]) (left []*rows.Job[*turn], again, ahead bool) {
	var g together
	var sent []*rows.Job[*turn]
	for _, j := range group {
		taken := len(g.writes)
		if j.Run(&turn{together: &g}) != nil {
			left = append(left, j) // and may be withdrawn until its turn comes
			continue
		}
		if !j.Begin() {
			g.writes = g.writes[:taken]
			continue
		}
		sent = append(sent, j)
	}
	if len(sent) == 0 {
		return left, false, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	var t turn
	var now int64
	// What a write panics in here it panics in again when it is alone.
	err := rows.Guarded(func() (err error) {
		t, now, err = g.send(ctx, w.s, w.table, w.crowded)
		return err
	})
	if err != nil && ctx.Err() != nil {
		for _, j := range sent {
			j.Err = translate(err)
		}
		return left, false, false
	}
	if err != nil {
		return append(left, sent...), lost(err), false
	}
	w.crowded = t.last > now+maxSpread
	for i, p := range g.writes {
		if p.row == nil {
			left = append(left, sent[i]) // which finds out why
		}
	}
	return left, false, t.last > now+maxAhead
}
