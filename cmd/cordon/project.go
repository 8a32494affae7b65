package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project"
)

// openProject reads the app in a folder ("" for the current one), or the one
// around a config.xml that is named itself.
func openProject(path string, targets []policy.Target) (*app.App, string, error) {
	if path == "" {
		path = "."
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", inputError(path, err)
	}
	dir, options := path, project.Options{Targets: targets, Now: time.Now()}
	if !info.IsDir() {
		dir, options.Config = filepath.Dir(path), filepath.Base(path)
	}
	read, err := project.Read(os.DirFS(dir), options)
	if err != nil {
		return nil, "", inputError(path, located(path, err))
	}
	return read, dir, nil
}

// located puts the folder that was named before the file of an error, so that
// the message names the file as the person would.
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

// openConfig reads the config.xml that path names (a file or a project's
// folder, "" for the current one) and the targets that the project itself is
// built for.
func openConfig(path string) (*configxml.Document, []string, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		doc, err := readConfig(path)
		if err != nil {
			return nil, nil, err
		}
		return doc, targetNames(project.Targets(doc)), nil
	}
	read, _, err := openProject(path, nil)
	if err != nil {
		return nil, nil, err
	}
	if read.Config == nil {
		return nil, nil, fmt.Errorf("%s: a Capacitor project without a config.xml; name one with --config", path)
	}
	return read.Config, targetNames(read.Targets), nil
}

// readConfig reads one config.xml by its name, which messages then show as it
// was written.
func readConfig(path string) (*configxml.Document, error) {
	doc, err := project.ReadConfig(named{os.DirFS(filepath.Dir(path)), path}, path)
	if err != nil {
		return nil, inputError(path, err)
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

// inputError says what was wrong with an input, with its name and without the
// words of a system call.
func inputError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file or folder", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: not readable by this user; check its permissions", path)
	}
	var missing *project.NotFoundError
	if errors.As(err, &missing) {
		return fmt.Errorf("%s: %w", path, err)
	}
	return err
}

func targetNames(targets []policy.Target) []string {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.String()
	}
	return names
}

// refuseEmptyLists refuses --platform "" and its like: a script whose variable
// is not set means no default.
func refuseEmptyLists(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if list, ok := f.Value.(pflag.SliceValue); ok && len(list.GetSlice()) == 0 {
			err = fmt.Errorf("--%s is empty: name one, or leave the flag out", f.Name)
		}
	})
	return err
}
