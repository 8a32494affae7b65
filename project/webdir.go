package project

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
)

// outputs are where the usual tools put a built app: Vite and Vue, Angular
// (with its builder for applications and before), Create React App, Next's
// export.
var outputs = []string{"dist", "dist/*/browser", "dist/*", "build", "out"}

// NoPagesError reports a project whose pages are not there: nothing was built
// yet, or they are somewhere else.
type NoPagesError struct {
	// Looked are the folders that were looked for, in order.
	Looked []string
}

// Error lists the folders.
func (e *NoPagesError) Error() string {
	return "there are no pages (looked for " + strings.Join(e.Looked, ", ") + ")"
}

// WebDir returns the folder of a project's pages as they are shipped: Capacitor's
// webDir, www, or where the project has a package.json, the first usual output
// of a build that has a start page. It is never the project's folder itself.
// Without pages the error is a *NoPagesError.
func WebDir(fsys fs.FS, p *app.App) (string, error) {
	r := &reader{fsys: fsys, project: p}
	r.setFolders(&p.Capacitor)
	config := ""
	if p.Config != nil {
		config = p.Config.Name()
	}
	looked := []string{"www"}
	named := webDir(&p.Capacitor)
	if named != "" {
		looked = []string{named}
	}
	if dir := r.webRoot(config); dir != "" && dir != "." {
		return dir, nil
	}
	if named != "" || p.Package.Data == nil {
		return "", &NoPagesError{looked}
	}
	for _, pattern := range outputs {
		matches, err := fs.Glob(fsys, pattern)
		if err != nil {
			return "", err
		}
		for _, dir := range matches {
			if exists(fsys, path.Join(dir, r.startName())) {
				return dir, nil
			}
		}
	}
	return "", &NoPagesError{slices.Concat(looked, outputs)}
}
