package gateway

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// goCleartext lets a goroutine serve the tunnel until its handshake is done.
func (f *flow) goCleartext() {
	w, t, c, received := f.worker, f.t, f.c, f.received
	w.Remove(&f.client)
	w.Remove(&f.upstream)
	delete(w.young, f)
	f.phase, f.received = over, nil
	t.hands.Lock()
	t.client = newSocket(f.clientFD, f.front.addr, f.from, nil)
	t.upstream = newSocket(f.upstreamFD, nil, t.event.Address, nil)
	t.flow = nil
	t.hands.Unlock()
	go c.beginCleartext(received)
}

// move passes bytes on from now on, first those that were read already, and
// then records the decision.
func (f *flow) move() {
	w, t := f.worker, f.t
	delete(w.young, f)
	f.phase = moving
	t.moves.Store(true)
	var first []byte
	if f.received != nil {
		first = f.c.open(*f.received)
	}
	f.up = stream{from: &f.client, to: &f.upstream, moved: &t.up, opening: t.opening, up: true}
	f.down = stream{from: &f.upstream, to: &f.client, moved: &t.down, opening: t.opening}
	if !f.watch(&f.client, f.clientFD) || !f.watch(&f.upstream, f.upstreamFD) {
		return
	}
	if f.received == nil { // adopted: its decision is recorded
		return
	}
	f.up.pending = first
	f.upstream.Writable = true
	t.up.Add(int64(len(first)))
	_, err := f.up.flush()
	f.up.pending = append([]byte(nil), f.up.pending...) // the buffer serves others
	f.dropFlight()
	f.c = nil
	e := t.event
	t.g.events.Record(&e)
	if err != nil {
		f.end(f.up.failedSide())
		return
	}
	f.relay()
}

// relay moves both streams.
func (f *flow) relay() {
	again := false
	for _, n := range [...]*stream{&f.up, &f.down} {
		more, err := n.run(f.worker.buffer)
		again = again || more
		switch {
		case err == nil:
		case errors.Is(err, errSecondHello):
			f.refuse(err)
			return
		case err != io.EOF:
			f.end(n.failedSide())
			return
		case !n.passed:
			n.passed = true
			f.t.half.Store(true) // the other direction may go on
			f.t.ends(n.endedBy())
			if unix.Shutdown(n.to.FD, unix.SHUT_WR) != nil || f.up.passed && f.down.passed {
				f.end(*f.t.first.Load())
				return
			}
		}
	}
	if f.followed() || again {
		f.again()
	}
}

// followed lets go of what follows the first records once it is over. It reports
// whether something was set free.
func (f *flow) followed() (more bool) {
	o := f.up.opening
	if o == nil {
		return false
	}
	if o.over() {
		f.up.opening, f.down.opening, f.t.opening = nil, nil, nil
		return false
	}
	return len(o.ready) > 0
}

// refuse ends a moving tunnel for what came in it.
func (f *flow) refuse(err error) {
	f.t.blocked(err)
	f.end(f.t.reason)
}
