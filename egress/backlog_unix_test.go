//go:build unix

package egress

import (
	"net/netip"
	"syscall"
)

// backlogged is a listening socket with the shortest backlog.
type backlogged struct {
	fd   int
	addr netip.AddrPort
}

func (b *backlogged) close() { _ = syscall.Close(b.fd) }

func listenBacklog(ip string, port uint16) (*backlogged, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	addr := netip.MustParseAddr(ip)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: addr.As4(), Port: int(port)}); err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	if err := syscall.Listen(fd, 0); err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	return &backlogged{fd, netip.AddrPortFrom(addr, uint16(name.(*syscall.SockaddrInet4).Port))}, nil
}
