package parts

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/cordon-sec/cordon/console"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/project/folder"
)

// Policy is an app's folder, or its config.xml, as console.Policy.
type Policy struct {
	// Path is the folder; where nothing is saved it may be the file.
	Path string
	// Saved is called after a change was written; nil: nothing is changed from the
	// console.
	Saved func()
}

// Project is part of console.Policy.
func (p *Policy) Project(context.Context) (*app.App, error) {
	read, _, err := folder.Open(p.Path, nil)
	return read, err
}

// Save is part of console.Policy.
func (p *Policy) Save(_ context.Context, old *configxml.Document, data []byte) error {
	if p.Saved == nil {
		return console.ErrReadOnly
	}
	now, err := os.ReadFile(filepath.Join(p.Path, filepath.FromSlash(old.Name())))
	if err != nil {
		return err
	}
	if !bytes.Equal(now, old.Bytes()) {
		return console.ErrChanged
	}
	err = folder.Write(p.Path, []project.Change{{Name: old.Name(), Old: old.Bytes(), New: data}})
	var changed *folder.ChangedError
	if errors.As(err, &changed) {
		return errors.Join(console.ErrChanged, err)
	}
	if err != nil {
		return err
	}
	p.Saved()
	return nil
}
