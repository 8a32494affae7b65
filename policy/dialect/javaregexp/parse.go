package javaregexp

import (
	"errors"
	"fmt"
)

// ErrRefused reports a text that java.util.regex.Pattern does not accept.
var ErrRefused = errors.New("not a Java regular expression")

// ErrUnreadable reports a text that could not be read here, whatever Java makes
// of it.
var ErrUnreadable = errors.New("a Java regular expression that cannot be read here")

// failure is how the parser gives up: it is recovered where parsing began.
type failure struct{ error }

func refuse(why string) { panic(failure{fmt.Errorf("%w: %s", ErrRefused, why)}) }

func giveUp(why string) { panic(failure{fmt.Errorf("%w: %s", ErrUnreadable, why)}) }

// maxDepth bounds how deep groups and classes nest.
const maxDepth = 250

// parser reads an expression from left to right.
type parser struct {
	reader
	depth int
	// groups is how many groups capture, the whole match counted.
	groups int
	named  map[string]int
	// refers: some element refers to a group.
	refers bool
	// counts: some element counts from where another ended.
	counts bool
	// wide: some element takes or may take code points beyond 16 bits.
	wide       bool
	folding    folding
	properties map[propertyKey]class
	work       int
	// doubt: something is not known here, if the rest is read at all.
	doubt bool
}

// What reading an expression may cost. An ordinary one costs some thousands;
// what adds up to more than maxWork is no origin that anybody wrote.
const (
	maxWork        = 1_000_000
	costOfProperty = 50_000
	costOfFolding  = 10_000
)

// charge notes work and gives up where it was too much.
func (p *parser) charge(n int) {
	if p.work += n; p.work > maxWork {
		giveUp("it is too large")
	}
}

// parse reads a whole expression.
func parse(text []rune) (p *parser, tree *node, err error) {
	p = &parser{reader: newReader(unquoted(text)), groups: 1, named: map[string]int{},
		properties: map[propertyKey]class{}}
	for _, c := range text {
		p.wide = p.wide || beyond16Bits(c)
	}
	defer func() {
		if failed, ok := recover().(failure); ok {
			p, tree, err = nil, nil, failed.error
		}
	}()
	tree = p.choice()
	if p.at != p.n {
		refuse("something follows that nothing opened")
	}
	return p, tree, nil
}

// beyond16Bits reports whether a character is, or may be half of, two 16-bit
// units.
func beyond16Bits(c rune) bool { return c >= 0x10000 || isSurrogate(c) }

func isSurrogate(c rune) bool { return 0xD800 <= c && c < 0xE000 }

func (p *parser) choice() *node {
	var parts []*node
	for {
		parts = append(parts, p.sequence())
		if p.peek() != '|' {
			break
		}
		p.next()
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return &node{op: opChoice, parts: parts}
}

// sequence reads until a "|", a ")" or the end.
func (p *parser) sequence() *node {
	s := &node{op: opSequence}
	for {
		var element *node
		switch c := p.peek(); c {
		case '(':
			if element = p.group(); element != nil {
				s.parts = append(s.parts, element)
			}
			continue // a group reads its own quantifier
		case '|', ')':
			return s
		case '?', '*', '+':
			refuse("nothing stands before " + string(c))
		case '[':
			element = p.takes(p.class(true))
		case '\\':
			element = p.escaped()
		case '^', '$', '.':
			p.next()
			element = p.sign(c)
		case 0:
			if p.ended() {
				return s
			}
			element = p.literal()
		default:
			element = p.literal()
		}
		s.parts = append(s.parts, p.repeated(element))
	}
}

// sign returns what "^", "$" or "." means under the flags in force.
func (p *parser) sign(c rune) *node {
	switch {
	case c == '^' && p.multiline:
		return &node{op: opLineBegin, unixLines: p.unixLines}
	case c == '^':
		return &node{op: opBegin}
	case c == '$':
		return &node{op: opDollar, multiline: p.multiline, unixLines: p.unixLines}
	case p.dotAll:
		return &node{op: opSet, set: all}
	case p.unixLines:
		return &node{op: opSet, set: notNewline}
	}
	return &node{op: opSet, set: notLineEnds}
}

// takes makes an element of a class.
func (p *parser) takes(c class) *node {
	p.charge(len(c.set))
	if p.canonical {
		return &node{op: opSet, set: c.set, broken: c.broken, canonical: true}
	}
	p.wide = p.wide || !c.bmp
	return &node{op: opSet, set: c.set, broken: c.broken, bmp: c.bmp}
}

// escaped reads an element that begins with a backslash.
func (p *parser) escaped() *node {
	if c := p.nextRaw(); c == 'p' || c == 'P' {
		return p.takes(p.property(c == 'P'))
	}
	p.back()
	return p.literal()
}

// literal reads a run of plain characters, or one element that is an escape. A
// quantifier takes the last character of a run, which is left for it.
func (p *parser) literal() *node {
	var run []rune
	last := -1 // where the last character of the run began
	c := p.peek()
	for {
		switch c {
		case '*', '+', '?', '{':
			if len(run) > 1 {
				p.at = last
				run = run[:len(run)-1]
			}
			return p.plain(run)
		case '$', '.', '^', '(', '[', '|', ')':
			return p.plain(run)
		case '\\':
			if c = p.nextRaw(); c == 'p' || c == 'P' {
				if len(run) > 0 {
					p.back()
					return p.plain(run)
				}
				return p.takes(p.property(c == 'P'))
			}
			p.back()
			last = p.at
			e := p.escape(escapePlace{create: len(run) == 0})
			if e.is != isCharacter {
				if len(run) == 0 {
					return e.node
				}
				p.at = last
				return p.plain(run)
			}
			run = append(run, e.char)
			c = p.peek()
			continue
		case 0:
			if p.ended() {
				return p.plain(run)
			}
		}
		last = p.at
		run = append(run, c)
		c = p.next()
	}
}

// plain makes an element of a run.
func (p *parser) plain(run []rune) *node {
	if len(run) == 1 {
		return p.takesOne(run[0])
	}
	n := &node{op: opText, text: run}
	switch {
	case p.fold && p.unicodeCase:
		n.fold = foldUnicode
	case p.fold:
		n.fold = foldASCII
	}
	return n
}

func (p *parser) takesOne(c rune) *node {
	one := p.one(c)
	p.wide = p.wide || !one.bmp
	return &node{op: opSet, set: one.set, bmp: one.bmp}
}

// repeated reads the quantifier behind an element, if there is one.
func (p *parser) repeated(n *node) *node {
	r := &node{op: opRepeat, parts: []*node{n}, max: maxRepeats, open: true}
	switch p.peek() {
	case '?':
		r.max, r.open = 1, false
	case '*':
	case '+':
		r.min = 1
	case '{':
		p.counted(r)
		p.back()
	default:
		return n
	}
	switch p.next() {
	case '?':
		p.next()
		r.mode = lazy
	case '+':
		p.next()
		r.mode = possessive
	}
	return r
}

// counted reads {n}, {n,} or {n,m}. A brace that begins none of these is no
// literal but an error.
func (p *parser) counted(r *node) {
	c := p.skip()
	if !isDigit(c) {
		refuse("{ without a number")
	}
	if r.min, c = p.number(c); c != ',' {
		r.max, r.open = r.min, false
	} else if c = p.read(); c != '}' {
		r.max, c = p.number(c) // no digits are zero
		r.open = false
	}
	if c != '}' {
		refuse("{ without }")
	}
	if r.max < r.min {
		refuse("a repetition that ends before it begins")
	}
}

// number reads the digits from c on, and returns what follows them.
func (p *parser) number(c rune) (n int32, after rune) {
	value := int64(0)
	for ; isDigit(c); c = p.read() {
		if value = value*10 + int64(c-'0'); value > maxRepeats {
			refuse("a repetition that is too long")
		}
	}
	return int32(value), c
}
