package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/event"
)

const reloadable = `server: { listen: "127.0.0.1:0", admin: "127.0.0.1:0" }
identity: { providers: { google: { type: development, picker: false } } }
telemetry: { log: none }
`

// notices are the reasons of the notices so far, the last one first.
func notices(b *Backend) []string {
	var reasons []string
	page, _ := b.Ring.Page(0, 100, func(e *event.Event) bool { return e.Type == event.Notice })
	for i := range page {
		reasons = append(reasons, page[i].Reason)
	}
	return reasons
}

// All of a file is put into force, for requests that come from then on: tables,
// services, origins. Who was signed in stays so.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	r := run(t, dir, reloadable+"tables: { note: { columns: { text: string } } }\n", Options{})
	token := r.token(t)
	if resp, body := r.do(t, http.MethodPost, "/tables/note", `{"text":"one"}`, "X-ZUMO-AUTH",
		token); resp.StatusCode != http.StatusCreated {
		t.Fatalf("a row: %d %s", resp.StatusCode, body)
	}
	if resp, _ := r.do(t, http.MethodGet, "/tables/other", "", "X-ZUMO-AUTH",
		token); resp.StatusCode != http.StatusNotFound {
		t.Fatalf("a table that is not there: %d", resp.StatusCode)
	}
	next := load(t, dir, reloadable+
		"tables: { note: { columns: { text: string } }, other: { columns: { n: number } } }\n")
	if err := r.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"note", "other"} {
		if resp, body := r.do(t, http.MethodGet, "/tables/"+table, "", "X-ZUMO-AUTH",
			token); resp.StatusCode != http.StatusOK {
			t.Errorf("%s after the reload: %d %s", table, resp.StatusCode, body)
		}
	}
	if got := notices(r.Backend); len(got) != 1 || got[0] != "reloaded" {
		t.Errorf("the notices are %v", got)
	}
}

// What is refused leaves all as it was, and says why.
func TestReloadOfNothing(t *testing.T) {
	dir := t.TempDir()
	const tables = "tables: { note: { columns: { text: string } } }\n"
	r := run(t, dir, reloadable+tables, Options{})
	token := r.token(t)
	for name, test := range map[string]struct{ text, want string }{
		"a listener": {strings.Replace(reloadable, "127.0.0.1:0", "127.0.0.1:8444", 1) + tables,
			"a changed server.listen takes a restart; nothing of the file is in force"},
		"a database and a log": {strings.Replace(reloadable, "log: none", "log: stdout", 1) + tables +
			"database: \"sqlite:other.db\"\n",
			"a changed database and telemetry.log takes a restart"},
		"a secret": {strings.Replace(reloadable, "identity: { ", "identity: { signing_key: env:CORDON_NOT_SET, ", 1) +
			"tables: { note: { columns: { text: string } }, other: { columns: { n: number } } }\n", "CORDON_NOT_SET"},
		"a late mistake of several tables": {reloadable + "tables: { a: { columns: { n: number } }, " +
			"other: { columns: { n: number } }, " +
			"note: { columns: { text: { type: string, unique: true }, more: string } }, " +
			"z: { columns: { n: number }, seed: nowhere.json } }\n", "nowhere.json"},
		"a column of another type": {reloadable + "tables: { note: { columns: { text: boolean } } }\n", "note"},
	} {
		if err := r.Reload(t.Context(), load(t, dir, test.text)); err == nil ||
			!strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
		if resp, _ := r.do(t, http.MethodGet, "/tables/note", "", "X-ZUMO-AUTH",
			token); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: the table answers %d afterwards", name, resp.StatusCode)
		}
		if resp, _ := r.do(t, http.MethodGet, "/tables/other", "", "X-ZUMO-AUTH",
			token); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: a part of the file is in force: %d", name, resp.StatusCode)
		}
	}
	if got := notices(r.Backend); len(got) != 5 || got[0] != "reload-failed" {
		t.Errorf("the notices are %v", got)
	}
	if columns := shapeOf(t, r.Backend, "note"); slices.Contains(columns, "more") {
		t.Errorf("a refused reload has added to the database: %v", columns)
	}
	s := r.Settings
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(t.Context(), s); !errors.Is(err, ErrNotServing) {
		t.Errorf("after the end: %v", err)
	}
}

// shapeOf returns the columns that a table has in the database.
func shapeOf(t *testing.T, b *Backend, table string) (columns []string) {
	t.Helper()
	shape, _, err := b.Store.Define(t.Context(), tables.Definition{Name: table})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range shape.Columns {
		columns = append(columns, c.Name)
	}
	return columns
}

// A request that runs is finished by what was in force when it came.
func TestReloadCutsNothing(t *testing.T) {
	came, release := make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		came <- struct{}{}
		<-release
		_, _ = io.WriteString(w, "finished")
	}))
	defer upstream.Close()
	dir := t.TempDir()
	r := run(t, dir, reloadable+"services: { slow: { upstream: \""+upstream.URL+"\", access: anonymous } }\n",
		Options{})
	type answer struct {
		status int
		body   string
	}
	answered := make(chan answer, 1)
	var asking sync.WaitGroup
	asking.Go(func() {
		resp, body := r.do(t, http.MethodGet, "/api/slow", "")
		answered <- answer{resp.StatusCode, body}
	})
	<-came
	if err := r.Reload(t.Context(), load(t, dir, reloadable)); err != nil {
		t.Fatal(err)
	}
	if resp, _ := r.do(t, http.MethodGet, "/api/slow", ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a service that is no longer there answers %d", resp.StatusCode)
	}
	close(release)
	asking.Wait()
	if got := <-answered; got != (answer{http.StatusOK, "finished"}) {
		t.Errorf("the request that ran got %v", got)
	}
}

// Reloads and requests may come all at once; what Options put in front is made
// anew each time.
func TestReloadsAtOnce(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	made := 0
	site := func(b *Backend) (http.Handler, error) {
		mu.Lock()
		defer mu.Unlock()
		made++
		return b.Handler, nil
	}
	const text = reloadable + "tables: { note: { columns: { text: string }, access: anonymous } }\n"
	r := run(t, dir, text, Options{Site: site})
	s := load(t, dir, text)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 3 {
				if err := r.Reload(t.Context(), s); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for range 10 {
				if resp, body := r.do(t, http.MethodGet, "/tables/note", ""); resp.StatusCode != http.StatusOK {
					t.Errorf("%d %s", resp.StatusCode, body)
				}
			}
		})
	}
	all.Wait()
	if made != 13 {
		t.Errorf("the site was put together %d times, want 13", made)
	}
}

// Before it serves there is nothing to reload, and Close ends everything.
func TestReloadBeforeServe(t *testing.T) {
	dir := t.TempDir()
	s := load(t, dir, reloadable)
	b, err := Open(context.Background(), s, Options{Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Reload(ended, s); !errors.Is(err, context.Canceled) {
		t.Errorf("before Serve: %v", err)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
