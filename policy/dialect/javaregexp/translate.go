package javaregexp

import (
	"fmt"
	"strings"
	"unicode"
)

// translator writes an expression in Go's syntax. Go's searches by states and not
// depth first: what only the order of the ways decides it cannot say.
type translator struct {
	b strings.Builder
	// near: texts of printable ASCII are all that counts, and what cannot be said
	// becomes something wider; inexact says that this happened.
	near, inexact bool
	// failed: it cannot be said.
	failed  bool
	folding folding
}

// never is found in no text.
const never = `[^\x00-\x{10FFFF}]`

// maxTranslated bounds what is written.
const maxTranslated = 4096

// translate returns an equal expression, or "".
func translate(tree *node) string {
	t := &translator{}
	t.write(tree, place{tail: true, afterCR: true})
	if t.failed || t.b.Len() > maxTranslated {
		return ""
	}
	if t.b.Len() == 0 {
		return `(?:)`
	}
	return t.b.String()
}

// approximate returns an expression for texts of printable ASCII, at least as
// wide, and whether it is equal for them.
func approximate(tree *node) (expr string, exact bool) {
	t := &translator{near: true}
	t.write(tree, place{tail: true, afterCR: true})
	if t.failed || t.b.Len() > maxTranslated {
		return `(?:)`, false
	}
	return t.b.String(), !t.inexact
}

// place is where in the whole a node stands.
type place struct {
	// tail: nothing follows.
	tail bool
	// afterCR: the character before may be \r, behind which no line ends at \n.
	afterCR bool
}

func (t *translator) write(n *node, at place) {
	switch n.op {
	case opSequence:
		t.sequence(n, at)
	case opChoice:
		for i, part := range n.parts {
			if i > 0 {
				t.b.WriteByte('|')
			}
			t.write(part, at)
		}
	case opSet:
		t.set(n)
	case opText:
		for _, r := range n.text {
			t.char(r, n.fold)
		}
	case opBegin, opLastMatch:
		t.b.WriteString(`\A`)
	case opEnd:
		t.b.WriteString(`\z`)
	case opDollar:
		t.dollar(n, at)
	case opGroup:
		t.group(n, at)
	case opRepeat:
		t.repeat(n, false)
	case opAhead:
		if at.tail && !n.negative {
			t.group(n, at) // whether what follows is looked at or taken, it is there
			return
		}
		t.wider("")
	default:
		t.special(n)
	}
	t.failed = t.failed || t.b.Len() > 2*maxTranslated
}

// special writes what only texts of printable ASCII have an equal of, or
// something wider.
func (t *translator) special(n *node) {
	if !t.near {
		t.failed = true
		return
	}
	switch {
	case n.op == opLineBegin:
		t.b.WriteString(`\A`)
	case n.op == opBoundary && n.negative:
		t.b.WriteString(`\B`)
	case n.op == opBoundary:
		t.b.WriteString(`\b`)
	case n.op == opLineEnding:
		t.b.WriteString(never)
	case n.op == opGrapheme:
		t.b.WriteString(`(?s:.)`)
	case n.op == opRef:
		t.wider(`(?s:.*)`)
	case n.op == opAtomic:
		t.inexact = true
		t.group(n, place{})
	default:
		t.wider("")
	}
}

// wider writes something that covers more.
func (t *translator) wider(expr string) {
	t.inexact = true
	t.failed = t.failed || !t.near
	t.b.WriteString(expr)
}

func (t *translator) sequence(n *node, at place) {
	afterCR := at.afterCR
	for i, part := range n.parts {
		tail := at.tail && i == len(n.parts)-1
		if part.op == opRepeat {
			last := tail && (part.min <= 1 || part.parts[0].op == opSet)
			t.repeat(part, last || i+1 < len(n.parts) && apart(part.parts[0], n.parts[i+1]))
		} else {
			t.write(part, place{tail: tail, afterCR: afterCR})
		}
		afterCR = endsInCR(part, afterCR)
	}
}

// apart reports whether the element behind a repeated set begins with nothing
// that the set takes: then the repetition gives nothing back that would help.
func apart(repeated, next *node) bool {
	if next.op == opRepeat && next.min > 0 {
		next = next.parts[0]
	}
	if repeated.op != opSet || repeated.canonical {
		return false
	}
	switch {
	case next.op == opSet && !next.canonical:
		return len(repeated.set.and(next.set)) == 0
	case next.op == opText && len(next.text) > 0 && next.fold == foldNone:
		return !repeated.set.has(next.text[0])
	}
	return false
}

// endsInCR reports whether a text that a node took may end in \r, where the text
// before it may or may not.
func endsInCR(n *node, before bool) bool {
	switch n.op {
	case opBegin:
		return false
	case opSet:
		return n.set.has('\r')
	case opText:
		return len(n.text) == 0 && before || len(n.text) > 0 && n.text[len(n.text)-1] == '\r'
	case opRepeat:
		return n.min == 0 && before || endsInCR(n.parts[0], before)
	case opGroup:
		return endsInCR(n.parts[0], before)
	case opSequence:
		for _, part := range n.parts {
			before = endsInCR(part, before)
		}
		return before
	case opChoice:
		any := false
		for _, part := range n.parts {
			any = any || endsInCR(part, before)
		}
		return any
	}
	return true
}

func (t *translator) group(n *node, at place) {
	t.b.WriteString("(?:")
	t.write(n.parts[0], at)
	t.b.WriteByte(')')
}

// dollar writes the end of the text, or of all but its last line end.
func (t *translator) dollar(n *node, at place) {
	switch {
	case t.near:
		t.b.WriteString(`\z`)
	case !at.tail, n.multiline, at.afterCR && !n.unixLines:
		t.failed = true
	case n.unixLines:
		t.b.WriteString(`\n?\z`)
	default:
		t.b.WriteString(`(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?\z`)
	}
}

// mostRepeats is the most that Go's syntax repeats something.
const mostRepeats = 1000

// repeat writes a repetition. Whether it is lazy does not matter to whether
// something is found, nor whether it is possessive where it need not give back.
func (t *translator) repeat(n *node, keeps bool) {
	if n.mode == possessive && !keeps {
		t.inexact = true
		t.failed = t.failed || !t.near
	}
	low, high := n.min, n.max
	if low > mostRepeats || !n.open && high != maxRepeats && high > mostRepeats {
		t.wider("")
		low, high = min(low, mostRepeats), maxRepeats
	}
	t.b.WriteString("(?:")
	t.write(n.parts[0], place{afterCR: true})
	t.b.WriteByte(')')
	switch {
	case high != maxRepeats:
		fmt.Fprintf(&t.b, "{%d,%d}", low, high)
	case low == 0:
		t.b.WriteByte('*')
	case low == 1:
		t.b.WriteByte('+')
	default:
		fmt.Fprintf(&t.b, "{%d,}", low)
	}
}

// maxRanges bounds how many ranges a class may have in what is written.
const maxRanges = 64

func (t *translator) set(n *node) {
	s := n.set
	if len(n.broken) > 0 {
		t.wider("")
		s = s.or(n.broken)
	}
	switch {
	case t.near:
		s = s.within(0, 0x7F)
	case n.canonical:
		t.failed = true
		return
	case len(s) > 2*maxRanges:
	default:
		s = s.within(0, 0xD7FF).or(s.within(0xE000, unicode.MaxRune))
	}
	switch {
	case len(s) == 0:
		t.b.WriteString(never)
	case len(s) > 2*maxRanges:
		t.wider(`(?s:.)`)
	case len(s) == 2 && s[0] == s[1]:
		t.plain(s[0])
	default:
		t.b.WriteByte('[')
		for i := 0; i < len(s); i += 2 {
			t.bound(s[i])
			if s[i] < s[i+1] {
				t.b.WriteByte('-')
				t.bound(s[i+1])
			}
		}
		t.b.WriteByte(']')
	}
}

func (t *translator) bound(r rune) {
	if isASCIILetter(r) || isDigit(r) {
		t.b.WriteRune(r)
		return
	}
	fmt.Fprintf(&t.b, `\x{%X}`, r)
}

func (t *translator) char(r rune, fold foldMode) {
	switch {
	case fold == foldUnicode:
		t.set(&node{set: t.folding.one(r)})
	case fold == foldASCII && isASCIILetter(r):
		t.set(&node{set: setOf(lowerASCII(r), lowerASCII(r), upperASCII(r), upperASCII(r))})
	default:
		t.plain(r)
	}
}

func (t *translator) plain(r rune) {
	if isSurrogate(r) || t.near && r >= 0x80 {
		t.b.WriteString(never)
		return
	}
	if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
		t.b.WriteByte('\\')
	}
	t.b.WriteRune(r)
}
