package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// roundTrip is one request over one connection to an origin.
type roundTrip struct {
	x *request
	u *upstream
	t target

	stop func() bool // ends the watch over the client
	sent atomic.Int64
	body chan error    // the end of sending the body; nil if there is none
	over chan struct{} // closed when the body is wanted no longer
	// consumed says that the body has been read to its end; it is set before the
	// last of it is sent, and so before an origin that waits for it can answer.
	consumed atomic.Bool

	mu     sync.Mutex // orders the two ways in which the read deadline is set
	headed bool       // the head of the response has been read

	first   int64 // bytes allowed for the head, to see if any came
	upgrade bool  // a WebSocket handshake: 101 is an answer to it
}

func newRoundTrip(x *request, u *upstream, t target) *roundTrip {
	return &roundTrip{x: x, u: u, t: t, stop: func() bool { return true }}
}

// expectTimeout is how long the gateway waits for 100 before it sends the body
// all the same.
const expectTimeout = time.Second

// maxInformational bounds the 1xx responses before the final one, whose bytes are
// bounded together with its head: a server that takes its time may send one every
// few seconds.
const maxInformational = 1000

// run sends the request and reads the head of the response.
func (p *roundTrip) run() (*http.Response, error) {
	x, conn := p.x, p.u.conn
	p.stop = x.whenGone(func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	_ = conn.SetDeadline(time.Now().Add(x.state.config.Timeouts.ResponseHeader))
	p.first = int64(x.state.config.Limits.ResponseHeader)
	p.u.limit.left = p.first
	w := writers.Get().(*bufio.Writer)
	w.Reset(conn)
	writeHead(w, x.r, p.t, x.named)
	if emptyBody(x.r) {
		err := w.Flush()
		releaseWriter(w)
		if err != nil {
			return nil, err
		}
		return p.read(nil)
	}
	p.body, p.over = make(chan error, 1), make(chan struct{})
	var proceed chan struct{}
	if strings.EqualFold(x.r.Header.Get("Expect"), "100-continue") {
		proceed = make(chan struct{})
		if err := w.Flush(); err != nil {
			releaseWriter(w)
			p.body <- err
			return nil, err
		}
	}
	_ = conn.SetReadDeadline(time.Time{}) // starts when the body has been sent
	go func() {
		err := p.sendBody(w, proceed)
		p.body <- err // before the reader is woken, who looks for it
		var broken *bodyError
		if errors.As(err, &broken) {
			_ = conn.SetReadDeadline(time.Unix(1, 0)) // no response is to be waited for
		} else if err != nil {
			_ = conn.SetReadDeadline(time.Now().Add(expectTimeout)) // it may have answered before
		}
	}()
	resp, err := p.read(proceed)
	if err == nil {
		return resp, nil
	}
	select {
	case cause := <-p.body:
		p.body <- cause
		var broken *bodyError
		if errors.As(cause, &broken) || cause != nil && isTimeout(err) {
			return nil, cause // what was waited for after it does not count
		}
	default:
	}
	return nil, err
}

// bodyError is what is wrong with a request's body.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return "read the request's body: " + e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }

func releaseWriter(w *bufio.Writer) {
	w.Reset(nil)
	writers.Put(w)
}

// writeHead writes the request's head in origin form, with the Host of the
// target that was judged.
func writeHead(w *bufio.Writer, r *http.Request, t target, named []string) {
	w.WriteString(r.Method)
	w.WriteByte(' ')
	w.WriteString(t.form())
	w.WriteString(" HTTP/1.1\r\nHost: ")
	w.WriteString(t.hostField(t.scheme))
	w.WriteString("\r\n")
	delete(r.Header, "Host")
	if _, ok := r.Header["Te"]; ok {
		w.WriteString("Connection: TE\r\n")
	}
	if !emptyBody(r) {
		delete(r.Header, "Content-Length")
		if r.ContentLength >= 0 && len(r.TransferEncoding) == 0 {
			w.WriteString("Content-Length: " + strconv.FormatInt(r.ContentLength, 10) + "\r\n")
		} else {
			w.WriteString("Transfer-Encoding: chunked\r\n")
			writeTrailerNames(w, r.Trailer, named)
		}
	}
	writeFields(w, r.Header)
	w.WriteString("\r\n")
}

// writeFields writes fields as they are; the parser has refused line ends in
// them.
func writeFields(w *bufio.Writer, h http.Header) {
	for name, values := range h {
		for _, v := range values {
			w.WriteString(name)
			w.WriteString(": ")
			w.WriteString(v)
			w.WriteString("\r\n")
		}
	}
}

func writeTrailerNames(w *bufio.Writer, trailer http.Header, named []string) {
	for name := range trailer {
		if mayTrail(name, named) { // no Host, no Authorization after the fact
			w.WriteString("Trailer: " + name + "\r\n")
		}
	}
}

// sendBody passes the request's body on, each piece as it comes. proceed, if
// there is one, is closed when the origin wants the body.
func (p *roundTrip) sendBody(w *bufio.Writer, proceed <-chan struct{}) error {
	defer releaseWriter(w)
	if proceed != nil {
		wait := time.NewTimer(expectTimeout)
		defer wait.Stop()
		select {
		case <-proceed:
		case <-wait.C:
		case <-p.over:
			return context.Canceled
		}
	}
	p.x.proceed()
	var to io.Writer = w
	chunked := p.x.r.ContentLength < 0 || len(p.x.r.TransferEncoding) > 0
	var chunks io.WriteCloser
	if chunked {
		chunks = httputil.NewChunkedWriter(w)
		to = chunks
	}
	if err := p.copyUp(to, w); err != nil {
		return err
	}
	if chunked {
		if err := p.endChunks(w, chunks); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.headed {
		return nil // the response is on its way already
	}
	return p.u.conn.SetReadDeadline(time.Now().Add(p.x.state.config.Timeouts.ResponseHeader))
}

// endChunks ends a body in chunks, with its trailer.
func (p *roundTrip) endChunks(w *bufio.Writer, chunks io.Closer) error {
	trailer, err := p.x.requestTrailer()
	if err != nil {
		return err // before the body has its end, which would make it whole
	}
	if err := chunks.Close(); err != nil {
		return err
	}
	writeFields(w, trailer)
	w.WriteString("\r\n")
	return nil
}

// requestTrailer returns what may pass of the request's trailer, after its body.
func (x *request) requestTrailer() (http.Header, error) {
	if name, bad := badField(x.r.Trailer); bad {
		return nil, &bodyError{fmt.Errorf("malformed trailer field %q", name)}
	}
	trailer := http.Header{}
	for name, values := range x.r.Trailer {
		if mayTrail(name, x.named) {
			trailer[name] = values
		}
	}
	return trailer, nil
}

func (p *roundTrip) copyUp(to io.Writer, w *bufio.Writer) error {
	buffer := smallBuffers.Get().(*[]byte)
	defer smallBuffers.Put(buffer)
	control := http.NewResponseController(p.x.w)
	idle := p.x.state.config.Timeouts.Idle
	stop := flushSoon(w)
	for {
		now := time.Now()
		_ = control.SetReadDeadline(now.Add(idle))
		_ = p.u.conn.SetWriteDeadline(now.Add(idle))
		n, err := p.x.r.Body.Read(*buffer)
		stop()
		if n > 0 {
			if err == io.EOF {
				p.consumed.Store(true)
			}
			p.sent.Add(int64(n))
			if _, werr := to.Write((*buffer)[:n]); werr != nil {
				return werr
			}
			if err == nil {
				if werr := w.Flush(); werr != nil {
					return werr
				}
			}
		}
		if err == io.EOF {
			p.consumed.Store(true)
			_ = control.SetReadDeadline(time.Time{}) // what follows has times of its own
			return nil
		}
		if err != nil {
			return &bodyError{err}
		}
	}
}

// headWait is how long the head of a request waits for the beginning of its
// body, to go with it. A body that is broken at once leaves no trace at an
// origin, and one that takes its time may be answered before it comes.
const headWait = 10 * time.Millisecond

// flushSoon sends what is buffered after a moment, unless it is stopped before.
func flushSoon(w *bufio.Writer) (stop func()) {
	var mu sync.Mutex
	stopped := false
	timer := time.AfterFunc(headWait, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			_ = w.Flush() // an error comes again at the next write
		}
	})
	return func() {
		timer.Stop()
		mu.Lock()
		defer mu.Unlock()
		stopped = true
	}
}

// read reads heads until the final one.
func (p *roundTrip) read(proceed chan struct{}) (*http.Response, error) {
	for range maxInformational {
		resp, err := p.u.readResponse(p.x.r.Method)
		if err != nil {
			if p.u.limit.left <= 0 {
				return nil, &upstreamError{reasonUpstreamBad, "the head of the response is too large"}
			}
			return nil, err
		}
		if err := checkResponse(resp); err != nil {
			return nil, err
		}
		switch {
		case resp.StatusCode == http.StatusSwitchingProtocols && p.upgrade && asksWebSocket(resp.Header):
			p.u.limit.lift()
			return resp, nil
		case resp.StatusCode == http.StatusSwitchingProtocols:
			return nil, &upstreamError{reasonUpstreamBad, "an upgrade that nobody asked for"}
		case resp.StatusCode < 200 && resp.Close && resp.ProtoMinor > 0 && !closes(resp):
			return nil, &upstreamError{reasonUpstreamBad, "an informational response with a body"}
		case resp.StatusCode == http.StatusContinue:
			if proceed != nil {
				close(proceed)
				proceed = nil
			}
		case resp.StatusCode < 200:
			p.x.inform(resp.StatusCode, resp.Header)
		default:
			p.u.limit.lift()
			p.mu.Lock()
			p.headed = true
			p.mu.Unlock()
			return resp, nil
		}
	}
	return nil, &upstreamError{reasonUpstreamBad, "too many informational responses"}
}

// inform passes an informational response on, such as early hints, to a client
// that knows of such.
func (x *request) inform(status int, fields http.Header) {
	if !x.r.ProtoAtLeast(1, 1) {
		return
	}
	x.heads.Lock()
	defer x.heads.Unlock()
	if x.final {
		return
	}
	x.flow()
	h := x.w.Header()
	dropHopFields(fields)
	delete(fields, "Content-Length")
	for name, values := range fields {
		h[name] = values
	}
	x.w.WriteHeader(status)
	for name := range fields {
		delete(h, name)
	}
}

// proceed tells an HTTP/1 client that waits for it to send its body. The server
// would do so by itself at the first read, in the midst of an informational
// response that another goroutine writes.
func (x *request) proceed() {
	if x.r.ProtoMajor != 1 || !strings.EqualFold(x.r.Header.Get("Expect"), "100-continue") {
		return
	}
	x.heads.Lock()
	defer x.heads.Unlock()
	if !x.final {
		x.w.WriteHeader(http.StatusContinue)
	}
}

// finalHead says that the final head is about to be written: nothing comes before
// it any more.
func (x *request) finalHead() {
	x.heads.Lock()
	defer x.heads.Unlock()
	x.final = true
}

// untouched reports whether nothing of a response has come.
func (p *roundTrip) untouched() bool { return p.u.limit.left == p.first }

// ahead reports whether more of the response has been read already.
func (p *roundTrip) ahead() bool { return p.u.reader.Buffered() > 0 }

// uploaded returns how much of the request's body has been sent.
func (p *roundTrip) uploaded() int64 { return p.sent.Load() }

// bodyPending reports whether the request's body has not been read to its end.
func (p *roundTrip) bodyPending() bool { return p.body != nil && !p.consumed.Load() }

// extend moves the time by which something more must have come.
func (p *roundTrip) extend(to time.Time) {
	_ = p.u.conn.SetReadDeadline(to)
	if p.x.cut.Load() { // at this moment
		_ = p.u.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// end finishes the round trip: the connection is kept if both sides are at the end of
// a message, and closed otherwise.
func (p *roundTrip) end(keep bool) {
	if p.body != nil {
		close(p.over)
		keep = p.endBody() && keep
	}
	if !p.stop() || !keep {
		p.u.close()
		return
	}
	p.u.keep(&p.x.g.kept)
}

// endBody waits for the end of sending the body, and forces it if the origin
// has answered without wanting the rest. It reports whether all was sent.
func (p *roundTrip) endBody() bool {
	if p.consumed.Load() {
		late := time.NewTimer(time.Second)
		defer late.Stop()
		select {
		case err := <-p.body:
			return err == nil
		case <-late.C:
		}
	}
	p.u.conn.Close()
	if p.headed && p.x.r.ProtoMajor == 1 && p.x.r.Context().Err() == nil {
		p.drain()
		return false
	}
	_ = http.NewResponseController(p.x.w).SetReadDeadline(time.Unix(1, 0))
	<-p.body
	return false
}

// drain sends the response, whose client may have to stop sending first, and
// reads the rest of the body.
func (p *roundTrip) drain() {
	control := http.NewResponseController(p.x.w)
	_ = control.Flush()
	_ = control.SetReadDeadline(time.Now().Add(drainQuiet))
	var broken *bodyError
	if err := <-p.body; !errors.As(err, &broken) && !errors.Is(err, context.Canceled) {
		p.x.drain()
	}
}
