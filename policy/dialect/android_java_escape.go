package dialect

import (
	"fmt"
	"regexp"
	"strings"
)

// escape reads what follows a backslash outside of a class.
func (p *javaParser) escape(depth int) (string, error) {
	switch c := p.peek(); c {
	case 'A':
		p.at++
		return `\A`, nil
	case 'z':
		p.at++
		return `\z`, nil
	case 'Z':
		p.at++
		return "", p.dollar(depth)
	case 'R':
		p.at++
		return `(?:\r\n|[` + javaVertical + `])`, nil
	case 'b', 'B', 'G', 'k', 'N', 'p', 'P', 'X', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return "", errJavaUnreadable
	}
	if set, ok := p.classEscape(); ok {
		return set, nil
	}
	r, err := p.characterEscape()
	if err != nil {
		return "", err
	}
	return regexp.QuoteMeta(string(r)), nil
}

// classEscape reads the name of a predefined class, as a Go class.
func (p *javaParser) classEscape() (string, bool) {
	set, ok := map[rune]string{
		'd': javaDigit, 'w': javaWord, 's': javaSpace, 'h': javaBlank, 'v': javaVertical,
	}[p.peek()|0x20]
	if !ok {
		return "", false
	}
	not := ""
	if c := p.peek(); c < 'a' {
		not = "^"
	}
	p.at++
	return "[" + not + set + "]", true
}

var javaControls = map[rune]rune{'a': '\a', 'e': 0x1B, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// characterEscape reads an escape that stands for one character.
func (p *javaParser) characterEscape() (rune, error) {
	c := p.peek()
	p.at++
	if r, ok := javaControls[c]; ok {
		return r, nil
	}
	switch {
	case c == -1:
		return 0, fmt.Errorf("%w: nothing after \\", errJavaRegexp)
	case c == '0':
		return p.octal()
	case c == 'x' && p.peek() == '{':
		return 0, errJavaUnreadable
	case c == 'x':
		return p.hexadecimal(2)
	case c == 'u':
		r, err := p.hexadecimal(4)
		if err == nil && 0xD800 <= r && r < 0xE000 {
			err = errJavaUnreadable
		}
		return r, err
	case c == 'c':
		if p.peek() == -1 {
			return 0, fmt.Errorf("%w: nothing after \\c", errJavaRegexp)
		}
		r := p.peek() ^ 64
		p.at++
		return r, nil
	case c < 0x80 && asciiLetter(byte(c)), '1' <= c && c <= '9':
		return 0, fmt.Errorf("%w: unknown escape \\%c", errJavaRegexp, c)
	}
	return c, nil
}

// octal reads the one to three digits, at most 377, of \0.
func (p *javaParser) octal() (rune, error) {
	value, digits, most := rune(0), 0, 3
	for digits < most {
		c := p.peek()
		if c < '0' || c > '7' {
			break
		}
		if digits == 0 && c > '3' {
			most = 2
		}
		value = value*8 + c - '0'
		digits++
		p.at++
	}
	if digits == 0 {
		return 0, fmt.Errorf("%w: no digits after \\0", errJavaRegexp)
	}
	return value, nil
}

func (p *javaParser) hexadecimal(digits int) (rune, error) {
	value := rune(0)
	for range digits {
		c := p.peek()
		digit, ok := hexDigit(byte(c))
		if c < 0 || c >= 0x80 || !ok {
			return 0, fmt.Errorf("%w: too few hexadecimal digits", errJavaRegexp)
		}
		value = value<<4 | rune(digit)
		p.at++
	}
	return value, nil
}

// class reads a class behind its opening bracket.
func (p *javaParser) class() (string, error) {
	var b strings.Builder
	b.WriteByte('[')
	if p.peek() == '^' {
		p.at++
		b.WriteByte('^')
	}
	for first := true; ; first = false {
		c := p.peek()
		switch {
		case c == -1:
			return "", fmt.Errorf("%w: unclosed class", errJavaRegexp)
		case c == ']' && !first:
			p.at++
			b.WriteByte(']')
			return b.String(), nil
		case c == '[', c == '&' && runeAt(p.text, p.at+1) == '&':
			return "", errJavaUnreadable // union and intersection
		}
		if err := p.classItem(&b); err != nil {
			return "", err
		}
	}
}

// classItem reads one character, range or predefined class.
func (p *javaParser) classItem(b *strings.Builder) error {
	if p.peek() == '\\' {
		switch runeAt(p.text, p.at+1) {
		case 'p', 'P', 'N':
			return errJavaUnreadable
		}
		p.at++
		if set, ok := p.classEscape(); ok {
			if strings.HasPrefix(set, "[^") {
				return errJavaUnreadable // a complement inside of a class
			}
			b.WriteString(set[1 : len(set)-1])
			return nil
		}
		p.at--
	}
	low, err := p.classCharacter()
	if err != nil {
		return err
	}
	high := low
	if next := runeAt(p.text, p.at+1); p.peek() == '-' && next != '[' && next != ']' {
		p.at++
		if p.peek() == -1 {
			return fmt.Errorf("%w: unclosed class", errJavaRegexp)
		}
		if high, err = p.classCharacter(); err != nil {
			return err
		}
		if high < low {
			return fmt.Errorf("%w: illegal range", errJavaRegexp)
		}
	}
	fmt.Fprintf(b, `\x{%X}-\x{%X}`, low, high)
	return nil
}

func (p *javaParser) classCharacter() (rune, error) {
	c := p.peek()
	p.at++
	if c != '\\' {
		return c, nil
	}
	return p.characterEscape()
}
