package gateway

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// The back-off of everything that accepts, while the system has no descriptor
// for another connection: what is open goes on, what is new waits in the
// kernel's queue until something is closed.
const (
	scarceRest = 50 * time.Millisecond
	// scarceFor is how long after a failure the gateway says that it is not ready;
	// scarceTold is how often it says so in an event.
	scarceFor  = time.Second
	scarceTold = 5 * time.Second
)

// scarcity is when the system last refused a descriptor.
type scarcity struct {
	since      time.Time // the times below count from here, by a clock that does not jump
	last, told atomic.Int64
}

// isScarce reports whether an error is the system's refusal of a descriptor.
func isScarce(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// lacks notes a refusal, and tells the operator now and then.
func (g *Gateway) lacks(err error) {
	now := int64(time.Since(g.scarce.since))
	g.scarce.last.Store(now)
	told := g.scarce.told.Load()
	if (told == 0 || now-told >= int64(scarceTold)) && g.scarce.told.CompareAndSwap(told, now) {
		g.notice(reasonNoMeans, "new connections wait, and requests are refused, until others end: "+err.Error())
	}
}

// lacking reports whether descriptors are, or were a moment ago, all in use.
func (g *Gateway) lacking() bool {
	last := g.scarce.last.Load()
	return last != 0 && int64(time.Since(g.scarce.since))-last < int64(scarceFor)
}

// restingListener accepts again after a while where the system has no
// descriptor for a connection.
type restingListener struct {
	net.Listener
	g *Gateway
}

// Accept returns the next connection.
func (l restingListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err == nil || !isScarce(err) {
			return conn, err
		}
		l.g.lacks(err)
		time.Sleep(scarceRest)
	}
}
