package sqlite

import (
	"context"
	"database/sql/driver"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/tables"
)

// catalog is a connection as schema wants it.
type catalog struct {
	ctx context.Context
	*conn
}

// Dialect implements schema.Catalog.
func (catalog) Dialect() *rows.Dialect { return &dialect }

// Texts implements schema.Catalog.
func (c catalog) Texts(q *rows.Statement, yield func([]string) error) error {
	return c.ask(c.ctx, q, func(row []driver.Value) error {
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = asText(v)
		}
		return yield(texts)
	})
}

// Exec implements schema.Catalog.
func (c catalog) Exec(s *rows.Statement) error {
	_, err := c.perform(s)
	return err
}

// Taken implements schema.Catalog.
func (c catalog) Taken(table string) (bool, error) {
	n, err := c.number("SELECT count(*) FROM sqlite_master WHERE name=? COLLATE NOCASE", table)
	return n > 0, err
}

// Indexed implements schema.Catalog.
func (c catalog) Indexed(names []string) (bool, error) {
	for _, name := range names {
		n, err := c.number("SELECT count(*) FROM sqlite_master WHERE type='index' AND name=?", name)
		if err != nil || n == 0 {
			return false, err
		}
	}
	return true, nil
}

// Refused implements schema.Catalog.
func (catalog) Refused(wrong *tables.SchemaError) error { return wrong }

// look gives f the catalogue to read.
func (s *Store) look(ctx context.Context, f func(schema.Catalog) error) error {
	return s.read(ctx, func(c *conn) error { return f(catalog{ctx, c}) })
}

// alter lets f change tables: all of it happens or nothing.
func (s *Store) alter(ctx context.Context, f func(schema.Catalog) error) error {
	return s.writer.do(ctx, func(w *writer) error {
		return w.atomic(func() error { return f(catalog{ctx, w.c}) })
	})
}

// DefineAll implements tables.Store.
func (s *Store) DefineAll(ctx context.Context, all []tables.Definition) ([]tables.Defined, error) {
	look := func(f func(schema.Catalog) error) error { return s.look(ctx, f) }
	return schema.DefineAll(all, look, func(f func(schema.Catalog, bool) error) error {
		return s.alter(ctx, func(db schema.Catalog) error { return f(db, false) })
	})
}

// Extend implements tables.Store.
func (s *Store) Extend(ctx context.Context, shape *tables.Shape, wanted []tables.ColumnDef) (out *tables.Shape,
	err error) {
	err = s.alter(ctx, func(db schema.Catalog) (err error) {
		out, err = schema.Extend(db, shape, wanted)
		return err
	})
	return out, err
}

// Refresh implements tables.Store.
func (s *Store) Refresh(ctx context.Context, shape *tables.Shape) (out *tables.Shape, err error) {
	err = s.look(ctx, func(db schema.Catalog) (err error) {
		out, err = schema.Refresh(db, shape)
		return err
	})
	return out, err
}
