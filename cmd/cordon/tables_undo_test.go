package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUndoListsWhatDoesNotFit: rows whose predecessors fit the table no more are left,
// even by force, and listed: the first twenty as text, all as JSON.
func TestUndoListsWhatDoesNotFit(t *testing.T) {
	dir := t.TempDir()
	config, data := filepath.Join(dir, "cordon.yaml"), filepath.Join(dir, "data.db")
	text := fmt.Sprintf("database: %q\ntables: { note: { columns: { qty: number } } }\n", "sqlite:"+data)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	bring := func(batch string, qty int) {
		t.Helper()
		var rows strings.Builder
		rows.WriteString("id,qty\n")
		for i := range 22 {
			fmt.Fprintf(&rows, "r%02d,%d\n", i, qty)
		}
		file := filepath.Join(dir, batch+".csv")
		if err := os.WriteFile(file, []byte(rows.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		command(t, exitFine, "tables", "import", "note", file, "--replace", "--batch", batch, "--config", config)
	}
	bring("old", 1)
	bring("new", 2)
	onDatabase(t, data, `UPDATE cordon_import_row SET before='{"id":"r","qty":"many"}'
		WHERE batch='new' AND id<>'r21'`)

	var list strings.Builder
	for i := 20; i > 0; i-- {
		fmt.Fprintf(&list, "  what they replaced does not fit the table any more: r%02d\n", i)
	}
	list.WriteString("  and 1 more; --format json lists all\n")
	undo := func(args ...string) string {
		t.Helper()
		out, _ := command(t, exitFindings, append([]string{"tables", "undo", "new", "--config", config}, args...)...)
		return out
	}
	for _, step := range []struct {
		args     []string
		removed  string
		restored int
	}{
		{[]string{"--dry-run"}, "0 rows would be removed", 1}, {nil, "0 rows removed", 1},
		{[]string{"--force"}, "0 rows removed", 0},
	} {
		want := fmt.Sprintf("new: %s, %d restored, 0 not there any more, 21 left\n", step.removed, step.restored) +
			list.String()
		if got := undo(step.args...); got != want {
			t.Errorf("%v:\n%s\nwant\n%s", step.args, got, want)
		}
	}
	var ids []string
	for i := 20; i >= 0; i-- {
		ids = append(ids, fmt.Sprintf("    \"r%02d\"", i))
	}
	want := `{
  "version": 1,
  "batch": "new",
  "dry_run": false,
  "removed": 0,
  "restored": 0,
  "gone": 0,
  "left": [],
  "unfit": [
` + strings.Join(ids, ",\n") + `
  ]
}
`
	if got := undo("--format", "json"); got != want {
		t.Errorf("as JSON:\n%s\nwant\n%s", got, want)
	}
}
