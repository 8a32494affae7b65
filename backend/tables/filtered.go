package tables

import (
	"context"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// filtered runs a query whose rows a rule decides on one by one. The database
// cannot skip, cut or count them, so that happens here. Rules see all columns.
func (q *request) filtered(ctx context.Context, run Query, count bool, each func([]odata.Value) error) (int64, error) {
	all := run
	all.Columns, all.Skip, all.Top = run.Shape.All(), 0, -1
	picked := make([]odata.Value, len(run.Columns))
	var total, given int64
	open := true
	err := q.s.store.Query(ctx, all, func(row []odata.Value) error {
		if !q.visible(run.Shape, row) {
			return nil
		}
		total++
		if total <= run.Skip {
			return nil
		}
		if open && given < run.Top {
			given++
			for i, c := range run.Columns {
				picked[i] = row[c]
			}
			if err := each(picked); err == ErrStop {
				open = false
			} else if err != nil {
				return err
			}
		}
		if !count && (given >= run.Top || !open) {
			return ErrStop
		}
		return ctx.Err()
	})
	return total, err
}
