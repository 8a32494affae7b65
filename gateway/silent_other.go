//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package gateway

import (
	"net"
	"syscall"
)

// silent is not known here: nothing is kept, and what authenticates a connection
// over several requests does not work.
func silent(syscall.Conn) bool { return false }

// quiet is not known either: the first use must tell.
func quiet(syscall.Conn) bool { return true }

// waits reports whether a connection waits to be accepted: it is not known here.
func waits(net.Listener) bool { return true }
