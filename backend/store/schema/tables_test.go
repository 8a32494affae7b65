package schema

import (
	"cmp"
	"slices"
	"testing"
)

// Whoever adds a table or a column to the migrations says what it is for, and who
// removes one takes that away.
func TestEveryTableHasItsPurpose(t *testing.T) {
	known := map[string]Table{}
	for _, table := range Tables() {
		known[table.Name] = table
		if table.Holds == "" || table.Class != Copied && table.Class != Made {
			t.Errorf("purpose.go must say what %s holds, and whether it is Copied or Made", table.Name)
		}
		for _, c := range table.Columns {
			if c.Holds == "" {
				t.Errorf("purpose.go must say what %s.%s holds", table.Name, c.Name)
			}
			if c.Sealed && c.Type != Bytes {
				t.Errorf("%s.%s: a sealed value must be of the type %s, not %s", table.Name, c.Name, Bytes, c.Type)
			}
		}
		checkPerson(t, table)
	}
	for name, p := range purposes {
		table, ok := known[name]
		if !ok {
			t.Errorf("purpose.go names %s, which no migration makes", name)
		}
		for column := range p.columns {
			if !slices.Contains(table.Names(), column) {
				t.Errorf("purpose.go names %s.%s, which no migration makes", name, column)
			}
		}
	}
	if !slices.IsSortedFunc(Tables(), func(a, b Table) int { return cmp.Compare(a.Name, b.Name) }) {
		t.Error("the list must be sorted by name")
	}
}

// checkPerson: what is about a person leads to the person.
func checkPerson(t *testing.T, table Table) {
	t.Helper()
	if table.Personal() && table.Person == "" && table.Trace == "" {
		t.Errorf("purpose.go must say how a record of %s leads to its person, or why it does not", table.Name)
	}
	if table.Person == "" {
		return
	}
	i := slices.Index(table.Names(), table.Person)
	if i < 0 || !table.Columns[i].Personal || table.Columns[i].Type != Text {
		t.Errorf("%s: its person %q must be a column of text that is personal", table.Name, table.Person)
	}
	if table.Class != Copied {
		t.Errorf("%s is about persons: it must be copied", table.Name)
	}
}

// The list is the caller's: changing it changes nobody else's.
func TestTablesAreTheCallers(t *testing.T) {
	Tables()[0].Columns[0].Name = "changed"
	if name := Tables()[0].Columns[0].Name; name != "name" {
		t.Errorf("the first column is %s", name)
	}
}
