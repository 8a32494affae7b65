package configxml

import (
	"slices"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
)

// Part is what another file than the config.xml adds to what ships: the
// elements that a plugin's plugin.xml puts into the built config.xml, or those
// that stand for what a file in another format says (see Foreign).
type Part struct {
	// Platform is the platform whose config.xml the elements come into, "" for
	// every platform's.
	Platform string
	Elements []*Element
}

// Unknown is something about what ships that could not be established, so that
// an entry may be missing from the document: a plugin that is named and not
// there, a file that cannot be read, a value that code computes.
type Unknown struct {
	// What says it in one clause, such as "the plugin x is named and its
	// plugin.xml was not found".
	What string
	// Place is where it is named; zero where no file names it.
	Place policy.Place
	// Platform is the platform that it matters to, "" for every one.
	Platform string
	// Reading says that it is about what the platform makes of the document, and that
	// no entry may be missing.
	Reading bool
}

// Additions are what Effective adds to a document.
type Additions struct {
	// Parts come before the file's own elements, as plugins' entries do in a
	// built config.xml, so that the app's own preferences win.
	Parts []Part
	// Unknown are the facts that could not be established.
	Unknown []Unknown
	// Capacitor is the app's Capacitor configuration, nil for an app without.
	Capacitor *capacitor.Config
	// Lone says that the document stays one file of which the rest of the project is
	// not known, see Ships.
	Lone bool
}

// Effective returns the document of what ships: base, which is what a person
// wrote, with what other files add to it. For and Preference yield both; Root,
// Bytes, Comments and edits stay those of the file as written. base is not
// changed. It is nil for an app without a config.xml: the document then is an
// empty one of the given name.
func Effective(name string, base *Document, add Additions) *Document {
	if base == nil {
		base = &Document{name: name, lines: []int{0}}
		base.root = &Element{Name: "widget", doc: base}
	}
	d := *base
	d.written = base
	d.parts = append(append([]Part(nil), base.parts...), add.Parts...)
	d.unknown = append(append([]Unknown(nil), base.unknown...), add.Unknown...)
	if add.Capacitor != nil {
		d.capacitor = add.Capacitor
	}
	d.lone = base.lone || add.Lone
	return &d
}

// Unknown returns what could not be established about what ships on a platform.
func (d *Document) Unknown(platform string) []Unknown {
	var list []Unknown
	for _, u := range d.unknown {
		if u.Platform == "" || u.Platform == platform {
			list = append(list, u)
		}
	}
	return list
}

// Ships reports whether the document is that of what ships, made by Effective,
// rather than one file: what it does not have, the app does not have then.
func (d *Document) Ships() bool { return d.written != nil && !d.lone }

// Unknowns returns what could not be established about what ships on any platform.
// The caller must not change it.
func (d *Document) Unknowns() []Unknown { return d.unknown }

// Owns reports whether an element stands in the document's own file, so that an
// edit of the document can change it.
func (d *Document) Owns(e *Element) bool {
	return e.doc == d || d.written != nil && (e.doc == d.written || d.written.Owns(e))
}

// Capacitor returns the app's Capacitor configuration, nil for an app without.
func (d *Document) Capacitor() *capacitor.Config { return d.capacitor }

// Parts returns what other files add. The caller must not change it.
func (d *Document) Parts() []Part { return d.parts }

// Added returns the elements that other files add for a platform. For a platform
// of Capacitor they are all there is: nothing reads a config.xml that lies beside
// its configuration.
func (d *Document) Added(platform string) []*Element {
	var list []*Element
	for _, p := range d.parts {
		if p.Platform == "" || p.Platform == platform {
			list = append(list, p.Elements...)
		}
	}
	return list
}

// Document returns the file that the element stands in.
func (e *Element) Document() *Document { return e.doc }

// Place returns where the element's start tag stands, in its own file.
func (e *Element) Place() policy.Place { return e.doc.Place(e.Start, e.TagEnd) }

// Foreign is a file in another format than XML, such as a package.json, that
// says what in XML would be an element.
type Foreign struct{ doc *Document }

// NewForeign returns the file of that name. It keeps data: the caller must not
// change it afterwards.
func NewForeign(name string, data []byte) Foreign {
	return Foreign{&Document{name: name, data: data, lines: lineStarts(data, 0)}}
}

// Element returns an element that stands for the bytes from start to end. The
// attributes are pairs of a name and a value.
func (f Foreign) Element(start, end int, name string, attributes ...string) *Element {
	e := &Element{Name: name, Start: start, TagEnd: end, End: end, doc: f.doc}
	for i := 0; i+1 < len(attributes); i += 2 {
		e.Attrs = append(e.Attrs, Attr{Name: attributes[i], Value: attributes[i+1], Start: start, End: end,
			ValueStart: start, ValueEnd: end})
	}
	return e
}

// Scoped calls visit for the elements below the root, and for those below each of its
// <platform> elements, with the platform's name: what stands in a config.xml or a
// plugin.xml, as it is written.
func (d *Document) Scoped(visit func(e *Element, platform string)) {
	for _, e := range d.root.Children {
		visit(e, "")
		if e.Name == "platform" {
			for _, child := range e.Children {
				visit(child, e.Value("name"))
			}
		}
	}
}

// Replaced returns a copy of the document in which each value of an attribute and each
// text is what replace makes of it. Places, Bytes and edits stay those of the file.
func (d *Document) Replaced(replace func(e *Element, text string) string) *Document {
	made := *d
	made.root = replaced(d.root, nil, &made, replace)
	return &made
}

func replaced(e, parent *Element, doc *Document, replace func(*Element, string) string) *Element {
	made := *e
	made.doc, made.Parent = doc, parent
	made.Text = replace(e, e.Text)
	made.Attrs = slices.Clone(e.Attrs)
	for i := range made.Attrs {
		made.Attrs[i].Value = replace(e, made.Attrs[i].Value)
	}
	made.Children = make([]*Element, len(e.Children))
	for i, child := range e.Children {
		made.Children[i] = replaced(child, &made, doc, replace)
	}
	return &made
}
