package project

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
)

// webTools are the packages that build web apps, then those that web apps are made
// of. The first one that a project depends on is its tool: some bring others with them.
var webTools = []string{"@angular/cli", "@angular/build", "@angular-devkit/build-angular", "next", "react-scripts",
	"@vue/cli-service", "astro", "@sveltejs/kit", "vite", "parcel", "webpack", "react-dom", "vue", "svelte", "preact"}

// capacitorPackages are those that make a project one of Capacitor, whose configuration
// may be missing, and its copies are not committed.
var capacitorPackages = []string{"@capacitor/core", "@capacitor/cli", "@capacitor/android", "@capacitor/ios"}

// depends is what a package.json says of the packages that it is made of, and whose
// plugin or app it is.
type depends struct {
	Cordova         json.RawMessage            `json:"cordova"`
	Capacitor       json.RawMessage            `json:"capacitor"` // of a plugin
	Dependencies    map[string]json.RawMessage `json:"dependencies"`
	DevDependencies map[string]json.RawMessage `json:"devDependencies"`
}

func readDepends(fsys fs.FS) (d depends) {
	data, _ := readBounded(fsys, "package.json", MaxManifest) // without one, other files tell
	_ = json.Unmarshal(blankMark(data), &d)
	return d
}

func (d *depends) on(name string) bool {
	return d.Dependencies[name] != nil || d.DevDependencies[name] != nil
}

// webTool returns the tool that builds a web app out of a folder, "" for a project of
// another kind, among them an app of Cordova or Capacitor whose configuration is missing.
func webTool(fsys fs.FS) string {
	manifest := readDepends(fsys)
	there := func(name string) bool { return exists(fsys, name) }
	switch {
	case manifest.Cordova != nil, manifest.on("cordova-android"), manifest.on("cordova-ios"),
		slices.ContainsFunc(capacitorPackages, manifest.on), there(androidCopy), there(iosCopy),
		there("assets/" + capacitorFile),
		manifest.Capacitor != nil, there("plugin.xml"):
		return ""
	}
	if i := slices.IndexFunc(webTools, manifest.on); i >= 0 {
		return webTools[i]
	}
	if there("angular.json") {
		return webTools[0]
	}
	for _, tool := range toolConfigs {
		if len(configsOf(fsys, tool.name)) > 0 {
			return strings.TrimSuffix(tool.name, ".config")
		}
	}
	return ""
}

// webApp reads the pages of a web app as they were built, or notes that nothing was.
func (r *reader) webApp() {
	roots, looked := r.builtRoots()
	for _, root := range roots {
		r.folder(root, r.firstPage(root))
	}
	if len(r.project.Pages) > 0 {
		return
	}
	at, run := policy.Place{File: r.project.Package.Name, Line: 1, Column: 1}, "build the app"
	if root, err := jsonspan.Parse(r.project.Package.Data); err == nil {
		if script := root.At("scripts", "build"); script.Kind == 's' {
			at, run = r.project.Package.Place(script.Start, script.End), "run npm run build"
		}
	}
	r.project.NoPages = &app.NoPages{Place: at,
		Why: fmt.Sprintf("there is no built page in %s; %s, then check again", strings.Join(looked, ", "), run)}
}

// builtRoots are the folders of built pages: those that the configurations of the
// app's tools name, else the first usual one that has a page. Without any, looked are
// the folders that were looked for.
func (r *reader) builtRoots() (roots, looked []string) {
	if named := append(r.otherRoots(), r.writtenOutputs()...); len(named) > 0 {
		return r.withPages(named), named
	}
	for _, pattern := range outputs {
		matches, _ := fs.Glob(r.fsys, pattern) // the patterns are well formed
		if roots = r.withPages(matches); len(roots) > 0 {
			return roots, nil
		}
	}
	return nil, outputs
}

// withPages returns those of the folders that have a page, without the ones below
// others of them.
func (r *reader) withPages(folders []string) (list []string) {
	for _, dir := range folders {
		below := func(other string) bool { return dir == other || strings.HasPrefix(dir, other+"/") }
		if r.firstPage(dir) != "" && !slices.ContainsFunc(list, below) {
			list = append(list, dir)
		}
	}
	return list
}

// firstPage returns the page that a built app begins with, below its folder: Angular
// calls it index.csr.html where a server renders the others.
func (r *reader) firstPage(dir string) string {
	entries, err := fs.ReadDir(r.fsys, dir)
	if err != nil {
		return "" // most of the folders are not there
	}
	first := ""
	for _, entry := range entries {
		switch name := entry.Name(); {
		case kindOf(name) != pageFile || entry.IsDir():
		case name == "index.html":
			return name
		case first == "" || name == "index.csr.html":
			first = name
		}
	}
	return first
}

// toolConfigs are the configurations of web tools that are code, and the keys for
// what they build, and for the folder that this is relative to.
var toolConfigs = []struct{ name, output, root string }{
	{"vite.config", "outDir", "root"}, {"vue.config", "outputDir", ""}, {"astro.config", "outDir", ""},
	{"next.config", "distDir", ""},
}

// writtenOutputs are the folders for built pages that these configurations name by a
// text that is written out. What is computed names none.
func (r *reader) writtenOutputs() (list []string) {
	for _, tool := range toolConfigs {
		for _, name := range configsOf(r.fsys, tool.name) {
			data, err := readBounded(r.fsys, name, MaxManifest)
			if err != nil {
				r.skip(name, reason(err))
				continue
			}
			texts := writtenTexts(data, tool.output, tool.root)
			output, written := texts[tool.output]
			if root := texts[tool.root]; root != "" && !written {
				output = "dist"
			}
			dir := path.Join(texts[tool.root], output)
			if output != "" && fs.ValidPath(dir) && dir != "." {
				list = append(list, dir)
			}
		}
	}
	return list
}

// configsOf are the files that a configuration stands in, by its name without the end.
func configsOf(fsys fs.FS, name string) (list []string) {
	for _, ext := range []string{".ts", ".js", ".mjs", ".mts", ".cjs", ".cts"} {
		if exists(fsys, name+ext) {
			list = append(list, name+ext)
		}
	}
	return list
}

// writtenTexts returns the texts that a program gives to keys, wherever the objects
// stand that have them; "" for a key that gets several values, or one that is more
// than a text.
func writtenTexts(data []byte, keys ...string) map[string]string {
	p := &literalParser{data: data, place: place{line: 1, column: 1}}
	found, times := map[string]string{}, map[string]int{}
	for p.at < len(p.data) {
		if quoted(p) {
			_, _ = p.text()
			continue
		}
		if p.comment() {
			continue
		}
		key := p.word()
		if key == "" {
			p.step()
			continue
		}
		if p.space(); !slices.Contains(keys, key) || !p.take(":") {
			continue
		}
		times[key]++
		if p.space(); !quoted(p) {
			times[key]++
			continue
		}
		text, ok := p.text()
		p.space()
		if !ok || p.at < len(p.data) && p.data[p.at] != ',' && p.data[p.at] != '}' {
			times[key]++
		}
		found[key] = text
	}
	for key, n := range times {
		if n > 1 {
			found[key] = ""
		}
	}
	return found
}

// quoted reports whether a text in quotes is next.
func quoted(p *literalParser) bool {
	return p.at < len(p.data) && strings.IndexByte("'\"`", p.data[p.at]) >= 0
}
