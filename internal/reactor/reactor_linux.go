package reactor

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Tick is how precise the loop's time is: while a loop is armed (Arm), it calls
// its tick function that often.
const Tick = 50 * time.Millisecond

// Handler is told when one of its descriptors is ready.
type Handler interface {
	Ready(e *End)
}

// End is one registered descriptor. Its zero value is not registered. Readiness
// is told once, when it begins (edge-triggered): the handler clears Readable
// and Writable when a call has shown that there is nothing more to do.
type End struct {
	// FD is the descriptor while it is registered.
	FD int
	// Readable and Writable say that a read or write may succeed.
	Readable, Writable bool
	// Over says that the other side sends no more, or that the connection has
	// failed: reading goes on until it shows which.
	Over bool

	handler    Handler
	generation int32
	level      bool
}

// Registered reports whether a loop has the descriptor.
func (e *End) Registered() bool { return e.handler != nil }

// Loop is one goroutine's descriptors.
type Loop struct {
	epoll, wake int
	ends        []*End // by descriptor
	generation  int32
	gone        []int // closed when the batch is done, so that no number is used again within it
	again, next []Handler
	now         time.Time
	tick        func(now time.Time) (more bool)
	armed       bool
	full        int       // looks since the last tick that had more than there was room for
	looked      time.Time // when it was asked last what has come
	ticked      time.Time

	// poller, where the process has one processor only, lets the goroutine wait
	// without holding it.
	poller syscall.RawConn
	file   *os.File

	mu      sync.Mutex
	posted  []func()
	stopped bool
	ended   bool
}

// New returns a loop without descriptors. Run serves and in the end releases it.
func New() (*Loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, os.NewSyscallError("eventfd", err)
	}
	l := &Loop{epoll: epoll, wake: wake, now: time.Now()}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(wake)}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, wake, &event); err != nil {
		l.release()
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	if runtime.GOMAXPROCS(0) == 1 {
		l.share()
	}
	return l, nil
}

// share makes the wait for the descriptors one that the runtime does.
func (l *Loop) share() {
	if unix.SetNonblock(l.epoll, true) != nil {
		return
	}
	l.file = os.NewFile(uintptr(l.epoll), "epoll") // which closes the descriptor from now on
	if poller, err := l.file.SyscallConn(); err == nil && l.file.SetReadDeadline(time.Time{}) == nil {
		l.poller = poller
	}
}

// OnTick sets the function that is called every Tick while the loop is armed;
// it returns whether it wants to be called again. Call it before Run.
func (l *Loop) OnTick(f func(now time.Time) (more bool)) { l.tick = f }

// Arm makes the loop call its tick function.
func (l *Loop) Arm() {
	if !l.armed {
		l.armed, l.ticked = true, l.now
	}
}

// Now returns the time at which the handlers of this batch began.
func (l *Loop) Now() time.Time { return l.now }

// Add registers a descriptor that does not block; from now on it is the loop's
// to close.
func (l *Loop) Add(e *End, fd int, h Handler) error {
	return l.add(e, fd, h, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLPRI|unix.EPOLLET)
}

// AddListener registers a listening socket. Readiness is told as long as a
// connection waits, to one of the loops that have the same socket.
func (l *Loop) AddListener(e *End, fd int, h Handler) error {
	e.level = true
	return l.add(e, fd, h, unix.EPOLLIN|unix.EPOLLEXCLUSIVE)
}

func (l *Loop) add(e *End, fd int, h Handler, events uint32) error {
	l.generation++
	event := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: l.generation}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	if fd >= len(l.ends) {
		l.ends = slices.Grow(l.ends, fd+1-len(l.ends))[:fd+1]
	}
	// Only now: an End that was refused is not registered.
	e.FD, e.handler, e.generation = fd, h, l.generation
	e.Readable, e.Writable, e.Over = false, false, false
	l.ends[fd] = e
	return nil
}

// Remove gives the descriptor back, open. It does nothing for an End that is
// not registered.
func (l *Loop) Remove(e *End) {
	if l.forget(e) {
		_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_DEL, e.FD, nil)
	}
}

// Close ends the descriptor's registration and closes it after this batch. It
// does nothing for an End that is not registered.
func (l *Loop) Close(e *End) {
	if l.forget(e) {
		l.CloseFD(e.FD)
	}
}

// CloseFD closes a descriptor that was never registered, after this batch.
func (l *Loop) CloseFD(fd int) { l.gone = append(l.gone, fd) }

func (l *Loop) forget(e *End) bool {
	if e.handler == nil {
		return false
	}
	e.handler = nil
	l.ends[e.FD] = nil
	return true
}

// Again makes the loop call h's Ready with nil after this batch: for a handler
// that gives way to others before it is done.
func (l *Loop) Again(h Handler) { l.again = append(l.again, h) }

// Post makes the loop call f. It reports false, and f is never called, if the
// loop has ended. It may be called from any goroutine.
func (l *Loop) Post(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return false
	}
	l.posted = append(l.posted, f)
	if len(l.posted) == 1 {
		l.ring()
	}
	return true
}

func (l *Loop) ring() {
	one := [8]byte{1} // the counter is in the machine's byte order; any number does
	_, _ = unix.Write(l.wake, one[:])
}

// Stop makes Run return after the posted functions. It may be called from any
// goroutine, once the descriptors' owners have let go of them: what is still
// registered is closed without a word.
func (l *Loop) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	l.ring()
}

// Run serves the descriptors until Stop.
func (l *Loop) Run() {
	defer l.release()
	events := make([]unix.EpollEvent, 256)
	for {
		n := l.wait(events)
		l.now = time.Now()
		woken := false
		for i := range events[:n] {
			if int(events[i].Fd) == l.wake {
				woken = true
				continue
			}
			l.dispatch(&events[i])
		}
		l.next, l.again = l.again, l.next[:0]
		for _, h := range l.next {
			h.Ready(nil)
		}
		if woken && l.runPosted() {
			return
		}
		// What has come counts before the time by which it should have: after a pause
		// of the whole process, such as a machine's sleep, both are there. All that came
		// until the last look has been dealt with, if there was not too much of it, or
		// looks enough that each descriptor has had its turn.
		if l.full++; n < len(events) {
			l.full = 0
		}
		seen := l.full == 0 || l.full*len(events) >= len(l.ends)
		if l.armed && seen && l.looked.Sub(l.ticked) >= Tick {
			l.ticked, l.full = l.looked, 0
			l.armed = l.tick(l.looked)
		}
		for _, fd := range l.gone {
			_ = unix.Close(fd)
		}
		l.gone = l.gone[:0]
	}
}

// wait waits for the next events.
func (l *Loop) wait(events []unix.EpollEvent) int {
	timeout := -1
	switch {
	case len(l.again) > 0:
		timeout = 0
	case l.armed:
		timeout = int(Tick/time.Millisecond) + 1
	}
	if l.poller != nil && timeout != 0 {
		return l.park(events, timeout)
	}
	for {
		l.looked = time.Now()
		n, err := unix.EpollWait(l.epoll, events, timeout)
		if err == nil {
			return n
		}
		if !errors.Is(err, unix.EINTR) {
			panic("reactor: epoll_wait: " + err.Error()) // the descriptor is ours: this cannot be
		}
	}
}

// park waits as the runtime waits for its own descriptors.
func (l *Loop) park(events []unix.EpollEvent, timeout int) int {
	var until time.Time
	if timeout > 0 {
		until = time.Now().Add(time.Duration(timeout) * time.Millisecond)
	}
	_ = l.file.SetReadDeadline(until)
	n := 0
	look := func(fd uintptr) bool {
		l.looked = time.Now()
		n, _ = unix.EpollWait(int(fd), events, 0)
		return n > 0
	}
	if _ = l.poller.Read(look); n <= 0 { // the time is over; something may have come as well
		look(uintptr(l.epoll))
	}
	return max(n, 0)
}

func (l *Loop) dispatch(event *unix.EpollEvent) {
	e := l.ends[event.Fd]
	if e == nil || e.generation != event.Pad {
		return // of a descriptor that was let go earlier in this batch
	}
	const failed = unix.EPOLLERR | unix.EPOLLHUP
	if event.Events&(unix.EPOLLIN|unix.EPOLLRDHUP|failed) != 0 {
		e.Readable = true
	}
	if event.Events&(unix.EPOLLOUT|failed) != 0 {
		e.Writable = true
	}
	if event.Events&(unix.EPOLLRDHUP|unix.EPOLLPRI|failed) != 0 { // a read stops short before urgent data
		e.Over = true
	}
	e.handler.Ready(e)
}

// runPosted reports whether the loop is to end.
func (l *Loop) runPosted() bool {
	var count [8]byte
	_, _ = unix.Read(l.wake, count[:])
	l.mu.Lock()
	posted, stopped := l.posted, l.stopped
	l.posted = nil
	l.ended = l.ended || stopped
	l.mu.Unlock()
	for _, f := range posted {
		f()
	}
	return stopped
}

// release closes everything.
func (l *Loop) release() {
	for _, e := range l.ends {
		if e != nil {
			_ = unix.Close(e.FD)
		}
	}
	for _, fd := range l.gone {
		_ = unix.Close(fd)
	}
	_ = unix.Close(l.wake)
	if l.file != nil {
		_ = l.file.Close()
		return
	}
	_ = unix.Close(l.epoll)
}
