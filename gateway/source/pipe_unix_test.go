//go:build unix

package source

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cordon-sec/cordon/gateway/config"
)

// A named pipe where a list belongs is an error, and holds nothing up.
func TestPipeIsNoList(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "config.xml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(config.Config{Apps: []config.App{{Name: "app", Config: pipe}}})
	if err == nil || !strings.Contains(err.Error(), "must be a regular file") {
		t.Error(err)
	}
}
