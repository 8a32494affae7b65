package schema

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

var types = map[string]odata.Type{
	"string": odata.String, "number": odata.Number, "boolean": odata.Boolean, "date": odata.Date,
	"integer": odata.Integer, "version": odata.Version,
}

// Catalogued is a row of cordon_columns.
func Catalogued(table, name, typ string) (tables.ColumnDef, error) {
	t, ok := types[typ]
	if !ok {
		return tables.ColumnDef{}, fmt.Errorf("table %s has a column of type %s", table, typ)
	}
	return tables.ColumnDef{Name: name, Type: t}, nil
}

// Definition is that of a table as a database has it: the system columns first.
func Definition(name string, have []tables.ColumnDef) tables.Definition {
	d := tables.Definition{Name: name}
	for _, system := range []string{"id", "createdAt", "updatedAt", "version", "deleted"} {
		for _, c := range have {
			if c.Name == system {
				d.Columns = append(d.Columns, c)
				d.SoftDelete = system == "deleted"
			}
		}
	}
	for _, c := range have {
		switch c.Name {
		case "id", "createdAt", "updatedAt", "version", "deleted":
		default:
			d.Columns = append(d.Columns, c)
		}
	}
	return d
}

// find returns the column of a name, in whatever case: databases do not tell apart
// what differs in it alone.
func find(columns []tables.ColumnDef, name string) int {
	return slices.IndexFunc(columns, func(c tables.ColumnDef) bool { return strings.EqualFold(c.Name, name) })
}

// Shape makes the shape of a table: what the definition says about a column
// counts; columns that only the database has follow.
func Shape(d tables.Definition, have []tables.ColumnDef) (*tables.Shape, error) {
	all := slices.Clone(d.Columns)
	for _, h := range have {
		i := find(all, h.Name)
		switch {
		case i >= 0:
			all[i].Name = h.Name
		case h.Name != "deleted": // a table that no longer deletes softly
			all = append(all, h)
		}
	}
	return tables.NewShape(d.Name, all, d.SoftDelete)
}

// Extended is the shape of a table after columns were added.
func Extended(s *tables.Shape, have []tables.ColumnDef) (*tables.Shape, error) {
	return Shape(tables.Definition{Name: s.Table, Columns: s.Columns, SoftDelete: s.SoftDelete}, have)
}

// Refreshed is the shape with what the database has by now: the same one if that
// is nothing new.
func Refreshed(s *tables.Shape, have []tables.ColumnDef) (*tables.Shape, error) {
	fresh, err := Extended(s, have)
	if err != nil || len(fresh.Columns) == len(s.Columns) {
		return s, err
	}
	return fresh, nil
}

// Covers reports whether a table has all columns that are wanted, in their types.
func Covers(have, wanted []tables.ColumnDef) bool {
	missing, err := Missing("", have, wanted)
	return err == nil && len(missing) == 0
}

// Missing are the columns that a table has to be given. One of another type is a
// [tables.SchemaError].
func Missing(table string, have, wanted []tables.ColumnDef) ([]tables.ColumnDef, error) {
	var missing []tables.ColumnDef
	for _, w := range wanted {
		i := find(have, w.Name)
		if i < 0 {
			missing = append(missing, w)
		} else if have[i].Type != w.Type {
			return nil, &tables.SchemaError{Table: table, Column: w.Name,
				Msg: fmt.Sprintf("it is a %s in the database, not a %s", have[i].Type, w.Type)}
		}
	}
	return missing, nil
}

// Index is an index that a table needs.
type Index struct {
	Name    string
	Unique  bool
	Columns []string
}

// Indexes are those of a definition, each once: updatedAt with id, which sync
// reads by, the unique columns and the configured ones.
func Indexes(d tables.Definition) []Index {
	out := []Index{newIndex(d.Name, false, []string{"updatedAt", "id"})}
	add := func(ix Index) {
		if !slices.ContainsFunc(out, func(o Index) bool { return o.Name == ix.Name }) {
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

func newIndex(table string, unique bool, columns []string) Index {
	prefix := "ix"
	if unique {
		prefix = "ux"
	}
	h := fnv.New64a()
	for _, c := range columns {
		_, _ = h.Write([]byte(strings.ToLower(c) + "\x00")) // never fails
	}
	return Index{fmt.Sprintf("cordon_%s_%.30s_%012x", prefix, table, h.Sum64()>>16), unique, columns}
}

// Make is the statement that makes the index where it is missing, by the database's
// ways to write a name and a column's.
func (ix Index) Make(table string, quote, column func(string) string) string {
	names := make([]string, len(ix.Columns))
	for i, c := range ix.Columns {
		names[i] = column(c)
	}
	kind := "INDEX"
	if ix.Unique {
		kind = "UNIQUE INDEX"
	}
	return "CREATE " + kind + " IF NOT EXISTS " + quote(ix.Name) + " ON " + quote(table) + " (" +
		strings.Join(names, ",") + ")"
}

// DefineAll is tables.Store's DefineAll but for the database: unchanged returns the
// shape of a table at which there is nothing to do, which is the usual case at a
// start and then needs no lock, and nil for another; change defines those of the
// numbers in todo, all or none, and fills in what came of them.
func DefineAll(all []tables.Definition, unchanged func(tables.Definition) (*tables.Shape, error),
	change func(todo []int, done []tables.Defined) error) ([]tables.Defined, error) {
	done := make([]tables.Defined, len(all))
	var todo []int
	for i, d := range all {
		shape, err := unchanged(d)
		if err != nil {
			return nil, err
		}
		if done[i].Shape = shape; shape == nil {
			todo = append(todo, i)
		}
	}
	if len(todo) == 0 {
		return done, nil
	}
	if err := change(todo, done); err != nil {
		return nil, err
	}
	return done, nil
}
