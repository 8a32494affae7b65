package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/settings"
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
	made, err := tables.Define(t.Context(), b.Store, tables.Definition{Name: table})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range made.Shape.Columns {
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

// A file that cannot be read is told as one that cannot be put into force is, and
// the warnings of one that is are those that are new.
func TestReloadFrom(t *testing.T) {
	dir := t.TempDir()
	r := run(t, dir, reloadable, Options{})
	if _, err := r.ReloadFrom(t.Context(), func() (*settings.Settings, error) {
		return settings.Parse("cordon.yaml", []byte("tables: { note: { acces: anonymous } }\n"))
	}); err == nil || !strings.Contains(err.Error(), `unknown field "acces"`) {
		t.Errorf("%v", err)
	}
	if got := notices(r.Backend); len(got) != 1 || got[0] != "reload-failed" {
		t.Errorf("the notices are %v", got)
	}
	t.Setenv("TEST_SHORT_KEY", "short")
	weak := strings.Replace(reloadable, "identity: { ", "identity: { signing_key: text-env:TEST_SHORT_KEY, ", 1)
	read := func() (*settings.Settings, error) { return load(t, dir, weak), nil }
	for i, want := range []int{1, 0} { // what is known is not said again
		warnings, err := r.ReloadFrom(t.Context(), read)
		if err != nil || len(warnings) != want || want == 1 && !strings.Contains(warnings[0], "guess") {
			t.Errorf("reload %d: %q, %v", i, warnings, err)
		}
	}
}

// TestReloadOfEveryServerKey: a reload puts each key of server into force, or is
// refused and names it. A key that is added must be added here.
func TestReloadOfEveryServerKey(t *testing.T) {
	changes := map[string]struct{ text, refused string }{
		"Listen":            {`listen: "127.0.0.1:8444"`, "server.listen"},
		"URL":               {`listen: "127.0.0.1:0", url: "https://localhost:1"`, "server.url"},
		"TLS":               {`listen: "127.0.0.1:0", tls: off`, "server.tls"},
		"Admin":             {`listen: "127.0.0.1:0", admin: "127.0.0.1:8445"`, "server.admin"},
		"MaxConnections":    {`listen: "127.0.0.1:0", max_connections: 7`, "server.max_connections"},
		"CORS":              {`listen: "127.0.0.1:0", cors: [a.example]`, ""},
		"Proxies":           {`listen: "127.0.0.1:0", proxies: [192.0.2.1]`, ""},
		"ProxyHeader":       {`listen: "127.0.0.1:0", proxy_header: forwarded`, ""},
		"Swagger":           {`listen: "127.0.0.1:0", swagger: false`, ""},
		"DefaultAPIVersion": {`listen: "127.0.0.1:0", default_api_version: 3.0.0`, ""},
		"Drain":             {`listen: "127.0.0.1:0", drain: 7s`, ""},
	}
	_, rest, _ := strings.Cut(reloadable, "\n")
	for i := range reflect.TypeFor[settings.Server]().NumField() {
		field := reflect.TypeFor[settings.Server]().Field(i).Name
		test, known := changes[field]
		if !known {
			t.Errorf("nobody says what a reload does with %s", field)
			continue
		}
		t.Run(field, func(t *testing.T) {
			dir := t.TempDir()
			r := run(t, dir, `server: { listen: "127.0.0.1:0" }`+"\n"+rest, Options{})
			err := r.Reload(t.Context(), load(t, dir, "server: { "+test.text+" }\n"+rest))
			if test.refused != "" {
				if err == nil || !strings.Contains(err.Error(), "a changed "+test.refused+" takes a restart") {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			resp, _ := r.do(t, http.MethodGet, "/swagger", "", "Origin", "https://a.example")
			silent, _ := r.do(t, http.MethodGet, "/tables/nosuch", "", "ZUMO-API-VERSION", "")
			inForce := map[string]bool{
				"DefaultAPIVersion": silent.StatusCode == http.StatusNotFound,
				"CORS":              resp.Header.Get("Access-Control-Allow-Origin") == "https://a.example",
				"Swagger":           resp.StatusCode == http.StatusNotFound,
				"Drain":             r.live.inForce().server.Drain == 7*time.Second,
				"Proxies":           len(r.live.inForce().server.Proxies) == 1,
				"ProxyHeader":       r.live.inForce().server.ProxyHeader == "forwarded",
			}
			if !inForce[field] {
				t.Errorf("%s is not in force: %d %v", field, resp.StatusCode, resp.Header)
			}
		})
	}
}

// A webhook that waits for its next attempt is delivered, whatever reloads come
// between, and those of a row keep their order.
func TestReloadKeepsWebhooks(t *testing.T) {
	var mu sync.Mutex
	var got []string
	asked, open := make(chan struct{}, 100), false
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		asked <- struct{}{}
		if !open {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var e struct {
			Item struct{ Text string }
		}
		if err := json.Unmarshal(body, &e); err != nil {
			t.Error(err)
		}
		got = append(got, e.Item.Text)
	}))
	defer receiver.Close()
	text := reloadable + "egress: { allow: [127.0.0.0/8] }\ntables: { note: { columns: { text: string }, " +
		"access: anonymous, webhook: { url: \"" + receiver.URL + "\" } } }\n"
	dir := t.TempDir()
	r := run(t, dir, text, Options{})
	write := func(method, path, body string) {
		t.Helper()
		if resp, answer := r.do(t, method, path, body); resp.StatusCode >= 300 {
			t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, answer)
		}
	}
	write("POST", "/tables/note", `{"id":"a","text":"one"}`)
	<-asked // it has been refused once
	if err := r.Reload(t.Context(), load(t, dir, text)); err != nil {
		t.Fatal(err)
	}
	write("PATCH", "/tables/note/a", `{"text":"two"}`)
	mu.Lock()
	open = true
	mu.Unlock()
	lane.Until(t, "both are delivered", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) == 2
	})
	if got[0] != "one" || got[1] != "two" {
		t.Errorf("they came as %q", got)
	}
}
