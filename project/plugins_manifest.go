package project

import (
	"bytes"
	"errors"
	"maps"
	"path"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// pluginFile is the plugin.xml of a plugin that counts, read once for all who ask what it
// puts where: with the values of the plugin's variables, and its places.
type pluginFile struct {
	*configxml.Document
	id string
	// unset says, by where an element starts, why a value of that element which has a $
	// in it is not known; nil for none.
	unset map[int]string
}

// dir is the folder of the files that it names.
func (f *pluginFile) dir() string { return path.Dir(f.Name()) }

// manifestOf reads a plugin.xml with the values of its variables put in; nil if that
// cannot be done, which is said.
func (r *pluginReader) manifestOf(n *named) *pluginFile {
	data, err := readBounded(r.fsys, n.manifest, MaxManifest)
	if err != nil {
		r.cannot(n.manifest, reason(err), n.id)
		return nil
	}
	doc, err := configxml.Parse(n.manifest, data)
	if err == nil && doc.Root().Name != "plugin" {
		err = errors.New("its root is not <plugin>")
	}
	if err != nil {
		r.cannot(n.manifest, lineAndWhy(err), n.id)
		return nil
	}
	f := &pluginFile{Document: doc, id: n.id}
	if bytes.Contains(data, []byte("$")) {
		if err := f.putVariables(r.variablesOf(doc, n)); err != nil {
			r.cannot(n.manifest, err.Error(), n.id)
			return nil
		}
	}
	r.pluginFiles = append(r.pluginFiles, f)
	return f
}

// lineAndWhy says what is wrong with a file whose name is said before it.
func lineAndWhy(err error) string {
	var syntax *configxml.SyntaxError
	if errors.As(err, &syntax) {
		return (&codeError{syntax.Place.Line, syntax.Msg}).Error()
	}
	return err.Error()
}

// dependencies adds the plugins that a plugin depends on.
func (r *pluginReader) dependencies(n *named, f *pluginFile) {
	source, from := configxml.NewForeign(n.manifest, f.Bytes()), r.realFolder(path.Dir(n.manifest))
	f.Scoped(func(e *configxml.Element, _ string) {
		if e.Name != "dependency" {
			return
		}
		spec := e.Value("url") // which comes before a version
		if spec == "" {
			spec = e.Value("version")
		}
		// What was given to a plugin is given to those that it depends on.
		r.add(named{id: e.Value("id"), spec: spec, source: source, place: e.Place(), plugin: true,
			variables: maps.Clone(n.variables), from: from})
	})
}
