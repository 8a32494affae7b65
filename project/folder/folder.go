// Package folder is an app's folder on this machine: it reads it by the path that a
// person named, says how it would be served, and writes changes into it. What is
// read of it, and what a change is, is package project's, which works on any
// file system.
//
//	app, dir, err := folder.Open("examples/todo", nil)
//	err = folder.Write(dir, []project.Change{{Name: "config.xml", Old: app.Config.Bytes(), New: data}})
package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project"
)

// Open reads the app in a folder ("" for the current one), or the one around a
// config.xml that is named itself, for the targets (none: the app's own). dir is
// the folder. An error names the file as the person would.
func Open(path string, targets []policy.Target) (read *app.App, dir string, err error) {
	if path == "" {
		path = "."
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", wording.FileError(path, err)
	}
	dir, options := path, project.Options{Targets: targets, Now: time.Now()}
	if !info.IsDir() {
		dir, options.Config = filepath.Dir(path), filepath.Base(path)
	}
	if read, err = project.Read(FS(dir), options); err != nil {
		return nil, "", Error(path, err)
	}
	return read, dir, nil
}

// OpenShips reads what says where an app may go, and none of its pages: by its
// folder ("" for the current one), or by its config.xml, around which the folder is
// looked at for what plugins add to it.
func OpenShips(path string, targets []policy.Target) (*app.App, error) {
	if path == "" {
		path = "."
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, wording.FileError(path, err)
	}
	if !info.IsDir() {
		doc, err := ReadConfig(path)
		if err != nil {
			return nil, err
		}
		return Around(doc, filepath.Dir(path), targets)
	}
	read, err := project.ReadShips(FS(path), project.Options{Targets: targets, Now: time.Now()})
	if err != nil {
		return nil, Error(path, err)
	}
	return read, nil
}

// Around reads what ships with a config.xml that stands in a folder, or in the
// folder's www.
func Around(doc *configxml.Document, dir string, targets []policy.Target) (*app.App, error) {
	return AroundNoting(doc, dir, targets, func(string) {})
}

// AroundNoting is Around, and calls note for each file and folder that what was read
// depends on, before it is read: also for those that are not there.
func AroundNoting(doc *configxml.Document, dir string, targets []policy.Target, note func(path string)) (*app.App,
	error) {
	if filepath.Base(dir) == "www" {
		if _, err := os.Stat(filepath.Join(dir, "..", "package.json")); err == nil {
			dir = filepath.Join(dir, "..")
		}
	}
	return project.ReadShips(&noting{FS(dir), dir, note},
		project.Options{Document: doc, Targets: targets, Now: time.Now()})
}

// Error says what was wrong with an app's folder, or with its config.xml where path
// names that, so that the message names each file as the person would. Errors of
// package project get the folder before their file's name.
func Error(path string, err error) error {
	err = located(path, err)
	var missing *project.NotFoundError
	if errors.As(err, &missing) {
		return fmt.Errorf("%s: %w", path, err)
	}
	return wording.FileError(path, err)
}

func located(dir string, err error) error {
	if info, failed := os.Stat(dir); failed != nil {
		return err
	} else if !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	var (
		syntax    *configxml.SyntaxError
		large     *project.TooLargeError
		irregular *project.IrregularError
		unread    *project.UnreadError
	)
	switch {
	case errors.As(err, &syntax):
		syntax.Place.File = filepath.Join(dir, syntax.Place.File)
	case errors.As(err, &large):
		large.Name = filepath.Join(dir, large.Name)
	case errors.As(err, &irregular):
		irregular.Name = filepath.Join(dir, irregular.Name)
	case errors.As(err, &unread):
		unread.Name = filepath.Join(dir, unread.Name)
	}
	return err
}

// ReadConfig reads one config.xml by its name, which messages then show as it
// was written.
func ReadConfig(path string) (*configxml.Document, error) {
	doc, err := project.ReadConfig(named{os.DirFS(filepath.Dir(path)), path}, path)
	if err != nil {
		return nil, wording.FileError(path, err)
	}
	return doc, nil
}

// named is a folder in which one file goes by the whole path that a person
// wrote.
type named struct {
	fs.FS
	path string
}

// Open opens the file by its path as written.
func (n named) Open(name string) (fs.File, error) {
	if name == n.path {
		name = filepath.Base(name)
	}
	return n.FS.Open(name)
}

// Stat looks at the file without opening it, which for a pipe would wait for
// someone to write.
func (n named) Stat(name string) (fs.FileInfo, error) {
	if name == n.path {
		name = filepath.Base(name)
	}
	return fs.Stat(n.FS, name)
}
