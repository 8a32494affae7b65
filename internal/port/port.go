// Package port says who holds a TCP port of this machine, for messages about ports
// that are taken.
package port

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/cordon-sec/cordon/internal/wording"
)

// TakenError is a port that could not be opened because a process holds it.
type TakenError struct {
	// Holder names the process as far as the system tells.
	Holder string
	Err    error
}

// Error says who holds the port.
func (e *TakenError) Error() string { return fmt.Sprintf("%v: it is held by %s", e.Err, e.Holder) }

// Unwrap returns what listening failed with.
func (e *TakenError) Unwrap() error { return e.Err }

// Explain makes a *TakenError of an error about a port in use; others stay as they
// are.
func Explain(err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	taken := &TakenError{Holder: unnamed, Err: err}
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil {
		if _, text, splitErr := net.SplitHostPort(op.Addr.String()); splitErr == nil {
			if port, atoiErr := strconv.Atoi(text); atoiErr == nil {
				taken.Holder = Holder(port)
			}
		}
	}
	return taken
}

// unnamed is a holder of whom the system does not tell.
const unnamed = "another process"

// Holder names the process that listens on a TCP port. Only Linux tells, and
// other users' processes only to root.
func Holder(port int) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if inode := listenerInode(table, port); inode != "" {
			if name := processWith(inode); name != "" {
				return name
			}
			return "a process of another user"
		}
	}
	return unnamed
}

// listenerInode looks for a listening socket in a table of the kernel: local
// address, state and inode are its second, fourth and tenth column (proc(5)).
func listenerInode(table string, port int) string {
	data, err := os.ReadFile(table)
	if err != nil {
		return ""
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != "0A" {
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		if n, err := strconv.ParseUint(hex, 16, 16); err == nil && int(n) == port {
			return fields[9]
		}
	}
	return ""
}

// processWith finds the process that has a socket open.
func processWith(inode string) string {
	descriptors, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, name := range descriptors {
		if target, err := os.Readlink(name); err != nil || target != "socket:["+inode+"]" {
			continue
		}
		process := strings.Split(name, "/")[2]
		command, err := os.ReadFile("/proc/" + process + "/comm")
		if err != nil {
			return "process " + process
		}
		return fmt.Sprintf("%s (process %s)", wording.Printable(strings.TrimSpace(string(command))), process)
	}
	return ""
}
