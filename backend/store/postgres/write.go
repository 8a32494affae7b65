package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/jackc/pgx/v5/pgconn"
)

// Write implements tables.Store.
func (s *Store) Write(ctx context.Context, w tables.Write) ([]odata.Value, error) {
	p := pending{Write: w}
	for attempt := 0; ; attempt++ {
		err := s.write(ctx, &p)
		var taken *tables.DuplicateError
		// A number that counts up may have been given by hand before: the next
		// one then.
		if errors.As(err, &taken) && taken.Column == "id" && w.Op == tables.OpInsert && w.ID.IsNull() && attempt < 100 {
			p.ID = odata.Value{}
			continue
		}
		if taken != nil {
			return nil, named(w.Shape, taken)
		}
		if err != nil {
			return nil, err
		}
		return p.row, nil
	}
}

// named is a value that is taken with the column's name in the table, where the
// server has said the one that it has for it.
func named(s *tables.Shape, taken *tables.DuplicateError) error {
	for _, c := range s.Columns {
		if c.Name == taken.Column || stored(c.Name) == taken.Column {
			return &tables.DuplicateError{Column: c.Name}
		}
	}
	return &tables.DuplicateError{Column: "?"}
}

// pending is a write with what its attempts have found.
type pending struct {
	tables.Write
	// counted says that the id is of the sequence, not the client's.
	counted bool
	row     []odata.Value
	// removed is the row that an earlier attempt, whose outcome is unknown,
	// has removed.
	removed []odata.Value
}

func (s *Store) write(ctx context.Context, p *pending) error {
	if p.Op == tables.OpInsert && p.ID.IsNull() {
		n, err := s.nextID(ctx, p.Shape)
		if err != nil {
			return err
		}
		p.ID, p.counted = odata.IntegerOf(n), true
	}
	err := s.submit(ctx, p.Shape.Table, func(t *turn) (err error) {
		if t.together != nil {
			return t.together.take(p)
		}
		switch p.Op {
		case tables.OpInsert:
			err = p.insert(t)
		case tables.OpMerge, tables.OpMark, tables.OpUndelete:
			err = p.change(t)
		case tables.OpRemove:
			err = p.remove(t)
		default:
			err = fmt.Errorf("postgres: there is no write %d", p.Op)
		}
		return err
	})
	return err
}

// nextID takes an id out of the table's sequence, before the transaction, so
// that it is known if the outcome is not.
func (s *Store) nextID(ctx context.Context, shape *tables.Shape) (n int64, err error) {
	err = s.again(ctx, func() error {
		return s.pool.QueryRow(ctx, "SELECT nextval(pg_get_serial_sequence($1,'id'))", rows.Quote(shape.Table)).Scan(&n)
	})
	return n, err
}

func (p *pending) insert(t *turn) error {
	row := rows.Fresh(p.Write, t.next())
	if p.Guard != nil {
		if err := p.Guard(nil, row); err != nil {
			return err
		}
	}
	tag, err := t.exec(dialect.Insert(p.Shape, row, p.Columns).Write(" ON CONFLICT DO NOTHING"))
	if err != nil {
		return err
	}
	p.row = row
	if tag.RowsAffected() == 0 {
		return p.taken(t, row)
	}
	if p.Shape.Columns[rows.ID].Type == odata.Integer && !p.counted {
		return t.raiseSequence(p.Shape)
	}
	return nil
}

// taken finds out why a row could not be inserted. A row with our version is
// the work of an attempt whose outcome we did not learn.
func (p *pending) taken(t *turn, row []odata.Value) error {
	stored, err := find(t.ctx, t.tx, p.Shape, p.ID, nil, "")
	if err == nil {
		if stored[rows.Version].Num == p.Version {
			p.row = stored
			return nil
		}
		return &tables.DuplicateError{Column: "id"}
	}
	if !errors.Is(err, tables.ErrNotFound) {
		return err
	}
	for i, col := range p.Shape.Columns {
		if !col.Unique || row[i].IsNull() {
			continue
		}
		count := dialect.From("SELECT count(*) FROM ", p.Shape).Write(" WHERE ").Column(col.Name).Write("=")
		count.Value(row[i], col.Type)
		var n int
		if err := t.tx.QueryRow(t.ctx, count.Text(), count.Args...).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return &tables.DuplicateError{Column: col.Name}
		}
	}
	return &tables.DuplicateError{Column: "?"}
}

// raiseSequence raises the sequence to the largest id, where one given by hand is
// larger than all that it has counted. It counts nothing itself.
func (t *turn) raiseSequence(s *tables.Shape) error {
	name := rows.Quote(s.Table)
	_, err := t.tx.Exec(t.ctx, `SELECT setval(sequence, largest)
		FROM (SELECT pg_get_serial_sequence($1,'id')::regclass AS sequence) AS q, (SELECT max("id") AS largest FROM `+name+`) AS rows
		WHERE largest > coalesce(pg_sequence_last_value(sequence), 0)`, name)
	return err
}

// exec executes a statement.
func (t *turn) exec(s *rows.Statement) (pgconn.CommandTag, error) {
	return t.tx.Exec(t.ctx, s.Text(), s.Args...)
}

// current reads and locks the row that a write is about and checks its
// version.
func (p *pending) current(t *turn) ([]odata.Value, error) {
	row, err := find(t.ctx, t.tx, p.Shape, p.ID, p.Where, " FOR UPDATE")
	if err != nil {
		return nil, err
	}
	if p.Match != nil && !slices.Contains(p.Match, row[rows.Version].Num) &&
		!(t.again && row[rows.Version].Num == p.Version) {
		return nil, &tables.ConflictError{Row: row}
	}
	return row, nil
}

func (p *pending) change(t *turn) error {
	if t.again {
		// The earlier attempt may have moved the row out of its own scope, by
		// deleting it for instance.
		if row, err := find(t.ctx, t.tx, p.Shape, p.ID, nil, ""); err == nil && row[rows.Version].Num == p.Version {
			p.row = row
			return nil
		}
	}
	before, err := p.current(t)
	if err != nil {
		return err
	}
	after, places := rows.Changed(p.Write, before, t.next())
	if p.Guard != nil {
		if err := p.Guard(before, after); err != nil {
			return err
		}
	}
	_, err = t.exec(dialect.Update(p.Shape, after, places))
	p.row = after
	return err
}

func (p *pending) remove(t *turn) error {
	before, err := p.current(t)
	if t.again && errors.Is(err, tables.ErrNotFound) && p.removed != nil {
		p.row = p.removed
		return nil
	}
	if err != nil {
		return err
	}
	if p.Guard != nil {
		if err := p.Guard(before, nil); err != nil {
			return err
		}
	}
	_, err = t.exec(dialect.Delete(p.Shape, before[rows.ID]))
	p.row, p.removed = before, before
	return err
}

// Remove implements tables.Store.
func (s *Store) Remove(ctx context.Context, r tables.Removal) (removed [][]odata.Value, err error) {
	var earlier [][]odata.Value
	err = s.do(ctx, r.Shape.Table, func(t *turn) (err error) {
		removed, err = t.matching(ctx, r)
		switch {
		case err != nil:
			return err
		case t.again && len(removed) == 0 && earlier != nil:
			removed = earlier
			return nil
		}
		if r.Guard != nil {
			// A refusal must come before the first change: the transaction may
			// be shared.
			for _, row := range removed {
				if err := r.Guard(row, nil); err != nil {
					return err
				}
			}
		}
		for i, row := range removed {
			p := pending{Write: tables.Write{Op: tables.OpRemove, Shape: r.Shape, ID: row[rows.ID], Version: r.Version}}
			do := p.remove
			if r.Mark {
				p.Op, do = tables.OpMark, p.change
			}
			if err := do(t); err != nil {
				return fmt.Errorf("removing several rows: %w", err)
			}
			removed[i] = p.row
		}
		earlier = removed
		return nil
	})
	if err != nil {
		return nil, err
	}
	return removed, nil
}

// matching reads the rows that a removal is about.
func (t *turn) matching(ctx context.Context, r tables.Removal) (removed [][]odata.Value, err error) {
	if r.IDs != nil {
		return rows.CollectEach(ctx, r, func(id odata.Value) ([]odata.Value, error) {
			return find(t.ctx, t.tx, r.Shape, id, r.Where, " FOR UPDATE")
		})
	}
	query := dialect.Removed(r).Write(" FOR UPDATE")
	err = each(t.ctx, t.tx, query, r.Shape, r.Shape.All(), func(row []odata.Value) error {
		return rows.Collect(ctx, r, slices.Clone(row), &removed)
	})
	if err != nil {
		return nil, err // others of the group are not kept waiting with these rows in memory
	}
	return removed, nil
}

// Load implements tables.Store.
func (s *Store) Load(ctx context.Context, shape *tables.Shape, loaded []tables.LoadRow, replace bool) (written int,
	err error) {
	err = s.do(ctx, shape.Table, func(t *turn) error {
		return t.apart(func() error { return t.loadAll(shape, loaded, replace, &written) })
	})
	if err != nil {
		return 0, err
	}
	return written, nil
}

// loadAll loads the rows and counts those that were written.
func (t *turn) loadAll(shape *tables.Shape, loaded []tables.LoadRow, replace bool, written *int) error {
	*written = 0
	for _, r := range loaded {
		n, err := t.load(shape, r, replace)
		if err != nil {
			return err
		}
		*written += n
	}
	if shape.Columns[rows.ID].Type == odata.Integer {
		return t.raiseSequence(shape)
	}
	return nil
}

func (t *turn) load(shape *tables.Shape, r tables.LoadRow, replace bool) (int, error) {
	if r.ID.IsNull() {
		var n int64
		if err := t.tx.QueryRow(t.ctx, "SELECT nextval(pg_get_serial_sequence($1,'id'))",
			rows.Quote(shape.Table)).Scan(&n); err != nil {
			return 0, err
		}
		r.ID = odata.IntegerOf(n)
	}
	tag, err := t.exec(dialect.Put(shape, rows.Loaded(shape, r, t.next()), r.Columns, replace))
	return int(tag.RowsAffected()), err
}
