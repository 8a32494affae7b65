package configxml

import "strings"

const slabSize = 512

func (p *parser) startTag() error {
	start := p.pos
	prefix, name, at, err := p.name(start+1, "element")
	if err != nil {
		return err
	}
	if err := p.mayOpen(start, at); err != nil {
		return err
	}
	at, selfClosing, err := p.attributes(start, at)
	if err != nil {
		return err
	}
	e := p.newElement()
	*e = Element{Prefix: prefix, Name: name, Start: start, TagEnd: at, Attrs: p.keep(p.scratch), doc: p.doc}
	if err := p.noTwins(e); err != nil {
		return err
	}
	bound := len(p.scope)
	p.bind(e)
	e.Space = p.resolve(prefix)
	p.attach(e)
	p.pos = at
	if selfClosing {
		e.End = at
		p.scope = p.scope[:bound]
		return nil
	}
	return p.push(e, bound)
}

func (p *parser) mayOpen(start, end int) error {
	if len(p.stack) == 0 && p.doc.root != nil {
		return p.fail(start, end, "keep one root element and move the rest into it", "a second root element")
	}
	if p.elementCount++; p.elementCount > MaxElements {
		return p.fail(start, end, "split the list", "more than %d elements", MaxElements)
	}
	return nil
}

func (p *parser) newElement() *Element {
	if len(p.elements) == 0 {
		p.elements = make([]Element, slabSize)
	}
	e := &p.elements[0]
	p.elements = p.elements[1:]
	return e
}

func (p *parser) attach(e *Element) {
	if len(p.stack) == 0 {
		p.doc.root = e
		e.Children = make([]*Element, 0, min(strings.Count(p.text[e.TagEnd:], "<"), MaxElements)/2)
		return
	}
	e.Parent = p.stack[len(p.stack)-1].element
	e.Parent.Children = append(e.Parent.Children, e)
	p.doc.scoped = p.doc.scoped || e.Parent == p.doc.root && e.Name == "platform"
}

func (p *parser) push(e *Element, bound int) error {
	if len(p.stack) >= MaxDepth {
		return p.fail(e.Start, e.TagEnd, "flatten the file", "elements nested deeper than %d", MaxDepth)
	}
	if n := len(p.stack); n < cap(p.stack) {
		p.stack = p.stack[:n+1]
		f := &p.stack[n]
		f.element, f.only, f.pieces, f.bound = e, "", f.pieces[:0], bound
		return nil
	}
	p.stack = append(p.stack, frame{element: e, bound: bound})
	return nil
}

func (p *parser) endTag() error {
	start := p.pos
	prefix, name, at, err := p.name(start+2, "end tag")
	if err != nil {
		return err
	}
	at = p.skipSpace(at)
	if at >= len(p.text) || p.text[at] != '>' {
		return p.fail(start, at, "write </"+qualified(prefix, name)+">",
			"the end tag </%s is not closed by >", qualified(prefix, name))
	}
	if len(p.stack) == 0 {
		return p.fail(start, at+1, "remove it", "the end tag </%s> closes nothing", qualified(prefix, name))
	}
	f := &p.stack[len(p.stack)-1]
	if e := f.element; e.Prefix != prefix || e.Name != name {
		open := qualified(e.Prefix, e.Name)
		return p.fail(start, at+1, "close <"+open+"> first", "the end tag </%s> closes <%s>, opened in line %d",
			qualified(prefix, name), open, p.doc.Place(e.Start, e.TagEnd).Line)
	}
	f.element.Text = f.only
	if len(f.pieces) > 0 {
		f.element.Text = string(f.pieces)
	}
	f.element.End = at + 1
	p.scope = p.scope[:f.bound]
	p.stack = p.stack[:len(p.stack)-1]
	p.pos = at + 1
	return nil
}

// keep copies a list of attributes out of the scratch space.
func (p *parser) keep(list []Attr) []Attr {
	if len(list) == 0 {
		return nil
	}
	if len(p.attrs) < len(list) {
		p.attrs = make([]Attr, max(slabSize, len(list)))
	}
	kept := p.attrs[:len(list):len(list)]
	p.attrs = p.attrs[len(list):]
	copy(kept, list)
	return kept
}

// attributes reads from at to the end of the start tag, into the scratch
// space.
func (p *parser) attributes(tag, at int) (end int, selfClosing bool, err error) {
	p.scratch = p.scratch[:0]
	for {
		before := at
		at = p.skipSpace(at)
		rest := p.text[at:]
		switch {
		case rest == "" || rest[0] == '<':
			return 0, false, p.fail(tag, at, "add > where the tag ends", "the tag is never closed")
		case rest[0] == '>':
			return at + 1, false, nil
		case strings.HasPrefix(rest, "/>"):
			return at + 2, true, nil
		case before == at:
			return 0, false, p.fail(at, at+1, "separate attributes by a blank, and close the tag by >",
				"unexpected %q in a tag", rest[:1])
		}
		if p.attrCount++; len(p.scratch) >= MaxAttrs || p.attrCount > MaxAllAttrs {
			return 0, false, p.fail(at, at+1, "remove some",
				"more attributes than are read (%d in an element, %d in a file)", MaxAttrs, MaxAllAttrs)
		}
		a, err := p.attribute(at)
		if err != nil {
			return 0, false, err
		}
		p.scratch = append(p.scratch, a)
		at = a.End
	}
}

func (p *parser) attribute(at int) (Attr, error) {
	prefix, name, end, err := p.name(at, "attribute")
	if err != nil {
		return Attr{}, err
	}
	full := qualified(prefix, name)
	equals := p.skipSpace(end)
	if equals >= len(p.text) || p.text[equals] != '=' {
		return Attr{}, p.fail(at, end, "write "+full+`="…"`, "the attribute %s has no value", full)
	}
	quote := p.skipSpace(equals + 1)
	if quote >= len(p.text) || p.text[quote] != '"' && p.text[quote] != '\'' {
		return Attr{}, p.fail(at, min(quote+1, len(p.text)), "put the value in quotes",
			"the value of %s is not in quotes", full)
	}
	length := strings.IndexByte(p.text[quote+1:], p.text[quote])
	if length < 0 {
		return Attr{}, p.fail(at, quote+1, "close the quote", "the value of %s is never closed", full)
	}
	a := Attr{Prefix: prefix, Name: name, Start: at, End: quote + length + 2, ValueStart: quote + 1,
		ValueEnd: quote + 1 + length}
	if i := strings.IndexByte(p.text[a.ValueStart:a.ValueEnd], '<'); i >= 0 {
		return Attr{}, p.fail(a.ValueStart+i, a.ValueStart+i+1, "write &lt;, or close the quote before it",
			"< inside the value of %s", full)
	}
	a.Value, err = p.decode(a.ValueStart, a.ValueEnd, true)
	return a, err
}

// noTwins refuses an attribute that is given twice: readers differ in which
// one they take.
func (p *parser) noTwins(e *Element) error {
	if len(e.Attrs) < 2 {
		return nil
	}
	var seen map[[2]string]bool
	if len(e.Attrs) > 16 {
		seen = make(map[[2]string]bool, len(e.Attrs))
	}
	for i, a := range e.Attrs {
		twin := false
		if seen != nil {
			key := [2]string{a.Prefix, a.Name}
			twin, seen[key] = seen[key], true
		} else {
			for _, b := range e.Attrs[:i] {
				twin = twin || a.Name == b.Name && a.Prefix == b.Prefix
			}
		}
		if twin {
			return p.fail(a.Start, a.End, "keep one of them",
				"the attribute %s is given twice", qualified(a.Prefix, a.Name))
		}
	}
	return nil
}

func (p *parser) bind(e *Element) {
	for i := range e.Attrs {
		switch a := &e.Attrs[i]; {
		case a.Prefix == "" && a.Name == "xmlns":
			p.scope = append(p.scope, binding{"", a.Value})
		case a.Prefix == "xmlns":
			p.scope = append(p.scope, binding{a.Name, a.Value})
		}
	}
}

func (p *parser) resolve(prefix string) string {
	for i := len(p.scope) - 1; i >= 0; i-- {
		if p.scope[i].prefix == prefix {
			return p.scope[i].uri
		}
	}
	if prefix == "xml" {
		return "http://www.w3.org/XML/1998/namespace"
	}
	return ""
}

// name reads a name and splits it at its first colon.
func (p *parser) name(at int, what string) (prefix, name string, end int, err error) {
	end = at
	for end < len(p.text) && isNameByte(p.text[end]) {
		end++
	}
	full := p.text[at:end]
	if full == "" || !isNameStart(full[0]) {
		return "", "", 0, p.fail(at, min(at+1, len(p.text)), "write &lt; for a plain <, and begin names with a letter",
			"a name of an %s was expected", what)
	}
	prefix, name, found := strings.Cut(full, ":")
	if !found {
		return "", full, end, nil
	}
	if prefix == "" || name == "" {
		return "", "", 0, p.fail(at, end, "remove the colon", "the name %s begins or ends with a colon", full)
	}
	return prefix, name, end, nil
}

func (p *parser) skipSpace(at int) int {
	for at < len(p.text) && isSpace(p.text[at]) {
		at++
	}
	return at
}

func isNameStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == ':' || c >= 0x80
}

func isNameByte(c byte) bool {
	return isNameStart(c) || '0' <= c && c <= '9' || c == '-' || c == '.'
}
