package project

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
)

// Within returns a folder of a larger one, such as an app's in its workspace. A name is
// that of a file of the folder; "../" before it leads up to the larger folder's other
// files, and never out of that.
func Within(root fs.FS, dir string) fs.FS {
	if dir == "." {
		return root
	}
	return &within{root, dir}
}

type within struct {
	root fs.FS
	dir  string
}

// inRoot is the name of a file in the larger folder.
func (w *within) inRoot(op, name string) (string, error) {
	full := path.Join(w.dir, name)
	if name == "" || path.IsAbs(name) || path.Clean(name) != name || !fs.ValidPath(full) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return full, nil
}

// Open opens a file.
func (w *within) Open(name string) (fs.File, error) {
	full, err := w.inRoot("open", name)
	if err != nil {
		return nil, err
	}
	return w.root.Open(full)
}

// Stat describes a file.
func (w *within) Stat(name string) (fs.FileInfo, error) {
	full, err := w.inRoot("stat", name)
	if err != nil {
		return nil, err
	}
	return fs.Stat(w.root, full)
}

// Lstat describes a file, or the link that it is.
func (w *within) Lstat(name string) (fs.FileInfo, error) {
	full, err := w.inRoot("lstat", name)
	if err != nil {
		return nil, err
	}
	return fs.Lstat(w.root, full)
}

// ReadDir lists a folder.
func (w *within) ReadDir(name string) ([]fs.DirEntry, error) {
	full, err := w.inRoot("open", name)
	if err != nil {
		return nil, err
	}
	return fs.ReadDir(w.root, full)
}

// ReadLink returns where a link leads.
func (w *within) ReadLink(name string) (string, error) {
	full, err := w.inRoot("readlink", name)
	if err != nil {
		return "", err
	}
	return fs.ReadLink(w.root, full)
}

// workspaceMarks are the files and folders that only the root of a workspace, or of a
// repository, has. A package.json with workspaces is one too.
var workspaceMarks = []string{"pnpm-workspace.yaml", "lerna.json", "nx.json", ".git"}

// IsWorkspace reports whether a folder is the root of a workspace or of a repository: no
// package of a folder further up belongs to it.
func IsWorkspace(fsys fs.FS) bool {
	for _, name := range workspaceMarks {
		if _, err := fs.Stat(fsys, name); err == nil {
			return true
		}
	}
	data, err := readBounded(fsys, "package.json", MaxManifest)
	if err != nil {
		return false
	}
	var manifest struct{ Workspaces json.RawMessage }
	return json.Unmarshal(blankMark(data), &manifest) == nil && len(manifest.Workspaces) > 0 &&
		string(manifest.Workspaces) != "null"
}

// maxAbove is how many folders above a project are looked at.
const maxAbove = 16

// above is how many folders above the project belong to its workspace.
func above(fsys fs.FS) int {
	up := 0
	for up < maxAbove {
		if info, err := fs.Stat(fsys, strings.Repeat("../", up)+".."); err != nil || !info.IsDir() {
			break
		}
		up++
	}
	return up
}

// outside is how many folders above the project a name leads.
func outside(name string) int {
	up := 0
	for name == ".." || strings.HasPrefix(name, "../") {
		up++
		name = strings.TrimPrefix(strings.TrimPrefix(name, ".."), "/")
	}
	return up
}

// reads reports whether a file is one of the project or of its workspace.
func (r *reader) reads(name string) bool {
	up := outside(name)
	return up <= r.up && fs.ValidPath(strings.TrimPrefix(name, strings.Repeat("../", up)))
}

// nodeModules are the folders in which Node looks for a package that something in a
// folder asks for, nearest first: node_modules of the folder and of each above it, but
// for those within a node_modules itself (LOAD_NODE_MODULES of Node's "Modules"). up is
// how many folders above the project are looked at.
func nodeModules(from string, up int) []string {
	var list []string
	for dir := path.Clean(from); outside(dir) <= up; dir = path.Join(dir, "..") {
		if path.Base(dir) != "node_modules" {
			list = append(list, path.Join(dir, "node_modules"))
		}
	}
	return list
}

// findPackage returns the folder of a package as Node finds it from the project, "" for
// one that is not there.
func findPackage(fsys fs.FS, name string) string {
	for _, dir := range nodeModules(".", above(fsys)) {
		if exists(fsys, path.Join(dir, name, "package.json")) {
			return path.Join(dir, name)
		}
	}
	return ""
}

// packageVersion is the version of a package that npm installed, "" for none.
func packageVersion(fsys fs.FS, name string) string {
	dir := findPackage(fsys, name)
	if dir == "" {
		return ""
	}
	return versionOfPackage(fsys, dir)
}

// packageFile is the project's package.json. An app of an Nx workspace may have none:
// Capacitor's command line takes that of the workspace then (loadConfig and
// findNXMonorepoRoot of @capacitor/cli).
func (r *reader) packageFile() app.File {
	const name = "package.json"
	f := r.manifest(name)
	if _, err := fs.Stat(r.fsys, name); !errors.Is(err, fs.ErrNotExist) {
		return f
	}
	for up := 1; up <= r.up; up++ {
		root := strings.Repeat("../", up)
		if exists(r.fsys, root+"nx.json") {
			return r.manifest(root + name)
		}
	}
	return f
}

// maxLinks is how many links in a row are followed.
const maxLinks = 16

// realFolder is where a package's folder stands that links lead to: Node looks for what
// the package asks for from there, and pnpm keeps it beside it. A link out of what is
// read stays as it is.
func (r *reader) realFolder(dir string) string {
	for range maxLinks {
		target, err := fs.ReadLink(r.fsys, dir)
		if err != nil {
			return dir
		}
		target = slashed(target)
		next := path.Join(path.Dir(dir), target)
		if path.IsAbs(target) || outside(next) > r.up {
			return dir
		}
		dir = next
	}
	return dir
}
