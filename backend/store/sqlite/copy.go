package sqlite

import (
	"context"
	"database/sql/driver"
	"strings"

	"github.com/cordon-sec/cordon/backend/store/copystore"
	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

var _ copystore.Store = (*Store)(nil)

// Newer implements copystore.Store.
func (s *Store) Newer() []string { return s.newer }

// Catalog implements copystore.Store.
func (s *Store) Catalog(ctx context.Context) (out []tables.Definition, err error) {
	err = s.read(ctx, func(c *conn) error {
		var names []string
		err := c.query(ctx, "SELECT DISTINCT tbl FROM cordon_columns ORDER BY tbl", nil,
			func(row []driver.Value) error {
				names = append(names, asText(row[0]))
				return nil
			})
		for _, name := range names {
			have, e := columns(ctx, c, name)
			if e != nil {
				return e
			}
			out = append(out, schema.Definition(name, have))
		}
		return err
	})
	return out, err
}

// Put implements copystore.Store.
func (s *Store) Put(ctx context.Context, shape *tables.Shape, rows [][]odata.Value) error {
	return s.writer.do(ctx, func(w *writer) error {
		return w.atomic(func() error {
			for _, row := range rows {
				var c compiler
				c.write("INSERT INTO ", quote(shape.Table), " (")
				c.insertion(shape, row, shape.All()[shape.System():])
				if _, err := w.c.exec(c.sql.String(), c.args); err != nil {
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
	return s.read(ctx, func(c *conn) error {
		return c.query(ctx, "SELECT "+quoted(columns)+" FROM "+quote(table), nil, func(row []driver.Value) error {
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
	text := "INSERT INTO " + quote(table) + " (" + quoted(columns) + ") VALUES (?" +
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

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quote(n)
	}
	return strings.Join(out, ",")
}
