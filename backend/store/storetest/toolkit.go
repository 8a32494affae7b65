package storetest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
)

// The requests that the service tests of CommunityToolkit/Datasync send, and what
// they want for an answer (testdata/datasync). Its clients are those of .NET 8 and
// later; they name no version of the protocol.

//go:embed testdata/datasync/movies.tsv
var toolkitMovies string

//go:embed testdata/datasync/queries.tsv
var toolkitQueries string

// lines are those of a table in testdata, by their columns.
func lines(text string) (out [][]string) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			out = append(out, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
	}
	return out
}

// movieColumns are those of the toolkit's movies. A date without time is text.
var movieColumns = map[string]tables.Column{"title": {Type: "string", Required: true}, "year": {Type: "number"},
	"duration": {Type: "number"}, "rating": {Type: "string"}, "releaseDate": {Type: "string"},
	"bestPictureWinner": {Type: "boolean"}}

// toolkit is a service as the toolkit's tests have it.
func toolkit(t *testing.T, open Opener) *app {
	var movies []map[string]any
	for i, m := range lines(toolkitMovies) {
		year, _ := strconv.Atoi(m[1])
		duration, _ := strconv.Atoi(m[2])
		movies = append(movies, map[string]any{"id": fmt.Sprintf("id-%03d", i), "title": m[0], "year": year,
			"duration": duration, "rating": m[3], "releaseDate": m[4], "bestPictureWinner": m[5] == "true"})
	}
	var sink []map[string]any
	for i := range 365 {
		day := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i)
		sink = append(sink, map[string]any{"id": fmt.Sprintf("id-%03d", i), "dateOnlyValue": day.Format(time.DateOnly),
			"timeOnlyValue": fmt.Sprintf("%02d:%02d:00.000", day.Month(), day.Day())})
	}
	for _, country := range []string{"EG", "GR", "IT"} {
		sink = append(sink, map[string]any{"id": country})
	}
	a := &app{t: t, store: open(t)}
	yes, files := true, map[string][]byte{}
	files["movies"], _ = json.Marshal(movies)
	files["sink"], _ = json.Marshal(sink)
	a.s = service(t, a.store, tables.Config{
		"movies":      {Columns: movieColumns, Seed: "movies"},
		"pagedmovies": {Columns: movieColumns, Seed: "movies", PageSize: 25},
		"softmovies":  {Columns: movieColumns, Seed: "movies", SoftDelete: true, DeleteByFilter: &yes},
		"sink": {Seed: "sink", Columns: map[string]tables.Column{"dateOnlyValue": {Type: "string"},
			"timeOnlyValue": {Type: "string"}}},
	}, tables.Options{DefaultVersion: "3.0.0",
		ReadFile: func(name string) ([]byte, error) { return files[name], nil }})
	a.want(200, "DELETE", "/tables/softmovies?$filter=rating eq 'R'", "", "ZUMO-API-VERSION", "2.0.0")
	return a
}

// ask sends a request as the toolkit's client does: without a version.
func (a *app) ask(status int, method, path, body string, headers ...string) answer {
	a.t.Helper()
	return a.want(status, method, path, body, append([]string{"ZUMO-API-VERSION", ""}, headers...)...)
}

// listPage is an answer to a query of 3.0.
type listPage struct {
	Items    []map[string]any
	NextLink *string
	Count    *int
}

func (a *app) listPage(query string) (p listPage) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.ask(200, "GET", query, "").body), &p); err != nil {
		a.t.Fatal(err)
	}
	return p
}

func testToolkitQueries(t *testing.T, open Opener) {
	a := toolkit(t, open)
	var left []string
	for _, l := range lines(toolkitQueries) {
		if len(l) > 7 {
			left = append(left, l[0])
			continue
		}
		name, path := l[0], "/tables/"+l[1]
		if l[2] != "" {
			path += "?" + strings.ReplaceAll(l[2], "+", "%2B")
		}
		p := a.listPage(path)
		ids := []string{}
		for _, row := range p.Items {
			ids = append(ids, row["id"].(string))
		}
		first := strings.Fields(l[6])
		got := fmt.Sprintln(len(ids), p.NextLink != nil, number(p.Count), ids[:min(len(ids), len(first))])
		same(t, name+" "+path, got, fmt.Sprintln(l[3], l[4] != "-", l[5], first))
		if p.NextLink != nil {
			same(t, name, options(t, *p.NextLink), options(t, l[4]))
		}
	}
	same(t, "left out, as docs/reference/tables.md says", strings.Join(left, " "), "movies-051 movies-052 movies-111 "+
		"movies-112 movies-171 movies-172 movies-231 movies-232 movies-295 movies-296 sink-019")
}

// number is a count as the table of queries has it.
func number(n *int) string {
	if n == nil {
		return "-"
	}
	return strconv.Itoa(*n)
}

// options are those of a query string.
func options(t *testing.T, query string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// testToolkitPages follows the links as the clients do: behind a question mark.
func testToolkitPages(t *testing.T, open Opener) {
	a := toolkit(t, open)
	for _, c := range []struct {
		path, query string
		rows, pages int
	}{
		{"/tables/movies", "", 248, 3}, {"/tables/pagedmovies", "$top=100", 100, 4},
		{"/tables/movies", "$count=true", 248, 3},
		{"/tables/movies", "$top=50&$count=true", 50, 1},
		{"/tables/movies", "$filter=releaseDate ge cast(1960-01-01,Edm.Date)&orderby=releaseDate asc", 186, 2},
		{"/tables/movies", "$filter=releaseDate ge cast(1960-01-01,Edm.Date)&orderby=releaseDate asc&$top=20", 20, 1},
		{"/tables/movies", "$orderby=updatedAt&$count=true&__includedeleted=true", 248, 3},
		{"/tables/softmovies", "$filter=(updatedAt gt cast(2000-01-01T00:00:00.000Z,Edm.DateTimeOffset))" +
			"&$orderby=updatedAt&$count=true&__includedeleted=true", 248, 3},
		{"/tables/movies", "$filter=not(contains(title,'?')) or title eq 'a&b=c+d?;#'&$orderby=title", 247, 3},
	} {
		seen, pages := map[string]bool{}, 0
		for query := c.query; pages < 9; pages++ {
			p := a.listPage(c.path + "?" + strings.NewReplacer("&b", "%26b", "c+d", "c%2Bd", "#", "%23").Replace(query))
			for _, row := range p.Items {
				seen[row["id"].(string)] = true
			}
			if p.NextLink == nil {
				pages++
				break
			}
			query = *p.NextLink
		}
		if len(seen) != c.rows || pages != c.pages {
			t.Errorf("%s?%s: %d rows on %d pages, want %d on %d", c.path, c.query, len(seen), pages, c.rows, c.pages)
		}
	}
}

// testToolkitMistakes are the queries that the toolkit's server refuses.
func testToolkitMistakes(t *testing.T, open Opener) {
	a := toolkit(t, open)
	for _, query := range []string{"$filter=(year - 1900) ge 100", "$filter=missing eq 20", "$orderby=duration fizz",
		"$orderby=missing asc", "$select=foo", "$select=year rating", "$skip=-1", "$skip=NaN", "$top=-1",
		"$top=1000000",
		"$top=NaN"} {
		a.ask(400, "GET", "/tables/movies?"+query, "")
	}
	all := []string{"id", "updatedAt", "version", "deleted", "bestPictureWinner", "duration", "rating", "releaseDate",
		"title", "year"}
	for i := range 1 << len(all) {
		var chosen []string
		for j, name := range all {
			if i>>j&1 == 1 {
				chosen = append(chosen, name)
			}
		}
		if len(chosen) == 0 || i%7 != 1 && len(chosen) > 2 {
			continue
		}
		for _, row := range a.listPage("/tables/softmovies?$top=5&$skip=5&$select=" + strings.Join(chosen, ",")).Items {
			if len(row) != len(chosen) {
				t.Fatalf("$select=%v: %v", chosen, row)
			}
			for _, name := range chosen {
				if _, there := row[name]; !there {
					t.Fatalf("$select=%v: %v", chosen, row)
				}
			}
		}
	}
}

// blackPanther is what the toolkit's tests write.
const blackPanther = `"title":"Black Panther","year":2018,"duration":134,"rating":"PG13","releaseDate":"2018-02-16",` +
	`"bestPictureWinner":true`

// testToolkitRows replays what the toolkit's tests do with single rows.
func testToolkitRows(t *testing.T, open Opener) {
	a := toolkit(t, open)
	const stale, html = `"dGVzdA=="`, "<html><body><h1>Not JSON</h1></body></html>"
	// Its client sends what it knows of a row back, and null for what it does not.
	for _, id := range []string{"null", `"de76a422-7fb0-4f1f-9bb4-12b3c7882541"`} {
		got := a.ask(201, "POST", "/tables/movies", `{`+blackPanther+`,"id":`+id+
			`,"deleted":false,"updatedAt":null,"version":null}`, "Content-Type", "application/json; charset=utf-8")
		row := got.row(t)
		if row["releaseDate"] != "2018-02-16" || row["title"] != "Black Panther" || row["year"] != 2018.0 ||
			got.header.Get("ETag") != `"`+row["version"].(string)+`"` ||
			got.header.Get("Location") != "/tables/movies/"+row["id"].(string) {
			t.Errorf("%v %v", got.header, row)
		}
	}
	for _, table := range []string{"movies", "softmovies"} {
		kept := a.ask(200, "GET", "/tables/"+table+"/id-100?__includedeleted=true", "")
		taken := a.ask(409, "POST", "/tables/"+table, `{`+blackPanther+`,"id":"id-100"}`)
		same(t, "409", taken.body+taken.header.Get("ETag"), kept.body+kept.header.Get("ETag"))
	}
	gone := a.ask(200, "GET", "/tables/softmovies/id-000?__includedeleted=true", "") // R: deleted
	taken := a.ask(409, "POST", "/tables/softmovies", `{`+blackPanther+`,"id":"id-000"}`)
	same(t, "409 of a deleted row", taken.body, gone.body)
	a.ask(400, "POST", "/tables/movies", `{"year":2018,"title":null}`)
	for _, r := range [][2]string{{"POST", ""}, {"PUT", "/1"}, {"PATCH", "/1"}} {
		a.ask(415, r[0], "/tables/movies"+r[1], html, "Content-Type", "text/html; charset=utf-8")
	}
	conditions := func(method string, body func(id string) string, ok, none int) {
		for i, c := range []struct {
			header, value string
			status        int
		}{{"If-Match", "", ok}, {"If-Match", stale, 412}, {"If-None-Match", "", none}, {"If-None-Match", stale, ok}} {
			path := fmt.Sprintf("/tables/movies/id-%d%d", len(method)+10, i)
			etag := a.ask(200, "GET", path, "").header.Get("ETag")
			if c.value == "" {
				c.value = etag
			}
			got := a.ask(c.status, method, path, body(strings.TrimPrefix(path, "/tables/movies/")), c.header, c.value)
			if c.status == 412 && (got.row(t)["title"] == nil || got.header.Get("ETag") != etag) {
				t.Errorf("412: %v %s", got.header, got.body)
			}
		}
	}
	whole := func(id string) string { return `{` + blackPanther + `,"id":"` + id + `","deleted":false}` }
	conditions("GET", func(string) string { return "" }, 200, 304)
	conditions("PUT", whole, 200, 412)
	conditions("DELETE", func(string) string { return "" }, 204, 412)
	a.ask(404, "GET", "/tables/movies/missing", "")
	a.ask(404, "DELETE", "/tables/movies/missing", "")
	a.ask(404, "PUT", "/tables/movies/missing", whole("missing"))
	a.ask(400, "PUT", "/tables/movies/different-id", whole("id-200"))
	a.ask(204, "DELETE", "/tables/movies/id-200", "")
	a.ask(404, "GET", "/tables/movies/id-200", "")
	a.wantToolkitDeleted(whole)
}

// wantToolkitDeleted replays what the toolkit's tests do with deleted rows.
func (a *app) wantToolkitDeleted(whole func(id string) string) {
	t, path := a.t, "/tables/softmovies/id-150"
	before := a.ask(200, "GET", path, "").row(t)
	replaced := a.ask(200, "PUT", path, whole("id-150")).row(t)
	a.ask(204, "DELETE", path, "")
	after := a.ask(200, "GET", path+"?__includedeleted=true", "").row(t)
	if after["deleted"] != true || after["version"] == replaced["version"] ||
		before["version"] == replaced["version"] ||
		after["updatedAt"].(string) <= replaced["updatedAt"].(string) {
		t.Errorf("deleted: %v, %v, %v", before, replaced, after)
	}
	a.ask(410, "GET", path, "")
	a.ask(410, "DELETE", path, "")
	a.ask(410, "PUT", path, whole("id-150")) // although it says that the row is not deleted
	still := a.ask(200, "PUT", path+"?__includedeleted=true", `{`+blackPanther+`,"id":"id-150","deleted":true}`).row(t)
	same(t, "deleted", still["deleted"], true)
	back := a.ask(200, "PUT", path+"?__includedeleted=true", whole("id-150"))
	same(t, "deleted", back.row(t)["deleted"], false)
	same(t, "the row", a.ask(200, "GET", path, "").body, back.body)
}

// testToolkitVersions: who says no version has the one that the operator has set;
// who says one has that, and links in the form that its clients follow.
func testToolkitVersions(t *testing.T, open Opener) {
	a := toolkit(t, open)
	const path, whole = "/tables/movies", "http://app.example:8080/tables/movies?%24skip=100"
	for _, c := range []struct{ version, agent, option, link string }{
		{"", "", "", "%24skip=100"}, {"", "Datasync/9.0.1 (lang=Managed)", "", "%24skip=100"},
		{"3.0.0", "", "", whole}, {"3.0.0", "Datasync/6.1.0 (lang=Managed)", "", whole},
		{"3.0.0", "Datasync/8.0.5 (lang=Managed)", "", "%24skip=100"},
		{"3.0.0", "Datasync/10.1 (x)", "", "%24skip=100"},
		{"3.0.0", "Datasync/x", "", whole}, {"3.0.0", "", "nextLink=path", "/tables/movies?%24skip=100"},
		{"", "", "nextLink:path", "/tables/movies?%24skip=100"}, {"3.0.0", "", "nextLink:query", "%24skip=100"},
	} {
		got := a.want(
			200,
			"GET",
			path,
			"",
			"ZUMO-API-VERSION",
			c.version,
			"User-Agent",
			c.agent,
			"X-ZUMO-Options",
			c.option,
		)
		same(t, fmt.Sprintf("%+v", c), got.row(t)["nextLink"], any(c.link))
	}
	// A whole link behind a question mark keeps all that it says.
	a.v3 = true
	first := a.want(200, "GET", path+"?$filter=(bestPictureWinner eq false)&$orderby=year", "").row(t)
	next := first["nextLink"].(string)
	for _, link := range []string{next, strings.TrimPrefix(next, "http://app.example:8080")} {
		for _, row := range a.want(200, "GET", path+"?"+link, "").row(t)["items"].([]any) {
			if row.(map[string]any)["bestPictureWinner"] != false {
				t.Fatalf("%v does not match", row)
			}
		}
	}
	a.ask(400, "GET", path, "", "ZUMO-API-VERSION", "1.0.0")
	a.ask(400, "GET", path+"?zumo-api-version=4.0.0", "")
	two := serve(t, open, tables.Config{"item": {}})
	two.ask(400, "GET", "/tables/item", "")
	two.s = service(t, two.store, tables.Config{"item": {}}, tables.Options{DefaultVersion: "2.0.0"})
	same(t, "2.0", two.ask(200, "GET", "/tables/item", "").body, "[]")
}

// testCalendar: dates without time and times without date, of columns that hold
// dates and of those that hold text.
func testCalendar(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: map[string]tables.Column{"due": {Type: "date"},
		"day": {Type: "string"}, "clock": {Type: "string"}}}})
	for i, row := range []string{`"due":"2024-02-29T21:00:00.500Z","day":"2024-02-29","clock":"21:00:00.500"`,
		`"due":"2024-03-01T07:14:00Z","day":"2024-03-01","clock":"07:14:00"`,
		`"due":"1959-12-31T23:59:59.999Z","day":"1959-12-31","clock":"23:59:59.9990000"`,
		`"day":"soon","clock":"é:0x:"`, `"day":"","clock":null`} {
		a.want(201, "POST", "/tables/item", fmt.Sprintf(`{"id":"%d",%s}`, i, row))
	}
	a.v3 = true
	for filter, want := range map[string]string{
		"date(due) eq cast(2024-02-29,Edm.Date)": "0", "due ge cast(2024-03-01,Edm.Date)": "1",
		"due lt cast('1960-01-01',Edm.Date)": "2", "cast(due,Edm.Date) eq 2024-03-01": "1",
		"due ge cast(2024-02-29T21:00:00.500Z,Edm.DateTimeOffset)":         "0 1",
		"due gt cast('2024-02-29T22:00:00+01:00',Edm.DateTimeOffset)":      "0 1",
		"time(due) eq cast(07:14:00,Edm.TimeOfDay)":                        "1",
		"time(due) gt cast('20:00',Edm.TimeOfDay)":                         "0 2",
		"cast(due,Edm.TimeOfDay) le 21:00:00.500":                          "0 1",
		"hour(due) eq 21 and minute(due) eq 0":                             "0",
		"day eq cast(2024-02-29,Edm.Date)":                                 "0",
		"day ge cast(2024-02-29T10:00:00Z,Edm.Date) and day lt 2025-01-01": "0 1",
		"cast(1960-01-01,Edm.Date) gt day and day ne ''":                   "2",
		"day in (2024-03-01,1959-12-31)":                                   "1 2",
		"year(day) eq 2024":                                                "0 1",
		"month(day) eq 12 and day(day) eq 31":                              "2",
		"date(day) eq 2024-03-01":                                          "1",
		"cast(day,Edm.Date) eq 2024-03-01":                                 "1",
		"year(day) eq null":                                                "3 4",
		"day eq null":                                                      "",
		"clock eq cast(07:14:00,Edm.TimeOfDay)":                            "1",
		"clock eq cast(07:14:00.000,Edm.TimeOfDay)":                        "1",
		"clock gt cast(21:00:00.499,Edm.TimeOfDay) and hour(clock) ge 0":   "0 2",
		"clock eq 23:59:59.999":                                            "2",
		"07:14:00 lt clock and hour(clock) gt 0":                           "0 2",
		"hour(clock) eq 21":                                                "0",
		"minute(clock) eq 14":                                              "1",
		"second(clock) eq 59":                                              "2",
		"cast(clock,Edm.TimeOfDay) eq 07:14:00":                            "1",
		"hour(clock) eq null":                                              "3 4",
		"clock eq null":                                                    "4",
		"day eq cast(null,Edm.Date)":                                       "",
	} {
		got := []string{}
		for _, row := range a.want(200, "GET", "/tables/item?$select=id&$orderby=id&$filter="+
			strings.ReplaceAll(filter, "+", "%2B"), "").row(t)["items"].([]any) {
			got = append(got, row.(map[string]any)["id"].(string))
		}
		same(t, filter, strings.Join(got, " "), want)
	}
	for _, filter := range []string{"due eq cast(25:00:00,Edm.TimeOfDay)", "clock eq 25:00:00",
		"due eq cast(7,Edm.TimeOfDay)", "day eq cast(2024-13-01,Edm.Date)", "clock eq cast(07:14:00,Edm.Time)",
		"due eq cast(07:14:00", "due eq 07:14:00"} {
		a.want(400, "GET", "/tables/item?$filter="+filter, "")
	}
}
