package tables

import (
	"errors"
	"slices"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// A dynamic schema gets its new columns from writes. A write that is refused leaves
// none behind: it is asked about first, as it would be, and again when it is done.

// errMoved says that the table has got other columns than those that were planned.
var errMoved = errors.New("tables: the table's columns have changed")

// onShape does a write with the table's present shape, and again with the next one if
// somebody else has changed it meanwhile.
func (q *request) onShape(write func(s *Shape) error) error {
	for range attempts {
		if err := write(q.t.shape.Load()); !errors.Is(err, errMoved) {
			return err
		}
	}
	return errMemory
}

// carryOut does the write, and adds the columns that it needs before that.
func (q *request) carryOut(w *Write) ([]odata.Value, error) {
	if len(q.fresh) > 0 {
		if err := q.rehearse(*w); err != nil {
			w.Shape = q.stored // which the answer has, then
			var c *ConflictError
			if errors.As(err, &c) {
				c.Row = c.Row[:len(w.Shape.Columns)]
			}
			return nil, err
		}
		defined, err := q.define(q.stored, q.fresh)
		if err != nil {
			return nil, err
		}
		q.t.shape.CompareAndSwap(q.stored, defined)
		q.fresh = nil
		if !slices.EqualFunc(defined.Columns, w.Shape.Columns, func(a, b ColumnDef) bool { return a.Name == b.Name }) {
			return nil, errMoved
		}
		w.Shape = defined
	}
	return q.write(*w)
}

// rehearse says how a write would be refused that needs columns which the table does
// not have yet.
func (q *request) rehearse(w Write) error {
	if w.Op == OpInsert {
		if err := q.consult(w, nil, make([]odata.Value, len(w.Shape.Columns))); err != nil {
			return err // first, as in the stores: who may not insert learns of no id
		}
		if !w.ID.IsNull() {
			switch _, err := q.read(q.stored, w.ID, nil); {
			case err == nil:
				return &DuplicateError{Column: "id"}
			case !errors.Is(err, ErrNotFound):
				return err
			}
		}
		return q.findTaken(w)
	}
	before, err := q.read(q.stored, w.ID, w.Where)
	if err != nil {
		return err
	}
	if w.Match != nil && !slices.Contains(w.Match, before[colVersion].Num) {
		return &ConflictError{Row: before}
	}
	before = append(before, make([]odata.Value, len(q.fresh))...)
	after := slices.Clone(before)
	if w.Op == OpUndelete {
		after[colDeleted] = odata.BooleanOf(false)
	}
	if err := q.consult(w, before, after); err != nil {
		return err
	}
	return q.findTaken(w)
}

// findTaken looks for another row that has a value which must be unique.
func (q *request) findTaken(w Write) error {
	ctx, cancel := q.deadline()
	defer cancel()
	for i, c := range w.Columns {
		if column := w.Shape.Columns[c]; !column.Unique || w.Values[i].IsNull() {
			continue
		}
		where := odata.Expr(odata.Compare{Op: odata.Eq, L: w.Shape.expr(c), R: odata.Literal{Value: w.Values[i]}})
		if !w.ID.IsNull() {
			where = odata.And(where, odata.Compare{Op: odata.Ne, L: w.Shape.expr(colID),
				R: odata.Literal{Value: w.ID}})
		}
		switch n, err := q.s.store.Count(ctx, Query{Shape: q.stored, Where: where}); {
		case err != nil:
			return err
		case n > 0:
			return &DuplicateError{Column: w.Shape.Columns[c].Name}
		}
	}
	return nil
}

// consult asks the guard about the row as it would be after the write.
func (q *request) consult(w Write, before, after []odata.Value) error {
	if w.Guard == nil {
		return nil
	}
	if before == nil {
		after[colID], after[colCreatedAt] = w.ID, odata.DateOf(q.now.UnixMilli())
		if w.Shape.SoftDelete {
			after[colDeleted] = odata.BooleanOf(false)
		}
	}
	for i, c := range w.Columns {
		after[c] = w.Values[i]
	}
	after[colUpdatedAt], after[colVersion] = odata.DateOf(q.now.UnixMilli()), odata.VersionOf(w.Version)
	return w.Guard(before, after)
}
