package project

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/plugins"
)

// maxPlugins is how many plugins of a project are looked at.
const maxPlugins = 1000

// named is a plugin, or a package that may be one, and where the project says so.
type named struct {
	id, spec string
	source   configxml.Foreign
	place    policy.Place
	// plugin says that it is one; else it is a package that the project depends on.
	plugin bool
	// manifest is its plugin.xml, "" while that is not found.
	manifest string
	// from is the folder that asks for it, from which Node looks for its package.
	from      string
	variables map[string]string
}

// pluginReader finds the plugins of a project. It looks at what the project names
// and at nothing else: the many other packages of node_modules cost nothing.
type pluginReader struct {
	*reader
	list []*named
	byID map[string]*named
}

// add notes a plugin once: what is said first counts.
func (r *pluginReader) add(n named) *named {
	if known := r.byID[n.id]; known != nil {
		known.plugin = known.plugin || n.plugin
		if known.spec == "" {
			known.spec = n.spec
		}
		for name, value := range n.variables {
			if _, has := known.variables[name]; !has {
				known.variables[name] = value
			}
		}
		return known
	}
	if n.id == "" || !fs.ValidPath(n.id) || n.id == "." || len(r.list) == maxPlugins {
		return nil
	}
	if n.variables == nil {
		n.variables = map[string]string{}
	}
	r.byID[n.id] = &n
	r.list = append(r.list, &n)
	return &n
}

// packageJSON adds what package.json names; it comes before config.xml where both
// name a plugin.
func (r *pluginReader) packageJSON() {
	f := &r.project.Package
	if len(f.Data) == 0 {
		return
	}
	root, err := jsonspan.Parse(f.Data)
	if err != nil {
		r.unknown(f.Place(0, 0), "", "%s cannot be read (%v), and plugins may be named there", f.Name, err)
		return
	}
	source := configxml.NewForeign(f.Name, f.Data)
	specs := map[string]string{}
	for _, at := range []string{"devDependencies", "dependencies"} {
		for _, m := range root.At(at).Members {
			specs[m.Key], _ = m.Value.Text()
		}
	}
	for _, item := range root.At("cordova", "plugins").Items { // names alone, without variables
		if text, ok := item.Text(); ok {
			id, spec := nameAndSpec(text)
			if spec == "" {
				spec = specs[id]
			}
			r.add(named{id: id, spec: spec, source: source, place: f.Place(item.Start, item.End), plugin: true})
		}
	}
	for _, m := range root.At("cordova", "plugins").Members {
		n := named{id: m.Key, spec: specs[m.Key], source: source, place: f.Place(m.Start, m.Value.End), plugin: true,
			variables: map[string]string{}}
		for _, v := range m.Value.Members {
			if text, ok := variableText(v.Value); ok {
				n.variables[v.Key] = text
			}
		}
		r.add(n)
	}
	for _, at := range []string{"dependencies", "devDependencies"} {
		for _, m := range root.At(at).Members {
			spec, _ := m.Value.Text()
			r.add(named{id: m.Key, spec: spec, source: source, place: f.Place(m.Start, m.Value.End),
				plugin: soundsLikePlugin(m.Key)})
		}
	}
}

// nameAndSpec takes name@spec apart; a scope's own @ is part of the name.
func nameAndSpec(text string) (name, spec string) {
	scope := 0
	if strings.HasPrefix(text, "@") {
		scope = 1
	}
	name, spec, _ = strings.Cut(text[scope:], "@")
	return text[:scope] + name, spec
}

// soundsLikePlugin tells a Cordova plugin by the name of its package, for one that
// is not there to be looked at.
func soundsLikePlugin(name string) bool {
	base := path.Base(name)
	for _, part := range []string{"cordova-plugin", "phonegap-plugin", "cordova-sqlite", "ionic-plugin-"} {
		if strings.Contains(base, part) {
			return !strings.HasPrefix(name, "@types/") && !strings.HasPrefix(name, "@ionic-native/") &&
				!strings.HasPrefix(name, "@awesome-cordova-plugins/")
		}
	}
	return strings.HasPrefix(base, "cordova.plugins.") || base == "cordova-custom-config"
}

// config adds what config.xml names: <plugin name spec>, PhoneGap's <gap:plugin>
// and Visual Studio's <vs:plugin name version>, and the <feature> of Cordova 3
// with an id.
func (r *pluginReader) config() {
	doc := r.project.Config
	if doc == nil {
		return
	}
	source := configxml.NewForeign(doc.Name(), doc.Bytes())
	visit := func(e *configxml.Element, _ string) {
		n := named{source: source, place: e.Place(), plugin: true, variables: map[string]string{}}
		switch e.Name {
		case "plugin":
			if _, value := e.Attr("value"); value {
				return // Cordova 2 lists the classes of its plugins so
			}
			n.id = e.Value("name")
			// The order of ConfigParser in cordova-common.
			n.spec = cmp.Or(e.Value("spec"), e.Value("src"), e.Value("version"))
		case "feature":
			n.id = featureID(e)
		default:
			return
		}
		for _, v := range e.Children {
			if v.Name == "variable" || v.Name == "param" {
				n.variables[v.Value("name")] = v.Value("value")
			}
		}
		r.add(n)
	}
	doc.Scoped(visit)
}

func featureID(e *configxml.Element) string {
	for _, child := range e.Children {
		if child.Name == "param" && child.Value("name") == "id" {
			return child.Value("value")
		}
	}
	return ""
}

// installed adds the plugins that Cordova's tools have installed: plugins/*, and
// plugins/fetch.json, which says where each came from.
func (r *pluginReader) installed() {
	const fetched = "plugins/fetch.json"
	if r.readable(fetched) {
		data, err := readBounded(r.fsys, fetched, MaxManifest)
		var root jsonspan.Value
		if err == nil {
			root, err = jsonspan.Parse(data)
		}
		if err != nil {
			r.cannot(fetched, reason(err), "")
		}
		source := configxml.NewForeign(fetched, data)
		for _, m := range root.Members {
			n := named{
				id:        m.Key,
				source:    source,
				place:     policy.PlaceIn(fetched, data, m.Start, m.Value.End),
				plugin:    true,
				variables: map[string]string{},
			}
			n.spec = fetchedFrom(m.Key, m.Value.At("source"))
			for _, v := range m.Value.At("variables").Members {
				if text, ok := variableText(v.Value); ok {
					n.variables[v.Key] = text
				}
			}
			r.add(n)
		}
	}
	for _, pattern := range []string{"plugins/*/plugin.xml", "plugins/@*/*/plugin.xml"} {
		matches, _ := fs.Glob(r.fsys, pattern) // the patterns are well formed
		for _, name := range matches {
			id := strings.TrimPrefix(path.Dir(name), "plugins/")
			if n := r.add(named{id: id, place: policy.Place{File: name, Line: 1, Column: 1}, plugin: true}); n != nil {
				n.manifest = name
			}
		}
	}
}

// fetchedFrom is the spec of a plugin that fetch.json says the source of: a range of the
// registry, or else an address, a folder, another package or a tag, as it stands there. An
// id of the source is what the tools fetched: the plugin's own name with or without a
// range, or anything else that npm installs.
func fetchedFrom(plugin string, source jsonspan.Value) string {
	for _, key := range []string{"url", "path"} {
		if text, ok := source.At(key).Text(); ok && text != "" {
			return text
		}
	}
	id, _ := source.At("id").Text()
	if name, spec := nameAndSpec(id); id == "" || name == plugin {
		return spec
	}
	if _, isRange := policy.ParseRange(id); isRange {
		return "npm:" + id // another package, whatever its name
	}
	return id
}

// readable reports whether a file is there. One that is there and cannot be
// looked at, such as a link that leads to itself or a folder of that name, is said.
func (r *reader) readable(name string) bool {
	info, err := fs.Stat(r.fsys, name)
	switch {
	case err == nil && info.Mode().IsRegular():
		return true
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid):
		return false
	case err != nil && notAFolder(r.fsys, name):
		return false
	}
	why := "it is not an ordinary file"
	switch {
	case err != nil:
		why = reason(err)
	case info.IsDir():
		why = "it is a folder"
	}
	r.cannot(name, why, "")
	return false
}

// notAFolder reports whether a name leads through an ordinary file.
func notAFolder(fsys fs.FS, name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if info, err := fs.Stat(fsys, dir); err == nil {
			return !info.IsDir()
		}
	}
	return false
}

// find looks for the plugin.xml of a plugin that is named: where Cordova's tools
// keep it, else where npm put its package.
func (r *pluginReader) find(n *named) {
	if n.manifest != "" {
		return
	}
	folders := nodeModules(n.from, r.up)
	for i, dir := range append([]string{"plugins"}, folders...) {
		if name := path.Join(dir, n.id, "plugin.xml"); r.readable(name) {
			n.manifest, n.plugin = name, true
			return
		}
		if i > 0 && i < len(folders) && exists(r.fsys, path.Join(dir, n.id, "package.json")) {
			break // Node looks no further: the package is there, and no plugin
		}
	}
	if dir := localFolder(n.spec); dir != "" && !strings.HasSuffix(n.place.File, "/plugin.xml") {
		if name := path.Join(dir, "plugin.xml"); r.readable(name) {
			n.manifest, n.plugin = name, true
		}
	}
}

// localFolder returns the folder within the project that a spec names, "" if it is
// none: file:x, ./x.
func localFolder(spec string) string {
	dir := strings.ReplaceAll(spec, `\`, "/")
	rest := dir
	for _, scheme := range []string{"file:", "link:", "portal:"} {
		rest = strings.TrimPrefix(rest, scheme)
	}
	if rest == dir && !strings.HasPrefix(dir, ".") {
		return ""
	}
	if dir = path.Clean(rest); rest == "" || dir == "." || !fs.ValidPath(dir) {
		return ""
	}
	return dir
}

// plugins reads the plugins of the project, and returns what they add to what
// ships.
func (r *reader) plugins() []configxml.Part {
	p := &pluginReader{reader: r, byID: map[string]*named{}}
	p.packageJSON()
	p.config()
	p.installed()
	var parts []configxml.Part
	for i := 0; i < len(p.list); i++ { // the list grows by what plugins depend on
		n := p.list[i]
		p.find(n)
		if n.plugin {
			parts = append(parts, p.plugin(n)...)
		}
	}
	if len(p.list) == maxPlugins {
		r.unknown(policy.Place{}, "", "the project names more than the %d plugins that are looked at", maxPlugins)
	}
	return parts
}

// plugin reads one plugin.
func (r *pluginReader) plugin(n *named) []configxml.Part {
	read := app.Plugin{ID: n.id, Spec: n.spec, Place: n.place, Manifest: n.manifest}
	var parts []configxml.Part
	var doc *pluginFile
	if n.manifest != "" {
		doc = r.manifestOf(n)
	}
	if doc != nil {
		read.Version = doc.Root().Value("version")
		if n.source == (configxml.Foreign{}) {
			n.source, n.place = configxml.NewForeign(n.manifest, doc.Bytes()), doc.Root().Place()
			read.Place = n.place
		}
		parts = r.brought(doc.Document, doc.unset)
		r.dependencies(n, doc)
		r.libraries(read, doc.Document)
	} else {
		if n.manifest == "" {
			parts = r.missing(n)
		}
		read.Manifest = ""
	}
	r.project.Plugins = append(r.project.Plugins, read)
	if n.source == (configxml.Foreign{}) {
		return parts
	}
	attributes := []string{"name", n.id}
	for _, a := range [][2]string{{"spec", n.spec}, {"version", read.Version}} {
		if a[1] != "" {
			attributes = append(attributes, a[:]...)
		}
	}
	e := n.source.Element(n.place.Start, n.place.End, "plugin", attributes...)
	return append([]configxml.Part{{Elements: []*configxml.Element{e}}}, parts...)
}

// missing is what is known of a plugin that is named and not there.
func (r *pluginReader) missing(n *named) []configxml.Part {
	known, ok := plugins.At(n.id, n.spec)
	if !ok {
		remedy := "run npm install, or cordova prepare"
		if n.place.File == r.project.Package.Name && !hasPackages(r.fsys) {
			remedy = "run npm install; packages of folders above are read up to the workspace's root"
		}
		r.unknown(n.place, "", "the plugin %s is named and its plugin.xml is not there: what it adds to the list is "+
			"not known (%s)", n.id, remedy)
		return nil
	}
	if n.source == (configxml.Foreign{}) {
		return nil
	}
	var parts []configxml.Part
	for _, add := range known.Adds {
		e := n.source.Element(n.place.Start, n.place.End, add.Element, add.Attributes...)
		parts = append(parts, configxml.Part{Platform: add.Platform, Elements: []*configxml.Element{e}})
	}
	return parts
}
