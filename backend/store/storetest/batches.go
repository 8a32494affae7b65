package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/backend/tables/transfer"
)

func (w *warehouse) undo(name string, o transfer.UndoOptions) transfer.Undone {
	w.t.Helper()
	b, err := transfer.FindBatch(w.t.Context(), w.store, name)
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := transfer.Undo(w.t.Context(), w.store, w.shape, b, o)
	if err != nil {
		w.t.Fatalf("undo %s: %v", name, err)
	}
	got.Batch = transfer.Batch{}
	return got
}

// change is what a client does to a row.
func (w *warehouse) change(op tables.WriteOp, id, text string) {
	w.t.Helper()
	write := tables.Write{Op: op, Shape: w.shape, ID: odata.StringOf(id), Version: 7}
	if text != "" {
		write.Columns, write.Values = []int{w.shape.Find("text")}, []odata.Value{odata.StringOf(text)}
	}
	if _, err := w.store.Write(w.t.Context(), write); err != nil {
		w.t.Fatal(err)
	}
}

func (w *warehouse) batches() string {
	w.t.Helper()
	all, err := w.store.Batches(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, b := range all {
		out = append(out, fmt.Sprintf("%s %s %d/%d %t", b.Name, b.Table, b.Kept, b.Written, !b.Ended.IsZero()))
	}
	return strings.Join(out, "; ")
}

// stored is a row of the table with only text, as rows shows it.
func stored(id, deleted, text string) string {
	return fmt.Sprintf(`{"id":%q,"createdAt":"2016-01-01T00:00:00.000Z","deleted":%s,"text":%q}`, id, deleted, text)
}

// testUndo takes imports back: rows as they were brought in go, what was changed
// since stays, and what was replaced comes back.
func testUndo(t *testing.T, open Opener) {
	w := newWarehouse(
		t,
		open,
		tables.Table{SoftDelete: true, Columns: map[string]tables.Column{"text": {Type: "string"}}},
	)
	header := "id,createdAt,text\n"
	w.must(header+"old,2016-01-01,mine\nkept,2016-01-01,mine\n", transfer.Options{Batch: "first"})
	w.must(header+"a,2016-01-01,a\nb,2016-01-01,b\nc,2016-01-01,c\nold,2016-01-01,theirs\nnew,2016-01-01,1\n"+
		"new,2016-01-01,2\n", transfer.Options{Batch: "second", Replace: true})
	same(t, "batches", w.batches(), "first item 2/2 true; second item 6/6 true")
	w.change(tables.OpMerge, "b", "changed")
	w.change(tables.OpRemove, "c", "")

	dry := w.undo("second", transfer.UndoOptions{Dry: true})
	same(t, "a dry run", dry.Altered, []odata.Value{odata.StringOf("b")})
	if w.batches() != "first item 2/2 true; second item 6/6 true" || len(w.rows()) != 5 {
		t.Errorf("a dry run has changed something: %s, %v", w.batches(), w.rows())
	}
	same(t, "undone", w.undo("second", transfer.UndoOptions{}), transfer.Undone{Removed: 2, Restored: 2, Gone: 1,
		Altered: []odata.Value{odata.StringOf("b")}})
	w.want("undone", stored("b", "false", "changed"), stored("kept", "false", "mine"), stored("old", "false", "mine"))
	same(t, "what was left is kept", w.batches(), "first item 2/2 true; second item 1/6 true")
	same(t, "by force", w.undo("second", transfer.UndoOptions{Force: true}), transfer.Undone{Removed: 1})
	w.want("by force", stored("kept", "false", "mine"), stored("old", "false", "mine"))

	// A row that was restored is again as its batch brought it in.
	same(t, "marked", w.undo("first", transfer.UndoOptions{Mark: true}), transfer.Undone{Removed: 2})
	w.want("marked", stored("kept", "true", "mine"), stored("old", "true", "mine"))
	same(t, "batches", w.batches(), "")
	if _, err := transfer.FindBatch(t.Context(), w.store, "first"); !errors.Is(err, transfer.ErrNoBatch) {
		t.Errorf("a batch that was undone: %v", err)
	}
}

// testUndoReplaced: what was removed after it had been replaced does not come back
// by itself, and does by force.
func testUndoReplaced(t *testing.T, open Opener) {
	w := newWarehouse(
		t,
		open,
		tables.Table{SoftDelete: true, Columns: map[string]tables.Column{"text": {Type: "string"}}},
	)
	w.must("id,createdAt,deleted,text\na,2016-01-01,1,mine\n", transfer.Options{Batch: "first"})
	w.must("id,createdAt,text\na,2017-01-01,theirs\n", transfer.Options{Batch: "second", Replace: true})
	w.change(tables.OpRemove, "a", "")
	same(
		t,
		"undone",
		w.undo("second", transfer.UndoOptions{}),
		transfer.Undone{Altered: []odata.Value{odata.StringOf("a")}},
	)
	w.want("undone")
	same(t, "by force", w.undo("second", transfer.UndoOptions{Force: true}), transfer.Undone{Restored: 1})
	w.want("by force", stored("a", "true", "mine"))
	if err := w.store.ForgetBatch(t.Context(), "first", true); err != nil || w.batches() != "first item 1/1 true" {
		t.Errorf("a batch that has rows is not empty: %v, %s", err, w.batches())
	}
	if err := w.store.ForgetBatch(t.Context(), "first", false); err != nil || w.batches() != "" {
		t.Errorf("forgotten: %v, %s", err, w.batches())
	}
	w.want("forgotten", stored("a", "true", "mine"))
}

// testUndoTaken: what was replaced does not come back where another row has a value
// of it by now that must be unique.
func testUndoTaken(t *testing.T, open Opener) {
	w := newWarehouse(t, open, tables.Table{SoftDelete: true, Columns: map[string]tables.Column{
		"text": {Type: "string", Unique: true}}})
	w.must("id,createdAt,text\na,2016-01-01,v\nb,2016-01-01,x\n", transfer.Options{Batch: "first"})
	w.must("id,createdAt,text\na,2016-01-01,w\nb,2016-01-01,y\n", transfer.Options{Batch: "second", Replace: true})
	w.must("id,createdAt,text\nc,2016-01-01,v\n", transfer.Options{Batch: "third"})
	same(t, "undone", w.undo("second", transfer.UndoOptions{}),
		transfer.Undone{Restored: 1, Altered: []odata.Value{odata.StringOf("a")}})
	w.want("undone", stored("a", "false", "w"), stored("b", "false", "x"), stored("c", "false", "v"))
	same(t, "when it is free", w.undo("third", transfer.UndoOptions{}), transfer.Undone{Removed: 1})
	same(t, "undone", w.undo("second", transfer.UndoOptions{}), transfer.Undone{Restored: 1})
	w.want("undone", stored("a", "false", "v"), stored("b", "false", "x"))
}

// testStepBeside has a step of an import fail in a transaction that others share: all
// of it is undone, and nothing of theirs.
func testStepBeside(t *testing.T, open Opener) {
	a := serve(t, open, tables.Config{"item": {Columns: columns}})
	shape, _, _ := a.s.Inspect().Table("item")
	if _, _, err := a.store.BeginBatch(t.Context(), transfer.Batch{Name: "x", Table: "item"}); err != nil {
		t.Fatal(err)
	}
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once // the others' writes are run again
	first := a.insertion(t.Context(), shape, "first", func() { once.Do(func() { close(entered) }); <-release })
	<-entered
	before := a.insertion(t.Context(), shape, "before", func() {})
	step := transfer.Step{Batch: "x", Through: 2, Numbers: []int64{1, 2}, Rows: []tables.LoadRow{
		{ID: odata.StringOf("whole"), Version: 2},
		{ID: odata.StringOf("short"), Version: 2, Columns: []int{shape.Find("text")}}}}
	loaded := inQueue(t.Context(), func(ctx context.Context) error {
		_, err := a.store.LoadBatch(ctx, shape, step)
		return err
	})
	beside := a.insertion(t.Context(), shape, "beside", func() {})
	close(release)
	var panicked *rows.PanicError
	if err := <-loaded; !errors.As(err, &panicked) {
		t.Errorf("a row without its values: %v", err)
	}
	for _, outcome := range []<-chan error{first, before, beside} {
		if err := <-outcome; err != nil {
			t.Errorf("a write beside it: %v", err)
		}
	}
	a.wantIDs("/tables/item?$orderby=id", "before beside first")
	step.Rows = step.Rows[:1]
	if n, err := a.store.LoadBatch(t.Context(), shape, step); n != 1 || err != nil {
		t.Errorf("the step again: %d rows, %v", n, err)
	}
}

// testBatchMoved: of two imports that go on with one batch, one does.
func testBatchMoved(t *testing.T, open Opener) {
	w := newWarehouse(t, open, tables.Table{})
	have, created, err := w.store.BeginBatch(t.Context(), transfer.Batch{Name: "x", Table: "item", File: "f"})
	if err != nil || !created || have.Name != "x" {
		t.Fatalf("%+v %t %v", have, created, err)
	}
	if have, created, err = w.store.BeginBatch(t.Context(), transfer.Batch{Name: "x", Table: "other"}); err != nil ||
		created || have.Table != "item" {
		t.Errorf("a name that is taken: %+v %t %v", have, created, err)
	}
	step := transfer.Step{Batch: "x", Through: 1, Rows: []tables.LoadRow{{ID: odata.StringOf("a"), Version: 1}},
		Numbers: []int64{1}}
	if n, err := w.store.LoadBatch(t.Context(), w.shape, step); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	step.Rows[0].ID = odata.StringOf("b")
	if _, err := w.store.LoadBatch(t.Context(), w.shape, step); !errors.Is(err, transfer.ErrBatchMoved) {
		t.Errorf("the same step again: %v", err)
	}
	if n, err := w.store.Count(t.Context(), tables.Query{Shape: w.shape}); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}

// testCheck: a dry run finds what an import would, all of it, and writes nothing.
func testCheck(t *testing.T, open Opener) {
	w := newWarehouse(t, open, tables.Table{SoftDelete: true})
	w.must("id\nb\n", transfer.Options{})
	file := "id,deleted,qty,due,complete\na,0,1,2016-01-01 00:00:00.1234567 +00:00,1\nb,1,\"1,5\",x,0\nc,1,2\n" +
		"d,0,NULL,2016-01-01,2\nb,0,3,,\n"
	r, err := transfer.Check(t.Context(), w.store, w.table, w.shape, strings.NewReader(file),
		transfer.Options{Format: transfer.CSV})
	if err != nil {
		t.Fatal(err)
	}
	var mistakes []string
	for _, m := range r.Mistakes {
		mistakes = append(mistakes, fmt.Sprintf("%d %d %s", m.Row, m.Line, m.Column))
	}
	same(t, "mistakes", mistakes, []string{"2 3 qty", "2 3 due", "3 4 ", "4 5 complete"})
	if r.Rows != 5 || r.Refused != 3 || r.Deleted != 1 || r.There != 1 || r.Fits() {
		t.Errorf("%+v", r)
	}
	due := r.Columns[3]
	if due.Values != 2 || due.Nulls != 1 || due.Refused != 1 || len(due.Changes) != 2 ||
		*due.Changes[0] != (transfer.Changed{How: transfer.Cut, Count: 1, Row: 1, Line: 2}) ||
		*due.Changes[1] != (transfer.Changed{How: transfer.AsUTC, Count: 1, Row: 4, Line: 5}) {
		t.Errorf("due: %+v", due)
	}
	if n, err := w.store.Count(t.Context(), tables.Query{Shape: w.shape}); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}
