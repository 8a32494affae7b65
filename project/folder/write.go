package folder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cordon-sec/cordon/project"
)

// ChangedError is a file that somebody else changed after it was read: it was left
// as it is.
type ChangedError struct {
	// Name is the file's name in the folder.
	Name string
}

// Error names the file and says that nothing was written.
func (e *ChangedError) Error() string {
	return e.Name + " changed while it was being worked on: nothing was written to it; run the command again"
}

// Write writes files below dir. It refuses a file that is no longer as it was read
// with a *ChangedError, writes each one whole or not at all, and stays inside dir.
func Write(dir string, changes []project.Change) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("write changes: %w", err)
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
			return fmt.Errorf("write %s: %w", c.Name, err)
		}
	case err != nil:
		return fmt.Errorf("write %s: %w", c.Name, err)
	case c.Old == nil || !bytes.Equal(now, c.Old):
		return &ChangedError{Name: c.Name}
	default:
		if info, err := root.Stat(name); err == nil {
			mode = info.Mode().Perm()
		}
	}
	temporary := name + ".cordon-new"
	if err := root.WriteFile(temporary, c.New, mode); err != nil {
		return fmt.Errorf("write %s: %w", c.Name, err)
	}
	if err := root.Rename(temporary, name); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", c.Name, err), root.Remove(temporary))
	}
	return nil
}
