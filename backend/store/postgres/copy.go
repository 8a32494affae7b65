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
	rows, err := s.pool.Query(ctx, "SELECT DISTINCT tbl FROM cordon_columns ORDER BY tbl")
	if err != nil {
		return nil, translate(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, translate(err)
	}
	var out []tables.Definition
	for _, name := range names {
		have, err := columns(ctx, s.pool, name)
		if err != nil {
			return nil, translate(err)
		}
		out = append(out, schema.Definition(name, have))
	}
	return out, nil
}

// Put implements copystore.Store. It copies with COPY.
func (s *Store) Put(ctx context.Context, shape *tables.Shape, all [][]odata.Value) error {
	names := make([]string, len(shape.Columns))
	for i, c := range shape.Columns {
		names[i] = strings.Trim(column(c.Name), `"`)
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
	rows, err := s.pool.Query(ctx, "SELECT "+quoted(columns)+" FROM "+quote(table))
	if err != nil {
		return translate(err)
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return translate(err)
		}
		if err := yield(values); err != nil {
			return err
		}
	}
	return translate(rows.Err())
}

// PutRecords implements copystore.Store.
func (s *Store) PutRecords(ctx context.Context, table string, columns []string, records [][]any) error {
	marks := make([]string, len(columns))
	for i := range marks {
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	text := "INSERT INTO " + quote(table) + " (" + quoted(columns) + ") VALUES (" + strings.Join(marks, ",") + ")"
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

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quote(n)
	}
	return strings.Join(out, ",")
}
