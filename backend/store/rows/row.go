package rows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// The places of the system columns, as tables.Shape has them. Deleted is there only
// on tables with soft delete.
const (
	ID = iota
	Created
	Updated
	Version
	Deleted
)

// Fresh is a new row: its system columns, with the stamp as the time in
// milliseconds, and the values that are set.
func Fresh(w tables.Write, stamp int64) []odata.Value {
	row := make([]odata.Value, len(w.Shape.Columns))
	row[ID] = w.ID
	row[Created], row[Updated] = odata.DateOf(stamp), odata.DateOf(stamp)
	row[Version] = odata.VersionOf(w.Version)
	if w.Shape.SoftDelete {
		row[Deleted] = odata.BooleanOf(false)
	}
	for i, c := range w.Columns {
		row[c] = w.Values[i]
	}
	return row
}

// Loaded is Fresh for a row that comes from elsewhere and may be older, or deleted.
func Loaded(s *tables.Shape, r tables.LoadRow, stamp int64) []odata.Value {
	row := Fresh(tables.Write{Shape: s, ID: r.ID, Columns: r.Columns, Values: r.Values, Version: r.Version}, stamp)
	if !r.CreatedAt.IsNull() {
		row[Created] = r.CreatedAt
	}
	if s.SoftDelete {
		row[Deleted] = odata.BooleanOf(r.Deleted)
	}
	return row
}

// Changed is the row after a write that changes it, and the places that are set.
func Changed(w tables.Write, before []odata.Value, stamp int64) (after []odata.Value, places []int) {
	after = slices.Clone(before)
	places = append(make([]int, 0, len(w.Columns)+3), w.Columns...)
	for i, c := range w.Columns {
		after[c] = w.Values[i]
	}
	after[Updated], after[Version] = odata.DateOf(stamp), odata.VersionOf(w.Version)
	places = append(places, Updated, Version)
	if w.Op != tables.OpMerge && w.Shape.SoftDelete {
		after[Deleted] = odata.BooleanOf(w.Op == tables.OpMark)
		places = append(places, Deleted)
	}
	return after, places
}

// Collect takes a row that matches a removal to those to remove, unless it is not
// there for the caller. It fails at the first row beyond the limit. A rule that is
// asked when the request has ended holds for no row: that is an error, and not a row
// to pass over.
func Collect(ctx context.Context, r tables.Removal, row []odata.Value, removed *[][]odata.Value) error {
	if r.Visible != nil && !r.Visible(row) {
		return ctx.Err()
	}
	if *removed = append(*removed, row); len(*removed) > r.Limit {
		return &tables.QueryError{Msg: fmt.Sprintf("You cannot delete more than %d records", r.Limit)}
	}
	if r.Room != nil {
		return r.Room(row, len(*removed)-1)
	}
	return nil
}

// CollectEach is Collect for the rows with the removal's ids, each of which find
// reads. One that is not there any more, or does not match, is passed over.
func CollectEach(ctx context.Context, r tables.Removal, find func(id odata.Value) ([]odata.Value, error)) (
	removed [][]odata.Value, err error) {
	for _, id := range r.IDs {
		row, err := find(id)
		if errors.Is(err, tables.ErrNotFound) {
			continue
		}
		if err == nil {
			err = Collect(ctx, r, row, &removed)
		}
		if err != nil {
			return nil, err
		}
	}
	return removed, nil
}

// Inserted are the places of a new row: those of the system, then those that are
// set.
func Inserted(s *tables.Shape, set []int) []int {
	return append(slices.Clone(s.All()[:s.System()]), set...)
}

// Successor is the least text after all that begin with s, "" if there is none.
func Successor(s string) string {
	for s != "" {
		r, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
		switch {
		case r == 0xd7ff:
			return s + "\ue000" // surrogates are no characters
		case r < utf8.MaxRune:
			return s + string(r+1)
		}
	}
	return ""
}
