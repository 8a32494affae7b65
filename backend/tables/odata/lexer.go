package odata

import (
	"fmt"
	"strings"
)

// SyntaxError is a text that the query language does not know. At is the byte
// where it went wrong, from 0.
type SyntaxError struct {
	Msg string
	At  int
}

// Error is the message with the place, as the original words it.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s (at index %d)", e.Msg, e.At) }

// UnknownColumnError names a column that the table does not have.
type UnknownColumnError struct{ Name string }

// Error implements error.
func (e *UnknownColumnError) Error() string {
	return fmt.Sprintf("The column '%s' does not exist", e.Name)
}

type kind uint8

const (
	end kind = iota
	name
	text
	integer
	real
	date
	guid
	clock
	open
	shut
	comma
	slash
	minus
)

type token struct {
	kind kind
	at   int
	// text is the spelling; for a string literal what it stands for.
	text string
}

type lexer struct {
	src string
	pos int
	v4  bool
}

func (l *lexer) next() (token, error) {
	for l.pos < len(l.src) && isSpace(l.src[l.pos]) {
		l.pos++
	}
	at := l.pos
	if at == len(l.src) {
		return token{kind: end, at: at}, nil
	}
	switch c := l.src[at]; {
	case c == '\'':
		return l.quoted()
	case strings.IndexByte("(),/-", c) >= 0:
		l.pos++
		kinds := map[byte]kind{'(': open, ')': shut, ',': comma, '/': slash, '-': minus}
		return token{kind: kinds[c], at: at, text: l.src[at:l.pos]}, nil
	case l.v4 && l.bare(at) > 0:
		return l.bareLiteral(), nil
	case isLetter(c) || c == '_':
		for l.pos < len(l.src) &&
			(isLetter(l.src[l.pos]) || isDigit(l.src[l.pos]) || l.src[l.pos] == '_' || l.src[l.pos] == '.') {
			if l.src[l.pos] == '.' && !l.v4 {
				break
			}
			l.pos++
		}
		return token{kind: name, at: at, text: l.src[at:l.pos]}, nil
	case isDigit(c):
		return l.number()
	}
	return token{}, &SyntaxError{"Syntax error", at}
}

func (l *lexer) quoted() (token, error) {
	at := l.pos
	for i := at + 1; i < len(l.src); i++ {
		if l.src[i] != '\'' {
			continue
		}
		if i+1 < len(l.src) && l.src[i+1] == '\'' {
			i++
			continue
		}
		l.pos = i + 1
		return token{kind: text, at: at, text: strings.ReplaceAll(l.src[at+1:i], "''", "'")}, nil
	}
	return token{}, &SyntaxError{"Unterminated string literal", len(l.src)}
}

func (l *lexer) digits() bool {
	start := l.pos
	for l.pos < len(l.src) && isDigit(l.src[l.pos]) {
		l.pos++
	}
	return l.pos > start
}

func (l *lexer) peek(set string) bool {
	return l.pos < len(l.src) && strings.IndexByte(set, l.src[l.pos]) >= 0
}

func (l *lexer) number() (token, error) {
	at, k := l.pos, integer
	l.digits()
	if l.peek(".") {
		k = real
		l.pos++
		if !l.digits() {
			return token{}, &SyntaxError{"Digit expected", l.pos}
		}
	}
	if l.peek("eE") {
		k = real
		l.pos++
		if l.peek("+-") {
			l.pos++
		}
		if !l.digits() {
			return token{}, &SyntaxError{"Digit expected", l.pos}
		}
	}
	digits := l.src[at:l.pos]
	switch {
	case l.peek("fFmMdD"):
		k = real
		l.pos++
	case k == integer && l.peek("lL"):
		l.pos++
	}
	if l.pos < len(l.src) && (isLetter(l.src[l.pos]) || l.src[l.pos] == '_' || isDigit(l.src[l.pos])) {
		return token{}, &SyntaxError{"Syntax error", l.pos}
	}
	return token{kind: k, at: at, text: digits}, nil
}

// bare returns the length of a literal of OData v4 that stands without quotes
// (a date, a time of day, a GUID) at i, or 0.
func (l *lexer) bare(i int) int {
	n := i
	for n < len(l.src) && (isLetter(l.src[n]) || isDigit(l.src[n]) || strings.IndexByte("-:.", l.src[n]) >= 0) {
		n++
	}
	s := l.src[i:n]
	switch bareKind(s) {
	case end:
		return 0
	case date:
		if n < len(l.src) && l.src[n] == '+' { // a zone offset
			for n++; n < len(l.src) && (isDigit(l.src[n]) || l.src[n] == ':'); {
				n++
			}
		}
	}
	return n - i
}

func (l *lexer) bareLiteral() token {
	at := l.pos
	l.pos += l.bare(at)
	s := l.src[at:l.pos]
	return token{kind: bareKind(s), at: at, text: s}
}

func bareKind(s string) kind {
	switch {
	case isGUID(s):
		return guid
	case len(s) >= 10 && matches(s[:10], "0000-00-00") && (len(s) == 10 || s[10] == 'T' || s[10] == 't'):
		return date
	case len(s) >= 5 && matches(s[:5], "00:00"):
		return clock
	}
	return end
}

func isGUID(s string) bool {
	return len(s) == 36 && matches(s, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
}

// matches compares s with a shape in which x is a hexadecimal digit and 0 a
// decimal one.
func matches(s, shape string) bool {
	for i := range len(s) {
		c := s[i]
		switch shape[i] {
		case 'x':
			if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return false
			}
		case '0':
			if !isDigit(c) {
				return false
			}
		default:
			if c != shape[i] {
				return false
			}
		}
	}
	return true
}

func isSpace(c byte) bool  { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// ValidName reports whether s can name a column or a table: letters, digits
// and underscores of ASCII, not beginning with a digit, at most 128 of them
// (azure-odata-sql 0.1.0, helpers.js isValidIdentifier).
func ValidName(s string) bool {
	if s == "" || len(s) > 128 || isDigit(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isLetter(s[i]) && !isDigit(s[i]) && s[i] != '_' {
			return false
		}
	}
	return true
}
