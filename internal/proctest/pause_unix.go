//go:build unix

package proctest

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// Pause holds the process up, and waits until it is. A signal is on its way for a
// moment, in which the process may still answer; where the system does not show
// processes as files, nothing is waited for.
func (p *Process) Pause() {
	p.t.Helper()
	p.Signal(syscall.SIGSTOP)
	for end := time.Now().Add(grace); time.Now().Before(end); {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		if err != nil {
			return
		}
		// The state stands behind the name, which is in brackets.
		if _, state, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(state, "T") {
			return
		}
	}
	p.t.Fatal("the process is not held up")
}

// Resume lets it go on.
func (p *Process) Resume() {
	p.t.Helper()
	p.Signal(syscall.SIGCONT)
}
