package storetest

import (
	"context"
	"fmt"
	"net/url"
	"testing"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// testRefusedColumns: a write that is refused leaves no columns behind in a table
// with a dynamic schema, and one that is allowed does.
func testRefusedColumns(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {DynamicSchema: true, SoftDelete: true,
		Columns: map[string]tables.Column{"n": {Type: "number"}, "code": {Type: "number", Unique: true}},
		Insert:  tables.Operation{Rule: `row.n < 10.0`},
		Update:  tables.Operation{Rule: `row.n < 10.0`}}})
	a.want(201, "POST", "/tables/item", `{"id":"a","n":1}`)
	a.want(201, "POST", "/tables/item", `{"id":"c","n":1,"code":5}`)
	for _, v3 := range []bool{false, true} {
		a.v3 = v3
		a.want(403, "POST", "/tables/item", `{"id":"b","n":11,"x1":1}`)
		a.want(409, "POST", "/tables/item", `{"id":"a","n":1,"x2":1}`)
		a.want(403, "POST", "/tables/item", `{"id":"a","n":11,"x2":1}`) // before it is said that the id is taken
		a.want(409, "POST", "/tables/item", `{"id":"b","n":1,"code":5,"x2":1}`)
		a.want(409, "PATCH", "/tables/item/a", `{"code":5,"x2":1}`)
		a.want(403, "PATCH", "/tables/item/a", `{"n":11,"x3":1}`)
		a.want(404, "PATCH", "/tables/item/none", `{"n":1,"x4":1}`)
		a.want(412, "PATCH", "/tables/item/a", `{"n":1,"x5":1}`, "If-Match", `"AAAAAAAAAAE="`)
		a.want(400, "PATCH", "/tables/item/a", `{"n":"text","x7":1}`)
		if v3 {
			a.want(404, "PUT", "/tables/item/none", `{"id":"none","n":1,"x6":1}`)
			a.want(
				400,
				"PATCH",
				"/tables/item/a",
				`[{"op":"test","path":"/n","value":5},{"op":"add","path":"/x8","value":1}]`,
				"Content-Type",
				"application/json-patch+json",
			)
			a.want(412, "PATCH", "/tables/item/a", `{"n":1,"x9":1}`, "If-None-Match", "*")
		}
	}
	shape, _, _ := a.s.Inspect().Table("item")
	if names := len(shape.Columns); names != 7 {
		t.Errorf("%d columns: %v", names, shape.Columns)
	}
	a.v3 = false
	same(t, "a change", a.want(200, "PATCH", "/tables/item/a", `{"n":2,"y":"é","z":true}`).row(t)["y"], "é")
	a.v3 = true
	a.want(200, "DELETE", "/tables/item/a", "", "ZUMO-API-VERSION", "2.0.0")
	same(t, "an undelete with a change", a.want(200, "PUT", "/tables/item/a?__includedeleted=true",
		`{"id":"a","n":3,"w":5,"deleted":false}`).row(t)["w"], 5.0)
	same(t, "an insert", a.want(201, "POST", "/tables/item", `{"n":3,"v":"text"}`).row(t)["v"], "text")
}

// recorded is a store that remembers the last removal.
type recorded struct {
	Store
	last tables.Removal
}

func (r *recorded) Remove(ctx context.Context, removal tables.Removal) ([][]odata.Value, error) {
	r.last = removal
	return r.Store.Remove(ctx, removal)
}

// testRemovedByRule: rules that decide which rows are there are asked about those
// that match before the transaction, and within it about those alone that they let
// through, which must match still.
func testRemovedByRule(t *testing.T, open Opener) {
	store := &recorded{Store: open(t)}
	a := &app{t: t, store: store}
	a.s = service(t, store, tables.Config{"item": {Columns: map[string]tables.Column{"n": {Type: "number"}},
		Read: tables.Operation{Rule: `row.n < 5.0`}}}, tables.Options{})
	for i := range 10 {
		a.want(201, "POST", "/tables/item", fmt.Sprintf(`{"id":"r%d","n":%d}`, i, i))
	}
	if got := a.want(200, "DELETE", "/tables/item?$filter="+url.QueryEscape("n ge 3"), ""); len(got.rows(t)) != 2 {
		t.Errorf("%s", got.body)
	}
	same(t, "the rows that the transaction is about", store.last.IDs,
		[]odata.Value{odata.StringOf("r3"), odata.StringOf("r4")})
	a.want(404, "DELETE", "/tables/item?$filter="+url.QueryEscape("n ge 3"), "")

	// What has changed meanwhile is passed over; what does not fit is refused as a whole.
	shape, _, _ := a.s.Inspect().Table("item")
	removal := tables.Removal{Shape: shape, Version: 1, Limit: 10,
		IDs: []odata.Value{odata.StringOf("r0"), odata.StringOf("r3"), odata.StringOf("r1"), odata.StringOf("r9")},
		Where: odata.Compare{
			Op: odata.Lt,
			L:  odata.Column{Name: "n", Of: odata.Number},
			R:  odata.Literal{Value: odata.NumberOf(5)},
		},
		Room: func(_ []odata.Value, place int) error {
			if place > 0 {
				return tables.ErrNotFound
			}
			return nil
		}}
	if _, err := store.Remove(t.Context(), removal); err != tables.ErrNotFound {
		t.Errorf("without room: %v", err)
	}
	a.wantIDs("/tables/item", "r0 r1 r2")
	removal.Room = nil
	if rows, err := store.Remove(t.Context(), removal); err != nil || len(rows) != 2 {
		t.Errorf("%v, %v", rows, err)
	}
	a.wantIDs("/tables/item", "r2")
}
