package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cordon-sec/cordon/project"
	"github.com/rogpeppe/go-internal/diff"
)

// showChanges prints each change as a diff; files that stay as they are print
// nothing. It returns how many change.
func showChanges(w io.Writer, changes []project.Change) (int, error) {
	count := 0
	for _, c := range changes {
		if c.Same() {
			continue
		}
		count++
		before := c.Name
		if c.Old == nil {
			before = os.DevNull
		}
		if _, err := w.Write(diff.Diff(before, c.Old, c.Name, c.New)); err != nil {
			return count, environment(fmt.Errorf("show the changes: %w", err))
		}
	}
	return count, nil
}

// writeChanges writes files below dir. It refuses a file that is no longer as
// it was read, writes each one whole or not at all, and stays inside dir.
func writeChanges(dir string, changes []project.Change) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return environment(fmt.Errorf("write changes: %w", err))
	}
	defer root.Close()
	for _, c := range changes {
		if c.Same() {
			continue
		}
		if err := writeChange(root, c); err != nil {
			return err
		}
	}
	return nil
}

func writeChange(root *os.Root, c project.Change) error {
	name := filepath.FromSlash(c.Name)
	mode := fs.FileMode(0o644)
	now, err := root.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Old == nil:
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return environment(fmt.Errorf("write %s: %w", c.Name, err))
		}
	case err != nil:
		return environment(fmt.Errorf("write %s: %w", c.Name, err))
	case c.Old == nil || !bytes.Equal(now, c.Old):
		return fmt.Errorf("%s changed while it was being worked on: nothing was written to it; run the command again",
			c.Name)
	default:
		if info, err := root.Stat(name); err == nil {
			mode = info.Mode().Perm()
		}
	}
	temporary := name + ".cordon-new"
	if err := root.WriteFile(temporary, c.New, mode); err != nil {
		return environment(fmt.Errorf("write %s: %w", c.Name, err))
	}
	if err := root.Rename(temporary, name); err != nil {
		return environment(errors.Join(fmt.Errorf("write %s: %w", c.Name, err), root.Remove(temporary)))
	}
	return nil
}
