package egress

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// Start begins to connect to a destination and waits for nothing: it returns
// the descriptor of a socket that does not block and is writable once it is
// connected, or failed (SO_ERROR). The addresses are judged as in Dial, and the
// first one that may be dialled is taken. ok is false, and nothing has begun,
// where there is something to wait for or to explain: a name that must be
// looked up, an address that is refused. Dial does it then, and Dial is also
// what to call if the socket does not connect soon: it tries the other
// addresses too. The caller closes the descriptor.
func (d *Dialer) Start(to Destination) (fd int, result Result, ok bool) {
	result.Host = to.Host
	host, addr, err := parseHost(to.Host)
	if err != nil || to.Port == 0 {
		return -1, result, false
	}
	addrs := []netip.Addr{addr}
	if !addr.IsValid() {
		if addrs, result.Cached = d.cache.peek(host); !result.Cached {
			return -1, result, false
		}
	}
	usable := interleave(result.take(d.judgeAll(host, addrs, to)))
	if len(usable) == 0 {
		return -1, result, false
	}
	result.Addr = netip.AddrPortFrom(usable[0], to.Port)
	fd, err = begin(result.Addr)
	return fd, result, err == nil
}

// begin opens a socket and lets it connect.
func begin(to netip.AddrPort) (fd int, err error) {
	family, address := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()})
	if to.Addr().Is4() {
		family, address = unix.AF_INET, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err == nil {
		err = unix.Connect(fd, address)
	}
	if err != nil && err != unix.EINPROGRESS {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
