package configxml

import (
	"fmt"
	"sort"
	"strings"
)

// Edit replaces the bytes from Start to End, End exclusive, by New. Start ==
// End inserts.
type Edit struct {
	Start, End int
	New        string
}

// Apply returns the file's bytes with the edits made; every other byte stays.
// It is Splice, and refuses text outside ASCII in a file that declares another
// encoding than UTF-8.
func (d *Document) Apply(edits ...Edit) ([]byte, error) {
	for _, e := range edits {
		if d.encoding != "" && !isASCII(e.New) {
			return nil, fmt.Errorf("%q cannot be written into a file that declares encoding %q", e.New, d.encoding)
		}
	}
	return Splice(d.data, edits...)
}

// Splice returns data with the edits made; every other byte stays. Edits may
// come in any order. Overlapping edits and edits outside the data are an
// error. Several insertions at one offset are made in the order given, before
// a replacement that starts there.
func Splice(data []byte, edits ...Edit) ([]byte, error) {
	sorted := make([]Edit, len(edits))
	copy(sorted, edits)
	sort.SliceStable(sorted, func(i, j int) bool {
		a, b := sorted[i], sorted[j]
		if a.Start != b.Start {
			return a.Start < b.Start
		}
		return a.Start == a.End && b.Start != b.End
	})
	size, at := len(data), 0
	for _, e := range sorted {
		if e.Start < 0 || e.End < e.Start || e.End > len(data) {
			return nil, fmt.Errorf("edit %d to %d lies outside the file of %d bytes", e.Start, e.End, len(data))
		}
		if e.Start < at {
			return nil, fmt.Errorf("edits overlap at byte %d", e.Start)
		}
		at = e.End
		size += len(e.New) - (e.End - e.Start)
	}
	out := make([]byte, 0, size)
	at = 0
	for _, e := range sorted {
		out = append(out, data[at:e.Start]...)
		out = append(out, e.New...)
		at = e.End
	}
	return append(out, data[at:]...), nil
}

// Indentation returns the line end and the blanks in front of what stands at start.
// The line end is "" where something else stands on the line too, or it is the first.
func Indentation(data []byte, start int) (end, blanks string) {
	i := start
	for i > 0 && (data[i-1] == ' ' || data[i-1] == '\t') {
		i--
	}
	blanks = string(data[i:start])
	switch {
	case i > 1 && data[i-1] == '\n' && data[i-2] == '\r':
		return "\r\n", blanks
	case i > 0 && (data[i-1] == '\n' || data[i-1] == '\r'):
		return string(data[i-1 : i]), blanks
	}
	return "", blanks
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

var attributeEscapes = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;",
	"\t", "&#9;", "\n", "&#10;", "\r", "&#13;")

// Escape writes a value so that it can stand in an attribute, in either kind
// of quotes, and reads back as the same value.
func Escape(value string) string { return attributeEscapes.Replace(value) }

// SetValue returns the edit that gives an attribute another value.
func (a Attr) SetValue(value string) Edit {
	return Edit{Start: a.ValueStart, End: a.ValueEnd, New: Escape(value)}
}

// Removal returns the edit that removes an element; with its line, if nothing
// else stands on it. For an element of another file it is one that changes nothing.
func (d *Document) Removal(e *Element) Edit {
	if !d.Owns(e) {
		return Edit{}
	}
	return d.removal(e.Start, e.End)
}

// RemoveAttr returns the edit that removes an attribute with the blank space
// before it.
func (d *Document) RemoveAttr(a Attr) Edit {
	start := a.Start
	for start > 0 && isSpace(d.data[start-1]) {
		start--
	}
	return Edit{Start: start, End: a.End}
}

func (d *Document) removal(start, end int) Edit {
	from := start
	for from > 0 && (d.data[from-1] == ' ' || d.data[from-1] == '\t') {
		from--
	}
	to := end
	for to < len(d.data) && (d.data[to] == ' ' || d.data[to] == '\t') {
		to++
	}
	atLineStart := from == 0 || d.data[from-1] == '\n' || d.data[from-1] == '\r'
	if !atLineStart || to == len(d.data) || d.data[to] != '\n' && d.data[to] != '\r' {
		return Edit{Start: start, End: end}
	}
	if d.data[to] == '\r' && to+1 < len(d.data) && d.data[to+1] == '\n' {
		to++
	}
	return Edit{Start: from, End: to + 1}
}
