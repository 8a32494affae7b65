package proctest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// asServer makes the test binary the server that the tests start.
const asServer = "CORDON_PROCTEST_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) == "" {
		os.Exit(m.Run())
	}
	l, err := net.Listen("tcp", os.Args[len(os.Args)-1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("begins")
	fmt.Println("at " + l.Addr().String())
	select {} // until it is told to end
}

func server(t *testing.T, address string) *Process {
	t.Helper()
	cmd := exec.Command(os.Args[0], address)
	cmd.Env = append(os.Environ(), asServer+"=1")
	return Start(t, cmd)
}

func TestServer(t *testing.T) {
	p := server(t, "127.0.0.1:0")
	address := p.Line(func(line string) string {
		at, _ := strings.CutPrefix(line, "at ")
		if at == line {
			return ""
		}
		return at
	})
	p.Listens(address)
	if want := "begins\nat " + address + "\n"; p.Said() != want {
		t.Errorf("it said %q, want %q", p.Said(), want)
	}
	if err := p.Stop(); err == nil || err.Error() != "signal: terminated" {
		t.Errorf("stopped: %v", err)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}

func TestKill(t *testing.T) {
	p := server(t, FreeAddress(t))
	p.Kill()
	if err := p.Stop(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("killed: %v", err)
	}
}
