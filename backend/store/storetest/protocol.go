package storetest

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
)

func testInsert(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"Item": {Columns: columns, SoftDelete: true}})
	r := a.want(201, "POST", "/tables/item",
		`{"id":"a","text":"x\u0041é\n\"😀","n":-4.0,"done":true,"due":"2016-09-01T10:11:12.1314151Z","version":"zz"}`)
	row := r.row(t)
	for k, want := range map[string]any{"id": "a", "text": "xAé\n\"😀", "n": -4.0, "done": true,
		"due": "2016-09-01T10:11:12.131Z", "deleted": false} {
		if row[k] != want {
			t.Errorf("%s is %v, want %v", k, row[k], want)
		}
	}
	if r.header.Get("ETag") != `"`+row["version"].(string)+`"` {
		t.Errorf("ETag %s, version %v", r.header.Get("ETag"), row["version"])
	}
	if row["createdAt"] != row["updatedAt"] || len(row["createdAt"].(string)) != 24 {
		t.Errorf("dates %v, %v", row["createdAt"], row["updatedAt"])
	}
	same(t, "the row read again", a.want(200, "GET", "/tables/ITEM/a/", "").row(t), row)
	// An id is made where there is none; an empty body is a row of nulls.
	for _, body := range []string{"", "{}", `{"id":null}`, `{"id":""}`} {
		made := a.want(201, "POST", "/tables/Item", body).row(t)
		if id := made["id"].(string); len(id) != 36 || id[14] != '4' || strings.ToLower(id) != id ||
			made["text"] != nil {
			t.Errorf("body %q made %v", body, made)
		}
	}
	dup := a.want(409, "POST", "/tables/Item", `{"id":"a","text":"other"}`)
	same(t, "a duplicate's body", dup.row(t), map[string]any{"id": "a", "text": "other"})
	a.want(200, "DELETE", "/tables/Item/a", "")
	a.want(409, "POST", "/tables/Item", `{"id":"a"}`)
	for _, id := range []string{"id with 'quotes'", "!#$&(),-.;=@[]^_{|}",
		"100%", "...", "{D45A7E44-1E63-4F3A-8C3B-3C2F5B1B1B1B}", "日本語", "12"} {
		a.want(201, "POST", "/tables/Item", fmt.Sprintf(`{"id":%q}`, id))
		if got := a.want(200, "GET", "/tables/Item/"+url.PathEscape(id), "").row(t)["id"]; got != id {
			t.Errorf("id %q came back as %v", id, got)
		}
	}
	a.want(201, "POST", "/tables/Item", `{"id":77}`)
	a.want(200, "GET", "/tables/Item/77", "")
	for _, n := range []string{"1.7976931348623157e308", "5e-324", "0.1", "123456789012345680000", "-0", "1e21",
		"1e-7"} {
		got := a.want(201, "POST", "/tables/Item", `{"n":`+n+`}`)
		again := a.want(200, "GET", "/tables/Item/"+got.row(t)["id"].(string), "")
		if got.body != again.body || got.row(t)["n"] == nil {
			t.Errorf("number %s: %s and %s", n, got.body, again.body)
		}
	}
	big := strings.Repeat("é", 70000)
	if got := a.want(201, "POST", "/tables/Item", `{"text":"`+big+`"}`).row(t)["text"]; got != big {
		t.Error("a long text changed")
	}
}

func testUpdate(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns, SoftDelete: true}})
	first := a.want(201, "POST", "/tables/item", `{"id":"a","text":"one","n":1}`).row(t)
	second := a.want(200, "PATCH", "/tables/item/a", `{"text":"two"}`).row(t)
	if second["text"] != "two" || second["n"] != 1.0 || second["createdAt"] != first["createdAt"] ||
		second["updatedAt"].(string) <= first["updatedAt"].(string) || second["version"] == first["version"] {
		t.Errorf("after a merge: %v", second)
	}
	third := a.want(200, "PATCH", "/tables/item", `{"id":"a","n":null}`).row(t)
	if third["n"] != nil || third["text"] != "two" {
		t.Errorf("null: %v", third)
	}
	if empty := a.want(200, "PATCH", "/tables/item/a", `{}`).row(t); empty["version"] == third["version"] {
		t.Error("an empty update keeps the version")
	}
	current := a.want(200, "GET", "/tables/item/a", "")
	etag := current.header.Get("ETag")
	stale := `"` + first["version"].(string) + `"`
	r := a.want(412, "PATCH", "/tables/item/a", `{"text":"x"}`, "If-Match", stale)
	same(t, "412 has the server's row", r.body, current.body)
	same(t, "412 has its ETag", r.header.Get("ETag"), etag)
	r = a.want(409, "PATCH", "/tables/item/a", `{"text":"x","version":"`+first["version"].(string)+`"}`)
	same(t, "409 has the server's row", r.body, current.body)
	a.want(412, "PATCH", "/tables/item/a", `{"text":"x"}`, "If-Match", `"nonsense"`)
	a.want(200, "PATCH", "/tables/item/a", `{"text":"y"}`, "If-Match", etag)
	a.want(412, "PATCH", "/tables/item/a", `{"text":"y"}`, "If-Match", etag)
	a.want(404, "PATCH", "/tables/item/none", `{"text":"y"}`)
	a.want(404, "PATCH", "/tables/item/none", `{"text":"y"}`, "If-Match", etag)
	same(t, "mismatch", a.want(400, "PATCH", "/tables/item/a", `{"id":"b"}`).body,
		`{"error":"The item ID and querystring ID did not match"}`)
	same(t, "reserved", a.want(400, "PATCH", "/tables/item/a", `{"UpdatedAt":"b"}`).body,
		`{"error":"Cannot update item with property 'UpdatedAt' as it is reserved"}`)
	a.want(400, "PATCH", "/tables/item", `{"text":"no id"}`)
	a.want(404, "PUT", "/tables/item/a", `{"id":"a"}`)
	a.want(200, "DELETE", "/tables/item/a", "")
	same(t, "missing", a.want(404, "PATCH", "/tables/item/a", `{"text":"z"}`).body,
		`{"error":"The item does not exist"}`)
}

func testDelete(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"soft": {Columns: columns, SoftDelete: true}, "hard": {Columns: columns}})
	for _, table := range []string{"soft", "hard"} {
		first := a.want(201, "POST", "/tables/"+table, `{"id":"a","text":"one"}`)
		a.want(412, "DELETE", "/tables/"+table+"/a", "", "If-Match", `"AAAAAAAAAAE="`)
		gone := a.want(200, "DELETE", "/tables/"+table+"/a", "", "If-Match",
			strings.Trim(first.header.Get("ETag"), `"`)).row(t)
		if gone["text"] != "one" || table == "soft" && gone["deleted"] != true {
			t.Errorf("deleted row of %s: %v", table, gone)
		}
		a.want(404, "DELETE", "/tables/"+table+"/a", "")
		a.want(404, "GET", "/tables/"+table+"/a", "")
	}
	a.want(405, "POST", "/tables/hard/a", "")
	hidden := a.want(200, "GET", "/tables/soft/a?__includeDeleted=true", "").row(t)
	a.want(412, "POST", "/tables/soft/a", "", "If-Match", `"AAAAAAAAAAE="`)
	back := a.want(201, "POST", "/tables/soft/a", "").row(t)
	if back["deleted"] != false || back["version"] == hidden["version"] ||
		back["updatedAt"].(string) <= hidden["updatedAt"].(string) {
		t.Errorf("undeleted: %v", back)
	}
	a.want(201, "POST", "/tables/soft/a", "") // a live row too
	a.want(404, "POST", "/tables/soft/none", "")
	for i := range 6 {
		a.want(201, "POST", "/tables/soft", fmt.Sprintf(`{"id":"r%d","n":%d}`, i, i))
		a.want(201, "POST", "/tables/hard", fmt.Sprintf(`{"id":"r%d","n":%d}`, i, i))
	}
	a.want(405, "DELETE", "/tables/hard", "")
	a.want(405, "DELETE", "/tables/hard?$filter=", "")
	a.want(400, "DELETE", "/tables/hard?$filter=n eq 0", "", "If-Match", `"x"`)
	a.want(404, "DELETE", "/tables/hard?$filter=n eq 99", "")
	if one := a.want(200, "DELETE", "/tables/hard?$filter=n eq 0", "").row(t); one["id"] != "r0" {
		t.Errorf("deleted by filter: %v", one)
	}
	if many := a.want(200, "DELETE", "/tables/hard?$filter=n gt 3", "").rows(t); len(many) != 2 {
		t.Errorf("deleted by filter: %v", many)
	}
	if many := a.want(200, "DELETE", "/tables/soft?$filter=n gt 3", "").rows(t); len(many) != 2 ||
		many[0]["deleted"] != true {
		t.Errorf("deleted by filter: %v", many)
	}
	a.wantIDs("/tables/hard?$orderby=id", "r1 r2 r3")
	a.wantIDs("/tables/soft?$orderby=id", "a r0 r1 r2 r3")
	a.wantIDs("/tables/soft?$orderby=id&__includeDeleted=true", "a r0 r1 r2 r3 r4 r5")
}

func testQuery(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns, SoftDelete: true}})
	for i, name := range []string{"Apple", "banana", "Émile", "100%", "it's"} {
		a.want(201, "POST", "/tables/item",
			fmt.Sprintf(`{"id":"%d","text":%q,"n":%d.5,"done":%v,"due":"201%d-06-15T12:30:45.678Z"}`, i, name, i,
				i%2 == 0, i))
	}
	a.want(201, "POST", "/tables/item", `{"id":"5"}`)
	for filter, want := range map[string]string{
		"text eq 'Apple'": "0", "text eq 'apple'": "", "tolower(text) eq 'apple'": "0", "toupper(text) eq 'ÉMILE'": "2",
		"text ne 'Apple'": "1 2 3 4", "text eq null": "5", "text ne null": "0 1 2 3 4", "null eq text": "5",
		"n gt 2": "2 3 4", "n ge 2.5": "2 3 4", "n lt -1": "", "(0 sub n) lt -3": "3 4", "-n lt -3": "3 4",
		"n add 1 eq 1.5": "0", "n mul 2 eq 3": "1", "n div 0.5 eq 5": "2", "n div 0 eq 1": "",
		"n mod 2 eq 0.5": "0 2 4", "done": "0 2 4", "not done": "1 3", "not (done eq true)": "1 3",
		"done eq false": "1 3", "done eq true and n gt 1": "2 4", "startswith(text,'b')": "1",
		"startswith(text,'100%')": "3", "endswith(text,'e')": "0 2", "substringof('%',text)": "3",
		"substringof('an',text) eq true": "1", "text eq 'it''s'": "4", "concat(text,'!') eq 'Apple!'": "0",
		"indexof(text,'l') eq 3": "0 2", "length(text) eq 5": "0 2", "replace(text,'a','o') eq 'bonono'": "1",
		"substring(text,1) eq 'pple'": "0", "substring(text,1,2) eq 'pp'": "0",
		"trim(concat(' ',text)) eq 'Apple'": "0", "year(due) eq 2012": "2",
		"month(due) eq 6 and day(due) eq 15":                          "0 1 2 3 4",
		"hour(due) eq 12 and minute(due) eq 30 and second(due) eq 45": "0 1 2 3 4",
		"(month(due) sub 1) eq 5":                                     "0 1 2 3 4",
		"due gt datetime'2013-01-01T00:00:00Z'":                       "3 4",
		"due eq datetimeoffset'2013-06-15T14:30:45.678%2B02:00'":      "3",
		"due ge datetime'2014-06-15T12:30:45.678Z'":                   "4", "floor(n) eq 2": "2",
		"ceiling(n) eq 2": "1", "round(n) eq 3": "2", "id eq '3' or id eq '4'": "3 4",
		"n eq 0.5f or n eq 1.5d or n eq 2.5m": "0 1 2", "n lt 5L": "0 1 2 3 4", "deleted eq false": "0 1 2 3 4 5",
		"true": "0 1 2 3 4 5", "false": "", "null eq null": "0 1 2 3 4 5", "n gt null": "",
		"id eq guid'00000000-0000-0000-0000-000000000000'": "", "version eq 'AAAAAAAAB9E='": "",
		"version eq 'no version'": "", "createdAt gt datetime'2000-01-01T00:00:00.000Z'": "0 1 2 3 4 5",
	} {
		a.wantIDs("/tables/item?$filter="+
			strings.ReplaceAll(strings.ReplaceAll(filter, "100%", "100%25"), "'%'", "'%25'")+"&$orderby=id", want)
	}
	version := a.want(200, "GET", "/tables/item/2", "").row(t)["version"].(string)
	a.wantIDs("/tables/item?$filter=version eq '"+url.QueryEscape(version)+"'", "2")
	a.wantIDs("/tables/item?%24filter=n%20gt%203&unknown=1&__systemProperties=*", "3 4")
	picked := a.want(200, "GET", "/tables/item?$filter=id eq '0'&$select=text, ID ,createdAt", "").rows(t)
	if len(picked) != 1 || len(picked[0]) != 3 || picked[0]["text"] != "Apple" {
		t.Errorf("select: %v", picked)
	}
	a.want(200, "DELETE", "/tables/item/0", "")
	for query, want := range map[string]string{
		"$inlinecount=allpages&$top=1&$skip=1&$orderby=id": "5", "$inlinecount=allpages&$filter=n gt 1&$top=0": "4",
		"$inlinecount=allpages&__includeDeleted=true&$top=0": "6",
	} {
		body := a.want(200, "GET", "/tables/item?"+query, "").body
		if !strings.HasPrefix(body, `{"results":[`) || !strings.HasSuffix(body, `],"count":`+want+`}`) {
			t.Errorf("%s: %s", query, body)
		}
	}
	if body := a.want(200, "GET", "/tables/item?$inlinecount=none&$top=0", "").body; body != "[]" {
		t.Errorf("no count: %s", body)
	}
	if h := a.want(200, "GET", "/tables/item/1", "", "If-None-Match",
		"*").header; h.Get("Cache-Control") != "no-cache" {
		t.Errorf("headers: %v", h)
	}
}

func testPaging(t *testing.T, open Opener) {
	five, none := 5, 0
	a := serve(t, open, tables.Config{"item": {Columns: columns, PageSize: 3, MaxTop: &five}, "free": {MaxTop: &none},
		"usual": {}})
	a.want(200, "GET", "/tables/free?$top=1000000", "")
	a.want(200, "GET", "/tables/usual?$top=1000", "")
	same(t, "the usual limit", a.want(400, "GET", "/tables/usual?$top=1001", "").body,
		`{"error":"You cannot request more than 1000 records"}`)
	for i := range 8 {
		a.want(201, "POST", "/tables/item", fmt.Sprintf(`{"id":"%d","n":%d}`, i, i/2))
	}
	next, seen := "/tables/item?$orderby=n desc&$filter=n ge 0", ""
	for pages := 0; next != "" && pages < 9; pages++ {
		r := a.want(200, "GET", next, "")
		for _, row := range r.rows(t) {
			seen += row["id"].(string)
		}
		link, rel, _ := strings.Cut(r.header.Get("Link"), "; ")
		if next = strings.TrimPrefix(link, "http://app.example:8080"); next != "" && rel != "rel=next" {
			t.Fatalf("Link: %s", r.header.Get("Link"))
		}
	}
	if seen != "67452301" {
		t.Errorf("pages gave %s", seen)
	}
	if link := a.want(200, "GET", "/tables/item?$top=2&$skip=2&x=%C3%A9", "").header.Get("Link"); link !=
		"http://app.example:8080/tables/item?%24skip=4&%24top=2&x=%C3%A9; rel=next" {
		t.Errorf("Link: %s", link)
	}
	if r := a.want(200, "GET", "/tables/item?$top=0", ""); r.body != "[]" || r.header.Get("Link") != "" {
		t.Errorf("$top=0: %s %v", r.body, r.header)
	}
	same(t, "too much", a.want(400, "GET", "/tables/item?$top=6", "").body,
		`{"error":"You cannot request more than 5 records"}`)
	for _, bad := range []string{"$top=-1", "$top=x", "$top=", "$top=1.5", "$skip=-1"} {
		a.want(400, "GET", "/tables/item?"+bad, "")
	}
	a.wantIDs("/tables/item?$skip=100", "")
	a.wantIDs("/tables/item?$skip=99999999999999999999", "")
}

func testOrder(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns}})
	for i, text := range []string{"zebra", "Äpfel", "apple", "Banana", "éclair", "Eclair", "apple", "10", "9", "ß",
		"_x", "co-op", "coop", "日本", "a b", "ab"} {
		a.want(201, "POST", "/tables/item", fmt.Sprintf(`{"id":"%02d","text":%q,"n":%d}`, i, text, i%3))
	}
	a.want(201, "POST", "/tables/item", `{"id":"99"}`)
	a.wantIDs("/tables/item?$orderby=text", "99 10 07 08 14 15 01 02 06 03 11 12 05 04 09 00 13")
	a.wantIDs("/tables/item?$orderby=text desc&$top=3", "13 00 09")
	for _, constant := range []string{"1", "'x'", "false and null", "true or n gt 1", "false and n gt 1", "1 eq 1",
		"null", "-1", "99 add 1"} {
		a.wantIDs("/tables/item?$orderby="+constant+"&$top=2", "00 01")
	}
	a.wantIDs("/tables/item?$orderby=n desc,id desc&$top=6", "14 11 08 05 02 13")
	a.wantIDs("/tables/item?$orderby=n%20asc ,id DESC&$top=2", "99 15")
	a.wantIDs("/tables/item?$orderby=length(text) desc,id&$top=2", "03 04")
	a.wantIDs("/tables/item?$orderby=n mod 2 desc,text&$top=2&$filter=text ne null", "10 07")
}

func testHostile(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns, SoftDelete: true}})
	a.want(201, "POST", "/tables/item", `{"id":"a","text":"x"}`)
	for _, filter := range []string{
		"(", "text eq", "eq", "text eq 'x", "text eq \"x\"", "nope(text)", "nocolumn eq 1", "1a eq 1",
		"text eq datetime'x'", "due eq datetime'2016-09-01'", "text", "n", "n and done", "text add 1 eq 2", "done gt",
		"length() eq 1", "substring(text) eq 'x'", "n eq 1e999", "text eq 'a' or", "a/b eq 1",
		"text eq 'x') or (1 eq 1", "text eq 'x'; DROP TABLE item", "1 eq 1 --", "Text Eq 'x'",
		"replace(text,text,'a') eq 'b'", "contains(text,'x')",
		strings.Repeat("(", 10000) + "done" + strings.Repeat(")", 10000), strings.Repeat("not ", 3000) + "done",
		"n eq " + strings.Repeat("1 add ", 3000) + "1", strings.Repeat("done or ", 5000) + "done",
		"replace(text,'x','" + strings.Repeat("y", 101) + "') eq 'z'", "replace(replace(text,'x','y'),'y','z') eq 'z'",
		"text eq '" + strings.Repeat("x", 70000) + "'", "text eq '\x00'", "text eq '\xff'",
	} {
		r := a.want(400, "GET", "/tables/item?$filter="+url.QueryEscape(filter), "")
		if !strings.HasPrefix(r.body, `{"error":"`) {
			t.Errorf("filter %.60s: %s", filter, r.body)
		}
	}
	for _, query := range []string{"$orderby=nope", "$orderby=text down", "$orderby=,", "$select=nope", "$select=a b",
		"$select=id,,text", "$filter=%zz"} {
		a.want(400, "GET", "/tables/item?"+query, "")
	}
	for _, query := range []string{"$orderby=true", "$orderby=null,1,'x',n",
		"$orderby=tolower(text),indexof(tolower(text),toupper(text))", "$orderby=done and n gt 1 desc",
		"$orderby=version,updatedAt desc", "$filter=concat(tolower(text),text) gt toupper('x') or true",
		"$filter=(1 eq 1) eq (2 eq 2)", "$filter='a' lt 'b' and not (1 gt 2)", "$filter=text lt 'x' or (null eq null)",
		"$filter=substring(text,-1,99999999999) eq 'x'", "$filter=round(floor(ceiling(2.5))) eq 3",
		"$filter=version gt 'AAAAAAAAAAA='",
		"$filter=startswith(text,'') and endswith(text,'') and substringof('',text)",
		"$filter=replace(text,'','y') eq 'x'", "$filter=length(concat('a',concat(1,true))) eq 6",
		"$filter=id eq 5 or true", "$orderby=id desc,text", "$select=id,ID,Id", "$select=*"} {
		a.want(200, "GET", "/tables/item?"+query, "")
	}
	a.wantIDs("/tables/item?$filter="+url.QueryEscape("text eq 'x'' or 1 eq 1 --'"), "")
	a.wantIDs("/tables/item?$filter="+url.QueryEscape(strings.Repeat("(", 200)+"text eq 'x'"+strings.Repeat(")", 200)),
		"a")
	deep := "text eq 'x'"
	for range 200 {
		deep = "(" + deep + " or text eq 'y')"
	}
	a.wantIDs("/tables/item?$filter="+url.QueryEscape(deep), "a")
	for _, body := range []string{
		"{", "[]", "1", `"x"`, "null", "tru", `{"text":}`, `{"text":"x"`, `{"text":"x"}}`, `{'text':1}`, `{"text":01}`,
		`{"n":1e999}`, "{\"text\":\"\n\"}", `{"text":"\u0000"}`, "{\"text\":\"\xff\"}", `{"text":{"a":1}}`,
		`{"text":[1]}`, `{"n":"abc"}`, `{"n":true}`, `{"done":"yes"}`, `{"done":2}`, `{"due":"tomorrow"}`, `{"due":5}`,
		`{"due":"10000-01-01T00:00:00Z"}`, `{"due":"2016-13-01T00:00:00Z"}`, `{"text":true}`, `{"unknown":1}`,
		`{"id":"a/b"}`, `{"id":"."}`, `{"id":"a\u0001"}`, `{"id":"` + strings.Repeat("x", 256) + `"}`, `{"id":{}}`,
		`{"id":true}`, `{"createdAt":"2016-01-01T00:00:00Z"}`, `{"DELETED":true}`,
		`{"text":` + strings.Repeat("[", 10000) + `}`,
	} {
		a.want(400, "POST", "/tables/item", body)
		if strings.HasPrefix(body, `{"id"`) {
			continue
		}
		a.want(400, "PATCH", "/tables/item/a", body)
	}
	a.want(413, "POST", "/tables/item", `{"text":"`+strings.Repeat("x", 1<<20)+`"}`)
	a.want(400, "GET", "/tables/item", "", "ZUMO-API-VERSION", "")
	a.want(400, "GET", "/tables/item", "", "ZUMO-API-VERSION", "1.0.0")
	a.want(400, "GET", "/tables/item", "", "ZUMO-API-VERSION", "2.0")
	a.want(400, "GET", "/tables/none", "", "ZUMO-API-VERSION", "")
	a.want(200, "GET", "/tables/item?ZUMO-api-version=2.0.1", "", "ZUMO-API-VERSION", "")
	a.want(404, "GET", "/tables/none", "")
	for _, path := range []string{"/tables/item/%00", "/tables/item/a%2Fb", "/tables/item/a/b",
		"/tables/item/" + strings.Repeat("x", 300), "/tables/", "/tables/sqlite_master", "/tables/cordon_columns"} {
		a.want(404, "GET", path, "")
	}
	a.wantIDs("/tables/item", "a") // nothing of all this was written
}

func testRace(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns}})
	etag := a.want(201, "POST", "/tables/item", `{"id":"a"}`).header.Get("ETag")
	var group sync.WaitGroup
	status := make([]int, 16)
	for i := range status {
		group.Go(func() {
			status[i] = a.do("PATCH", "/tables/item/a", fmt.Sprintf(`{"n":%d}`, i), "If-Match", etag).status
		})
	}
	group.Wait()
	won, lost := 0, 0
	for _, s := range status {
		switch s {
		case 200:
			won++
		case 412:
			lost++
		}
	}
	if won != 1 || lost != 15 {
		t.Errorf("of 16 updates with one ETag %d won and %d lost: %v", won, lost, status)
	}
	for i := range status {
		group.Go(func() { status[i] = a.do("POST", "/tables/item", `{"id":"b"}`).status })
	}
	group.Wait()
	won = 0
	for _, s := range status {
		if s == 201 {
			won++
		} else if s != 409 {
			t.Errorf("a duplicate got %d", s)
		}
	}
	if won != 1 {
		t.Errorf("%d inserts of one id succeeded", won)
	}
}

func testExpiry(t *testing.T, open Opener) {
	now := time.Now()
	a := &app{t: t, store: open(t)}
	a.s = service(t, a.store, tables.Config{"item": {Columns: columns, RecordsExpire: time.Hour}},
		tables.Options{Now: func() time.Time { return now }})
	a.want(201, "POST", "/tables/item", `{"id":"a"}`)
	a.wantIDs("/tables/item", "a")
	now = now.Add(61 * time.Minute)
	a.wantIDs("/tables/item", "")
	a.want(404, "GET", "/tables/item/a", "")
	a.want(404, "PATCH", "/tables/item/a", `{"n":1}`)
	a.want(404, "DELETE", "/tables/item/a", "")
	a.want(409, "POST", "/tables/item", `{"id":"a"}`)
	now = now.Add(10 * time.Minute)
	a.s.Purge(t.Context())
	now = time.Now()
	a.wantIDs("/tables/item", "")
	a.want(201, "POST", "/tables/item", `{"id":"a"}`)
}

func testIntegerIDs(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns, ID: "number"}})
	for want := 1.0; want <= 3; want++ {
		if id := a.want(201, "POST", "/tables/item", `{"text":"x"}`).row(t)["id"]; id != want {
			t.Errorf("the id is %v, want %v", id, want)
		}
	}
	a.want(409, "POST", "/tables/item", `{"id":2}`)
	if id := a.want(201, "POST", "/tables/item", `{}`).row(t)["id"]; id != 4.0 {
		t.Errorf("the id after a refused one is %v, want 4", id)
	}
	a.want(200, "DELETE", "/tables/item/2", "")
	a.want(200, "DELETE", "/tables/item/3", "")
	a.want(200, "DELETE", "/tables/item/4", "")
	a.want(201, "POST", "/tables/item", `{"id":7}`)
	a.want(201, "POST", "/tables/item", `{"id":"9"}`)
	if id := a.want(201, "POST", "/tables/item", `{"id":0}`).row(t)["id"]; id != 10.0 {
		t.Errorf("the next id is %v, want 10", id)
	}
	a.want(409, "POST", "/tables/item", `{"id":7}`)
	a.want(200, "GET", "/tables/item/7", "")
	a.want(200, "PATCH", "/tables/item/7", `{"id":7,"n":1}`)
	a.want(404, "GET", "/tables/item/x", "")
	a.want(404, "GET", "/tables/item/99999999999999999999", "")
	a.want(400, "POST", "/tables/item", `{"id":"x"}`)
	if rows := a.want(200, "GET", "/tables/item?$filter=id gt 1 and id lt 8L", "").rows(t); len(rows) != 1 ||
		rows[0]["id"] != 7.0 {
		t.Errorf("rows: %v", rows)
	}
	a.want(200, "DELETE", "/tables/item/7", "")
}
