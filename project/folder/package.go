package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/project/artifact"
)

// OpenBuilt opens what Open does, and besides it apps as they ship: an .apk, .aab or
// .ipa, the folder that a platform's tools made (platforms/android), and a web app
// that has no native side. base is what belongs in front of the app's file names. A
// package beside a project has that as its Beside.
func OpenBuilt(path string, targets []policy.Target) (read *app.App, base string, err error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.Mode().IsRegular() && artifact.IsPackage(path):
		return openPackage(path, info.Size(), targets)
	case err == nil && info.IsDir():
		read, base, err = Open(path, targets)
		var missing *project.NotFoundError
		if !errors.As(err, &missing) {
			return read, base, err
		}
		if built := artifact.Folder(os.DirFS(path)); built != nil {
			return readPackage(path, built, targets)
		}
		web, failed := project.Read(os.DirFS(path), project.Options{Now: time.Now(), WebApps: true})
		if failed == nil && web.Web != "" {
			if len(targets) > 0 {
				return nil, "", fmt.Errorf("%s: it is a web app (%s), which ships to no platform: leave --platform out",
					path, web.Web)
			}
			return web, path, nil
		}
		return nil, "", err
	}
	return Open(path, targets)
}

func openPackage(path string, size int64, targets []policy.Target) (*app.App, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", wording.FileError(path, err)
	}
	defer f.Close()
	built, err := artifact.Open(f, size)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	read, base, err := readPackage(path, built, targets)
	if err != nil {
		return nil, "", err
	}
	// Without a project here there is nothing to compare with.
	if beside, _, err := Open(".", read.Targets); err == nil {
		read.Beside = beside
	}
	return read, base, nil
}

func readPackage(path string, built *artifact.Package, targets []policy.Target) (*app.App, string, error) {
	targets, assumed := project.Own(targets, built.Targets, built.Assumed)
	base := filepath.Join(path, filepath.FromSlash(built.Root))
	read, err := project.Read(built.FS, project.Options{Targets: targets, Now: time.Now()})
	var missing *project.NotFoundError
	if errors.As(err, &missing) {
		return nil, "", fmt.Errorf(
			"%s: there is no config.xml and no capacitor.config.json in it: it must be an app of "+
				"Cordova or Capacitor",
			base,
		)
	}
	if err != nil {
		return nil, "", Error(base, err)
	}
	read.Assumed, read.Artifact = assumed, true
	return read, base, nil
}
