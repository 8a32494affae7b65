package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Write implements tables.Store.
func (s *Store) Write(ctx context.Context, t tables.Write) (row []odata.Value, err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		switch t.Op {
		case tables.OpInsert:
			row, err = w.insert(t)
		case tables.OpMerge, tables.OpMark, tables.OpUndelete:
			row, err = w.change(t)
		case tables.OpRemove:
			row, err = w.remove(t)
		default:
			err = fmt.Errorf("sqlite: there is no write %d", t.Op)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return row, nil
}

func (w *writer) insert(t tables.Write) ([]odata.Value, error) {
	stamp, err := w.stamp(t.Shape.Table)
	if err != nil {
		return nil, err
	}
	row := rows.Fresh(t, stamp)
	if t.Guard != nil {
		if err := t.Guard(nil, row); err != nil {
			return nil, err
		}
	}
	r, err := w.c.perform(dialect.Insert(t.Shape, row, t.Columns))
	if err != nil {
		return w.own(t, err)
	}
	if t.ID.IsNull() {
		n, err := r.LastInsertId()
		if err != nil {
			return nil, err
		}
		row[rows.ID] = odata.IntegerOf(n)
	}
	return row, nil
}

// own looks whether the row that is in the way of an insert is the insert's own,
// repeated after an answer that was lost.
func (w *writer) own(t tables.Write, err error) ([]odata.Value, error) {
	var taken *tables.DuplicateError
	if !t.ID.IsNull() && errors.As(translate(err), &taken) {
		if row, e := w.c.find(context.Background(), t.Shape, t.ID, nil); e == nil &&
			row[rows.Version].Num == t.Version {
			return row, nil
		}
	}
	return nil, err
}

// current reads the row that a write is about and checks its version. It runs
// inside the transaction of the only writer, so nothing comes between.
func (w *writer) current(t tables.Write) ([]odata.Value, error) {
	row, err := w.c.find(context.Background(), t.Shape, t.ID, t.Where)
	if err != nil {
		return nil, err
	}
	if t.Match != nil && !slices.Contains(t.Match, row[rows.Version].Num) {
		return nil, &tables.ConflictError{Row: row}
	}
	return row, nil
}

func (w *writer) change(t tables.Write) ([]odata.Value, error) {
	before, err := w.current(t)
	if err != nil {
		return nil, err
	}
	stamp, err := w.stamp(t.Shape.Table)
	if err != nil {
		return nil, err
	}
	after, places := rows.Changed(t, before, stamp)
	if t.Guard != nil {
		if err := t.Guard(before, after); err != nil {
			return nil, err
		}
	}
	if _, err := w.c.perform(dialect.Update(t.Shape, after, places)); err != nil {
		return nil, err
	}
	return after, nil
}

func (w *writer) remove(t tables.Write) ([]odata.Value, error) {
	before, err := w.current(t)
	if err != nil {
		return nil, err
	}
	if t.Guard != nil {
		if err := t.Guard(before, nil); err != nil {
			return nil, err
		}
	}
	if err := w.erase(t.Shape.Table); err != nil {
		return nil, err
	}
	_, err = w.c.perform(dialect.Delete(t.Shape, before[rows.ID]))
	return before, err
}

// Remove implements tables.Store.
func (s *Store) Remove(ctx context.Context, r tables.Removal) (removed [][]odata.Value, err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		return w.atomic(func() (err error) {
			if removed, err = w.matching(ctx, r); err != nil {
				return err
			}
			for i, row := range removed {
				t := tables.Write{Op: tables.OpRemove, Shape: r.Shape, ID: row[rows.ID], Version: r.Version,
					Guard: r.Guard}
				do := w.remove
				if r.Mark {
					t.Op, do = tables.OpMark, w.change
				}
				if removed[i], err = do(t); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return removed, nil
}

// matching reads the rows that a removal is about.
func (w *writer) matching(ctx context.Context, r tables.Removal) (removed [][]odata.Value, err error) {
	if r.IDs != nil {
		return rows.CollectEach(ctx, r, func(id odata.Value) ([]odata.Value, error) {
			return w.c.find(ctx, r.Shape, id, r.Where)
		})
	}
	err = w.c.ask(ctx, dialect.Removed(r), func(values []driver.Value) error {
		return rows.Collect(ctx, r, whole(r.Shape, values), &removed)
	})
	if err != nil {
		return nil, err // others of the group are not kept waiting with these rows in memory
	}
	return removed, nil
}

// Load implements tables.Store.
func (s *Store) Load(ctx context.Context, shape *tables.Shape, loaded []tables.LoadRow, replace bool) (written int,
	err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		return w.atomic(func() error {
			written = 0
			for _, r := range loaded {
				n, err := w.load(shape, r, replace)
				if err != nil {
					return err
				}
				written += n
			}
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	return written, nil
}

func (w *writer) load(shape *tables.Shape, r tables.LoadRow, replace bool) (int, error) {
	n, _, err := w.put(shape, r, replace)
	return n, err
}

// put writes a row that comes from elsewhere, and returns how many were written and
// the id that it got where ids count up.
func (w *writer) put(shape *tables.Shape, r tables.LoadRow, replace bool) (n int, id int64, err error) {
	stamp, err := w.stamp(shape.Table)
	if err != nil {
		return 0, 0, err
	}
	result, err := w.c.perform(dialect.Put(shape, rows.Loaded(shape, r, stamp), r.Columns, replace))
	if err != nil {
		return 0, 0, err
	}
	affected, err := result.RowsAffected()
	if err == nil && r.ID.IsNull() {
		id, err = result.LastInsertId()
	}
	return int(affected), id, err
}
