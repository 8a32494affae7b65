package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// patience is how long a test waits for what must happen at once.
const patience = 10 * time.Second

// testContexts ends requests before, while and after their writes wait: what
// nobody waits for any more is not carried out.
func testContexts(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns}})
	shape, _, ok := a.s.Inspect().Table("item")
	if !ok {
		t.Fatal("there is no table")
	}
	insert := func(ctx context.Context, id string, guard func(before, after []odata.Value) error) error {
		_, err := a.store.Write(ctx,
			tables.Write{Op: tables.OpInsert, Shape: shape, ID: odata.StringOf(id), Version: 1, Guard: guard})
		return err
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := insert(ended, "ended", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a write of a request that has ended: %v", err)
	}
	entered, release := make(chan struct{}), make(chan struct{})
	slow := make(chan error, 1)
	go func() {
		slow <- insert(t.Context(), "slow", func(_, _ []odata.Value) error { close(entered); <-release; return nil })
	}()
	<-entered
	waiting, cancel := context.WithCancel(t.Context())
	behind := make(chan error, 1)
	go func() { behind <- insert(waiting, "behind", nil) }()
	cancel()
	if err := <-behind; !errors.Is(err, context.Canceled) {
		t.Errorf("a write whose request ends while it waits: %v", err)
	}
	close(release)
	if err := <-slow; err != nil {
		t.Errorf("the write before it: %v", err)
	}
	if err := insert(t.Context(), "after", nil); err != nil {
		t.Errorf("the write after it: %v", err)
	}
	a.wantIDs("/tables/item?$orderby=id", "after slow")
}

// queued is a context that tells when a write waits in the queue: it is asked for
// its end once while the write is brought there, and once more when it is there.
type queued struct {
	context.Context
	asked   atomic.Int32
	waiting chan struct{}
}

// inQueue begins a write and returns when it waits in the queue.
func inQueue(ctx context.Context, write func(context.Context) error) (outcome <-chan error) {
	q := &queued{Context: ctx, waiting: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- write(q) }()
	<-q.waiting
	return done
}

// Done is part of context.Context.
func (q *queued) Done() <-chan struct{} {
	if q.asked.Add(1) == 2 {
		close(q.waiting)
	}
	return q.Context.Done()
}

// insertion begins to insert a row and returns when that waits in the queue.
func (a *app) insertion(ctx context.Context, shape *tables.Shape, id string, guard func()) (outcome <-chan error) {
	return inQueue(ctx, func(ctx context.Context) error {
		_, err := a.store.Write(ctx, tables.Write{Op: tables.OpInsert, Shape: shape, ID: odata.StringOf(id),
			Version: 1, Guard: func(_, _ []odata.Value) error { guard(); return nil }})
		return err
	})
}

// testWithdrawn has two writes that are carried out together, the first of which
// takes long: the second one's request ends meanwhile, and nothing of it happens.
func testWithdrawn(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns}})
	shape, _, _ := a.s.Inspect().Table("item")
	entered, release := make(chan struct{}), make(chan struct{})
	first := a.insertion(t.Context(), shape, "first", func() { close(entered); <-release })
	<-entered
	enteredSlow, releaseSlow := make(chan struct{}), make(chan struct{})
	slow := a.insertion(t.Context(), shape, "slow", func() { close(enteredSlow); <-releaseSlow })
	ctx, cancel := context.WithCancel(t.Context())
	ended := a.insertion(ctx, shape, "ended", func() { t.Error("a guard was asked for a request that had ended") })
	close(release)
	<-enteredSlow
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a write whose request ended while it waited: %v", err)
		}
	case <-time.After(patience):
		t.Error("a write whose request has ended waits for the one before it")
	}
	close(releaseSlow)
	for _, outcome := range []<-chan error{first, slow} {
		if err := <-outcome; err != nil {
			t.Error(err)
		}
	}
	a.wantIDs("/tables/item?$orderby=id", "first slow")
}

// testPanic lets a guard panic: that write fails, and the store goes on.
func testPanic(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns}})
	shape, _, _ := a.s.Inspect().Table("item")
	boom := func(_, _ []odata.Value) error { panic("boom") }
	write := func(w tables.Write) error {
		w.Shape, w.Version = shape, 2
		_, err := a.store.Write(t.Context(), w)
		return err
	}
	a.want(201, "POST", "/tables/item", `{"id":"a"}`)
	var panicked *rows.PanicError
	if err := write(tables.Write{Op: tables.OpInsert, ID: odata.StringOf("b"), Guard: boom}); !errors.As(err,
		&panicked) {
		t.Errorf("an insert whose guard panics: %v", err)
	}
	if err := write(tables.Write{Op: tables.OpRemove, ID: odata.StringOf("a"), Guard: boom}); !errors.As(err,
		&panicked) {
		t.Errorf("a removal whose guard panics: %v", err)
	}
	short := []int{shape.Find("text")} // and no value
	if err := write(tables.Write{Op: tables.OpInsert, ID: odata.StringOf("b"), Columns: short}); !errors.As(err,
		&panicked) {
		t.Errorf("an insert without its values: %v", err)
	}
	a.want(201, "POST", "/tables/item", `{"id":"c"}`)
	a.wantIDs("/tables/item?$orderby=id", "a c")
}

// testPanicBeside has a panic in a transaction that others share: what was written
// before it is undone, and theirs is not.
func testPanicBeside(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns}})
	shape, _, _ := a.s.Inspect().Table("item")
	entered, release := make(chan struct{}), make(chan struct{})
	first := a.insertion(t.Context(), shape, "first", func() { close(entered); <-release })
	<-entered
	loaded := inQueue(t.Context(), func(ctx context.Context) error {
		_, err := a.store.Load(ctx, shape, []tables.LoadRow{{ID: odata.StringOf("whole"), Version: 2},
			{ID: odata.StringOf("short"), Version: 2, Columns: []int{shape.Find("text")}}}, false)
		return err
	})
	beside := a.insertion(t.Context(), shape, "beside", func() {})
	close(release)
	var panicked *rows.PanicError
	if err := <-loaded; !errors.As(err, &panicked) {
		t.Errorf("loading a row without its values: %v", err)
	}
	for _, outcome := range []<-chan error{first, beside} {
		if err := <-outcome; err != nil {
			t.Errorf("a write beside a panic: %v", err)
		}
	}
	a.wantIDs("/tables/item?$orderby=id", "beside first")
}

// panicking is a store whose guards panic with the row.
type panicking struct{ Store }

// Write is part of tables.Store.
func (s panicking) Write(ctx context.Context, w tables.Write) ([]odata.Value, error) {
	w.Guard = func(_, after []odata.Value) error { panic(fmt.Sprint(after)) }
	return s.Store.Write(ctx, w)
}

// testPanicIsLogged: the operator learns where a write panicked, and nothing of the
// row; the client learns neither.
func testPanicIsLogged(t *testing.T, open Opener) {
	var log bytes.Buffer
	a := &app{t: t, store: open(t), clock: time.Now()}
	a.s = service(t, panicking{a.store}, tables.Config{"item": {Columns: columns}},
		tables.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	answer := a.want(503, "POST", "/tables/item", `{"id":"a","text":"private"}`)
	same(t, "the answer", answer.body, `{"error":"The database is not available"}`)
	want := `level=ERROR msg="a request failed" table=item operation=insert ` +
		`error="a write ended in a panic: string at backend/store/storetest/context.go:`
	if text := log.String(); !strings.Contains(text, want) || strings.Contains(text, "private") {
		t.Errorf("the log is %s\nit must have %s", text, want)
	}
	a.s = service(t, a.store, tables.Config{"item": {Columns: columns}}, tables.Options{})
	a.wantIDs("/tables/item", "")
}

// testDeadline lets one guard hold the writer: another request's write waits for
// its time, and no longer, and nothing of it is carried out.
func testDeadline(t *testing.T, open Opener) {
	a := &app{t: t, store: open(t), clock: time.Now()}
	a.s = service(t, a.store, tables.Config{"item": {Columns: columns}}, tables.Options{Timeout: 50 * time.Millisecond})
	shape, _, _ := a.s.Inspect().Table("item")
	entered, release := make(chan struct{}), make(chan struct{})
	slow := make(chan error, 1)
	go func() {
		_, err := a.store.Write(t.Context(),
			tables.Write{Op: tables.OpInsert, Shape: shape, ID: odata.StringOf("slow"), Version: 1,
				Guard: func(_, _ []odata.Value) error { close(entered); <-release; return nil }})
		slow <- err
	}()
	<-entered
	a.want(503, "POST", "/tables/item", `{"id":"late"}`)
	close(release)
	if err := <-slow; err != nil {
		t.Error(err)
	}
	a.s = service(t, a.store, tables.Config{"item": {Columns: columns}}, tables.Options{}) // reading has time
	a.wantIDs("/tables/item", "slow")
}
