package project

import (
	"cmp"
	"fmt"
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
	// Why says in a clause what is wrong with the folder of a Capacitor project; ""
	// for other projects.
	Why string
}

// Error says what is wrong with the folder, or lists those that were looked for.
func (e *NoPagesError) Error() string {
	if e.Why != "" {
		return "there are no built pages: " + e.Why
	}
	return "there are no built pages (looked for " + strings.Join(e.Looked, ", ") + ")"
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
	if len(p.Capacitor.Data) > 0 {
		return r.capacitorPages()
	}
	looked := []string{"www"}
	if dir := r.webRoot(config); dir != "" && dir != "." {
		return dir, nil
	}
	if p.Package.Data == nil {
		return "", &NoPagesError{Looked: looked}
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
	return "", &NoPagesError{Looked: slices.Concat(looked, outputs)}
}

// capacitorPages returns the webDir of a Capacitor project, which must have a start
// page, as Capacitor demands. What cap copy made of an older build counts for nothing.
func (r *reader) capacitorPages() (string, error) {
	written, dir := r.namedWebDir(), webDir(&r.project.Capacitor)
	where := fmt.Sprintf("%q, the webDir of %s,", written.Value, r.project.Capacitor.Name)
	if !written.Written() {
		dir, where = "www", "www, where Capacitor looks without a webDir,"
	}
	why := ""
	switch info, err := fs.Stat(r.fsys, cmp.Or(dir, ".")); {
	case dir == "":
		why = where + " is not a folder below the project's"
	case err != nil || !info.IsDir():
		why = where + " is not there"
	case exists(r.fsys, path.Join(dir, "index.html")):
		return dir, nil
	case exists(r.fsys, path.Join(dir, "browser/index.html")):
		why = fmt.Sprintf("%s has no index.html; %s/browser has one", where, dir)
	default:
		why = where + " has no index.html"
	}
	return "", &NoPagesError{Looked: []string{cmp.Or(dir, written.Value)}, Why: why}
}
