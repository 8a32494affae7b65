package artifact

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/policy/configxml"
)

const androidSpace = "http://schemas.android.com/apk/res/android"

const (
	// maxText is how long the text may be that stands for compiled XML.
	maxText = 4 << 20
	// maxDepth is how deep its elements may be nested.
	maxDepth = 100
)

type xmlAttribute struct {
	name, value string
	android     bool
}

// xmlWriter writes elements as they come, one a line.
type xmlWriter struct {
	out   bytes.Buffer
	stack []string
	roots int
	open  bool // the last start tag has no > yet
	inner bool // text stands in the element: no indentation
}

func (w *xmlWriter) start(name string, list []xmlAttribute) error {
	switch {
	case !plainName(name):
		return bad("an element must have a plain name, not %q", name)
	case len(w.stack) >= maxDepth:
		return bad("elements must not be nested deeper than %d", maxDepth)
	case len(w.stack) == 0 && w.roots > 0:
		return bad("it has a second root element")
	case w.out.Len() > maxText:
		return bad("it comes to more than %d bytes of text", maxText)
	}
	w.close()
	if w.roots++; len(w.stack) > 0 && !w.inner {
		w.line()
	}
	w.out.WriteString("<" + name)
	if len(w.stack) == 0 {
		w.out.WriteString(` xmlns:android="` + androidSpace + `"`)
	}
	seen := make(map[string]bool, len(list))
	for _, a := range list {
		name := a.name
		if a.android {
			name = "android:" + name
		}
		if !plainName(a.name) || seen[name] || name == "xmlns" {
			continue
		}
		seen[name] = true
		if w.out.Len()+len(a.value) > maxText {
			return bad("it comes to more than %d bytes of text", maxText)
		}
		w.out.WriteString(" " + name + `="` + configxml.Escape(characters(a.value)) + `"`)
	}
	w.stack, w.open, w.inner = append(w.stack, name), true, false
	return nil
}

// value writes an element of a file of values.
func (w *xmlWriter) value(kind, name, text string) error {
	if err := w.start(kind, []xmlAttribute{{name: "name", value: name}}); err != nil {
		return err
	}
	if err := w.text(text); err != nil {
		return err
	}
	return w.end()
}

func (w *xmlWriter) close() {
	if w.open {
		w.out.WriteByte('>')
		w.open = false
	}
}

func (w *xmlWriter) line() {
	w.out.WriteByte('\n')
	w.out.WriteString(strings.Repeat("  ", len(w.stack)))
}

func (w *xmlWriter) text(s string) error {
	if len(w.stack) == 0 {
		return nil
	}
	if w.out.Len()+len(s) > maxText {
		return bad("it comes to more than %d bytes of text", maxText)
	}
	w.close()
	w.inner = true
	w.out.WriteString(textEscapes.Replace(characters(s)))
	return nil
}

var textEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")

func (w *xmlWriter) end() error {
	if len(w.stack) == 0 {
		return bad("an element ends that never began")
	}
	name := w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
	switch {
	case w.open:
		w.out.WriteString("/>")
	case w.inner:
		w.out.WriteString("</" + name + ">")
	default:
		w.line()
		w.out.WriteString("</" + name + ">")
	}
	w.open, w.inner = false, false
	return nil
}

func (w *xmlWriter) done() ([]byte, error) {
	if w.roots == 0 || len(w.stack) > 0 {
		return nil, bad("it ends before its elements do")
	}
	w.out.WriteByte('\n')
	return w.out.Bytes(), nil
}

// plainName reports whether a name can stand in XML, without a prefix.
func plainName(s string) bool {
	for i, c := range s {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || !('0' <= c && c <= '9' || c == '-' || c == '.')) {
			return false
		}
	}
	return s != ""
}

// characters replaces what XML cannot hold.
func characters(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return '\uFFFD'
		}
		return r
	}, s)
}
