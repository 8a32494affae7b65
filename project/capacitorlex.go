package project

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// step goes on by one byte, and knows its line and column.
func (p *literalParser) step() {
	if p.at >= len(p.data) {
		return
	}
	if p.data[p.at] == '\n' {
		p.line, p.column = p.line+1, 0
	}
	p.at, p.column = p.at+1, p.column+1
}

// advance goes on by n bytes.
func (p *literalParser) advance(n int) {
	for ; n > 0; n-- {
		p.step()
	}
}

// take takes a text if it is next.
func (p *literalParser) take(text string) bool {
	if !strings.HasPrefix(string(p.data[p.at:min(len(p.data), p.at+len(text))]), text) {
		return false
	}
	p.advance(len(text))
	return true
}

// space skips blanks and comments.
func (p *literalParser) space() {
	for p.at < len(p.data) {
		if strings.IndexByte(" \t\r\n\f\v", p.data[p.at]) >= 0 {
			p.step()
		} else if !p.comment() && !p.take("\ufeff") {
			return
		}
	}
}

// comment skips a comment if one is next. The end of its line is no part of it:
// it may end a statement.
func (p *literalParser) comment() bool {
	switch {
	case p.take("//"):
		for p.at < len(p.data) && p.data[p.at] != '\n' {
			p.step()
		}
	case p.take("/*"):
		for p.at < len(p.data) && !p.take("*/") {
			p.step()
		}
	default:
		return false
	}
	return true
}

// maxType bounds a type in angle brackets, in bytes.
const maxType = 1000

// typeArguments skips what stands between angle brackets, if that is next: types
// change no value.
func (p *literalParser) typeArguments() bool {
	if p.at >= len(p.data) || p.data[p.at] != '<' {
		return false
	}
	here, open := p.place, 0
	p.skip(func(c byte, depth int) bool {
		switch {
		case depth > 0:
		case c == '<':
			open++
		case c == '>':
			open--
		}
		return open == 0 || p.at-here.at > maxType
	})
	if !p.take(">") {
		p.place = here
		return false
	}
	p.space()
	return true
}

// word reads a name, "" if none is next.
func (p *literalParser) word() string {
	start := p.at
	for p.at < len(p.data) {
		c := p.data[p.at]
		if c != '_' && c != '$' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
			(c < '0' || c > '9' || p.at == start) {
			break
		}
		p.step()
	}
	return string(p.data[start:p.at])
}

// key reads the key of a member.
func (p *literalParser) key() (string, bool) {
	if c := p.data[p.at]; c == '\'' || c == '"' {
		return p.text()
	}
	name := p.word()
	return name, name != ""
}

var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`)

// plain reads a number or one of the words that JSON knows.
func (p *literalParser) plain() (string, bool) {
	if text := number.Find(p.data[p.at:min(len(p.data), p.at+64)]); len(text) > 0 {
		p.advance(len(text))
		return string(text), true
	}
	switch name := p.word(); name {
	case "true", "false", "null":
		return name, true
	case "undefined":
		return "null", true
	}
	return "", false
}

// text reads a text in quotes. ok is false for a template that has something to
// compute in it, and for one that does not end.
func (p *literalParser) text() (text string, ok bool) {
	quote := p.data[p.at]
	p.step()
	var b strings.Builder
	ok = true
	for p.at < len(p.data) {
		switch c := p.data[p.at]; {
		case c == quote:
			p.step()
			return b.String(), ok && utf8.ValidString(b.String())
		case c == '\n' && quote != '`':
			return "", false
		case c == '\\':
			p.step()
			ok = p.escape(&b) && ok
		case quote == '`' && p.take("${"):
			ok = false
		default:
			b.WriteByte(c)
			p.step()
		}
	}
	return "", false
}

// escape reads what follows a backslash (ECMA-262, section 12.9.4).
func (p *literalParser) escape(b *strings.Builder) bool {
	if p.at >= len(p.data) {
		return false
	}
	c := p.data[p.at]
	p.step()
	digits := 0
	switch c {
	case 'n', 't', 'r', 'b', 'f', 'v':
		b.WriteByte(map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', 'v': '\v'}[c])
		return true
	case '\n':
		return true // the line goes on
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '\r':
		return false
	default:
		b.WriteByte(c)
		return true
	}
	code, err := strconv.ParseUint(string(p.data[p.at:min(len(p.data), p.at+digits)]), 16, 32)
	if err != nil || code >= 0xd800 && code < 0xe000 {
		return false
	}
	p.advance(digits)
	b.WriteRune(rune(code))
	return true
}

// emit writes a piece of JSON to the line, and where it fits to the column, that
// it has in the source.
func (p *literalParser) emit(text string, line, column int) {
	if p.quiet {
		return
	}
	if p.outLine == 0 {
		p.outLine, p.outColumn = 1, 1
	}
	for p.outLine < line {
		p.out.WriteByte('\n')
		p.outLine, p.outColumn = p.outLine+1, 1
	}
	for p.outLine == line && p.outColumn < column {
		p.out.WriteByte(' ')
		p.outColumn++
	}
	p.out.WriteString(text)
	p.outColumn += len(text)
}
