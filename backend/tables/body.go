package tables

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"time"
)

// body reads the request's body, bounded, and hands it to parse while the
// buffer is its own.
func (q *request) body(parse func([]byte) error) error {
	if q.v3 && !q.sendsJSON() {
		return errMedia
	}
	if q.r.ContentLength > q.limit {
		return errLarge
	}
	body, err := q.readBody(http.MaxBytesReader(q.w, q.r.Body, q.limit))
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return parse(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	case err == errMemory:
		return err
	case errors.As(err, &large):
		return errLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &httpError{status: http.StatusRequestTimeout, msg: "The body took too long to arrive"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return badRequest("The body is incomplete")
	}
	return badRequest("The body cannot be read")
}

// readBody reads a body. What is free of a body is read first; then room is taken for
// all that it may have, and the rest is read into a buffer that grows with what
// arrives.
func (q *request) readBody(from io.Reader) (body []byte, err error) {
	pace := q.bodyPace()
	defer func() { pace.end(err) }()
	size := q.limit // where the request does not say it
	if n := q.r.ContentLength; n >= 0 {
		size = n
	}
	body = make([]byte, 0, min(size, freeBytes)+1) // and the end
	for {
		if len(body) == cap(body) {
			if !q.holdBody(size) {
				return nil, errMemory
			}
			pace.renew(len(body)) // what was waited for was not the client's
			body = slices.Grow(body, int(min(max(size-int64(len(body)), 0), int64(cap(body)))+1))
		}
		n, err := from.Read(body[len(body):pace.until(len(body), cap(body))])
		body = body[:len(body)+n]
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// holdBody makes sure that the request may hold a body of so many bytes.
func (q *request) holdBody(n int64) bool {
	ctx, cancel := context.WithTimeout(q.r.Context(), q.s.options.Patience)
	defer cancel()
	return q.in.await(ctx, n)
}

// pace is the least rate of a body, by the deadlines of its connection.
type pace struct {
	q    *request
	wire *http.ResponseController // nil for a server that sets no deadlines
	due  int                      // the length that has to be there by the deadline
}

func (q *request) bodyPace() *pace {
	p := &pace{q: q}
	if s, ok := q.r.Context().Value(http.ServerContextKey).(*http.Server); ok && s.ReadTimeout > 0 &&
		q.r.ContentLength != 0 {
		p.wire = http.NewResponseController(q.w)
	}
	return p
}

// renew gives the chunk after so many bytes its time.
func (p *pace) renew(have int) {
	p.due = have + chunkBytes
	if p.wire == nil {
		return
	}
	in := chunkTime
	if have < chunkBytes {
		in = firstTime
	}
	if p.wire.SetReadDeadline(time.Now().Add(in)) != nil {
		p.wire = nil
	}
}

// until is how far may be read now.
func (p *pace) until(have, most int) int {
	if have >= p.due {
		p.renew(have)
	}
	return min(most, p.due)
}

// end lets the connection go on. What is missing of a body is not waited for, before
// the answer or after it.
func (p *pace) end(err error) {
	switch {
	case p.wire == nil:
	case err != nil:
		p.q.w.Header().Set("Connection", "close")
	default:
		_ = p.wire.SetReadDeadline(time.Time{}) // the connection may be gone
	}
}
