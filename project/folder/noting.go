package folder

import (
	"io/fs"
	"path/filepath"
)

// noting is a folder that tells of each file that is asked for, before it is read: also
// of one that is not there, since what is said would be something else if it were.
type noting struct {
	fs.FS
	dir  string
	note func(path string)
}

func (n *noting) say(name string) { n.note(filepath.Join(n.dir, filepath.FromSlash(name))) }

// Open opens a file.
func (n *noting) Open(name string) (fs.File, error) {
	n.say(name)
	return n.FS.Open(name)
}

// Stat describes a file. A folder that is only looked for is not told of: it changes with
// each file in it.
func (n *noting) Stat(name string) (fs.FileInfo, error) {
	if info, err := fs.Stat(n.FS, name); err == nil && info.IsDir() {
		return info, nil
	}
	n.say(name)
	return fs.Stat(n.FS, name)
}

// ReadDir lists a folder, and tells of it.
func (n *noting) ReadDir(name string) ([]fs.DirEntry, error) {
	n.say(name)
	return fs.ReadDir(n.FS, name)
}

// Lstat describes a file, or the link that it is.
func (n *noting) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(n.FS, name) }

// ReadLink returns where a link leads.
func (n *noting) ReadLink(name string) (string, error) {
	n.say(name)
	return fs.ReadLink(n.FS, name)
}
