//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cordon-sec/cordon/internal/lane"
)

// smallDisk returns a folder on a file system of its own that holds 64 KiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no file system that can be filled: mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestGatewayLogsAgain: while the disk of its log is full the gateway goes on and
// says that events are lost; with room again it logs again, whole lines only, and
// the log says how many are missing.
func TestGatewayLogsAgain(t *testing.T) {
	disk := smallDisk(t)
	file := filepath.Join(disk, "gateway.jsonl")
	list := writeConfig(t, `<access origin="https://api.example.org"/>`)
	settings := filepath.Join(filepath.Dir(list), "cordon.yaml")
	writeSoakFile(t, settings, fmt.Sprintf("gateway:\n  log: %s\n  log_burst: -1\n  apps:\n"+
		"    - {name: a, config: config.xml}\n", file))
	client, _, lines, stop := runningGateway(t, "--config", settings)
	messages := make(chan string, 1000)
	go func() {
		for lines.Scan() {
			messages <- lines.Text()
		}
		close(messages)
	}()
	ask := func() {
		t.Helper()
		resp, err := client.Get("http://unlisted.example/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Fatalf("%d", resp.StatusCode)
		}
	}
	logged := func() []byte {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	ask()
	lane.Until(t, "the first event is logged", func() bool { return bytes.Count(logged(), []byte("\n")) == 1 })

	rest := filepath.Join(disk, "rest")
	if err := os.WriteFile(rest, make([]byte, 1<<20), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	// The log may still have room in the file's last block.
	lane.Until(t, "events are lost", func() bool {
		ask()
		select {
		case line := <-messages:
			return strings.Contains(line, "events are lost, the gateway goes on")
		default:
			return false
		}
	})
	before := len(logged())

	if err := os.Remove(rest); err != nil {
		t.Fatal(err)
	}
	lane.Until(t, "events are logged again", func() bool {
		ask()
		select {
		case line := <-messages:
			return strings.Contains(line, "events are logged again")
		default:
			return false
		}
	})
	if status := stop(); status != exitFine {
		t.Errorf("exit status %d", status)
	}
	after := logged()[before:]
	if i := bytes.IndexByte(after, '\n'); i < 0 || !bytes.Contains(after, []byte(`"dropped":`)) {
		t.Errorf("behind what was there: %.300s", after)
	}
}
