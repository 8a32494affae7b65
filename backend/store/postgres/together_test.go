package postgres

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/store/storetest/pgtest"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

func items(t *testing.T) (*Store, *tables.Shape) {
	t.Helper()
	s, err := Open(t.Context(), Options{URL: pgtest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	columns := map[string]tables.Column{"text": {Type: "string"}, "code": {Type: "number", Unique: true}}
	config := tables.Config{"item": {SoftDelete: true, Columns: columns}}
	shape, _, err := config.Open(t.Context(), s, "item")
	if err != nil {
		t.Fatal(err)
	}
	return s, shape
}

// item is a new row. A code of 0 is none.
func item(shape *tables.Shape, id, text string, code float64, version int64) tables.Write {
	w := tables.Write{Op: tables.OpInsert, Shape: shape, ID: odata.StringOf(id), Version: version,
		Columns: []int{shape.Find("text")}, Values: []odata.Value{odata.StringOf(text)}}
	if code != 0 {
		w.Columns, w.Values = append(w.Columns, shape.Find("code")), append(w.Values, odata.NumberOf(code))
	}
	return w
}

// What goes together is one transaction with a stamp for each row; who is in
// somebody's way is left out, and a statement that fails fails for all.
func TestTogether(t *testing.T) {
	s, shape := items(t)
	group := func(crowded bool, writes ...tables.Write) (g together, stamp int64, err error) {
		for _, w := range writes {
			if err := g.take(&pending{Write: w}); err != nil {
				t.Fatal(err)
			}
		}
		turn, _, err := g.send(t.Context(), s, "item", crowded)
		return g, turn.last, err
	}
	g, last, err := group(false, item(shape, "a", "first", 1, 11), item(shape, "b", "second", 2, 12),
		item(shape, "a", "again", 3, 13), item(shape, "c", "taken", 2, 14), item(shape, "d", "", 0, 15))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		id      string
		written bool
	}{{"a", true}, {"b", true}, {"a", false}, {"c", false}, {"d", true}} {
		row := g.writes[i].row
		if written := row != nil; written != want.written {
			t.Fatalf("row %d: written is %v, want %v", i, written, want.written)
		}
		if !want.written {
			continue
		}
		if got := row[rows.Updated].Num; got != last-4+int64(i) {
			t.Errorf("row %d has the stamp %d, want %d", i, got, last-4+int64(i))
		}
		stored, err := s.Read(t.Context(), shape, odata.StringOf(want.id), nil)
		if err != nil || fmt.Sprint(stored) != fmt.Sprint(row) {
			t.Errorf("row %d is stored as %v, %v; its writer was told %v", i, stored, err, row)
		}
	}
	g, later, err := group(true, item(shape, "e", "", 0, 16), item(shape, "f", "", 0, 17))
	if err != nil || later <= last {
		t.Fatalf("in a crowd: the stamp %d after %d, %v", later, last, err)
	}
	for _, p := range g.writes {
		if got := p.row[rows.Updated].Num; got != later {
			t.Errorf("in a crowd: a row with the stamp %d; all must bear %d", got, later)
		}
	}
	if _, _, err := group(false, item(shape, "g", "", 0, 18), item(shape, "h", "\x00", 0, 19)); err == nil {
		t.Error("a text with NUL was stored")
	}
	if n, err := s.Count(t.Context(), tables.Query{Shape: shape}); err != nil || n != 5 {
		t.Errorf("%d rows, %v; a b d e f are right", n, err)
	}
}

// Guards need the stamp first, and ids that are given by hand may raise the
// sequence: neither goes together.
func TestAlone(t *testing.T) {
	_, shape := items(t)
	guarded := item(shape, "a", "", 0, 1)
	guarded.Guard = func(_, _ []odata.Value) error { return nil }
	changed := item(shape, "a", "", 0, 1)
	changed.Op = tables.OpMerge
	for name, w := range map[string]tables.Write{"guarded": guarded, "changed": changed} {
		if err := new(together).take(&pending{Write: w}); err != errAlone {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// However writes meet, each gets its own outcome.
func TestManyInserts(t *testing.T) {
	s, shape := items(t)
	const writers, each = 8, 25
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				version := int64(w*each+i) + 1
				_, err := s.Write(t.Context(), item(shape, fmt.Sprintf("%d-%d", w, i), "x", float64(version), version))
				if err != nil {
					t.Error(err)
				}
				var taken *tables.DuplicateError
				_, err = s.Write(t.Context(), item(shape, fmt.Sprintf("%d-%d", w, i), "x", 0, version+1000))
				if !errors.As(err, &taken) || taken.Column != "id" {
					t.Errorf("the same id again: %v", err)
				}
				_, err = s.Write(
					t.Context(),
					item(shape, fmt.Sprintf("other %d-%d", w, i), "x", float64(version), version+2000),
				)
				if !errors.As(err, &taken) || taken.Column != "code" {
					t.Errorf("the same code again: %v", err)
				}
				var refused *tables.QueryError
				_, err = s.Write(t.Context(), item(shape, fmt.Sprintf("bad %d-%d", w, i), "\x00", 0, version+3000))
				if !errors.As(err, &refused) {
					t.Errorf("a text with NUL: %v", err)
				}
			}
		})
	}
	group.Wait()
	stamps := map[int64]bool{}
	err := s.Query(
		t.Context(),
		tables.Query{Shape: shape, Columns: shape.All(), Top: -1},
		func(row []odata.Value) error {
			stamps[row[rows.Updated].Num] = true
			return nil
		},
	)
	if err != nil || len(stamps) != writers*each {
		t.Errorf("%d different stamps, %v; each of the %d rows has one of its own", len(stamps), err, writers*each)
	}
}
