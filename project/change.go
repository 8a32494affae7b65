package project

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Change is one file of a project as an export wants it. Nothing is written
// here: whoever owns the folder does that.
type Change struct {
	// Name is the file's name in the folder, with slashes.
	Name string
	// Old is what the file holds, nil if there is none.
	Old []byte
	// New is what it is to hold.
	New []byte
}

// Same reports whether there is nothing to do.
func (c Change) Same() bool { return c.Old != nil && bytes.Equal(c.Old, c.New) }

// OwnedError reports that an export would overwrite what a person wrote.
type OwnedError struct {
	Name string
	// What is in the way, such as "the file".
	What string
	// Loses are the parts of it that would be lost, if they can be told.
	Loses []string
	// Opens are what it keeps out and what would replace it lets in, likewise.
	Opens []string
}

// Error names the file and the way out.
func (e *OwnedError) Error() string {
	changes := ""
	if len(e.Loses) > 0 {
		changes = ", and the new one leaves out " + strings.Join(e.Loses, ", ")
	}
	if len(e.Opens) > 0 {
		changes += ", and the new one lets in " + strings.Join(e.Opens, ", ")
	}
	return fmt.Sprintf("%s: %s was not written by cordon export%s; use --force to replace it", e.Name, e.What, changes)
}

// current reads a file that may be missing; nil means that it is.
func current(fsys fs.FS, name string) ([]byte, error) {
	data, err := readBounded(fsys, name, MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if data == nil {
		data = []byte{}
	}
	return data, nil
}
