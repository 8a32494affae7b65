package gateway

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cordon-sec/cordon/internal/reactor"
)

// workers serve plain connections without a goroutine for each: they accept
// them, answer CONNECT, check the first bytes, and pass bytes on. What is not a
// CONNECT in its usual form goes on to the HTTP server (front.Accept). Half of
// the processors have a worker, so that the other half has what blocks: HTTP,
// TLS, names.
type workers struct {
	all     []*worker
	running sync.WaitGroup
	cancel  context.CancelFunc
}

// worker is one loop with what its flows share. All but Post belongs to the
// goroutine that runs it.
type worker struct {
	*reactor.Loop
	g *Gateway
	// ctx ends with the worker; dials are the goroutines that wait for it.
	ctx   context.Context
	dials sync.WaitGroup
	// buffer is what bytes go through on their way.
	buffer []byte
	// young are the flows that do not move yet.
	young map[*flow]struct{}
	// resting are the listeners that could not be accepted from.
	resting []*acceptor
}

// relayBuffer is how much is moved at once.
const relayBuffer = 64 << 10

func newWorkers(g *Gateway) (*workers, error) {
	ctx, cancel := context.WithCancel(context.Background())
	all := &workers{cancel: cancel}
	for range max(1, runtime.GOMAXPROCS(0)/2) {
		loop, err := reactor.New()
		if err != nil {
			all.run()
			all.stop()
			return nil, err
		}
		w := &worker{Loop: loop, g: g, ctx: ctx, buffer: make([]byte, relayBuffer), young: map[*flow]struct{}{}}
		loop.OnTick(w.tick)
		all.all = append(all.all, w)
	}
	return all, nil
}

// run starts the workers, which go on until stop.
func (s *workers) run() {
	for _, w := range s.all {
		s.running.Go(w.Run)
	}
}

// stop ends the workers and waits for them. What they still serve is cut.
func (s *workers) stop() {
	s.cancel()
	for _, w := range s.all {
		w.Post(w.cut)
		w.Stop()
	}
	s.running.Wait()
	for _, w := range s.all {
		w.dials.Wait() // none begins any more
	}
}

// cut ends what does not move yet, when the worker ends.
func (w *worker) cut() {
	for f := range w.young {
		f.fail(reasonDraining, byShutdown)
	}
}

// tick ends what has waited too long. It reports whether anything waits.
func (w *worker) tick(now time.Time) (more bool) {
	for f := range w.young {
		if !f.deadline.IsZero() && !now.Before(f.deadline) {
			f.late()
		}
	}
	resting := w.resting
	w.resting = nil
	for _, a := range resting {
		a.listen()
	}
	return len(w.young) > 0 || len(w.resting) > 0
}

// expect gives a flow a deadline.
func (w *worker) expect(f *flow, in time.Duration) {
	f.deadline = w.Now().Add(in)
	w.young[f] = struct{}{}
	w.Arm()
}

// adopt lets a worker serve a tunnel from here on, if both of its connections
// are the system's own.
func (s *workers) adopt(t *tunnel) bool {
	t.hands.Lock()
	defer t.hands.Unlock()
	if t.closed || !detachable(t.client) || !detachable(t.upstream) {
		return false
	}
	local, remote := t.client.LocalAddr(), addrPort(t.client.RemoteAddr())
	client, ok := detach(t.client)
	if !ok {
		return false // no descriptor is left; the goroutines need none
	}
	upstream, ok := detach(t.upstream)
	if !ok {
		t.client = newSocket(client, local, remote, nil)
		return false
	}
	w := s.all[int(t.began.UnixNano()>>10)%len(s.all)]
	f := &flow{worker: w, phase: moving, t: t, clientFD: client, upstreamFD: upstream}
	t.client, t.upstream, t.flow = nil, nil, f
	if !w.Post(f.move) {
		closeAll(client, upstream)
	}
	return true
}

func closeAll(descriptors ...int) {
	for _, fd := range descriptors {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// front is a listener whose connections are begun by the workers. As a
// net.Listener it has those that are not theirs to serve.
type front struct {
	listener *listener
	inner    net.Listener
	addr     net.Addr

	mu        sync.Mutex
	acceptors []*acceptor
	waiting   []net.Conn
	more      *sync.Cond
	failed    error // why nothing will ever be accepted again
	closed    bool
}

// front returns the listener that its connections come from once it is open.
func (s *workers) front(d *listener, l net.Listener) net.Listener {
	if _, ok := l.(*net.TCPListener); !ok {
		return l
	}
	f := &front{listener: d, inner: l, addr: l.Addr()}
	f.more = sync.NewCond(&f.mu)
	return f
}

// open lets the workers accept from a front; it does nothing for another
// listener.
func (s *workers) open(l net.Listener) error {
	f, ok := l.(*front)
	if !ok {
		return nil
	}
	raw, err := f.inner.(*net.TCPListener).SyscallConn()
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	for _, w := range s.all {
		fd, failed := -1, error(nil)
		err := raw.Control(func(old uintptr) { fd, failed = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
		if err = errors.Join(err, os.NewSyscallError("fcntl", failed)); err != nil {
			return err
		}
		prepare(fd)
		a := &acceptor{front: f, worker: w, fd: fd}
		f.acceptors = append(f.acceptors, a)
		if !w.Post(a.listen) {
			closeAll(fd)
		}
	}
	return f.inner.Close() // its own copy of the socket, which nobody reads
}

// prepare sets what every connection inherits. Whoever connects speaks first
// (HTTP, as everything here does), so that the kernel may wait for the first
// bytes; a silent connection is handed over after about a second all the same.
func prepare(fd int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 1)
}

// Addr returns the address that is listened on.
func (f *front) Addr() net.Addr { return f.addr }

// Accept returns the next connection that the workers do not serve.
func (f *front) Accept() (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.waiting) == 0 && !f.closed && f.failed == nil {
		f.more.Wait()
	}
	if f.closed {
		return nil, net.ErrClosed
	}
	if f.failed != nil {
		return nil, f.failed
	}
	c := f.waiting[0]
	f.waiting = f.waiting[1:]
	return c, nil
}

// Close ends accepting.
func (f *front) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	f.more.Broadcast()
	for _, a := range f.acceptors {
		a.worker.Post(a.close)
	}
	for _, c := range f.waiting {
		_ = c.Close()
	}
	f.waiting = nil
	if len(f.acceptors) == 0 {
		return f.inner.Close()
	}
	return nil
}

// give hands a connection to the HTTP server.
func (f *front) give(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		_ = c.Close()
		return
	}
	f.waiting = append(f.waiting, c)
	f.more.Signal()
}

// fail ends the listener: Accept says why.
func (f *front) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = os.NewSyscallError("accept", err)
	f.more.Broadcast()
}

// acceptor is one worker's share of a front.
type acceptor struct {
	front  *front
	worker *worker
	fd     int
	end    reactor.End
	closed bool
}

// listen begins to accept, or begins again.
func (a *acceptor) listen() {
	if a.closed {
		return
	}
	if err := a.worker.AddListener(&a.end, a.fd, a); err != nil {
		a.rest(err)
	}
}

// rest stops accepting for a moment, or for good where asking again is in vain.
func (a *acceptor) rest(err error) {
	a.worker.Remove(&a.end)
	if isLasting(err) {
		a.front.fail(err)
		return
	}
	a.worker.g.cannotAccept(err)
	a.worker.resting = append(a.worker.resting, a)
	a.worker.Arm()
}

func (a *acceptor) close() {
	a.closed = true
	a.worker.Remove(&a.end)
	a.worker.CloseFD(a.fd)
}

// Ready accepts one connection; if more wait, the loop says so again.
func (a *acceptor) Ready(*reactor.End) {
	// Package unix's Accept4 asks the connection for its protocol too.
	fd, from, err := syscall.Accept4(a.fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	switch err {
	case nil:
		f := &flow{worker: a.worker, front: a.front, clientFD: fd, upstreamFD: -1, from: addressOf(from)}
		f.begin()
	case unix.EAGAIN, unix.EINTR, unix.ECONNABORTED:
	default:
		a.rest(err) // such as EMFILE, until something has been closed; asking again at once would spin
	}
}

// addressOf returns the address of a TCP endpoint, IPv4 as IPv4.
func addressOf(a syscall.Sockaddr) netip.AddrPort {
	switch a := a.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *syscall.SockaddrInet6:
		addr := netip.AddrFrom16(a.Addr).Unmap()
		if a.ZoneId != 0 {
			addr = addr.WithZone(strconv.FormatUint(uint64(a.ZoneId), 10))
		}
		return netip.AddrPortFrom(addr, uint16(a.Port))
	}
	return netip.AddrPort{}
}
