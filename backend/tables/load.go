package tables

import (
	"context"
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// What brings rows in from elsewhere (seeds here, files in package transfer) shares
// what a row must be with the requests of clients.

// Open brings one table of the configuration into the store and returns its
// shape, for tools that work on rows without serving them.
func (c Config) Open(ctx context.Context, store Store, name string) (*Shape, Table, error) {
	d, t, err := c.define(name)
	if err != nil {
		return nil, t, err
	}
	made, err := Define(ctx, store, d)
	return made.Shape, t, err
}

// Look is Open for tools that change nothing: a table that the store does not have
// yet has the shape that it would get.
func (c Config) Look(ctx context.Context, store Store, name string) (*Shape, Table, error) {
	d, t, err := c.define(name)
	if err != nil {
		return nil, t, err
	}
	shape, err := NewShape(d.Name, d.Columns, d.SoftDelete)
	if err != nil || store == nil {
		return shape, t, err
	}
	shape, err = store.Refresh(ctx, shape)
	return shape, t, err
}

// Stored is the name in the configuration of the table that the database has under
// a name, "" if there is none.
func (c Config) Stored(table string) string {
	for name, t := range c {
		if t.databaseName(name) == table {
			return name
		}
	}
	return ""
}

func (c Config) define(name string) (Definition, Table, error) {
	for configured, t := range c {
		if strings.EqualFold(configured, name) {
			d, err := t.definition(configured)
			return d, t, err
		}
	}
	return Definition{}, Table{}, fmt.Errorf("there is no table %s in the configuration", name)
}

// ColumnLimit is how many columns a dynamic schema may make of a table.
func (t Table) ColumnLimit() int {
	if t.MaxColumns == 0 {
		return 250
	}
	return t.MaxColumns
}

// Complete gives a new row the defaults of the columns that it does not set, and
// reports one that needs a value and has none.
func (s *Shape) Complete(row *LoadRow) error {
	out := set{row.Columns, row.Values}
	err := complete(s, &out, true)
	row.Columns, row.Values = out.columns, out.values
	return err
}

// NewColumn is the column that a value makes in a table with a dynamic schema.
func NewColumn(name string, v odata.Value) (ColumnDef, error) {
	return newColumn(property{name: name, value: v})
}

// ValidID reports whether a text can be a row's id: clients can put no other into
// an address.
func ValidID(id string) bool { return validID(id) }

// NewID is a random GUID, as rows get that come without an id.
func NewID() string { return guid() }
