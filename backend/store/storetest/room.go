package storetest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/internal/lane"
)

// idlers are clients that do not read their answers until they are released.
type idlers struct {
	a       *app
	begun   chan struct{}
	release chan struct{}
	all     sync.WaitGroup
}

func newIdlers(a *app) *idlers {
	return &idlers{a: a, begun: make(chan struct{}, 1000), release: make(chan struct{})}
}

// ask sends a request from an address, and goes on when it has ended.
func (i *idlers) ask(from, method, path, body string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("ZUMO-API-VERSION", "2.0.0")
	r.RemoteAddr = from + ":1"
	i.all.Go(func() { i.a.s.ServeHTTP(&unread{http.Header{}, i.begun, i.release}, r) })
}

// leave lets all of them read.
func (i *idlers) leave() {
	close(i.release)
	i.all.Wait()
}

// testRoomForAnswers: clients that do not read the answers to their writes hold no
// more than there is for answers, and what has no room is not done.
func testRoomForAnswers(t *testing.T, open Opener) {
	a := newApp(t, open, tables.Config{"item": {Columns: map[string]tables.Column{"text": {Type: "string"},
		"n": {Type: "number"}}}}, tables.Options{Patience: 50 * time.Millisecond})
	a.want(201, "POST", "/tables/item", `{"id":"large","n":0,"text":"`+strings.Repeat("x", 1000<<10)+`"}`)
	others := newIdlers(a)
	for i := range 3 { // each has a share of its own
		others.ask(fmt.Sprintf("192.0.2.%d", 100+i), "PATCH", "/tables/item/large", `{"n":1}`)
	}
	for range 3 {
		<-others.begun
	}
	// All of it is held now: a change of a large row waits for its turn, and then
	// has not been made. Small ones go on.
	for _, each := range []struct{ method, path, body string }{
		{"PATCH", "/tables/item/large", `{"n":2}`},
		{"GET", "/tables/item/large", ""},
		{"DELETE", "/tables/item?$filter=" + url.QueryEscape("n eq 1"), ""},
		{"DELETE", "/tables/item/large", ""},
	} {
		if got := a.want(503, each.method, each.path, each.body); strings.Contains(got.body, "xxx") {
			t.Errorf("%s: %d bytes", each.method, len(got.body))
		}
	}
	a.want(201, "POST", "/tables/item", `{"id":"small","n":7}`)
	a.want(200, "PATCH", "/tables/item/small", `{"n":8}`)
	same(t, "a row that could not be answered", a.want(200, "GET",
		"/tables/item?$select=n&$filter="+url.QueryEscape("id eq 'large'"), "").body, `[{"n":1}]`)
	others.leave()
	a.want(200, "PATCH", "/tables/item/large", `{"n":3}`)
}

// testRoomBesideOne: a client that does not read takes no more than its share,
// whatever it asks for: others are served.
func testRoomBesideOne(t *testing.T, open Opener) {
	columns := map[string]tables.Column{}
	for i := range 3 {
		columns[fmt.Sprintf("c%d", i)] = tables.Column{Type: "string"}
	}
	a := newApp(t, open, tables.Config{"item": {Columns: columns}}, tables.Options{Patience: 50 * time.Millisecond})
	shape, _, _ := a.s.Inspect().Table("item")
	var rows []tables.LoadRow
	for i := range 3 {
		row := tables.LoadRow{ID: odata.StringOf(fmt.Sprint("r", i)), Version: int64(i + 1)}
		for name := range columns {
			row.Columns = append(row.Columns, shape.Find(name))
			row.Values = append(row.Values, odata.StringOf(strings.Repeat("x", 900<<10)))
		}
		rows = append(rows, row)
	}
	if _, err := a.store.Load(t.Context(), shape, rows, false); err != nil {
		t.Fatal(err)
	}
	a.want(201, "POST", "/tables/item", `{"id":"usual","c0":"`+strings.Repeat("x", 100<<10)+`"}`)

	// Rows and removals that are larger than a share, and more pages than may wait.
	one := newIdlers(a)
	one.ask("192.0.2.7", "GET", "/tables/item/r0", "")
	<-one.begun
	one.ask("192.0.2.7", "DELETE", "/tables/item?$filter="+url.QueryEscape("id eq 'r1' or id eq 'r2'"), "")
	var refused atomic.Int32
	for range 40 {
		r := httptest.NewRequest("GET", "/tables/item", nil)
		r.Header.Set("ZUMO-API-VERSION", "2.0.0")
		r.RemoteAddr = "192.0.2.7:1"
		one.all.Go(func() {
			w := &unread{http.Header{}, one.begun, one.release}
			a.s.ServeHTTP(&counting{w, &refused}, r)
		})
	}
	lane.Until(t, "so many wait that others are refused", func() bool { return refused.Load() >= 10 })
	a.want(200, "GET", "/tables/item/usual", "")
	a.want(200, "PATCH", "/tables/item/usual", `{"c1":"`+strings.Repeat("y", 100<<10)+`"}`)
	if got := a.want(200, "GET", "/tables/item?$top=2", ""); len(got.body) < 6*900<<10 {
		t.Errorf("a long page: %d bytes", len(got.body))
	}
	one.leave()
}

// counting counts the answers that say that the server is busy.
type counting struct {
	*unread
	refused *atomic.Int32
}

func (c *counting) WriteHeader(status int) {
	if status == http.StatusServiceUnavailable {
		c.refused.Add(1)
	}
}
