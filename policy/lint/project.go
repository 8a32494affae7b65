package lint

import (
	"path"
	"sort"
	"time"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pins"
)

// Project is what the rules look at: an app's folder, read. Package project
// fills it. File names are relative to the folder, with forward slashes.
type Project struct {
	// Config is the config.xml, nil in a project that has none (Capacitor).
	Config *configxml.Document
	// Targets are the platforms that the app ships to.
	Targets []policy.Target
	// Engines are the platforms that the project names itself, those without a
	// list of their own (browser, electron) included.
	Engines []Engine
	// Pages are the HTML files of the app.
	Pages []Page
	// Scripts are the JavaScript files of the app.
	Scripts []File
	// Package is package.json, without data if there is none.
	Package File
	// Capacitor is capacitor.config.json, without data if there is none.
	Capacitor File
	// Certificates are the .cer files that the app ships.
	Certificates []pins.File
	// Now is the time that pins are judged by; zero: none that ends is.
	Now time.Time
	// Served are what pinned hosts showed; nil if nobody asked them.
	Served []Served
	// Skipped are the files that were not read, and why.
	Skipped []Skipped
	// Base is put before file names in what is written for people and
	// programs: the folder as the user named it, "" or "." for the current one.
	Base string
}

// shown returns a file's name as reports write it.
func (p *Project) shown(name string) string {
	if p.Base == "" || p.Base == "." {
		return name
	}
	return path.Join(p.Base, name)
}

// Engine is a platform that a project names.
type Engine struct {
	// Name is Cordova's name of the platform.
	Name string
	// Spec is the version range as written, or "".
	Spec string
	// Place is where it is named.
	Place policy.Place
}

// Skipped is a file that was not read.
type Skipped struct {
	Name string
	// Why completes "was not read:".
	Why string
}

// File is one file of the project.
type File struct {
	Name string
	Data []byte
}

// Place returns where in the file the bytes from start to end stand.
func (f *File) Place(start, end int) policy.Place {
	start = min(max(start, 0), len(f.Data))
	end = min(max(end, start), len(f.Data))
	line, last := 1, 0
	for i, c := range f.Data[:start] {
		if c == '\n' {
			line, last = line+1, i+1
		}
	}
	return policy.Place{File: f.Name, Line: line, Column: start - last + 1, Start: start, End: end}
}

// Page is one HTML file, taken apart.
type Page struct {
	File
	// Start says that the app opens this page first.
	Start bool
	// Whole says that the file is a document of its own rather than a
	// fragment: it has a doctype, an html or a head element.
	Whole bool
	// Tags are the tags that load or configure something, in file order.
	Tags []Tag
	// Inline are the spans of inline scripts.
	Inline []Span
}

// Span is a range of bytes, End exclusive.
type Span struct{ Start, End int }

// Tag is one start tag of a page.
type Tag struct {
	// Name is in lower case.
	Name       string
	Attrs      []TagAttr
	Start, End int
	// InHead says that the tag stands in the head.
	InHead bool
}

// TagAttr is one attribute of a tag; its value is decoded.
type TagAttr struct {
	// Name is in lower case.
	Name, Value          string
	ValueStart, ValueEnd int
}

// Attr returns the first attribute of that name.
func (t *Tag) Attr(name string) (TagAttr, bool) {
	for _, a := range t.Attrs {
		if a.Name == name {
			return a, true
		}
	}
	return TagAttr{}, false
}

// Value returns the value of the first attribute of that name, or "".
func (t *Tag) Value(name string) string {
	a, _ := t.Attr(name)
	return a.Value
}

// StartPage returns the page that the app opens first, or nil.
func (p *Project) StartPage() *Page {
	for i := range p.Pages {
		if p.Pages[i].Start {
			return &p.Pages[i]
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
