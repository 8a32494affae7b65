package gateway

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
)

// roundTrip is one request over one connection to an origin.
type roundTrip struct {
	x *exchange
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

	first int64 // bytes allowed for the head, to see if any came
}

func newRoundTrip(x *exchange, u *upstream, t target) *roundTrip {
	return &roundTrip{x: x, u: u, t: t, stop: func() bool { return true }}
}

// expectTimeout is how long the gateway waits for 100 before it sends the body
// all the same.
const expectTimeout = time.Second

// maxInformational bounds the 1xx responses before the final one.
const maxInformational = 8

// run sends the request and reads the head of the response.
func (p *roundTrip) run() (*http.Response, error) {
	x, conn := p.x, p.u.conn
	p.stop = x.whenGone(func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	_ = conn.SetDeadline(time.Now().Add(x.state.config.Timeouts.ResponseHeader))
	p.first = int64(x.state.config.Limits.ResponseHeader)
	p.u.limit.left = p.first
	w := writers.Get().(*bufio.Writer)
	w.Reset(conn)
	writeHead(w, x.r, p.t)
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
		var broken *bodyError
		if errors.As(err, &broken) {
			_ = conn.SetReadDeadline(time.Unix(1, 0)) // no response is to be waited for
		} else if err != nil {
			_ = conn.SetReadDeadline(time.Now().Add(expectTimeout)) // it may have answered before
		}
		p.body <- err
	}()
	resp, err := p.read(proceed)
	if err == nil {
		return resp, nil
	}
	select {
	case cause := <-p.body:
		p.body <- cause
		var broken *bodyError
		if errors.As(cause, &broken) {
			return nil, cause
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
func writeHead(w *bufio.Writer, r *http.Request, t target) {
	w.WriteString(r.Method)
	w.WriteByte(' ')
	w.WriteString(t.rest)
	w.WriteString(" HTTP/1.1\r\nHost: ")
	w.WriteString(t.hostField(t.scheme))
	w.WriteString("\r\n")
	delete(r.Header, "Host")
	if !emptyBody(r) {
		delete(r.Header, "Content-Length")
		if r.ContentLength >= 0 && len(r.TransferEncoding) == 0 {
			w.WriteString("Content-Length: " + strconv.FormatInt(r.ContentLength, 10) + "\r\n")
		} else {
			w.WriteString("Transfer-Encoding: chunked\r\n")
			writeTrailerNames(w, r.Trailer)
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

func writeTrailerNames(w *bufio.Writer, trailer http.Header) {
	for name := range trailer {
		if httpguts.ValidTrailerHeader(name) { // no Host, no Authorization after the fact
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
		if err := chunks.Close(); err != nil {
			return err
		}
		for name, values := range p.x.r.Trailer {
			if httpguts.ValidTrailerHeader(name) {
				writeFields(w, http.Header{name: values})
			}
		}
		w.WriteString("\r\n")
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

func (p *roundTrip) copyUp(to io.Writer, w *bufio.Writer) error {
	buffer := smallBuffers.Get().(*[]byte)
	defer smallBuffers.Put(buffer)
	control := http.NewResponseController(p.x.w)
	idle := p.x.state.config.Timeouts.Idle
	for {
		now := time.Now()
		_ = control.SetReadDeadline(now.Add(idle))
		_ = p.u.conn.SetWriteDeadline(now.Add(idle))
		n, err := p.x.r.Body.Read(*buffer)
		if n > 0 {
			p.sent.Add(int64(n))
			if err == io.EOF {
				p.consumed.Store(true)
			}
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
			return nil
		}
		if err != nil {
			return &bodyError{err}
		}
	}
}

// read reads heads until the final one.
func (p *roundTrip) read(proceed chan struct{}) (*http.Response, error) {
	for range maxInformational {
		resp, err := http.ReadResponse(p.u.reader, p.x.r)
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
		case resp.StatusCode == http.StatusSwitchingProtocols:
			return nil, &upstreamError{reasonUpstreamBad, "an upgrade that nobody asked for"}
		case resp.StatusCode == http.StatusContinue:
			if proceed != nil {
				close(proceed)
				proceed = nil
			}
		case resp.StatusCode < 200:
			p.x.inform(resp)
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

// inform passes an informational response on, such as early hints.
func (x *exchange) inform(resp *http.Response) {
	h := x.w.Header()
	dropHopFields(resp.Header)
	for name, values := range resp.Header {
		h[name] = values
	}
	x.w.WriteHeader(resp.StatusCode)
	for name := range resp.Header {
		delete(h, name)
	}
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
	if p.x.r.Context().Err() != nil {
		to = time.Now().Add(linger) // the client has closed its side meanwhile
	}
	_ = p.u.conn.SetReadDeadline(to)
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
	p.x.g.kept.put(p.u)
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
	_ = http.NewResponseController(p.x.w).SetReadDeadline(time.Unix(1, 0))
	p.u.conn.Close()
	<-p.body
	return false
}
