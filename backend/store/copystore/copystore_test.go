package copystore_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/store/copystore"
	"github.com/cordon-sec/cordon/backend/store/postgres"
	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/backend/store/storetest"
	"github.com/cordon-sec/cordon/backend/store/storetest/pgtest"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

type store interface {
	copystore.Store
	storetest.Store
}

func file(t *testing.T) store {
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "x.db")})
	return opened(t, s, err)
}

func opened(t *testing.T, s store, err error) store {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

var config = tables.Config{
	"item": {Columns: map[string]tables.Column{"s": {Type: "string"}, "n": {Type: "number"}, "b": {Type: "boolean"},
		"d": {Type: "date"}}, SoftDelete: true},
	"count": {ID: "number", Columns: map[string]tables.Column{"s": {Type: "string"}}},
}

// all are the rows of a table, with everything.
func all(t *testing.T, s store, name string) (rows [][]odata.Value) {
	t.Helper()
	shape, _, err := config.Open(t.Context(), s, name)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Query(t.Context(), tables.Query{Shape: shape, Columns: shape.All(), Top: -1,
		Order: []odata.Order{{By: odata.Column{Name: "id", Of: shape.Columns[0].Type}}}},
		func(row []odata.Value) error {
			rows = append(rows, slices.Clone(row))
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func fill(t *testing.T, s store) {
	t.Helper()
	for name := range config {
		shape, _, err := config.Open(t.Context(), s, name)
		if err != nil {
			t.Fatal(err)
		}
		var rows []tables.LoadRow
		for i := range 1200 {
			row := tables.LoadRow{ID: odata.IntegerOf(int64(i + 1)), Columns: []int{shape.Find("s")},
				Values: []odata.Value{odata.StringOf("é'\"")}, Version: int64(i + 1),
				Deleted: i%7 == 0 && name == "item"}
			if name == "item" {
				row.ID = odata.StringOf(string(rune('a'+i%26)) + row.ID.Plain())
				row.Columns = append(row.Columns, shape.Find("n"), shape.Find("b"), shape.Find("d"))
				row.Values = append(row.Values, odata.NumberOf(float64(i)/7), odata.BooleanOf(i%2 == 0), odata.Value{})
			}
			rows = append(rows, row)
		}
		if _, err := s.Load(t.Context(), shape, rows, false); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	if _, err := s.Secret(t.Context(), "id", []byte{0, 255}); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateSession(t.Context(),
		auth.Session{ID: "s", User: "u", Created: now, Expires: now, Sealed: []byte("x")}); err != nil {
		t.Fatal(err)
	}
}

// TestCopy copies from SQLite to PostgreSQL and back and compares.
func TestCopy(t *testing.T) {
	one, three := file(t), file(t)
	fill(t, one)
	s, err := postgres.Open(t.Context(), postgres.Options{URL: pgtest.URL(t)})
	two := opened(t, s, err)
	calls := 0
	for _, pair := range [][2]store{{one, two}, {two, three}} {
		if err := copystore.Copy(t.Context(), pair[0], pair[1], func(string, int) { calls++ }); err != nil {
			t.Fatal(err)
		}
		if err := copystore.Copy(t.Context(), pair[0], pair[1], nil); !errors.Is(err, copystore.ErrNotEmpty) {
			t.Errorf("a second copy: %v", err)
		}
	}
	if calls < 10 {
		t.Errorf("progress was told %d times", calls)
	}
	for name := range config {
		want := all(t, one, name)
		if len(want) != 1200 {
			t.Fatalf("%d rows of %s", len(want), name)
		}
		for i, s := range []store{two, three} {
			if d := cmp.Diff(want, all(t, s, name)); d != "" {
				t.Errorf("copy %d of %s: %.2000s", i, name, d)
			}
			goesOn(t, s, name, want)
		}
	}
	for _, s := range []store{two, three} {
		value, err := s.Secret(t.Context(), "id", []byte("other"))
		if err != nil || string(value) != "\x00\xff" {
			t.Errorf("the secret is %q, %v", value, err)
		}
		before, _ := one.Session(t.Context(), "s")
		if after, err := s.Session(t.Context(), "s"); err != nil || cmp.Diff(before, after) != "" {
			t.Errorf("the session is %+v, %v", after, err)
		}
	}
}

// goesOn writes a row to a copy: its stamp is later than all, and an id that
// counts up is new.
func goesOn(t *testing.T, s store, name string, old [][]odata.Value) {
	t.Helper()
	shape, _, err := config.Open(t.Context(), s, name)
	if err != nil {
		t.Fatal(err)
	}
	w := tables.Write{Op: tables.OpInsert, Shape: shape, Version: 99999}
	if name == "item" {
		w.ID = odata.StringOf("new")
	}
	row, err := s.Write(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range old {
		if o[2].Num >= row[2].Num {
			t.Fatalf("a new row of %s has the stamp %d, an old one %d", name, row[2].Num, o[2].Num)
		}
	}
	w = tables.Write{Op: tables.OpRemove, Shape: shape, ID: row[0]}
	if _, err := s.Write(t.Context(), w); err != nil {
		t.Fatal(err)
	}
}

// TestEveryOwnTable copies records of all own tables, with a value in every
// column, from SQLite to PostgreSQL and back, in the order of their names.
func TestEveryOwnTable(t *testing.T) {
	list := slices.DeleteFunc(schema.Tables(), func(t schema.Table) bool { return t.Class == schema.Made })
	one, three := file(t), file(t)
	s, err := postgres.Open(t.Context(), postgres.Options{URL: pgtest.URL(t)})
	two := opened(t, s, err)
	storetest.PutOwn(t, one, list)
	want := storetest.Own(t, one, list)
	var names []string
	for _, table := range list {
		names = append(names, table.Name)
		if len(want[table.Name]) != 4 {
			t.Fatalf("%s has %d records", table.Name, len(want[table.Name]))
		}
	}
	if len(names) < 6 {
		t.Fatalf("only %v are copied", names)
	}
	for _, pair := range [][2]store{{one, two}, {two, three}} {
		var told []string
		progress := func(table string, _ int) { told = append(told, table) }
		if err := copystore.Copy(t.Context(), pair[0], pair[1], progress); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(names, told); d != "" {
			t.Errorf("the order (-want +got):\n%s", d)
		}
		if d := cmp.Diff(want, storetest.Own(t, pair[1], list)); d != "" {
			t.Errorf("the copy (-want +got):\n%s", d)
		}
	}
	full := file(t)
	storetest.PutOwn(t, full, list[len(list)-1:])
	if err := copystore.Copy(t.Context(), one, full, nil); !errors.Is(err, copystore.ErrNotEmpty) {
		t.Errorf("into a store with records: %v", err)
	}
}

// TestNewerIsNotCopied: a version that does not know what a newer one has added
// would leave it out, from either side.
func TestNewerIsNotCopied(t *testing.T) {
	dir := t.TempDir()
	o := sqlite.Options{Path: filepath.Join(dir, "newer.db")}
	s, err := sqlite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	columns, record := []string{"name", "applied", "kind"}, []any{"9999_x", int64(1), "expand"}
	if err := s.PutRecords(t.Context(), "cordon_migrations", columns, [][]any{record}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = sqlite.Open(t.Context(), o)
	newer := opened(t, s, err)
	for _, pair := range [][2]store{{newer, file(t)}, {file(t), newer}} {
		err := copystore.Copy(t.Context(), pair[0], pair[1], nil)
		if !errors.Is(err, copystore.ErrNewer) || !strings.Contains(err.Error(), "(9999_x)") {
			t.Errorf("%v", err)
		}
	}
}
