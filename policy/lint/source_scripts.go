package lint

import (
	"bytes"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
)

// source is one stretch of JavaScript: a file, or an inline script of a page.
type source struct {
	file *app.File
	span app.Span
	// library says that the code is not the app's own.
	library  bool
	literals []literal
	// masked is the span with comments and the insides of strings blanked, so
	// that searching it finds code only.
	masked []byte
}

// literal is one string of a script; the offsets are the file's and enclose
// what stands between the quotes.
type literal struct {
	start, end int
	quote      byte
	text       string
}

// readSources takes the project's scripts apart.
func readSources(p *app.App) []*source {
	var list []*source
	for i := range p.Scripts {
		f := &p.Scripts[i]
		list = append(list, newSource(f, app.Span{Start: 0, End: len(f.Data)}))
	}
	for i := range p.Pages {
		for _, span := range p.Pages[i].Inline {
			list = append(list, newSource(&p.Pages[i].File, span))
		}
	}
	return list
}

func newSource(f *app.File, span app.Span) *source {
	s := &source{file: f, span: span, library: isLibrary(f.Name)}
	s.masked = bytes.Clone(f.Data[span.Start:span.End])
	s.scan()
	return s
}

var libraryParts = []string{"/lib/", "/libs/", "/vendor/", "/vendors/", "/node_modules/", "/bower_components/",
	"/plugins/", "/cordova-js-src/", "/third_party/"}

var libraryNames = []string{"cordova", "jquery", "angular", "ionic", "react", "vue", "zone", "polyfill", "require",
	"underscore", "lodash", "backbone", "bootstrap", "moment", "hammer", "knockout", "handlebars", "mustache", "d3.",
	"three.", "phonegap", "zepto", "modernizr"}

// isLibrary reports whether a file is somebody else's code, by its name.
func isLibrary(name string) bool {
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
func (s *source) scan() {
	b := s.masked
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '/' && i+1 < len(b) && b[i+1] == '/':
			i = s.blank(i, lineEnd(b, i))
		case c == '/' && i+1 < len(b) && b[i+1] == '*':
			end := bytes.Index(b[i+2:], []byte("*/"))
			if end < 0 {
				end = len(b) - i - 4
			}
			i = s.blank(i, min(max(i+end+4, i+2), len(b)))
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

func (s *source) blank(from, to int) int {
	for i := from; i < to; i++ {
		if s.masked[i] != '\n' {
			s.masked[i] = ' '
		}
	}
	return max(to, from)
}

// literal reads the string whose opening quote is at i and returns the offset
// after it.
func (s *source) literal(i int, quote byte) int {
	b := s.masked
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
	s.literals = append(s.literals,
		literal{start: s.span.Start + i + 1, end: s.span.Start + end, quote: quote, text: text})
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

// before returns the code before an offset of the file, at most n bytes, with
// blank space at its end removed.
func (s *source) before(offset, n int) string {
	end := offset - s.span.Start
	return strings.TrimRight(string(s.masked[max(0, end-n):end]), " \t\r\n")
}

// spanAt returns where bytes of the masked code stand in the file.
func (s *source) spanAt(start, end int) app.Span {
	return app.Span{Start: s.span.Start + start, End: s.span.Start + end}
}

// literalAt returns the literal whose opening quote is at an offset of the
// file.
func (s *source) literalAt(quote int) (literal, bool) {
	low, high := 0, len(s.literals)
	for low < high {
		middle := (low + high) / 2
		if s.literals[middle].start <= quote {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low < len(s.literals) && s.literals[low].start == quote+1 {
		return s.literals[low], true
	}
	return literal{}, false
}
