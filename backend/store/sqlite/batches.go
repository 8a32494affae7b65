package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/backend/tables/transfer"
)

var _ transfer.Store = (*Store)(nil)

const selectBatches = "SELECT name,tbl,source,began,ended,read,digest,written," +
	"(SELECT count(*) FROM cordon_import_row WHERE batch=name) FROM cordon_import"

func batchOf(row []driver.Value) transfer.Batch {
	number := func(i int) int64 { n, _ := row[i].(int64); return n }
	b := transfer.Batch{Name: asText(row[0]), Table: asText(row[1]), File: asText(row[2]),
		Began: time.UnixMilli(number(3)).
			UTC(),
		Read: number(5), Digest: asText(row[6]), Written: number(7), Kept: number(8)}
	if row[4] != nil {
		b.Ended = time.UnixMilli(number(4)).UTC()
	}
	return b
}

// Batches implements transfer.Store.
func (s *Store) Batches(ctx context.Context) (out []transfer.Batch, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(ctx, selectBatches+" ORDER BY began, name", nil, func(row []driver.Value) error {
			out = append(out, batchOf(row))
			return nil
		})
	})
	return out, err
}

// BeginBatch implements transfer.Store.
func (s *Store) BeginBatch(ctx context.Context, b transfer.Batch) (have transfer.Batch, created bool, err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		return w.atomic(func() error {
			r, err := w.c.exec(
				"INSERT INTO cordon_import(name,tbl,source,began,read,digest,written) VALUES(?,?,?,?,0,'',0) "+
					"ON CONFLICT(name) DO NOTHING",
				named([]driver.Value{b.Name, b.Table, b.File, b.Began.UnixMilli()}),
			)
			if err != nil {
				return err
			}
			n, err := r.RowsAffected()
			if created = n > 0; err != nil {
				return err
			}
			return w.c.query(
				ctx,
				selectBatches+" WHERE name=?",
				named([]driver.Value{b.Name}),
				func(row []driver.Value) error {
					have = batchOf(row)
					return nil
				},
			)
		})
	})
	return have, created, err
}

// LoadBatch implements transfer.Store.
func (s *Store) LoadBatch(ctx context.Context, shape *tables.Shape, step transfer.Step) (written int, err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		if err := w.bulky(); err != nil {
			return err
		}
		return w.entire(func() error {
			written = 0
			r, err := w.c.exec("UPDATE cordon_import SET read=?, digest=? WHERE name=? AND read=?",
				named([]driver.Value{step.Through, step.Digest, step.Batch, step.From}))
			if err != nil {
				return err
			}
			if n, err := r.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, transfer.ErrBatchMoved)
			}
			for i, r := range step.Rows {
				n, err := w.bring(shape, step, r, step.Numbers[i])
				if err != nil {
					return err
				}
				written += n
			}
			_, err = w.c.exec(
				"UPDATE cordon_import SET written=written+? WHERE name=?",
				named2(int64(written), step.Batch),
			)
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	return written, nil
}

// bulky gives the writer of a process that imports more room: ids come in no order,
// so each transaction changes pages all over their index, and one that is written
// once for many rows is cheaper.
func (w *writer) bulky() error {
	if w.bulk {
		return nil
	}
	w.bulk = true
	if err := w.c.run("PRAGMA cache_size=-65536"); err != nil {
		return err
	}
	return w.c.run("PRAGMA wal_autocheckpoint=8192")
}

// bring writes one row and records it.
func (w *writer) bring(shape *tables.Shape, step transfer.Step, r tables.LoadRow, number int64) (int, error) {
	var before any
	if step.Replace && !r.ID.IsNull() {
		old, err := w.c.find(context.Background(), shape, r.ID, nil)
		if err == nil {
			before = string(shape.AppendRow(nil, shape.All(), old))
		} else if !errors.Is(err, tables.ErrNotFound) {
			return 0, err
		}
	}
	n, id, err := w.put(shape, r, step.Replace)
	if err != nil || n == 0 {
		return n, err
	}
	if r.ID.IsNull() {
		r.ID = odata.IntegerOf(id)
	}
	_, err = w.c.exec("INSERT INTO cordon_import_row(batch,number,id,version,before) VALUES(?,?,?,?,?)",
		named([]driver.Value{step.Batch, number, r.ID.Plain(), r.Version, before}))
	return n, err
}

// EndBatch implements transfer.Store.
func (s *Store) EndBatch(ctx context.Context, name string, at time.Time) error {
	return s.writer.do(ctx, func(w *writer) error {
		_, err := w.c.exec("UPDATE cordon_import SET ended=? WHERE name=?", named2(at.UnixMilli(), name))
		return err
	})
}

// BatchRows implements transfer.Store.
func (s *Store) BatchRows(ctx context.Context, shape *tables.Shape, name string, before int64,
	limit int) (out []transfer.Brought, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(ctx, "SELECT number,id,version,before FROM cordon_import_row WHERE batch=? AND number<? "+
			"ORDER BY number DESC LIMIT ?", named([]driver.Value{name, before, int64(limit)}),
			func(row []driver.Value) error {
				b := transfer.Brought{Before: asText(row[3])}
				b.Number, _ = row[0].(int64)
				b.Version, _ = row[2].(int64)
				var err error
				b.ID, err = rows.ParseID(shape, asText(row[1]))
				out = append(out, b)
				return err
			})
	})
	return out, err
}

// Revert implements transfer.Store.
func (s *Store) Revert(ctx context.Context, shape *tables.Shape, name string, all []transfer.Reversal, force,
	mark bool) (fates []transfer.Fate, err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		if err := w.bulky(); err != nil {
			return err
		}
		return w.entire(func() error {
			fates = make([]transfer.Fate, len(all))
			for i, r := range all {
				if fates[i], err = w.revert(shape, r, force, mark); err != nil {
					return err
				}
				if fates[i] == transfer.Altered {
					continue
				}
				if _, err := w.c.exec("DELETE FROM cordon_import_row WHERE batch=? AND number=?",
					named2(name, r.Number)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return fates, nil
}

func (w *writer) revert(shape *tables.Shape, r transfer.Reversal, force, mark bool) (transfer.Fate, error) {
	return rows.Revert(shape, r, force, mark, rows.Reverting{
		Current: func(t tables.Write) error { _, err := w.current(t); return err },
		Remove:  func(t tables.Write) error { _, err := w.remove(t); return err },
		Change:  func(t tables.Write) error { _, err := w.change(t); return err },
		Load: func(r tables.LoadRow) error {
			_, _, err := w.put(shape, r, true)
			return translate(err)
		},
	})
}

// ForgetBatch implements transfer.Store.
func (s *Store) ForgetBatch(ctx context.Context, name string, empty bool) error {
	return s.writer.do(ctx, func(w *writer) error {
		return w.atomic(func() error {
			r, err := w.c.exec("DELETE FROM cordon_import WHERE name=? AND (NOT ? OR written=0)", named2(name, empty))
			if err != nil {
				return err
			}
			if n, err := r.RowsAffected(); err != nil || n == 0 {
				return err
			}
			_, err = w.c.exec("DELETE FROM cordon_import_row WHERE batch=?", named([]driver.Value{name}))
			return err
		})
	})
}
