package project

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/native"
)

// maxNative is how many native files of a project are read.
const maxNative = 500

// nativeFiles are where native files stand: those of Capacitor's platforms, those
// of Cordova's (with the layout before cordova-android 7), and those of a package
// that was taken apart. What Cordova's tools write comes last.
var nativeFiles = []string{
	"android/app/src/*/AndroidManifest.xml",
	"android/app/src/*/res/xml*/*.xml",
	"ios/App/*/Info.plist",
	"AndroidManifest.xml",
	"res/xml*/*.xml",
	"Info.plist",
	"*-Info.plist",
	"platforms/android/app/src/main/AndroidManifest.xml",
	"platforms/android/app/src/main/res/xml*/*.xml",
	"platforms/android/AndroidManifest.xml",
	"platforms/android/res/xml*/*.xml",
	"platforms/ios/*/*Info.plist",
}

// natives reads what the project says about its native files: the files
// themselves, and what config.xml and the plugins give them.
func (r *reader) natives() *native.Set {
	n := &nativeReader{reader: r, read: make(map[string]bool)}
	if r.project.Config != nil {
		n.carried(r.project.Config, ".")
	}
	for _, name := range r.pluginManifests() {
		n.plugin(name)
	}
	for _, pattern := range r.inPlatforms(nativeFiles) {
		matches, _ := fs.Glob(r.fsys, pattern) // the patterns are well formed
		for _, name := range matches {
			if kind := native.KindOf(name); kind != 0 && r.shipped(name) {
				n.file(kind, name)
			}
		}
	}
	return native.Merge(n.fragments)
}

type nativeReader struct {
	*reader
	fragments []*native.Fragment
	read      map[string]bool
}

// data reads a file once; nil if it was read before or cannot be.
func (n *nativeReader) data(name string) []byte {
	if n.read[name] || len(n.read) >= maxNative || !exists(n.fsys, name) {
		return nil
	}
	n.read[name] = true
	data, err := readBounded(n.fsys, name, MaxManifest)
	if err != nil {
		n.skip(name, reason(err))
	}
	return data
}

func (n *nativeReader) file(kind native.Kind, name string) *native.Fragment {
	data := n.data(name)
	if data == nil {
		return nil
	}
	f, err := native.NewFile(kind, name, data)
	if err != nil {
		n.unread(name, err)
		return nil
	}
	if f != nil {
		f.Generated = strings.HasPrefix(name, "platforms/")
		n.fragments = append(n.fragments, f)
	}
	return f
}

func (n *nativeReader) unread(name string, err error) {
	why := err.Error()
	var problem *native.Problem
	if errors.As(err, &problem) {
		why = fmt.Sprintf("line %d: %s", problem.Place.Line, problem.Msg)
	}
	n.skip(name, why)
}

// carried adds what a config.xml or plugin.xml gives native files; dir is the
// folder of the files that it names.
func (n *nativeReader) carried(doc *configxml.Document, dir string) {
	fragments, resources, problems := native.Carried(doc)
	n.fragments = append(n.fragments, fragments...)
	for i := range problems {
		n.unread(doc.Name(), &problems[i])
	}
	for _, res := range resources {
		name := path.Join(dir, strings.ReplaceAll(res.Source, `\`, "/"))
		place := doc.Place(res.Element.Start, res.Element.TagEnd)
		if !fs.ValidPath(name) || !exists(n.fsys, name) {
			n.skip(name, fmt.Sprintf("line %d of %s copies it, and it is not there", place.Line, doc.Name()))
			continue
		}
		if f := n.file(native.Security, name); f != nil {
			f.Carrier, f.Name = native.ResourceFile, native.ResourceName(res.Target)
		}
	}
}

func (n *nativeReader) plugin(name string) {
	data := n.data(name)
	if data == nil {
		return
	}
	doc, err := configxml.Parse(name, data)
	if err != nil {
		n.skip(name, err.Error())
		return
	}
	n.carried(doc, path.Dir(name))
}

// pluginManifests returns the plugin.xml files of the plugins that the project
// has: those that were found with its plugins, else where Cordova's tools keep them
// and where npm installed those that config.xml or package.json names.
func (r *reader) pluginManifests() []string {
	var known []string
	for _, p := range r.project.Plugins {
		if p.Manifest != "" {
			known = append(known, p.Manifest)
		}
	}
	if len(r.project.Plugins) > 0 {
		return known
	}
	found, _ := fs.Glob(r.fsys, "plugins/*/plugin.xml") // the pattern is well formed
	have := make(map[string]bool)
	for _, name := range found {
		have[path.Base(path.Dir(name))] = true
	}
	for _, id := range r.namedPlugins() {
		name := path.Join("node_modules", id, "plugin.xml")
		if !have[path.Base(id)] && fs.ValidPath(name) && exists(r.fsys, name) {
			have[path.Base(id)] = true
			found = append(found, name)
		}
	}
	return found
}

// namedPlugins returns the names of the packages that could be plugins.
func (r *reader) namedPlugins() []string {
	var list []string
	if r.project.Config != nil {
		for _, e := range r.project.Config.Root().Children {
			if e.Name == "plugin" {
				list = append(list, e.Value("name"))
			}
		}
	}
	manifest, err := jsonspan.Parse(r.project.Package.Data)
	if err != nil {
		return list // which is a finding of its own, unless there is no file
	}
	for _, at := range [][]string{{"dependencies"}, {"devDependencies"}, {"cordova", "plugins"}} {
		for _, m := range manifest.At(at...).Members {
			list = append(list, m.Key)
		}
	}
	return list
}
