package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/internal/golden"
)

// TestStatePage writes the page that lists the own tables.
func TestStatePage(t *testing.T) {
	golden.Compare(t, "../../../docs/reference/state.md", []byte(statePage()))
}

func statePage() string {
	var b strings.Builder
	b.WriteString(`# What Cordon keeps in the database

Cordon's own tables, made by its migrations, the same in SQLite (in the one file that ` + "`database`" + ` names) and in PostgreSQL (in the schema that the connection's ` + "`search_path`" + ` names first).
Made by make update from the migrations and ` + "`backend/store/schema/purpose.go`" + `. The app's own rows are not here: each of its tables is a table of the same name in the same database, and in a
table with ` + "`per_user`" + ` the column ` + "`userId`" + ` (or ` + "`user_column`" + `) says whose a row is.

Times are milliseconds since 1970, UTC, and absent where there is none. *Personal* values are about a person: who it is, or with what and how that person signed in. *Sealed* values are of use only
with the key that the operator keeps outside of the database ([sign-in](auth.md)). ` + "`cordon copy-store`" + ` copies a table as it is unless it is made anew; ` + "`cordon backup`" + ` holds them all.

| table | a record is | in a copy | personal | sealed |
|---|---|---|---|---|
`)
	for _, t := range schema.Tables() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s | %s |\n",
			t.Name, t.Name, t.Holds, t.Class, yes(t.Personal()), yes(t.Sealed()))
	}
	for _, t := range schema.Tables() {
		fmt.Fprintf(&b, "\n## %s\n\nA record is %s. In a copy it is %s.\n", t.Name, t.Holds, t.Class)
		if t.Person != "" {
			fmt.Fprintf(&b, "It is about the user whose id is in `%s`.\n", t.Person)
		}
		if t.Trace != "" {
			fmt.Fprintf(&b, "How a record leads to its person: %s.\n", t.Trace)
		}
		b.WriteString("\n| column | type | a value is | |\n|---|---|---|---|\n")
		for _, c := range t.Columns {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Name, typeOf(c), c.Holds, marks(c))
		}
	}
	return b.String()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func typeOf(c schema.Column) string {
	if c.Null {
		return string(c.Type) + ", may be absent"
	}
	return string(c.Type)
}

func marks(c schema.Column) string {
	var out []string
	if c.Personal {
		out = append(out, "personal")
	}
	if c.Sealed {
		out = append(out, "sealed")
	}
	return strings.Join(out, ", ")
}
