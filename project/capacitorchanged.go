package project

import (
	"bytes"
	"strings"
)

// changed returns the first line that speaks of the exported object where it is
// neither declared nor exported: what is done to it there, only running the file
// would tell. A text that does not end and a regular expression count too, since what
// follows them may not have been read as what it is.
func (p *literalParser) changed() (line int, found bool) {
	p.place = place{line: 1, column: 1}
	last, before := byte(';'), "" // the byte and the word before this word, blanks apart
	dots := 0                     // that stand right before it: one reads a property, three are a spread
	for p.space(); p.at < len(p.data); p.space() {
		here, c := p.place, p.data[p.at]
		if c == '\'' || c == '"' || c == '`' {
			_, plain := p.text()
			text := p.data[here.at:p.at]
			if !plain && (len(text) < 2 || text[len(text)-1] != c || p.speaksOf(text)) {
				return here.line, true
			}
			last, before, dots = c, "", 0
			continue
		}
		word := p.word()
		switch {
		case c == '/' && !divides(last, before):
			return here.line, true
		case word == "":
			p.step()
		case p.names[word] && !p.known[here.at] && dots != 1 && !p.isKey(last):
			return here.line, true
		}
		last, before = c, word
		if dots++; c != '.' {
			dots = 0
		}
	}
	return 0, false
}

// divides reports whether a slash behind a byte that ends or begins what stands
// before it, and behind that word, divides for certain. Else it may begin a regular
// expression, in which a quote is none.
func divides(last byte, word string) bool {
	switch word {
	case "return", "typeof", "case", "in", "of", "instanceof", "new", "delete", "void", "throw", "else", "do", "yield",
		"await", "default":
		return false
	}
	return word != "" || last >= '0' && last <= '9' || strings.IndexByte("]'\"`", last) >= 0
}

// speaksOf reports whether a template, in which code may stand, names the
// exported object.
func (p *literalParser) speaksOf(template []byte) bool {
	for name := range p.names {
		if bytes.Contains(template, []byte(name)) {
			return true
		}
	}
	return false
}

// isKey reports whether the word just read, behind the byte last, is the key of
// another object.
func (p *literalParser) isKey(last byte) bool {
	here := p.place
	defer func() { p.place = here }()
	p.space()
	return (last == '{' || last == ',') && p.take(":")
}
