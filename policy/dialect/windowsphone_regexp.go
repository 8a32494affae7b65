package dialect

import (
	"regexp/syntax"
	"strings"
)

// netWord is .NET's \w in Go's syntax, without brackets around it.
const netWord = `\p{L}\p{Mn}\p{Nd}\p{Pc}`

// netState says what .NET makes of a text that it reads as an expression.
type netState uint8

const (
	// netRead: the translation means the same.
	netRead netState = iota
	// netInvalid: .NET throws.
	netInvalid
	// netForeign: an expression that cannot be said in Go's syntax, or that is
	// too long.
	netForeign
)

// translateNet translates the part of .NET's expression language that an
// origin can bring along into Go's: literals, ".", groups, classes, the
// quantifiers, alternation and the anchors. Everything else
// that has a meaning (escapes, lookaround, options) is
// foreign.
func translateNet(text string) (expr string, state netState) {
	t := netTranslator{text: text}
	for t.at < len(text) && t.state == netRead {
		t.step()
	}
	switch {
	case t.state != netRead:
		return "", t.state
	case t.depth > 0:
		return "", netInvalid
	case t.b.Len() > netMax:
		return "", netForeign
	}
	if _, err := syntax.Parse(t.b.String(), syntax.Perl); err != nil {
		return "", netForeign
	}
	return t.b.String(), netRead
}

// netMax bounds the length of a translated expression.
const netMax = 4000

type netTranslator struct {
	text  string
	at    int
	b     strings.Builder
	depth int
	// atom: a quantifier may follow; quantified: one just did.
	atom, quantified bool
	state            netState
}

func (t *netTranslator) step() {
	c := t.text[t.at]
	switch c {
	case '*', '+', '?':
		t.quantifier(c)
		return
	case '(':
		t.open()
		t.atom = false
	case ')':
		if t.depth--; t.depth < 0 {
			t.state = netInvalid
		}
		t.b.WriteByte(')')
		t.atom = true
	case '|':
		t.b.WriteByte('|')
		t.atom = false
	case '^':
		t.b.WriteString(`\A`)
		t.atom = true
	case '$':
		t.b.WriteString(`(?:\n?\z)`)
		t.atom = true
	case '.':
		t.b.WriteString(`[^\n]`)
		t.atom = true
	case '[':
		t.class()
		t.atom = true
	case '{':
		t.counted()
		return
	case '\\':
		t.state = netForeign
	default:
		t.literal(c)
		t.atom = true
	}
	t.at++
	t.quantified = false
}

// open reads the start of a group.
func (t *netTranslator) open() {
	switch rest := t.text[t.at:]; {
	case strings.HasPrefix(rest, "(?:"):
		t.b.WriteString("(?:")
		t.at += 2
	case strings.HasPrefix(rest, "(?"):
		t.state = netForeign
	default:
		t.b.WriteByte('(')
	}
	t.depth++
}

func (t *netTranslator) quantifier(c byte) {
	switch {
	case !t.atom:
		t.state = netInvalid
		return
	case t.quantified && c == '?':
		// Lazy or not: whether there is a match is the same.
		t.at++
		t.atom, t.quantified = true, false
		// Another quantifier after a lazy one is nested.
		if t.at < len(t.text) && strings.IndexByte("*+?", t.text[t.at]) >= 0 {
			t.state = netInvalid
		}
		return
	case t.quantified:
		t.state = netInvalid
		return
	}
	t.b.WriteByte(c)
	t.at++
	t.quantified = true
}

// counted reads "{n}", "{n,}" or "{n,m}"; a brace that begins none of these is
// a literal.
func (t *netTranslator) counted() {
	end := strings.IndexByte(t.text[t.at:], '}')
	low, high, ranged := "", "", false
	if end > 0 {
		low, high, ranged = strings.Cut(t.text[t.at+1:t.at+end], ",")
	}
	switch {
	case !digits(low) || high != "" && !digits(high):
		t.literal('{')
		t.at++
		t.atom, t.quantified = true, false
		return
	case !t.atom, t.quantified:
		t.state = netInvalid
		return
	case len(low) > 3, len(high) > 3:
		t.state = netForeign
		return
	}
	if n, m := number(low), number(high); ranged && high != "" && m < n {
		t.state = netInvalid
		return
	}
	t.b.WriteString(t.text[t.at : t.at+end+1])
	t.at += end + 1
	t.quantified = true
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if !asciiDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// number reads a few digits.
func number(s string) (n int) {
	for i := 0; i < len(s); i++ {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func (t *netTranslator) literal(c byte) {
	if c < 0x80 && !asciiLetter(c) && !asciiDigit(c) && c > ' ' && c < 0x7F {
		t.b.WriteByte('\\')
	}
	t.b.WriteByte(c)
}

// class reads a class up to its "]"; a "]" right after the bracket counts as a
// character. Classes with escapes or brackets inside are foreign.
func (t *netTranslator) class() {
	start := t.at + 1
	if start < len(t.text) && t.text[start] == '^' {
		start++
	}
	end := -1
	if start < len(t.text) {
		end = strings.IndexByte(t.text[start+1:], ']')
	}
	if end < 0 {
		t.state = netInvalid
		return
	}
	body := t.text[start : start+1+end]
	if strings.ContainsAny(body, `\[`) {
		t.state = netForeign
		return
	}
	t.b.WriteString(t.text[t.at:start])
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c == ']' || c == '^' || c == '&' || c == '~' {
			t.b.WriteByte('\\')
		}
		t.b.WriteByte(c)
	}
	t.b.WriteByte(']')
	t.at = start + end + 1
}
