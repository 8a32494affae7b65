package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// broken is a store whose database has failed. What it says of that is its own.
type broken struct {
	Store
	err error
}

func (b broken) Extend(context.Context, *tables.Shape, []tables.ColumnDef) (*tables.Shape, error) {
	return nil, b.err
}

func (b broken) Query(context.Context, tables.Query, func([]odata.Value) error) error { return b.err }

func (b broken) Count(context.Context, tables.Query) (int64, error) { return 0, b.err }

func (b broken) Read(context.Context, *tables.Shape, odata.Value, odata.Expr) ([]odata.Value, error) {
	return nil, b.err
}

func (b broken) Write(context.Context, tables.Write) ([]odata.Value, error) { return nil, b.err }

func (b broken) Remove(context.Context, tables.Removal) ([][]odata.Value, error) { return nil, b.err }

// testNoServerText: whatever a database says, no caller hears its words, and the
// status says whose fault it is.
func testNoServerText(t *testing.T, open Opener) {
	const text = "FATAL: role hunter2 at 10.1.2.3 (SQLSTATE 28P01)"
	store := open(t)
	for _, fault := range []struct {
		err    error
		status int
	}{
		{errors.New(text), 503}, {fmt.Errorf("postgres: %w", errors.New(text)), 503},
		{fmt.Errorf("%s: %w", text, context.DeadlineExceeded), 503},
		{fmt.Errorf("%s: %w", text, context.Canceled), 503},
		{fmt.Errorf("%s: %w", text, tables.ErrNotFound), 404},
		{fmt.Errorf("%s: %w", text, &tables.DuplicateError{Column: "text"}), 409},
		{fmt.Errorf("%s: %w", text, &tables.QueryError{Msg: "The query is too complex"}), 400},
		{fmt.Errorf("%s: %w", text, &tables.SchemaError{Table: "hunter2", Column: "text", Msg: "it cannot be added",
			Err: errors.New(text)}), 400},
	} {
		a := &app{t: t, s: service(t, broken{store, fault.err},
			tables.Config{"item": {Columns: columns, SoftDelete: true, DynamicSchema: true}}, tables.Options{})}
		for _, f := range append(forms, form{"extend", "insert", false, "POST", "", `{"fresh":1}`, nil},
			form{"count", "read", true, "GET", "?$count=true", "", nil}) {
			a.v3 = f.v3
			got := a.do(f.method, "/tables/item"+f.path, f.body, f.header...)
			if got.status != fault.status {
				t.Errorf("%v, %s: %d, want %d", fault.err, f.name, got.status, fault.status)
			}
			for name, values := range got.header {
				got.body += name + strings.Join(values, " ")
			}
			for _, word := range []string{"FATAL", "role", "hunter2", "10.1.2.3", "SQLSTATE", "28P01"} {
				if strings.Contains(got.body, word) {
					t.Fatalf("%v, %s tells %q: %s", fault.err, f.name, word, got.body)
				}
			}
		}
	}
}

// testTakenValues: the column whose value is taken has the name that the table has
// for it, whatever the database calls it.
func testTakenValues(t *testing.T, open Opener) {
	long := strings.Repeat("long", 20)
	unique := tables.Column{Type: "string", Unique: true}
	a := serve(t, open, tables.Config{"item": {Columns: map[string]tables.Column{"code": unique, "xmin": unique,
		long: unique}, SoftDelete: true}})
	for _, name := range []string{"code", "xmin", long} {
		a.v3 = false
		a.want(201, "POST", "/tables/item", `{"id":"`+name+`","`+name+`":"taken"}`)
		a.want(201, "POST", "/tables/item", `{"id":"`+name+`-2"}`)
		want := "An item with this value of '" + name + "' exists"
		same(t, "insert", a.want(409, "POST", "/tables/item", `{"`+name+`":"taken"}`).row(t)["error"], any(want))
		same(t, "update", a.want(409, "PATCH", "/tables/item/"+name+"-2", `{"`+name+`":"taken"}`).row(t)["error"],
			any(want))
		a.v3 = true
		same(t, "replace", a.want(409, "PUT", "/tables/item/"+name+"-2", `{"id":"`+name+`-2","`+name+`":"taken"}`).
			row(t)["error"], any(want))
	}
}

// testWebhookOrder: events of one row come in the order of its writes, also of those
// that find it by a filter, whoever writes beside.
func testWebhookOrder(t *testing.T, open Opener) {
	const rounds = 150
	var mu sync.Mutex
	last, events := map[string]string{}, 0
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var e struct {
			Operation string
			Item      struct{ ID, UpdatedAt string }
		}
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		events++
		if e.Item.UpdatedAt <= last[e.Item.ID] {
			t.Errorf("the %s of %s is of %s and came after what is of %s", e.Operation, e.Item.ID, e.Item.UpdatedAt,
				last[e.Item.ID])
		}
		last[e.Item.ID] = e.Item.UpdatedAt
	}))
	defer receiver.Close()
	a := &app{t: t, store: open(t)}
	s, err := tables.New(t.Context(), tables.Config{"item": {Columns: columns, SoftDelete: true,
		Webhook: &tables.Webhook{URL: receiver.URL}}}, a.store, tables.Options{Webhooks: receiver.Client()})
	if err != nil {
		t.Fatal(err)
	}
	a.s = s
	for _, id := range []string{"a", "b", "c"} {
		a.want(201, "POST", "/tables/item", `{"id":"`+id+`"}`)
	}
	var writers sync.WaitGroup
	for _, write := range []func(id string){
		func(string) { a.do("DELETE", "/tables/item?$filter=n ne 7 or n eq null", "") },
		func(id string) { a.do("DELETE", "/tables/item?$filter=id eq '"+id+"'", "") },
		func(id string) { a.do("POST", "/tables/item/"+id, "") },
		func(id string) { a.do("POST", "/tables/item/"+id, "") },
		func(id string) { a.do("PATCH", "/tables/item/"+id, `{"n":1}`) },
	} {
		writers.Go(func() {
			for i := range rounds {
				write(string("abc"[i%3]))
			}
		})
	}
	writers.Wait()
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if events < 2*rounds {
		t.Errorf("%d events", events)
	}
}
