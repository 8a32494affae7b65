package storetest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/internal/lane"
)

// testSync races writers against pullers. Each puller does what the JavaScript
// client does (azure-mobile-apps-client 2.0.1, sync/pull.js): it asks for what
// changed at or after the last updatedAt it has, pages by $skip among equal
// stamps, and goes on from there for ever. At the end it must have the last
// version of every row. Two services share the database, as two processes do
// on PostgreSQL.
func testSync(t *testing.T, open Opener) {
	store := open(t)
	c := tables.Config{"item": {Columns: columns, SoftDelete: true, PageSize: 5}}
	first := &app{t: t, store: store, s: service(t, store, c, tables.Options{})}
	second := first
	if peer, ok := store.(interface {
		Peer(testing.TB) Store
	}); ok {
		other := peer.Peer(t)
		second = &app{t: t, store: other, s: service(t, other, c, tables.Options{})}
	}
	writes := lane.Rounds(150, 500, 3000)
	if n, err := strconv.Atoi(os.Getenv("CORDON_SYNC_WRITES")); err == nil {
		writes = n
	}
	var writers, pullers sync.WaitGroup
	var done atomic.Bool
	for w := range 6 {
		a := []*app{first, second}[w%2]
		writers.Go(func() { churn(a, w, writes) })
	}
	local := make([]map[string]string, 4)
	for p := range local {
		a := []*app{first, second}[p%2]
		local[p] = map[string]string{}
		pullers.Go(func() {
			since := "1969-12-31T00:00:00.000Z"
			for last := false; ; {
				since = pull(a, since, 2+p, local[p])
				if last {
					return
				}
				last = done.Load()
			}
		})
	}
	writers.Wait()
	done.Store(true)
	pullers.Wait()
	truth := map[string]string{}
	pull(first, "1969-12-31T00:00:00.000Z", 50, truth)
	for p, have := range local {
		for id, version := range truth {
			if have[id] != version {
				t.Errorf("puller %d has version %q of %s, the server %q", p, have[id], id, version)
			}
		}
		if len(have) != len(truth) {
			t.Errorf("puller %d has %d rows, the server %d", p, len(have), len(truth))
		}
	}
}

// churn inserts, changes, deletes and undeletes rows.
func churn(a *app, w, writes int) {
	for i := range writes {
		id := fmt.Sprintf("%c%d-%d", 'z'-rune(i%26), w, i/3)
		var got answer
		switch i % 3 {
		case 0:
			got = a.do("POST", "/tables/item", fmt.Sprintf(`{"id":"k%d-%d","n":%d}`, w, i/3, i))
		case 1:
			got = a.do("PATCH", fmt.Sprintf("/tables/item/k%d-%d", w, i/3), fmt.Sprintf(`{"n":%d}`, i))
		default:
			got = a.do("DELETE", fmt.Sprintf("/tables/item/k%d-%d", w, i/6), "")
			if got.status == 404 {
				got = a.do("POST", fmt.Sprintf("/tables/item/k%d-%d", w, i/6), "")
			}
		}
		if got.status >= 300 {
			a.t.Errorf("write %s: %d %s", id, got.status, got.body)
		}
	}
}

// pull brings the local rows up to date and returns where the next pull
// begins.
func pull(a *app, since string, size int, local map[string]string) string {
	skip := 0
	for {
		path := "/tables/item?$filter=" + url.QueryEscape("updatedAt ge datetimeoffset'"+since+"'") +
			"&$orderby=updatedAt&__includeDeleted=true&$top=" + strconv.Itoa(size)
		if skip > 0 {
			path += "&$skip=" + strconv.Itoa(skip)
		}
		var rows []struct{ ID, UpdatedAt, Version string }
		got := a.do("GET", path, "", "X-ZUMO-FEATURES", "TQ,OL,IP")
		if err := json.NewDecoder(strings.NewReader(got.body)).Decode(&rows); err != nil || got.status != 200 {
			a.t.Errorf("pull: %d %s", got.status, got.body)
			return since
		}
		if len(rows) == 0 {
			return since
		}
		for _, r := range rows {
			local[r.ID] = r.Version
		}
		if newest := rows[len(rows)-1].UpdatedAt; newest == since {
			skip += len(rows)
		} else {
			since, skip = newest, 0
		}
	}
}

// testRepeat repeats writes as a store does after an unknown outcome.
func testRepeat(t *testing.T, open Opener) {
	store := open(t)
	c := tables.Config{"item": {Columns: columns, SoftDelete: true}}
	shape, _, err := c.Open(t.Context(), store, "item")
	if err != nil {
		t.Fatal(err)
	}
	w := tables.Write{Op: tables.OpInsert, Shape: shape, ID: odata.StringOf("a"), Columns: []int{shape.Find("n")},
		Values: []odata.Value{odata.NumberOf(1)}, Version: 42}
	first, err := store.Write(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	again, err := store.Write(t.Context(), w)
	if err != nil {
		t.Fatalf("the same insert again: %v", err)
	}
	same(t, "the same insert again", again, first)
	w.Version = 43
	if _, err := store.Write(t.Context(), w); err == nil {
		t.Error("another insert of the id succeeded")
	}
	// Stamps go on from where they were when rows that bore them are gone.
	w.Op, w.Columns, w.Values = tables.OpRemove, nil, nil
	if _, err := store.Write(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	w.Op = tables.OpInsert
	last, err := store.Write(t.Context(), w)
	if err != nil || last[2].Num <= first[2].Num {
		t.Errorf("a stamp went back: %v after %v, %v", last, first, err)
	}
	if age := time.Since(last[2].Time()); age < -2*time.Second || age > time.Minute {
		t.Errorf("a stamp is %v old", age)
	}
}
