package storetest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/internal/lane"
)

// form is one way to ask for an operation.
type form struct {
	name, op     string
	v3           bool
	method, path string
	body         string
	header       []string
}

// forms are all ways to ask for an operation on the row ID, in both protocols.
// Those of one operation are to be answered alike.
var forms = []form{
	{"read one 2.0", "read", false, "GET", "/ID", "", nil},
	{"read many 2.0", "read", false, "GET", "?$filter=id eq 'ID'", "", nil},
	{"head 2.0", "read", false, "HEAD", "/ID", "", nil},
	{"read one 3.0", "read", true, "GET", "/ID", "", nil},
	{"read many 3.0", "read", true, "GET", "?$filter=id eq 'ID'", "", nil},
	{"read 3.0 with a condition", "read", true, "GET", "/ID", "", []string{"If-None-Match", `"AAAAAAAAAAE="`}},
	{"insert 2.0", "insert", false, "POST", "", `{"id":"NEW","text":"sid:ann"}`, nil},
	{"insert 3.0", "insert", true, "POST", "", `{"id":"NEW","text":"sid:ann"}`, nil},
	{"patch 2.0", "update", false, "PATCH", "/ID", `{"n":2}`, nil},
	{"patch 2.0, id in the body", "update", false, "PATCH", "", `{"id":"ID","n":2}`, nil},
	{"empty patch 2.0", "update", false, "PATCH", "/ID", `{}`, nil},
	{"patch 3.0", "update", true, "PATCH", "/ID", `{"n":2}`, nil},
	{"empty patch 3.0", "update", true, "PATCH", "/ID", `{}`, nil},
	{"patch 3.0 that says deleted: false of a live row", "update", true, "PATCH", "/ID", `{"n":2,"deleted":false}`,
		nil},
	{"JSON Patch", "update", true, "PATCH", "/ID", `[{"op":"replace","path":"/n","value":2}]`,
		[]string{"Content-Type", "application/json-patch+json"}},
	{"put 3.0", "update", true, "PUT", "/ID", `{"id":"ID","text":"sid:ann","n":2}`, nil},
	{"delete 2.0", "delete", false, "DELETE", "/ID", "", nil},
	{"delete by filter 2.0", "delete", false, "DELETE", "?$filter=id eq 'ID'", "", nil},
	{"delete 3.0", "delete", true, "DELETE", "/ID", "", nil},
	{"undelete 2.0", "undelete", false, "POST", "/GONE", "", nil},
	{"undelete 3.0", "undelete", true, "PATCH", "/GONE", `{"deleted":false}`, nil},
	{"undelete 3.0 with id", "undelete", true, "PATCH", "/GONE", `{"id":"GONE","deleted":false}`, nil},
	{"undelete 3.0, deleted rows wanted", "undelete", true, "PATCH", "/GONE?__includedeleted=true",
		`{"Deleted":false}`, nil},
	{"undelete by JSON Patch", "undelete", true, "PATCH", "/GONE", `[{"op":"replace","path":"/deleted","value":false}]`,
		[]string{"Content-Type", "application/json-patch+json"}},
	{"undelete 2.0 of a live row", "undelete", false, "POST", "/ID", "", nil},
	{"undelete 3.0 of a live row", "undelete", true, "PATCH", "/ID", `{"deleted":false}`, nil},
}

// grant is what a table says of one operation.
type grant struct {
	access tables.Access
	rule   string
}

// The rules that are tried: one about the caller, one about the row.
const ruleCaller, ruleRow = `user.id == "sid:ann"`, `row.text == user.id`

// grants are all that can be said of one operation.
func grants() (out []grant) {
	for _, access := range []tables.Access{"", tables.Anonymous, tables.Authenticated, tables.Disabled} {
		for _, rule := range []string{"", ruleCaller, ruleRow} {
			out = append(out, grant{access, rule})
		}
	}
	return out
}

// status is the answer to a caller, by the documented order: whether the operation
// is there at all, who asks, the rules. Rows are those of Ann.
func (g grant) status(op, caller string) int {
	switch {
	case g.access == tables.Disabled:
		return http.StatusMethodNotAllowed
	case g.access == tables.Authenticated && caller == "":
		return http.StatusUnauthorized
	case g.rule == "" || caller == "sid:ann":
		return http.StatusOK
	case g.rule == ruleCaller && caller == "":
		return http.StatusUnauthorized
	case g.rule == ruleRow && op == "read":
		return http.StatusNotFound
	}
	return http.StatusForbidden
}

// granted is a table in which one operation has a grant.
func granted(base tables.Table, op string, g grant) tables.Table {
	o := tables.Operation{Access: g.access, Rule: g.rule}
	switch op {
	case "read":
		base.Read = o
	case "insert":
		base.Insert = o
	case "update":
		base.Update = o
	case "delete":
		base.Delete = o
	case "undelete":
		base.Undelete = o
	}
	return base
}

// grantTest asks for rows of its own, so that no answer depends on one before.
type grantTest struct {
	t     *testing.T
	store Store
	admin *app
	base  tables.Table
	rows  int
}

func newGrantTest(t *testing.T, open Opener) *grantTest {
	g := &grantTest{t: t, store: open(t), base: tables.Table{Columns: columns, SoftDelete: true}}
	g.admin = &app{t: t, store: g.store, s: service(t, g.store, tables.Config{"item": g.base}, tables.Options{})}
	return g
}

// ask sends one form as a caller and returns the status, 200 for every success.
// What no row matches is 404 and an empty list alike.
func (g *grantTest) ask(a *app, f form, caller string) int {
	g.t.Helper()
	g.rows++
	id, gone, fresh := fmt.Sprintf("r%d", g.rows), fmt.Sprintf("g%d", g.rows), fmt.Sprintf("n%d", g.rows)
	if strings.Contains(f.path+f.body, "ID") {
		g.admin.want(201, "POST", "/tables/item", `{"id":"`+id+`","text":"sid:ann"}`)
	}
	if strings.Contains(f.path+f.body, "GONE") {
		g.admin.want(201, "POST", "/tables/item", `{"id":"`+gone+`","text":"sid:ann"}`)
		g.admin.want(200, "DELETE", "/tables/item/"+gone, "")
	}
	names := strings.NewReplacer("ID", id, "GONE", gone, "NEW", fresh)
	a.user, a.v3 = caller, f.v3
	got := a.do(f.method, "/tables/item"+names.Replace(f.path), names.Replace(f.body), f.header...)
	switch {
	case got.status == 200 && (got.body == "[]" || got.body == `{"items":[]}`):
		return http.StatusNotFound
	case got.status >= 200 && got.status < 300:
		return http.StatusOK
	}
	return got.status
}

// testGrants asks for every operation, in every form that the protocols have for
// it, under everything that can be said of it, as every kind of caller: equal
// operations are answered alike, and as the documentation says.
func testGrants(t *testing.T, open Opener) {
	g := newGrantTest(t, open)
	for _, op := range []string{"read", "insert", "update", "delete", "undelete"} {
		for _, said := range grants() {
			table := granted(g.base, op, said)
			a := &app{t: t, store: g.store, s: service(t, g.store, tables.Config{"item": table}, tables.Options{})}
			for _, caller := range []string{"", "sid:ann", "sid:bob"} {
				for _, f := range forms {
					if f.op != op {
						continue
					}
					if got, want := g.ask(a, f, caller), said.status(op, caller); got != want {
						t.Errorf("%s: {access: %q, rule: %q}, caller %q, %s: %d, want %d", op, said.access, said.rule,
							caller, f.name, got, want)
					}
				}
			}
		}
	}
}

// testUndeleteInherits tries all that can be said of update and delete: undelete,
// of which nothing is said, is allowed where both are, whatever the protocol, and
// what is said of it replaces only what it says.
func testUndeleteInherits(t *testing.T, open Opener) {
	g := newGrantTest(t, open)
	every := lane.Rounds(4, 1, 1) // of the pairs, but each of both sides
	for i, update := range grants() {
		for j, remove := range grants() {
			if (i+j)%every != 0 {
				continue
			}
			base := granted(granted(g.base, "update", update), "delete", remove)
			g.wantUndelete(base, both(update, remove))
		}
	}
	g.base.Access = tables.Authenticated
	g.wantUndelete(granted(g.base, "update", grant{tables.Anonymous, ""}), []grant{{tables.Authenticated, ""}})
	g.base.Access = ""
	strict := granted(granted(g.base, "update", grant{tables.Disabled, ruleRow}), "delete", grant{tables.Disabled, ""})
	g.wantUndelete(granted(strict, "undelete", grant{tables.Anonymous, ""}), []grant{{"", ruleRow}})
	g.wantUndelete(granted(strict, "undelete", grant{"", ruleCaller}), []grant{{tables.Disabled, ruleCaller}})
	g.wantUndelete(granted(strict, "undelete", grant{tables.Anonymous, "true"}), []grant{{}})
	// A rule of the whole table may tell operations apart.
	g.base.Rule = `request.operation != "delete" || user.id == "sid:ann"`
	g.wantUndelete(g.base, []grant{{"", ruleCaller}})
	g.base.Rule = `operation != "undelete" || user.id == "sid:ann"`
	g.wantUndelete(g.base, []grant{{"", ruleCaller}})
}

func both(a, b grant) []grant { return []grant{a, b} }

// wantUndelete checks that a table answers undelete as the first grant that refuses
// says: those that switch it off, then those that want a sign-in, then the rules.
func (g *grantTest) wantUndelete(table tables.Table, said []grant) {
	g.t.Helper()
	a := &app{t: g.t, store: g.store, s: service(g.t, g.store, tables.Config{"item": table}, tables.Options{})}
	for _, caller := range []string{"", "sid:ann", "sid:bob"} {
		want := http.StatusOK
		for _, status := range []int{403, 401, 405} {
			for _, s := range said {
				if s.status("undelete", caller) == status {
					want = status
				}
			}
		}
		for _, f := range forms {
			if f.op != "undelete" {
				continue
			}
			if got := g.ask(a, f, caller); got != want {
				g.t.Errorf("%+v, caller %q, %s: %d, want %d", said, caller, f.name, got, want)
			}
		}
	}
}

// testUndeleteAndChange: a patch of 3.0 that changes a deleted row and revives it
// has to be allowed as both; of a live row it is an update alone.
func testUndeleteAndChange(t *testing.T, open Opener) {
	store := open(t)
	for i, c := range []struct {
		update, undelete  tables.Operation
		deleted, livening int
	}{
		{tables.Operation{}, tables.Operation{}, 200, 200},
		{tables.Operation{}, tables.Operation{Access: tables.Disabled}, 405, 200},
		{tables.Operation{}, tables.Operation{Access: tables.Authenticated}, 401, 200},
		{tables.Operation{}, tables.Operation{Rule: `"x" in user.claims.roles`}, 401, 200},
		{tables.Operation{}, tables.Operation{Rule: `row.n == 7`}, 403, 200},
		{tables.Operation{Access: tables.Disabled}, tables.Operation{Access: tables.Anonymous, Rule: "true"}, 405, 405},
		{tables.Operation{Rule: `row.n == 7`}, tables.Operation{Rule: "true"}, 403, 403},
	} {
		id, body := fmt.Sprintf("/tables/item/a%d", i), `{"text":"new","deleted":false}`
		table := tables.Table{Columns: columns, SoftDelete: true}
		admin := &app{t: t, store: store, s: service(t, store, tables.Config{"item": table}, tables.Options{})}
		admin.want(201, "POST", "/tables/item", fmt.Sprintf(`{"id":"a%d","text":"old"}`, i))
		table.Update, table.Undelete = c.update, c.undelete
		a := &app{t: t, store: store, v3: true, s: service(t, store, tables.Config{"item": table}, tables.Options{})}
		a.want(c.livening, "PATCH", id, body)
		admin.want(200, "PATCH", id, `{"text":"old"}`)
		admin.want(200, "DELETE", id, "")
		a.want(c.deleted, "PATCH", id, body)
		row := admin.want(200, "GET", id+"?__includeDeleted=1", "").row(t)
		if revived := c.deleted == 200; row["deleted"] != !revived || (row["text"] == "new") != revived {
			t.Errorf("update %+v, undelete %+v: %v", c.update, c.undelete, row)
		}
	}
}

// testGuide is the example of docs/guide/tables.md, in both protocols.
func testGuide(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"note": {SoftDelete: true,
		Columns: map[string]tables.Column{"public": {Type: "boolean"}, "owner": {Type: "string"}},
		Read:    tables.Operation{Rule: `row.public == true || row.owner == user.id`},
		Insert:  tables.Operation{Rule: `row.owner == user.id`},
		Update:  tables.Operation{Rule: `row.owner == user.id`},
		Delete:  tables.Operation{Rule: `"admin" in user.claims.role`}}})
	ids := 0
	for _, f := range forms {
		if f.op != "undelete" {
			continue
		}
		ids++
		id := fmt.Sprintf("a%d", ids)
		names := strings.NewReplacer("GONE", id, "ID", id)
		a.user, a.v3 = "sid:ann", false
		a.want(201, "POST", "/tables/note", `{"id":"`+id+`","owner":"sid:ann","public":true}`)
		a.want(403, "DELETE", "/tables/note/"+id, "")
		a.user = "sid:admin"
		a.want(200, "DELETE", "/tables/note/"+id, "")
		for _, user := range []string{"sid:bob", "sid:ann", "sid:admin"} {
			a.user, a.v3 = user, f.v3
			a.want(403, f.method, "/tables/note"+names.Replace(f.path), names.Replace(f.body), f.header...)
		}
	}
}
