package gateway

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// socket is a connection made of a bare descriptor. Package net asks each
// descriptor that it is given for both of its addresses, sets options on it and
// makes a second one; a loop knows all that already.
type socket struct {
	*os.File
	local, remote net.Addr
	first         []byte // was read before; read again
}

// newSocket takes over a connected descriptor that does not block.
func newSocket(fd int, local net.Addr, remote netip.AddrPort, first []byte) *socket {
	return &socket{os.NewFile(uintptr(fd), "tcp"), local, net.TCPAddrFromAddrPort(remote), first}
}

// LocalAddr returns the address of the listener, or nil for an origin's side.
func (s *socket) LocalAddr() net.Addr { return s.local }

// bound asks the system for the local address, which LocalAddr has of the listener.
func (s *socket) bound() (local netip.AddrPort) {
	raw, err := s.SyscallConn()
	if err != nil {
		return local
	}
	_ = raw.Control(func(fd uintptr) {
		switch name, _ := unix.Getsockname(int(fd)); at := name.(type) {
		case *unix.SockaddrInet4:
			local = netip.AddrPortFrom(netip.AddrFrom4(at.Addr), uint16(at.Port))
		case *unix.SockaddrInet6:
			local = netip.AddrPortFrom(netip.AddrFrom16(at.Addr), uint16(at.Port))
		}
	})
	return local
}

// RemoteAddr returns the address of the other side.
func (s *socket) RemoteAddr() net.Addr { return s.remote }

// Read returns what was read before, then what comes.
func (s *socket) Read(p []byte) (int, error) {
	if len(s.first) > 0 {
		n := copy(p, s.first)
		s.first = s.first[n:]
		return n, nil
	}
	n, err := s.File.Read(p)
	return n, s.wrap("read", err)
}

// Write sends.
func (s *socket) Write(p []byte) (int, error) {
	n, err := s.File.Write(p)
	return n, s.wrap("write", err)
}

// wrap makes errors look as package net's do: net/http tells time-outs by it,
// and crypto/tls those that pass.
func (s *socket) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if errors.Is(err, os.ErrClosed) {
		err = net.ErrClosed
	}
	return &net.OpError{Op: op, Net: "tcp", Source: s.local, Addr: s.remote, Err: err}
}

// ReadFrom must not be the file's own, which would copy past Write.
func (s *socket) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{s}, r)
}

// WriteTo must not be the file's own, which would copy past Read.
func (s *socket) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{s})
}

// CloseWrite passes the end of a stream on.
func (s *socket) CloseWrite() error {
	var failed error
	raw, err := s.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { failed = unix.Shutdown(int(fd), unix.SHUT_WR) })
	}
	if err != nil {
		return err
	}
	return failed
}

// detachable reports whether c is the system's own connection, with nothing
// read ahead.
func detachable(c net.Conn) bool {
	s, ok := c.(*socket)
	if ok {
		return len(s.first) == 0
	}
	_, ok = c.(*net.TCPConn)
	return ok
}

// detach takes the descriptor out of a raw connection, which is closed by it.
// ok is false for anything that is not the system's own connection, and then
// nothing has changed.
func detach(c net.Conn) (fd int, ok bool) {
	if !detachable(c) {
		return -1, false
	}
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return -1, false
	}
	fd = -1
	err = raw.Control(func(old uintptr) {
		fd, _ = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err != nil || fd < 0 {
		return -1, false
	}
	_ = c.Close()
	return fd, true
}
