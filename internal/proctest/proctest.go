// Package proctest runs servers in tests as processes of their own.
//
// [Start] starts one; it ends with the test at the latest, and if the test fails,
// what it said is shown. [Process.Line] waits until it says where it listens,
// [Process.Listens] until it does.
package proctest

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/lane"
)

// grace is how long a process may take to end when it is asked to.
const grace = 5 * time.Second

// Process is a server that runs.
type Process struct {
	t     testing.TB
	cmd   *exec.Cmd
	lines chan string // what it says, a line each; closed at its end

	mu   sync.Mutex
	said strings.Builder

	ended chan struct{}
	err   error
}

// Start starts a command, whose output it takes over. It is asked to end
// when the test does, and killed if that does not end it.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	cmd.WaitDelay = grace
	p := &Process{t: t, cmd: cmd, lines: make(chan string, 1024), ended: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.listen(read)
	go func() {
		p.err = cmd.Wait()
		_ = write.Close()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.Stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", cmd.Path, p.Said())
		}
	})
	return p
}

// listen keeps what the process says. Lines that nobody waits for are kept in
// Said alone.
func (p *Process) listen(from io.Reader) {
	defer close(p.lines)
	for lines := bufio.NewScanner(from); lines.Scan(); {
		p.mu.Lock()
		p.said.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
		select {
		case p.lines <- lines.Text():
		default:
		}
	}
	_, _ = io.Copy(io.Discard, from) // a line that was too long must not hold the process up
}

// Said returns what the process has said so far, both streams together.
func (p *Process) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// Line waits for a line in which find finds something, and returns that. The test
// fails if the process ends before.
func (p *Process) Line(find func(line string) string) string {
	p.t.Helper()
	for line := range p.lines {
		if found := find(line); found != "" {
			return found
		}
	}
	p.t.Fatalf("%s ended before it said what was waited for:\n%s", p.cmd.Path, p.Said())
	return ""
}

// Listens waits until somebody listens at the address. The test fails if the
// process ends before.
func (p *Process) Listens(address string) {
	p.t.Helper()
	lane.Until(p.t, p.cmd.Path+" listens at "+address, func() bool {
		select {
		case <-p.ended:
			p.t.Fatalf("%s ended before it listened:\n%s", p.cmd.Path, p.Said())
		default:
		}
		c, err := net.DialTimeout("tcp", address, time.Second)
		return err == nil && c.Close() == nil
	})
}

// Signal sends the process a signal, such as SIGSTOP, which holds it up until it
// gets SIGCONT.
func (p *Process) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// Kill ends the process at once, as a loss of power would, and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// Stop asks the process to end, kills it if it does not, and returns how it ended.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	late := time.AfterFunc(grace, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	<-p.ended
	return p.err
}

// FreeAddress returns an address of loopback at which nothing listens, for a
// server that cannot be told to choose one itself. Somebody else may take it
// first: where a server can choose, let it.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// FreePort returns the port of a FreeAddress.
func FreePort(t testing.TB) string {
	t.Helper()
	_, port, err := host.Split(FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	return port
}
