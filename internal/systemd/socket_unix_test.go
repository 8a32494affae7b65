//go:build unix

package systemd

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// A socket is given away once. Its descriptor is closed then, and may be that of
// a database by the time somebody asks again.
func TestSocketIsGivenAwayOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd, err := unix.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	var s sockets
	got, err := s.take(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if got.Addr().String() != l.Addr().String() {
		t.Errorf("listens on %s, want %s", got.Addr(), l.Addr())
	}
	if err := unix.Dup2(int(f.Fd()), fd); err != nil { // as a file that was opened since
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if again, err := s.take(fd); err == nil {
		again.Close()
		t.Error("the socket was given away twice")
	}
	if _, err := unix.Getsockname(fd); err != nil {
		t.Errorf("asking again closed another's descriptor: %v", err)
	}
}
