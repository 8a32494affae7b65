// Package configxml reads a config.xml without loss: every element and every
// attribute knows its bytes, so that an edit splices bytes and leaves line
// ends, spacing and comments as they are.
//
// [Parse] reads what is found in real projects: a byte-order mark, a comment
// or blank space before the XML declaration, undeclared prefixes, CDATA. What
// it cannot read faithfully is a [*SyntaxError] with line, column and what to
// do about it; nothing is skipped without a word.
//
// The package is pure. A *Document is immutable and safe for concurrent use.
package configxml

import (
	"bytes"
	"slices"
	"sort"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
)

// Document is one parsed file, or, made by Effective, the document of what ships:
// that file and what others add to it.
type Document struct {
	name     string
	data     []byte
	encoding string
	root     *Element
	comments []Comment
	lines    []int // byte offset at which each line starts
	scoped   bool  // the root has <platform> elements

	written *Document // the file as written, if this is an effective document
	lone    bool      // and nothing else of the project is known
	parts   []Part
	unknown []Unknown

	capacitor *capacitor.Config
}

// Element is one XML element. Its offsets count bytes of the file.
type Element struct {
	// Prefix and Name are the two halves of the tag's name as written.
	Prefix, Name string
	// Space is the namespace's URI, "" for none and for an undeclared prefix.
	Space string
	// Attrs are all attributes in file order, namespace declarations included.
	Attrs    []Attr
	Children []*Element
	// Parent is nil for the root.
	Parent *Element
	// Start and End enclose the whole element, End exclusive.
	Start, End int
	// TagEnd is the end of the start tag.
	TagEnd int
	// Text is the decoded character data directly inside, CDATA included.
	Text string

	doc *Document // the file that it stands in
}

// Attr is one attribute. Its offsets count bytes of the file.
type Attr struct {
	// Prefix and Name are the two halves of the name as written.
	Prefix, Name string
	// Value is decoded and normalised as XML says: references replaced,
	// literal tabs and line ends turned into spaces.
	Value string
	// Start and End enclose name="value" with its quotes, End exclusive.
	Start, End int
	// ValueStart and ValueEnd enclose what stands between the quotes.
	ValueStart, ValueEnd int
}

// Comment is one comment of the file.
type Comment struct {
	// Text is what stands between <!-- and -->.
	Text string
	// Start and End enclose the whole comment, End exclusive.
	Start, End int
}

// Name returns the file name that the document was parsed under.
func (d *Document) Name() string { return d.name }

// Bytes returns the file's bytes. The caller must not change them.
func (d *Document) Bytes() []byte { return d.data }

// Root returns the root element; it is never nil.
func (d *Document) Root() *Element { return d.root }

// Comments returns all comments in file order. The caller must not change
// them.
func (d *Document) Comments() []Comment { return d.comments }

// Place returns where in the file the bytes from start to end stand. Offsets
// outside the file are moved to its nearest end.
func (d *Document) Place(start, end int) policy.Place {
	start = min(max(start, 0), len(d.data))
	end = min(max(end, start), len(d.data))
	line := sort.Search(len(d.lines), func(i int) bool { return d.lines[i] > start })
	column := 1
	if line == 0 { // inside the byte-order mark
		line = 1
	} else {
		column += start - d.lines[line-1]
	}
	return policy.Place{File: d.name, Line: line, Column: column, Start: start, End: end}
}

// For yields the top-level elements as prepare gives them to a platform: what
// other files add (see Effective), then the root's children except <platform>,
// in file order, then the children of every <platform name=P> whose name is P.
// With P "" it yields what is for every platform only. The caller must not change
// it: where every element is for every platform, it is the root's own list.
func (d *Document) For(platform string) []*Element {
	added := d.Added(platform)
	if len(added) == 0 && !d.scoped {
		return slices.Clip(d.root.Children)
	}
	own := append(make([]*Element, 0, len(added)+len(d.root.Children)), added...)
	var scoped []*Element
	for _, child := range d.root.Children {
		if child.Name != "platform" {
			own = append(own, child)
			continue
		}
		if platform != "" && child.Value("name") == platform {
			scoped = append(scoped, child.Children...)
		}
	}
	return append(own, scoped...)
}

// Preference returns the value of the preference of that name, compared
// ignoring case, as a platform sees it: the last one wins, one inside the
// platform's own element over one outside.
func (d *Document) Preference(platform, name string) (value string, ok bool) {
	for _, e := range d.For(platform) {
		if e.Name == "preference" && strings.EqualFold(e.Value("name"), name) {
			value, ok = e.Value("value"), true
		}
	}
	return value, ok
}

// Attr returns the attribute without a prefix of that name.
func (e *Element) Attr(local string) (Attr, bool) {
	for i := range e.Attrs {
		if e.Attrs[i].Prefix == "" && e.Attrs[i].Name == local {
			return e.Attrs[i], true
		}
	}
	return Attr{}, false
}

// Value returns the value of the attribute without a prefix of that name, or
// "" if there is none.
func (e *Element) Value(local string) string {
	a, _ := e.Attr(local)
	return a.Value
}

// Walk calls visit for e and everything below it in file order, until visit
// returns false.
func (e *Element) Walk(visit func(*Element) bool) bool {
	if !visit(e) {
		return false
	}
	for _, child := range e.Children {
		if !child.Walk(visit) {
			return false
		}
	}
	return true
}

// lineStarts lists the offsets at which lines start. A line ends at LF, CR LF
// or a lone CR; a byte-order mark does not count as a column.
func lineStarts(data []byte, first int) []int {
	lines := append(make([]int, 0, 1+bytes.Count(data, []byte{'\n'})), first)
	for i := first; i < len(data); i++ {
		switch data[i] {
		case '\n':
			lines = append(lines, i+1)
		case '\r':
			if i+1 == len(data) || data[i+1] != '\n' {
				lines = append(lines, i+1)
			}
		}
	}
	return lines
}
