//go:build unix

package configfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cordon-sec/cordon/internal/configfile"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "cordon.yaml"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(file, []byte("a: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(pipe, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		pipe:                       "must be a regular file, and it is a pipe",
		filepath.Join(dir, "link"): "must be a regular file, and it is a pipe",
		dir:                        "must be a regular file, and it is a folder",
		"/dev/zero":                "must be a regular file, and it is a device",
		filepath.Join(dir, "none"): "no such file",
	} {
		if data, err := configfile.Read(name, 100); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v, want %q", name, data, err, want)
		}
	}
	if data, err := configfile.Read(file, 5); string(data) != "a: 1\n" || err != nil {
		t.Errorf("the file: %q, %v", data, err)
	}
	if _, err := configfile.Read(file, 4); err == nil || !strings.Contains(err.Error(), "at most 4 bytes") {
		t.Errorf("a larger file: %v", err)
	}
}

// A pipe that is open already, as a shell's <(…) is, can be read.
func TestReadOpenPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("a: 1\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(name); err != nil {
		t.Skipf("this system has no %s: %v", name, err)
	}
	if data, err := configfile.Read(name, 100); string(data) != "a: 1\n" || err != nil {
		t.Errorf("%s: %q, %v", name, data, err)
	}
}
