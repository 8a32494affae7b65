// Package golden compares what a test made with a file of the repository. A test
// that runs with -update rewrites the file instead:
//
//	go test ./policy/lint -update
//	make update
//
// The flag exists in the packages whose tests import this one; make update finds
// them.
package golden

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the files that the tests compare with")

// Update reports whether the test is to rewrite its files.
func Update() bool { return *update }

// Compare fails the test unless the file holds what it made, and writes the file
// first where it runs with -update. The name is relative to the test's package.
func Compare(t testing.TB, name string, made []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is not there; run this test with -update to write it", name)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(made)); diff != "" {
		t.Errorf("%s is not current (-want +made); run this test with -update to rewrite it:\n%s", name, diff)
	}
}
