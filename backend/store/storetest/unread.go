package storetest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// newApp serves tables to a caller who is nobody.
func newApp(t *testing.T, open Opener, c tables.Config, o tables.Options) *app {
	a := &app{t: t, store: open(t)}
	a.s = service(t, a.store, c, o)
	return a
}

// testLargeRow reads a row that is larger than what all requests may hold.
func testLargeRow(t *testing.T, open Opener) {
	columns := map[string]tables.Column{}
	for i := range 14 {
		columns[fmt.Sprintf("c%d", i)] = tables.Column{Type: "string"}
	}
	a := newApp(t, open, tables.Config{"item": {Columns: columns}}, tables.Options{})
	shape, _, _ := a.s.Inspect().Table("item")
	row := tables.LoadRow{ID: odata.StringOf("a"), Version: 1}
	for name := range columns { // as an import may bring it: no request has so much
		row.Columns = append(row.Columns, shape.Find(name))
		row.Values = append(row.Values, odata.StringOf(strings.Repeat("x", 1000<<10)))
	}
	if _, err := a.store.Load(t.Context(), shape, []tables.LoadRow{row}, false); err != nil {
		t.Fatal(err)
	}
	if got := a.want(200, "GET", "/tables/item/a", ""); len(got.body) < 14*1000<<10 {
		t.Errorf("%d bytes", len(got.body))
	}
}

// unread is the answer to a client that does not read.
type unread struct {
	header  http.Header
	writing chan struct{}
	release chan struct{}
}

func (u *unread) Header() http.Header { return u.header }
func (u *unread) WriteHeader(int)     {}
func (u *unread) Write(p []byte) (int, error) {
	select {
	case u.writing <- struct{}{}:
	default:
	}
	<-u.release
	return len(p), nil
}

// testUnreadAnswers: a client that does not read the answer to a write of a table
// with a webhook keeps nobody from writing.
func testUnreadAnswers(t *testing.T, open Opener) {
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close) // after the service, which delivers until it is closed
	c := tables.Config{"item": {
		Columns: map[string]tables.Column{"n": {Type: "number"}}, Webhook: &tables.Webhook{URL: receiver.URL},
	}}
	a := newApp(t, open, c, tables.Options{Webhooks: receiver.Client()})
	for _, id := range []string{"a", "b", "c", "d"} {
		a.want(201, "POST", "/tables/item", `{"id":"`+id+`","n":1}`)
	}
	for _, each := range []struct{ method, path, body string }{
		{"PATCH", "/tables/item/a", `{"n":2}`},
		{"POST", "/tables/item", `{"id":"e","n":2}`},
		{"DELETE", "/tables/item?$filter=" + url.QueryEscape("n eq 1"), ""},
	} {
		u := &unread{http.Header{}, make(chan struct{}, 1), make(chan struct{})}
		r := httptest.NewRequest(each.method, each.path, strings.NewReader(each.body))
		r.Header.Set("ZUMO-API-VERSION", "2.0.0")
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			a.s.ServeHTTP(u, r)
		}()
		<-u.writing
		a.want(200, "PATCH", "/tables/item/a", `{"n":3}`) // of the same row, too
		close(u.release)
		<-ended
	}
}

// testMethodsOfRules: a rule about the method sees the operation's, in every
// protocol.
func testMethodsOfRules(t *testing.T, open Opener) {
	c := tables.Config{"item": {
		SoftDelete: true, Columns: map[string]tables.Column{"n": {Type: "number"}},
		Update: tables.Operation{Rule: `request.method == "PATCH"`},
		Delete: tables.Operation{Rule: `request.method == "DELETE"`},
	}}
	a := newApp(t, open, c, tables.Options{})
	a.want(201, "POST", "/tables/item", `{"id":"a","n":1}`)
	a.want(200, "DELETE", "/tables/item/a", "")
	a.want(201, "POST", "/tables/item/a", "") // an undelete inherits the rules of both
	a.want(200, "DELETE", "/tables/item/a", "")
	a.want(200, "PATCH", "/tables/item/a", `{"deleted":false}`, "ZUMO-API-VERSION", "3.0.0")
	a.want(201, "POST", "/tables/item", `{"id":"put","n":1}`)
	a.want(200, "PUT", "/tables/item/put", `{"id":"put","n":2}`, "ZUMO-API-VERSION", "3.0.0")
}
