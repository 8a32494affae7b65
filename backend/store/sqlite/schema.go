package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Dates are milliseconds, booleans 0 and 1, versions integers.
var columnTypes = map[odata.Type]string{
	odata.String: "TEXT", odata.Number: "REAL", odata.Boolean: "INTEGER", odata.Date: "INTEGER",
	odata.Integer: "INTEGER", odata.Version: "INTEGER",
}

var typeNames = map[string]odata.Type{
	"string": odata.String, "number": odata.Number, "boolean": odata.Boolean, "date": odata.Date,
	"integer": odata.Integer, "version": odata.Version,
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
	done := make([]tables.Defined, len(all))
	var todo []int
	for i, d := range all {
		shape, ok, err := s.unchanged(ctx, d)
		if err != nil {
			return nil, err
		}
		if done[i].Shape = shape; !ok {
			todo = append(todo, i)
		}
	}
	if len(todo) == 0 {
		return done, nil
	}
	err := s.writer.do(ctx, func(w *writer) error {
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
	if err != nil {
		return nil, err
	}
	return done, nil
}

// unchanged looks whether there is nothing to do, which is the usual case at a
// start and then needs no transaction.
func (s *Store) unchanged(ctx context.Context, d tables.Definition) (shape *tables.Shape, ok bool, err error) {
	err = s.read(ctx, func(c *conn) error {
		have, err := columns(ctx, c, d.Name)
		if err != nil {
			return err
		}
		for _, want := range d.Columns {
			i := slices.IndexFunc(have, func(h tables.ColumnDef) bool { return strings.EqualFold(h.Name, want.Name) })
			if i < 0 || have[i].Type != want.Type {
				return nil
			}
		}
		for _, ix := range indexes(d) {
			n, err := c.number("SELECT count(*) FROM sqlite_master WHERE type='index' AND name=?", ix.name)
			if err != nil || n == 0 {
				return err
			}
		}
		shape, err = merge(d, have)
		ok = err == nil
		return err
	})
	return shape, ok, err
}

// columns reads the catalogue.
func columns(ctx context.Context, c *conn, table string) ([]tables.ColumnDef, error) {
	var out []tables.ColumnDef
	err := c.query(ctx, "SELECT name, type FROM cordon_columns WHERE tbl=? ORDER BY pos", named([]driver.Value{table}),
		func(row []driver.Value) error {
			typ, ok := typeNames[row[1].(string)]
			if !ok {
				return fmt.Errorf("sqlite: table %s has a column of type %s", table, row[1])
			}
			out = append(out, tables.ColumnDef{Name: row[0].(string), Type: typ})
			return nil
		})
	return out, err
}

// merge makes the shape of a table: what the definition says about a column
// counts; columns that only the database has follow.
func merge(d tables.Definition, have []tables.ColumnDef) (*tables.Shape, error) {
	all := slices.Clone(d.Columns)
	for _, h := range have {
		i := slices.IndexFunc(all, func(c tables.ColumnDef) bool { return strings.EqualFold(c.Name, h.Name) })
		switch {
		case i >= 0:
			all[i].Name = h.Name
		case h.Name != "deleted": // a table that no longer deletes softly
			all = append(all, h)
		}
	}
	return tables.NewShape(d.Name, all, d.SoftDelete)
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
	var missing []tables.ColumnDef
	for _, want := range d.Columns {
		i := slices.IndexFunc(have, func(h tables.ColumnDef) bool { return strings.EqualFold(h.Name, want.Name) })
		if i < 0 {
			missing = append(missing, want)
		} else if have[i].Type != want.Type {
			return nil, false, &tables.SchemaError{Table: d.Name, Column: want.Name,
				Msg: fmt.Sprintf("it is a %s in the database and a %s in the configuration", have[i].Type, want.Type)}
		}
	}
	if err := w.addColumns(d.Name, missing); err != nil {
		return nil, false, err
	}
	for _, ix := range indexes(d) {
		if _, err := w.c.exec("CREATE "+ix.kind+" IF NOT EXISTS "+quote(ix.name)+" ON "+quote(d.Name)+" ("+ix.columns+
			")", nil); err != nil {
			return nil, false, &tables.SchemaError{Table: d.Name, Column: ix.columns,
				Msg: "the index cannot be made: " + err.Error()}
		}
	}
	shape, err := merge(d, append(slices.Clone(have), missing...))
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
			return &tables.SchemaError{Table: table, Column: c.Name, Msg: "it cannot be added: " + err.Error()}
		}
	}
	return w.record(table, columns)
}

// index is an index that a table needs.
type index struct{ name, kind, columns string }

// indexes are those of a definition: updatedAt with id, which sync reads by,
// the unique columns and the configured ones.
func indexes(d tables.Definition) []index {
	out := []index{newIndex(d.Name, false, []string{"updatedAt", "id"})}
	for _, c := range d.Columns {
		if c.Unique {
			out = append(out, newIndex(d.Name, true, []string{c.Name}))
		}
	}
	for _, columns := range d.Indexes {
		out = append(out, newIndex(d.Name, false, columns))
	}
	return out
}

func newIndex(table string, unique bool, columns []string) index {
	ix := index{kind: "INDEX"}
	if unique {
		ix.kind = "UNIQUE INDEX"
	}
	h := fnv.New64a()
	for i, c := range columns {
		if i > 0 {
			ix.columns += ","
		}
		ix.columns += quote(c)
		_, _ = h.Write([]byte(strings.ToLower(c) + "\x00")) // never fails
	}
	ix.name = fmt.Sprintf("cordon_%s_%.30s_%012x", map[bool]string{false: "ix", true: "ux"}[unique], table,
		h.Sum64()>>16)
	return ix
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
			var missing []tables.ColumnDef
			for _, c := range wanted {
				i := slices.IndexFunc(have, func(h tables.ColumnDef) bool { return strings.EqualFold(h.Name, c.Name) })
				if i < 0 {
					missing = append(missing, c)
				} else if have[i].Type != c.Type {
					return &tables.SchemaError{Table: shape.Table, Column: c.Name,
						Msg: fmt.Sprintf("it is a %s", have[i].Type)}
				}
			}
			if err := w.addColumns(shape.Table, missing); err != nil {
				return err
			}
			out, err = merge(definition(shape), append(have, missing...))
			return err
		})
	})
	return out, err
}

// definition is the part of a shape's definition that merge needs.
func definition(s *tables.Shape) tables.Definition {
	return tables.Definition{Name: s.Table, Columns: s.Columns, SoftDelete: s.SoftDelete}
}

// Refresh implements tables.Store.
func (s *Store) Refresh(ctx context.Context, shape *tables.Shape) (*tables.Shape, error) {
	out := shape
	err := s.read(ctx, func(c *conn) error {
		have, err := columns(ctx, c, shape.Table)
		if err != nil {
			return err
		}
		fresh, err := merge(definition(shape), have)
		if err == nil && len(fresh.Columns) != len(shape.Columns) {
			out = fresh
		}
		return err
	})
	return out, err
}
