// Package copystore copies everything that one store keeps into another, empty
// one, so that the clients do not notice: ids, versions and stamps stay as they
// are, and so do sessions, keys and user ids.
package copystore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/internal/wording"
)

// Store is what both sides have to offer besides the rows of tables.
type Store interface {
	tables.Store
	// Newer names the migrations of a newer version that the database had when
	// it was opened.
	Newer() []string
	// Catalog lists all tables of rows as they are.
	Catalog(ctx context.Context) ([]tables.Definition, error)
	// Put inserts rows with all their columns, system columns included, as
	// they are given, in one transaction.
	Put(ctx context.Context, s *tables.Shape, rows [][]odata.Value) error
	// RaiseClock makes all later stamps of a table later than ms.
	RaiseClock(ctx context.Context, s *tables.Shape, ms int64) error
	// Records gives the columns of every record of one of the store's own
	// tables to yield: text, int64, []byte or nil.
	Records(ctx context.Context, table string, columns []string, yield func([]any) error) error
	// PutRecords inserts such records, in one transaction.
	PutRecords(ctx context.Context, table string, columns []string, records [][]any) error
}

// batch is how many rows one transaction takes.
const batch = 500

// ErrNotEmpty says that the store to copy into holds something.
var ErrNotEmpty = errors.New("the store to copy into is not empty")

// ErrNewer says that a newer version keeps more in a store than this one knows of.
var ErrNewer = errors.New("a newer version has added to the database, " +
	"so a copy by this version would leave something out")

// Progress is told how many rows of a table were copied so far.
type Progress func(table string, rows int)

// Copy copies from one store into the other, which has to be empty, and then
// counts the rows of both: all own tables that are [schema.Copied], then the
// tables of rows, each sorted by name. Nobody should write to the source
// meanwhile. After an error the target holds a part and should be thrown away.
func Copy(ctx context.Context, from, to Store, progress Progress) error {
	if progress == nil {
		progress = func(string, int) {}
	}
	for _, s := range []Store{from, to} {
		if newer := s.Newer(); len(newer) > 0 {
			return fmt.Errorf("%w (%s): copy with that version", ErrNewer, wording.Printable(wording.Join(newer)))
		}
	}
	if err := empty(ctx, to); err != nil {
		return err
	}
	for _, t := range copied() {
		if err := copyRecords(ctx, from, to, t.Name, t.Names(), progress); err != nil {
			return fmt.Errorf("copying %s: %w", t.Name, err)
		}
	}
	definitions, err := from.Catalog(ctx)
	if err != nil {
		return err
	}
	for _, d := range definitions {
		if err := copyTable(ctx, from, to, d, progress); err != nil {
			return fmt.Errorf("copying %s: %w", d.Name, err)
		}
	}
	return nil
}

// copied are the own tables whose records are not made anew.
func copied() []schema.Table {
	return slices.DeleteFunc(schema.Tables(), func(t schema.Table) bool { return t.Class == schema.Made })
}

func empty(ctx context.Context, s Store) error {
	definitions, err := s.Catalog(ctx)
	if err != nil {
		return err
	}
	if len(definitions) > 0 {
		return fmt.Errorf("%w: it has the table %s", ErrNotEmpty, definitions[0].Name)
	}
	for _, t := range copied() {
		err := s.Records(ctx, t.Name, t.Names(), func([]any) error {
			return fmt.Errorf("%w: %s has records", ErrNotEmpty, t.Name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func copyRecords(ctx context.Context, from, to Store, table string, columns []string, progress Progress) error {
	var waiting [][]any
	copied := 0
	flush := func() error {
		if len(waiting) == 0 {
			return nil
		}
		err := to.PutRecords(ctx, table, columns, waiting)
		copied += len(waiting)
		waiting = nil
		progress(table, copied)
		return err
	}
	err := from.Records(ctx, table, columns, func(record []any) error {
		waiting = append(waiting, append([]any(nil), record...))
		if len(waiting) < batch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

func copyTable(ctx context.Context, from, to Store, d tables.Definition, progress Progress) error {
	made, err := tables.Define(ctx, from, d)
	if err != nil {
		return err
	}
	source := made.Shape
	d.Columns = source.Columns
	if made, err = tables.Define(ctx, to, d); err != nil {
		return err
	}
	target := made.Shape
	var waiting [][]odata.Value
	copied, newest := 0, int64(0)
	flush := func() error {
		if len(waiting) == 0 {
			return nil
		}
		err := to.Put(ctx, target, waiting)
		copied += len(waiting)
		waiting = nil
		progress(d.Name, copied)
		return err
	}
	order := []odata.Order{{By: odata.Column{Name: "id", Of: source.Columns[0].Type}}}
	err = from.Query(
		ctx,
		tables.Query{Shape: source, Columns: source.All(), Order: order, Top: -1},
		func(row []odata.Value) error {
			newest = max(newest, row[2].Num)
			waiting = append(waiting, append([]odata.Value(nil), row...))
			if len(waiting) < batch {
				return nil
			}
			return flush()
		},
	)
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	if err := to.RaiseClock(ctx, target, newest); err != nil {
		return err
	}
	return compare(ctx, from, to, source, target)
}

func compare(ctx context.Context, from, to Store, source, target *tables.Shape) error {
	before, err := from.Count(ctx, tables.Query{Shape: source})
	if err != nil {
		return err
	}
	after, err := to.Count(ctx, tables.Query{Shape: target})
	if err == nil && before != after {
		err = fmt.Errorf("%d rows are in the source and %d in the copy", before, after)
	}
	return err
}
