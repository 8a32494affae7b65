package answer

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Folder is a folder in memory: what the plugin's hook read of a project. It
// is an fs.FS that never changes and is safe for concurrent use.
type Folder struct {
	files map[string][]byte
	dirs  map[string][]fs.DirEntry
}

// NewFolder makes a folder of files by their names, relative and with slashes.
// Names that are no valid paths are passed over: nothing can ask for them.
func NewFolder(files map[string][]byte) *Folder {
	f := &Folder{files: make(map[string][]byte, len(files)), dirs: map[string][]fs.DirEntry{".": nil}}
	for name, data := range files {
		if fs.ValidPath(name) && name != "." {
			f.files[name] = data
			f.list(name, node{name: path.Base(name), size: int64(len(data))})
		}
	}
	for _, entries := range f.dirs {
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return f
}

// list enters a node into its folder, and that one into its own.
func (f *Folder) list(name string, n node) {
	dir := path.Dir(name)
	_, known := f.dirs[dir]
	f.dirs[dir] = append(f.dirs[dir], n)
	if !known {
		f.list(dir, node{name: path.Base(dir), dir: true})
	}
}

// Open opens a file or a folder.
func (f *Folder) Open(name string) (fs.File, error) {
	if data, ok := f.files[name]; ok {
		return &openFile{node: node{name: path.Base(name), size: int64(len(data))}, Reader: bytes.NewReader(data)}, nil
	}
	if entries, ok := f.dirs[name]; ok {
		return &openDir{node: node{name: path.Base(name), dir: true}, entries: entries}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir lists a folder, sorted by name.
func (f *Folder) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, ok := f.dirs[name]
	if !ok {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Clone(entries), nil
}

// node is what is known of a file or folder without opening it.
type node struct {
	name string
	size int64
	dir  bool
}

// The methods of fs.DirEntry and fs.FileInfo.

func (n node) Name() string               { return n.name }
func (n node) Size() int64                { return n.size }
func (n node) IsDir() bool                { return n.dir }
func (n node) ModTime() time.Time         { return time.Time{} }
func (n node) Sys() any                   { return nil }
func (n node) Info() (fs.FileInfo, error) { return n, nil }
func (n node) Type() fs.FileMode          { return n.Mode().Type() }
func (n node) Mode() fs.FileMode {
	if n.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

type openFile struct {
	node
	*bytes.Reader
}

// Size is the one of the file; the reader has a method of that name too.
func (f *openFile) Size() int64                { return f.node.size }
func (f *openFile) Stat() (fs.FileInfo, error) { return f.node, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	node
	entries []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.node, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: fs.ErrInvalid}
}

// ReadDir lists what is left, n entries at most if n is positive.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.entries) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.entries) {
		n = len(d.entries)
	}
	list := slices.Clone(d.entries[:n])
	d.entries = d.entries[n:]
	return list, nil
}
