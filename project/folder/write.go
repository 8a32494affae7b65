package folder

import (
	"bytes"
	"crypto/rand"
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
	if err := replace(root, name, c.New, mode); err != nil {
		return fmt.Errorf("write %s: %w", c.Name, err)
	}
	return nil
}

// replace puts a file in the place of another, or of what that links to. The new
// one has a name that nobody can have prepared.
func replace(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	name, err := followed(root, name)
	if err != nil {
		return err
	}
	temporary := name + "." + rand.Text()[:8] + ".new"
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		return errors.Join(err, root.Remove(temporary))
	}
	return nil
}

// maxLinks is how many links are followed to a file.
const maxLinks = 8

// followed returns the file that a name stands for at the end of its links. A link
// out of the folder is an error of whoever opens it.
func followed(root *os.Root, name string) (string, error) {
	for range maxLinks {
		info, err := root.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSymlink == 0 {
			return name, nil
		}
		if err != nil {
			return "", err
		}
		target, err := root.Readlink(name)
		if err != nil {
			return "", err
		}
		if filepath.IsAbs(target) {
			return "", fmt.Errorf("it is a link to %s: name that file instead", target)
		}
		name = filepath.Join(filepath.Dir(name), target)
	}
	return "", errors.New("it is a link that leads nowhere")
}
