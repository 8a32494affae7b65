package storetest

import (
	"net/url"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/tables"
)

// testExtremes: what a filter computes has a result for every row, so that no answer
// tells of rows that are not shown, and no text that it makes uses up the memory.
func testExtremes(t *testing.T, open Opener) {
	a := newApp(t, open, tables.Config{"item": {Columns: map[string]tables.Column{"text": {Type: "string"},
		"n": {Type: "number"}}}}, tables.Options{MaxBody: 2 << 20})
	a.want(201, "POST", "/tables/item", `{"id":"huge","n":1.7e308}`)
	a.want(201, "POST", "/tables/item", `{"id":"tiny","n":5e-324}`)
	a.want(201, "POST", "/tables/item", `{"id":"none","n":null}`)
	a.want(201, "POST", "/tables/item", `{"id":"zero","n":0}`)
	// The largest text that a query makes, of which 10 characters are missing.
	long := strings.Repeat("x", 1<<20-10)
	a.want(201, "POST", "/tables/item", `{"id":"long","text":"`+long+`"}`)
	for filter, want := range map[string]string{
		"n add n gt 1e308":            "huge",
		"n add 0 eq 1.7e308":          "huge",
		"n sub (0 sub n) gt 1e308":    "huge",
		"(0 sub n) sub n lt -1e308":   "huge",
		"n mul n gt 1e308":            "huge",
		"n mul n sub n mul n eq null": "huge long none", // infinite less infinite has no value
		"n mul n eq 0":                "tiny zero",
		"n mul 1e-10 eq 0":            "tiny zero",
		"n mul 0.5 gt 0":              "huge",
		"n mul 0.75 gt 0":             "huge tiny",
		"n div 3 eq 0":                "tiny zero",
		"n div 0.1 gt 1e308":          "huge",
		"n div n eq 1":                "huge tiny",
		"1 div n gt 1e308":            "tiny",
		"1 div n eq null":             "long none zero",
		"n div (n mul n) eq 0":        "huge", // by what is infinite, or by 0
		"n mod 5e-324 eq null":        "long none",
		"5 mod n eq 5":                "huge",
		"1e300 mul 1e300 gt 5":        "huge long none tiny zero",
		"5e-324 mul 0.1 eq 0":         "huge long none tiny zero",
		"n div n sub 1 add 8.988465674311579e307 div 0.5 eq 1.7976931348623157e308": "huge tiny",
		"n div n sub 1 add 8.988465674311579e307 mod 0.5 eq 0":                      "huge tiny",
		"n mod 2 eq 0 and n sub 0 gt 1":                                             "huge",
		"1 div 0 eq null":                                                           "huge long none tiny zero",
		"length(substring('abc',n,n)) eq 0":                                         "huge tiny zero",
		"length(concat(text,'0123456789')) eq 1048576":                              "long",
		"concat(text,'0123456789+') eq null":                                        "huge long none tiny zero",
		"length(replace(text,'x','')) eq 0":                                         "long",
		"length(replace(text,'" + strings.Repeat("x", 10) + "','y')) eq 104862":     "long",
		"replace(text,'x','" + strings.Repeat("y", 100) + "') ne null":              "",
		"length(tolower(concat(concat(text,'0123456789'),''))) eq 1048576":          "long",
		"replace(concat(text,'é'),'é','éé') ne null and n eq null":                  "long",
		"replace(concat(text,'éé'),'é','éééé') ne null and n eq null":               "",
		"startswith(replace('abc','','y'),'abc') and id eq 'long' and n eq null":    "long",
	} {
		var ids []string
		path := "/tables/item?$select=id&$orderby=id&$filter=" + url.QueryEscape(filter)
		for _, row := range a.want(200, "GET", path, "").rows(t) {
			ids = append(ids, row["id"].(string))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%.80s: %s, want %s", filter, got, want)
		}
	}
}
