package native

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// androidSpace is the namespace of the attributes that Android reads.
const androidSpace = "http://schemas.android.com/apk/res/android"

// Statement is what a fragment says about one element of AndroidManifest.xml.
type Statement struct {
	// Path is the element's path, such as "/manifest/application".
	Path string
	// Written is the element's name as it stands in the fragment. It differs
	// from the path's end where an <edit-config> gives its target attributes
	// that it wrote on another element.
	Written string
	// Attributes are the element's, or those that are given to it.
	Attributes []Attribute
	// Merged says that only attributes are given to an element that is there.
	Merged bool
	// Element is the element in the fragment.
	Element  *configxml.Element
	Fragment *Fragment
	// Place is that of the element's start tag.
	Place policy.Place
}

// Attribute is one attribute of an element of AndroidManifest.xml.
type Attribute struct {
	// Name is without its prefix; Android says that it had the one of
	// Android's namespace.
	Name    string
	Android bool
	Value   string
	Place   policy.Place
	// Source is the attribute in the fragment.
	Source configxml.Attr
	// Meaning is what the value comes to, where it is one that this package knows the
	// effect of; see Texts.
	Meaning Meaning
}

// Attribute returns the attribute of Android's namespace of that name.
func (s *Statement) Attribute(name string) (Attribute, bool) {
	for _, a := range s.Attributes {
		if a.Android && a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

// Value returns the value of that attribute, or "".
func (s *Statement) Value(name string) string {
	a, _ := s.Attribute(name)
	return a.Value
}

// Texts are the values that the attribute may have, as far as they are known: what the
// names that stand in it come to, on any device and in any build of the app.
func (a *Attribute) Texts() []Given {
	if len(a.Meaning.Texts) == 0 && a.Meaning.Unknown == "" {
		return []Given{{Text: a.Value, Place: a.Place}}
	}
	return a.Meaning.Texts
}

// Can returns the first value that the attribute may have, as far as is known, which
// Android reads as this boolean.
func (a *Attribute) Can(be bool) (Given, bool) {
	for _, g := range a.Texts() {
		if value, ok := boolean(g.Text); ok && value == be {
			return g, true
		}
	}
	return Given{}, false
}

// boolean reads what aapt compiles to a boolean or a number.
func boolean(s string) (value, ok bool) {
	switch s = strings.TrimSpace(s); s {
	case "true", "TRUE", "True":
		return true, true
	case "false", "FALSE", "False":
		return false, true
	}
	if n, ok := integer(s); ok {
		return n != 0, true
	}
	return false, false
}

// integer reads a whole number as aapt does: decimal, or hexadecimal with 0x.
func integer(s string) (n int64, ok bool) {
	negative := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	base := int64(10)
	if digits, hex := strings.CutPrefix(strings.ToLower(s), "0x"); hex {
		s, base = digits, 16
	}
	if s == "" || len(s) > 10 {
		return 0, false
	}
	for i := range len(s) {
		digit := int64(strings.IndexByte("0123456789abcdef", s[i]))
		if digit < 0 || digit >= base {
			return 0, false
		}
		n = n*base + digit
	}
	if negative {
		n = -n
	}
	return n, true
}

// Below returns the statements about elements of one of the names directly
// below <application>.
func (s *Set) Below(names ...string) []Statement {
	var list []Statement
	for _, st := range s.Statements {
		for _, name := range names {
			if st.Path == "/manifest/application/"+name {
				list = append(list, st)
			}
		}
	}
	return list
}

// At returns the statements about the elements of a path.
func (s *Set) At(path string) []Statement {
	var list []Statement
	for _, st := range s.Statements {
		if st.Path == path {
			list = append(list, st)
		}
	}
	return list
}

// statements lists the elements that a fragment of AndroidManifest.xml states.
func (r *resolver) statements(f *Fragment) []Statement {
	parent := elementPath(f.Parent)
	var list []Statement
	switch {
	case f.attribute != nil:
		a := *f.attribute
		r.mean(f, f.Elements[0], &a)
		return []Statement{{Path: parent, Written: lastName(parent), Merged: true, Fragment: f, Place: f.Place,
			Attributes: []Attribute{a}, Element: f.Elements[0]}}
	case f.Carrier == EditConfig:
		// cordova-common gives the target the attributes of each child, whatever
		// the child's name is; the child's own content is left out.
		for _, e := range f.Elements {
			list = append(list, r.statement(f, e, parent, true))
		}
		return list
	case f.Carrier == File:
		parent = ""
	}
	for _, e := range f.Elements {
		list = r.below(f, list, e, parent)
	}
	return list
}

func (r *resolver) below(f *Fragment, list []Statement, e *configxml.Element, parent string) []Statement {
	at := parent + "/" + e.Name
	list = append(list, r.statement(f, e, at, false))
	for _, child := range e.Children {
		list = r.below(f, list, child, at)
	}
	return list
}

// understood are the attributes whose effect is known here, so that what names in them
// stand for matters.
var understood = map[string]bool{
	"usesCleartextTraffic": true, "debuggable": true, "networkSecurityConfig": true, "allowBackup": true,
	"fullBackupContent": true, "exported": true, "permission": true, "readPermission": true,
	"writePermission": true, "scheme": true, "targetSdkVersion": true,
}

// mean finds out what an attribute of an element means.
func (r *resolver) mean(f *Fragment, e *configxml.Element, a *Attribute) {
	if a.Android && understood[a.Name] && strings.ContainsAny(a.Value, "@$?") {
		a.Meaning = r.of(f, e.Start, a.Value, a.Place)
	}
}

func (r *resolver) statement(f *Fragment, e *configxml.Element, at string, merged bool) Statement {
	s := Statement{Path: at, Written: e.Name, Merged: merged, Element: e, Fragment: f,
		Place: f.Document.Place(e.Start, e.TagEnd)}
	for _, a := range e.Attrs {
		if a.Prefix == "xmlns" || a.Name == "xmlns" && a.Prefix == "" {
			continue
		}
		read := Attribute{Name: a.Name, Android: a.Prefix != "" && isAndroid(e, a.Prefix), Value: a.Value,
			Place: f.Document.Place(a.Start, a.End), Source: a}
		r.mean(f, e, &read)
		s.Attributes = append(s.Attributes, read)
	}
	return s
}

// isAndroid reports whether a prefix stands for Android's namespace. "android" always
// does: in a fragment the declaration may be missing, and the file that it goes into
// has it.
func isAndroid(e *configxml.Element, prefix string) bool {
	for ; e != nil && prefix != "android"; e = e.Parent {
		for _, a := range e.Attrs {
			if a.Prefix == "xmlns" && a.Name == prefix {
				return a.Value == androidSpace
			}
		}
	}
	return prefix == "android"
}

// elementPath brings a selector into the form /manifest/application: without
// conditions, from the root on.
func elementPath(selector string) string {
	var b strings.Builder
	depth := 0
	for _, c := range selector {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case depth == 0:
			b.WriteRune(c)
		}
	}
	s := strings.TrimSpace(b.String())
	if rest, ok := strings.CutPrefix(s, "/*"); ok {
		s = "/manifest" + rest
	} else if rest, ok := strings.CutPrefix(s, "."); ok {
		s = "/manifest" + "/" + strings.TrimLeft(rest, "/")
	} else if !strings.HasPrefix(s, "/") {
		s = "/manifest/" + s
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "//"), "/")
	if !strings.HasPrefix(s, "/manifest") {
		s = "/manifest/" + strings.TrimPrefix(s, "/")
	}
	return s
}

func lastName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// TargetSDK returns the target SDK that the manifest names, with its place.
func (s *Set) TargetSDK() (Attribute, bool) {
	for _, st := range s.At("/manifest/uses-sdk") {
		if a, ok := st.Attribute("targetSdkVersion"); ok {
			return a, true
		}
	}
	return Attribute{}, false
}

// Component is a part of an app that others may start.
type Component struct {
	Statement
	// Kind is activity, activity-alias, service, receiver or provider.
	Kind string
	// Filtered says that it has an intent filter, Launcher that it is what the
	// device's launcher starts, Linked that web pages may start it.
	Filtered, Launcher, Linked bool
	// Guarded says that who starts it needs a permission.
	Guarded bool
	// Schemes are the schemes of its intent filters.
	Schemes []Attribute
}

// Components returns the activities, services, receivers and providers. The caller
// must not change them.
func (s *Set) Components() []Component { return s.components }

func (s *Set) readComponents(r *resolver) []Component {
	var list []Component
	for _, st := range s.Below("activity", "activity-alias", "service", "receiver", "provider") {
		if st.Merged {
			continue
		}
		c := Component{Statement: st, Kind: lastName(st.Path)}
		for _, name := range []string{"permission", "readPermission", "writePermission"} {
			a, _ := st.Attribute(name)
			c.Guarded = c.Guarded || a.given()
		}
		for _, e := range st.Element.Children {
			if e.Name == "intent-filter" {
				c.filter(r, e)
			}
		}
		list = append(list, c)
	}
	return list
}

// given reports whether the attribute is sure to have a value that is not empty.
func (a *Attribute) given() bool {
	if before, _, after, ok := nextName(OfGradle, a.Value); ok && before+after != "" {
		return true
	}
	return a.Meaning.Unknown == "" && !slices.ContainsFunc(a.Texts(), func(g Given) bool { return g.Text == "" })
}

func (c *Component) filter(r *resolver, e *configxml.Element) {
	c.Filtered = true
	for _, child := range e.Children {
		st := r.statement(c.Fragment, child, "", false)
		switch value := st.Value("name"); {
		case child.Name == "data":
			if a, ok := st.Attribute("scheme"); ok {
				c.Schemes = append(c.Schemes, a)
			}
		case value == "android.intent.category.LAUNCHER":
			c.Launcher = true
		case value == "android.intent.category.BROWSABLE":
			c.Linked = true
		}
	}
}
