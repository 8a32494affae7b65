package storetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
)

// testLongPages: a page that is too long to be made before it is sent has the same
// rows, links and counts as a short one.
func testLongPages(t *testing.T, open Opener) {
	const rows = 40
	a := serve(t, open, tables.Config{
		"item":   {Columns: columns, SoftDelete: true, PageSize: 100},
		"ruled":  {Columns: columns, Read: tables.Operation{Rule: `row.n != 7.0`}, PageSize: 100},
		"needle": {Columns: columns},
	})
	big := strings.Repeat("0123456789abcdef", 300<<10/16)
	for i := range rows {
		for _, table := range []string{"item", "ruled"} {
			a.want(201, "POST", "/tables/"+table, fmt.Sprintf(`{"id":"r%02d","n":%d,"text":"%s"}`, i, i, big))
		}
	}
	server := httptest.NewUnstartedServer(a.s)
	server.Config.WriteTimeout = time.Minute
	server.Start()
	defer server.Close()
	get := func(version, query string) (http.Header, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(
			t.Context(),
			"GET",
			server.URL+"/tables/"+strings.ReplaceAll(query, " ", "%20"),
			nil,
		)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("ZUMO-API-VERSION", version)
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var whole struct {
			Results, Items []struct{ ID, Text string }
			Count          *int
			NextLink       string
		}
		body := json.NewDecoder(answer.Body)
		if version == "2.0.0" && !strings.Contains(query, "inlinecount") {
			err = body.Decode(&whole.Results)
		} else {
			err = body.Decode(&whole)
		}
		if err != nil || answer.StatusCode != 200 {
			t.Fatalf("%s: %d, %v", query, answer.StatusCode, err)
		}
		ids := []string{}
		for _, row := range append(whole.Results, whole.Items...) {
			if row.Text != big {
				t.Fatalf("%s: a text of %d bytes", query, len(row.Text))
			}
			ids = append(ids, row.ID)
		}
		return answer.Header, fmt.Sprintln(len(ids), ids[0], ids[len(ids)-1], number(whole.Count), whole.NextLink)
	}
	for _, c := range [][4]string{
		{"2.0.0", "item?$orderby=id", "40 r00 r39 - \n", ""},
		{"2.0.0", "item?$orderby=id desc&$top=20&$skip=5&$inlinecount=allpages", "20 r34 r15 40 \n", "skip=25"},
		{"2.0.0", "ruled?$orderby=id&$top=20&$inlinecount=allpages", "20 r00 r20 39 \n", "skip=20"},
		{"2.0.0", "ruled?$orderby=id", "39 r00 r39 - \n", ""},
		{"3.0.0", "item?$orderby=id&$count=true", "40 r00 r39 40 \n", ""},
		{"3.0.0", "ruled?$orderby=id&$count=true&$filter=n gt 1", "37 r02 r39 37 \n", ""},
	} {
		header, got := get(c[0], c[1])
		same(t, c[1], got, c[2])
		if link := header.Get("Link"); !strings.Contains(link, c[3]) || (link == "") != (c[3] == "") {
			t.Errorf("%s: Link %q", c[1], link)
		}
		if header.Get("Content-Length") != "" {
			t.Errorf("%s: the page was made before it was sent: %v", c[1], header)
		}
	}
	header, got := get("2.0.0", "item?$orderby=id&$top=3")
	same(t, "a short page", got, "3 r00 r02 - \n")
	if header.Get("Content-Length") == "" {
		t.Errorf("a short page: %v", header)
	}
}
