package project

import (
	"errors"
	"path"
	"sort"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// manifestOf reads a plugin.xml with the values of its variables put in; nil if
// that cannot be done, which is said.
func (r *pluginReader) manifestOf(n *named) *configxml.Document {
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
	text, ok := withVariables(string(data), doc, n)
	if !ok {
		r.cannot(n.manifest, "the values of its variables are too long", n.id)
		return nil
	}
	if text == "" {
		return doc
	}
	if doc, err = configxml.Parse(n.manifest, []byte(text)); err != nil {
		r.cannot(n.manifest, lineAndWhy(err), n.id)
		return nil
	}
	return doc
}

// lineAndWhy says what is wrong with a file whose name is said before it.
func lineAndWhy(err error) string {
	var syntax *configxml.SyntaxError
	if errors.As(err, &syntax) {
		return (&codeError{syntax.Place.Line, syntax.Msg}).Error()
	}
	return err.Error()
}

// withVariables puts the values of a plugin's variables into its plugin.xml, as
// Cordova's tools do: the project's values, else the defaults that the plugin
// gives. The text is "" where nothing changes; ok is false if it grows too much.
func withVariables(text string, doc *configxml.Document, n *named) (made string, ok bool) {
	if !strings.Contains(text, "$") {
		return "", true
	}
	values := map[string]string{}
	visit := func(e *configxml.Element) {
		if name := strings.ToUpper(e.Value("name")); e.Name == "preference" && name != "" {
			if value, has := e.Attr("default"); has {
				values[name] = value.Value
			}
		}
	}
	for _, e := range doc.Root().Children {
		visit(e)
		if e.Name == "platform" {
			for _, child := range e.Children {
				visit(child)
			}
		}
	}
	for name, value := range n.variables {
		values[name] = value
	}
	names := make([]string, 0, len(values))
	for name := range values {
		if name != "" {
			names = append(names, name)
		}
	}
	// A name may begin another one: the longer is the one that is meant.
	sort.Slice(names, func(i, j int) bool {
		return len(names[i]) > len(names[j]) || len(names[i]) == len(names[j]) && names[i] < names[j]
	})
	var pairs []string
	for _, name := range names {
		value := configxml.Escape(values[name])
		if grown := strings.Count(text, "$"+name) * len(value); grown > MaxManifest {
			return "", false
		}
		pairs = append(pairs, "$"+name, value)
	}
	if made = strings.NewReplacer(pairs...).Replace(text); made == text || len(made) > 2*MaxManifest {
		return "", made == text
	}
	return made, true
}

// dependencies adds the plugins that a plugin depends on.
func (r *pluginReader) dependencies(n *named, doc *configxml.Document) {
	source, from := configxml.NewForeign(n.manifest, doc.Bytes()), r.realFolder(path.Dir(n.manifest))
	visit := func(e *configxml.Element) {
		if e.Name == "dependency" {
			spec := e.Value("url") // which comes before a version
			if spec == "" {
				spec = e.Value("version")
			}
			r.add(named{id: e.Value("id"), spec: spec, source: source, place: e.Place(), plugin: true, from: from})
		}
	}
	for _, e := range doc.Root().Children {
		visit(e)
		if e.Name == "platform" {
			for _, child := range e.Children {
				visit(child)
			}
		}
	}
}
