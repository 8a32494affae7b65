package tables

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// The bounds of one DELETE with a filter: how many rows it removes, and how much
// they take up until the answer has been sent.
const (
	maxRemoved      = 10000
	maxRemovedBytes = 32 << 20
)

// removeMany deletes what a $filter matches, as the original does, in one step.
// Without a filter it would be the whole table: never.
func (q *request) removeMany() error {
	if allowed := q.t.config.DeleteByFilter; q.v3 || allowed != nil && !*allowed {
		return q.notAllowed(q.op.String())
	}
	src, _ := q.option("$filter")
	if strings.TrimSpace(src) == "" {
		return q.notAllowed(q.op.String())
	}
	if q.r.Header.Get("If-Match") != "" {
		return badRequest("If-Match is for one row: it needs an id")
	}
	s := q.t.shape.Load()
	p := odata.Parser{Column: s.column, Now: q.now.UnixMilli(), Limits: q.s.options.Limits}
	filter, err := p.Filter(src)
	if err != nil {
		return err
	}
	r := Removal{Shape: s, Where: odata.And(q.scope(s, false), filter), Mark: s.SoftDelete,
		Visible: q.only(s), Guard: q.guard(s), Limit: maxRemoved}
	return q.whenHeld(func() error { return q.removeNow(r) })
}

// ask finds the rows that are there for the caller. Where a rule decides that, it is
// asked outside of the transaction, in which others wait, and then once more about
// those that it has let through.
func (q *request) ask(r *Removal) error {
	if r.Visible == nil {
		return nil
	}
	ctx, cancel := q.deadline()
	defer cancel()
	r.IDs = []odata.Value{}
	find := Query{Shape: r.Shape, Columns: []int{colID}, Where: r.Where, Top: int64(r.Limit) + 1}
	_, err := q.filtered(ctx, find, false, func(row []odata.Value) error {
		r.IDs = append(r.IDs, row[0])
		return nil
	})
	if err == nil && len(r.IDs) == 0 {
		return ErrNotFound
	}
	return err
}

func (q *request) removeNow(r Removal) error {
	var size int
	r.Room = func(row []odata.Value, place int) error {
		if place == 0 {
			size = jsonSize(row) // of one row, or of a chunk
		}
		if size += textSize(row) + valueBytes*len(row); size > maxRemovedBytes {
			return &QueryError{Msg: "These rows are too large to be deleted at once: delete fewer"}
		}
		if !q.hold(size) {
			return fullError(q.guess(size))
		}
		return nil
	}
	if err := q.ask(&r); err != nil {
		return err
	}
	r.Version = q.s.newVersion(q.now)
	done := sync.OnceFunc(q.orderAll()) // before the answer, which the client may not read
	defer done()
	ctx, cancel := q.deadline()
	defer cancel()
	rows, err := q.s.store.Remove(ctx, r)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return ErrNotFound
	}
	for _, row := range rows {
		q.notify(r.Shape, row)
	}
	done()
	if len(rows) == 1 {
		q.answer(http.StatusOK, r.Shape, rows[0], nil)
		return nil
	}
	return q.sendRemoved(r.Shape, rows)
}

// guess is what a removal will need that has come so far: as much again, but not the
// place for what is larger than a share, unless it is.
func (q *request) guess(size int) int {
	if share := int(q.s.memory.answers.each); size <= share {
		return min(2*size, share)
	}
	return 2 * size
}

// sendRemoved answers with several rows, in chunks where they are long.
func (q *request) sendRemoved(s *Shape, rows [][]odata.Value) error {
	b, sent := []byte{'['}, false
	for i, row := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		if b = q.appendShown(b, s, row, nil); len(b) < chunkBytes {
			continue
		}
		if !sent {
			sent, q.end = true, time.Now().Add(answerTime)
			q.w.Header()["Content-Type"] = headerJSON
			q.w.WriteHeader(http.StatusOK)
		}
		if q.transmit(b) != nil {
			panic(http.ErrAbortHandler) // a whole answer it is not, and must not look like one
		}
		b = b[:0]
	}
	b = append(b, ']')
	if !sent {
		q.json(http.StatusOK, b)
		return nil
	}
	if q.transmit(b) != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}
