package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// enclose runs this program again in namespaces of its own: a network without
// a way out, mounts that nobody else sees, and processes that all end with it.
func enclose(ctx context.Context, args []string) error {
	path, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	runtime.LockOSThread() // the signal comes when the thread ends that started it
	defer runtime.UnlockOSThread()
	err = cmd.Run()
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) && ended.ExitCode() == 1 {
		return errors.New("see above")
	}
	return err
}

// furnish makes of empty namespaces a place where proxies run: the loopback
// with the origins' addresses, and the files that say how names are resolved.
func furnish(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("/proc: %w", err)
	}
	for name, content := range map[string]string{
		"resolv.conf":   "nameserver 127.0.0.1\n",
		"hosts":         "127.0.0.1 localhost\n::1 localhost\n",
		"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
		if err := unix.Mount(path, "/etc/"+name, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("/etc/%s: %w", name, err)
		}
	}
	// A name cache of the machine would answer instead of this network's server.
	if _, err := os.Stat("/run/nscd"); err == nil {
		if err := unix.Mount("tmpfs", "/run/nscd", "tmpfs", 0, ""); err != nil {
			return fmt.Errorf("/run/nscd: %w", err)
		}
	}
	return addresses()
}

// addresses brings the loopback up and gives it the origins' addresses.
func addresses() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	up, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	up.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, up); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	for _, step := range []struct {
		request uint
		value   net.IP
	}{{unix.SIOCSIFADDR, originNet.IP}, {unix.SIOCSIFNETMASK, net.IP(originNet.Mask)}} {
		alias, err := unix.NewIfreq("lo:1")
		if err != nil {
			return err
		}
		if err := alias.SetInet4Addr(step.value.To4()); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(fd, step.request, alias); err != nil {
			return fmt.Errorf("address %v: %w", originNet, err)
		}
	}
	return nil
}

// cpu returns the processor time that the process has used.
func (p *process) cpu() time.Duration {
	if p == nil {
		return 0
	}
	var t unix.Timespec
	// The clock of another process, as clock_getcpuclockid(3) makes it.
	if err := unix.ClockGettime(int32(^p.cmd.Process.Pid)<<3|2, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
