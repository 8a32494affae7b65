package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/jackc/pgx/v5"
)

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
		shape, err := s.unchanged(ctx, d)
		if err != nil {
			return nil, translate(err)
		}
		if done[i].Shape = shape; shape == nil {
			todo = append(todo, i)
		}
	}
	if len(todo) == 0 {
		return done, nil
	}
	err := s.transact(ctx, func(ctx context.Context, tx pgx.Tx, again bool) error {
		if err := lockSchema(ctx, tx); err != nil {
			return err
		}
		for _, i := range todo {
			shape, made, err := define(ctx, tx, all[i])
			if err != nil {
				return err
			}
			done[i] = tables.Defined{Shape: shape, Created: made || done[i].Created && again}
		}
		return nil
	})
	if err != nil {
		return nil, translate(err)
	}
	return done, nil
}

// unchanged looks whether there is nothing to do, which is the usual case at a
// start and then needs no lock. Otherwise the shape is nil.
func (s *Store) unchanged(ctx context.Context, d tables.Definition) (*tables.Shape, error) {
	have, err := columns(ctx, s.pool, d.Name)
	if err != nil {
		return nil, err
	}
	for _, want := range d.Columns {
		i := slices.IndexFunc(have, func(h tables.ColumnDef) bool { return strings.EqualFold(h.Name, want.Name) })
		if i < 0 || have[i].Type != want.Type {
			return nil, nil
		}
	}
	var names []string
	for _, ix := range indexes(d) {
		names = append(names, ix.name)
	}
	var found int
	err = s.pool.QueryRow(ctx,
		"SELECT count(*) FROM pg_class c WHERE relkind='i' AND relname=ANY($1) AND pg_table_is_visible(c.oid)",
		names).Scan(&found)
	if err != nil || found < len(names) {
		return nil, err
	}
	return merge(d, have)
}

// lockSchema lets one process at a time change tables.
func lockSchema(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock))
	return err
}

func columns(ctx context.Context, q querier, table string) ([]tables.ColumnDef, error) {
	rows, err := q.Query(ctx, "SELECT name, type FROM cordon_columns WHERE tbl=$1 ORDER BY pos", table)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (tables.ColumnDef, error) {
		var name, typ string
		err := row.Scan(&name, &typ)
		t, ok := typeNames[typ]
		if err == nil && !ok {
			err = fmt.Errorf("postgres: table %s has a column of type %s", table, typ)
		}
		return tables.ColumnDef{Name: name, Type: t}, err
	})
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

func define(ctx context.Context, tx pgx.Tx, d tables.Definition) (*tables.Shape, bool, error) {
	have, err := columns(ctx, tx, d.Name)
	if err != nil {
		return nil, false, err
	}
	created := len(have) == 0
	if created {
		if err := create(ctx, tx, d); err != nil {
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
	if err := addColumns(ctx, tx, d.Name, missing); err != nil {
		return nil, false, err
	}
	if err := makeIndexes(ctx, tx, d); err != nil {
		return nil, false, err
	}
	shape, err := merge(d, append(slices.Clone(have), missing...))
	return shape, created, err
}

func create(ctx context.Context, tx pgx.Tx, d tables.Definition) error {
	var there bool
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_class c WHERE lower(relname)=lower($1) AND "+
		"pg_table_is_visible(c.oid))", d.Name).Scan(&there)
	if err != nil {
		return err
	}
	if there {
		return &tables.SchemaError{Table: d.Name, Column: "*",
			Msg: "the database has a table of this name that is not Cordon's"}
	}
	var b strings.Builder
	b.WriteString("CREATE TABLE " + quote(d.Name) + " (")
	for i, c := range d.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(columnSQL(c))
	}
	b.WriteString(")")
	if _, err := tx.Exec(ctx, b.String()); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO cordon_clock(name,ms) VALUES($1,0) ON CONFLICT DO NOTHING",
		d.Name); err != nil {
		return err
	}
	return record(ctx, tx, d.Name, d.Columns)
}

func columnSQL(c tables.ColumnDef) string {
	text := column(c.Name) + " " + sqlTypes[c.Type]
	if c.Type == odata.String {
		text += ` COLLATE "C"`
	}
	switch c.Name {
	case "id":
		if c.Type == odata.Integer {
			return text + " GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
		}
		return text + " PRIMARY KEY"
	case "createdAt", "updatedAt", "version":
		return text + " NOT NULL"
	case "deleted":
		return text + " NOT NULL DEFAULT false"
	}
	return text
}

func record(ctx context.Context, tx pgx.Tx, table string, columns []tables.ColumnDef) error {
	for _, c := range columns {
		_, err := tx.Exec(ctx, "INSERT INTO cordon_columns(tbl,pos,name,type) VALUES($1,(SELECT "+
			"1+coalesce(max(pos),0) FROM cordon_columns WHERE tbl=$1),$2,$3)",
			table, c.Name, c.Type.String())
		if err != nil {
			return err
		}
	}
	return nil
}

func addColumns(ctx context.Context, tx pgx.Tx, table string, columns []tables.ColumnDef) error {
	for _, c := range columns {
		if _, err := tx.Exec(ctx, "ALTER TABLE "+quote(table)+" ADD COLUMN "+columnSQL(c)); err != nil {
			return err
		}
	}
	return record(ctx, tx, table, columns)
}

// index is an index that a table needs.
type index struct {
	name, kind string
	columns    []string
}

// indexes are those of a definition, each once: updatedAt with id, which sync
// reads by, the unique columns and the configured ones.
func indexes(d tables.Definition) []index {
	out := []index{newIndex(d.Name, false, []string{"updatedAt", "id"})}
	add := func(ix index) {
		if !slices.ContainsFunc(out, func(o index) bool { return o.name == ix.name }) {
			out = append(out, ix)
		}
	}
	for _, c := range d.Columns {
		if c.Unique {
			add(newIndex(d.Name, true, []string{c.Name}))
		}
	}
	for _, columns := range d.Indexes {
		add(newIndex(d.Name, false, columns))
	}
	return out
}

func newIndex(table string, unique bool, columns []string) index {
	ix := index{kind: "INDEX", columns: columns}
	prefix := "ix"
	if unique {
		ix.kind, prefix = "UNIQUE INDEX", "ux"
	}
	h := fnv.New64a()
	for _, c := range columns {
		_, _ = h.Write([]byte(strings.ToLower(c) + "\x00")) // never fails
	}
	ix.name = fmt.Sprintf("cordon_%s_%.30s_%012x", prefix, table, h.Sum64()>>16)
	return ix
}

func makeIndexes(ctx context.Context, tx pgx.Tx, d tables.Definition) error {
	for _, ix := range indexes(d) {
		list := make([]string, len(ix.columns))
		for i, c := range ix.columns {
			list[i] = column(c)
		}
		_, err := tx.Exec(ctx, "CREATE "+ix.kind+" IF NOT EXISTS "+quote(ix.name)+" ON "+quote(d.Name)+" ("+
			strings.Join(list, ",")+")")
		var taken *tables.DuplicateError
		if errors.As(translate(err), &taken) {
			return &tables.SchemaError{Table: d.Name, Column: strings.Join(ix.columns, ","),
				Msg: "the rows have the same value more than once"}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Extend implements tables.Store.
func (s *Store) Extend(ctx context.Context, shape *tables.Shape, wanted []tables.ColumnDef) (out *tables.Shape,
	err error) {
	err = s.transact(ctx, func(ctx context.Context, tx pgx.Tx, _ bool) error {
		if err := lockSchema(ctx, tx); err != nil {
			return err
		}
		have, err := columns(ctx, tx, shape.Table)
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
		if err := addColumns(ctx, tx, shape.Table, missing); err != nil {
			return err
		}
		out, err = merge(definition(shape), append(have, missing...))
		return err
	})
	return out, translate(err)
}

// definition is the part of a shape's definition that merge needs.
func definition(s *tables.Shape) tables.Definition {
	return tables.Definition{Name: s.Table, Columns: s.Columns, SoftDelete: s.SoftDelete}
}

// Refresh implements tables.Store.
func (s *Store) Refresh(ctx context.Context, shape *tables.Shape) (*tables.Shape, error) {
	have, err := columns(ctx, s.pool, shape.Table)
	if err != nil {
		return nil, translate(err)
	}
	fresh, err := merge(definition(shape), have)
	if err != nil || len(fresh.Columns) == len(shape.Columns) {
		return shape, err
	}
	return fresh, nil
}
