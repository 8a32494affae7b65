// Package storetest is the conformance suite of the backend's stores: what the
// features expect of SQLite and of PostgreSQL alike, checked through the
// features' own front ends where that says more.
//
// A store's test calls Run with a function that opens an empty database.
package storetest

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/transfer"
	"github.com/google/go-cmp/cmp"
)

// Store is all that a store of the backend has to be.
type Store interface {
	transfer.Store
	auth.Merger
	Ping(ctx context.Context) error
	Close() error
}

// Opener opens a new, empty database and closes it when the test ends.
type Opener func(tb testing.TB) Store

// Run runs the whole suite.
func Run(t *testing.T, open Opener) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, Opener)
	}{
		{"insert", testInsert}, {"update", testUpdate}, {"delete", testDelete}, {"query", testQuery},
		{"paging", testPaging}, {"order", testOrder}, {"hostile", testHostile}, {"schema", testSchema},
		{"all tables or none", testAllTablesOrNone}, {"dynamic", testDynamic}, {"access", testAccess},
		{"per user", testPerUser}, {"rules", testRules}, {"grants", testGrants},
		{"undelete inherits", testUndeleteInherits}, {"undelete and change", testUndeleteAndChange},
		{"guide", testGuide}, {"secrecy", testSecrecy}, {"blind", testBlind}, {"semicolons", testSemicolons},
		{"GUIDs", testGUIDs}, {"names of databases", testDatabaseNames}, {"expiry and names", testExpiryNames},
		{"spellings of ids", testSpellings}, {"toolkit queries", testToolkitQueries},
		{"toolkit pages", testToolkitPages}, {"toolkit mistakes", testToolkitMistakes},
		{"toolkit rows", testToolkitRows}, {"toolkit versions", testToolkitVersions}, {"calendar", testCalendar},
		{"no words of the server", testNoServerText}, {"taken values", testTakenValues},
		{"order of webhooks", testWebhookOrder}, {"long pages", testLongPages}, {"expiry", testExpiry},
		{"webhook", testWebhook}, {"integer ids", testIntegerIDs}, {"contexts", testContexts},
		{"withdrawn", testWithdrawn}, {"panic beside", testPanicBeside}, {"panic is logged", testPanicIsLogged},
		{"panic", testPanic}, {"deadline", testDeadline}, {"race", testRace}, {"datasync", testDatasync},
		{"conditions", testConditions}, {"transfer", testTransfer}, {"imports", testImports},
		{"tombstones", testTombstones}, {"refusals", testRefusals}, {"imported ids", testImportedIDs},
		{"dynamic import", testDynamicImport}, {"resume", testResume}, {"undo broken", testUndoBroken},
		{"large row", testLargeRow}, {"unread answers", testUnreadAnswers}, {"methods of rules", testMethodsOfRules},
		{"undo", testUndo},
		{"undo replaced", testUndoReplaced}, {"batch moved", testBatchMoved}, {"check", testCheck},
		{"undo taken", testUndoTaken}, {"step beside", testStepBeside},
		{"filters", testFilters}, {"extremes", testExtremes}, {"refused columns", testRefusedColumns},
		{"removed by rule", testRemovedByRule}, {"room for answers", testRoomForAnswers},
		{"room beside one", testRoomBesideOne}, {"sync", testSync},
		{"unknown outcome", testRepeat}, {"secrets", testSecrets}, {"once", testOnce}, {"users", testUsers},
		{"sessions", testSessions}, {"revocations", testRevocations}, {"signing keys", testSigningKeys},
		{"sweep", testSweep}, {"merge", testMerge}, {"merge of two with rows", testMergeConflict},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, open) })
	}
}

// app is a service with some tables, as a client sees it.
type app struct {
	t     testing.TB
	s     *tables.Service
	store Store
	clock time.Time
	v3    bool
	user  string
}

func serve(t testing.TB, open Opener, c tables.Config) *app {
	t.Helper()
	a := &app{t: t, store: open(t), clock: time.Now()}
	a.s = service(t, a.store, c, tables.Options{})
	return a
}

func service(t testing.TB, store Store, c tables.Config, o tables.Options) *tables.Service {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s, err := tables.New(t.Context(), c, store, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

// row is the body as a JSON object.
func (a answer) row(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("the body must be an object: %v\n%s", err, a.body)
	}
	return m
}

// rows is the body as a JSON array of objects.
func (a answer) rows(t testing.TB) []map[string]any {
	t.Helper()
	var m []map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("the body must be an array: %v\n%s", err, a.body)
	}
	return m
}

// do sends a request; headers are pairs of name and value.
func (a *app) do(method, path, body string, headers ...string) answer {
	r := httptest.NewRequestWithContext(a.t.Context(), method,
		"http://app.example:8080"+strings.ReplaceAll(path, " ", "%20"), strings.NewReader(body))
	r.Header.Set("ZUMO-API-VERSION", "2.0.0")
	if a.v3 {
		r.Header.Set("ZUMO-API-VERSION", "3.0.0")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	if a.user != "" {
		r = r.WithContext(identity.NewContext(r.Context(), &identity.Principal{User: identity.User{ID: a.user,
			Claims: []identity.Claim{{Type: "role", Value: strings.TrimPrefix(a.user, "sid:")}}}}, nil))
	}
	w := httptest.NewRecorder()
	a.s.ServeHTTP(w, r)
	if w.Code == http.StatusInternalServerError {
		a.t.Errorf("%s %s: 500 %s", method, path, w.Body)
	}
	return answer{w.Code, w.Result().Header, w.Body.String()}
}

// want sends a request and checks its status.
func (a *app) want(status int, method, path, body string, headers ...string) answer {
	a.t.Helper()
	got := a.do(method, path, body, headers...)
	if got.status != status {
		a.t.Fatalf("%s %s %.200s: status %d, want %d: %.500s", method, path, body, got.status, status, got.body)
	}
	return got
}

// ids sends a query and returns the ids of the rows, in order.
func (a *app) ids(path string) string {
	a.t.Helper()
	var ids []string
	for _, row := range a.want(200, "GET", path, "").rows(a.t) {
		id, _ := row["id"].(string)
		ids = append(ids, id)
	}
	return strings.Join(ids, " ")
}

func (a *app) wantIDs(path, want string) {
	a.t.Helper()
	if got := a.ids(path); got != want {
		a.t.Errorf("GET %s\n got %s\nwant %s", path, got, want)
	}
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// columns are those of the table most tests use.
var columns = map[string]tables.Column{
	"text": {Type: "string"}, "n": {Type: "number"}, "done": {Type: "boolean"}, "due": {Type: "date"},
}
