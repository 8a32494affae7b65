package rows

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/backend/tables/transfer"
)

// Reverting is what a database does to take a row back, inside of a transaction.
// Each looks whether the row has the version that Match names.
type Reverting struct {
	Current, Remove, Change func(tables.Write) error
	// Load writes a row, over the one that has its id. A *tables.DuplicateError leaves
	// the transaction as it was.
	Load func(tables.LoadRow) error
}

// Revert takes back one row that an import has brought in.
func Revert(shape *tables.Shape, r transfer.Reversal, force, mark bool, by Reverting) (transfer.Fate, error) {
	t := tables.Write{Op: tables.OpRemove, Shape: shape, ID: r.ID, Match: []int64{r.Version}, Version: r.Version + 1}
	if force {
		t.Match = nil
	}
	fate, do := transfer.Removed, by.Remove
	switch {
	case r.Restore != nil:
		fate, do = transfer.Restored, by.Current
	case mark:
		t.Op, do = tables.OpMark, by.Change
	}
	err := do(t)
	var changed *tables.ConflictError
	switch {
	case errors.As(err, &changed):
		return transfer.Altered, nil
	case errors.Is(err, tables.ErrNotFound) && r.Restore == nil:
		return transfer.Gone, nil
	case errors.Is(err, tables.ErrNotFound) && !force:
		return transfer.Altered, nil // what was there before has been removed, after it was replaced
	case err != nil && !errors.Is(err, tables.ErrNotFound):
		return 0, err
	}
	if r.Restore == nil {
		return fate, nil
	}
	var taken *tables.DuplicateError
	if err := by.Load(*r.Restore); errors.As(err, &taken) {
		return transfer.Altered, nil // another row has a value of it by now
	} else if err != nil {
		return 0, err
	}
	return fate, nil
}

// ParseID reads an id that a record has as text.
func ParseID(shape *tables.Shape, text string) (odata.Value, error) {
	if shape.Columns[ID].Type != odata.Integer {
		return odata.StringOf(text), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return odata.Value{}, fmt.Errorf("the record of an import has the id %q, which must be a number", text)
	}
	return odata.IntegerOf(n), nil
}
