package postgres

import (
	"context"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/store/copystore"
	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/jackc/pgx/v5"
)

var _ copystore.Store = (*Store)(nil)

// Newer implements copystore.Store.
func (s *Store) Newer() []string { return s.newer }

// Catalog implements copystore.Store.
func (s *Store) Catalog(ctx context.Context) ([]tables.Definition, error) {
	out, err := schema.Definitions(catalog{ctx, s.pool})
	return out, translate(err)
}

// Put implements copystore.Store. It copies with COPY.
func (s *Store) Put(ctx context.Context, shape *tables.Shape, all [][]odata.Value) error {
	names := make([]string, len(shape.Columns))
	for i, c := range shape.Columns {
		names[i] = stored(c.Name)
	}
	err := s.transact(ctx, func(ctx context.Context, tx pgx.Tx, _ bool) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{shape.Table}, names,
			pgx.CopyFromSlice(len(all), func(i int) ([]any, error) {
				out := make([]any, len(all[i]))
				for j, v := range all[i] {
					out[j] = argument(v)
				}
				return out, nil
			}))
		if err == nil && shape.Columns[rows.ID].Type == odata.Integer {
			err = (&turn{ctx: ctx, tx: tx}).raiseSequence(shape)
		}
		return err
	})
	return translate(err)
}

// RaiseClock implements copystore.Store.
func (s *Store) RaiseClock(ctx context.Context, shape *tables.Shape, ms int64) error {
	_, err := s.exec(ctx, "UPDATE cordon_clock SET ms=greatest(ms,$2) WHERE name=$1", shape.Table, ms)
	return err
}

// Records implements copystore.Store.
func (s *Store) Records(ctx context.Context, table string, columns []string, yield func([]any) error) error {
	found, err := s.pool.Query(ctx, "SELECT "+rows.Quoted(columns)+" FROM "+rows.Quote(table))
	if err != nil {
		return translate(err)
	}
	defer found.Close()
	for found.Next() {
		values, err := found.Values()
		if err != nil {
			return translate(err)
		}
		if err := yield(values); err != nil {
			return err
		}
	}
	return translate(found.Err())
}

// PutRecords implements copystore.Store.
func (s *Store) PutRecords(ctx context.Context, table string, columns []string, records [][]any) error {
	marks := make([]string, len(columns))
	for i := range marks {
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	text := "INSERT INTO " + rows.Quote(table) + " (" + rows.Quoted(columns) + ") VALUES (" +
		strings.Join(marks, ",") + ")"
	err := s.transact(ctx, func(ctx context.Context, tx pgx.Tx, _ bool) error {
		for _, r := range records {
			if _, err := tx.Exec(ctx, text, r...); err != nil {
				return err
			}
		}
		return nil
	})
	return translate(err)
}
