package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is a running proxy or origin.
type process struct {
	addr string
	cmd  *exec.Cmd
}

func (p *process) stop() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.cmd.Wait()         // killed is how it ends
}

// memory returns the resident set in bytes.
func (p *process) memory() int {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	fields := strings.Fields(string(data))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

// freeAddress returns an address that is free now.
func freeAddress() (addr, port string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer l.Close()
	return l.Addr().String(), strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// launch starts a command and waits until it listens at the address, for 20 s:
// long lists take their time.
func launch(dir, addr string, cmd *exec.Cmd) (*process, error) {
	said := filepath.Join(dir, filepath.Base(cmd.Path)+".stderr")
	file, err := os.Create(said)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd.Stderr = file
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{addr: addr, cmd: cmd}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			c.Close()
			time.Sleep(300 * time.Millisecond) // what it does at its start is not measured
			return p, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.stop()
	why, _ := os.ReadFile(said)
	return nil, fmt.Errorf("%s does not listen at %s: %.500s", cmd.Path, addr, why)
}

// helper is a command that runs this program as something else.
func helper(role string, args ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.Command(path, append([]string{"-role", role}, args...)...), nil
}

// startOrigin starts the origin at the ports of https and http.
func startOrigin(dir string) (*process, error) {
	cmd, err := helper("origin", "-listen", ":443,:80")
	if err != nil {
		return nil, err
	}
	return launch(dir, "127.0.0.1:80", cmd)
}
