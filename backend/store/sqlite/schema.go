package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Dates are milliseconds, booleans 0 and 1, versions integers.
var columnTypes = map[odata.Type]string{
	odata.String: "TEXT", odata.Number: "REAL", odata.Boolean: "INTEGER", odata.Date: "INTEGER",
	odata.Integer: "INTEGER", odata.Version: "INTEGER",
}

// Define implements tables.Store.
func (s *Store) Define(ctx context.Context, d tables.Definition) (shape *tables.Shape, created bool, err error) {
	all, err := s.DefineAll(ctx, []tables.Definition{d})
	if err != nil {
		return nil, false, err
	}
	return all[0].Shape, all[0].Created, nil
}

// DefineAll implements tables.Store.
func (s *Store) DefineAll(ctx context.Context, all []tables.Definition) ([]tables.Defined, error) {
	unchanged := func(d tables.Definition) (*tables.Shape, error) { return s.unchanged(ctx, d) }
	return schema.DefineAll(all, unchanged, func(todo []int, done []tables.Defined) error {
		return s.writer.do(ctx, func(w *writer) error {
			return w.atomic(func() error {
				for _, i := range todo {
					shape, created, err := w.define(ctx, all[i])
					if err != nil {
						return err
					}
					done[i] = tables.Defined{Shape: shape, Created: created}
				}
				return nil
			})
		})
	})
}

// unchanged looks whether there is nothing to do, which is the usual case at a
// start and then needs no transaction.
func (s *Store) unchanged(ctx context.Context, d tables.Definition) (shape *tables.Shape, err error) {
	err = s.read(ctx, func(c *conn) error {
		have, err := columns(ctx, c, d.Name)
		if err != nil {
			return err
		}
		if !schema.Covers(have, d.Columns) {
			return nil
		}
		for _, ix := range schema.Indexes(d) {
			n, err := c.number("SELECT count(*) FROM sqlite_master WHERE type='index' AND name=?", ix.Name)
			if err != nil || n == 0 {
				return err
			}
		}
		shape, err = schema.Shape(d, have)
		return err
	})
	return shape, err
}

// columns reads the catalogue.
func columns(ctx context.Context, c *conn, table string) ([]tables.ColumnDef, error) {
	var out []tables.ColumnDef
	err := c.query(ctx, "SELECT name, type FROM cordon_columns WHERE tbl=? ORDER BY pos", named([]driver.Value{table}),
		func(row []driver.Value) error {
			c, err := schema.Catalogued(table, asText(row[0]), asText(row[1]))
			out = append(out, c)
			return err
		})
	return out, err
}

// define brings the table to the definition, inside a transaction.
func (w *writer) define(ctx context.Context, d tables.Definition) (*tables.Shape, bool, error) {
	have, err := columns(ctx, w.c, d.Name)
	if err != nil {
		return nil, false, err
	}
	created := len(have) == 0
	if created {
		if err := w.create(d); err != nil {
			return nil, false, err
		}
		have = d.Columns
	}
	missing, err := schema.Missing(d.Name, have, d.Columns)
	if err != nil {
		return nil, false, err
	}
	if err := w.addColumns(d.Name, missing); err != nil {
		return nil, false, err
	}
	for _, ix := range schema.Indexes(d) {
		if _, err := w.c.exec(ix.Make(d.Name, quote, quote), nil); err != nil {
			return nil, false, &tables.SchemaError{Table: d.Name, Column: strings.Join(ix.Columns, ","),
				Msg: "the index cannot be made", Err: err}
		}
	}
	shape, err := schema.Shape(d, append(slices.Clone(have), missing...))
	return shape, created, err
}

func (w *writer) create(d tables.Definition) error {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + quote(d.Name) + " (")
	for i, c := range d.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(columnSQL(c))
	}
	b.WriteString(")")
	n, err := w.c.number("SELECT count(*) FROM sqlite_master WHERE name=? COLLATE NOCASE", d.Name)
	if err != nil {
		return err
	}
	if n > 0 {
		return &tables.SchemaError{Table: d.Name, Column: "*",
			Msg: "the database has a table of this name that is not Cordon's"}
	}
	if _, err := w.c.exec(b.String(), nil); err != nil {
		return err
	}
	return w.record(d.Name, d.Columns)
}

func columnSQL(c tables.ColumnDef) string {
	text := quote(c.Name) + " " + columnTypes[c.Type]
	switch c.Name {
	case "id":
		if c.Type == odata.Integer {
			return text + " PRIMARY KEY AUTOINCREMENT"
		}
		return text + " PRIMARY KEY NOT NULL"
	case "createdAt", "updatedAt", "version":
		return text + " NOT NULL"
	case "deleted":
		return text + " NOT NULL DEFAULT 0"
	}
	return text
}

func (w *writer) record(table string, columns []tables.ColumnDef) error {
	for _, c := range columns {
		_, err := w.c.exec("INSERT INTO cordon_columns(tbl,pos,name,type) VALUES(?,(SELECT 1+ifnull(max(pos),0) FROM "+
			"cordon_columns WHERE tbl=?),?,?)",
			named([]driver.Value{table, table, c.Name, c.Type.String()}))
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) addColumns(table string, columns []tables.ColumnDef) error {
	for _, c := range columns {
		if _, err := w.c.exec("ALTER TABLE "+quote(table)+" ADD COLUMN "+columnSQL(c), nil); err != nil {
			return &tables.SchemaError{Table: table, Column: c.Name, Msg: "it cannot be added", Err: err}
		}
	}
	return w.record(table, columns)
}

// Extend implements tables.Store.
func (s *Store) Extend(ctx context.Context, shape *tables.Shape, wanted []tables.ColumnDef) (*tables.Shape, error) {
	var out *tables.Shape
	err := s.writer.do(ctx, func(w *writer) error {
		return w.atomic(func() error {
			have, err := columns(ctx, w.c, shape.Table)
			if err != nil {
				return err
			}
			missing, err := schema.Missing(shape.Table, have, wanted)
			if err != nil {
				return err
			}
			if err := w.addColumns(shape.Table, missing); err != nil {
				return err
			}
			out, err = schema.Extended(shape, append(have, missing...))
			return err
		})
	})
	return out, err
}

// Refresh implements tables.Store.
func (s *Store) Refresh(ctx context.Context, shape *tables.Shape) (out *tables.Shape, err error) {
	err = s.read(ctx, func(c *conn) error {
		have, err := columns(ctx, c, shape.Table)
		if err != nil {
			return err
		}
		out, err = schema.Refreshed(shape, have)
		return err
	})
	return out, err
}
