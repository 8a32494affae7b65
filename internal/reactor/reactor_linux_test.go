package reactor

import (
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair returns two connected sockets that do not block.
func pair(t *testing.T) (ours, theirs int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fds[0], fds[1]
}

// start runs a loop until the test ends.
func start(t *testing.T) *Loop {
	t.Helper()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(l.Run)
	t.Cleanup(func() {
		l.Stop()
		running.Wait()
	})
	return l
}

// do runs f on the loop and waits for it.
func do(t *testing.T, l *Loop, f func()) {
	t.Helper()
	done := make(chan struct{})
	if !l.Post(func() { f(); close(done) }) {
		t.Fatal("the loop has ended")
	}
	<-done
}

type handler func(e *End)

func (h handler) Ready(e *End) { h(e) }

// reader tells what comes, one message for each time that its descriptor is
// ready, and "end" at the end.
func reader(l *Loop, heard chan<- string) handler {
	return func(e *End) {
		b := make([]byte, 64)
		n, err := unix.Read(e.FD, b)
		switch {
		case err == unix.EAGAIN:
			e.Readable = false
		case n > 0:
			heard <- string(b[:n])
		default:
			heard <- "end"
			l.Close(e)
		}
	}
}

func testMessages(t *testing.T) {
	l := start(t)
	ours, theirs := pair(t)
	heard := make(chan string, 8)
	var e End
	do(t, l, func() {
		if err := l.Add(&e, ours, reader(l, heard)); err != nil {
			t.Error(err)
		}
	})
	for _, text := range []string{"one", "two"} {
		if _, err := unix.Write(theirs, []byte(text)); err != nil {
			t.Fatal(err)
		}
		for got := range heard {
			if got != text {
				t.Fatalf("heard %q, sent %q", got, text)
			}
			break
		}
	}
	_ = unix.Close(theirs)
	if got := <-heard; got != "end" {
		t.Errorf("heard %q instead of the end", got)
	}
	do(t, l, func() {
		if e.Registered() || !e.Over {
			t.Errorf("after Close: registered %v, over %v", e.Registered(), e.Over)
		}
	})
}

func TestMessages(t *testing.T) { testMessages(t) }

// TestOneProcessor: a loop does not hold the only processor while it waits.
func TestOneProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	testMessages(t)
}

// TestClosedInItsBatch: what is let go by one handler is not told to another in
// the same batch, and its number is not given out again within it.
func TestClosedInItsBatch(t *testing.T) {
	l := start(t)
	a, b := pair(t)
	var first, second End
	told := make(chan *End, 2)
	do(t, l, func() {
		both := handler(func(e *End) {
			l.Close(&first)
			l.Close(&second)
			if fd, err := unix.Eventfd(0, 0); err != nil || fd == a || fd == b {
				t.Errorf("descriptor %d of the batch (%d, %d) was given out again: %v", fd, a, b, err)
			} else {
				l.CloseFD(fd)
			}
			told <- e
		})
		if l.Add(&first, a, both) != nil || l.Add(&second, b, both) != nil {
			t.Error("not added")
		}
	})
	<-told
	do(t, l, func() {})
	if len(told) != 0 {
		t.Error("a closed descriptor's handler was called")
	}
}

func TestRemovedIsOpen(t *testing.T) {
	l := start(t)
	ours, theirs := pair(t)
	defer unix.Close(ours)
	defer unix.Close(theirs)
	do(t, l, func() {
		var e End
		if err := l.Add(&e, ours, handler(func(*End) {})); err != nil {
			t.Error(err)
		}
		l.Remove(&e)
		l.Remove(&e) // nothing
	})
	if _, err := unix.Write(ours, []byte("x")); err != nil {
		t.Errorf("write to a descriptor that was given back: %v", err)
	}
}

func TestAgainAndTicks(t *testing.T) {
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	var again handler
	again = func(e *End) {
		if order = append(order, "again"); len(order) < 3 {
			l.Again(again)
		}
	}
	l.OnTick(func(now time.Time) bool {
		order = append(order, "tick")
		l.Stop()
		return false
	})
	l.Post(func() {
		l.Again(again)
		l.Arm()
	})
	l.Run()
	if len(order) != 4 || order[0] != "again" || order[2] != "again" || order[3] != "tick" {
		t.Errorf("in the order %v", order)
	}
}

// TestTicksWhileMuchIsReady: descriptors that are always ready, more than are looked
// at at once, do not keep the time-outs from being looked at.
func TestTicksWhileMuchIsReady(t *testing.T) {
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	l.OnTick(func(time.Time) bool {
		l.Stop()
		return false
	})
	ends := make([]End, 400)
	for i := range ends {
		ours, theirs := pair(t)
		defer unix.Close(theirs)
		again := handler(func(e *End) {
			_, _ = unix.Read(ours, make([]byte, 8))
			_, _ = unix.Write(theirs, []byte("x"))
		})
		l.Post(func() {
			if err := l.Add(&ends[i], ours, again); err != nil {
				t.Error(err)
			}
			_, _ = unix.Write(theirs, []byte("x"))
			l.Arm()
		})
	}
	l.Run() // until the tick
}

// TestEnd: what is registered is closed, and nothing can be posted any more.
func TestEnd(t *testing.T) {
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := pair(t)
	defer unix.Close(theirs)
	var e End
	l.Post(func() { _ = l.Add(&e, ours, handler(func(*End) {})) })
	l.Stop()
	l.Run()
	if l.Post(func() { t.Error("called after the end") }) {
		t.Error("posted after the end")
	}
	if n, err := unix.Read(theirs, make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("the other side reads %d, %v; the end was expected", n, err)
	}
}

// TestListenerIsSharedByLoops: each connection is told to one loop, and a loop
// that does not accept is told again.
func TestListenerIsSharedByLoops(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 16); err != nil {
		t.Fatal(err)
	}
	address, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	const count = 20
	accepted := make(chan int, count)
	for range 2 {
		l := start(t)
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		skip := true
		do(t, l, func() {
			err := l.AddListener(&End{}, own, handler(func(e *End) {
				if skip = !skip; skip {
					return // told again
				}
				if c, _, err := unix.Accept4(e.FD, unix.SOCK_CLOEXEC); err == nil {
					l.CloseFD(c)
					accepted <- c
				}
			}))
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range count {
		c, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(c)
		if err := unix.Connect(c, address); err != nil {
			t.Fatal(err)
		}
	}
	for range count {
		<-accepted
	}
}

// TestRefusedDescriptor: a descriptor that the system refuses to watch is not
// registered, and letting go of it does nothing.
func TestRefusedDescriptor(t *testing.T) {
	l := start(t)
	file, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 50) // higher than any that the loop has seen
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	do(t, l, func() {
		var e End
		if err := l.Add(&e, fd, handler(func(*End) {})); err == nil || e.Registered() {
			t.Errorf("a file is watched: %v, registered: %v", err, e.Registered())
		}
		l.Remove(&e)
		l.Close(&e)
	})
}
