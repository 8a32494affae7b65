package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/internal/lane"
)

// A caller learns nothing through writes that reads refuse. The test has two worlds
// that differ in nothing but the rows that the caller may not read: in one they are
// there, in the other they are not. The same requests are answered alike in both.
// (What is documented is left out: an insert says that an id, or a value that must
// be unique, is taken.)

// hiding is a way in which reads refuse rows.
type hiding struct {
	name  string
	table tables.Table
	// open is what makes a row of the caller readable, as JSON; "" if no row is.
	open string
	// user is who writes the hidden rows, if that matters.
	user string
	// dynamic says that writes may bring columns.
	dynamic bool
}

func hidings() []hiding {
	admins := tables.Operation{Rule: `"admin" in user.claims.role`}
	return []hiding{
		{name: "read disabled", table: tables.Table{Read: tables.Operation{Access: tables.Disabled}}},
		{name: "a rule without row", table: tables.Table{Read: admins}},
		{name: "a rule without row for all, but writes", table: tables.Table{
			Rule: `request.operation != "read" || "admin" in user.claims.role`}},
		{name: "a rule of the method", table: tables.Table{Rule: `request.method != "GET"`}},
		{name: "a rule with row", table: tables.Table{Read: tables.Operation{Rule: `row.n < 100.0`}}, open: `"n":1`},
		{name: "a rule with row that cannot be evaluated", table: tables.Table{Read: tables.Operation{
			Rule: `row.due.getFullYear() == 2020`}}, open: `"due":"2020-01-01T00:00:00Z"`},
		{name: "a rule of deleted rows", table: tables.Table{Read: tables.Operation{
			Rule: `row.deleted == false && row.n < 100.0`}}, open: `"n":1`},
		{name: "per user", table: tables.Table{PerUser: true}, open: `"n":1`, user: "sid:eve"},
		{name: "a dynamic schema", table: tables.Table{Read: tables.Operation{Rule: `row.n < 100.0`},
			Insert: tables.Operation{Rule: `row.n < 10.0`}, Update: tables.Operation{Rule: `row.n < 10.0`}},
			open: `"n":1`, dynamic: true},
	}
}

// world is one of the two, with what its answers have said of versions.
type world struct {
	*app
	etags map[string]string
}

// secret is in every hidden row, and nowhere else.
const secret = "geheim"

func newWorld(t *testing.T, open Opener, h hiding, hidden bool) *world {
	h.table.Columns = map[string]tables.Column{"text": {Type: "string"}, "n": {Type: "number"},
		"due": {Type: "date"}, "state": {Type: "string", Default: "new"}}
	h.table.SoftDelete, h.table.DynamicSchema = true, h.dynamic
	store := open(t)
	everything := h.table
	everything.Read, everything.Rule, everything.Insert.Rule, everything.Update.Rule = tables.Operation{}, "", "", ""
	admin := &app{t: t, store: store, user: "sid:user",
		s: service(t, store, tables.Config{"item": everything}, tables.Options{})}
	for i := range 4 {
		id := fmt.Sprintf("open%d", i)
		if h.open != "" {
			admin.want(201, "POST", "/tables/item", fmt.Sprintf(`{"id":%q,"text":"t%d",%s}`, id, i, h.open))
		}
	}
	if h.user != "" {
		admin.user = h.user
	}
	for i := range 4 {
		if id := fmt.Sprintf("hidden%d", i); hidden {
			admin.want(201, "POST", "/tables/item", fmt.Sprintf(`{"id":%q,"text":"t%d","n":%d,"state":%q}`, id, i,
				1000+i, secret))
			if i == 3 {
				admin.want(200, "DELETE", "/tables/item/"+id, "")
			}
		}
	}
	return &world{app: &app{t: t, store: store, user: "sid:user",
		s: service(t, store, tables.Config{"item": h.table}, tables.Options{})}, etags: map[string]string{}}
}

// asked is a request that both worlds get.
type asked struct {
	v3                       bool
	method, path, id, body   string
	condition, value, option string
}

// invent makes a request of a caller who is curious.
func invent(r *rand.Rand) asked {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	q := asked{v3: r.IntN(2) == 0, id: pick("hidden", "hidden", "open", "none") + fmt.Sprint(r.IntN(4))}
	q.path = "/" + q.id
	q.body = pick(
		`{}`,
		`{"text":"x"}`,
		`{"n":500}`,
		`{"state":null}`,
		`{"deleted":false}`,
		`{"text":"y","deleted":false}`,
		`{"id":"`+q.id+`"}`,
		`{"version":"AAAAAAAAAAE="}`,
		`{"due":"2021-01-01T00:00:00Z"}`,
		`{"nope":1}`,
		fmt.Sprintf(`{"n":%d,"fresh%d":1}`, r.IntN(20), r.IntN(5)),
		`[`,
		"",
	)
	q.method = pick("GET", "PATCH", "PATCH", "PUT", "DELETE", "DELETE", "POST", "FILTER", "FILTER", "LIST")
	switch q.method {
	case "PUT":
		q.body = `{"id":"` + q.id + `","text":"put"}`
	case "FILTER", "LIST":
		terms := []string{
			"id eq '" + q.id + "'",
			"startswith(id,'hidden')",
			"startswith(id,'open')",
			"state eq '" + secret + "'",
			"n gt 999",
			"text eq 't1'",
			"deleted eq true",
			"n eq null",
			"not (n lt 5)",
			"length(state) gt 3",
			"n mul 1e306 gt 0",
			"n add 1.79e308 gt n mul 1.7e305 add 1.79e308",
			"n mul 5e-324 div 5000 gt 0",
			"n div 1e-306 gt 0",
			"1 div (n sub 1000) gt 0",
			"n mod 5e-324 gt 0",
			"substring(state,n mul 1e305,n mul 1.7e305) eq ''",
			"length(concat(replace(state,'e','" + strings.Repeat("e", 100) + "'),text)) gt 0",
			"true",
		}
		q.path = "?$filter=" + pick(terms...) + pick(" and ", " or ") + pick(terms...)
		q.method = map[string]string{"FILTER": "DELETE", "LIST": "GET"}[q.method]
	}
	if r.IntN(3) == 0 {
		q.body = pick(`[{"op":"test","path":"/state","value":"`+secret+`"}]`,
			`[{"op":"replace","path":"/deleted","value":false}]`, `[{"op":"replace","path":"/text","value":"j"}]`)
	}
	if r.IntN(2) == 0 {
		q.condition = pick("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")
		q.value = pick(`"AAAAAAAAAAE="`, "*", "known", "nonsense", `"AAAAAAAAAAE=", "AAAAAAAAAAI="`)
		if strings.HasSuffix(q.condition, "Since") {
			q.value = pick("Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT")
		}
	}
	q.option = pick("", "", "include:deleted")
	return q
}

// changing are the parts of an answer that differ between any two stores.
var changing = regexp.MustCompile(`"(version|createdAt|updatedAt)":"[^"]*"|__after=[0-9]+`)

// ask returns the whole answer but for stamps and versions.
func (w *world) ask(q asked) string {
	w.v3 = q.v3
	headers := []string{"X-ZUMO-Options", q.option}
	if q.condition != "" {
		value := q.value
		if value == "known" {
			value = w.etags[q.id]
		}
		headers = append(headers, q.condition, value)
	}
	if strings.HasPrefix(q.body, "[{") {
		headers = append(headers, "Content-Type", "application/json-patch+json")
	}
	path := q.path
	if q.option != "" && !q.v3 {
		path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "__includeDeleted=true"
	}
	got := w.do(q.method, "/tables/item"+path, q.body, headers...)
	var row struct{ ID, Version string }
	if json.Unmarshal([]byte(got.body), &row) == nil && row.Version != "" {
		w.etags[row.ID] = `"` + row.Version + `"`
	}
	if strings.Contains(got.body, secret) {
		w.t.Fatalf("%+v showed a hidden row: %d %s", q, got.status, got.body)
	}
	names := []string{}
	for name := range got.header {
		names = append(names, name)
	}
	slices.Sort(names)
	return fmt.Sprintln(got.status, names, changing.ReplaceAllString(got.body, ""))
}

func testSecrecy(t *testing.T, open Opener) {
	for i, h := range hidings() {
		t.Run(h.name, func(t *testing.T) {
			with, without := newWorld(t, open, h, true), newWorld(t, open, h, false)
			if h.table.Insert.Rule == "" {
				with.wantTaken("hidden0")
				with.wantTaken("hidden3") // which is deleted
			}
			r := rand.New(rand.NewPCG(uint64(i), 14))
			for n := range lane.Rounds(75, 300, 3000) {
				q := invent(r)
				a, b := with.ask(q), without.ask(q)
				if a != b {
					t.Fatalf("request %d, %+v, tells of hidden rows:\n%swithout them\n%s", n, q, a, b)
				}
			}
		})
	}
}

// wantTaken: what an insert says of an id that is taken by a row that the caller may
// not read: that it is taken, and the caller's own words.
func (w *world) wantTaken(id string) {
	w.t.Helper()
	w.v3 = false
	got := w.want(http.StatusConflict, "POST", "/tables/item", `{"id":"`+id+`","text":"mine"}`)
	same(w.t, "2.0", got.body, `{"id":"`+id+`","text":"mine"}`)
	w.v3 = true
	got = w.want(http.StatusConflict, "POST", "/tables/item?__includedeleted=true", `{"id":"`+id+`","text":"mine"}`)
	same(w.t, "3.0", got.body, `{"type":"about:blank","title":"Conflict","status":409,`+
		`"detail":"An item with this id exists","error":"An item with this id exists"}`)
	if got.header.Get("ETag") != "" || got.header.Get("Last-Modified") != "" {
		w.t.Errorf("%v", got.header)
	}
}

// testBlind: what is written by somebody who may not read it is answered with what
// the request itself has said.
func testBlind(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{
		"box": {Columns: map[string]tables.Column{"text": {Type: "string"}, "n": {Type: "number"},
			"state": {
				Type:    "string",
				Default: secret,
			}}, SoftDelete: true, Read: tables.Operation{Access: tables.Disabled}},
		"mine": {
			Columns:    columns,
			SoftDelete: true,
			Read:       tables.Operation{Rule: `row.done == true && row.deleted == false`},
		},
	})
	for _, v3 := range []bool{false, true} {
		a.v3 = v3
		id := fmt.Sprintf("v%v", v3)
		got := a.want(201, "POST", "/tables/box", `{"id":"`+id+`","text":"é","n":"7"}`)
		same(t, "an insert", got.row(t), map[string]any{"id": id, "text": "é", "n": 7.0})
		if got.header.Get("ETag") != "" || got.header.Get("Last-Modified") != "" {
			t.Errorf("%v", got.header)
		}
		if made := a.want(201, "POST", "/tables/box", "{}").row(t); len(made) != 1 || len(made["id"].(string)) != 36 {
			t.Errorf("an insert without an id: %v", made)
		}
		a.want(201, "POST", "/tables/mine", `{"id":"`+id+`","text":"t","done":true}`)
		// What a change takes out of the caller's sight is not shown any more.
		same(t, "a change", a.want(200, "PATCH", "/tables/mine/"+id, `{"done":false}`).row(t),
			map[string]any{"id": id, "done": false})
		a.want(404, "PATCH", "/tables/mine/"+id, `{"done":true}`)
	}
	a.v3 = false
	a.want(201, "POST", "/tables/mine", `{"id":"d","done":true}`)
	a.want(201, "POST", "/tables/mine", `{"id":"e","done":true}`)
	a.want(201, "POST", "/tables/mine", `{"id":"f","done":true}`)
	same(t, "a deletion", a.want(200, "DELETE", "/tables/mine/d", "").body, `{"id":"d"}`)
	same(t, "several", a.want(200, "DELETE", "/tables/mine?$filter=true", "").rows(t),
		[]map[string]any{{"id": "e"}, {"id": "f"}})
}
