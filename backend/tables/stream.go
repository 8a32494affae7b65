package tables

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// makeRoom lets a page that is made before it is sent grow.
func (q *request) makeRoom(l *listing, need int) error {
	room := max(2*l.room, need)
	if need > pageBytes || !q.hold(room) {
		return errLongPage
	}
	l.room = room
	l.b = slices.Grow(l.b, room-len(l.b))
	return nil
}

// sendChunk sends a chunk of a page that is sent while it is read.
func (q *request) sendChunk(l *listing, _ int) error {
	if len(l.b) == 0 {
		return nil
	}
	if !l.sent {
		l.sent = true
		q.w.Header()["Content-Type"] = headerJSON
		q.w.WriteHeader(http.StatusOK)
	}
	err := q.transmit(l.b)
	l.b = l.b[:0]
	return err
}

// stream sends a page while it is read from the database. It waits for its turn, and
// holds nothing meanwhile.
func (q *request) stream(ask page, count bool) error {
	q.out.letGo()
	ctx, cancel := q.deadline()
	defer cancel()
	turn := holding{of: q.s.memory.pages, from: q.r.RemoteAddr}
	defer turn.letGo()
	if err := q.awaitTurn(ctx, &turn); err != nil {
		return err
	}
	out := listing{ask: ask, room: chunkBytes, full: q.sendChunk}
	if !q.v3 {
		// The header says whether there is more, before the rows are known.
		n, err := q.pageRows(ctx, ask)
		if err != nil {
			return err
		}
		if _, pull := q.pulling(&ask); n > 0 && n == ask.Top && !pull {
			q.w.Header()["Link"] = []string{q.link(ask.Skip+n, ask.Top, "", wholeLink) + "; rel=next"}
		}
	}
	q.end = time.Now().Add(answerTime)
	ctx, cancel = context.WithDeadline(q.r.Context(), q.end)
	defer cancel()
	err := q.fill(ctx, &out, count)
	switch {
	case err != nil && out.sent:
		panic(http.ErrAbortHandler) // a whole answer it is not, and must not look like one
	case err != nil:
		return err
	case !out.sent:
		q.json(http.StatusOK, out.b)
		return nil
	}
	if q.transmit(out.b) != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// awaitTurn waits until a page may be sent. So many wait, of one client a part.
func (q *request) awaitTurn(ctx context.Context, turn *holding) error {
	if turn.grow(1) {
		return nil
	}
	place := holding{of: q.s.memory.queue, from: q.r.RemoteAddr}
	defer place.letGo()
	switch {
	case !place.grow(1):
		return errMemory
	case !turn.await(ctx, 1):
		return ctx.Err()
	}
	return nil
}

// pageRows counts the rows of a page.
func (q *request) pageRows(ctx context.Context, ask page) (n int64, err error) {
	run := ask.Query
	each := func([]odata.Value) error { n++; return nil }
	if q.t.rowRules(opRead) {
		_, err = q.filtered(ctx, run, false, each)
		return n, err
	}
	run.Columns = []int{colID}
	return n, q.s.store.Query(ctx, run, each)
}
