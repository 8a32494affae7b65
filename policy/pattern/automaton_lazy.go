package pattern

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// lazyDFA is the automaton of any language: its expression's program (an NFA),
// made deterministic state by state as texts lead there.
type lazyDFA struct {
	prog         *syntax.Prog
	anchored     bool
	classes      partition
	states       []dfaState
	stateNumbers map[string]int32
	budget       *budget
	visited      []uint32 // by instruction: the walk that saw it last
	walk         uint32
}

// dfaState is a set of instructions before the zero-width ones are followed,
// which needs to know the next byte.
type dfaState struct {
	instructions []uint32
	next         []int32 // by class; unknownState where nothing led yet
	behind       lookbehind
	matched      bool
	accepted     int8 // -1 unknown
}

// lookbehind is what stands before the next byte, as far as expressions can
// tell.
type lookbehind uint8

const (
	atStart lookbehind = iota
	afterWord
	afterOther
)

func (k lookbehind) rune() rune { return [...]rune{atStart: -1, afterWord: 'a', afterOther: '/'}[k] }

const unknownState int32 = -2

func newLazyDFA(l *Language, b *budget) automaton {
	expr, ok := expressionOf(l)
	if !ok {
		return nil
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		b.left = -1 // an expression too large to be read is not decided
		return nil
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil || !b.spend(len(prog.Inst)*128) {
		b.left = -1
		return nil
	}
	d := &lazyDFA{
		prog: prog, budget: b, stateNumbers: map[string]int32{}, visited: make([]uint32, len(prog.Inst)),
		anchored: prog.StartCond()&syntax.EmptyBeginText != 0,
	}
	for i := range prog.Inst {
		if inst := &prog.Inst[i]; isRune(inst) {
			d.classes.refine(func(c byte) uint8 { return bit(inst.MatchRune(rune(c))) })
		}
	}
	d.classes.refine(func(c byte) uint8 { return bit(syntax.IsWordChar(rune(c))) })
	d.state([]uint32{uint32(prog.Start)}, atStart, false)
	return d
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func isRune(inst *syntax.Inst) bool {
	switch inst.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}

// state returns the number of a state.
func (d *lazyDFA) state(at []uint32, k lookbehind, matched bool) int32 {
	key := make([]byte, 0, 2+4*len(at))
	if matched {
		at, k = nil, atStart
	}
	key = append(key, uint8(k), bit(matched))
	for _, i := range at {
		key = append(key, uint8(i), uint8(i>>8), uint8(i>>16), uint8(i>>24))
	}
	if n, ok := d.stateNumbers[string(key)]; ok {
		return n
	}
	n := int32(len(d.states))
	d.stateNumbers[string(key)] = n
	next := make([]int32, d.classes.n)
	for i := range next {
		next[i] = unknownState
	}
	d.states = append(d.states, dfaState{instructions: at, next: next, behind: k, matched: matched, accepted: -1})
	d.budget.spend(8 + len(at))
	return n
}

func (d *lazyDFA) start() int32 { return 0 }

func (d *lazyDFA) next(state int32, c byte) int32 {
	class := d.classes.class[c]
	next := d.states[state].next[class]
	if next == unknownState {
		next = d.step(state, c)
		d.states[state].next[class] = next
	}
	return next
}

func (d *lazyDFA) step(state int32, c byte) int32 {
	from := &d.states[state]
	if from.matched {
		return state
	}
	if d.budget.spent() {
		return dead
	}
	reached, matched := d.follow(from.instructions, syntax.EmptyOpContext(from.behind.rune(), rune(c)))
	if matched {
		return d.state(nil, atStart, true)
	}
	var at []uint32
	for _, i := range reached {
		if inst := &d.prog.Inst[i]; inst.MatchRune(rune(c)) {
			at = append(at, inst.Out)
		}
	}
	if !d.anchored {
		at = append(at, uint32(d.prog.Start))
	}
	if len(at) == 0 {
		return dead
	}
	slices.Sort(at)
	k := afterOther
	if syntax.IsWordChar(rune(c)) {
		k = afterWord
	}
	return d.state(slices.Compact(at), k, false)
}

// follow returns the rune instructions that lead on from at where the
// zero-width conditions hold, and whether a match ends there.
func (d *lazyDFA) follow(at []uint32, holds syntax.EmptyOp) (reached []uint32, matched bool) {
	d.walk++
	stack := slices.Clone(at)
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if d.visited[i] == d.walk {
			continue
		}
		d.visited[i] = d.walk
		d.budget.spend(1)
		switch inst := &d.prog.Inst[i]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			stack = append(stack, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			stack = append(stack, inst.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^holds == 0 {
				stack = append(stack, inst.Out)
			}
		case syntax.InstMatch:
			matched = true
		case syntax.InstFail:
		default:
			reached = append(reached, i)
		}
	}
	return reached, matched
}

func (d *lazyDFA) label(state int32) int32 {
	s := &d.states[state]
	if s.matched {
		return 1
	}
	if s.accepted < 0 {
		_, matched := d.follow(s.instructions, syntax.EmptyOpContext(s.behind.rune(), -1))
		s.accepted = int8(bit(matched))
	}
	return int32(s.accepted)
}

func (d *lazyDFA) absorbing(state int32) bool { return d.states[state].matched }

func (d *lazyDFA) split(p *partition) {
	p.refine(func(c byte) uint8 { return d.classes.class[c] })
}

// expressionOf writes a language as an expression over the domain's bytes, or
// ok false if no text of the domain is in it.
func expressionOf(l *Language) (expr string, ok bool) {
	switch l.form {
	case all, present:
		return `\A`, true
	case expression, searched:
		return l.text, true
	case union:
		var parts []string
		for i := range l.extra.members {
			if part, ok := expressionOf(&l.extra.members[i]); ok {
				parts = append(parts, "(?:"+part+")")
			}
		}
		return strings.Join(parts, "|"), len(parts) > 0
	case address:
		return `\A\[|(?:\A|\.)[0-9]+\z`, true
	case none:
		return "", false
	}
	if !printable(l.text) {
		return "", false
	}
	text := quoted(l.text, l.fold)
	switch l.form {
	case exact:
		return `\A` + text + `\z`, true
	case prefix:
		return `\A` + text, true
	case within:
		return `\A` + text + `(?:/|\z)`, true
	case below:
		return `\A(?:[A-Za-z0-9.\-]*\.)?` + text + `\z`, true
	case belowLower:
		return `\A(?:[a-z0-9.\-]*\.)?` + text + `\z`, true
	}
	return `\A` + strings.ReplaceAll(text, `\*`, `.*`) + `\z`, l.form == glob
}

// quoted quotes printable text for an expression; folded letters become
// classes, because (?i) folds more than ASCII.
func quoted(text string, fold bool) string {
	if !fold {
		return regexp.QuoteMeta(text)
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if c := text[i]; lower(c) != upper(c) {
			b.WriteString("[" + string([]byte{lower(c), upper(c)}) + "]")
		} else {
			b.WriteString(regexp.QuoteMeta(text[i : i+1]))
		}
	}
	return b.String()
}
