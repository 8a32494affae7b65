//go:build !linux

package gateway

import "syscall"

// reset is not known without a system call of Linux: what a read or write says
// must do.
func reset(syscall.Conn) bool { return false }
