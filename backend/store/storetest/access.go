package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
)

func testAccess(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{
		"private": {Columns: columns, Access: tables.Authenticated},
		"shop": {Columns: columns, Insert: tables.Operation{Access: tables.Authenticated},
			Delete: tables.Operation{Access: tables.Disabled}, SoftDelete: true},
		"off": {Access: tables.Disabled, Read: tables.Operation{Access: tables.Anonymous}},
	})
	for _, r := range [][2]string{{"GET", ""}, {"GET", "/a"}, {"POST", ""}, {"PATCH", "/a"}, {"DELETE", "/a"}} {
		got := a.want(401, r[0], "/tables/private"+r[1], "{}")
		if got.body != "You must be logged in to use this application" ||
			!strings.HasPrefix(got.header.Get("Content-Type"), "text/plain") {
			t.Errorf("401: %s %v", got.body, got.header)
		}
	}
	// The caller is asked who they are before the body is read.
	a.want(401, "POST", "/tables/private", "{")
	a.want(401, "POST", "/tables/private", `{"deleted":true}`)
	a.want(401, "POST", "/tables/shop", "{}")
	same(t, "405", a.want(405, "DELETE", "/tables/shop/a", "").body, "Method delete is not allowed")
	same(t, "405", a.want(405, "POST", "/tables/off", "{}").body, "Method insert is not allowed")
	a.want(200, "GET", "/tables/off", "")
	a.user = "sid:ann"
	a.want(201, "POST", "/tables/private", `{"id":"a"}`)
	a.want(201, "POST", "/tables/shop", `{"id":"a"}`)
	a.want(405, "DELETE", "/tables/shop/a", "")
}

func testPerUser(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns, PerUser: true, SoftDelete: true}})
	a.want(401, "GET", "/tables/item", "")
	a.want(401, "POST", "/tables/item", "{}")
	a.user = "sid:ann"
	if row := a.want(201, "POST", "/tables/item", `{"id":"a","userId":"sid:bob"}`).row(t); row["userId"] != "sid:ann" {
		t.Errorf("a spoofed user: %v", row)
	}
	a.want(201, "POST", "/tables/item", `{"id":"a2","text":"x"}`)
	a.user = "sid:bob"
	a.want(201, "POST", "/tables/item", `{"id":"b"}`)
	a.want(404, "GET", "/tables/item/a", "")
	a.want(404, "PATCH", "/tables/item/a", `{"text":"stolen"}`)
	a.want(404, "DELETE", "/tables/item/a", "")
	a.want(404, "POST", "/tables/item/a", "")
	a.want(404, "PATCH", "/tables/item/a", `{"text":"stolen"}`, "If-Match", `"AAAAAAAAAAE="`)
	a.wantIDs("/tables/item?$filter=userId ne 'x' or true", "b")
	a.want(404, "DELETE", "/tables/item?$filter=text eq 'x'", "")
	same(t, "count", a.want(200, "GET", "/tables/item?$inlinecount=allpages&$top=0", "").body,
		`{"results":[],"count":1}`)
	dup := a.want(409, "POST", "/tables/item", `{"id":"a","text":"mine"}`)
	same(t, "a duplicate of a foreign row", dup.body, `{"id":"a","text":"mine"}`)
	a.user = "sid:ann"
	if row := a.want(200, "PATCH", "/tables/item/a", `{"userId":"sid:bob"}`).row(t); row["userId"] != "sid:ann" {
		t.Errorf("a row was given away: %v", row)
	}
	a.wantIDs("/tables/item?$orderby=id", "a a2")
}

func testRules(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{
		"note": {Columns: columns, Access: tables.Authenticated, SoftDelete: true,
			Read:   tables.Operation{Rule: `row.text == user.id || row.done == true`},
			Insert: tables.Operation{Rule: `row.text == user.id`},
			Update: tables.Operation{Rule: `row.text == user.id`},
			Delete: tables.Operation{Rule: `"admin" in user.claims.role`}},
		"broken": {Columns: columns, Rule: `row.text.size() > 3`},
	})
	a.user = "sid:ann"
	a.want(201, "POST", "/tables/note", `{"id":"a","text":"sid:ann"}`)
	a.want(201, "POST", "/tables/note", `{"id":"shared","text":"sid:ann","done":true,"n":5}`)
	same(t, "a rule", a.want(403, "POST", "/tables/note", `{"id":"x","text":"sid:bob"}`).body,
		`{"error":"You are not allowed to do this"}`)
	a.want(403, "PATCH", "/tables/note/a", `{"text":"sid:bob"}`) // a row cannot be moved out of the rule
	etag := a.want(200, "GET", "/tables/note/a", "").header.Get("ETag")
	a.user = "sid:bob"
	a.want(404, "GET", "/tables/note/a", "")
	a.want(404, "PATCH", "/tables/note/a", `{"n":1}`)
	a.want(404, "PATCH", "/tables/note/a", `{"n":1}`, "If-Match", `"AAAAAAAAAAE="`)
	a.want(404, "PATCH", "/tables/note/a", `{"n":1}`, "If-Match", etag)
	a.want(200, "GET", "/tables/note/shared", "")
	a.want(403, "PATCH", "/tables/note/shared", `{"n":1}`)
	a.want(403, "DELETE", "/tables/note/shared", "")
	a.want(201, "POST", "/tables/note", `{"id":"b","text":"sid:bob"}`)
	a.wantIDs("/tables/note?$orderby=id", "b shared")
	a.wantIDs("/tables/note?$orderby=id&$skip=1&$top=5", "shared")
	a.wantIDs("/tables/note?$orderby=id&$top=1", "b")
	same(t, "count", a.want(200, "GET", "/tables/note?$inlinecount=allpages&$top=1&$select=id&$orderby=id", "").body,
		`{"results":[{"id":"b"}],"count":2}`)
	a.user = "sid:admin"
	a.want(404, "DELETE", "/tables/note/a", "") // may delete, but not what they cannot see
	a.want(200, "DELETE", "/tables/note/shared", "")
	// What cannot be evaluated does not hold.
	a.want(403, "POST", "/tables/broken", `{"id":"x"}`)
	a.want(201, "POST", "/tables/broken", `{"id":"y","text":"long"}`)
	a.wantIDs("/tables/broken", "y")
}

// testAllTablesOrNone: of a configuration that one table cannot take, nothing is
// left in the database: no table, no column, no index.
func testAllTablesOrNone(t *testing.T, open Opener) {
	store := open(t)
	a := &app{t: t, store: store, s: service(t, store, tables.Config{
		"note": {Columns: map[string]tables.Column{"code": {Type: "string"}}},
		"zoo":  {Columns: map[string]tables.Column{"size": {Type: "number"}}},
	}, tables.Options{})}
	a.want(201, "POST", "/tables/note", `{"id":"a","code":"x"}`)
	_, err := tables.New(t.Context(), tables.Config{
		"added": {Columns: map[string]tables.Column{"text": {Type: "string"}}},
		"note":  {Columns: map[string]tables.Column{"code": {Type: "string", Unique: true}, "more": {Type: "date"}}},
		"zoo":   {Columns: map[string]tables.Column{"size": {Type: "string"}}},
	}, store, tables.Options{})
	var wrong *tables.SchemaError
	if !errors.As(err, &wrong) || wrong.Table != "zoo" || wrong.Column != "size" {
		t.Fatalf("%v", err)
	}
	a.want(201, "POST", "/tables/note", `{"id":"b","code":"x"}`) // the index is not there
	// A seed is loaded into a table that is new, and columns that only the database
	// has are shown.
	read := func(string) ([]byte, error) { return []byte(`[{"id":"s","text":"seeded"}]`), nil }
	after := &app{t: t, store: store, s: service(t, store, tables.Config{
		"added": {Columns: map[string]tables.Column{"text": {Type: "string"}}, Seed: "seed.json"},
		"note":  {Columns: map[string]tables.Column{"code": {Type: "string"}}},
	}, tables.Options{ReadFile: read})}
	after.wantIDs("/tables/added", "s")
	if _, there := after.want(200, "GET", "/tables/note/a", "").row(t)["more"]; there {
		t.Error("a column of the refused configuration is there")
	}
}

func testSchema(t *testing.T, open Opener) {
	store := open(t)
	yes := map[string]tables.Column{
		"code": {Type: "string", Unique: true}, "size": {Type: "number", Default: 3},
		"label": {Type: "string", Required: true, Default: "none"},
		"day":   {Type: "date", Default: "2020-02-29T00:00:00Z"}, "nick": {Type: "string", IgnoreCase: true},
	}
	c := tables.Config{"item": {Columns: yes, Indexes: []tables.Index{{"size"}, {"size", "label"}}, SoftDelete: true}}
	a := &app{t: t, store: store, s: service(t, store, c, tables.Options{})}
	row := a.want(201, "POST", "/tables/item", `{"id":"a","code":"x","nick":"Bob"}`).row(t)
	if row["size"] != 3.0 || row["label"] != "none" || row["day"] != "2020-02-29T00:00:00.000Z" {
		t.Errorf("defaults: %v", row)
	}
	a.want(201, "POST", "/tables/item", `{"id":"b","size":null}`)
	a.want(201, "POST", "/tables/item", `{"id":"c"}`) // two nulls in a unique column
	a.want(409, "POST", "/tables/item", `{"id":"d","code":"x"}`)
	a.want(409, "PATCH", "/tables/item/b", `{"code":"x"}`)
	a.want(400, "POST", "/tables/item", `{"id":"e","label":null}`)
	a.want(400, "PATCH", "/tables/item/b", `{"label":null}`)
	a.wantIDs("/tables/item?$filter=nick eq 'bOB'", "a")
	a.wantIDs("/tables/item?$filter=startswith(nick,'BO') and substringof('B',nick)", "a")
	a.wantIDs("/tables/item?$filter=size eq null", "b")
	a.wantIDs("/tables/item?$orderby=id", "a b c")
	// The same definition again changes nothing, a larger one adds.
	c["item"].Columns["more"] = tables.Column{Type: "boolean"}
	again := &app{t: t, store: store, s: service(t, store, c, tables.Options{})}
	if row := again.want(200, "GET", "/tables/item/a", "").row(t); row["code"] != "x" || row["more"] != nil {
		t.Errorf("after a new column: %v", row)
	}
	again.want(200, "PATCH", "/tables/item/a", `{"more":true}`)
	c["item"].Columns["size"] = tables.Column{Type: "string"}
	_, err := tables.New(t.Context(), c, store, tables.Options{})
	var wrong *tables.SchemaError
	if !errors.As(err, &wrong) || wrong.Column != "size" {
		t.Errorf("another type: %v", err)
	}
	long := strings.Repeat("x", 100)
	wide := &app{t: t, store: store, s: service(t,
		store,
		tables.Config{"wide": {Columns: map[string]tables.Column{long: {Type: "string"},
			long + "y": {Type: "string"}}}}, tables.Options{})}
	if row := wide.want(201, "POST", "/tables/wide", `{"`+long+`":"1","`+long+`y":"2"}`).row(t); row[long] != "1" ||
		row[long+"y"] != "2" {
		t.Errorf("long names: %v", row)
	}
	wide.want(200, "GET", "/tables/wide?$filter="+long+" eq '1'", "")
}

func testDynamic(t *testing.T, open Opener) {
	store := open(t)
	c := tables.Config{"item": {DynamicSchema: true, MaxColumns: 12}, "fixed": {}}
	a := &app{t: t, store: store, s: service(t, store, c, tables.Options{})}
	a.want(400, "POST", "/tables/fixed", `{"text":"x"}`)
	a.want(400, "GET", "/tables/fixed?$filter=text eq 'x'", "")
	same(t, "a column that nobody has", a.want(200, "GET", "/tables/item?$filter=text eq 'x'", "").body, "[]")
	row := a.want(201, "POST", "/tables/item",
		`{"id":"a","text":"x","n":1,"ok":true,"at":"2016-01-01T00:00:00.000Z","nothing":null}`).row(t)
	if _, there := row["nothing"]; there || row["n"] != 1.0 || row["at"] != "2016-01-01T00:00:00.000Z" {
		t.Errorf("the row: %v", row)
	}
	a.wantIDs("/tables/item?$filter=text eq 'x' and n gt 0 and ok", "a")
	a.want(200, "PATCH", "/tables/item/a", `{"more":"y","TEXT":"z"}`)
	if row := a.want(200, "GET", "/tables/item/a", "").row(t); row["text"] != "z" || row["more"] != "y" {
		t.Errorf("the row: %v", row)
	}
	for _, body := range []string{`{"o":{}}`, `{"l":[1]}`, `{"a b":1}`, `{"1a":1}`, `{"":1}`, `{"x\"y":1}`,
		`{"n":"abc","fresh":1}`, `{"` + strings.Repeat("x", 129) + `":1}`, `{"c1":1,"c2":1,"c3":1,"c4":1,"c5":1}`} {
		a.want(400, "POST", "/tables/item", body)
	}
	if row := a.want(200, "GET", "/tables/item/a", "").row(t); len(row) != 9 {
		t.Errorf("refused rows left columns behind: %v", row)
	}
	// Another process sees the columns that this one made, and the other way
	// round.
	other := &app{t: t, store: store, s: service(t, store, c, tables.Options{})}
	other.want(201, "POST", "/tables/item", `{"id":"b","late":"1"}`)
	for tries := 0; a.ids("/tables/item?$filter=late eq '1'") != "b"; tries++ {
		if time.Sleep(20 * time.Millisecond); tries == 100 {
			t.Fatal("the other process's column is never seen")
		}
	}
	a.want(201, "POST", "/tables/item", `{"id":"c","late":"2"}`)
}

func testWebhook(t *testing.T, open Opener) {
	var mu sync.Mutex
	var got []string
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var e struct {
			Operation, Table, UserID, ID string
			Item                         map[string]any
		}
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprint(e.Operation, " ", e.Table, " ", e.ID, " ", e.Item["n"], " ", e.UserID))
	}))
	defer receiver.Close()
	a := &app{t: t, store: open(t), user: "sid:ann"}
	c := tables.Config{"Item": {Columns: columns, SoftDelete: true, Webhook: &tables.Webhook{URL: receiver.URL}}}
	s, err := tables.New(t.Context(), c, a.store, tables.Options{Webhooks: receiver.Client()})
	if err != nil {
		t.Fatal(err)
	}
	a.s = s
	a.want(201, "POST", "/tables/item", `{"id":"a","n":1}`)
	a.want(409, "POST", "/tables/item", `{"id":"a","n":2}`) // what fails is not told
	for n := 2; n < 30; n++ {
		a.want(200, "PATCH", "/tables/item/a", fmt.Sprintf(`{"n":%d}`, n))
	}
	a.want(200, "GET", "/tables/item/a", "")
	a.want(200, "DELETE", "/tables/item/a", "")
	a.want(201, "POST", "/tables/item/a", "")
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"create Item  1 sid:ann"}
	for n := 2; n < 30; n++ {
		want = append(want, fmt.Sprintf("update Item a %d sid:ann", n))
	}
	want = append(want, "read Item a <nil> sid:ann", "delete Item a 29 sid:ann", "undelete Item a 29 sid:ann")
	same(t, "events", got, want)
	if _, err := tables.New(t.Context(), c, a.store, tables.Options{}); err == nil {
		t.Error("a webhook without a way out was taken")
	}
}
