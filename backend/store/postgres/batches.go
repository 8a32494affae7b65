package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/backend/tables/transfer"
)

var _ transfer.Store = (*Store)(nil)

const selectBatches = "SELECT name,tbl,source,began,ended,read,digest,written," +
	"(SELECT count(*) FROM cordon_import_row WHERE batch=name) FROM cordon_import"

func scanBatch(row pgx.CollectableRow) (b transfer.Batch, err error) {
	var began int64
	var ended *int64
	err = row.Scan(&b.Name, &b.Table, &b.File, &began, &ended, &b.Read, &b.Digest, &b.Written, &b.Kept)
	b.Began = time.UnixMilli(began).UTC()
	if ended != nil {
		b.Ended = time.UnixMilli(*ended).UTC()
	}
	return b, err
}

// Batches implements transfer.Store.
func (s *Store) Batches(ctx context.Context) (out []transfer.Batch, err error) {
	err = s.again(ctx, func() error {
		rows, err := s.pool.Query(ctx, selectBatches+" ORDER BY began, name")
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scanBatch)
		return err
	})
	return out, err
}

// BeginBatch implements transfer.Store.
func (s *Store) BeginBatch(ctx context.Context, b transfer.Batch) (have transfer.Batch, created bool, err error) {
	err = s.transact(ctx, func(ctx context.Context, tx pgx.Tx, _ bool) error {
		tag, err := tx.Exec(ctx, "INSERT INTO cordon_import(name,tbl,source,began,read,digest,written) "+
			"VALUES($1,$2,$3,$4,0,'',0) ON CONFLICT(name) DO NOTHING", b.Name, b.Table, b.File, b.Began.UnixMilli())
		if err != nil {
			return err
		}
		created = tag.RowsAffected() > 0
		found, err := tx.Query(ctx, selectBatches+" WHERE name=$1", b.Name)
		if err != nil {
			return err
		}
		have, err = pgx.CollectExactlyOneRow(found, scanBatch)
		return err
	})
	return have, created, translate(err)
}

// LoadBatch implements transfer.Store.
func (s *Store) LoadBatch(ctx context.Context, shape *tables.Shape, step transfer.Step) (written int, err error) {
	err = s.do(ctx, shape.Table, func(t *turn) error {
		return t.apart(func() error {
			n, err := t.loadBatch(shape, step)
			written = n
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	return written, nil
}

// apart runs f in a savepoint, since the transaction may be shared.
func (t *turn) apart(f func() error) error {
	sub, err := t.tx.Begin(t.ctx)
	if err != nil {
		return err
	}
	outer := t.tx
	t.tx = sub
	defer func() { t.tx = outer }()
	if err := rows.Guarded(f); err != nil {
		return errors.Join(err, sub.Rollback(t.ctx))
	}
	return sub.Commit(t.ctx)
}

func (t *turn) loadBatch(shape *tables.Shape, step transfer.Step) (written int, err error) {
	if t.again {
		done, n, err := t.loaded(step)
		if err != nil || done {
			return n, err
		}
	}
	tag, err := t.tx.Exec(t.ctx, "UPDATE cordon_import SET read=$1, digest=$2 WHERE name=$3 AND read=$4", step.Through,
		step.Digest, step.Batch, step.From)
	if err != nil {
		return 0, err
	}
	if tag.RowsAffected() == 0 {
		return 0, transfer.ErrBatchMoved
	}
	ids, err := t.ids(shape, step.Rows)
	if err != nil {
		return 0, err
	}
	insert := t.insertAll
	if step.Replace {
		insert = t.replaceAll
	}
	fresh, befores, err := insert(shape, step.Rows, ids)
	if err != nil {
		return 0, err
	}
	var records pgx.Batch
	for i, r := range step.Rows {
		if fresh[i] {
			written++
			records.Queue("INSERT INTO cordon_import_row(batch,number,id,version,before) VALUES($1,$2,$3,$4,$5)",
				step.Batch, step.Numbers[i], ids[i].Plain(), r.Version, befores[i])
		}
	}
	records.Queue("UPDATE cordon_import SET written=written+$1 WHERE name=$2", written, step.Batch)
	if err := t.tx.SendBatch(t.ctx, &records).Close(); err != nil {
		return 0, err
	}
	if shape.Columns[rows.ID].Type == odata.Integer {
		return written, t.raiseSequence(shape)
	}
	return written, nil
}

// loaded reports whether an earlier attempt, whose outcome is unknown, has done the
// step, and how many rows it wrote.
func (t *turn) loaded(step transfer.Step) (done bool, written int, err error) {
	const query = "SELECT read=$2 AND digest=$3, (SELECT count(*) FROM cordon_import_row " +
		"WHERE batch=name AND number>$4 AND number<=$2) FROM cordon_import WHERE name=$1"
	err = t.tx.QueryRow(t.ctx, query, step.Batch, step.Through, step.Digest, step.From).Scan(&done, &written)
	if errors.Is(err, pgx.ErrNoRows) {
		err = transfer.ErrBatchMoved
	}
	return done, written, err
}

// ids are those of the rows; where ids count up, rows without one get the next after
// those that others bring.
func (t *turn) ids(shape *tables.Shape, all []tables.LoadRow) ([]odata.Value, error) {
	out := make([]odata.Value, len(all))
	largest, missing := int64(0), false
	for i, r := range all {
		out[i] = r.ID
		missing = missing || r.ID.IsNull()
		if r.ID.Type == odata.Integer {
			largest = max(largest, r.ID.Num)
		}
	}
	if !missing {
		return out, nil
	}
	sequence := rows.Quote(shape.Table)
	if largest > 0 {
		_, err := t.tx.Exec(
			t.ctx,
			`SELECT setval(sequence, $2::int8) FROM (SELECT pg_get_serial_sequence($1,'id')::regclass
			AS sequence) AS q WHERE $2::int8 > coalesce(pg_sequence_last_value(sequence), 0)`,
			sequence,
			largest,
		)
		if err != nil {
			return nil, err
		}
	}
	for i := range out {
		if !out[i].IsNull() {
			continue
		}
		var n int64
		err := t.tx.QueryRow(t.ctx, "SELECT nextval(pg_get_serial_sequence($1,'id'))", sequence).Scan(&n)
		if err != nil {
			return nil, err
		}
		out[i] = odata.IntegerOf(n)
	}
	return out, nil
}

// before is the row of an id as JSON, nil if there is none.
func (t *turn) before(shape *tables.Shape, id odata.Value) (*string, error) {
	row, err := find(t.ctx, t.tx, shape, id, nil, " FOR UPDATE")
	if errors.Is(err, tables.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text := string(shape.AppendRow(nil, shape.All(), row))
	return &text, nil
}

// insertAll sends the rows in one message and reports which of them were written.
func (t *turn) insertAll(shape *tables.Shape, all []tables.LoadRow, ids []odata.Value) (written []bool,
	none []*string, err error) {
	var message pgx.Batch
	for i, r := range all {
		r.ID = ids[i]
		put := dialect.Put(shape, rows.Loaded(shape, r, t.next()), r.Columns, false)
		message.Queue(put.Text(), put.Args...)
	}
	written, none = make([]bool, len(all)), make([]*string, len(all))
	results := t.tx.SendBatch(t.ctx, &message)
	for i := range all {
		tag, err := results.Exec()
		if err != nil {
			return nil, nil, errors.Join(err, results.Close())
		}
		written[i] = tag.RowsAffected() > 0
	}
	return written, none, results.Close()
}

// replaceAll writes the rows one after the other, since each may take the place of
// the one before it, and returns what each has replaced.
func (t *turn) replaceAll(shape *tables.Shape, all []tables.LoadRow, ids []odata.Value) (written []bool,
	befores []*string, err error) {
	written, befores = make([]bool, len(all)), make([]*string, len(all))
	for i, r := range all {
		if befores[i], err = t.before(shape, ids[i]); err != nil {
			return nil, nil, err
		}
		r.ID = ids[i]
		n, err := t.load(shape, r, true)
		if err != nil {
			return nil, nil, err
		}
		written[i] = n > 0
	}
	return written, befores, nil
}

// EndBatch implements transfer.Store.
func (s *Store) EndBatch(ctx context.Context, name string, at time.Time) error {
	_, err := s.exec(ctx, "UPDATE cordon_import SET ended=$2 WHERE name=$1", name, at.UnixMilli())
	return err
}

// BatchRows implements transfer.Store.
func (s *Store) BatchRows(ctx context.Context, shape *tables.Shape, name string, before int64,
	limit int) (out []transfer.Brought, err error) {
	err = s.again(ctx, func() error {
		found, err := s.pool.Query(ctx, "SELECT number,id,version,coalesce(before,'') FROM cordon_import_row "+
			"WHERE batch=$1 AND number<$2 ORDER BY number DESC LIMIT $3", name, before, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(found, func(row pgx.CollectableRow) (b transfer.Brought, err error) {
			id := ""
			if err := row.Scan(&b.Number, &id, &b.Version, &b.Before); err != nil {
				return b, err
			}
			b.ID, err = rows.ParseID(shape, id)
			return b, err
		})
		return err
	})
	return out, err
}

// Revert implements transfer.Store.
func (s *Store) Revert(ctx context.Context, shape *tables.Shape, name string, all []transfer.Reversal, force,
	mark bool) (fates []transfer.Fate, err error) {
	var earlier []transfer.Fate // of an attempt whose outcome is unknown
	err = s.do(ctx, shape.Table, func(t *turn) error {
		return t.apart(func() error {
			fates = make([]transfer.Fate, len(all))
			for i, r := range all {
				tag, err := t.tx.Exec(
					t.ctx,
					"DELETE FROM cordon_import_row WHERE batch=$1 AND number=$2",
					name,
					r.Number,
				)
				if err != nil {
					return err
				}
				if tag.RowsAffected() == 0 {
					if fates[i] = transfer.Gone; t.again && earlier != nil {
						fates[i] = earlier[i]
					}
					continue
				}
				if fates[i], err = t.revert(shape, r, force, mark); err != nil {
					return err
				}
				if fates[i] != transfer.Altered {
					continue
				}
				// Kept for another time.
				_, err = t.tx.Exec(t.ctx, "INSERT INTO cordon_import_row(batch,number,id,version,before) "+
					"VALUES($1,$2,$3,$4,nullif($5,''))", name, r.Number, r.ID.Plain(), r.Version, r.Before)
				if err != nil {
					return err
				}
			}
			earlier = fates
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return fates, nil
}

func (t *turn) revert(shape *tables.Shape, r transfer.Reversal, force, mark bool) (transfer.Fate, error) {
	write := func(do func(*pending, *turn) error) func(tables.Write) error {
		return func(w tables.Write) error {
			first := *t
			first.again = false // the record says whether it was done before
			p := pending{Write: w}
			err := do(&p, &first)
			t.stamp = first.stamp
			return err
		}
	}
	return rows.Revert(shape, r, force, mark, rows.Reverting{
		Current: write(func(p *pending, t *turn) error { _, err := p.current(t); return err }),
		Remove:  write((*pending).remove),
		Change:  write((*pending).change),
		Load: func(r tables.LoadRow) error {
			return translate(t.apart(func() error {
				_, err := t.load(shape, r, true)
				return err
			}))
		},
	})
}

// ForgetBatch implements transfer.Store.
func (s *Store) ForgetBatch(ctx context.Context, name string, empty bool) error {
	err := s.transact(ctx, func(ctx context.Context, tx pgx.Tx, _ bool) error {
		tag, err := tx.Exec(ctx, "DELETE FROM cordon_import WHERE name=$1 AND (NOT $2::bool OR written=0)", name, empty)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		_, err = tx.Exec(ctx, "DELETE FROM cordon_import_row WHERE batch=$1", name)
		return err
	})
	return translate(err)
}
