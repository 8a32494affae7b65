package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/reactor"
)

// phase is where a flow is on its way.
type phase int

const (
	// heading: the request's head is awaited.
	heading phase = iota
	// dialling: the origin is being connected to by this worker.
	dialling
	// waiting: a goroutine looks the name up, and connects.
	waiting
	// greeting: 200 has been answered, and the first bytes are awaited.
	greeting
	// moving: bytes are passed on.
	moving
	// over: nothing is left of it here.
	over
)

// flow is a connection that a worker serves, and later the tunnel that it has
// become. It belongs to the worker's goroutine.
type flow struct {
	worker *worker
	front  *front
	from   netip.AddrPort
	phase  phase
	// deadline counts while the flow is among the worker's young; zero for none.
	deadline time.Time
	queued   bool // among those that go on after this batch

	clientFD, upstreamFD int
	client, upstream     reactor.End // registered once there is something to wait for

	// What is needed until bytes move.
	received *[]byte
	x        *request
	c        *connecting
	began    time.Time // of connecting
	stop     func()    // ends the goroutine that connects; nil for none

	t        *tunnel
	up, down stream
}

// rescue keeps a fault in one connection from ending the others, as net/http
// does: the flow is cut, with its counts left, and the operator told.
func (f *flow) rescue() {
	cause := recover()
	if cause == nil {
		return
	}
	f.worker.g.notice("panic", fmt.Sprintf("%v: %s", cause, debug.Stack()))
	defer func() {
		if recover() != nil {
			f.release()
		}
	}()
	if f.x != nil && f.phase == heading {
		f.x.leave()
	}
	f.fail(reasonInternal, "an internal error")
}

// again makes the worker go on with the flow after this batch.
func (f *flow) again() {
	if !f.queued {
		f.queued = true
		f.worker.Again(f)
	}
}

// begin reads the head of a new connection.
func (f *flow) begin() {
	defer f.rescue()
	f.received = takeBuffer()
	n, err := readOnce(f.clientFD, f.received)
	switch {
	case n > 0:
		f.head()
	case err == unix.EAGAIN:
		f.watchClient()
		f.worker.expect(f, f.worker.g.state.Load().config.Timeouts.Header)
	default:
		f.release()
	}
}

// readOnce reads what is there behind what was read before, without waiting.
func readOnce(fd int, to *[]byte) (int, error) {
	b := *to
	if len(b) == cap(b) {
		b = append(b, 0)[:len(b)]
	}
	n, err := read(fd, b[len(b):cap(b)])
	*to = b[:len(b)+max(n, 0)]
	return n, err
}

// watchClient and watchUpstream register an end. Where the system has no room
// for that, the flow ends.
func (f *flow) watchClient() bool {
	return f.watch(&f.client, f.clientFD)
}

func (f *flow) watch(e *reactor.End, fd int) bool {
	if e.Registered() {
		return true
	}
	if err := f.worker.Add(e, fd, f); err != nil {
		f.fail(reasonNoMeans, err.Error())
		return false
	}
	return true
}

// Ready goes on with the flow.
func (f *flow) Ready(e *reactor.End) {
	defer f.rescue()
	if e == nil {
		f.queued = false
	}
	switch f.phase {
	case heading:
		f.readHead()
	case dialling, waiting:
		switch {
		case e == &f.client:
			f.leave()
		case f.phase == dialling:
			f.connected()
		}
	case greeting:
		if e != &f.upstream {
			f.readFirst()
		}
	case moving:
		f.relay()
	}
}

// readClient reads on in the first bytes.
func (f *flow) readClient() (int, error) {
	n, err := readOnce(f.clientFD, f.received)
	if len(*f.received) < cap(*f.received) {
		f.client.Readable = f.client.Over // all that was there
	}
	return n, err
}

// readHead reads the head of a request that was not there at first.
func (f *flow) readHead() {
	n, err := f.readClient()
	switch {
	case n > 0:
		f.head()
	case err == unix.EAGAIN:
	default:
		f.release() // without a word, as it came
	}
}

// head goes on with a CONNECT, refuses what the list refuses, and hands
// everything else to the HTTP server.
func (f *flow) head() {
	w := f.worker
	delete(w.young, f)
	st := w.g.state.Load()
	for len(*f.received) > 0 {
		r, rest := readUsualHead(*f.received, st.config.Limits.RequestHeader)
		switch {
		case r != nil && r.Method == http.MethodConnect && st.inspector == nil:
			f.x = newRequest(f.front.listener, st, &answer{}, r, f.from)
			*f.received = append((*f.received)[:0], rest...)
			f.connect()
			return
		case r == nil || r.Method != http.MethodGet || !f.front.listener.refuses(st, r):
			f.handOver()
			return
		}
		x := newRequest(f.front.listener, st, &answer{}, r, f.from)
		x.serve()
		*f.received = append((*f.received)[:0], rest...)
		if !f.send(x) {
			f.release()
			return
		}
	}
	if !f.watchClient() {
		return
	}
	w.expect(f, st.config.Timeouts.KeepAlive)
	if f.client.Readable {
		f.again()
	}
}

// send sends what the request was answered, and reports whether another
// request may follow.
func (f *flow) send(x *request) (more bool) {
	a := x.w.(*answer)
	b := a.appendTo(f.worker.buffer[:0])
	n, _ := write(f.clientFD, b)
	return n == len(b) && a.header["Connection"] == nil
}

// connect goes on with a CONNECT.
func (f *flow) connect() {
	x := f.x
	if !x.admit() {
		f.answer()
		return
	}
	c := x.decideConnect()
	if c == nil || !x.enterTunnel() {
		x.leave()
		f.answer()
		return
	}
	f.c, f.t = c, &tunnel{g: x.g, app: x.app, flow: f, began: x.began}
	c.t = f.t
	f.phase = waiting
	x.g.tunnels.add(f.t)
	if f.watchClient() {
		f.dial()
	}
}

// handOver gives the connection, and what was read of it, to the HTTP server.
func (f *flow) handOver() {
	f.worker.Remove(&f.client)
	f.phase = over
	first := append([]byte(nil), *f.received...)
	f.dropFlight()
	f.front.give(newSocket(f.clientFD, f.front.addr, f.from, first))
}

func (f *flow) dropFlight() {
	if f.received != nil {
		putBuffer(f.received)
		f.received = nil
	}
}

// fail ends the flow for a reason that is the gateway's own.
func (f *flow) fail(reason, detail string) {
	switch f.phase {
	case heading:
		f.release()
	case dialling, waiting:
		f.giveUp(func() { f.x.failed(http.StatusServiceUnavailable, reason, detail) })
	case greeting:
		f.c.drop(event.Failed, reason, detail)
	case moving:
		f.end(byGateway)
	}
}

// answer sends what the request was answered, and closes.
func (f *flow) answer() {
	f.send(f.x) // the client may be gone
	f.release()
}

// establish answers 200 and awaits the first bytes.
func (f *flow) establish() {
	x, t := f.x, f.t
	x.event.Status = http.StatusOK
	t.event = x.event
	f.x = nil
	x.leave() // the request is over: from here on it is a tunnel
	f.phase = greeting
	n, _ := write(f.clientFD, established)
	if n != len(established) {
		f.c.drop(event.Failed, reasonClientGone, "")
		return
	}
	if !f.watchClient() {
		return
	}
	f.worker.expect(f, f.c.config.Timeouts.Hello)
	switch {
	case len(*f.received) > 0:
		f.judge()
	case f.client.Readable:
		f.again()
	}
}

// readFirst reads the first bytes of the tunnel.
func (f *flow) readFirst() {
	n, err := f.readClient()
	switch {
	case n > 0:
		f.judge()
	case err == unix.EAGAIN:
	case err == nil:
		f.c.dropSilent(io.EOF)
	default:
		f.c.dropSilent(err)
	}
}

// judge goes on with a tunnel whose first bytes are as they must be.
func (f *flow) judge() {
	switch f.c.judge(*f.received) {
	case firstShort:
		if f.client.Readable {
			f.again()
		}
	case firstCleartext:
		f.goCleartext()
	case firstAllowed:
		f.move()
	}
}

// late ends what has waited too long.
func (f *flow) late() {
	delete(f.worker.young, f)
	switch f.phase {
	case heading:
		f.release()
	case dialling:
		f.retryAside()
	case greeting:
		f.c.dropSilent(os.ErrDeadlineExceeded)
	}
}

// shutLater ends the flow from another goroutine.
func (f *flow) shutLater(reason string) {
	f.worker.Post(func() {
		defer f.rescue()
		switch f.phase {
		case over:
			f.passOn(reason)
		case moving:
			f.end(reason)
		default: // only a shutdown looks for tunnels that do not move yet
			f.fail(reasonDraining, reason)
		}
	})
}

// passOn shuts a tunnel that has changed hands meanwhile.
func (f *flow) passOn(reason string) {
	f.t.hands.Lock()
	changed := f.t.flow != f
	f.t.hands.Unlock()
	if changed {
		f.t.shut(reason)
	}
}

// end closes a moving tunnel and records its end.
func (f *flow) end(reason string) {
	f.t.reason = reason
	f.release()
	f.t.finish()
}

// release lets go of everything.
func (f *flow) release() {
	if f.phase == over {
		return
	}
	w := f.worker
	f.phase = over
	delete(w.young, f)
	if f.stop != nil {
		f.stop()
	}
	f.up.drop()
	f.down.drop()
	f.dropFlight()
	f.closeEnd(&f.client, f.clientFD)
	f.closeEnd(&f.upstream, f.upstreamFD)
}

func (f *flow) closeEnd(e *reactor.End, fd int) {
	switch {
	case e.Registered():
		f.worker.Close(e)
	case fd >= 0:
		f.worker.CloseFD(fd)
	}
}
