package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project"
)

// Site is how an app is served from its folder: a Cordova app, which has a
// config.xml, or a Capacitor or Ionic app, whose configuration says what may be
// navigated to.
type Site struct {
	// Dir is the app's folder as it was named.
	Dir string
	// Config is the name of the config.xml in the folder, with slashes; "" where
	// there is none and the Capacitor configuration counts.
	Config string
	// Rules is the file that says where the app may go, behind the folder as it was
	// named.
	Rules string
	// Pages is the folder of the built pages in the app's, with slashes; "" with a
	// development server.
	Pages string
	// Name is the app's name, and Start its start page below the pages.
	Name, Start string
	// Routes says that the app's own router owns paths without a file, as in
	// Capacitor's web view and on the servers of built web apps: they get the start
	// page.
	Routes bool
}

// NoPagesError is an app whose pages are not there: nothing was built yet, or a
// development server has them.
type NoPagesError struct {
	// Dir is the app's folder as it was named.
	Dir string
	Err *project.NoPagesError
}

// Error says where was looked and what to do.
func (e *NoPagesError) Error() string {
	return fmt.Sprintf("%s: %v: build them (npm run build), or name the development server", e.Dir, e.Err)
}

// Unwrap returns what package project says.
func (e *NoPagesError) Unwrap() error { return e.Err }

// OpenSite finds out how the app in a folder is served. With a development server
// the pages come from there, and none need be built; without one they must be
// there, else the error is a *NoPagesError.
func OpenSite(dir string, devServer bool) (*Site, error) {
	if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such folder", dir)
	} else if err != nil {
		return nil, wording.FileError(dir, err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s: this is a file, not an app's folder", dir)
	}
	found, _, err := Open(dir, nil)
	if err != nil {
		return nil, err
	}
	if found.Config == nil && len(found.Capacitor.Data) == 0 {
		return nil, unread(dir, found)
	}
	s := &Site{Dir: dir, Name: "app", Start: "index.html", Routes: found.Capacitor.Data != nil}
	s.Rules = filepath.Join(dir, filepath.FromSlash(found.Capacitor.Name))
	native, err := capacitor.Read(s.Rules, found.Capacitor.Data)
	if err != nil && found.Config == nil {
		return nil, err // beside a config.xml it counts for nothing here
	}
	if err == nil && native.AppName.Value != "" {
		s.Name = native.AppName.Value
	}
	if !devServer {
		if s.Pages, err = builtPages(dir, found); err != nil {
			return nil, err
		}
		s.Routes = s.Routes || s.Pages != "www"
	}
	if found.Config != nil {
		s.Config = found.Config.Name()
		s.Rules = filepath.Join(dir, filepath.FromSlash(s.Config))
		s.describe(found.Config)
	}
	return s, nil
}

// unread says why the one configuration of an app could not be read.
func unread(dir string, found *app.App) error {
	why := "it is empty"
	for _, s := range found.Skipped {
		if s.Name == found.Capacitor.Name {
			why = s.Why
			break
		}
	}
	return &project.UnreadError{Name: filepath.Join(dir, filepath.FromSlash(found.Capacitor.Name)), Why: why}
}

// describe takes the app's name and start page from its config.xml.
func (s *Site) describe(doc *configxml.Document) {
	for _, e := range doc.For("") {
		switch text := strings.TrimSpace(e.Text); {
		case e.Name == "name" && text != "":
			s.Name = text
		case e.Name == "content" && !strings.Contains(e.Value("src"), ":") && e.Value("src") != "":
			s.Start = strings.TrimPrefix(path.Clean("/"+e.Value("src")), "/")
		}
	}
}

// builtPages returns the folder of an app's pages, below the app's.
func builtPages(dir string, app *app.App) (string, error) {
	found, err := project.WebDir(FS(dir), app)
	var missing *project.NoPagesError
	if errors.As(err, &missing) {
		return "", &NoPagesError{Dir: dir, Err: missing}
	}
	return found, err
}
