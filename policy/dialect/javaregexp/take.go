package javaregexp

import "unicode"

// take returns where an element ends that begins at a place, or -1 if it does
// not hold there.
func (m *machine) take(n *node, i int) int {
	switch n.op {
	case opSet:
		return m.takeSet(n, i)
	case opText:
		return m.takeText(n, i)
	case opRef:
		return m.takeReference(n, i)
	case opGrapheme:
		return m.takeGrapheme(i)
	}
	if m.holds(n, i) {
		return i
	}
	return -1
}

func (m *machine) takeSet(n *node, i int) int {
	if i >= len(m.text) {
		return -1
	}
	r, after := m.at(i)
	if n.broken.has(r) {
		panic(exhausted{}) // Java throws
	}
	if n.canonical {
		m.plainAt(i)
		if r == '\r' && after < len(m.text) && m.text[after] == '\n' {
			return -1 // both are one character, which no class has
		}
	}
	if n.set.has(r) {
		return after
	}
	return -1
}

func (m *machine) takeText(n *node, i int) int {
	for _, want := range n.text {
		m.left--
		if i >= len(m.text) {
			return -1
		}
		got, after := m.at(i)
		switch {
		case got == want:
		case n.fold == foldASCII && lowerASCII(got) == lowerASCII(want):
		case n.fold == foldUnicode && (fold(got) == fold(want) || got == fold(want)):
		default:
			return -1
		}
		i = after
	}
	return i
}

// takeReference takes what a group captured once more. A group that captured
// nothing is found nowhere.
func (m *machine) takeReference(n *node, i int) int {
	start, end := m.groups[2*n.group], m.groups[2*n.group+1]
	length := end - start
	if start < 0 || i+length > len(m.text) {
		return -1
	}
	m.left -= length
	if n.fold == foldNone {
		for k := range length {
			if m.text[i+k] != m.text[start+k] {
				return -1
			}
		}
		return i + length
	}
	for x, y, k := i, start, 0; k < length; k++ {
		if x >= len(m.text) || y >= len(m.text) {
			panic(exhausted{}) // halves of code points: Java looks beyond the end
		}
		a, afterA := m.at(x)
		b, afterB := m.at(y)
		upperA, upperB := unicode.ToUpper(a), unicode.ToUpper(b)
		switch {
		case a == b:
		case n.fold == foldUnicode && (upperA == upperB || unicode.ToLower(upperA) == unicode.ToLower(upperB)):
		case n.fold == foldASCII && lowerASCII(a) == lowerASCII(b):
		default:
			return -1
		}
		x, y = afterA, afterB
	}
	return i + length
}

// plainAt gives up where what begins at a place may be one character for the
// reader and several code points: which are is known for ASCII here.
func (m *machine) plainAt(i int) {
	if m.text[i] >= 0x80 || i+1 < len(m.text) && m.text[i+1] >= 0x80 {
		panic(exhausted{})
	}
}

func (m *machine) takeGrapheme(i int) int {
	if i >= len(m.text) {
		return -1
	}
	m.plainAt(i)
	if m.text[i] == '\r' && i+1 < len(m.text) && m.text[i+1] == '\n' {
		return i + 2
	}
	return i + 1
}

// lineEnding takes \r\n as one, or else \r alone.
func (m *machine) lineEnding(s *step, i int) bool {
	if i >= len(m.text) || !vertical.has(rune(m.text[i])) {
		return false
	}
	if m.text[i] == '\r' && i+1 < len(m.text) && m.text[i+1] == '\n' && m.match(s.next, i+2) {
		return true
	}
	return m.match(s.next, i+1)
}

// holds reports whether an element that takes nothing holds at a place.
func (m *machine) holds(n *node, i int) bool {
	switch n.op {
	case opBegin, opLastMatch: // a first search has no match before it
		return i == 0
	case opEnd:
		return i == len(m.text)
	case opLineBegin:
		return m.lineBegins(n, i)
	case opDollar:
		return m.dollar(n, i)
	case opBoundary:
		return (m.word(n, i, true) != m.word(n, i, false)) != n.negative
	case opGraphemes:
		return m.graphemes(i)
	}
	return false
}

func (m *machine) lineBegins(n *node, i int) bool {
	switch {
	case i == len(m.text):
		return false
	case i == 0:
		return true
	case n.unixLines:
		return m.text[i-1] == '\n'
	}
	return lineEnds.has(rune(m.text[i-1])) && (m.text[i-1] != '\r' || m.text[i] != '\n')
}

// dollar holds at the end and before a line end that is the last, or before any
// line end of several lines; never between \r and \n.
func (m *machine) dollar(n *node, i int) bool {
	rest := m.text[i:]
	switch {
	case len(rest) == 0:
		return true
	case n.unixLines:
		return rest[0] == '\n' && (n.multiline || len(rest) == 1)
	case !n.multiline && (len(rest) > 2 || len(rest) == 2 && (rest[0] != '\r' || rest[1] != '\n')):
		return false
	case rest[0] == '\n':
		return i == 0 || m.text[i-1] != '\r'
	}
	return lineEnds.has(rune(rest[0]))
}

// word reports whether the character before a place, or at it, is one of words.
// A mark that stands above or below a letter counts as one.
func (m *machine) word(n *node, i int, before bool) bool {
	var r rune
	switch {
	case before && i > 0:
		r, _ = m.before(i)
	case !before && i < len(m.text):
		r, _ = m.at(i)
	default:
		return false
	}
	if r < 0x80 {
		return asciiWord.has(r)
	}
	if n.unicodeWord && (isAlphabetic(r) || unicode.In(r, unicode.M, unicode.Nd, unicode.Pc) ||
		r == 0x200C || r == 0x200D) {
		return true
	}
	if !n.unicodeWord && unicode.In(r, unicode.L, unicode.Nd) {
		return true
	}
	if before {
		i--
	}
	return unicode.Is(unicode.Mn, r) && m.hasBase(i)
}

func isAlphabetic(r rune) bool {
	return unicode.In(r, unicode.L, unicode.Nl, unicode.Other_Alphabetic)
}

// hasBase reports whether marks up to a place stand on a letter or digit.
func (m *machine) hasBase(i int) bool {
	for ; i >= 0; i-- {
		m.left--
		r, _ := m.at(i)
		if unicode.In(r, unicode.L, unicode.Nd) {
			return true
		}
		if !unicode.Is(unicode.Mn, r) {
			return false
		}
	}
	return false
}

// graphemes reports whether a character as readers see it ends at a place,
// counted from where the last thing inside ended.
func (m *machine) graphemes(i int) bool {
	if i == 0 || i >= len(m.text) {
		return true
	}
	m.left -= i
	for _, c := range m.text[:i+1] {
		if c >= 0x80 {
			panic(exhausted{})
		}
	}
	if m.last >= len(m.text) {
		panic(exhausted{}) // Java throws
	}
	return m.takeGrapheme(m.last) <= i
}

// look reports whether what is inside of a look matches.
func (m *machine) look(s *step, i int) bool {
	if s.node.op == opAhead {
		return m.match(s.inner, i)
	}
	saved := m.behind
	m.behind = i
	held := m.lookBehind(s, i)
	m.behind = saved
	return held
}

// lookBehind tries every start that is far enough from a place and not too far,
// the nearest first.
func (m *machine) lookBehind(s *step, i int) bool {
	if !s.node.wide {
		from := max(int32(i)-s.longest, 0)
		for j := int32(i) - s.shortest; j >= from; j-- {
			if m.match(s.inner, int(j)) {
				return true
			}
		}
		return false
	}
	from := max(i-m.units(i, -s.longest), 0)
	for j := i - m.units(i, -s.shortest); j >= from; {
		if m.match(s.inner, j) {
			return true
		}
		if j > from {
			j -= m.units(j, -1)
		} else {
			j--
		}
	}
	return false
}

// units returns how many 16-bit units as many code points are, from a place on
// or, where the number is negative, before it.
func (m *machine) units(i int, points int32) int {
	at := i
	defer func() { m.left -= max(i-at, at-i) }()
	if points >= 0 {
		for ; at < len(m.text) && points > 0; points-- {
			_, at = m.at(at)
		}
		return at - i
	}
	for points = -points; at > 0 && points > 0; points-- {
		_, at = m.before(at)
	}
	return i - at
}
