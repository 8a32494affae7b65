package gateway

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// firstSystemdFD is the first descriptor that systemd passes (sd_listen_fds).
const firstSystemdFD = 3

// systemdListener returns the socket for an address "systemd" (the first one)
// or "systemd:NAME". named is false for every other address.
func systemdListener(address string) (l net.Listener, named bool, err error) {
	name, ok := strings.CutPrefix(address, "systemd")
	if !ok || name != "" && name[0] != ':' {
		return nil, false, nil
	}
	name = strings.TrimPrefix(name, ":")
	fd, err := systemdSocket(name)
	if err != nil {
		return nil, true, err
	}
	f := os.NewFile(uintptr(fd), "systemd socket")
	defer f.Close() // FileListener makes a copy
	l, err = net.FileListener(f)
	return l, true, err
}

func systemdSocket(name string) (fd int, err error) {
	if pid, err := strconv.Atoi(os.Getenv("LISTEN_PID")); err != nil || pid != os.Getpid() {
		return 0, errors.New("systemd has passed no sockets to this process")
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 1 {
		return 0, errors.New("systemd has passed no sockets")
	}
	if name == "" {
		return firstSystemdFD, nil
	}
	for i, other := range strings.Split(os.Getenv("LISTEN_FDNAMES"), ":") {
		if other == name && i < n {
			return firstSystemdFD + i, nil
		}
	}
	return 0, fmt.Errorf("systemd has passed no socket named %q", name)
}

// notifySystemd tells the service manager about the state, if there is one
// (sd_notify). A manager that does not listen is no reason to fail.
func notifySystemd(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if path[0] == '@' {
		path = "\x00" + path[1:] // an abstract socket
	}
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state))
}
