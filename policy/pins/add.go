package pins

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// Add returns the file's bytes with an element for every pin that it does not
// have yet: after the last one that it has, else before the end of the root.
// Every other byte stays. Entries must be of mode OnTopOfRoots. A pin that is
// there already (the same host and hash) stays as it is, so that adding twice
// changes nothing.
func Add(doc *configxml.Document, entries ...pin.Entry) ([]byte, error) {
	there, _ := Read(doc, "")
	known := map[string]bool{}
	for _, e := range there {
		for _, h := range e.Entry.Hashes {
			known[e.Entry.Host+" "+h.String()] = true
		}
	}
	var lines []string
	for _, e := range entries {
		if e.Mode != pin.OnTopOfRoots {
			return nil, fmt.Errorf("pin for %s: only key hashes can stand in a config.xml", e.Host)
		}
		if err := pin.CheckHost(e.Host); err != nil {
			return nil, err
		}
		for _, h := range e.Hashes {
			if id := e.Host + " " + h.String(); !known[id] {
				known[id] = true
				lines = append(lines, line(e, h))
			}
		}
	}
	if len(lines) == 0 {
		return doc.Bytes(), nil
	}
	edits := insert(doc, lines)
	if e, missing := declare(doc.Root()); missing {
		edits = append(edits, e)
	}
	return doc.Apply(edits...)
}

// line writes one element.
func line(e pin.Entry, h pin.Hash) string {
	var s strings.Builder
	fmt.Fprintf(&s, `<%s:pin host="%s"`, Prefix, configxml.Escape(e.Host))
	if e.Subdomains {
		s.WriteString(` subdomains="true"`)
	}
	fmt.Fprintf(&s, ` sha256="%s"`, h)
	if !e.Expires.IsZero() {
		fmt.Fprintf(&s, ` expires="%s"`, e.Expires.UTC().Format(time.DateOnly))
	}
	if e.Authority {
		s.WriteString(` certificate="ca"`)
	}
	s.WriteString("/>")
	return s.String()
}

// insert places the lines, in the manner of the file: its line ends and the
// indentation of the element before.
func insert(doc *configxml.Document, lines []string) []configxml.Edit {
	data, root := doc.Bytes(), doc.Root()
	end := "\n"
	if bytes.Contains(data, []byte("\r\n")) {
		end = "\r\n"
	}
	var last *configxml.Element
	for _, child := range root.Children {
		if child.Name == "pin" && (child.Prefix == Prefix || child.Space == Namespace) {
			last = child
		}
	}
	if last == nil && len(root.Children) > 0 {
		last = root.Children[len(root.Children)-1]
	}
	if last != nil {
		before, blanks := configxml.Indentation(data, last.Start)
		if before == "" && len(blanks) < last.Start {
			blanks = "" // something else stands on the line
		}
		indent := end + blanks
		return []configxml.Edit{{Start: last.End, End: last.End, New: indent + strings.Join(lines, indent)}}
	}
	text := end + "    " + strings.Join(lines, end+"    ") + end
	if root.End == root.TagEnd { // <widget/>: its end becomes a tag of its own
		name := root.Name
		if root.Prefix != "" {
			name = root.Prefix + ":" + name
		}
		slash := bytes.LastIndexByte(data[:root.TagEnd], '/')
		return []configxml.Edit{{Start: slash, End: root.TagEnd, New: ">" + text + "</" + name + ">"}}
	}
	return []configxml.Edit{{Start: root.TagEnd, End: root.TagEnd, New: text}}
}

// declare returns the edit that binds the prefix on the root, after its last
// attribute, unless it is bound.
func declare(root *configxml.Element) (configxml.Edit, bool) {
	at := root.Start + len("<"+root.Name)
	if root.Prefix != "" {
		at += len(root.Prefix) + 1
	}
	for _, a := range root.Attrs {
		if a.Prefix == "xmlns" && a.Name == Prefix {
			return configxml.Edit{}, false
		}
		at = max(at, a.End)
	}
	return configxml.Edit{Start: at, End: at, New: fmt.Sprintf(` xmlns:%s="%s"`, Prefix, Namespace)}, true
}
