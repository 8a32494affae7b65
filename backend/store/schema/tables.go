package schema

import "slices"

// Type is the type of a column, as a value travels from one database to another.
type Type string

// The types of columns.
const (
	Text    Type = "text"
	Integer Type = "integer"
	Bytes   Type = "bytes"
)

// Class says what becomes of a table's records when one database is copied into
// another.
type Class string

// The classes of tables.
const (
	// Copied records are copied as they are.
	Copied Class = "copied"
	// Made records are made anew by the database that is copied into.
	Made Class = "made anew"
)

// Table is one of Cordon's own tables.
type Table struct {
	// Name is the table's.
	Name string
	// Columns are its columns, in the order of SQLite.
	Columns []Column
	Purpose
}

// Purpose is what a person has to say about a table.
type Purpose struct {
	// Holds says what a record is.
	Holds string
	// Class is what becomes of the records in a copy.
	Class Class
	// Person is the column with the id of the user whom a record is about, "" if
	// none has it.
	Person string
	// Trace says, where Person does not say all, how a record leads to a person
	// or why it does not.
	Trace string
}

// Column is one column of an own table.
type Column struct {
	// Name is the column's.
	Name string
	// Type is the same in all databases; Null says that a value may be absent.
	Type Type
	Null bool
	Content
}

// Content is what a person has to say about a column.
type Content struct {
	// Holds says what a value is.
	Holds string
	// Personal says that a value is about a person: who it is, or with what and
	// how that person signed in.
	Personal bool
	// Sealed says that a value can be read only with the key that the operator
	// keeps outside of the database.
	Sealed bool
}

// Names lists the names of the table's columns, in order.
func (t Table) Names() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// Personal reports whether any column holds what is about a person.
func (t Table) Personal() bool {
	return slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Personal })
}

// Sealed reports whether any column holds sealed values.
func (t Table) Sealed() bool {
	return slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Sealed })
}

// Tables lists Cordon's own tables, sorted by name. The list is the caller's.
func Tables() []Table {
	var out []Table
	for _, g := range generated {
		p := purposes[g.name]
		t := Table{Name: g.name, Purpose: p.Purpose}
		for _, c := range g.columns {
			t.Columns = append(t.Columns, Column{Name: c.name, Type: c.of, Null: c.null, Content: p.columns[c.name]})
		}
		out = append(out, t)
	}
	return out
}

// shape is a table as the migrations make it, and field one of its columns.
type shape struct {
	name    string
	columns []field
}

type field struct {
	name string
	of   Type
	null bool
}

// purpose is what purpose.go says about a table and its columns.
type purpose struct {
	Purpose
	columns map[string]Content
}
