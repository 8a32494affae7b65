package configxml

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Parse reads a config.xml. The name is only used in places and messages.
// Every error is a *SyntaxError. The document keeps data: the caller must not
// change it afterwards.
func Parse(name string, data []byte) (*Document, error) {
	p := &parser{doc: &Document{name: name, data: data}, data: data}
	if err := p.begin(); err != nil {
		return nil, err
	}
	p.text = string(data)
	if err := p.checkCharacters(); err != nil {
		return nil, err
	}
	if err := p.document(); err != nil {
		return nil, err
	}
	return p.doc, nil
}

// parser walks the bytes once. The elements it makes point into text, a copy
// of the file, so that a value without references costs no allocation.
type parser struct {
	doc   *Document
	data  []byte
	text  string
	pos   int
	first int // offset after the byte-order mark

	declared bool // an XML declaration was read
	stack    []frame
	scope    []binding

	elements     []Element // slab that new elements are cut from
	attrs        []Attr    // slab that attribute lists are cut from
	scratch      []Attr    // the attributes of the tag being read
	elementCount int
	attrCount    int
}

// frame is an open element with the character data seen so far.
type frame struct {
	element *Element
	only    string // the single piece of text, if there was just one
	pieces  []byte // all of it, once there are several
	bound   int    // how many bindings were in scope before
}

// binding is a namespace declaration in scope.
type binding struct{ prefix, uri string }

func (p *parser) fail(start, end int, remedy, format string, args ...any) error {
	if p.doc.lines == nil {
		p.doc.lines = lineStarts(p.data, p.first)
	}
	return &SyntaxError{Place: p.doc.Place(start, end), Msg: fmt.Sprintf(format, args...), Remedy: remedy}
}

// document reads prolog, root and what may follow it.
func (p *parser) document() error {
	p.doc.lines = lineStarts(p.data, p.first)
	p.pos = p.first
	for p.pos < len(p.text) {
		if err := p.item(); err != nil {
			return err
		}
	}
	if n := len(p.stack); n > 0 {
		e := p.stack[n-1].element
		return p.fail(e.Start, e.TagEnd, "add the end tag </"+qualified(e.Prefix, e.Name)+">",
			"the element <%s> is never closed", qualified(e.Prefix, e.Name))
	}
	if p.doc.root == nil {
		return p.fail(len(p.text), len(p.text), "a config.xml needs a <widget> element", "the file contains no element")
	}
	return nil
}

// item reads one piece of markup or one run of text.
func (p *parser) item() error {
	rest := p.text[p.pos:]
	switch {
	case rest[0] != '<':
		return p.characters()
	case strings.HasPrefix(rest, "<!--"):
		return p.comment()
	case strings.HasPrefix(rest, "<![CDATA["):
		return p.cdata()
	case strings.HasPrefix(rest, "<!DOCTYPE"):
		return p.doctype()
	case strings.HasPrefix(rest, "<!"):
		return p.fail(p.pos, p.pos+2, "write &lt; for a plain <", "<! begins neither a comment nor CDATA nor DOCTYPE")
	case strings.HasPrefix(rest, "<?"):
		return p.instruction()
	case strings.HasPrefix(rest, "</"):
		return p.endTag()
	}
	return p.startTag()
}

func (p *parser) characters() error {
	start := p.pos
	end := strings.IndexByte(p.text[start:], '<')
	if end < 0 {
		end = len(p.text)
	} else {
		end += start
	}
	p.pos = end
	raw := p.text[start:end]
	if len(p.stack) == 0 {
		if i := len(raw) - len(strings.TrimLeft(raw, " \t\r\n")); i < len(raw) {
			return p.fail(start+i, end, "remove it, or move it into an element or a comment",
				"text outside the root element")
		}
		return nil
	}
	if i := strings.Index(raw, "]]>"); i >= 0 {
		return p.fail(start+i, start+i+3, "write ]]&gt;", "]]> outside a CDATA section")
	}
	decoded, err := p.decode(start, end, false)
	if err != nil {
		return err
	}
	p.addText(decoded)
	return nil
}

func (p *parser) addText(s string) {
	f := &p.stack[len(p.stack)-1]
	switch {
	case len(f.pieces) > 0:
		f.pieces = append(f.pieces, s...)
	case f.only == "":
		f.only = s
	default:
		f.pieces = append(append(f.pieces, f.only...), s...)
	}
}

func (p *parser) comment() error {
	start := p.pos
	body := start + len("<!--")
	end := strings.Index(p.text[body:], "--")
	if end < 0 {
		return p.fail(start, start+4, "add --> where the comment ends", "the comment is never closed")
	}
	end += body
	if !strings.HasPrefix(p.text[end:], "-->") {
		return p.fail(end, end+2, "remove the double hyphen, or end the comment with --> before it",
			"-- inside a comment")
	}
	p.pos = end + len("-->")
	p.doc.comments = append(p.doc.comments, Comment{Text: p.text[body:end], Start: start, End: p.pos})
	return nil
}

func (p *parser) cdata() error {
	start := p.pos
	if len(p.stack) == 0 {
		return p.fail(start, start+9, "remove it", "a CDATA section outside the root element")
	}
	body := start + len("<![CDATA[")
	end := strings.Index(p.text[body:], "]]>")
	if end < 0 {
		return p.fail(start, start+9, "add ]]> where the section ends", "the CDATA section is never closed")
	}
	p.pos = body + end + len("]]>")
	p.addText(lineEnds(p.text[body : body+end]))
	return nil
}

// doctype accepts a document type without an internal subset. Entities are
// never defined, external ones never fetched.
func (p *parser) doctype() error {
	start := p.pos
	if p.doc.root != nil || len(p.stack) > 0 {
		return p.fail(start, start+9, "remove it", "DOCTYPE after the root element began")
	}
	for i := start; i < len(p.text); i++ {
		switch c := p.text[i]; c {
		case '"', '\'':
			end := strings.IndexByte(p.text[i+1:], c)
			if end < 0 {
				return p.fail(i, i+1, "close the quote", "DOCTYPE with an open quote")
			}
			i += end + 1
		case '[':
			return p.fail(i, i+1, "remove the part in square brackets and write the characters themselves",
				"DOCTYPE with definitions of its own (entities), which are not read")
		case '>':
			p.pos = i + 1
			return nil
		}
	}
	return p.fail(start, start+9, "add > where it ends", "DOCTYPE is never closed")
}

func (p *parser) instruction() error {
	start := p.pos
	end := strings.Index(p.text[start+2:], "?>")
	if end < 0 {
		return p.fail(start, start+2, "add ?> where it ends", "the processing instruction is never closed")
	}
	end += start + 2
	p.pos = end + 2
	target := p.text[start+2 : end]
	if i := strings.IndexAny(target, " \t\r\n"); i >= 0 {
		target = target[:i]
	}
	if target == "" {
		return p.fail(start, p.pos, "remove it", "a processing instruction without a name")
	}
	if target != "xml" {
		return nil
	}
	if p.declared || p.doc.root != nil || len(p.stack) > 0 {
		return p.fail(start, p.pos, "keep only the one in the first line",
			"an XML declaration in the middle of the file")
	}
	p.declared = true
	return p.declaration(start, end)
}

// checkCharacters refuses what XML does not allow: invalid UTF-8 and control
// characters, wherever they stand.
func (p *parser) checkCharacters() error {
	for i := p.first; i < len(p.data); {
		c := p.data[i]
		if c >= 0x20 && c < utf8.RuneSelf || c == '\n' || c == '\t' || c == '\r' {
			i++
			continue
		}
		if c < 0x20 {
			if bytes.IndexByte(p.data[:min(len(p.data), 512)], 0) >= 0 {
				return p.fail(i, i+1, "give a config.xml; this looks like a binary file",
					"the byte 0x%02X cannot stand in XML", c)
			}
			return p.fail(i, i+1, "remove it", "the control character 0x%02X cannot stand in XML", c)
		}
		r, size := utf8.DecodeRune(p.data[i:])
		if r == utf8.RuneError && size <= 1 {
			return p.fail(i, i+1, "save the file as UTF-8", "the byte 0x%02X is not valid UTF-8", c)
		}
		if p.doc.encoding != "" {
			return p.fail(i, i+size, "save the file as UTF-8 and say encoding=\"utf-8\" in its first line",
				"a character outside ASCII in a file whose first line declares encoding %q", p.doc.encoding)
		}
		if r == 0xFFFE || r == 0xFFFF {
			return p.fail(i, i+size, "remove it", "the character U+%04X cannot stand in XML", r)
		}
		i += size
	}
	return nil
}

func qualified(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + ":" + name
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
