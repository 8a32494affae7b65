package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// UndoOptions say how a batch is taken back.
type UndoOptions struct {
	// Force takes back rows that have been changed since, too.
	Force bool
	// Mark sets deleted instead of removing, so that clients that have pulled the rows
	// learn of it.
	Mark bool
	// Dry changes nothing and says what would be done.
	Dry bool
	// Progress is called with the number of rows dealt with, now and then.
	Progress func(rows int)
}

// Undone is what came of taking a batch back.
type Undone struct {
	// Batch is the batch as it was.
	Batch Batch
	// Removed, Restored and Gone count the rows by what became of them.
	Removed, Restored, Gone int
	// Altered are the ids of rows that were left, since they have been changed.
	Altered []odata.Value
	// Unfit are the ids of rows that were left, since what they replaced does not fit
	// the table any more.
	Unfit []odata.Value
}

// undoing is Undo on its way.
type undoing struct {
	Undone
	// would are the versions that rows would have, in a dry run.
	would map[odata.Value]int64
}

// FindBatch returns the batch of a name, or ErrNoBatch.
func FindBatch(ctx context.Context, store Store, name string) (Batch, error) {
	all, err := store.Batches(ctx)
	if err != nil {
		return Batch{}, err
	}
	i := slices.IndexFunc(all, func(b Batch) bool { return b.Name == name })
	if i < 0 {
		return Batch{}, fmt.Errorf("%s: %w", name, ErrNoBatch)
	}
	return all[i], nil
}

// Undo takes the rows of a batch back, the last first: it removes those that are as
// they were brought in, and restores what they replaced. Rows that have been changed
// since are left, and listed. What is dealt with is forgotten, so the same call goes
// on after one that broke off.
func Undo(ctx context.Context, store Store, s *tables.Shape, b Batch, o UndoOptions) (Undone, error) {
	u := undoing{Undone: Undone{Batch: b}}
	err := u.all(ctx, store, s, o)
	return u.Undone, err
}

func (u *undoing) all(ctx context.Context, store Store, s *tables.Shape, o UndoOptions) error {
	if o.Mark && !s.SoftDelete {
		return errors.New("--mark is for tables with soft_delete")
	}
	if o.Progress == nil {
		o.Progress = func(int) {}
	}
	if !o.Dry && u.Batch.Ended.IsZero() {
		// An import that was broken off would go on after rows that are gone.
		if err := store.EndBatch(ctx, u.Batch.Name, time.Now()); err != nil {
			return err
		}
	}
	for before := int64(math.MaxInt64); ; {
		brought, err := store.BatchRows(ctx, s, u.Batch.Name, before, stepRows)
		if err != nil {
			return err
		}
		if len(brought) == 0 {
			break
		}
		before = brought[len(brought)-1].Number
		if err := u.take(ctx, store, s, brought, o); err != nil {
			return err
		}
		o.Progress(u.Removed + u.Restored + u.Gone + len(u.Altered) + len(u.Unfit))
	}
	if o.Dry || len(u.Altered)+len(u.Unfit) > 0 {
		return nil
	}
	return store.ForgetBatch(ctx, u.Batch.Name, false)
}

func (u *undoing) take(ctx context.Context, store Store, s *tables.Shape, brought []Brought, o UndoOptions) error {
	rows := make([]Reversal, 0, len(brought))
	for _, b := range brought {
		r := Reversal{Brought: b}
		if b.Before != "" {
			restore, err := rowOf(s, b.Before)
			if err != nil { // one row must not keep the others from being taken back
				u.Unfit = append(u.Unfit, b.ID)
				continue
			}
			r.Restore = &restore
		}
		rows = append(rows, r)
	}
	take := store.Revert
	if o.Dry {
		take = u.look(store)
	}
	fates, err := take(ctx, s, u.Batch.Name, rows, o.Force, o.Mark)
	if err != nil {
		return err
	}
	for i, fate := range fates {
		switch fate {
		case Removed:
			u.Removed++
		case Restored:
			u.Restored++
		case Gone:
			u.Gone++
		case Altered:
			u.Altered = append(u.Altered, rows[i].ID)
		}
	}
	return nil
}

// look is Revert for a dry run.
func (u *undoing) look(
	store Store,
) func(context.Context, *tables.Shape, string, []Reversal, bool, bool) ([]Fate, error) {
	return func(ctx context.Context, s *tables.Shape, _ string, rows []Reversal, force, _ bool) ([]Fate, error) {
		fates := make([]Fate, len(rows))
		for i, r := range rows {
			version, there, err := u.version(ctx, store, s, r.ID)
			if err != nil {
				return nil, err
			}
			switch {
			case !there && r.Restore == nil:
				fates[i] = Gone
			case !force && (!there || version != r.Version):
				fates[i] = Altered
			case r.Restore != nil:
				fates[i] = Restored
				if u.would == nil {
					u.would = map[odata.Value]int64{}
				}
				u.would[r.ID] = r.Restore.Version
			default:
				fates[i] = Removed
			}
		}
		return fates, nil
	}
}

// version is the one that a row would have by now.
func (u *undoing) version(ctx context.Context, store Store, s *tables.Shape, id odata.Value) (int64, bool, error) {
	if version, ok := u.would[id]; ok {
		return version, true, nil
	}
	stored, err := store.Read(ctx, s, id, nil)
	if errors.Is(err, tables.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	return stored[placeVersion].Num, true, nil
}

// rowOf reads a whole row that AppendRow has written.
func rowOf(s *tables.Shape, text string) (tables.LoadRow, error) {
	in, err := newJSON(bytes.NewReader([]byte(text)), false)
	if err != nil {
		return tables.LoadRow{}, err
	}
	var rec record
	if err := in.next(&rec); err != nil {
		return tables.LoadRow{}, err
	}
	// Columns that the table has lost since are left out.
	o := Options{Format: JSONL}
	version := int64(0)
	for i, name := range rec.names {
		if s.Find(name) < 0 {
			o.Omit = append(o.Omit, name)
		}
		if name == "version" {
			version, _ = odata.ParseVersion(rec.cells[i].text)
		}
	}
	r, err := newReader(tables.Table{}, s, o)
	if err != nil {
		return tables.LoadRow{}, err
	}
	row, _, mistakes := r.row(&rec, 1)
	if len(mistakes) > 0 {
		return row, mistakes[0]
	}
	row.Version = version
	return row, nil
}
