package pattern

import "encoding/binary"

// match says that a text is in the language of a numbered automaton, and its
// label there.
type match struct{ automaton, label int32 }

// product is the product automaton of several, built as far as texts lead. The
// first required ones have to accept; the labels of the others, which are
// numbered from 0, tell texts apart.
type product struct {
	automata []automaton
	required int
	alphabet string // in the order in which people like to read it
	budget   *budget
}

// component is an automaton of a product, by position, and the state it is in.
type component struct{ at, state int32 }

// productState is a combination of states with the text that first led there:
// the text of its parent and one byte.
type productState struct {
	live     []component
	absorbed []match // those whose label cannot change any more
	parent   int32
	byte     byte
}

// stateCost is what a state of the product costs in steps besides the steps
// that lead to it: it is kept to the end.
const stateCost = 64

// eachState calls visit for every state of the product that accepts, with its
// matches in ascending order and a shortest text that leads there, until visit
// returns false. It reports whether all were visited.
func (prod *product) eachState(visit func(matches []match, text func() string) bool) (all bool) {
	var classes partition
	for _, a := range prod.automata {
		a.split(&classes)
	}
	letters := classes.letters(prod.alphabet)
	states := []productState{{parent: -1}}
	for i, a := range prod.automata {
		states[0].live = append(states[0].live, component{int32(i), a.start()})
	}
	prod.absorb(&states[0])
	seen := map[string]bool{string(states[0].key(nil)): true}
	var key []byte
	for at := 0; at < len(states); at++ {
		if matches, ok := prod.accepts(&states[at]); ok {
			if !visit(matches, func() string { return textOf(states, at) }) {
				return false
			}
		}
		for i := 0; i < len(letters); i++ {
			if !prod.budget.spend(2 + len(states[at].live)) {
				return false
			}
			next, ok := prod.next(&states[at], letters[i])
			if !ok {
				continue
			}
			key = next.key(key[:0])
			if !seen[string(key)] {
				seen[string(key)] = true
				next.parent, next.byte = int32(at), letters[i]
				states = append(states, next)
				prod.budget.spend(stateCost + len(key)) // for memory, too
			}
		}
	}
	return !prod.budget.spent()
}

func textOf(states []productState, at int) string {
	var text []byte
	for ; states[at].parent >= 0; at = int(states[at].parent) {
		text = append(text, states[at].byte)
	}
	for i, j := 0, len(text)-1; i < j; i, j = i+1, j-1 {
		text[i], text[j] = text[j], text[i]
	}
	return string(text)
}

// next is the state after a byte; ok is false if an automaton that has to
// accept no longer can.
func (prod *product) next(from *productState, c byte) (to productState, ok bool) {
	to = productState{absorbed: from.absorbed, live: make([]component, 0, len(from.live))}
	for _, l := range from.live {
		state := prod.automata[l.at].next(l.state, c)
		if state == dead {
			if int(l.at) < prod.required {
				return to, false
			}
			continue
		}
		to.live = append(to.live, component{l.at, state})
	}
	prod.absorb(&to)
	return to, true
}

// absorb moves the automata that are in an absorbing state from live to
// absorbed.
func (prod *product) absorb(s *productState) {
	kept := s.live[:0]
	copied := false
	for _, l := range s.live {
		a := prod.automata[l.at]
		if int(l.at) < prod.required || !a.absorbing(l.state) {
			kept = append(kept, l)
			continue
		}
		if label := a.label(l.state); label != 0 {
			if !copied {
				s.absorbed = append(make([]match, 0, len(s.absorbed)+1), s.absorbed...)
				copied = true
			}
			s.absorbed = insertMatch(s.absorbed, match{l.at - int32(prod.required), label})
		}
	}
	s.live = kept
}

// insertMatch adds a match in ascending order of automata.
func insertMatch(matches []match, m match) []match {
	matches = append(matches, m)
	for i := len(matches) - 1; i > 0 && matches[i-1].automaton > matches[i].automaton; i-- {
		matches[i-1], matches[i] = matches[i], matches[i-1]
	}
	return matches
}

func (prod *product) accepts(s *productState) (matches []match, ok bool) {
	matches = append([]match(nil), s.absorbed...)
	for _, l := range s.live {
		label := prod.automata[l.at].label(l.state)
		switch {
		case int(l.at) < prod.required:
			if label == 0 {
				return nil, false
			}
		case label != 0:
			matches = insertMatch(matches, match{l.at - int32(prod.required), label})
		}
	}
	return matches, true
}

func (s *productState) key(b []byte) []byte {
	for _, l := range s.live {
		b = binary.AppendUvarint(b, uint64(l.at)+1)
		b = binary.AppendUvarint(b, uint64(uint32(l.state)))
	}
	b = append(b, 0)
	return appendMatches(b, s.absorbed)
}

func appendMatches(b []byte, matches []match) []byte {
	for _, m := range matches {
		b = binary.AppendUvarint(b, uint64(m.automaton))
		b = binary.AppendUvarint(b, uint64(m.label))
	}
	return b
}
