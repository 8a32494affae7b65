//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package gateway

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// silent reports whether a kept connection is open and has nothing to read: an
// origin that closed it, or that sent something unasked, is not asked again
// over it.
func silent(c syscall.Conn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		quiet = err == unix.EAGAIN
	})
	return err == nil && quiet
}

// quiet reports whether a connection that carried nothing yet is open and has
// nothing to read.
func quiet(c syscall.Conn) bool { return silent(c) }

// waits reports whether a connection waits to be accepted.
func waits(l net.Listener) bool {
	socket, ok := l.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	waiting := false
	err = raw.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		waiting = n > 0 && err == nil
	})
	return err == nil && waiting
}
