package sqlite

import (
	"context"
	"database/sql/driver"
	"strings"

	"github.com/cordon-sec/cordon/backend/store/copystore"
	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

var _ copystore.Store = (*Store)(nil)

// Newer implements copystore.Store.
func (s *Store) Newer() []string { return s.newer }

// Catalog implements copystore.Store.
func (s *Store) Catalog(ctx context.Context) (out []tables.Definition, err error) {
	err = s.look(ctx, func(db schema.Catalog) (err error) {
		out, err = schema.Definitions(db)
		return err
	})
	return out, err
}

// Put implements copystore.Store.
func (s *Store) Put(ctx context.Context, shape *tables.Shape, all [][]odata.Value) error {
	return s.writer.do(ctx, func(w *writer) error {
		return w.atomic(func() error {
			for _, row := range all {
				if _, err := w.c.perform(dialect.Insert(shape, row, shape.All()[shape.System():])); err != nil {
					return err
				}
			}
			delete(w.last, shape.Table) // the rows brought stamps with them
			return nil
		})
	})
}

// RaiseClock implements copystore.Store.
func (s *Store) RaiseClock(ctx context.Context, shape *tables.Shape, ms int64) error {
	return s.writer.do(ctx, func(w *writer) error {
		delete(w.last, shape.Table)
		_, err := w.c.exec(raiseClock, named2(shape.Table, ms))
		return err
	})
}

// Records implements copystore.Store.
func (s *Store) Records(ctx context.Context, table string, columns []string, yield func([]any) error) error {
	text := "SELECT " + rows.Quoted(columns) + " FROM " + rows.Quote(table)
	return s.read(ctx, func(c *conn) error {
		return c.query(ctx, text, nil, func(row []driver.Value) error {
			out := make([]any, len(row))
			for i, v := range row {
				out[i] = v
			}
			return yield(out)
		})
	})
}

// PutRecords implements copystore.Store.
func (s *Store) PutRecords(ctx context.Context, table string, columns []string, records [][]any) error {
	text := "INSERT INTO " + rows.Quote(table) + " (" + rows.Quoted(columns) + ") VALUES (?" +
		strings.Repeat(",?", len(columns)-1) + ")"
	return s.writer.do(ctx, func(w *writer) error {
		return w.atomic(func() error {
			for _, r := range records {
				args := make([]driver.Value, len(r))
				for i, v := range r {
					args[i] = v
				}
				if _, err := w.c.exec(text, named(args)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
