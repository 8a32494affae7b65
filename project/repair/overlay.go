package repair

import (
	"bytes"
	"io/fs"
	"path"
	"time"
)

// overlay is a folder in which some files have other contents.
type overlay struct {
	base    fs.FS
	changed map[string][]byte
}

// Open opens a file, the changed one if there is one.
func (o *overlay) Open(name string) (fs.File, error) {
	data, ok := o.changed[name]
	if !ok {
		return o.base.Open(name)
	}
	return &memory{Reader: *bytes.NewReader(data), name: path.Base(name)}, nil
}

// Lstat describes a file, or the link that it is.
func (o *overlay) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(o.base, name) }

// ReadLink returns where a link leads.
func (o *overlay) ReadLink(name string) (string, error) { return fs.ReadLink(o.base, name) }

// memory is an open file whose content is in memory.
type memory struct {
	bytes.Reader
	name string
}

// Stat describes the file.
func (m *memory) Stat() (fs.FileInfo, error) { return m, nil }

// Close does nothing.
func (m *memory) Close() error { return nil }

// Name returns the file's name.
func (m *memory) Name() string { return m.name }

// Mode returns the mode of an ordinary file.
func (m *memory) Mode() fs.FileMode { return 0o644 }

// ModTime returns no time.
func (m *memory) ModTime() time.Time { return time.Time{} }

// IsDir returns false.
func (m *memory) IsDir() bool { return false }

// Sys returns nil.
func (m *memory) Sys() any { return nil }
