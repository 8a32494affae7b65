package console_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/policy/app"

	"github.com/cordon-sec/cordon/console"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// memoryApp is a config.xml in memory.
type memoryApp struct{ data string }

func (a *memoryApp) Project(context.Context) (*app.App, error) {
	doc, err := configxml.Parse("config.xml", []byte(a.data))
	if err != nil {
		return nil, err
	}
	target, err := dialect.ParseTarget("android@15")
	return &app.App{Config: doc, Targets: []policy.Target{target}}, err
}

func (a *memoryApp) Save(_ context.Context, old *configxml.Document, data []byte) error {
	if string(old.Bytes()) != a.data {
		return console.ErrChanged
	}
	a.data = string(data)
	return nil
}

// rows is one table in memory.
type rows struct {
	count int
	set   string
}

func (r *rows) List(context.Context) ([]console.Table, error) {
	return []console.Table{{
		Name: "todoitem", Columns: []console.Column{{Name: "id", Type: "string", System: true},
			{Name: "text", Type: "string"}},
		Access: []console.Permission{{Verb: "read", Who: "authenticated"}},
	}}, nil
}

func (r *rows) Rows(_ context.Context, _, after string, limit int) ([]console.Row, error) {
	first := 0
	if after != "" {
		if _, err := fmt.Sscanf(after, "%06d", &first); err != nil {
			return nil, err
		}
		first++
	}
	var page []console.Row
	for i := first; i < r.count && len(page) < limit; i++ {
		id := fmt.Sprintf("%06d", i)
		page = append(page, console.Row{ID: id, Version: "v1",
			Cells: []string{id, `<script>alert("` + id + `")</script>`}})
	}
	return page, nil
}

func (r *rows) Set(_ context.Context, table, id, version, column, value string) error {
	if version != "v1" {
		return console.ErrConflict
	}
	r.set = strings.Join([]string{table, id, column, value}, " ")
	return nil
}

func (r *rows) Delete(context.Context, string, string, string) error { return errors.New("not today") }

// people are two users in memory.
type people struct{ out string }

func (p *people) Users(context.Context, string, int) ([]console.User, error) {
	return []console.User{{ID: "sid:1", Provider: "google", Name: "Ada", Seen: time.Unix(1e9, 0)},
		{ID: "sid:2", Provider: "google", Name: "Ada of old", Into: "sid:1"}}, nil
}

func (p *people) Sessions(context.Context, string) ([]console.Session, error) {
	return []console.Session{{ID: "s1", Provider: "google"}}, nil
}

func (p *people) SignOut(_ context.Context, user string) error { p.out = user; return nil }

type world struct {
	app    *memoryApp
	ring   *event.Ring
	rows   *rows
	people *people
	server *httptest.Server
	t      *testing.T
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{
		app:  &memoryApp{"<widget>\n  <access origin=\"*\" />\n</widget>\n"},
		ring: event.NewRing(1000), rows: &rows{count: 120}, people: &people{}, t: t,
	}
	handler, err := console.New(console.Config{Base: "/console", Title: "todo", Policy: w.app, Traffic: w.ring,
		Tables: w.rows, People: w.people})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/console/", handler)
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	return w
}

// get reads a page; headers come as pairs.
func (w *world) get(path string, headers ...string) (status int, body string) {
	return w.do(http.MethodGet, path, nil, headers...)
}

func (w *world) do(method, path string, form url.Values, headers ...string) (status int, body string) {
	w.t.Helper()
	request, err := http.NewRequest(method, w.server.URL+"/console"+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		} else {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

func (w *world) shows(body string, wants ...string) {
	w.t.Helper()
	for _, want := range wants {
		if !strings.Contains(body, want) {
			w.t.Errorf("the page shows no %q:\n%s", want, body)
		}
	}
}

func TestPolicyPage(t *testing.T) {
	w := start(t)
	status, body := w.get("/policy?url=" + url.QueryEscape("https://api.example.org/"))
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	w.shows(body, `&lt;access origin=&#34;*&#34; /&gt;`, "access-catch-all", "android@15.0.0", "never-asked", "bypass",
		`href="#L2"`)
	_, fragment := w.get("/policy/try?url=tel:112", "HX-Request", "true")
	if strings.Contains(fragment, "<html") || !strings.Contains(fragment, "not-listed") {
		t.Errorf("fragment: %s", fragment)
	}
}

func TestFromADeniedRequestToTheLine(t *testing.T) {
	w := start(t)
	w.ring.Record(&event.Event{Type: event.Decision, Verdict: event.Blocked, Host: "api.example.org", Port: 443,
		Reason: "not-listed", Time: time.Now()})
	_, body := w.get("/traffic")
	link := "/policy/allow?scheme=&amp;host=api.example.org&amp;port=443"
	w.shows(body, "not-listed", link)
	_, body = w.get(strings.ReplaceAll(link, "&amp;", "&"))
	w.shows(body, `&lt;access origin=&#34;https://api.example.org&#34; /&gt;`, `name="port" value="443"`)
	_, body = w.get("/policy/allow?scheme=http&host=10.0.0.1&port=80")
	w.shows(body, "unencrypted", "it is an address")
	status, body := w.do(http.MethodPost, "/policy/allow", url.Values{"host": {"api.example.org"}, "port": {"443"}})
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	w.shows(body, "Added")
	want := "<widget>\n  <access origin=\"*\" />\n  <access origin=\"https://api.example.org\" />\n</widget>\n"
	if w.app.data != want {
		t.Errorf("config.xml is\n%s", w.app.data)
	}
	if status, _ := w.do(http.MethodPost, "/policy/allow",
		url.Values{"host": {"a/b"}}); status != http.StatusBadRequest {
		t.Errorf("a host that is none: status %d", status)
	}
}

func TestTrafficPages(t *testing.T) {
	w := start(t)
	for i := range 250 {
		verdict := event.Allowed
		if i%2 == 0 {
			verdict = event.Blocked
		}
		w.ring.Record(&event.Event{Type: event.Decision, Verdict: verdict, Host: fmt.Sprintf("h%03d.example", i)})
	}
	_, body := w.get("/traffic")
	w.shows(body, "h249.example", "h150.example", "before=151", "hx-trigger")
	if strings.Contains(body, "h149.example") {
		t.Error("the first page is too long")
	}
	_, body = w.get("/traffic?before=151&verdict=block")
	w.shows(body, "h148.example", "h000.example")
	if strings.Contains(body, "h149.example") || strings.Contains(body, "Older decisions") {
		t.Error("the filter or the end of the pages is wrong")
	}
}

func TestTables(t *testing.T) {
	w := start(t)
	_, body := w.get("/tables/todoitem")
	w.shows(body, "authenticated", "000049", "after=000049", "&lt;script&gt;")
	if strings.Contains(body, "<script>alert") {
		t.Error("a cell is not escaped")
	}
	_, body = w.get("/tables/todoitem?after=000099")
	w.shows(body, "000119")
	if strings.Contains(body, "More rows") {
		t.Error("the last page leads on")
	}
	w.do(http.MethodPost, "/tables/todoitem/set",
		url.Values{"id": {"000001"}, "version": {"v1"}, "column": {"text"}, "value": {"milk"}})
	if w.rows.set != "todoitem 000001 text milk" {
		t.Errorf("set %q", w.rows.set)
	}
	if status, _ := w.do(http.MethodPost, "/tables/todoitem/set",
		url.Values{"id": {"1"}, "version": {"old"}}); status != http.StatusConflict {
		t.Errorf("a stale version: status %d, want 409", status)
	}
	if status, _ := w.get("/tables/missing"); status != http.StatusNotFound {
		t.Errorf("a table that is not there: status %d", status)
	}
}

func TestPeople(t *testing.T) {
	w := start(t)
	_, body := w.get("/people")
	w.shows(body, "sid:1", "Ada", "google", `, merged into <a href="/console/people/user?id=sid%3a1">`)
	_, body = w.get("/people/user?id=sid:1")
	w.shows(body, "s1", "Sign out everywhere")
	w.do(http.MethodPost, "/people/signout", url.Values{"id": {"sid:1"}})
	if w.people.out != "sid:1" {
		t.Errorf("signed out %q", w.people.out)
	}
}

// Loopback is not safety by itself: other names that point here, and changes
// that other sites send, are refused.
func TestStrangersAreRefused(t *testing.T) {
	w := start(t)
	for _, host := range []string{"evil.test", "evil.test:80", "localhost.evil.test", "127.0.0.1.evil.test", ""} {
		status, _ := w.get("/policy", "Host", host)
		if host != "" && status != http.StatusForbidden {
			t.Errorf("Host %q: status %d, want 403", host, status)
		}
	}
	for _, host := range []string{"localhost", "localhost:9", "127.0.0.1", "[::1]:9", "todo.localhost"} {
		if status, _ := w.get("/policy", "Host", host); status != http.StatusOK {
			t.Errorf("Host %q: status %d, want 200", host, status)
		}
	}
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.test"}} {
		status, _ := w.do(http.MethodPost, "/people/signout", url.Values{"id": {"sid:1"}}, headers...)
		if status != http.StatusForbidden || w.people.out != "" {
			t.Errorf("%v: status %d, signed out %q", headers, status, w.people.out)
		}
	}
}

func TestPagesThatHaveNothingAreHidden(t *testing.T) {
	handler, err := console.New(console.Config{Base: "/console", Traffic: event.NewRing(1)})
	if err != nil {
		t.Fatal(err)
	}
	record := httptest.NewRecorder()
	handler.ServeHTTP(record, httptest.NewRequest(http.MethodGet, "http://localhost/console/traffic", nil))
	body := record.Body.String()
	if record.Code != http.StatusOK || strings.Contains(body, "People") || strings.Contains(body, ">Policy<") {
		t.Errorf("status %d:\n%s", record.Code, body)
	}
	csp := record.Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "default-src 'self'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	record = httptest.NewRecorder()
	handler.ServeHTTP(record, httptest.NewRequest(http.MethodGet, "http://localhost/console/people", nil))
	if record.Code != http.StatusNotFound {
		t.Errorf("a hidden page: status %d", record.Code)
	}
}

// Where the file is not changed from here, the line is shown and nothing takes
// it.
func TestReadOnly(t *testing.T) {
	w := &world{app: &memoryApp{"<widget/>"}, t: t}
	handler, err := console.New(console.Config{Base: "/console", Title: "gateway", Policy: w.app, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(handler)
	t.Cleanup(w.server.Close)
	_, body := w.get("/policy/allow?host=api.example.org&port=443")
	w.shows(body, "https://api.example.org", "add the line where it comes from")
	if strings.Contains(body, "<form") {
		t.Error("there is a form to change the file")
	}
	if status, _ := w.do(http.MethodPost, "/policy/allow",
		url.Values{"host": {"api.example.org"}}); status != http.StatusForbidden || w.app.data != "<widget/>" {
		t.Errorf("status %d, and the file is %s", status, w.app.data)
	}
}

// BenchmarkTraffic shows the newest page of a host that is not among a hundred
// thousand events: all of them are looked at.
func BenchmarkTraffic(b *testing.B) {
	ring := event.NewRing(100_000)
	for i := range 100_000 {
		ring.Record(&event.Event{Type: event.Decision, Verdict: event.Allowed, Host: fmt.Sprintf("h%06d.example", i)})
	}
	handler, err := console.New(console.Config{Title: "gateway", Traffic: ring})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/traffic?host=missing", nil)
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
