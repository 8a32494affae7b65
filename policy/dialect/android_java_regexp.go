package dialect

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// errJavaRegexp reports a text that java.util.regex.Pattern refuses.
var errJavaRegexp = errors.New("not a Java regular expression")

// errJavaUnreadable reports a Java regular expression, valid or not, with a
// construct that Go's syntax has no equal of.
var errJavaUnreadable = errors.New("a construct without an equal here")

// Classes of java.util.regex, without flags, as the inside of a Go class.
const (
	javaLineEnds = `\n\r\x{85}\x{2028}\x{2029}`
	javaDigit    = `0-9`
	javaWord     = `0-9A-Za-z_`
	javaSpace    = `\t-\r `
	javaBlank    = `\t \x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}`
	javaVertical = `\n-\r\x{85}\x{2028}\x{2029}`
)

// maxRepetition is the most that Go's syntax repeats something.
const maxRepetition = 1000

// translateJava turns a Java regular expression that is searched for into one
// of Go's syntax that finds a match in the same strings. It follows the grammar
// of java.util.regex.Pattern in OpenJDK 17: what that refuses is errJavaRegexp;
// lookaround, back references, flags, possessive quantifiers and whatever else
// has no equal is errJavaUnreadable.
func translateJava(expr string) (string, error) {
	if !utf8.ValidString(expr) {
		return "", errJavaUnreadable
	}
	text, err := unquoteJava([]rune(expr))
	if err != nil {
		return "", err
	}
	p := &javaParser{text: text}
	if err := p.alternatives(0); err != nil {
		return "", err
	}
	if p.at < len(p.text) {
		return "", fmt.Errorf("%w: unmatched )", errJavaRegexp)
	}
	return p.out.String(), nil
}

// unquoteJava replaces \Q...\E by escapes, as Pattern does before it parses.
func unquoteJava(text []rune) ([]rune, error) {
	i := 0
	for i < len(text)-1 && !(text[i] == '\\' && text[i+1] == 'Q') {
		if text[i] == '\\' {
			i++
		}
		i++
	}
	if i >= len(text)-1 {
		return text, nil
	}
	out := append([]rune(nil), text[:i]...)
	quoted := true
	for i += 2; i < len(text); {
		c := text[i]
		i++
		switch next := runeAt(text, i); {
		case quoted && c == '\\' && next == 'E':
			quoted = false
			i++
		case !quoted && c == '\\' && next == 'Q':
			quoted = true
			i++
		case !quoted && c == '\\':
			out = append(out, c)
			if i < len(text) {
				out = append(out, next)
				i++
			}
		case quoted && c < utf8.RuneSelf && !asciiLetter(byte(c)) && !asciiDigit(byte(c)):
			out = append(out, '\\', c)
		default:
			out = append(out, c)
		}
	}
	return out, nil
}

func runeAt(text []rune, i int) rune {
	if i < len(text) {
		return text[i]
	}
	return -1
}

// maxJavaDepth bounds how deep groups nest.
const maxJavaDepth = 100

// javaParser reads an expression from left to right and writes its equal.
type javaParser struct {
	text []rune
	at   int
	out  strings.Builder
}

func (p *javaParser) peek() rune { return runeAt(p.text, p.at) }

func (p *javaParser) alternatives(depth int) error {
	for {
		if err := p.sequence(depth); err != nil {
			return err
		}
		if p.peek() != '|' {
			return nil
		}
		p.at++
		p.out.WriteByte('|')
	}
}

// sequence reads until a "|", a ")" or the end.
func (p *javaParser) sequence(depth int) error {
	for {
		var atom string
		var err error
		switch c := p.peek(); c {
		case -1, '|', ')':
			return nil
		case '(':
			if atom, err = p.group(depth); err != nil {
				return err
			}
		case '?', '*', '+':
			return fmt.Errorf("%w: nothing before %c", errJavaRegexp, c)
		case '{':
			atom = "" // a repetition of nothing, if it is one at all
		case '^':
			p.at++
			atom = `\A`
		case '$':
			p.at++
			if err := p.dollar(depth); err != nil {
				return err
			}
			continue
		case '.':
			p.at++
			atom = "[^" + javaLineEnds + "]"
		case '[':
			p.at++
			if atom, err = p.class(); err != nil {
				return err
			}
		case '\\':
			p.at++
			if atom, err = p.escape(depth); err != nil {
				return err
			}
		default:
			p.at++
			atom = regexp.QuoteMeta(string(c))
		}
		if err := p.quantified(atom); err != nil {
			return err
		}
	}
}

// dollar writes the end of the input or of all but its last line end. Go's
// syntax cannot look ahead, so nothing may follow.
func (p *javaParser) dollar(depth int) error {
	if next := p.peek(); depth > 0 || next != -1 && next != '|' {
		return errJavaUnreadable
	}
	p.out.WriteString(`(?:\r\n|[` + javaLineEnds + `])?\z`)
	return nil
}

// group reads a group up to its closing bracket.
func (p *javaParser) group(depth int) (string, error) {
	p.at++
	if p.peek() == '?' {
		if runeAt(p.text, p.at+1) != ':' {
			return "", errJavaUnreadable
		}
		p.at += 2
	}
	if depth >= maxJavaDepth {
		return "", errJavaUnreadable
	}
	inner := &javaParser{text: p.text, at: p.at}
	if err := inner.alternatives(depth + 1); err != nil {
		return "", err
	}
	if p.at = inner.at; p.peek() != ')' {
		return "", fmt.Errorf("%w: unclosed group", errJavaRegexp)
	}
	p.at++
	return "(?:" + inner.out.String() + ")", nil
}

// quantified writes an atom with the quantifier that follows it.
func (p *javaParser) quantified(atom string) error {
	quantifier := ""
	switch c := p.peek(); c {
	case '?', '*', '+':
		p.at++
		quantifier = string(c)
	case '{':
		var err error
		if quantifier, err = p.counted(); err != nil {
			return err
		}
	default:
		p.out.WriteString(atom)
		return nil
	}
	switch p.peek() {
	case '?': // lazy: the same strings match
		p.at++
	case '+':
		return errJavaUnreadable
	}
	p.out.WriteString("(?:" + atom + ")" + quantifier)
	return nil
}

// counted reads {n}, {n,} or {n,m}.
func (p *javaParser) counted() (string, error) {
	p.at++
	from, ok := p.number()
	if !ok {
		return "", fmt.Errorf("%w: illegal repetition", errJavaRegexp)
	}
	to, open := from, false
	if p.peek() == ',' {
		p.at++
		if p.peek() == '}' {
			open = true
		} else if to, ok = p.number(); !ok {
			return "", fmt.Errorf("%w: illegal repetition", errJavaRegexp)
		}
	}
	if p.peek() != '}' {
		return "", fmt.Errorf("%w: unclosed repetition", errJavaRegexp)
	}
	p.at++
	switch {
	case to < from:
		return "", fmt.Errorf("%w: illegal repetition range", errJavaRegexp)
	case from > maxRepetition || to > maxRepetition:
		return "", errJavaUnreadable
	case open:
		return fmt.Sprintf("{%d,}", from), nil
	}
	return fmt.Sprintf("{%d,%d}", from, to), nil
}

// number reads a decimal number; a large one counts as one that is too large.
func (p *javaParser) number() (n int, ok bool) {
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		n, ok = min(n*10+int(c-'0'), maxRepetition+1), true
		p.at++
	}
	return n, ok
}
