package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/backend/auth"
)

// TestUsersMerge lists the two ids of a person, tries a merge, makes it, and leaves
// alone two who both have rows.
func TestUsersMerge(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	config := write("cordon.yaml", `database: "sqlite:`+filepath.Join(dir, "data.db")+`"
tables:
  note: { columns: { text: string, author: string }, per_user: true }
  late: { columns: { text: string }, per_user: true }
  open: { columns: { text: string, n: number } }
`)
	run := func(status int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := execute(context.Background(), append(args, "--config", config), nil, &out, &errs); got != status {
			t.Fatalf("%v: status %d, want %d: %s%s", args, got, status, out.String(), errs.String())
		}
		return out.String() + errs.String()
	}
	if got := run(exitUsage, "users", "merge", "sid:a", "sid:b"); !strings.Contains(got, "there is no such database") {
		t.Errorf("without a database: %s", got)
	}
	run(exitFine, "tables", "import", "note", write("note.jsonl",
		`{"id":"1","userId":"sid:a","author":"sid:b"}`+"\n"+`{"id":"2","userId":"sid:c"}`+"\n"))
	peopleOf(t, filepath.Join(dir, "data.db"), auth.User{ID: "sid:a", Issuer: "accounts.google.com", Subject: "1"},
		auth.User{ID: "sid:b", Issuer: "https://accounts.google.com", Subject: "1"}, auth.User{ID: "sid:c",
			Issuer: "x"})

	want := "would merge sid:a into sid:b\n  note.userId: 1 row of the first, 0 of the second\n  0 sessions\n"
	for _, args := range [][]string{{"users", "duplicates"}, {"users", "merge", "sid:a", "sid:b", "--dry-run"}} {
		status := map[bool]int{true: exitFindings, false: exitFine}[args[1] == "duplicates"]
		if got := run(status, args...); got != want {
			t.Errorf("%v: %q, want %q", args, got, want)
		}
	}
	if got := tablesOf(t, filepath.Join(dir, "data.db")); !slices.Equal(got, []string{"note"}) {
		t.Errorf("looking has left the tables %v", got)
	}
	conflict := run(exitFindings, "users", "merge", "sid:a", "sid:c", "--format", "json")
	var report mergedUsers
	if err := json.Unmarshal([]byte(conflict), &report); err != nil || !report.Conflict || len(report.Rows) != 1 ||
		report.Rows[0] != (mergedRows{"note", "userId", 1, 1}) {
		t.Errorf("%+v, %v", report, err)
	}
	if got := run(exitFindings, "users", "merge", "sid:a", "sid:b", "--column", "note.author"); !strings.HasPrefix(got,
		"conflict: both have rows, nothing was done: sid:a into sid:b\n"+
			"  note.userId: 1 row of the first, 0 of the second\n"+
			"  note.author: 0 rows of the first, 1 of the second\n") {
		t.Errorf("with another column: %s", got)
	}
	if got := run(exitFine, "users", "merge", "sid:a", "sid:b"); !strings.HasPrefix(got, "merged sid:a into sid:b\n") {
		t.Error(got)
	}
	if got := run(exitFine, "users", "duplicates"); got != "no two user ids are one person for certain\n" {
		t.Error(got)
	}
	if got := run(exitFine, "tables", "export", "note", "--format", "jsonl"); strings.Count(got,
		`"userId":"sid:b"`) != 1 ||
		strings.Contains(got, "sid:a") {
		t.Error(got)
	}
	for text, args := range map[string][]string{"nobody has signed in as \"sid:x\"": {"sid:b", "sid:x"},
		"must differ": {"sid:b", "sid:b"}, "was merged into sid:b": {"sid:c", "sid:a"},
		"must be TABLE.COLUMN":                    {"sid:c", "sid:b", "--column", "note"},
		"table open has no column n of text":      {"sid:c", "sid:b", "--column", "open.n"},
		"table open has no column id of text":     {"sid:c", "sid:b", "--column", "open.id"},
		"there is no table none":                  {"sid:c", "sid:b", "--column", "none.x"},
		`--format "xml": it must be text or json`: {"sid:c", "sid:b", "--format", "xml"}} {
		if got := run(exitUsage, append([]string{"users", "merge"}, args...)...); !strings.Contains(got, text) {
			t.Errorf("%v: %s", args, got)
		}
	}
	if got := run(exitFine, "users", "merge", "sid:b", "sid:c", "--both"); !strings.HasPrefix(got, "merged sid:b") {
		t.Error(got)
	}
}

// tablesOf lists the tables of a database.
func tablesOf(t *testing.T, file string) (names []string) {
	t.Helper()
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	store, err := openDatabase(cmd, "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	all, err := store.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		names = append(names, d.Name)
	}
	return names
}

// peopleOf has people sign in to a database.
func peopleOf(t *testing.T, file string, people ...auth.User) {
	t.Helper()
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	store, err := openDatabase(cmd, "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, u := range people {
		if err := store.(auth.Store).PutUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
}
