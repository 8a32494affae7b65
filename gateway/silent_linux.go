package gateway

import (
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

// reset reports whether a connection is known to be gone: reset, and not only
// closed on the other side, which may still read.
func reset(c syscall.Conn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	err = raw.Control(func(fd uintptr) { gone = resetFD(int(fd)) })
	return err != nil || gone
}

// tcpClose is the state of a connection that was reset (TCP_CLOSE).
const tcpClose = 7

func resetFD(fd int) bool {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && info.State == tcpClose
}
