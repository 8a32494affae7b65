package propose

import (
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// Dropped is a line that a new list has no use for.
type Dropped struct {
	Line Line
	// Number is the line's number in the file, from 1.
	Number int
}

// Replace returns the document with the lines for requests that were proposed
// and without the others at its root: what is listed then is what was asked
// for. Lines that hand a URL to another app stay, as does everything inside
// <platform>. With keep, lines for one host alone stay too, asked for or not,
// and only those that cover many hosts go.
func Replace(doc *configxml.Document, proposed []Proposal, keep bool) (data []byte, dropped []Dropped, err error) {
	lines := make([]Line, len(proposed))
	wanted := map[string]bool{}
	for i, p := range proposed {
		lines[i] = p.Line
		wanted[p.Line.Origin] = true
	}
	var edits []configxml.Edit
	for _, e := range doc.Root().Children {
		origin, ok := requestLine(e)
		if !ok || wanted[origin] || keep && !wide(origin) {
			continue
		}
		dropped = append(dropped, Dropped{Line{"access", origin}, doc.Place(e.Start, e.End).Line})
		edits = append(edits, withoutElement(doc.Bytes(), e))
	}
	// The new lines go in first: they stand behind one that may go.
	grown := doc
	if edit, ok := Insert(doc, lines...); ok {
		if data, err = doc.Apply(edit); err != nil {
			return nil, nil, err
		}
		if grown, err = configxml.Parse(doc.Name(), data); err != nil {
			return nil, nil, err
		}
		for i := range edits {
			if edits[i].Start >= edit.Start {
				edits[i].Start += len(edit.New)
				edits[i].End += len(edit.New)
			}
		}
	}
	data, err = grown.Apply(edits...)
	return data, dropped, err
}

// requestLine returns the origin of an element that lists requests.
func requestLine(e *configxml.Element) (origin string, ok bool) {
	if e.Name != "access" {
		return "", false
	}
	if _, external := e.Attr("launch-external"); external {
		return "", false
	}
	value, ok := e.Attr("origin")
	return value.Value, ok
}

// wide reports whether an origin covers more than one host.
func wide(origin string) bool { return strings.Contains(origin, "*") }

// withoutElement removes an element with the blanks and the line end in front
// of it.
func withoutElement(data []byte, e *configxml.Element) configxml.Edit {
	end, blanks := configxml.Indentation(data, e.Start)
	if end == "" {
		blanks = ""
	}
	return configxml.Edit{Start: e.Start - len(end+blanks), End: e.End}
}
