package pgtest

import (
	"os"
	"os/exec"
	"syscall"
)

// runAs makes the command run as another user if we are root, and end with us.
func runAs(c *exec.Cmd, uid, gid uint32) {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Getuid() == 0 {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
}
