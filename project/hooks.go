package project

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// hooks notes the programs that the tools run while they make the app: <hook> in
// config.xml and, for Cordova, in the plugins; the scripts of package.json that
// Capacitor runs, its own and those of its plugins.
func (r *reader) hooks() {
	p := r.project
	if p.Config != nil && !strings.HasPrefix(p.Config.Name(), "platforms/") {
		r.hookElements(p.Config, ".", "")
		r.hookFiles()
	}
	ofCapacitor := len(p.Capacitor.Data) > 0
	for _, f := range r.pluginFiles {
		if !ofCapacitor {
			r.hookElements(f.Document, f.dir(), f.id)
		}
	}
	if !ofCapacitor {
		return
	}
	r.hookScripts(&p.Package, "")
	root, err := jsonspan.Parse(p.Package.Data)
	if err != nil {
		return // which is said
	}
	for _, at := range []string{"dependencies", "devDependencies"} {
		for _, m := range root.At(at).Members {
			r.hooksOfPlugin(m.Key)
		}
	}
}

// hookElements notes the <hook> elements of a config.xml or plugin.xml, whose files are
// named from dir on. Types are the tools' own: those of emulating, serving, listing and
// removing make no app.
func (r *reader) hookElements(doc *configxml.Document, dir, plugin string) {
	doc.Scoped(func(e *configxml.Element, _ string) {
		when, src := strings.ToLower(e.Value("type")), e.Value("src")
		if e.Name != "hook" || when == "" || src == "" {
			return
		}
		_, does, _ := strings.Cut(when, "_")
		if !slices.Contains([]string{"emulate", "serve", "clean", "plugin_ls", "plugin_search", "platform_ls",
			"plugin_rm", "plugin_uninstall", "platform_rm"}, does) {
			src = path.Join(dir, slashed(src))
			r.project.Hooks = append(r.project.Hooks, app.Hook{When: when, Runs: src, Plugin: plugin, Place: e.Place()})
		}
	})
}

// hookScripts notes the scripts of a package.json that Capacitor runs before and after
// it copies, updates and syncs (runHooks and runPlatformHook of @capacitor/cli 8.0.0).
func (r *reader) hookScripts(f *app.File, plugin string) {
	root, err := jsonspan.Parse(f.Data)
	if err != nil {
		return
	}
	for _, m := range root.At("scripts").Members {
		name, ok := strings.CutPrefix(m.Key, "capacitor:")
		step, when, _ := strings.Cut(name, ":")
		if text, is := m.Value.Text(); ok && is && text != "" && (when == "before" || when == "after") &&
			slices.Contains([]string{"copy", "update", "sync"}, step) {
			r.project.Hooks = append(r.project.Hooks, app.Hook{When: m.Key, Runs: withoutValues(text), Plugin: plugin,
				Place: f.Place(m.Start, m.Value.End)})
		}
	}
}

// withoutValues is a command without the words that set something: one may be a secret.
func withoutValues(command string) string {
	words := slices.DeleteFunc(strings.Fields(command), func(word string) bool { return strings.Contains(word, "=") })
	return strings.Join(words, " ")
}

// hookFiles notes the programs in hooks/after_prepare/ and the like, which Cordova ran
// up to version 8 of its command line.
func (r *reader) hookFiles() {
	for _, pattern := range []string{"hooks/before_*/*", "hooks/after_*/*", ".cordova/hooks/before_*/*",
		".cordova/hooks/after_*/*"} {
		matches, _ := fs.Glob(r.fsys, pattern) // the patterns are well formed
		for _, name := range matches {
			if exists(r.fsys, name) && !strings.EqualFold(path.Ext(name), ".md") &&
				!strings.HasPrefix(path.Base(name), ".") {
				r.project.Hooks = append(r.project.Hooks, app.Hook{When: path.Base(path.Dir(name)), Runs: name,
					Place: policy.Place{File: name, Line: 1, Column: 1}})
			}
		}
	}
}

// hooksOfPlugin notes the scripts of a package that is a plugin for Capacitor.
func (r *reader) hooksOfPlugin(id string) {
	dir := findPackage(r.fsys, id)
	if dir == "" {
		return
	}
	f := app.File{Name: path.Join(dir, "package.json")}
	data, err := readBounded(r.fsys, f.Name, MaxManifest)
	if err != nil || !bytes.Contains(data, []byte(`"capacitor:`)) {
		return
	}
	f.Data = blankMark(data)
	r.hookScripts(&f, id)
}
