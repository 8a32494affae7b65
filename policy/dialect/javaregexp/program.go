package javaregexp

// step is one step of the program that searches: what must hold at a place of
// the text, and the step that goes on from where it ends. A program is followed
// depth first, as java.util.regex does: which way comes first decides what an
// atomic group or a possessive quantifier takes, and what a reference repeats.
type step struct {
	kind stepKind
	node *node
	next *step
	// inner is what a repetition, a look or an atomic group has inside.
	inner *step
	// ways are the alternatives of a choice; nil for an empty one.
	ways []*step
	// local is the place where a group keeps its start, counter the one where a
	// loop keeps its count.
	local, counter int
	capture        int
	captures       bool
	min, max       int32
	mode           mode
	// memo is the number of a loop that remembers where going on failed, or -1.
	memo int
	// shortest and longest bound what a look behind looks at.
	shortest, longest int32
}

type stepKind uint8

const (
	stepAccept   stepKind = iota // the end, of the whole or of what is inside
	stepBehind                   // the end of a look behind
	stepNode                     // an element that is taken or holds by itself
	stepRun                      // a greedy repetition of a set, without an end
	stepOptional                 // an optional element
	stepAtomic
	stepLook
	stepRepeat      // a repetition of one element
	stepRepeatGroup // a repetition of a group that has one way to match
	stepEnter       // a group begins
	stepLeave       // a group ends
	stepChoice
	stepJoin // where a choice ends
	stepLoop // a repetition of any other group: from the second time on
	stepLoopStart
)

// accept is the end of everything.
var accept = &step{kind: stepAccept}

// compiler makes the program of a tree.
type compiler struct {
	locals int
	// memos are the loops that may remember where going on failed.
	memos []*step
}

// program is an expression that is ready to be searched for.
type program struct {
	root                  *step
	locals, groups, memos int
	shortest              int32
	// wide: places between the halves of a code point are passed over.
	wide     bool
	anchored bool
	// remembers: what an element inside has done may matter later, though it took
	// nothing: a reference repeats it, or a place is counted from it.
	remembers bool
}

// compile makes the program of a tree. Its size is that of the text.
func compile(tree *node, p *parser) *program {
	c := &compiler{}
	root := c.sequence(tree, accept)
	var info extent
	info.reset()
	study(root, &info)
	prog := &program{root: root, locals: c.locals, groups: max(p.groups, 10), wide: p.wide, shortest: info.shortest,
		remembers: p.refers || p.counts, anchored: root.kind == stepNode && root.node.op == opBegin}
	if !p.refers {
		for _, loop := range c.memos {
			loop.memo = prog.memos
			prog.memos++
		}
	}
	return prog
}

// sequence returns the program of a node that goes on at next.
func (c *compiler) sequence(n *node, next *step) *step {
	switch n.op {
	case opSequence:
		for i := len(n.parts) - 1; i >= 0; i-- {
			next = c.sequence(n.parts[i], next)
		}
		return next
	case opChoice:
		return c.choice(n, next)
	case opGroup:
		return c.contents(n, next)
	case opAtomic:
		return &step{kind: stepAtomic, next: next, inner: c.contents(n, accept)}
	case opAhead:
		return &step{kind: stepLook, node: n, next: next, inner: c.contents(n, accept)}
	case opBehind:
		return c.behind(n, next)
	case opRepeat:
		return c.repeat(n, next)
	}
	return &step{kind: stepNode, node: n, next: next}
}

func (c *compiler) choice(n *node, next *step) *step {
	join := &step{kind: stepJoin, next: next}
	choice := &step{kind: stepChoice, next: join}
	for _, part := range n.parts {
		way := c.sequence(part, join)
		if way == join {
			way = nil
		}
		choice.ways = append(choice.ways, way)
	}
	return choice
}

func (c *compiler) local() int {
	c.locals++
	return c.locals - 1
}

// contents returns the program of a group, by its first step.
func (c *compiler) contents(n *node, end *step) *step {
	_, enter := c.group(n, end)
	return enter
}

// group returns the last and the first step of a group.
func (c *compiler) group(n *node, next *step) (leave, enter *step) {
	local := c.local()
	leave = &step{kind: stepLeave, local: local, capture: n.group, next: next}
	return leave, &step{kind: stepEnter, local: local, next: c.sequence(n.parts[0], leave)}
}

func (c *compiler) behind(n *node, next *step) *step {
	known := len(c.memos)
	enter := c.contents(n, &step{kind: stepBehind})
	var info extent
	info.reset()
	study(enter, &info)
	if !info.bounded {
		refuse("a look behind without an end")
	}
	c.memos = c.memos[:known]
	return &step{kind: stepLook, node: n, next: next, inner: enter, shortest: info.shortest, longest: info.longest}
}

func (c *compiler) repeat(n *node, next *step) *step {
	inner := n.parts[0]
	if inner.op != opGroup {
		return c.repeatOne(n, c.sequence(inner, accept), next)
	}
	known := len(c.memos)
	leave, enter := c.group(inner, accept)
	c.memos = c.memos[:known]
	if n.mode == possessive {
		return c.repeatOne(n, enter, next)
	}
	if n.min == 0 && n.max == 1 && !n.open {
		join := &step{kind: stepJoin, next: next}
		leave.next = join
		if n.mode == lazy {
			return &step{kind: stepChoice, next: join, ways: []*step{nil, enter}}
		}
		return &step{kind: stepChoice, next: join, ways: []*step{enter, nil}}
	}
	var info extent
	info.reset()
	if study(enter, &info) {
		return &step{kind: stepRepeatGroup, next: next, inner: enter.next, local: enter.local, capture: inner.group,
			captures: inner.group > 0, min: n.min, max: n.max, mode: n.mode}
	}
	loop := &step{kind: stepLoop, next: next, inner: enter, local: enter.local, counter: c.local(), min: n.min,
		max: n.max, mode: n.mode, memo: -1}
	leave.next = loop
	if n.mode == greedy && n.max == maxRepeats {
		c.memos = append(c.memos, loop)
	}
	return &step{kind: stepLoopStart, next: loop, inner: loop}
}

// repeatOne returns the repetition of a single element, or a possessive one of
// any.
func (c *compiler) repeatOne(n *node, inner, next *step) *step {
	s := &step{kind: stepRepeat, next: next, inner: inner, min: n.min, max: n.max, mode: n.mode}
	switch {
	case n.min == 0 && n.max == 1 && !n.open:
		s.kind = stepOptional
	case n.open && n.mode == greedy && n.parts[0].op == opSet && !n.parts[0].canonical:
		s.kind, s.node = stepRun, n.parts[0]
	}
	return s
}

// extent is how much of a text a program takes, counted in code points with
// the 32-bit arithmetic of Java, overflows included: which look behind has an
// end, and which group only one way to match, follows from it.
type extent struct {
	shortest, longest int32
	bounded, oneWay   bool
}

func (e *extent) reset() { *e = extent{bounded: true, oneWay: true} }

func (e *extent) take(shortest, longest int32) {
	e.shortest += shortest
	e.longest += longest
}

// study adds what a program takes from a step on, and reports whether there is
// one way to match it.
func study(s *step, e *extent) bool {
	for s != nil {
		switch s.kind {
		case stepNode:
			s.node.study(e)
		case stepRun:
			e.shortest += s.min
			if e.bounded {
				e.longest += maxRepeats
			}
			e.oneWay = false
		case stepOptional:
			shortest := e.shortest
			study(s.inner, e)
			e.shortest, e.oneWay = shortest, false
		case stepAtomic:
			study(s.inner, e)
		case stepRepeat, stepRepeatGroup:
			s.studyRepeat(e)
		case stepChoice:
			s.studyChoice(e)
			return false
		case stepJoin, stepAccept, stepBehind:
			return e.oneWay
		case stepLoop, stepLoopStart:
			e.bounded, e.oneWay = false, false
			return false
		}
		s = s.next
	}
	return e.oneWay
}

func (n *node) study(e *extent) {
	switch n.op {
	case opSet:
		if n.canonical {
			e.shortest++
			e.oneWay = false
			return
		}
		e.take(1, 1)
	case opText:
		e.take(int32(len(n.text)), int32(len(n.text)))
	case opLineEnding:
		e.take(1, 2)
	case opGrapheme:
		e.shortest++
		e.oneWay = false
	case opRef:
		e.bounded = false
	}
}

func (s *step) studyRepeat(e *extent) {
	before := *e
	e.reset()
	study(s.inner, e)
	shortest := e.shortest*s.min + before.shortest
	if shortest < before.shortest {
		shortest = 0xFFFFFFF
	}
	e.shortest = shortest
	if before.bounded && e.bounded {
		e.longest = e.longest*s.max + before.longest
		e.bounded = e.longest >= before.longest
	} else {
		e.bounded = false
	}
	e.oneWay = e.oneWay && s.min == s.max && before.oneWay
}

func (s *step) studyChoice(e *extent) {
	before := *e
	shortest, longest := int32(maxRepeats), int32(-1)
	bounded := before.bounded
	for _, way := range s.ways {
		e.reset()
		if way != nil {
			study(way, e)
		}
		shortest, longest, bounded = min(shortest, e.shortest), max(longest, e.longest), bounded && e.bounded
	}
	e.reset()
	study(s.next.next, e)
	e.take(before.shortest+shortest, before.longest+longest)
	e.bounded = e.bounded && bounded
	e.oneWay = false
}
