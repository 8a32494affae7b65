package artifact

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// tree is a file system of entries of an archive and of files that were made of
// some. It is not changed once it is filled in.
type tree struct{ nodes map[string]*node }

// node is a file or folder: it is its own fs.FileInfo and fs.DirEntry.
type node struct {
	name     string
	folder   bool
	entry    *zip.File // nil for what was made
	data     []byte
	children []*node
}

func newTree() *tree { return &tree{map[string]*node{".": {name: ".", folder: true}}} }

// add puts a file into the tree, unless one of the name is there.
func (t *tree) add(name string, n node) {
	if t.nodes[name] != nil || !fs.ValidPath(name) {
		return
	}
	n.name = path.Base(name)
	made := &n
	t.nodes[name] = made
	for {
		dir := path.Dir(name)
		parent := t.nodes[dir]
		if parent != nil {
			if parent.folder {
				parent.children = append(parent.children, made)
			}
			return
		}
		parent = &node{name: path.Base(dir), folder: true, children: []*node{made}}
		t.nodes[dir] = parent
		name, made = dir, parent
	}
}

// Open opens a file or folder.
func (t *tree) Open(name string) (fs.File, error) {
	n := t.nodes[name]
	if n == nil || !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f := &file{node: n}
	switch {
	case n.folder:
		f.Reader, f.left = strings.NewReader(""), n.entries()
	case n.entry != nil:
		if err := bomb(n.entry); err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		r, err := n.entry.Open()
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		f.Reader, f.close = r, r.Close
	default:
		f.Reader = bytes.NewReader(n.data)
	}
	return f, nil
}

// Stat looks at a file without unpacking it.
func (t *tree) Stat(name string) (fs.FileInfo, error) {
	if n := t.nodes[name]; n != nil && fs.ValidPath(name) {
		return n, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

// ReadDir lists a folder.
func (t *tree) ReadDir(name string) ([]fs.DirEntry, error) {
	n := t.nodes[name]
	if n == nil || !n.folder {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return n.entries(), nil
}

func (n *node) entries() []fs.DirEntry {
	list := make([]fs.DirEntry, len(n.children))
	for i, child := range n.children {
		list[i] = child
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list
}

func (n *node) Name() string { return n.name }
func (n *node) IsDir() bool  { return n.folder }
func (n *node) Sys() any     { return nil }
func (n *node) Mode() fs.FileMode {
	if n.folder {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
func (n *node) Type() fs.FileMode          { return n.Mode().Type() }
func (n *node) Info() (fs.FileInfo, error) { return n, nil }
func (n *node) ModTime() time.Time         { return time.Time{} }
func (n *node) Size() int64 {
	if n.entry != nil {
		return int64(n.entry.UncompressedSize64)
	}
	return int64(len(n.data))
}

type file struct {
	*node
	io.Reader
	close func() error
	left  []fs.DirEntry // of a folder, what ReadDir has not given yet
}

// ReadDir gives the next n entries of a folder, or all that are left.
func (f *file) ReadDir(n int) ([]fs.DirEntry, error) {
	if !f.folder {
		return nil, &fs.PathError{Op: "readdir", Path: f.name, Err: errors.New("it is not a folder")}
	}
	if n <= 0 || n > len(f.left) {
		if n > 0 && len(f.left) == 0 {
			return nil, io.EOF
		}
		n = len(f.left)
	}
	list := f.left[:n:n]
	f.left = f.left[n:]
	return list, nil
}

func (f *file) Stat() (fs.FileInfo, error) { return f.node, nil }

// Read reads the file; a folder has no bytes.
func (f *file) Read(p []byte) (int, error) {
	if f.folder {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: errors.New("it is a folder")}
	}
	return f.Reader.Read(p)
}

func (f *file) Close() error {
	if f.close != nil {
		return f.close()
	}
	return nil
}
