package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDryRunsApplyNoMigrations: what only looks leaves the schema of a database as it
// is, too, and says what to do where it is too old to be looked at.
func TestDryRunsApplyNoMigrations(t *testing.T) {
	dir := t.TempDir()
	config, data := filepath.Join(dir, "cordon.yaml"), filepath.Join(dir, "data.db")
	text := fmt.Sprintf("database: %q\nidentity: { providers: { development: { type: development } } }\n"+
		"tables: { note: { columns: { text: string } } }\n", "sqlite:"+data)
	rows := filepath.Join(dir, "rows.csv")
	for file, content := range map[string]string{config: text, rows: "id,text\na,b\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command(t, exitFine, "tables", "import", "note", rows, "--config", config)
	onDatabase(t, data, "DELETE FROM cordon_migrations WHERE name='0004_merged_users'; "+
		"ALTER TABLE cordon_user DROP COLUMN merged")
	for _, args := range [][]string{
		{"tables", "import", "note", rows, "--dry-run"},
		{"tables", "undo", "rows.csv", "--dry-run"},
		{"users", "merge", "sid:a", "sid:b", "--dry-run"},
		{"users", "duplicates"},
	} {
		_, errs := command(t, exitEnvironment, append(args, "--config", config)...)
		if !strings.Contains(errs, "lacks 0004_merged_users (expand)") ||
			!strings.Contains(errs, "cordon migrate-store") {
			t.Errorf("%v: %s", args, errs)
		}
	}
	would, _ := command(t, exitFine, "migrate-store", "--dry-run", "--config", config)
	if would != "would apply 0004_merged_users (expand)\n" {
		t.Errorf("afterwards: %s", would)
	}
	command(t, exitFine, "migrate-store", "--config", config)
	out, _ := command(t, exitFine, "tables", "undo", "rows.csv", "--dry-run", "--config", config)
	if !strings.Contains(out, "1") {
		t.Errorf("once it is applied: %s", out)
	}
}
