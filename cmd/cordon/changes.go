package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/project/folder"
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

// writeChanges writes files below dir. A file that a person changed in the meantime
// is no failure of the machine.
func writeChanges(dir string, changes []project.Change) error {
	err := folder.Write(dir, changes)
	var changed *folder.ChangedError
	if err == nil || errors.As(err, &changed) {
		return err
	}
	return environment(err)
}
