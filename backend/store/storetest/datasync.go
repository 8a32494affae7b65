package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/tables"
)

func testDatasync(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns, SoftDelete: true, PageSize: 2}})
	a.v3 = true
	r := a.want(201, "POST", "/tables/item",
		`{"id":"a","text":"x","updatedAt":"2000-01-01T00:00:00.000Z","deleted":false}`)
	if h := r.header; h.Get("Location") != "/tables/item/a" || h.Get("ETag") == "" || h.Get("Last-Modified") == "" {
		t.Errorf("headers of an insert: %v", r.header)
	}
	stored := a.want(409, "POST", "/tables/item", `{"id":"a","text":"y"}`).row(t)
	same(t, "a duplicate has the stored row", stored["text"], any("x"))
	put := a.want(200, "PUT", "/tables/item/a", `{"id":"a","n":1}`).row(t)
	if put["text"] != nil || put["n"] != 1.0 {
		t.Errorf("replaced: %v", put)
	}
	a.want(400, "PUT", "/tables/item/a", `{"id":"b"}`)
	a.want(400, "PUT", "/tables/item/a", `{}`)
	a.want(404, "PUT", "/tables/item/none", `{"id":"none"}`)
	patched := a.want(200, "PATCH", "/tables/item/a",
		`[{"op":"test","path":"/n","value":1},{"op":"replace","path":"/text","value":"p"},{"op":"remove","path":"/n"}]`,
		"Content-Type", "application/json-patch+json").row(t)
	if patched["text"] != "p" || patched["n"] != nil {
		t.Errorf("patched: %v", patched)
	}
	for _, body := range []string{`[{"op":"test","path":"/text","value":"q"}]`, `[{"op":"move","path":"/text"}]`,
		`[{"op":"add","path":"text","value":1}]`, `{}`, `[1]`} {
		a.want(400, "PATCH", "/tables/item/a", body, "Content-Type", "application/json-patch+json")
	}
	a.want(400, "PATCH", "/tables/item/a", `{"updatedAt":"2000-01-01T00:00:00.000Z"}`)
	a.want(400, "PATCH", "/tables/item/a", `{"deleted":true}`)
	a.want(200, "PATCH", "/tables/item/a", `{"text":"q"}`)
	a.want(204, "DELETE", "/tables/item/a", "")
	for _, r := range [][2]string{{"GET", ""}, {"PATCH", `{"n":1}`}, {"PUT", `{"id":"a"}`}, {"DELETE", ""}} {
		a.want(410, r[0], "/tables/item/a", r[1])
	}
	a.want(404, "GET", "/tables/item/none", "")
	a.want(200, "GET", "/tables/item/a?__includedeleted=true", "")
	a.want(200, "GET", "/tables/item/a", "", "X-ZUMO-Options", "include:deleted")
	if back := a.want(200, "PATCH", "/tables/item/a", `{"deleted":false}`).row(t); back["deleted"] != false {
		t.Errorf("undeleted: %v", back)
	}
	a.want(405, "POST", "/tables/item/a", "")
	a.want(405, "DELETE", "/tables/item?$filter=true", "")
	r = a.want(400, "GET", "/tables/item?$filter=(", "")
	if r.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a mistake: %v", r.header)
	}
	a.want(200, "GET", "/tables/item?zumo-api-version=3.0.0", "", "ZUMO-API-VERSION", "9.0.0")
	for i := range 4 {
		a.want(201, "POST", "/tables/item",
			fmt.Sprintf(`{"id":"%d","text":"t%d","n":%d,"due":"202%d-01-01T10:00:00Z"}`, i, i, i, i))
	}
	for _, each := range [][2]string{
		{"$filter=contains(text,'t') and n ge 2&$orderby=id&$count=true&$select=id",
			`{"items":[{"id":"2"},{"id":"3"}],"count":2}`},
		{"$filter=due gt cast('2021-06-01T00:00:00.000Z',Edm.DateTimeOffset)&$orderby=id&$top=1&$select=id",
			`{"items":[{"id":"2"}]}`},
		{"$filter=due eq 2021-01-01T10:00:00Z&$select=id", `{"items":[{"id":"1"}]}`},
		{"$filter=due eq cast(datetimeoffset'2021-01-01T10:00:00Z',Edm.DateTimeOffset)&$select=id",
			`{"items":[{"id":"1"}]}`},
		{"$filter=date(due) eq 2022-01-01 and time(due) eq 10:00:00&$select=id", `{"items":[{"id":"2"}]}`},
		{"$filter=id in ('1','3')&$select=n&$orderby=id desc", `{"items":[{"n":3},{"n":1}]}`},
		{"$filter=n divby 2 eq 1.5 and due lt now() and fractionalseconds(due) eq 0&$select=id",
			`{"items":[{"id":"3"}]}`},
		{"$filter=n gt 90&$inlinecount=allpages", `{"items":[],"count":0}`},
	} {
		same(t, each[0], a.want(200, "GET", "/tables/item?"+each[0], "").body, each[1])
	}
	next, seen := "/tables/item?$orderby=id&$top=3", ""
	for pages := 0; next != "" && pages < 5; pages++ {
		page := a.want(200, "GET", next, "").row(t)
		for _, item := range page["items"].([]any) {
			seen += item.(map[string]any)["id"].(string)
		}
		next, _ = page["nextLink"].(string)
		next = strings.TrimPrefix(next, "http://app.example:8080")
	}
	same(t, "pages", seen, "012")
	seen = ""
	for next = "/tables/item?$orderby=updatedAt&$filter=updatedAt gt 2000-01-01T00:00:00Z"; next != ""; {
		page := a.want(200, "GET", next, "").row(t)
		for _, item := range page["items"].([]any) {
			seen += item.(map[string]any)["id"].(string)
		}
		// Rows that move on while a client pages must not hide others.
		a.want(200, "PATCH", "/tables/item/a", `{"n":7}`)
		if next, _ = page["nextLink"].(string); len(seen) > 20 {
			break
		}
		next = strings.TrimPrefix(next, "http://app.example:8080")
	}
	if !strings.HasPrefix(seen, "a0") || !strings.Contains(seen, "0") || !strings.Contains(seen, "1") ||
		!strings.Contains(seen, "2") || !strings.Contains(seen, "3") {
		t.Errorf("pages by updatedAt gave %s", seen)
	}
	a.want(400, "GET", "/tables/item?$orderby=updatedAt&__after=x", "")
	if next := a.want(200, "GET", "/tables/item", "", "X-ZUMO-Options", "nextLink=path").row(t)["nextLink"]; next !=
		"/tables/item?%24skip=2" {
		t.Errorf("nextLink: %v", next)
	}
}

func testConditions(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns}})
	a.v3 = true
	r := a.want(201, "POST", "/tables/item", `{"id":"a","text":"x"}`)
	etag, modified := r.header.Get("ETag"), r.header.Get("Last-Modified")
	const long, stale = "Mon, 01 Jan 2001 00:00:00 GMT", `"AAAAAAAAAAE="`
	for _, c := range []struct {
		status        int
		method        string
		header, value string
	}{
		{304, "GET", "If-None-Match", etag}, {304, "GET", "If-None-Match", "*"}, {200, "GET", "If-None-Match", stale},
		{304, "GET", "If-Modified-Since", modified}, {200, "GET", "If-Modified-Since", long},
		{412, "GET", "If-Match", stale}, {200, "GET", "If-Match", stale + ", " + etag}, {200, "GET", "If-Match", "*"},
		{412, "GET", "If-Unmodified-Since", long}, {200, "GET", "If-Unmodified-Since", modified},
		{412, "PUT", "If-Match", stale}, {412, "PUT", "If-None-Match", "*"}, {412, "PUT", "If-None-Match", etag},
		{412, "PUT", "If-Unmodified-Since", long}, {412, "PATCH", "If-None-Match", etag},
		{412, "DELETE", "If-Unmodified-Since", long}, {412, "DELETE", "If-Match", stale}, {200, "PUT", "If-Match", "*"},
		{200, "PATCH", "If-Unmodified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"}, {204, "DELETE", "If-None-Match", stale},
	} {
		got := a.want(c.status, c.method, "/tables/item/a", `{"id":"a"}`, c.header, c.value)
		if c.status == 412 && got.row(t)["id"] != "a" {
			t.Errorf("412 without the row: %s", got.body)
		}
	}
}
