package native

import (
	"path"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// Resource is a file of the project that a <resource-file> copies into an app.
type Resource struct {
	// Source is the file's name, relative to the file that names it.
	Source string
	// Target is where it is copied to, relative to the platform's folder.
	Target string
	// Element names it.
	Element *configxml.Element
}

// Carried returns what a config.xml or a plugin.xml says about native files,
// and the files that it copies among them. What could not be read is a problem;
// the rest counts all the same.
func Carried(doc *configxml.Document) ([]*Fragment, []Resource, []Problem) {
	c := &carried{doc: doc}
	doc.Scoped(c.element)
	return c.fragments, c.resources, c.problems
}

type carried struct {
	doc       *configxml.Document
	fragments []*Fragment
	resources []Resource
	problems  []Problem
}

func (c *carried) element(e *configxml.Element, platform string) {
	if platform == "" {
		platform = e.Value("platform")
	}
	switch e.Name {
	case "config-file":
		c.block(e, platform, ConfigFile, e.Value("target"), e.Value("parent"))
	case "custom-config-file":
		c.block(e, platform, CustomConfigFile, e.Value("target"), e.Value("parent"))
	case "edit-config":
		c.block(e, platform, EditConfig, e.Value("file"), e.Value("target"))
	case "custom-preference", "preference":
		c.preference(e)
	case "resource-file":
		source, target := e.Value("src"), e.Value("target")
		if target == "" {
			target = source
		}
		kind := KindOf(target)
		if source != "" && (platform == "android" || platform == "") && (kind == Security || kind == Values) {
			c.resources = append(c.resources, Resource{Source: path.Clean(source), Target: target, Element: e})
		}
	}
}

// block adds what an element that holds content says.
func (c *carried) block(e *configxml.Element, platform string, by Carrier, target, parent string) {
	if mode := e.Value("mode"); mode == "remove" || mode == "delete" {
		return
	}
	kind := KindOf(target)
	switch {
	case kind != 0 || target != "" && !strings.HasSuffix(target, ".plist"):
	case platform == "android" || strings.HasPrefix(parent, "/"):
		kind = Manifest // of PhoneGap Build, which knows no target
	default:
		kind = Info
	}
	if kind == 0 || len(e.Children) == 0 || platform != "" && platform != platformOf(kind) {
		return
	}
	if kind == Security && !slices.ContainsFunc(e.Children, isSection) {
		return // another XML resource, such as a provider's paths
	}
	f := &Fragment{Kind: kind, Carrier: by, Name: ResourceName(target), Parent: parent, Document: c.doc,
		Elements: e.Children, Place: c.doc.Place(e.Start, e.TagEnd)}
	if kind == Info {
		value, err := elementValue(c.doc, e.Children[0])
		if err != nil {
			c.problems = append(c.problems, *err)
			return
		}
		f.info = value
	}
	c.fragments = append(c.fragments, f)
}

// isSection reports whether an element is a part of a network security configuration.
func isSection(e *configxml.Element) bool {
	return e.Name == "base-config" || e.Name == "domain-config" || e.Name == "debug-overrides"
}

func platformOf(kind Kind) string {
	if kind == Info {
		return "ios"
	}
	return "android"
}

// preference adds what cordova-custom-config makes of a preference such as
// android-manifest/application/@android:debuggable.
func (c *carried) preference(e *configxml.Element) {
	name, ok := strings.CutPrefix(e.Value("name"), "android-manifest/")
	if !ok || e.Value("delete") == "true" {
		return
	}
	parent, attribute := "/manifest", name
	if i := strings.LastIndex(name, "/@"); i >= 0 {
		parent, attribute = "/manifest/"+name[:i], name[i+1:]
	}
	attribute, ok = strings.CutPrefix(attribute, "@")
	if !ok {
		return
	}
	value, _ := e.Attr("value")
	a := &Attribute{Value: value.Value, Place: c.doc.Place(value.Start, value.End), Source: value}
	a.Name, a.Android = strings.CutPrefix(attribute, "android:")
	c.fragments = append(c.fragments, &Fragment{Kind: Manifest, Carrier: CustomPreference, Parent: parent,
		Document: c.doc, Elements: []*configxml.Element{e}, Place: c.doc.Place(e.Start, e.TagEnd), attribute: a})
}
