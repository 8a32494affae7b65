package parts

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cordon-sec/cordon/console"
)

// A change is written where the file is still what was shown, and nowhere else.
func TestPolicySaves(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config.xml")
	const before, after = `<widget><access origin="https://a.example"/></widget>`,
		`<widget><access origin="https://b.example"/></widget>`
	if err := os.WriteFile(file, []byte(before), 0o640); err != nil {
		t.Fatal(err)
	}
	saved := 0
	p := &Policy{Path: dir, Saved: func() { saved++ }}
	read, err := p.Project(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := (&Policy{Path: dir}).Save(t.Context(), read.Config, []byte(after)); !errors.Is(err, console.ErrReadOnly) {
		t.Errorf("without Saved: %v", err)
	}
	for _, want := range []error{nil, console.ErrChanged} {
		if err := p.Save(t.Context(), read.Config, []byte(after)); !errors.Is(err, want) {
			t.Errorf("saving: %v, want %v", err, want)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil || string(data) != after || saved != 1 {
		t.Errorf("saved %d times: %s, %v", saved, data, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file's mode: %v, %v", info.Mode(), err)
	}
}
