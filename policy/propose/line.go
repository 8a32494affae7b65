package propose

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// Line is a line that could be added to a config.xml.
type Line struct {
	// Element is access, allow-navigation or allow-intent.
	Element string
	// Origin is what the line lists, such as https://api.example.org.
	Origin string
}

// attribute returns the name of the attribute that holds the origin.
func (l Line) attribute() string {
	if l.Element == "access" {
		return "origin"
	}
	return "href"
}

// String returns the line as it stands in the file.
func (l Line) String() string {
	var value strings.Builder
	// A strings.Builder never fails.
	_ = xml.EscapeText(&value, []byte(l.Origin))
	return fmt.Sprintf(`<%s %s="%s" />`, l.Element, l.attribute(), value.String())
}

// Insert returns the edit that adds lines to a document: behind the last
// element of the same name at the root, indented as it is, else in front of
// the root's end. A line that the file has already is left out; without any
// line to add, ok is false.
func Insert(doc *configxml.Document, lines ...Line) (edit configxml.Edit, ok bool) {
	root := doc.Root()
	var missing []Line
	var last *configxml.Element
	for _, line := range lines {
		if !has(root, line) {
			missing = append(missing, line)
		}
	}
	if len(missing) == 0 {
		return configxml.Edit{}, false
	}
	for _, e := range root.Children {
		if e.Prefix == "" && e.Name == missing[0].Element {
			last = e
		}
	}
	if last == nil && len(root.Children) > 0 {
		last = root.Children[len(root.Children)-1]
	}
	if last == nil {
		return insertInto(doc, root, missing)
	}
	indent := "\n    "
	if end, blanks := configxml.Indentation(doc.Bytes(), last.Start); end != "" {
		indent = end + blanks
	}
	var text strings.Builder
	for _, line := range missing {
		text.WriteString(indent + line.String())
	}
	return configxml.Edit{Start: last.End, End: last.End, New: text.String()}, true
}

// insertInto adds lines to a root without children.
func insertInto(doc *configxml.Document, root *configxml.Element, lines []Line) (configxml.Edit, bool) {
	var text strings.Builder
	for _, line := range lines {
		text.WriteString("\n    " + line.String())
	}
	if root.TagEnd == root.End { // <widget/>
		tag := string(doc.Bytes()[root.Start:root.End])
		name := root.Name
		if root.Prefix != "" {
			name = root.Prefix + ":" + name
		}
		open := strings.TrimRight(strings.TrimSuffix(tag, "/>"), " \t\r\n")
		return configxml.Edit{Start: root.Start, End: root.End, New: open + ">" + text.String() + "\n</" + name + ">"},
			true
	}
	return configxml.Edit{Start: root.TagEnd, End: root.TagEnd, New: text.String()}, true
}

func has(root *configxml.Element, line Line) bool {
	for _, e := range root.Children {
		if e.Name != line.Element || e.Value(line.attribute()) != line.Origin {
			continue
		}
		if _, external := e.Attr("launch-external"); !external {
			return true
		}
	}
	return false
}
