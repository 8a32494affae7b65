package tables

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// What requests hold of bodies and answers is bounded for all of them together, so
// that clients who send slowly, or do not read, do not use up the machine's memory.
// A request has a little for itself; what it holds beyond comes out of one budget.
// A page for which nothing is left, or that is too large, is sent while it is read
// from the database, few at once. Who then does not read is cut.
const (
	freeBytes  = 16 << 10 // of a request's own
	allBytes   = 12 << 20 // of all requests, beyond
	pageBytes  = 1 << 20  // the largest page that is made before it is sent
	chunkBytes = 64 << 10 // what is sent at once of one that is sent as it is read
	pagesSent  = 2        // how many are, at once
	pagesWait  = 64       // and how many more wait for that
	// chunkTime is how long a client may take for a chunk, and sendTime for an
	// answer, whatever its length.
	chunkTime = 10 * time.Second
	sendTime  = time.Minute
	// holdTime is how long a body waits for others to be done with.
	holdTime = 5 * time.Second
	// bodyTime is how long a body may take to arrive.
	bodyTime = time.Minute
)

// errMemory says that too many clients hold what they do not read, or do not send.
var errMemory = &httpError{status: http.StatusServiceUnavailable, msg: "The server is busy, try again later"}

// errLongPage says that a page is not made before it is sent.
var errLongPage = errors.New("tables: the page is long")

// more is what the request needs of the budget to hold n bytes: all of it at the
// most, or a row that is larger could never be read.
func (q *request) more(n int) int64 { return min(int64(n)-freeBytes, allBytes) - q.held }

// hold makes sure that the request may hold so many bytes in all, if they are there.
func (q *request) hold(n int) bool {
	more := q.more(n)
	if more <= 0 {
		return true
	}
	if !q.s.memory.TryAcquire(more) {
		return false
	}
	q.held += more
	return true
}

// await is hold for who can wait: what the client sends next stays with it.
func (q *request) await(n int) bool {
	if q.hold(n) {
		return true
	}
	ctx, cancel := context.WithTimeout(q.r.Context(), holdTime)
	defer cancel()
	more := q.more(n)
	if q.s.memory.Acquire(ctx, more) != nil {
		return false
	}
	q.held += more
	return true
}

// letGo gives back what the request holds. It is over, or begins anew.
func (q *request) letGo() {
	q.s.memory.Release(q.held)
	q.held = 0
}

// readBody reads a body into a buffer that grows with what arrives.
func (q *request) readBody(from io.Reader) (body []byte, err error) {
	wire := http.NewResponseController(q.w)
	if s, ok := q.r.Context().Value(http.ServerContextKey).(*http.Server); ok && s.ReadTimeout > 0 &&
		q.r.ContentLength != 0 && wire.SetReadDeadline(time.Now().Add(bodyTime)) == nil {
		defer func() {
			if err != nil { // what is missing is not waited for, before the answer or after it
				q.w.Header().Set("Connection", "close")
				return
			}
			_ = wire.SetReadDeadline(time.Time{}) // the connection may be gone
		}()
	}
	var b bytes.Buffer
	for {
		if !q.await(2 * (b.Len() + bytes.MinRead)) { // the buffer doubles
			return nil, errMemory
		}
		n, err := io.CopyN(&b, from, int64(max(bytes.MinRead, b.Len())))
		if err == io.EOF {
			return b.Bytes(), nil
		}
		if err != nil || n == 0 {
			return nil, err
		}
	}
}

// within bounds how long the client may take for what is written next. The bound is
// the connection's; a server that has one of its own sets it anew for each request.
func (q *request) within(d time.Duration) {
	if s, ok := q.r.Context().Value(http.ServerContextKey).(*http.Server); ok && s.WriteTimeout > 0 {
		_ = http.NewResponseController(q.w).SetWriteDeadline(time.Now().Add(d)) // the connection may be gone
	}
}

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

// send sends a chunk of a page that is sent while it is read.
func (q *request) sendChunk(l *listing, _ int) error {
	if len(l.b) == 0 {
		return nil
	}
	if !l.sent {
		l.sent = true
		q.w.Header()["Content-Type"] = headerJSON
		q.w.WriteHeader(http.StatusOK)
	}
	q.within(chunkTime)
	_, err := q.w.Write(l.b)
	l.b = l.b[:0]
	return err
}

// stream sends a page while it is read from the database. It waits for its turn, and
// holds nothing meanwhile.
func (q *request) stream(ask page, count bool) error {
	q.letGo()
	if q.s.waiting.Add(1) > pagesSent+pagesWait {
		q.s.waiting.Add(-1)
		return errMemory
	}
	defer q.s.waiting.Add(-1)
	ctx, cancel := q.deadline()
	defer cancel()
	select {
	case q.s.streams <- struct{}{}:
		defer func() { <-q.s.streams }()
	case <-ctx.Done():
		return ctx.Err()
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
	ctx, cancel = context.WithTimeout(q.r.Context(), sendTime)
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
	q.within(chunkTime)
	if _, err := q.w.Write(out.b); err != nil {
		panic(http.ErrAbortHandler)
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
