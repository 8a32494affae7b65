package project

import (
	"bytes"
	"html"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
)

// ReadPage takes a page apart: the tags that load or configure something, with
// the bytes of their attributes, and the inline scripts. It follows the HTML
// tokenizer closely enough for that: comments, quoted and bare attributes, and
// elements whose content is raw text.
func ReadPage(f app.File) app.Page {
	s := &pageScanner{data: f.Data, page: app.Page{File: f}, inHead: true}
	s.scan()
	return s.page
}

type pageScanner struct {
	data   []byte
	page   app.Page
	inHead bool
}

func (s *pageScanner) scan() {
	for i := 0; i < len(s.data); {
		next := bytes.IndexByte(s.data[i:], '<')
		if next < 0 {
			return
		}
		if text := bytes.TrimPrefix(s.data[i:i+next], []byte("\ufeff")); len(bytes.Trim(text, " \t\r\n\f")) > 0 {
			s.inHead = false // text opens the body
		}
		i = s.markup(i + next)
	}
}

// markup reads what begins with < at i and returns the offset after it.
func (s *pageScanner) markup(i int) int {
	rest := s.data[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		return i + after(rest, "-->")
	case len(rest) > 1 && (rest[1] == '!' || rest[1] == '?'):
		if len(rest) > 8 && strings.EqualFold(string(rest[2:9]), "doctype") {
			s.page.Whole = true
		}
		return i + after(rest, ">")
	case len(rest) > 2 && rest[1] == '/' && isLetter(rest[2]):
		if name, _ := tagName(s.data, i+2); name == "head" {
			s.inHead = false
		}
		return i + after(rest, ">")
	case len(rest) > 1 && isLetter(rest[1]):
		return s.tag(i)
	}
	return i + 1
}

// after returns how far the text reaches up to and with the mark; all of it
// without one.
func after(rest []byte, mark string) int {
	if n := bytes.Index(rest, []byte(mark)); n >= 0 {
		return n + len(mark)
	}
	return len(rest)
}

// kept are the tags that rules look at.
var kept = map[string]bool{
	"meta": true, "script": true, "style": true, "link": true, "img": true, "iframe": true, "frame": true,
	"video": true, "audio": true, "source": true, "object": true, "embed": true, "form": true, "a": true, "base": true,
	"head": true, "input": true, "track": true, "image": true,
}

// marked reports whether a tag has code or style of its own in an attribute.
func marked(attrs []app.TagAttr) bool {
	return slices.ContainsFunc(attrs, func(a app.TagAttr) bool {
		return a.Name == "style" || strings.HasPrefix(a.Name, "on") && len(a.Name) > 2
	})
}

// headElements are the elements that do not end an implied head.
var headElements = map[string]bool{
	"html": true, "head": true, "title": true, "meta": true, "link": true, "script": true, "style": true, "base": true,
	"noscript": true, "template": true,
}

func (s *pageScanner) tag(i int) int {
	name, at := tagName(s.data, i+1)
	tag := app.Tag{Name: name, Start: i}
	tag.Attrs, tag.End = s.attributes(at)
	if name == "html" || name == "head" {
		s.page.Whole = true
	}
	if !headElements[name] {
		s.inHead = false
	}
	tag.InHead = s.inHead
	if kept[name] || marked(tag.Attrs) {
		s.page.Tags = append(s.page.Tags, tag)
	}
	switch name {
	case "script", "style", "textarea", "title", "xmp", "noframes":
		return s.raw(tag)
	}
	return tag.End
}

// raw skips the content of an element that holds no markup, up to its end tag.
func (s *pageScanner) raw(tag app.Tag) int {
	end := len(s.data)
	for at := tag.End; at < len(s.data); {
		n := bytes.Index(s.data[at:], []byte("</"))
		if n < 0 {
			break
		}
		at += n
		if name, _ := tagName(s.data, at+2); name == tag.Name {
			end = at
			break
		}
		at += 2
	}
	if _, external := tag.Attr("src"); tag.Name == "script" && !external && isJavaScript(tag.Value("type")) &&
		end > tag.End {
		s.page.Inline = append(s.page.Inline, app.Span{Start: tag.End, End: end})
	}
	return end
}

func isJavaScript(kind string) bool {
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "" || kind == "module" || strings.Contains(kind, "javascript") ||
		strings.Contains(kind, "ecmascript")
}

// attributes reads from at to the end of the start tag.
func (s *pageScanner) attributes(at int) (list []app.TagAttr, end int) {
	b := s.data
	for at < len(b) {
		switch c := b[at]; {
		case c == '>':
			return list, at + 1
		case isBlank(c) || c == '/':
			at++
		default:
			var a app.TagAttr
			a, at = s.attribute(at)
			list = append(list, a)
		}
	}
	return list, len(b)
}

func (s *pageScanner) attribute(at int) (app.TagAttr, int) {
	b := s.data
	start := at
	for at++; at < len(b) && !isBlank(b[at]) && b[at] != '=' && b[at] != '>' && b[at] != '/'; at++ {
	}
	a := app.TagAttr{Name: strings.ToLower(string(b[start:at])), ValueStart: at, ValueEnd: at}
	equals := skipBlank(b, at)
	if equals >= len(b) || b[equals] != '=' {
		return a, at
	}
	at = skipBlank(b, equals+1)
	if at < len(b) && (b[at] == '"' || b[at] == '\'') {
		quote := b[at]
		a.ValueStart = at + 1
		a.ValueEnd = len(b)
		if n := bytes.IndexByte(b[at+1:], quote); n >= 0 {
			a.ValueEnd = at + 1 + n
		}
		at = min(a.ValueEnd+1, len(b))
	} else {
		a.ValueStart = at
		for at < len(b) && !isBlank(b[at]) && b[at] != '>' {
			at++
		}
		a.ValueEnd = at
	}
	a.Value = html.UnescapeString(string(b[a.ValueStart:a.ValueEnd]))
	return a, at
}

func tagName(b []byte, at int) (string, int) {
	start := at
	for at < len(b) && !isBlank(b[at]) && b[at] != '>' && b[at] != '/' && at-start < 64 {
		at++
	}
	return strings.ToLower(string(b[start:at])), at
}

func skipBlank(b []byte, at int) int {
	for at < len(b) && isBlank(b[at]) {
		at++
	}
	return at
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
