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

// catalogued is a row of cordon_columns.
func catalogued(table, name, typ string) (tables.ColumnDef, error) {
	t, ok := types[typ]
	if !ok {
		return tables.ColumnDef{}, fmt.Errorf("table %s has a column of type %s", table, typ)
	}
	return tables.ColumnDef{Name: name, Type: t}, nil
}

// definition is that of a table as a database has it: the system columns first.
func definition(name string, have []tables.ColumnDef) tables.Definition {
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

// shapeOf makes the shape of a table: what the definition says about a column
// counts; columns that only the database has follow.
func shapeOf(d tables.Definition, have []tables.ColumnDef) (*tables.Shape, error) {
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

// extended is the shape of a table after columns were added.
func extended(s *tables.Shape, have []tables.ColumnDef) (*tables.Shape, error) {
	return shapeOf(tables.Definition{Name: s.Table, Columns: s.Columns, SoftDelete: s.SoftDelete}, have)
}

// missing are the columns that a table has to be given. One of another type is a
// [tables.SchemaError].
func missing(table string, have, wanted []tables.ColumnDef) ([]tables.ColumnDef, error) {
	var out []tables.ColumnDef
	for _, w := range wanted {
		i := find(have, w.Name)
		if i < 0 {
			out = append(out, w)
		} else if have[i].Type != w.Type {
			return nil, &tables.SchemaError{Table: table, Column: w.Name,
				Msg: fmt.Sprintf("it is a %s in the database, not a %s", have[i].Type, w.Type)}
		}
	}
	return out, nil
}

// index is an index that a table needs.
type index struct {
	name    string
	unique  bool
	columns []string
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
	prefix := "ix"
	if unique {
		prefix = "ux"
	}
	h := fnv.New64a()
	for _, c := range columns {
		_, _ = h.Write([]byte(strings.ToLower(c) + "\x00")) // never fails
	}
	return index{fmt.Sprintf("cordon_%s_%.30s_%012x", prefix, table, h.Sum64()>>16), unique, columns}
}
