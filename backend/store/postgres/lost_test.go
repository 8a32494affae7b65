package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cordon-sec/cordon/backend/store/postgres"
	"github.com/cordon-sec/cordon/backend/store/storetest/pgtest"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/jackc/pgx/v5"
)

// TestLostConnections ends the store's connections again and again while it
// writes. Every write has to succeed, once: commits whose outcome was lost are
// recognised by their version.
func TestLostConnections(t *testing.T) {
	url := pgtest.URL(t)
	s := connect(t, url)
	c := tables.Config{"item": {Columns: map[string]tables.Column{"n": {Type: "number"}}, SoftDelete: true}}
	shape, _, err := c.Open(t.Context(), s, "item")
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan struct{}, 6*40*5)
	var killer sync.WaitGroup
	killed := 0
	killer.Go(func() { killed = killConnections(t, url, written) })
	var writers sync.WaitGroup
	for w := range 6 {
		writers.Go(func() {
			for i := range 40 {
				lifeOfARow(t, s, shape, fmt.Sprintf("%d-%d", w, i), int64(w*1000+i)*10+1, written)
			}
		})
	}
	writers.Wait()
	close(written)
	killer.Wait()
	if killed == 0 {
		t.Error("no connection was ended")
	}
	n, err := s.Count(t.Context(), tables.Query{Shape: shape})
	if err != nil || n != 6*20 {
		t.Errorf("%d rows are left, %v; 120 are right", n, err)
	}
	t.Logf("%d connections ended", killed)
}

// lifeOfARow inserts a row, changes, marks and undeletes it, and removes every
// second one.
func lifeOfARow(t *testing.T, s tables.Store, shape *tables.Shape, id string, version int64,
	written chan<- struct{},
) {
	w := tables.Write{Shape: shape, ID: odata.StringOf(id), Version: version}
	var match []int64
	for _, op := range []tables.WriteOp{tables.OpInsert, tables.OpMerge, tables.OpMark, tables.OpUndelete} {
		w.Op, w.Match = op, match
		row, err := s.Write(t.Context(), w)
		if err != nil {
			t.Errorf("write %d of %s: %v", op, id, err)
			return
		}
		written <- struct{}{}
		if row[3].Num != w.Version {
			t.Errorf("write %d of %s has version %d, not %d", op, id, row[3].Num, w.Version)
		}
		match = []int64{w.Version}
		w.Version++
	}
	if version/10%2 == 0 {
		return
	}
	w.Op, w.Match = tables.OpRemove, match
	if _, err := s.Write(t.Context(), w); err != nil {
		t.Errorf("removing %s: %v", id, err)
	}
	if _, err := s.Read(t.Context(), shape, w.ID, nil); !errors.Is(err, tables.ErrNotFound) {
		t.Errorf("reading %s after its removal: %v", id, err)
	}
}

// killConnections ends the store's connections each time that some writes have been
// carried out: by the clock, a busy machine would get nothing done in between.
func killConnections(t *testing.T, url string, written <-chan struct{}) int {
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer c.Close(t.Context())
	killed := 0
	since := 0
	for range written {
		if since++; since < 20 {
			continue
		}
		since = 0
		var n int
		err := c.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname=current_database() AND application_name='cordon' AND pid<>pg_backend_pid()`).Scan(&n)
		if err != nil {
			t.Error(err)
			return killed
		}
		killed += n
	}
	return killed
}

// TestMissingServer says what is wrong without the address.
func TestMissingServer(t *testing.T) {
	_, err := postgres.Open(t.Context(),
		postgres.Options{URL: "postgres://user:hunter2@127.0.0.1:1/x?connect_timeout=2"})
	if err == nil {
		t.Fatal("a server that is not there was opened")
	}
	for _, secret := range []string{"hunter2"} {
		if got := err.Error(); errors.Is(err, tables.ErrNotFound) || len(got) == 0 || strings.Contains(got, secret) {
			t.Errorf("the error is %q", got)
		}
	}
}
