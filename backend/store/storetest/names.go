package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// testSemicolons: in a query string only & separates, whatever else is not escaped.
func testSemicolons(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns, SoftDelete: true}})
	for i, text := range []string{"one;two", ";", "a;b=c", "x;$top=0", "&;"} {
		a.want(201, "POST", "/tables/item", fmt.Sprintf(`{"id":"%d","text":%q}`, i, text))
	}
	for _, v3 := range []bool{false, true} {
		a.v3 = v3
		for filter, want := range map[string]string{
			"$filter=text eq 'one;two'":                   "0",
			"$filter=text eq ';'&$top=5;":                 "",
			"$filter=text eq 'a;b=c'":                     "2",
			"$filter=text eq 'x;$top=0'":                  "3",
			"$filter=text%20eq%20'%26%3B'":                "4",
			"x;y=1;z&$filter=text eq 'one;two'&;;&other;": "0",
		} {
			status := 200
			if want == "" {
				status = 400 // $top=5; is no number
			}
			got := a.want(status, "GET", "/tables/item?"+filter, "")
			if want != "" && (strings.Count(got.body, `"id":`) != 1 || !strings.Contains(got.body, `"id":"`+want+`"`)) {
				t.Errorf("%s: %s", filter, got.body)
			}
		}
	}
	a.v3 = false
	link := a.want(200, "GET", "/tables/item?$filter=startswith(text,'one;') or text eq ';'&$top=1&$orderby=id", "").
		header.Get("Link")
	link = strings.TrimSuffix(strings.TrimPrefix(link, "http://app.example:8080"), "; rel=next")
	a.wantIDs(link, "1")
	same(t, "a deletion", a.want(200, "DELETE", "/tables/item?$filter=text eq 'one;two'", "").row(t)["id"], "0")
	a.want(400, "GET", "/tables/item?%zz", "")
}

// testGUIDs: the digits of a GUID count in any case, as those of a text do not.
func testGUIDs(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns}})
	const lower, other = "0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"
	upper, mixed := strings.ToUpper(lower), "0F8Fad5b-d9CB-469f-A165-70867728950e"
	a.want(201, "POST", "/tables/item", `{"id":"1","text":"`+lower+`"}`)
	a.want(201, "POST", "/tables/item", `{"id":"2","text":"`+upper+`"}`)
	a.want(201, "POST", "/tables/item", `{"id":"3","text":"`+other+`"}`)
	for _, spelling := range []string{lower, upper, mixed} {
		for filter, want := range map[string]string{
			"text eq guid'%s'": "1 2", "guid'%s' eq text": "1 2", "text ne guid'%s'": "3", "text le guid'%s'": "1 2",
			"text gt guid'%s'": "3", "startswith(text,guid'%s')": "1 2", "substringof(guid'%s',text)": "1 2",
			"concat(text,'') eq guid'%s'": "1 2",
		} {
			a.v3 = false
			a.wantIDs("/tables/item?$orderby=id&$filter="+fmt.Sprintf(filter, spelling), want)
		}
		a.v3 = true
		for _, filter := range []string{"text eq %s", "text eq guid'%s'", "text in (%s)", "text eq cast(%s,Edm.Guid)",
			"text eq cast('%s',Edm.Guid)", "contains(text,%s)", "not (text ne %s)"} {
			got := a.want(200, "GET", "/tables/item?$select=id&$orderby=id&$filter="+fmt.Sprintf(filter, spelling), "")
			same(t, filter, got.body, `{"items":[{"id":"1"},{"id":"2"}]}`)
		}
	}
	a.v3 = false
	a.wantIDs("/tables/item?$filter=text eq '"+lower+"'", "1")
	a.want(400, "GET", "/tables/item?$filter=text eq guid'"+lower[1:]+"'", "")
	a.want(201, "POST", "/tables/item", `{"id":"`+lower+`"}`)
	a.wantIDs("/tables/item?$filter=id eq guid'"+upper+"'", lower)
}

// databaseNames are names that databases have for themselves, or read in some way of
// their own.
var databaseNames = []string{
	"xmin",
	"XMIN",
	"ctid",
	"tableoid",
	"cmin",
	"cmax",
	"xmax",
	"oid",
	"rowid",
	"_rowid_",
	"Rowid",
	"select",
	"table",
	"user",
	"order",
	"default",
	"current_user",
	"value",
	"excluded",
	"item",
	"public",
	"information_schema",
	"sqlite_master",
	"pg_type",
	"cordon_clock",
	"stamp",
	"c",
	"ms",
	"name",
}

// testDatabaseNames: whatever a database has for itself, a property may have the
// name, made by a write or declared.
func testDatabaseNames(t *testing.T, open Opener) {
	declared := map[string]tables.Column{}
	for _, name := range databaseNames {
		if strings.ToLower(name) == name {
			declared[name] = tables.Column{Type: "string"}
		}
	}
	for i, name := range []string{"tableoid", "rowid", "ctid"} {
		declared[name] = tables.Column{Type: "string", Unique: i == 0, IgnoreCase: i == 1}
	}
	store := open(t)
	a := &app{t: t, store: store, s: service(t, store, tables.Config{
		"item": {DynamicSchema: true, SoftDelete: true},
		"all":  {Columns: declared, SoftDelete: true, Indexes: []tables.Index{{"xmin"}, {"ctid", "cmax"}}},
	}, tables.Options{})}
	for i, name := range databaseNames {
		for _, table := range []string{"item", "all"} {
			path, id := "/tables/"+table, fmt.Sprintf("%c%d", 'a'+i%26, i)
			row := a.want(201, "POST", path, fmt.Sprintf(`{"id":%q,%q:"v%d"}`, id, name, i)).row(t)
			if got := row[name]; got != fmt.Sprintf("v%d", i) && row[strings.ToLower(name)] != fmt.Sprintf("v%d", i) {
				t.Errorf("%s: %v", name, row)
			}
			a.wantIDs(path+fmt.Sprintf("?$filter=%s eq 'v%d' and startswith(%[1]s,'v')", name, i), id)
			a.want(200, "PATCH", path+"/"+id, fmt.Sprintf(`{%q:"w%d"}`, name, i))
			a.wantIDs(path+fmt.Sprintf("?$filter=not (%s ne 'w%d')&$orderby=%[1]s desc&$select=id,%[1]s", name, i), id)
		}
	}
	a.want(409, "POST", "/tables/all", `{"tableoid":"w3"}`)
	// The order of rows without $orderby has nothing to do with such columns.
	if got := a.ids("/tables/item?$top=3"); len(strings.Fields(got)) != 3 {
		t.Errorf("rows: %s", got)
	}
}

// testExpiryNames: rows expire by when they were made, whatever they say in columns
// that a database has names of its own for.
func testExpiryNames(t *testing.T, open Opener) {
	store, clock := open(t), time.Now()
	a := &app{t: t, store: store}
	a.s = service(t, store, tables.Config{"item": {DynamicSchema: true, RecordsExpire: time.Hour}},
		tables.Options{Now: func() time.Time { return clock }})
	a.want(201, "POST", "/tables/item", `{"id":"new","rowid":"x","oid":"x","_rowid_":"x"}`)
	a.want(201, "POST", "/tables/item", `{"id":"too"}`)
	shape, _, _ := a.s.Inspect().Table("item")
	old := tables.LoadRow{
		ID:        odata.StringOf("old"),
		CreatedAt: odata.DateOf(clock.Add(-2 * time.Hour).UnixMilli()),
		Version:   1,
		Columns:   []int{shape.Find("rowid")},
		Values:    []odata.Value{odata.StringOf("x")},
	}
	if _, err := store.Load(t.Context(), shape, []tables.LoadRow{old}, false); err != nil {
		t.Fatal(err)
	}
	a.s.Purge(t.Context())
	a.wantIDs("/tables/item?$orderby=id", "new too")
}

// testSpellings: the id of a row that is a number has one spelling.
func testSpellings(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns, ID: "number", SoftDelete: true}})
	a.want(201, "POST", "/tables/item", `{"id":7}`)
	for _, v3 := range []bool{false, true} {
		a.v3 = v3
		for _, id := range []string{"07", "+7", "7.0", "%207", "7%20", "7e0", "0x7", "7L", "-0", "00", "٧"} {
			a.want(404, "GET", "/tables/item/"+id, "")
			a.want(404, "PATCH", "/tables/item/"+id, `{"n":1}`)
			a.want(404, "DELETE", "/tables/item/"+id, "")
			if v3 {
				a.want(404, "PATCH", "/tables/item/"+id, `{"deleted":false}`)
			} else {
				a.want(404, "POST", "/tables/item/"+id, "")
			}
		}
		for _, id := range []string{"07", "+7", "7.0", " 7", "-0", "00"} {
			a.want(400, "POST", "/tables/item", `{"id":"`+id+`"}`)
			a.want(400, "PATCH", "/tables/item/7", `{"id":"`+id+`","n":1}`)
			a.want(400, "GET", "/tables/item?$filter=id eq '"+strings.ReplaceAll(id, "+", "%2B")+"'", "")
		}
		a.want(200, "GET", "/tables/item/7", "")
		a.want(200, "PATCH", "/tables/item/7", `{"id":"7","n":1}`)
		a.want(200, "PATCH", "/tables/item/7", `{"id":7.0,"n":1}`) // the same number of JSON
	}
	a.v3 = false
	if rows := a.want(200, "GET", "/tables/item?$filter=id eq '7'", "").rows(t); len(rows) != 1 {
		t.Errorf("rows: %v", rows)
	}
}
