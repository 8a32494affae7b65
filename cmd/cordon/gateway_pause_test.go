//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/proctest"
)

// TestGatewayAfterAPause: a gateway that was held up, as by a machine's sleep, for
// longer than its time-outs answers what came meanwhile.
func TestGatewayAfterAPause(t *testing.T) {
	const header, clients = 2 * time.Second, 600 // more than a worker looks at at once
	dir := t.TempDir()
	list := writeConfig(t, `<access origin="https://api.example.org"/>`)
	settings := filepath.Join(dir, "cordon.yaml")
	writeSoakFile(t, settings, fmt.Sprintf(`gateway:
  listen: 127.0.0.1:0
  log: none
  timeouts: {header: %s}
  apps: [{name: pause, config: %s}]
`, header, list))
	cmd := exec.Command(commandOf(t), "gateway", "--config", settings)
	process := proctest.Start(t, cmd)
	proxy := process.Line(func(line string) string {
		_, after, _ := strings.Cut(line, "cordon: gateway for pause on ")
		address, _, _ := strings.Cut(after, " ")
		return address
	})
	descriptors := func() int {
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		return len(open)
	}
	var conns []net.Conn
	for range clients {
		conn, err := net.Dial("tcp", proxy)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
	}
	lane.Until(t, "they are accepted", func() bool { return descriptors() >= clients })
	process.Pause()
	over := time.After(header + header/4)
	for _, conn := range conns {
		if _, err := io.WriteString(conn, "GET http://evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	<-over
	process.Resume()
	answered := 0
	for _, conn := range conns {
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		answer := make([]byte, len("HTTP/1.1 403"))
		if _, err := io.ReadFull(conn, answer); err == nil && string(answer) == "HTTP/1.1 403" {
			answered++
		}
	}
	if answered != clients {
		t.Errorf("%d of %d are answered", answered, clients)
	}
}
