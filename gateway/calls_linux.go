package gateway

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of a worker never block, so they are made without telling Go's
// scheduler: it would take the processor away from a worker that splices a
// megabyte, and hand it back with a switch of threads.

// read reads from a descriptor that does not block.
func read(fd int, b []byte) (int, error) {
	return call(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
}

// write writes to a descriptor that does not block.
func write(fd int, b []byte) (int, error) {
	return call(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
}

// splice moves up to size bytes between a pipe and a socket that does not block.
func splice(from, to, size int) (int, error) {
	const flags = unix.SPLICE_F_NONBLOCK | unix.SPLICE_F_MOVE
	return call(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(size), flags)
}

//go:uintptrescapes
func call(number, a, b, c, d, e, f uintptr) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(number, a, b, c, d, e, f)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
			continue
		}
		return -1, errno
	}
}
