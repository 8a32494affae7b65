package parts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/cordon-sec/cordon/server"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/console"
	"github.com/cordon-sec/cordon/settings"
)

// openTables opens a backend with tables of each kind and fills one of them.
func openTables(t testing.TB, rows int) *Tables {
	t.Helper()
	dir := t.TempDir()
	s, err := settings.Parse(filepath.Join(dir, "cordon.yaml"), []byte(`server: { listen: "127.0.0.1:0" }
identity: { providers: { development: { type: development } } }
tables:
  many: { columns: { text: string, n: number, done: boolean, at: date }, soft_delete: true, access: authenticated }
  counted: { id: number, columns: { text: string } }
`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := server.Open(t.Context(), s, server.Options{Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := b.Serve(ended); err != nil {
			t.Error(err)
		}
	})
	shape, _, ok := b.Tables.Inspect().Table("many")
	if !ok {
		t.Fatal("there is no table")
	}
	const batch = 10_000
	for first := 0; first < rows; first += batch {
		var load []tables.LoadRow
		for i := min(first+batch, rows) - 1; i >= first; i-- { // not in the order of ids
			load = append(load, tables.LoadRow{ID: odata.StringOf(fmt.Sprintf("row-%07d", i)),
				Columns: []int{shape.Find("text")},
				Values:  []odata.Value{odata.StringOf(fmt.Sprintf("text %d", i))}, Version: int64(i + 1)})
		}
		if _, err := b.Store.Load(t.Context(), shape, load, false); err != nil {
			t.Fatal(err)
		}
	}
	return &Tables{Service: b.Tables}
}

func TestTables(t *testing.T) {
	c := openTables(t, 120)
	ctx := t.Context()
	list, err := c.List(ctx)
	if err != nil || len(list) != 2 || list[1].Name != "many" || list[1].Columns[0].Name != "id" ||
		list[1].Columns[1].System || list[1].Access[0].Who != "authenticated" {
		t.Fatalf("%v %+v", err, list)
	}
	// Pages follow one another without a gap or a repetition.
	seen, after := map[string]bool{}, ""
	for {
		rows, err := c.Rows(ctx, "many", after, 50)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if seen[row.ID] || row.ID <= after {
				t.Fatalf("row %s is there twice or out of order", row.ID)
			}
			seen[row.ID], after = true, row.ID
		}
		if len(rows) < 50 {
			break
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d rows were shown", len(seen))
	}
	cell := func(id string, column string) string {
		rows, err := c.Rows(ctx, "many", "", 200)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if row.ID == id {
				for i, col := range list[1].Columns {
					if col.Name == column {
						return row.Cells[i]
					}
				}
			}
		}
		return "?"
	}
	for _, change := range []struct{ column, text, want string }{
		{"text", "new", "new"}, {"text", "", ""}, {"n", " 2.5 ", "2.5"}, {"n", "", ""}, {"done", "true", "true"}, {"at",
			"2026-11-21T08:00:00Z", "2026-11-21T08:00:00.000Z"},
	} {
		version := cell("row-0000003", "version")
		if err := c.Set(ctx, "many", "row-0000003", version, change.column, change.text); err != nil {
			t.Errorf("%s = %q: %v", change.column, change.text, err)
		}
		if got := cell("row-0000003", change.column); got != change.want {
			t.Errorf("%s = %q became %q", change.column, change.text, got)
		}
		if err := c.Set(ctx, "many", "row-0000003", version, "text", "late"); !errors.Is(err, console.ErrConflict) {
			t.Errorf("a change to an old version: %v", err)
		}
	}
	for _, bad := range []struct{ column, text string }{{"n", "many"}, {"done", "perhaps"}, {"at", "tomorrow"}, {"id",
		"other"}, {"version", "x"}, {"updatedAt", "2026-11-21T08:00:00Z"}, {"none", "x"}} {
		if err := c.Set(ctx, "many", "row-0000003", cell("row-0000003", "version"), bad.column, bad.text); err == nil {
			t.Errorf("%s = %q is taken", bad.column, bad.text)
		}
	}
	err = c.Delete(ctx, "many", "row-0000003", cell("row-0000003", "version"))
	if err != nil || cell("row-0000003", "deleted") != "true" {
		t.Errorf("deleting: %v", err)
	}
	if _, err := c.Rows(ctx, "counted", "not a number", 10); err == nil {
		t.Error("a text is taken for a number")
	}
	if _, err := c.Rows(ctx, "none", "", 10); err == nil {
		t.Error("a table that is not there has rows")
	}
}

// BenchmarkMillionRows shows a page in the middle of a million rows.
func BenchmarkMillionRows(b *testing.B) {
	c := openTables(b, 1_000_000)
	for b.Loop() {
		rows, err := c.Rows(b.Context(), "many", "row-0500000", 51)
		if err != nil || len(rows) != 51 {
			b.Fatal(len(rows), err)
		}
	}
}
