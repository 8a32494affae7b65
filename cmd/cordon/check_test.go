package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// TestCheckBadInput: what cannot be read ends with status 2, says which file,
// where, why and what to do, and prints nothing that could pass for a result.
func TestCheckBadInput(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	huge := write("huge.xml", nil)
	if err := os.Truncate(huge, configxml.MaxSize+1); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "folder", "config.xml")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"huge", huge, "huge.xml has 134217729 bytes, more than the 134217728 that are read; check that this is the " +
			"right file"},
		{"binary", write("binary.xml", []byte("<\x89PNG\r\n\x1a\n\x00\x00")),
			"binary.xml:1:2: the byte 0x89 is not valid UTF-8; save the file as UTF-8"},
		{"zip", write("zip.xml", []byte("PK\x03\x04\x00\x00")),
			"zip.xml:1:1: not an XML file: it begins with the byte 0x50 instead of <; give a config.xml"},
		{"UTF-16", write("utf16.xml", []byte("\xff\xfe<\x00a\x00")),
			"utf16.xml:1:1: the file is written in UTF-16 (little-endian), which is not read; save the file as UTF-8"},
		{"empty", write("empty.xml", nil), "empty.xml:1:1: the file is empty; a config.xml needs a <widget> element"},
		{"deep", write("deep.xml", []byte(strings.Repeat("<a>", 1000))),
			"deep.xml:1:385: elements nested deeper than 128; flatten the file"},
		{"folder of that name", filepath.Dir(folder), "no config.xml here (looked for config.xml, "},
		{"device", "/dev/null", "/dev/null is not an ordinary file; name a config.xml"},
		{"missing", filepath.Join(dir, "nowhere"), "nowhere: no such file or folder"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := execute(context.Background(), []string{"check", test.path}, strings.NewReader(""), &stdout,
				&stderr)
			if status != exitUsage || stdout.Len() > 0 || !strings.Contains(stderr.String(), test.want) {
				t.Errorf("status %d, output %q, error %q\nwant …%s…", status, stdout.String(), stderr.String(),
					test.want)
			}
		})
	}
}

func TestCheckUnreadableFile(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("running as root: every file is readable")
	}
	path := filepath.Join(t.TempDir(), "config.xml")
	if err := os.WriteFile(path, []byte("<widget/>"), 0); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if status := execute(context.Background(), []string{"check", path}, strings.NewReader(""), &stdout,
		&stderr); status != exitUsage ||
		!strings.Contains(stderr.String(), "not readable by this user; check its permissions") {
		t.Errorf("status %d, error %q", status, stderr.String())
	}
}

// TestCheckWithoutTerminal: into a file or a pipe no colours are written.
func TestCheckWithoutTerminal(t *testing.T) {
	var stdout, stderr bytes.Buffer
	status := execute(context.Background(), []string{"check", "../../examples/dreadful"}, strings.NewReader(""),
		&stdout, &stderr)
	if status != exitFindings || strings.Contains(stdout.String(), "\x1b") {
		t.Errorf("status %d, escapes %v, error %q", status, strings.Contains(stdout.String(), "\x1b"), stderr.String())
	}
	t.Setenv("NO_COLOR", "1")
	if wantsColour(os.Stdout) {
		t.Error("colours with NO_COLOR")
	}
}

// BenchmarkCheck is one run of the command over a project, without the start
// of the program.
func BenchmarkCheck(b *testing.B) {
	for b.Loop() {
		var stdout, stderr bytes.Buffer
		if status := execute(context.Background(), []string{"check", "../../examples/dreadful"}, strings.NewReader(""),
			&stdout, &stderr); status != exitFindings {
			b.Fatalf("status %d: %s", status, stderr.String())
		}
	}
}
