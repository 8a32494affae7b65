package project

import (
	"path"
	"regexp"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// brought returns what a plugin.xml puts into the built config.xml, and says what
// of it cannot be followed. It is what PluginInfo.getConfigFiles, getEditConfigs
// and PlatformMunger of cordova-common 6.0.0 do: <config-file> and <edit-config> of
// the root and of the platform's own element. An entry that stands in a plugin.xml
// outside of them is put nowhere. unset says by where an element starts why a value of
// it that has a $ in it is not known; nil for none.
func (r *reader) brought(doc *configxml.Document, unset map[int]string) []configxml.Part {
	b := &builder{reader: r, doc: doc, written: doc == r.project.Config, unset: unset}
	doc.Scoped(b.element)
	return b.parts
}

type builder struct {
	*reader
	doc     *configxml.Document
	written bool // it is the project's own config.xml
	unset   map[int]string
	parts   []configxml.Part
}

func (b *builder) element(e *configxml.Element, platform string) {
	switch e.Name {
	case "config-file":
		if target := slashed(e.Value("target")); isBuiltConfig(target) && len(e.Children) > 0 {
			b.add(platform, target, e.Children...)
		}
	case "edit-config":
		file := e.Value("file")
		if target := slashed(file); isBuiltConfig(target) {
			b.edit(e, platform, target)
		}
	}
}

// add adds elements for a platform. What a file below res/xml gets is Android's:
// other platforms have none.
func (b *builder) add(platform, target string, elements ...*configxml.Element) {
	b.doubt(platform, elements)
	platforms := []string{platform}
	if platform == "" && strings.Contains(target, "res/xml") {
		platforms = []string{"android", "amazon-fireos"}
	}
	for _, name := range platforms {
		b.parts = append(b.parts, configxml.Part{Platform: name, Elements: elements})
	}
}

// doubt notes the elements that the value of a variable is missing in.
func (b *builder) doubt(platform string, elements []*configxml.Element) {
	for _, top := range elements {
		top.Walk(func(e *configxml.Element) bool {
			why, setting := b.unset[e.Start], strings.ToLower(e.Value("name"))
			says := counts(e.Name) && (e.Name != "preference" || ownSettings[setting] || strings.Contains(setting, "$"))
			if why != "" && says {
				b.unknown(e.Place(), platform, "%s, and it stands in a <%s> of the list", why, e.Name)
			}
			return true
		})
	}
}

func slashed(name string) string { return strings.ReplaceAll(name, `\`, "/") }

// isBuiltConfig reports whether the target of a change is the platform's
// config.xml: config.xml, res/xml/config.xml, */config.xml.
func isBuiltConfig(target string) bool { return path.Base(target) == "config.xml" }

var (
	lastStep  = regexp.MustCompile(`(?:^|/)([A-Za-z_][\w.:-]*)((?:\[[^\]]*\])*)$`)
	predicate = regexp.MustCompile(`\[@([\w.:-]+)=(?:'([^']*)'|"([^"]*)")\]`)
)

// edit adds what an <edit-config> makes of the first element that its selector
// finds. What that element was before stays in the document: where it granted
// something, more is counted than ships, never less.
func (b *builder) edit(e *configxml.Element, platform, target string) {
	mode := e.Value("mode")
	step := lastStep.FindStringSubmatch(e.Value("target"))
	if step == nil {
		if strings.Trim(e.Value("target"), "/.*") != "" {
			b.unknown(
				e.Place(),
				platform,
				"an <edit-config> changes the built config.xml by the selector %q, which is "+
					"not read here",
				e.Value("target"),
			)
		}
		return // the attributes of the root say nothing
	}
	tag := step[1]
	if b.written && tag == "preference" || mode == "remove" && b.written && counts(tag) {
		b.unknown(e.Place(), platform, "an <edit-config> changes a <%s> of the built config.xml after everything else",
			tag)
	}
	if mode != "merge" && mode != "overwrite" {
		return
	}
	source := configxml.NewForeign(b.doc.Name(), b.doc.Bytes())
	for _, child := range e.Children {
		var attributes []string
		for _, a := range child.Attrs {
			attributes = append(attributes, a.Name, a.Value)
		}
		if mode == "merge" { // what the selector asks for stays
			for _, p := range predicate.FindAllStringSubmatch(step[2], -1) {
				attributes = append(attributes, p[1], p[2]+p[3])
			}
		}
		b.add(platform, target, source.Element(child.Start, child.TagEnd, tag, attributes...))
	}
}

// counts reports whether an element of a config.xml matters to what the app may
// reach.
func counts(tag string) bool {
	switch tag {
	case "access", "allow-navigation", "allow-intent", "preference", "content":
		return true
	}
	return false
}
