package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func testSource(t *testing.T) Source {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("00ff\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"KEY": "00ff", "TEXT": "s3cret", "EMPTY": ""}
	return Source{Dir: dir, Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
}

func TestResolve(t *testing.T) {
	s := testSource(t)
	for _, c := range []struct {
		reference Reference
		text      string
		key       string
		isText    bool
	}{
		{"env:KEY", "00ff", "\x00\xff", false},
		{"file:key", "00ff", "\x00\xff", false},
		{"text-file:key", "00ff", "00ff", true},
		{"text-env:TEXT", "s3cret", "s3cret", true},
	} {
		v, err := s.Resolve(c.reference)
		if err != nil {
			t.Errorf("%s: %v", c.reference, err)
			continue
		}
		key, isText, err := v.Key()
		if v.Text() != c.text || string(key) != c.key || isText != c.isText || err != nil {
			t.Errorf("%s: %q, key %q, text %v, %v", c.reference, v.Text(), key, isText, err)
		}
	}
}

func TestResolveErrorsShowNoSecret(t *testing.T) {
	s := testSource(t)
	for _, r := range []Reference{"", "s3cret", "s3cret:x", "env:", "env:EMPTY", "env:UNSET", "file:none", "file:.",
		"secret:s3cret"} {
		_, err := s.Resolve(r)
		var e *Error
		if !errors.As(err, &e) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", r, err)
		}
	}
	v, err := s.Resolve("env:TEXT")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.Key(); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("not hexadecimal: %v", err)
	}
}

func TestFile(t *testing.T) {
	for reference, want := range map[Reference]string{
		"file:a": "a", "text-file:/b": "/b", "env:A": "", "": "", "a": "",
	} {
		if got := reference.File(); got != want {
			t.Errorf("%s: %q, want %q", reference, got, want)
		}
	}
}

func TestFrom(t *testing.T) {
	for reference, want := range map[Reference]Reference{
		"file:key": "file:/conf/key", "text-file:../key": "text-file:/key", "file:/run/key": "file:/run/key",
		"env:KEY": "env:KEY", "text-env:KEY": "text-env:KEY", "s3cret": "s3cret", "file:": "file:", "": "",
	} {
		if got := reference.From("/conf"); got != want {
			t.Errorf("%q: %q, want %q", reference, got, want)
		}
	}
}

// A device has no size, and no end.
func TestReadingIsBounded(t *testing.T) {
	s := testSource(t)
	if err := os.WriteFile(filepath.Join(s.Dir, "long"), bytes.Repeat([]byte("s3cret"), maxBytes), 0o600); err != nil {
		t.Fatal(err)
	}
	files := map[Reference]string{"file:long": "and it is larger"}
	if _, err := os.Stat("/dev/zero"); err == nil {
		files["file:/dev/zero"] = "and it is a device"
	}
	for r, says := range files {
		_, err := s.Resolve(r)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", r, err)
		}
	}
}

func TestValueDoesNotPrint(t *testing.T) {
	v := NewValue([]byte("s3cret"))
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
	encoded, _ := json.Marshal(map[string]any{"v": v})
	text := fmt.Sprintf("%v %+v %#v %s %q %x %d", v, v, v, v, v, v, v) + log.String() + string(encoded) +
		fmt.Sprintf("%+v", struct{ V Value }{v})
	if strings.Contains(text, "s3cret") || strings.Contains(text, "733363") || strings.Contains(text, "115 ") {
		t.Error(text)
	}
}
