package gateway

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordon-sec/cordon/event"
)

// tunnel is two connections whose bytes are passed on as they are: after a
// CONNECT, or after an upgrade. Once it moves, it is the business of a worker,
// or, where one of them is not the system's own connection, two goroutines, one
// for each direction.
type tunnel struct {
	g     *Gateway
	app   *app
	event event.Event
	began time.Time

	// client and upstream are the connections while goroutines serve them; flow
	// is what a worker serves. hands is held while they change, and closed says
	// that they will not any more.
	hands    sync.Mutex
	client   net.Conn
	upstream net.Conn
	flow     *flow
	closed   bool

	// opening follows the first records of a tunnel for TLS; nil for others. It
	// belongs to whoever moves the bytes.
	opening *opening

	busy     atomic.Int32           // requests inside that are in progress
	why      atomic.Pointer[string] // what the gateway cut it for, if it did
	moves    atomic.Bool            // it is past its beginning, whose steps have times of their own
	up, down atomic.Int64           // bytes from and to the client
	running  atomic.Int32           // directions that move
	ended    atomic.Int32           // goroutines that are done with the connections
	half     atomic.Bool            // one direction has ended
	closing  sync.Once
	reason   string                 // who or what ended it; set within closing
	first    atomic.Pointer[string] // who ended a direction first
	passed   bool                   // its place in the limits is another tunnel's now

	// seen and seenAt belong to the sweeper.
	seen   int64
	seenAt time.Time
}

// send passes on what was read already, before anything else moves.
func (t *tunnel) send(fromClient, fromUpstream []byte) {
	if len(fromClient) > 0 {
		if _, err := t.upstream.Write(fromClient); err != nil {
			t.shut(byOrigin)
		}
		t.up.Add(int64(len(fromClient)))
	}
	if len(fromUpstream) > 0 {
		if _, err := t.client.Write(fromUpstream); err != nil {
			t.shut(byClient)
		}
		t.down.Add(int64(len(fromUpstream)))
	}
}

// relay passes bytes in both directions. It returns at once; the tunnel records
// its end itself.
func (t *tunnel) relay() {
	t.moves.Store(true)
	if t.g.workers.adopt(t) {
		return
	}
	t.running.Store(2)
	go t.direction(t.upstream, t.client, &t.up)
	go t.direction(t.client, t.upstream, &t.down)
}

// direction is the life of one of the two goroutines.
func (t *tunnel) direction(dst, src net.Conn, moved *atomic.Int64) {
	from, to := byClient, byOrigin
	if moved == &t.down {
		from, to = to, from
	}
	err := t.begin(dst, src, moved)
	if err == nil {
		err = copyConn(dst, src, moved)
	}
	last := t.running.Add(-1) == 0
	if !errors.Is(err, io.EOF) {
		var failed *sideError
		switch {
		case errors.As(err, &failed) && failed.side != "":
			from = failed.side
		case errors.As(err, &failed):
			from = to
		}
		t.shut(from)
	} else if t.ends(from); last {
		t.shut(*t.first.Load())
	} else if closeWrite(dst) == nil {
		t.half.Store(true) // the other direction may go on
	} else {
		t.shut(to)
	}
	if t.ended.Add(1) == 2 {
		t.finish()
	}
}

// Who ended a tunnel, as its last event says. What ended it for other reasons
// has a word of its own beside them.
const (
	byClient   = "client"
	byOrigin   = "origin"
	byBoth     = "both" // one after the other, before the gateway looked
	byIdle     = "idle"
	byOperator = "operator"
	byShutdown = "shutdown"
	byGateway  = "gateway" // for what was said inside, or for want of means
)

// ends notes that a side sends no more. Who did so first has ended the tunnel,
// unless it ends by a fault.
func (t *tunnel) ends(side string) { t.first.CompareAndSwap(nil, &side) }

// sideError is a failure to write: to the side that is named, or else to the
// one that the direction leads to.
type sideError struct {
	side string
	error
}

// begin moves a direction as long as its records are followed. Its error is the
// direction's end.
func (t *tunnel) begin(dst, src net.Conn, moved *atomic.Int64) error {
	o := t.opening
	if o == nil {
		return nil
	}
	buffer := smallBuffers.Get().(*[]byte)
	defer smallBuffers.Put(buffer)
	pass := func(b []byte) error { return t.passUp(dst, b) }
	if moved == &t.down {
		pass = func(b []byte) error { return t.passDown(dst, src, b) }
	}
	for !o.isOver() {
		n, err := src.Read(*buffer)
		if n > 0 {
			if failed := pass((*buffer)[:n]); failed != nil {
				return failed
			}
		}
		if err != nil {
			if moved == &t.up {
				o.mu.Lock()
				o.abandon()
				o.mu.Unlock()
			}
			return err
		}
	}
	return nil
}

// passUp passes on what goes on of the client's next bytes.
func (t *tunnel) passUp(upstream net.Conn, b []byte) error {
	o := t.opening
	o.order.Lock()
	defer o.order.Unlock()
	o.mu.Lock()
	b, err := o.fromClient(b)
	o.mu.Unlock()
	if err != nil {
		t.refuse(err)
		return err
	}
	n, err := upstream.Write(b)
	t.up.Add(int64(n))
	if err != nil {
		return &sideError{byOrigin, err}
	}
	return nil
}

// passDown passes the origin's next bytes on, and what they set free.
func (t *tunnel) passDown(client, upstream net.Conn, b []byte) error {
	o := t.opening
	o.mu.Lock()
	err := o.fromOrigin(b)
	free := len(o.ready) > 0
	o.mu.Unlock()
	if err == nil && free {
		err = t.passUp(upstream, nil)
	} else if err != nil {
		t.refuse(err)
	}
	if err != nil {
		return err
	}
	n, err := client.Write(b)
	t.down.Add(int64(n))
	if err != nil {
		return &sideError{byClient, err}
	}
	return nil
}

// closeWrite passes the end of a stream on.
func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.New("no half-close")
}

// shut closes both connections, once; whoever reads or writes them ends.
func (t *tunnel) shut(reason string) {
	t.hands.Lock()
	defer t.hands.Unlock()
	if t.flow != nil {
		t.flow.shutLater(reason)
		return
	}
	t.closing.Do(func() {
		t.reason, t.closed = reason, true
		t.why.Store(&reason)
		t.client.Close()
		t.upstream.Close()
	})
}

// cut returns what the gateway cut the tunnel for, "" if it did not.
func (t *tunnel) cut() string {
	if why := t.why.Load(); why != nil {
		return *why
	}
	return ""
}

// refuse ends a tunnel, whose decision is recorded already, for what came in it.
func (t *tunnel) refuse(err error) {
	t.hands.Lock()
	defer t.hands.Unlock()
	t.closing.Do(func() {
		t.blocked(err)
		t.closed = true
		t.client.Close()
		t.upstream.Close()
	})
}

// blocked makes the end of the tunnel a refusal.
func (t *tunnel) blocked(err error) {
	t.event.Verdict, t.event.Reason, t.reason = event.Blocked, reasonSecondHello, err.Error()
}

// closeEnds closes both connections of a tunnel that does not move yet. A
// worker's tunnel is closed on its worker.
func (t *tunnel) closeEnds() {
	t.hands.Lock()
	f := t.flow
	t.hands.Unlock()
	if f != nil {
		f.release()
		return
	}
	t.client.Close()
	t.upstream.Close()
}

// finish records the end. It runs once, when nothing of the tunnel runs any
// more.
func (t *tunnel) finish() {
	t.g.tunnels.remove(t)
	if !t.passed {
		t.app.limits.tunnels.leave()
		t.g.limits.tunnels.leave()
	}
	e := &t.event
	e.Type, e.Time = event.Close, time.Time{}
	e.Up, e.Down = t.up.Load(), t.down.Load()
	e.Total = time.Since(t.began)
	e.Lookup, e.Connect = 0, 0
	if t.reason != "" {
		e.Detail = t.reason
	}
	t.g.events.Record(e)
}

// tunnels are the open ones.
type tunnels struct {
	mu   sync.Mutex
	open map[*tunnel]struct{}
	none chan struct{} // closed when the last one goes, if somebody waits
}

func (s *tunnels) add(t *tunnel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[*tunnel]struct{}{}
	}
	s.open[t] = struct{}{}
}

func (s *tunnels) remove(t *tunnel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, t)
	if len(s.open) == 0 && s.none != nil {
		close(s.none)
		s.none = nil
	}
}

// wait returns a channel that is closed when no tunnel is open.
func (s *tunnels) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		done := make(chan struct{})
		close(done)
		return done
	}
	if s.none == nil {
		s.none = make(chan struct{})
	}
	return s.none
}

func (s *tunnels) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

func (s *tunnels) shutAll(reason string) {
	s.mu.Lock()
	all := make([]*tunnel, 0, len(s.open))
	for t := range s.open {
		all = append(all, t)
	}
	s.mu.Unlock()
	for _, t := range all {
		t.shut(reason)
	}
}

// maxHalfOpen bounds how long a tunnel of which one direction has ended may be
// silent.
const maxHalfOpen = time.Minute

// sweep closes tunnels that were silent for too long. Counters are compared
// every few seconds, so that moving bytes costs no timer.
func (s *tunnels) sweep(now time.Time, idle time.Duration) {
	s.mu.Lock()
	var silent []*tunnel
	for t := range s.open {
		if !t.moves.Load() {
			continue
		}
		moved := t.up.Load() + t.down.Load()
		limit := idle
		if t.half.Load() {
			limit = min(idle, maxHalfOpen)
		}
		switch {
		case t.seenAt.IsZero() || moved != t.seen || t.busy.Load() > 0: // requests have times of their own
			t.seen, t.seenAt = moved, now
		case now.Sub(t.seenAt) >= limit:
			silent = append(silent, t)
		}
	}
	s.mu.Unlock()
	for _, t := range silent {
		t.shut(byIdle)
	}
}
