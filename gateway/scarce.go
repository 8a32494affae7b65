package gateway

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cordon-sec/cordon/egress"
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
	failed     atomic.Int64 // when another failure to accept was last told
}

// isScarce reports whether an error is the system's refusal of a descriptor, or of
// memory for it.
func isScarce(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOBUFS) ||
		errors.Is(err, syscall.ENOMEM)
}

// dial connects to an origin. Where the system has no descriptor for it, what is
// kept for later is given up, and it is tried once more.
func (g *Gateway) dial(ctx context.Context, to egress.Destination) (*net.TCPConn, egress.Result, error) {
	conn, result, err := g.dialer.Dial(ctx, to)
	if isScarce(err) && g.relieve() {
		conn, result, err = g.dialer.Dial(ctx, to)
	}
	return conn, result, err
}

// relieve closes what is open only to be used again, and reports whether there was
// any.
func (g *Gateway) relieve() bool { return g.kept.closeAll()+closeIdlePipes() > 0 }

// lacks notes that the system refused a descriptor, gives up what is kept, and tells
// the operator now and then.
func (g *Gateway) lacks(err error) {
	g.relieve()
	now := int64(time.Since(g.scarce.since))
	g.scarce.last.Store(now)
	if isDue(&g.scarce.told, now) {
		g.notice(reasonNoMeans, "new connections wait, and requests are refused, until others end: "+err.Error())
	}
}

// cannotAccept notes that a listener got no connection. It accepts again after
// scarceRest.
func (g *Gateway) cannotAccept(err error) {
	if isScarce(err) {
		g.lacks(err)
		return
	}
	if isDue(&g.scarce.failed, int64(time.Since(g.scarce.since))) {
		g.notice(reasonAccept, "a connection could not be accepted; the gateway goes on: "+err.Error())
	}
}

// isDue reports whether something may be told again, and notes that it is.
func isDue(told *atomic.Int64, now int64) bool {
	last := told.Load()
	return (last == 0 || now-last >= int64(scarceTold)) && told.CompareAndSwap(last, now)
}

// lacking reports whether descriptors are, or were a moment ago, all in use.
func (g *Gateway) lacking() bool {
	last := g.scarce.last.Load()
	return last != 0 && int64(time.Since(g.scarce.since))-last < int64(scarceFor)
}

// isLasting reports whether a listener will never accept again.
func isLasting(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.EBADF) || errors.Is(err, syscall.EINVAL) ||
		errors.Is(err, syscall.ENOTSOCK)
}

// restingListener accepts again after a while where the system gives it no
// connection: for want of a descriptor, or for a fault of the connection's.
type restingListener struct {
	net.Listener
	g *Gateway
}

// Accept returns the next connection.
func (l restingListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err == nil || isLasting(err) {
			return conn, err
		}
		l.g.cannotAccept(err)
		time.Sleep(scarceRest)
	}
}
