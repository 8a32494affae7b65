package project

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
)

// sourceRoot is where the sources of an app are that a tool builds its pages from.
const sourceRoot = "src"

// sources reads what the app's own sources do, for a project that has some: the
// page that its tool begins with, where no page was found yet, and the programs.
func (r *reader) sources() {
	if info, err := fs.Stat(r.fsys, sourceRoot); err != nil || !info.IsDir() {
		return
	}
	read := make(map[string]bool)
	for i := range r.project.Scripts {
		read[r.project.Scripts[i].Name] = true
	}
	if name := sourceRoot + "/index.html"; len(r.project.Pages) == 0 && r.project.Web == "" && exists(r.fsys, name) {
		r.page(name)
	}
	err := fs.WalkDir(r.fsys, sourceRoot, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			r.skip(name, reason(err))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			base := path.Base(name)
			if strings.HasPrefix(base, ".") || base == "node_modules" || base == "__tests__" || base == "assets" {
				return fs.SkipDir
			}
			return nil
		case !isSource(name) || read[name]:
			return nil
		}
		return r.source(name)
	})
	if err != nil && !errors.Is(err, errEnough) {
		r.skip(sourceRoot, reason(err))
	}
}

// page reads the page that the app opens first.
func (r *reader) page(name string) {
	data, err := readBounded(r.fsys, name, MaxFile)
	if err != nil {
		r.skip(name, reason(err))
		return
	}
	p := ReadPage(app.File{Name: name, Data: data})
	p.Start = true
	r.project.Pages = append(r.project.Pages, p)
}

// isSource reports whether a file is a program of the app: neither a test nor a
// declaration of types.
func isSource(name string) bool {
	base := strings.ToLower(path.Base(name))
	ext := path.Ext(base)
	switch ext {
	case ".ts", ".tsx", ".js", ".jsx", ".mjs", ".mts", ".vue", ".svelte":
	default:
		return false
	}
	stem := strings.TrimSuffix(base, ext)
	for _, end := range []string{".spec", ".test", ".d", ".stories", ".e2e-spec"} {
		if strings.HasSuffix(stem, end) {
			return false
		}
	}
	return true
}

func (r *reader) source(name string) error {
	if r.files++; r.files > MaxFiles || r.total > MaxTotal {
		r.skip(path.Dir(name), "the folder has more sources than are read")
		return errEnough
	}
	if !exists(r.fsys, name) {
		r.skip(name, "it is not an ordinary file")
		return nil
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
	if ext := strings.ToLower(path.Ext(name)); ext == ".vue" || ext == ".svelte" {
		data = scriptsOf(data)
	}
	r.project.Scripts = append(r.project.Scripts, app.File{Name: name, Data: data})
	return nil
}

var scriptTag = regexp.MustCompile(`(?is)<script\b[^>]*>(.*?)</script`)

// scriptsOf blanks everything of a component but its scripts, so that each byte of
// them stays in its place.
func scriptsOf(data []byte) []byte {
	made := bytes.Map(func(c rune) rune {
		if c == '\n' || c == '\r' {
			return c
		}
		return ' '
	}, bytes.ToValidUTF8(data, nil))
	if len(made) != len(data) { // characters of several bytes became one blank
		made = make([]byte, len(data))
		for i, c := range data {
			if made[i] = ' '; c == '\n' || c == '\r' {
				made[i] = c
			}
		}
	}
	for _, m := range scriptTag.FindAllSubmatchIndex(data, -1) {
		copy(made[m[2]:m[3]], data[m[2]:m[3]])
	}
	return made
}

// nothing notes that no page was read, where one was looked for, and what to run.
func (r *reader) nothing(config string) {
	p := r.project
	if len(p.Pages) > 0 || r.startName() == "" {
		return
	}
	missing := &app.NoPages{Place: policy.Place{File: p.Package.Name, Line: 1, Column: 1}}
	looked, run := "www", "if a tool makes it, run its build first"
	switch dir := r.namedWebDir(); {
	case config == "" && len(p.Capacitor.Data) == 0:
		missing.Place.File = p.Capacitor.Name
	case dir.Value != "" && !fs.ValidPath(path.Clean(dir.Value)):
		missing.Place = dir.Place
		missing.Why = fmt.Sprintf("webDir is %q, which is outside the folder; run cordon in a folder that has both",
			dir.Value)
	case dir.Value != "":
		missing.Place = dir.Place
		looked, run = dir.Value+", which webDir names", "run the app's build, then npx cap copy"
	case config != "":
		missing.Place.File = config
	}
	if missing.Why == "" {
		looked = strings.Join(append([]string{looked}, r.otherRoots()...), ", ")
		missing.Why = fmt.Sprintf("there is no page in %s; %s", looked, run)
	}
	p.NoPages = missing
}

// namedWebDir is the webDir of a Capacitor configuration, wherever it leads.
func (r *reader) namedWebDir() capacitor.Text {
	c, err := capacitor.Read(r.project.Capacitor.Name, r.project.Capacitor.Data)
	if err != nil {
		return capacitor.Text{}
	}
	return c.WebDir
}

// otherRoots are the other folders in which built pages are looked for: those that
// the project's build tools name.
func (r *reader) otherRoots() []string {
	var list []string
	add := func(dir string) {
		dir = path.Clean(strings.TrimPrefix(dir, "./"))
		if fs.ValidPath(dir) && dir != "." {
			list = append(list, dir, path.Join(dir, "browser"))
		}
	}
	options := func(build jsonspan.Value, project string) {
		v := build.At("options")
		if text, ok := v.At("outputPath").Text(); ok {
			add(text)
			return
		}
		base, _ := v.At("outputPath", "base").Text()
		browser, named := v.At("outputPath", "browser").Text()
		if base != "" && named {
			list = append(list, path.Join(base, browser))
		} else if base != "" {
			add(base)
		} else if build.Kind != 0 && project != "" {
			add("dist/" + project) // Angular's own choice
		}
	}
	for _, name := range []string{"angular.json", "project.json"} {
		if !exists(r.fsys, name) {
			continue
		}
		data, err := readBounded(r.fsys, name, MaxManifest)
		if err != nil {
			r.skip(name, reason(err))
			continue
		}
		root, err := jsonspan.Parse(data)
		if err != nil {
			r.skip(name, "it is not well-formed JSON")
			continue
		}
		options(root.At("targets", "build"), "")
		for _, m := range root.At("projects").Members {
			options(m.Value.At("architect", "build"), m.Key)
			options(m.Value.At("targets", "build"), "")
		}
	}
	return list
}
