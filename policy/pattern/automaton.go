package pattern

import "strings"

// automaton is a deterministic automaton for the algebra, with a label for each
// state in place of mere acceptance. It reads a text byte by byte and knows the
// bytes of the domain only (printable ASCII).
type automaton interface {
	// start is the state before the first byte.
	start() int32
	// next is the state after a byte, or dead.
	next(state int32, c byte) int32
	// label says what a text is that ends in a state: 0 if it is not in the
	// language, else a number that the language gives it, mostly 1.
	label(state int32) int32
	// absorbing reports whether every text that goes on from the state has the
	// state's label.
	absorbing(state int32) bool
	// split refines the classes of bytes by those that the automaton tells apart.
	split(p *partition)
}

// dead is the state of an automaton from which no text is in the language.
const dead int32 = -1

// run returns the state after a text.
func run(a automaton, state int32, text string) int32 {
	for i := 0; i < len(text) && state != dead; i++ {
		state = a.next(state, text[i])
	}
	return state
}

func labelOf(a automaton, text string) int32 {
	if state := run(a, a.start(), text); state != dead {
		return a.label(state)
	}
	return 0
}

// textAutomaton is the automaton of the forms exact, prefix and within: its
// states are how much of the text was read.
type textAutomaton struct {
	text string
	form form
	fold bool
}

func (a *textAutomaton) start() int32 { return 0 }

func (a *textAutomaton) next(state int32, c byte) int32 {
	n := int32(len(a.text))
	switch {
	case state > n:
		return state
	case state == n && (a.form == prefix || a.form == within && c == '/'):
		return n + 1
	case state < n && (a.text[state] == c || a.fold && lower(a.text[state]) == lower(c)):
		return state + 1
	}
	return dead
}

func (a *textAutomaton) label(state int32) int32 {
	if state >= int32(len(a.text)) {
		return 1
	}
	return 0
}

func (a *textAutomaton) absorbing(state int32) bool {
	n := int32(len(a.text))
	return state > n || state == n && a.form == prefix
}

func (a *textAutomaton) split(p *partition) {
	var marks [128]uint8
	if a.form == within {
		marks['/'] = 1
	}
	for i := 0; i < len(a.text); i++ {
		c := a.text[i] & 127
		marks[c] = c + 1
		if a.fold {
			marks[c], marks[lower(c)], marks[upper(c)] = lower(c)+1, lower(c)+1, lower(c)+1
		}
	}
	p.refine(func(c byte) uint8 { return marks[c] })
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// newAutomaton returns the automaton of a language, or nil if the language has
// no text of the domain.
func newAutomaton(l *Language, b *budget) automaton {
	switch l.form {
	case exact, prefix, within:
		if !printable(l.text) {
			return nil
		}
		return &textAutomaton{text: l.text, form: l.form, fold: l.fold}
	case glob:
		if text, rest, _ := strings.Cut(l.text, "*"); rest == "" && printable(text) {
			return &textAutomaton{text: text, form: prefix, fold: l.fold}
		}
	}
	return newLazyDFA(l, b)
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// partition sorts bytes into classes that are told apart.
type partition struct {
	class [128]uint8
	n     int
}

// refine splits the classes by a mark.
func (p *partition) refine(mark func(c byte) uint8) {
	type pair struct{ class, mark uint8 }
	var pairs [128]pair // one for each new class
	n := 0
	for c := range p.class {
		in := pair{p.class[c], mark(byte(c))}
		class := 0
		for class < n && pairs[class] != in {
			class++
		}
		if class == n {
			pairs[n] = in
			n++
		}
		p.class[c] = uint8(class)
	}
	p.n = n
}

// letters returns one byte of each class that has one in the alphabet: the
// first there.
func (p *partition) letters(alphabet string) string {
	var seen [128]bool
	var b strings.Builder
	for i := 0; i < len(alphabet); i++ {
		if class := p.class[alphabet[i]]; !seen[class] {
			seen[class] = true
			b.WriteByte(alphabet[i])
		}
	}
	return b.String()
}

// budget bounds what a question may cost.
type budget struct{ left int }

// spend takes n steps and reports whether there were that many.
func (b *budget) spend(n int) bool {
	b.left -= n
	return b.left >= 0
}

func (b *budget) spent() bool { return b.left < 0 }
