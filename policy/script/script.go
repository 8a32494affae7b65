// Package script takes an app's JavaScript apart: strings, comments and the code
// between them, for everybody who asks what it does. It reads JavaScript as it
// is written, minified or not, and runs none of it.
//
// [Read] takes apart what an app carries, [New] one stretch of it, and
// [PrecedingOf] says what a string is the value of. A [Source] is not changed
// once it is made, and safe for concurrent use from then on. The package is pure.
package script

import (
	"bytes"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
)

// Source is one stretch of JavaScript: a file, or an inline script of a page.
type Source struct {
	File *app.File
	Span app.Span
	// Library says that the code is not the app's own.
	Library bool
	// Literals are the strings, in order.
	Literals []Literal
	// Comments are where comments stand in the file, in order.
	Comments []app.Span
	// Masked is the span with comments and the insides of strings blanked, so
	// that searching it finds code only.
	Masked []byte
}

// Literal is one string of a script; the offsets are the file's and enclose
// what stands between the quotes.
type Literal struct {
	Start, End int
	Quote      byte
	Text       string
}

// Read takes the scripts of an app apart: its files, then what its pages hold.
func Read(p *app.App) []*Source {
	var list []*Source
	for i := range p.Scripts {
		f := &p.Scripts[i]
		list = append(list, New(f, app.Span{Start: 0, End: len(f.Data)}))
	}
	for i := range p.Pages {
		for _, span := range p.Pages[i].Inline {
			list = append(list, New(&p.Pages[i].File, span))
		}
	}
	return list
}

// New takes one stretch of a file apart.
func New(f *app.File, span app.Span) *Source {
	s := &Source{File: f, Span: span, Library: IsLibrary(f.Name)}
	s.Masked = bytes.Clone(f.Data[span.Start:span.End])
	s.scan()
	return s
}

var libraryParts = []string{"/lib/", "/libs/", "/vendor/", "/vendors/", "/node_modules/", "/bower_components/",
	"/plugins/", "/cordova-js-src/", "/third_party/"}

var libraryNames = []string{"cordova", "jquery", "angular", "ionic", "react", "vue", "zone", "polyfill", "require",
	"underscore", "lodash", "backbone", "bootstrap", "moment", "hammer", "knockout", "handlebars", "mustache", "d3.",
	"three.", "phonegap", "zepto", "modernizr"}

// IsLibrary reports whether a file is somebody else's code, by its name.
func IsLibrary(name string) bool {
	lower := strings.ToLower("/" + name)
	if strings.HasSuffix(lower, ".min.js") || strings.HasSuffix(lower, "-min.js") {
		return true
	}
	for _, part := range libraryParts {
		if strings.Contains(lower, part) {
			return true
		}
	}
	base := lower[strings.LastIndexByte(lower, '/')+1:]
	for _, prefix := range libraryNames {
		if strings.HasPrefix(base, prefix) {
			return true
		}
	}
	return false
}

// scan finds strings and comments. It follows JavaScript's lexical grammar
// closely enough: a slash begins a regular expression where no value stands
// before it. Inside a template's ${…} everything is code again, which scan
// leaves unlooked at.
func (s *Source) scan() {
	b := s.Masked
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '/' && i+1 < len(b) && b[i+1] == '/':
			i = s.comment(i, lineEnd(b, i))
		case c == '/' && i+1 < len(b) && b[i+1] == '*':
			end := bytes.Index(b[i+2:], []byte("*/"))
			if end < 0 {
				end = len(b) - i - 4
			}
			i = s.comment(i, min(max(i+end+4, i+2), len(b)))
		case c == '/' && regexpMayBegin(b[:i]):
			if end := regexpEnd(b, i); end > 0 {
				i = s.blank(i+1, end-1) + 1
			} else {
				i++
			}
		case c == '"' || c == '\'' || c == '`':
			i = s.literal(i, c)
		default:
			i++
		}
	}
}

func lineEnd(b []byte, from int) int {
	if n := bytes.IndexByte(b[from:], '\n'); n >= 0 {
		return from + n
	}
	return len(b)
}

func (s *Source) comment(from, to int) int {
	s.Comments = append(s.Comments, s.SpanAt(from, to))
	return s.blank(from, to)
}

func (s *Source) blank(from, to int) int {
	for i := from; i < to; i++ {
		if s.Masked[i] != '\n' {
			s.Masked[i] = ' '
		}
	}
	return max(to, from)
}

// literal reads the string whose opening quote is at i and returns the offset
// after it.
func (s *Source) literal(i int, quote byte) int {
	b := s.Masked
	end := i + 1
	for end < len(b) && b[end] != quote && (quote == '`' || b[end] != '\n') {
		if b[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(b) || b[end] != quote {
		return i + 1 // an open string: this was no quote
	}
	text := string(b[i+1 : end])
	if strings.IndexByte(text, '\\') >= 0 {
		text = strings.ReplaceAll(text, `\/`, "/")
	}
	s.Literals = append(s.Literals,
		Literal{Start: s.Span.Start + i + 1, End: s.Span.Start + end, Quote: quote, Text: text})
	s.blank(i+1, end)
	return end + 1
}

// regexpMayBegin reports whether a slash after this code begins a regular
// expression rather than a division.
func regexpMayBegin(before []byte) bool {
	before = bytes.TrimRight(before[max(0, len(before)-64):], " \t\r\n")
	if len(before) == 0 {
		return true
	}
	if bytes.IndexByte([]byte("(,=:[!&|?{};+-*%~^<>"), before[len(before)-1]) >= 0 {
		return true
	}
	word := before[bytes.LastIndexAny(before, " \t\r\n;(){}[],")+1:]
	switch string(word) {
	case "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "do", "else":
		return true
	}
	return false
}

// regexpEnd returns the offset after the regular expression that begins at i,
// or 0 if none ends on the line.
func regexpEnd(b []byte, i int) int {
	class := false
	for j := i + 1; j < len(b) && b[j] != '\n'; j++ {
		switch b[j] {
		case '\\':
			j++
		case '[':
			class = true
		case ']':
			class = false
		case '/':
			if !class {
				return j + 1
			}
		}
	}
	return 0
}

// Before returns the code before an offset of the file, at most n bytes, with
// blank space at its end removed.
func (s *Source) Before(offset, n int) string {
	end := offset - s.Span.Start
	return strings.TrimRight(string(s.Masked[max(0, end-n):end]), " \t\r\n")
}

// SpanAt returns where bytes of the masked code stand in the file.
func (s *Source) SpanAt(start, end int) app.Span {
	return app.Span{Start: s.Span.Start + start, End: s.Span.Start + end}
}

// LiteralAt returns the literal whose opening quote is at an offset of the
// file.
func (s *Source) LiteralAt(quote int) (Literal, bool) {
	low, high := 0, len(s.Literals)
	for low < high {
		middle := (low + high) / 2
		if s.Literals[middle].Start <= quote {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low < len(s.Literals) && s.Literals[low].Start == quote+1 {
		return s.Literals[low], true
	}
	return Literal{}, false
}

// InComment reports whether an offset of the file stands in a comment.
func (s *Source) InComment(offset int) bool {
	_, found := slices.BinarySearchFunc(s.Comments, offset, func(c app.Span, at int) int {
		switch {
		case c.End <= at:
			return -1
		case c.Start > at:
			return 1
		}
		return 0
	})
	return found
}
