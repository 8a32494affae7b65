package gateway

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// insideBody is the body of a request inside a decrypted tunnel, for a transport
// that reads it in a goroutine of its own. The client is read by another: a
// transport that wants no more must not wait for what the client does not send.
type insideBody struct {
	x       *request    // nil if there is no body
	trailer http.Header // the names at first; at the end of the body what came
	pipe    *io.PipeReader
	to      *io.PipeWriter
	taken   atomic.Int64 // bytes that the transport has taken
	ended   atomic.Bool  // the client has sent all of it

	stall func() // called when the transport takes nothing for too long

	mu    sync.Mutex // orders what follows, and the deadline of the client's connection
	begun bool       // the client is read, until done is closed
	over  bool       // the request has left: the connection may serve another
	done  chan struct{}
}

// newInsideBody returns the body of a request, which calls stall when the origin does
// not take it in time.
func newInsideBody(x *request, stall func()) *insideBody {
	b := &insideBody{x: x, stall: stall, trailer: http.Header{}, done: make(chan struct{})}
	b.pipe, b.to = io.Pipe()
	for name := range x.r.Trailer {
		if mayTrail(name, x.named) {
			b.trailer[name] = nil
		}
	}
	return b
}

// Read returns what the client has sent, in the words of bodyError if it does not
// go on.
func (b *insideBody) Read(p []byte) (int, error) {
	b.begin()
	n, err := b.pipe.Read(p)
	b.taken.Add(int64(n))
	return n, err
}

// begin begins to read the client, at the first Read: nobody asks a client for a body
// that is not wanted.
func (b *insideBody) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.begun && !b.over {
		b.begun = true
		go b.pump()
	}
}

// Close says that the transport wants no more. What the client still sends is for
// who drains it.
func (b *insideBody) Close() error { return b.pipe.Close() }

// pump reads the client, until its body ends, nobody wants it or the request
// leaves.
func (b *insideBody) pump() {
	defer close(b.done)
	b.x.proceed()
	buffer := smallBuffers.Get().(*[]byte)
	defer smallBuffers.Put(buffer)
	for {
		b.readBy(time.Now().Add(b.x.state.config.Timeouts.Idle))
		n, err := b.x.r.Body.Read(*buffer)
		if errors.Is(err, io.EOF) {
			b.ended.Store(true) // before an origin that waits for the end can answer
			b.readBy(time.Time{})
		}
		if n > 0 && b.pass((*buffer)[:n]) != nil {
			return
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			_ = b.to.CloseWithError(b.takeTrailer()) // nil is the end
			return
		default:
			_ = b.to.CloseWithError(&bodyError{err})
			return
		}
	}
}

// pass hands bytes to the transport. While it takes them, the client is not waited
// for.
func (b *insideBody) pass(p []byte) error {
	b.readBy(time.Time{})
	stalled := time.AfterFunc(b.x.state.config.Timeouts.Idle, b.stall)
	defer stalled.Stop()
	_, err := b.to.Write(p)
	return err
}

// takeTrailer takes what may pass of the request's trailer.
func (b *insideBody) takeTrailer() error {
	trailer, err := b.x.requestTrailer()
	for name, values := range trailer {
		b.trailer[name] = values
	}
	return err
}

// readBy sets the time by which more of the body must have come; zero is none.
func (b *insideBody) readBy(deadline time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		_ = http.NewResponseController(b.x.w).SetReadDeadline(deadline)
	}
}

// leave ends the reading of the client, with the request. A connection whose body
// has not come to its end serves no other.
func (b *insideBody) leave() {
	_ = b.pipe.Close()
	b.mu.Lock()
	b.over = true
	begun := b.begun
	if begun && !b.ended.Load() {
		_ = http.NewResponseController(b.x.w).SetReadDeadline(time.Unix(1, 0))
	}
	b.mu.Unlock()
	if begun {
		<-b.done
	}
}
