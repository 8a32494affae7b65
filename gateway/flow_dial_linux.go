package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cordon-sec/cordon/egress"
)

// attemptTime is how long the first address may take before all of them are
// tried beside each other.
const attemptTime = egress.DefaultAttemptDelay

// dial connects to the origin: at once where its address is known, and in a
// goroutine otherwise.
func (f *flow) dial() {
	f.began = time.Now()
	fd, result, ok := f.worker.g.dialer.Start(f.c.destination)
	if !ok {
		f.dialAside()
		return
	}
	f.x.dialled(result)
	f.phase, f.upstreamFD = dialling, fd
	if f.watch(&f.upstream, fd) {
		f.worker.expect(f, attemptTime)
	}
}

// dialAside connects in a goroutine: for what must be waited for, and for what
// must be explained.
func (f *flow) dialAside() {
	w := f.worker
	f.phase, f.deadline = waiting, time.Time{} // package egress bounds its steps
	w.young[f] = struct{}{}
	to := f.c.destination
	ctx, stop := context.WithCancel(w.ctx)
	f.stop = stop
	w.dials.Go(func() {
		defer stop()
		conn, result, err := w.dialGuarded(ctx, to)
		taken := w.Post(func() {
			defer f.rescue()
			f.dialled(conn, result, err)
		})
		if !taken && conn != nil {
			_ = conn.Close()
		}
	})
}

// dialGuarded is Dial, whose faults are errors of this connection alone.
func (w *worker) dialGuarded(ctx context.Context, to egress.Destination) (
	conn *net.TCPConn, result egress.Result, err error,
) {
	defer func() {
		if cause := recover(); cause != nil {
			w.g.notice("panic", fmt.Sprintf("%v: %s", cause, debug.Stack()))
			err = errors.New("an internal error")
		}
	}()
	return w.g.dial(ctx, to)
}

// dialled takes over what the goroutine has connected to.
func (f *flow) dialled(conn *net.TCPConn, result egress.Result, err error) {
	if f.phase != waiting { // cut meanwhile
		if conn != nil {
			_ = conn.Close()
		}
		return
	}
	f.x.dialled(result)
	if err == nil {
		var ok bool
		if f.upstreamFD, ok = detach(conn); !ok {
			_ = conn.Close()
			err = fmt.Errorf("take the connection over: %w", unix.EMFILE)
		}
	}
	if err != nil {
		f.giveUp(func() { f.x.refuseDial(err) })
		return
	}
	if f.watch(&f.upstream, f.upstreamFD) {
		f.establish()
	}
}

// connected goes on when the socket of Start has connected, or failed: then all
// addresses are tried anew.
func (f *flow) connected() {
	if !f.upstream.Writable {
		return
	}
	if f.upstream.Over { // failed, or connected to somebody who has ended already
		code, err := unix.GetsockoptInt(f.upstreamFD, unix.SOL_SOCKET, unix.SO_ERROR)
		if err != nil || code != 0 {
			f.retryAside()
			return
		}
	}
	f.x.event.Connect = time.Since(f.began)
	f.establish()
}

func (f *flow) retryAside() {
	f.worker.Close(&f.upstream)
	f.upstreamFD = -1
	f.dialAside()
}

// giveUp ends a CONNECT that found no origin.
func (f *flow) giveUp(refuse func()) {
	x := f.x
	x.leaveTunnel()
	x.g.tunnels.remove(f.t)
	refuse()
	x.leave()
	f.answer()
}

// leave ends a CONNECT whose client has reset its connection. One that has only
// closed its side may still read.
func (f *flow) leave() {
	if !f.client.Over || !resetFD(f.clientFD) {
		return
	}
	x := f.x
	x.leaveTunnel()
	x.g.tunnels.remove(f.t)
	x.recordGone(reasonClientGone, "the client left before the origin was connected to")
	x.leave()
	f.release()
}
