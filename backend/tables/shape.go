package tables

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// The system columns, in the order in which every shape begins. Deleted is
// there only on tables with soft delete.
const (
	colID = iota
	colCreatedAt
	colUpdatedAt
	colVersion
	colDeleted
)

var systemNames = []string{"id", "createdAt", "updatedAt", "version", "deleted"}

// Definition is what a table is meant to look like. A store makes it so: it
// creates what is missing and removes nothing.
type Definition struct {
	// Name is the table's name in the database.
	Name string
	// Columns are all columns, the system ones first.
	Columns []ColumnDef
	// Indexes are lists of column names, besides the indexes that every table
	// has (its id, and updatedAt with id).
	Indexes [][]string
	// SoftDelete says that there is a column deleted.
	SoftDelete bool
}

// ColumnDef is one column.
type ColumnDef struct {
	// Name is the column's name.
	Name string
	// Type is its type; the id is a String or an Integer.
	Type odata.Type
	// Unique asks for a unique index on the column.
	Unique bool
	// Required refuses null; it is checked here and not by the store, since
	// old rows may lack the column.
	Required bool
	// IgnoreCase is passed on to expressions.
	IgnoreCase bool
	// Default is what an insert without the column gets.
	Default odata.Value
}

// Shape is a table as it is: the columns in the order in which a store returns
// values. It is immutable.
type Shape struct {
	// Table is the table's name in the database.
	Table string
	// Columns are the columns; the first four are id, createdAt, updatedAt and
	// version, the fifth is deleted where SoftDelete is set.
	Columns []ColumnDef
	// SoftDelete says whether rows are marked instead of removed.
	SoftDelete bool

	index map[string]int
	keys  [][]byte
	all   []int
}

// NewShape makes a Shape. Column names must differ in more than letter case.
func NewShape(table string, columns []ColumnDef, softDelete bool) (*Shape, error) {
	s := &Shape{Table: table, Columns: columns, SoftDelete: softDelete, index: map[string]int{}}
	system := 4
	if softDelete {
		system = 5
	}
	if len(columns) < system {
		return nil, fmt.Errorf("table %s lacks system columns", table)
	}
	for i, c := range columns {
		if i < system && c.Name != systemNames[i] {
			return nil, fmt.Errorf("table %s: column %d is %s, not %s", table, i, c.Name, systemNames[i])
		}
		folded := strings.ToLower(c.Name)
		if _, taken := s.index[folded]; taken {
			return nil, fmt.Errorf("table %s has the column %s twice", table, c.Name)
		}
		s.index[folded] = i
		s.index[c.Name] = i
		s.keys = append(s.keys, append(appendJSONString([]byte{','}, c.Name), ':'))
		s.all = append(s.all, i)
	}
	return s, nil
}

// Find returns the place of a column, in any letter case, or -1.
func (s *Shape) Find(name string) int {
	if i, ok := s.index[name]; ok {
		return i
	}
	if i, ok := s.index[strings.ToLower(name)]; ok {
		return i
	}
	return -1
}

// All lists the places of all columns.
func (s *Shape) All() []int { return s.all }

// System is the number of system columns: 4 or 5.
func (s *Shape) System() int {
	if s.SoftDelete {
		return 5
	}
	return 4
}

// column is the lookup that odata.Parser wants.
func (s *Shape) column(name string) (odata.Column, bool) {
	i := s.Find(name)
	if i < 0 {
		return odata.Column{}, false
	}
	return s.expr(i), true
}

func (s *Shape) expr(i int) odata.Column {
	c := s.Columns[i]
	return odata.Column{Name: c.Name, Of: c.Type, IgnoreCase: c.IgnoreCase}
}

func (t Table) definition(name string) (Definition, error) {
	d := Definition{Name: t.databaseName(name), SoftDelete: t.SoftDelete}
	if !odata.ValidName(name) {
		return d, &ConfigError{name, "", "a table's name must be letters, digits and underscores"}
	}
	low := strings.ToLower(d.Name)
	if !odata.ValidName(d.Name) || len(d.Name) > 63 || strings.HasPrefix(low, "cordon_") ||
		strings.HasPrefix(low, "sqlite_") || strings.HasPrefix(low, "pg_") {
		return d, &ConfigError{name,
			"database_table", "not a name that the databases take: at most 63 letters, digits and underscores, not " +
				"beginning with cordon_, sqlite_ or pg_"}
	}
	if err := t.checkSettings(name); err != nil {
		return d, err
	}
	id := odata.String
	if t.ID == "number" {
		id = odata.Integer
	}
	d.Columns = []ColumnDef{{Name: "id", Type: id}, {Name: "createdAt", Type: odata.Date},
		{Name: "updatedAt", Type: odata.Date}, {Name: "version", Type: odata.Version}}
	if t.SoftDelete {
		d.Columns = append(d.Columns, ColumnDef{Name: "deleted", Type: odata.Boolean})
	}
	if t.PerUser {
		d.Columns = append(d.Columns, ColumnDef{Name: t.userColumn(), Type: odata.String})
		d.Indexes = append(d.Indexes, []string{t.userColumn(), "updatedAt"})
	}
	if err := t.declared(name, &d); err != nil {
		return d, err
	}
	if _, err := NewShape(d.Name, d.Columns, d.SoftDelete); err != nil {
		return d, &ConfigError{name, "columns", err.Error()}
	}
	return d, t.checkIndexes(name, &d)
}

func (t Table) checkSettings(name string) error {
	for _, a := range []Access{t.Access, t.Read.Access, t.Insert.Access, t.Update.Access, t.Delete.Access,
		t.Undelete.Access} {
		if !a.valid() {
			return &ConfigError{name, "access", fmt.Sprintf("%q must be anonymous, authenticated or disabled", a)}
		}
	}
	switch t.ID {
	case "", "string", "number":
	default:
		return &ConfigError{name, "id", fmt.Sprintf("%q is neither string nor number", t.ID)}
	}
	if t.PerUser && !odata.ValidName(t.userColumn()) {
		return &ConfigError{name, "user_column", "not a column name"}
	}
	if t.PageSize < 0 || t.RecordsExpire < 0 || t.MaxColumns < 0 || t.MaxTop != nil && *t.MaxTop < 0 {
		return &ConfigError{name, "page_size", "page_size, max_top, records_expire and max_columns are not negative"}
	}
	if t.Webhook != nil && t.Webhook.URL == "" {
		return &ConfigError{name, "webhook", "the url is missing"}
	}
	return nil
}

// declared adds the configured columns in the order of their names.
func (t Table) declared(name string, d *Definition) error {
	names := make([]string, 0, len(t.Columns))
	for n := range t.Columns {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		c := t.Columns[n]
		key := "columns." + n
		typ, ok := columnTypes[c.Type]
		if !ok {
			return &ConfigError{name, key, fmt.Sprintf("%q must be a type: string, number, boolean or date", c.Type)}
		}
		if !odata.ValidName(n) {
			return &ConfigError{name, key, "a column's name must be letters, digits and underscores"}
		}
		if n == "deleted" && !t.SoftDelete || slices.Contains(systemNames, n) {
			return &ConfigError{name, key, "this name is taken by the system"}
		}
		if t.PerUser && strings.EqualFold(n, t.userColumn()) {
			if typ != odata.String {
				return &ConfigError{name, key, "the user column must be a string"}
			}
			continue
		}
		def := ColumnDef{Name: n, Type: typ, Unique: c.Unique, Required: c.Required, IgnoreCase: c.IgnoreCase}
		if c.IgnoreCase && typ != odata.String {
			return &ConfigError{name, key, "ignore_case is for strings"}
		}
		if c.Default != nil {
			if def.Default, ok = defaultValue(c.Default, typ); !ok {
				return &ConfigError{name, key, fmt.Sprintf("the default %v must be a %s", c.Default, typ)}
			}
		}
		d.Columns = append(d.Columns, def)
	}
	return nil
}

func (t Table) checkIndexes(name string, d *Definition) error {
	shape, err := NewShape(d.Name, d.Columns, d.SoftDelete)
	if err != nil {
		return &ConfigError{name, "columns", err.Error()}
	}
	for _, index := range t.Indexes {
		var columns []string
		for _, c := range index {
			i := shape.Find(c)
			if i < 0 && t.DynamicSchema && odata.ValidName(c) {
				continue // it can be indexed once it is declared
			}
			if i < 0 {
				return &ConfigError{name, "indexes", fmt.Sprintf("there is no column %s", c)}
			}
			columns = append(columns, shape.Columns[i].Name)
		}
		if len(columns) == len(index) && len(columns) > 0 {
			d.Indexes = append(d.Indexes, columns)
		}
	}
	return nil
}

// defaultValue is a value of a configuration file as a column's value.
func defaultValue(v any, typ odata.Type) (odata.Value, bool) {
	switch v := v.(type) {
	case string:
		if typ == odata.String {
			return odata.StringOf(v), true
		}
		if typ == odata.Date {
			ms, ok := odata.ParseDate(v)
			return odata.DateOf(ms), ok
		}
	case bool:
		return odata.BooleanOf(v), typ == odata.Boolean
	case float64:
		return odata.NumberOf(v), typ == odata.Number
	case int:
		return odata.NumberOf(float64(v)), typ == odata.Number
	case int64:
		return odata.NumberOf(float64(v)), typ == odata.Number
	case uint64:
		return odata.NumberOf(float64(v)), typ == odata.Number
	}
	return odata.Value{}, false
}
