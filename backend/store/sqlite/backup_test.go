package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/backend/store/storetest"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

var backupConfig = tables.Config{"item": {Columns: map[string]tables.Column{"pair": {Type: "string"}}}}

// TestBackupWhileWriting copies the database while pairs of rows are written to
// it. Each copy is sound and has whole pairs only, and all that were written
// before it began.
func TestBackupWhileWriting(t *testing.T) {
	dir := t.TempDir()
	o := sqlite.Options{Path: filepath.Join(dir, "x.db")}
	s, err := sqlite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	shape, _, err := backupConfig.Open(t.Context(), s, "item")
	if err != nil {
		t.Fatal(err)
	}
	var written atomic.Int64
	var stop atomic.Bool
	var group sync.WaitGroup
	group.Go(func() {
		for i := int64(1); !stop.Load(); i++ {
			pair := odata.StringOf(fmt.Sprint(i))
			rows := []tables.LoadRow{}
			for _, id := range []string{"a", "b"} {
				rows = append(rows, tables.LoadRow{ID: odata.StringOf(pair.Text + id),
					Columns: []int{shape.Find("pair")}, Values: []odata.Value{pair}, Version: i})
			}
			if _, err := s.Load(t.Context(), shape, rows, false); err != nil {
				t.Error(err)
				return
			}
			written.Store(i)
		}
	})
	for written.Load() < 50 {
	}
	for i := range 5 {
		before, calls := written.Load(), 0
		file := filepath.Join(dir, fmt.Sprint("copy", i))
		if err := s.Backup(t.Context(), file, func(done, total int) { calls++ }); err != nil || calls == 0 {
			t.Fatalf("backup %d: %v, progress told %d times", i, err, calls)
		}
		if n := rowsOf(t, file); n%2 != 0 || n < 2*before {
			t.Errorf("copy %d has %d rows; %d were there before", i, n, 2*before)
		}
	}
	stop.Store(true)
	group.Wait()
	if err := sqlite.Restore(t.Context(), filepath.Join(dir, "copy0"), o, true, nil); err == nil {
		t.Error("a database in use was replaced")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want := rowsOf(t, filepath.Join(dir, "copy0"))
	if err := sqlite.Restore(t.Context(), filepath.Join(dir, "copy0"), o, true, nil); err != nil {
		t.Fatal(err)
	}
	if n := rowsOf(t, o.Path); n != want {
		t.Errorf("%d rows after the restore, %d in the copy", n, want)
	}
}

func rowsOf(t *testing.T, file string) int64 {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: file})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	shape, _, err := backupConfig.Open(t.Context(), s, "item")
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.Count(t.Context(), tables.Query{Shape: shape})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestBackupHoldsEveryOwnTable fills every own table; the backup has it all, and
// so has what is restored from it.
func TestBackupHoldsEveryOwnTable(t *testing.T) {
	dir := t.TempDir()
	o := sqlite.Options{Path: filepath.Join(dir, "x.db")}
	s, err := sqlite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	all := schema.Tables()
	storetest.PutOwn(t, s, slices.DeleteFunc(schema.Tables(), func(t schema.Table) bool {
		return t.Name == "cordon_migrations"
	}))
	want := storetest.Own(t, s, all)
	for _, table := range all {
		if len(want[table.Name]) == 0 {
			t.Fatalf("%s is empty", table.Name)
		}
	}
	file := filepath.Join(dir, "copy")
	if err := s.Backup(t.Context(), file, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	restored := sqlite.Options{Path: filepath.Join(dir, "restored.db")}
	if err := sqlite.Restore(t.Context(), file, restored, false, nil); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, restored.Path} {
		s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, storetest.Own(t, s, all)); d != "" {
			t.Errorf("%s (-want +got):\n%s", filepath.Base(path), d)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestRestoreOfNewer: a backup that this version could not open replaces nothing;
// one that a newer version only added to does.
func TestRestoreOfNewer(t *testing.T) {
	for kind, refused := range map[string]bool{"contract": true, "expand": false} {
		dir := t.TempDir()
		s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(dir, "x.db")})
		if err != nil {
			t.Fatal(err)
		}
		columns, record := []string{"name", "applied", "kind"}, []any{"9999_x", int64(1), kind}
		if err := s.PutRecords(t.Context(), "cordon_migrations", columns, [][]any{record}); err != nil {
			t.Fatal(err)
		}
		file, o := filepath.Join(dir, "copy"), sqlite.Options{Path: filepath.Join(dir, "restored.db")}
		if err := errors.Join(s.Backup(t.Context(), file, nil), s.Close()); err != nil {
			t.Fatal(err)
		}
		err = sqlite.Restore(t.Context(), file, o, false, nil)
		if errors.Is(err, schema.ErrNewer) != refused || (err != nil) != refused {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := os.Stat(o.Path); (err != nil) != refused {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestRestoreRefuses what is no backup, and a backup that was cut short leaves
// no file.
func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	o := sqlite.Options{Path: filepath.Join(dir, "x.db")}
	for name, text := range map[string]string{"empty": "",
		"text": "hello, this is no database at all, however long it may be"} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := sqlite.Restore(t.Context(), file, o, false, nil); err == nil {
			t.Errorf("%s was restored", name)
		}
	}
	if err := sqlite.Restore(t.Context(), filepath.Join(dir, "none"), o, false, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	s, err := sqlite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	file := filepath.Join(dir, "late")
	if err := s.Backup(ctx, file, nil); err == nil {
		t.Log("the database is small enough to be copied in one step")
	} else if _, err := os.Stat(file + ".part"); !errors.Is(err, os.ErrNotExist) {
		t.Error("a part was left behind")
	}
}

// TestTwoProcesses opens one file twice, as the server and a command do: stamps
// go on where the other one left them.
func TestTwoProcesses(t *testing.T) {
	o := sqlite.Options{Path: filepath.Join(t.TempDir(), "x.db"), Durability: "normal"}
	stores := make([]*sqlite.Store, 2)
	for i := range stores {
		s, err := sqlite.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		stores[i] = s
	}
	shape, _, err := backupConfig.Open(t.Context(), stores[0], "item")
	if err != nil {
		t.Fatal(err)
	}
	last := int64(0)
	for i := range 200 {
		w := tables.Write{Op: tables.OpInsert, Shape: shape, ID: odata.StringOf(fmt.Sprint(i)), Version: int64(i + 1)}
		row, err := stores[i*7%3%2].Write(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		if row[2].Num <= last {
			t.Fatalf("row %d has the stamp %d after %d", i, row[2].Num, last)
		}
		last = row[2].Num
	}
}
