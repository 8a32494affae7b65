package main

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/internal/proctest"
	_ "modernc.org/sqlite"
)

// onDatabase runs SQL on a file as somebody else would.
func onDatabase(t *testing.T, file, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// command runs a command line to its end.
func command(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if status := execute(t.Context(), args, strings.NewReader(""), &out, &errs); status != want {
		t.Fatalf("%v: status %d, want %d\n%s%s", args, status, want, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// A release serves on the schema of the next one that only added to it, and says
// so; what the next one may have taken away it refuses by name.
func TestServeOnNewerSchema(t *testing.T) {
	dir := t.TempDir()
	config, data, port := filepath.Join(dir, "cordon.yaml"), filepath.Join(dir, "cordon.db"), proctest.FreePort(t)
	text := "server: { listen: \"127.0.0.1:" + port + "\", tls: off }\n" +
		"identity: { providers: { development: { type: development } } }\n" +
		"telemetry: { log: none }\ntables: { note: { access: anonymous, columns: { text: string } } }\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, exitFine, "migrate-store", "--config", config)
	onDatabase(t, data, `CREATE TABLE cordon_more (id TEXT PRIMARY KEY NOT NULL);
		ALTER TABLE cordon_user ADD COLUMN more TEXT DEFAULT 'x';
		INSERT INTO cordon_migrations(name,applied,kind) VALUES('9998_more',1,'expand')`)
	const notice = "warning: the database was written by a newer version: its migration 9998_more only adds to the " +
		"schema, " +
		"so this version runs on it\n"
	out, errs := command(t, exitFine, "migrate-store", "--config", config)
	if out != "nothing to do\n" || errs != notice {
		t.Errorf("migrate-store says\n%s%s", out, errs)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, write := io.Pipe()
	words := newWords(read)
	status := make(chan int, 1)
	go func() {
		status <- execute(ctx, []string{"serve", "--config", config}, strings.NewReader(""), write, write)
		_ = write.Close()
	}()
	if !words.wait(notice) {
		t.Fatal(words.text())
	}
	address := "http://localhost:" + port + "/tables/note?zumo-api-version=2.0.0"
	response, err := http.Post(address, "application/json", strings.NewReader(`{"id":"a","text":"first"}`))
	if err != nil {
		t.Fatal(err)
	}
	if response.Body.Close(); response.StatusCode != http.StatusCreated {
		t.Errorf("a write: %s", response.Status)
	}
	code, _, body := apptest.Get(t, http.DefaultClient, address)
	if code != http.StatusOK || !strings.Contains(body, `"text":"first"`) {
		t.Errorf("a read: %d %s", code, body)
	}
	cancel()
	if code := <-status; code != exitFine || strings.Count(words.text(), notice) != 1 {
		t.Errorf("the end: %d\n%s", code, words.text())
	}

	_, errs = command(t, exitEnvironment, "copy-store", "sqlite:"+data, "sqlite:"+filepath.Join(dir, "copy.db"))
	if !strings.Contains(
		errs,
		"cordon: a newer version has added to the database, so a copy by this version would leave "+
			"something out (9998_more): copy with that version\n",
	) {
		t.Errorf("copy-store says %s", errs)
	}
	onDatabase(t, data, "INSERT INTO cordon_migrations(name,applied,kind) VALUES('9999_less',1,'contract')")
	const refused = "cordon: sqlite: the database was written by a newer version: its migration 9999_less is a " +
		"contract, " +
		"which takes away what this version may still use; run that version, or a newer one, or restore a backup " +
		"from before\n"
	for _, args := range [][]string{{"serve"}, {"migrate-store"}, {"migrate-store", "--dry-run"},
		{"migrate-store", "--contract"}, {"tables", "export", "note"}} {
		if _, errs := command(t, exitEnvironment, append(args, "--config", config)...); errs != refused {
			t.Errorf("%v says\n%swant\n%s", args, errs, refused)
		}
	}
}
