package javaregexp

import "unicode/utf16"

// machine searches one text for a program.
type machine struct {
	text []uint16
	// locals are the places of the program, groups the starts and ends of what
	// groups captured, or -1.
	locals, groups []int
	// failed are, for each loop that remembers, where going round once more led
	// to nothing.
	failed [][]bool
	// last is where what was inside of a step ended, behind the place at which a
	// look behind must end.
	last, behind int
	// left is how many steps may still be taken, depth how deep they are nested.
	left, depth int
	remembers   bool // as the program's
}

// maxNesting bounds how deep the search goes; so does Java's stack, and less.
const maxNesting = 20_000

// exhausted is how the search gives up; it is recovered where it began.
type exhausted struct{}

// find reports whether the program matches somewhere in the text; known is false
// where the steps did not suffice, or the text asks what is not known here.
func (p *program) find(text string, steps int) (found, known bool) {
	m := &machine{text: utf16.Encode([]rune(text)), locals: make([]int, p.locals), left: steps, remembers: p.remembers}
	m.groups = make([]int, 2*p.groups)
	for i := range m.groups {
		m.groups[i] = -1
	}
	for i := range m.locals {
		m.locals[i] = -1
	}
	m.failed = make([][]bool, p.memos)
	defer func() {
		if _, ok := recover().(exhausted); ok {
			found, known = false, false
		}
	}()
	last := int32(len(m.text)) - p.shortest
	for i := 0; int32(i) <= last; {
		if m.match(p.root, i) {
			return true, true
		}
		if p.anchored {
			break
		}
		i++
		if p.wide && i < len(m.text) && isHigh(m.text[i-1]) && isLow(m.text[i]) {
			i++
		}
	}
	return false, true
}

func isHigh(c uint16) bool { return c&0xFC00 == 0xD800 }

func isLow(c uint16) bool { return c&0xFC00 == 0xDC00 }

// at returns the code point at an index, and behind it.
func (m *machine) at(i int) (r rune, after int) {
	c := m.text[i]
	if isHigh(c) && i+1 < len(m.text) && isLow(m.text[i+1]) {
		return utf16.DecodeRune(rune(c), rune(m.text[i+1])), i + 2
	}
	return rune(c), i + 1
}

// before returns the code point that ends at an index, and its start.
func (m *machine) before(i int) (r rune, start int) {
	c := m.text[i-1]
	if isLow(c) && i >= 2 && isHigh(m.text[i-2]) {
		return utf16.DecodeRune(rune(m.text[i-2]), rune(c)), i - 2
	}
	return rune(c), i - 1
}

// match follows a program from a place on.
func (m *machine) match(s *step, i int) bool {
	if m.depth++; m.depth > maxNesting {
		panic(exhausted{})
	}
	held := m.follow(s, i)
	m.depth--
	return held
}

func (m *machine) follow(s *step, i int) bool {
	for {
		if m.left--; m.left < 0 {
			panic(exhausted{})
		}
		switch s.kind {
		case stepAccept:
			m.last = i
			return true
		case stepBehind:
			return i == m.behind
		case stepNode:
			if s.node.op == opLineEnding {
				return m.lineEnding(s, i)
			}
			after := m.take(s.node, i)
			if after < 0 {
				return false
			}
			i = after
		case stepAtomic:
			if !m.match(s.inner, i) {
				return false
			}
			i = m.last
		case stepLook:
			if m.look(s, i) == s.node.negative {
				return false
			}
		case stepJoin:
		case stepLeave:
			if m.locals[s.local] < 0 {
				m.last = i
				return true
			}
			if s.capture > 0 {
				return m.leave(s, i)
			}
		default:
			return m.branch(s, i)
		}
		s = s.next
	}
}

// branch follows a step that may go on in several ways, or must undo something
// if nothing comes of it.
func (m *machine) branch(s *step, i int) bool {
	switch s.kind {
	case stepRun:
		return m.run(s, i)
	case stepOptional:
		return m.optional(s, i)
	case stepRepeat:
		return m.repeat(s, i)
	case stepRepeatGroup:
		return m.repeatGroup(s, i)
	case stepEnter:
		saved := m.locals[s.local]
		m.locals[s.local] = i
		held := m.match(s.next, i)
		m.locals[s.local] = saved
		return held
	case stepChoice:
		for _, way := range s.ways {
			if way == nil {
				way = s.next.next
			}
			if m.match(way, i) {
				return true
			}
		}
		return false
	case stepLoopStart:
		return m.loopStart(s.inner, i)
	case stepLoop:
		return m.loop(s, i)
	}
	panic(exhausted{})
}

func (m *machine) leave(s *step, i int) bool {
	group := m.groups[2*s.capture : 2*s.capture+2]
	start, end := group[0], group[1]
	group[0], group[1] = m.locals[s.local], i
	if m.match(s.next, i) {
		return true
	}
	group[0], group[1] = start, end
	return false
}
