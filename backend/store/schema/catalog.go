package schema

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Catalog is what a database does where tables come to their columns. [Define] and
// [Extend] want a transaction in which nobody else changes tables.
type Catalog interface {
	// Dialect is that of its statements.
	Dialect() *rows.Dialect
	// Texts gives the rows of a query whose columns are texts to yield.
	Texts(q *rows.Statement, yield func(row []string) error) error
	// Exec executes a statement.
	Exec(s *rows.Statement) error
	// Taken reports whether something in the database has this name, in whatever case.
	Taken(table string) (bool, error)
	// Indexed reports whether the database has all of these indexes.
	Indexed(names []string) (bool, error)
	// Refused is the error of an index or a column that cannot be made: the one given,
	// or another.
	Refused(*tables.SchemaError) error
}

// Definitions lists the tables that a database has, as it has them.
func Definitions(db Catalog) (all []tables.Definition, err error) {
	var names []string
	q := db.Dialect().Begin("SELECT DISTINCT tbl FROM cordon_columns ORDER BY tbl")
	err = db.Texts(q, func(row []string) error {
		names = append(names, row[0])
		return nil
	})
	for _, name := range names {
		have, err := columns(db, name)
		if err != nil {
			return nil, err
		}
		all = append(all, definition(name, have))
	}
	return all, err
}

// columns reads those of a table, in order.
func columns(db Catalog, table string) (all []tables.ColumnDef, err error) {
	q := db.Dialect().Begin("SELECT name, type FROM cordon_columns WHERE tbl=").Texts(table).Write(" ORDER BY pos")
	err = db.Texts(q, func(row []string) error {
		c, err := catalogued(table, row[0], row[1])
		all = append(all, c)
		return err
	})
	return all, err
}

// DefineAll is tables.Store's DefineAll but for the transactions: look gives a
// Catalog to look at, and change runs a function, perhaps again, within a transaction
// that changes tables. Where there is nothing to do, which is the usual case at a
// start, there is no such transaction, and no lock.
func DefineAll(all []tables.Definition, look func(func(Catalog) error) error,
	change func(func(db Catalog, again bool) error) error) ([]tables.Defined, error) {
	done := make([]tables.Defined, len(all))
	var todo []int
	for i, d := range all {
		err := look(func(db Catalog) (err error) {
			done[i].Shape, err = unchanged(db, d)
			return err
		})
		if err != nil {
			return nil, err
		}
		if done[i].Shape == nil {
			todo = append(todo, i)
		}
	}
	if len(todo) == 0 {
		return done, nil
	}
	err := change(func(db Catalog, again bool) error {
		for _, i := range todo {
			shape, made, err := define(db, all[i])
			if err != nil {
				return err
			}
			done[i] = tables.Defined{Shape: shape, Created: made || done[i].Created && again}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// unchanged is the shape of a table at which there is nothing to do, nil for another.
func unchanged(db Catalog, d tables.Definition) (*tables.Shape, error) {
	have, err := columns(db, d.Name)
	if err != nil {
		return nil, err
	}
	if lacking, err := missing(d.Name, have, d.Columns); err != nil || len(lacking) > 0 {
		return nil, nil // which define says
	}
	var names []string
	for _, ix := range indexes(d) {
		names = append(names, ix.name)
	}
	if there, err := db.Indexed(names); err != nil || !there {
		return nil, err
	}
	return shapeOf(d, have)
}

// define brings a table to its definition.
func define(db Catalog, d tables.Definition) (shape *tables.Shape, created bool, err error) {
	have, err := columns(db, d.Name)
	if err != nil {
		return nil, false, err
	}
	if created = len(have) == 0; created {
		if err := create(db, d); err != nil {
			return nil, false, err
		}
		have = d.Columns
	}
	have, err = add(db, d.Name, have, d.Columns)
	if err != nil {
		return nil, false, err
	}
	for _, ix := range indexes(d) {
		if err := db.Exec(ix.statement(db.Dialect(), d.Name)); err != nil {
			return nil, false, db.Refused(&tables.SchemaError{Table: d.Name, Column: strings.Join(ix.columns, ","),
				Msg: "the index cannot be made", Err: err})
		}
	}
	shape, err = shapeOf(d, have)
	return shape, created, err
}

// Extend is tables.Store's Extend.
func Extend(db Catalog, shape *tables.Shape, wanted []tables.ColumnDef) (*tables.Shape, error) {
	have, err := columns(db, shape.Table)
	if err != nil {
		return nil, err
	}
	have, err = add(db, shape.Table, have, wanted)
	if err != nil {
		return nil, err
	}
	return extended(shape, have)
}

// Refresh is tables.Store's Refresh.
func Refresh(db Catalog, shape *tables.Shape) (*tables.Shape, error) {
	have, err := columns(db, shape.Table)
	if err != nil {
		return nil, err
	}
	fresh, err := extended(shape, have)
	if err != nil || len(fresh.Columns) == len(shape.Columns) {
		return shape, err
	}
	return fresh, nil
}

// create makes a table that is not there.
func create(db Catalog, d tables.Definition) error {
	taken, err := db.Taken(d.Name)
	if err != nil {
		return err
	}
	if taken {
		return &tables.SchemaError{Table: d.Name, Column: "*",
			Msg: "the database has a table of this name that is not Cordon's"}
	}
	s := db.Dialect().Begin("CREATE TABLE ").Table(d.Name).Write(" (")
	for i, c := range d.Columns {
		if i > 0 {
			s.Write(", ")
		}
		writeColumn(s, db.Dialect(), c)
	}
	if err := db.Exec(s.Write(")")); err != nil {
		return err
	}
	return record(db, d.Name, d.Columns)
}

// add adds the columns that a table lacks, and returns all that it has then.
func add(db Catalog, table string, have, wanted []tables.ColumnDef) ([]tables.ColumnDef, error) {
	lacking, err := missing(table, have, wanted)
	if err != nil {
		return nil, err
	}
	for _, c := range lacking {
		s := db.Dialect().Begin("ALTER TABLE ").Table(table).Write(" ADD COLUMN ")
		writeColumn(s, db.Dialect(), c)
		if err := db.Exec(s); err != nil {
			return nil, db.Refused(&tables.SchemaError{Table: table, Column: c.Name,
				Msg: "it cannot be added", Err: err})
		}
	}
	return append(slices.Clone(have), lacking...), record(db, table, lacking)
}

// record notes columns as a table's.
func record(db Catalog, table string, columns []tables.ColumnDef) error {
	for _, c := range columns {
		err := db.Exec(db.Dialect().Begin("INSERT INTO cordon_columns(tbl,pos,name,type) VALUES(").Texts(table).
			Write(",(SELECT 1+coalesce(max(pos),0) FROM cordon_columns WHERE tbl=").Texts(table).Write("),").
			Texts(c.Name, c.Type.String()).Write(")"))
		if err != nil {
			return err
		}
	}
	return nil
}

// writeColumn writes what a column is.
func writeColumn(s *rows.Statement, d *rows.Dialect, c tables.ColumnDef) {
	s.Column(c.Name).Write(" ").Write(d.Types[c.Type])
	switch c.Name {
	case "id":
		if c.Type == odata.Integer {
			s.Write(d.Counting)
		} else {
			s.Write(" PRIMARY KEY NOT NULL")
		}
	case "createdAt", "updatedAt", "version":
		s.Write(" NOT NULL")
	case "deleted":
		s.Write(" NOT NULL DEFAULT ").Write(d.Booleans[0])
	}
}

// statement makes the index where it is missing.
func (ix index) statement(d *rows.Dialect, table string) *rows.Statement {
	s := d.Begin("CREATE ")
	if ix.unique {
		s.Write("UNIQUE ")
	}
	s.Write("INDEX IF NOT EXISTS ").Table(ix.name).Write(" ON ").Table(table).Write(" (")
	for i, c := range ix.columns {
		if i > 0 {
			s.Write(",")
		}
		s.Column(c)
	}
	return s.Write(")")
}
