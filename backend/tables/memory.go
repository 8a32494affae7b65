package tables

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// What requests hold of bodies and answers is bounded for all of them together, so
// that clients who send slowly, or do not read, do not use up the machine's memory.
// A request has a little for itself; what it holds beyond comes out of one budget for
// bodies and one for answers, of which a client has a share. Nobody who waits for a
// part of a budget holds one of it: of a body, all that it will need is taken at once;
// of an answer, what has been read is forgotten meanwhile, and what was to be written
// has not been.
//
// A page for which nothing is left, or that is too large, is sent while it is read
// from the database, few at once. Who sends or reads slower than a least rate is cut.
const (
	freeBytes   = 16 << 10 // of a request's own
	bodyBytes   = 10 << 20 // of the bodies of all requests, beyond
	answerBytes = 6 << 20  // of their answers
	// bodyPart and answerPart are how many parts there are, of which a client has one:
	// people behind one address send at once, and read in turn.
	bodyPart, answerPart = 2, 3
	pageBytes            = 1 << 20  // the largest page that is made before it is sent
	chunkBytes           = 64 << 10 // what is sent at once, or has to come in time
	pagesWait            = 64       // how many long pages wait for their turn
	// firstTime is how long the first chunk of a body may take, and chunkTime each
	// that follows, and each of an answer.
	firstTime = 20 * time.Second
	chunkTime = 5 * time.Second
	// answerTime is how long an answer may take that is longer than freeBytes.
	answerTime = 2 * time.Minute
	// attempts is how often a row is read again that has become larger meanwhile.
	attempts = 3
)

// errMemory says that too many clients hold what they do not read, or do not send.
var errMemory = &httpError{status: http.StatusServiceUnavailable, msg: "The server is busy, try again later"}

// errLongPage says that a page is not made before it is sent.
var errLongPage = errors.New("tables: the page is long")

// memory are the budgets of a service.
type memory struct {
	bodies, answers *budget
	pages, queue    *budget // that are sent while they are read, and that wait for it
}

// newMemory sizes them for bodies of the given length, and a store that answers so
// many queries at once.
func newMemory(maxBody int64, readers int) memory {
	bodies, pages := max(bodyBytes, 4*maxBody), int64(max(1, readers/2))
	return memory{bodies: newBudget(bodies, bodies/bodyPart), answers: newBudget(answerBytes, answerBytes/answerPart),
		pages: newBudget(pages, max(1, pages/2)), queue: newBudget(pagesWait, pagesWait/4)}
}

// readersOf is how many queries a store answers at once, as far as it says so.
func readersOf(s Store) int {
	if r, ok := s.(interface{ Readers() int }); ok {
		return r.Readers()
	}
	return 0
}

// hold makes sure that the request may hold an answer of so many bytes, if they are
// there.
func (q *request) hold(n int) bool { return q.out.grow(int64(n) - freeBytes) }

// fullError says that an answer of so many bytes cannot be held now.
type fullError int

// Error implements error.
func (fullError) Error() string { return "tables: the answers of other requests take up the memory" }

// whenHeld does what needs room for an answer, and does it again when the room is
// there. Work that ends with a fullError has changed nothing.
func (q *request) whenHeld(work func() error) error {
	for attempt := 0; ; attempt++ {
		err := work()
		var full fullError
		if !errors.As(err, &full) {
			return err
		}
		q.out.letGo()
		if attempt == attempts {
			return errMemory
		}
		ctx, cancel := context.WithTimeout(q.r.Context(), q.s.options.Patience)
		held := q.out.await(ctx, int64(full)-freeBytes)
		cancel()
		if !held {
			return errMemory
		}
	}
}

// room makes sure that a row may be held and answered with.
func (q *request) room(row []odata.Value) error {
	if n := textSize(row) + jsonSize(row); !q.hold(n) {
		return fullError(n)
	}
	return nil
}

// valueBytes is what a value takes up beside its text.
const valueBytes = 32

// textSize is how long the texts of a row are, which are all that may be long of it.
func textSize(row []odata.Value) (n int) {
	for _, v := range row {
		n += len(v.Text)
	}
	return n
}

// jsonSize is how long the texts of a row are in JSON.
func jsonSize(row []odata.Value) (n int) {
	for _, v := range row {
		n += len(v.Text) + escapes(v.Text)
	}
	return n
}

// letGo gives back what the request holds. It is over.
func (q *request) letGo() {
	q.in.letGo()
	q.out.letGo()
}

// within bounds how long the client may take for what is written next. The bound is
// the connection's; a server that has one of its own sets it anew for each request.
func (q *request) within(d time.Duration) {
	if s, ok := q.r.Context().Value(http.ServerContextKey).(*http.Server); ok && s.WriteTimeout > 0 {
		_ = http.NewResponseController(q.w).SetWriteDeadline(time.Now().Add(d)) // the connection may be gone
	}
}

// transmit writes a body, or a part of one, whose client takes each chunk of it in
// time, and all of it.
func (q *request) transmit(body []byte) error {
	if q.end.IsZero() {
		if len(body) <= freeBytes {
			_, err := q.w.Write(body)
			return err
		}
		q.end = time.Now().Add(answerTime)
	}
	for chunk := range slices.Chunk(body, chunkBytes) {
		q.within(min(chunkTime, time.Until(q.end)))
		if _, err := q.w.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}
