// Package systemd speaks with a service manager of systemd's kind: it takes the
// sockets that the manager has opened (sd_listen_fds) and tells it about the
// process (sd_notify). Without a manager there are no sockets, and telling does
// nothing.
package systemd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// firstSocket is the first descriptor that a manager passes.
const firstSocket = 3

// notifyTime bounds how long a manager that does not listen can hold us up.
const notifyTime = time.Second

// IsSocket reports whether an address names a socket of the manager's: "systemd",
// the first one, or "systemd:NAME".
func IsSocket(address string) bool {
	return address == "systemd" || strings.HasPrefix(address, "systemd:")
}

// Listen returns the socket that an address names. A socket is given away once:
// its descriptor may be anything afterwards.
func Listen(address string) (net.Listener, error) {
	if !IsSocket(address) {
		return nil, fmt.Errorf(`%q must be "systemd" or "systemd:NAME"`, address)
	}
	fd, err := find(strings.TrimPrefix(strings.TrimPrefix(address, "systemd"), ":"))
	if err != nil {
		return nil, err
	}
	return passed.take(fd)
}

// find returns the descriptor of a name, of the first socket for "".
func find(name string) (fd int, err error) {
	if pid, err := strconv.Atoi(os.Getenv("LISTEN_PID")); err != nil || pid != os.Getpid() {
		return 0, errors.New("systemd has passed no sockets to this process")
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 1 {
		return 0, errors.New("systemd has passed no sockets")
	}
	if name == "" {
		return firstSocket, nil
	}
	for i, other := range strings.Split(os.Getenv("LISTEN_FDNAMES"), ":") {
		if other == name && i < n {
			return firstSocket + i, nil
		}
	}
	return 0, fmt.Errorf("systemd has passed no socket named %q: its unit needs FileDescriptorName=%s", name, name)
}

// sockets are the descriptors that have been given away.
type sockets struct {
	mu    sync.Mutex
	given map[int]bool
}

var passed sockets

// take makes a listener of a descriptor that has not been given away yet.
func (s *sockets) take(fd int) (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.given[fd] {
		return nil, errors.New("this socket of systemd's is listened on already: each listener needs one of its own")
	}
	f := os.NewFile(uintptr(fd), "systemd socket")
	if f == nil {
		return nil, fmt.Errorf("systemd has passed no descriptor %d", fd)
	}
	defer f.Close() // FileListener makes a copy
	if s.given == nil {
		s.given = map[int]bool{}
	}
	s.given[fd] = true
	return net.FileListener(f)
}

// Notify tells the manager about the process: "READY=1", "STOPPING=1". A manager
// that does not listen is not a reason to fail.
func Notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if name, abstract := strings.CutPrefix(path, "@"); abstract {
		path = "\x00" + name
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close()
	if conn.SetWriteDeadline(time.Now().Add(notifyTime)) == nil {
		_, _ = conn.Write([]byte(state))
	}
}
