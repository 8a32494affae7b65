package pattern

import "encoding/binary"

// hit says that a text is in the language of a track, and its label there.
type hit struct{ track, label int32 }

// exploration runs several automata over all texts at once. The first must
// automata have to accept; what the others (the tracks, counted from 0) say is
// what a text is known by.
type exploration struct {
	automata []automaton
	must     int
	alphabet string // in the order in which people like to read it
	budget   *budget
}

// exploredState is a combination of states with the text that first led there:
// the text of its parent and one byte.
type exploredState struct {
	live    []hit // automata and their states
	settled []hit // tracks whose label cannot change any more
	parent  int32
	byte    byte
}

// stateCost is what a combination costs in steps besides the steps that lead
// to it: it is kept to the end.
const stateCost = 64

// each calls visit for every combination of states that accepts, with the hits
// in ascending order and a shortest text that leads there, until visit returns
// false. It reports whether all were visited.
func (e *exploration) each(visit func(hits []hit, text func() string) bool) (all bool) {
	var classes partition
	for _, a := range e.automata {
		a.split(&classes)
	}
	letters := classes.letters(e.alphabet)
	states := []exploredState{{parent: -1}}
	for i, a := range e.automata {
		states[0].live = append(states[0].live, hit{int32(i), a.start()})
	}
	e.settle(&states[0])
	seen := map[string]bool{string(states[0].key(nil)): true}
	var key []byte
	for at := 0; at < len(states); at++ {
		if hits, ok := e.accepts(&states[at]); ok {
			if !visit(hits, func() string { return textOf(states, at) }) {
				return false
			}
		}
		for i := 0; i < len(letters); i++ {
			if !e.budget.spend(2 + len(states[at].live)) {
				return false
			}
			next, ok := e.next(&states[at], letters[i])
			if !ok {
				continue
			}
			key = next.key(key[:0])
			if !seen[string(key)] {
				seen[string(key)] = true
				next.parent, next.byte = int32(at), letters[i]
				states = append(states, next)
				e.budget.spend(stateCost + len(key)) // for memory, too
			}
		}
	}
	return !e.budget.spent()
}

func textOf(states []exploredState, at int) string {
	var text []byte
	for ; states[at].parent >= 0; at = int(states[at].parent) {
		text = append(text, states[at].byte)
	}
	for i, j := 0, len(text)-1; i < j; i, j = i+1, j-1 {
		text[i], text[j] = text[j], text[i]
	}
	return string(text)
}

// next is the combination after a byte; ok is false if an automaton that must
// accept no longer can.
func (e *exploration) next(from *exploredState, c byte) (to exploredState, ok bool) {
	to = exploredState{settled: from.settled, live: make([]hit, 0, len(from.live))}
	for _, l := range from.live {
		state := e.automata[l.track].next(l.label, c)
		if state == dead {
			if int(l.track) < e.must {
				return to, false
			}
			continue
		}
		to.live = append(to.live, hit{l.track, state})
	}
	e.settle(&to)
	return to, true
}

// settle moves the tracks whose label is final from live to settled.
func (e *exploration) settle(s *exploredState) {
	kept := s.live[:0]
	copied := false
	for _, l := range s.live {
		a := e.automata[l.track]
		if int(l.track) < e.must || !a.settled(l.label) {
			kept = append(kept, l)
			continue
		}
		if label := a.label(l.label); label != 0 {
			if !copied {
				s.settled = append(make([]hit, 0, len(s.settled)+1), s.settled...)
				copied = true
			}
			s.settled = insert(s.settled, hit{l.track - int32(e.must), label})
		}
	}
	s.live = kept
}

// insert adds a hit in ascending order of tracks.
func insert(hits []hit, h hit) []hit {
	hits = append(hits, h)
	for i := len(hits) - 1; i > 0 && hits[i-1].track > hits[i].track; i-- {
		hits[i-1], hits[i] = hits[i], hits[i-1]
	}
	return hits
}

func (e *exploration) accepts(s *exploredState) (hits []hit, ok bool) {
	hits = append([]hit(nil), s.settled...)
	for _, l := range s.live {
		label := e.automata[l.track].label(l.label)
		switch {
		case int(l.track) < e.must:
			if label == 0 {
				return nil, false
			}
		case label != 0:
			hits = insert(hits, hit{l.track - int32(e.must), label})
		}
	}
	return hits, true
}

func (s *exploredState) key(b []byte) []byte {
	for _, l := range s.live {
		b = binary.AppendUvarint(b, uint64(l.track)+1)
		b = binary.AppendUvarint(b, uint64(uint32(l.label)))
	}
	b = append(b, 0)
	return appendHits(b, s.settled)
}

func appendHits(b []byte, hits []hit) []byte {
	for _, h := range hits {
		b = binary.AppendUvarint(b, uint64(h.track))
		b = binary.AppendUvarint(b, uint64(h.label))
	}
	return b
}
