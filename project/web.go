package project

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
)

// web reads the pages and scripts below the web root.
func (r *reader) web(config string) {
	root := r.webRoot(config)
	switch {
	case root == "":
		return
	case root == "." && len(r.project.Capacitor.Data) > 0:
		r.page(r.startName()) // what a tool builds the pages from, beside much that is none
		return
	}
	r.folder(root, r.startName())
}

// folder reads the pages and scripts below a folder.
func (r *reader) folder(root, start string) {
	err := fs.WalkDir(r.fsys, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			r.skip(name, reason(err))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			if name != root && notWeb(root, name) {
				return fs.SkipDir
			}
			return nil
		}
		return r.file(name, start != "" && name == path.Join(root, start), d)
	})
	if err != nil && !errors.Is(err, errEnough) {
		r.skip(root, reason(err))
	}
}

// notWeb reports whether a folder holds nothing of the app's own.
func notWeb(root, name string) bool {
	base := path.Base(name)
	if strings.HasPrefix(base, ".") || base == "node_modules" {
		return true
	}
	return root == "." && (base == "platforms" || base == "plugins" || base == "hooks")
}

var errEnough = errors.New("enough files")

func (r *reader) file(name string, start bool, d fs.DirEntry) error {
	kind := kindOf(name)
	if kind == notRead {
		return nil
	}
	if !d.Type().IsRegular() && !exists(r.fsys, name) {
		r.skip(name, "it is not an ordinary file")
		return nil
	}
	if r.files++; r.files > MaxFiles || r.total > MaxTotal {
		r.skip(path.Dir(name), "the folder has more pages and scripts than are read")
		return errEnough
	}
	data, err := readBounded(r.fsys, name, MaxFile)
	if err != nil {
		r.skip(name, reason(err))
		return nil
	}
	r.total += int64(len(data))
	if bytes.IndexByte(data[:min(len(data), 1024)], 0) >= 0 {
		r.skip(name, "it is not text in UTF-8")
		return nil
	}
	f := app.File{Name: name, Data: data}
	switch kind {
	case pageFile:
		p := ReadPage(f)
		p.Start = start
		r.project.Pages = append(r.project.Pages, p)
	case scriptFile:
		r.project.Scripts = append(r.project.Scripts, f)
	case styleFile:
		r.project.Styles = append(r.project.Styles, f)
	}
	return nil
}

// fileKind is what a file of the app is to its pages.
type fileKind uint8

const (
	notRead fileKind = iota
	pageFile
	scriptFile
	styleFile
)

func kindOf(name string) fileKind {
	switch strings.ToLower(path.Ext(name)) {
	case ".html", ".htm", ".xhtml":
		return pageFile
	case ".js", ".mjs":
		return scriptFile
	case ".css":
		return styleFile
	}
	return notRead
}
