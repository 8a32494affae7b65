package gateway

import (
	"syscall"

	"golang.org/x/sys/unix"
)

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
