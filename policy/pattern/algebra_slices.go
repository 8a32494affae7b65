package pattern

// stateAutomaton is an automaton from some state on, whose label is the state
// that a text ends in, plus one.
type stateAutomaton struct {
	automaton
	from int32
}

func (a stateAutomaton) start() int32             { return a.from }
func (a stateAutomaton) label(state int32) int32  { return state + 1 }
func (a stateAutomaton) settled(state int32) bool { return a.automaton.settled(state) }

// endAutomaton is an automaton from some state on, with a label for each of
// the states that texts may end in.
type endAutomaton struct {
	automaton
	from   int32
	labels map[int32]int32
}

func (a *endAutomaton) start() int32            { return a.from }
func (a *endAutomaton) label(state int32) int32 { return a.labels[state] }

// sliceAutomaton is an automaton from some state on.
type sliceAutomaton struct {
	automaton
	from int32
}

func (a sliceAutomaton) start() int32 { return a.from }

type slice struct {
	a    automaton
	from int32
}

// ends returns the states that texts of a domain lead to from a slice.
func (s *search) ends(domain automaton, alphabet string, from slice) []int32 {
	if from.a.settled(from.from) {
		return []int32{from.from}
	}
	var ends []int32
	seen := map[int32]bool{}
	e := exploration{automata: []automaton{domain, stateAutomaton{from.a, from.from}}, must: 1, alphabet: alphabet, budget: &s.budget}
	e.each(func(hits []hit, _ func() string) bool {
		if len(hits) == 1 && !seen[hits[0].label-1] {
			seen[hits[0].label-1] = true
			ends = append(ends, hits[0].label-1)
		}
		return true
	})
	return ends
}

// hostTrack is a slice over hosts: its track, and one state for each group of
// the states that hosts end in from which the same ports and paths lead on. The
// label of the group is that state, plus one.
type hostTrack struct {
	number int32
	ends   []int32
}

func (s *search) hostTrack(w *world, from slice) hostTrack {
	key := kindSlice{w.kind, from}
	if track, ok := s.hostTracks[key]; ok {
		return track
	}
	type future struct{ slash, colon, label int32 }
	groups := map[future]int32{}
	a := &endAutomaton{automaton: from.a, from: from.from, labels: map[int32]int32{}}
	var track hostTrack
	for _, end := range s.hostEnds(w.kind, from) {
		next := future{slash: from.a.next(end, '/'), colon: from.a.next(end, ':')}
		if w.kind == hostKind {
			next.label = from.a.label(end)
		}
		first, known := groups[next]
		if !known {
			first = end
			if !s.leadsOn(w.kind, slice{from.a, end}) {
				first = dead
			} else {
				track.ends = append(track.ends, end)
			}
			groups[next] = first
		}
		a.labels[end] = first + 1
	}
	track.number = w.track(a)
	s.hostTracks[key] = track
	return track
}

// leadsOn reports whether a port or path behind a host is in the language.
func (s *search) leadsOn(k kind, from slice) bool {
	if from.a.settled(from.from) || s.slicePath(k, from) >= 0 {
		return true
	}
	for _, group := range s.portsFrom(slice{from.a, from.a.next(from.from, ':')}) {
		if s.slicePath(k, slice{from.a, group.state}) >= 0 {
			return true
		}
	}
	return false
}

// hostEnds returns the states that hosts of a kind lead to.
func (s *search) hostEnds(k kind, from slice) []int32 {
	ends := s.ends(s.hostDomain(), hostAlphabet, from)
	if k != hostKind {
		return ends
	}
	for _, end := range ends {
		if end == from.from {
			return ends
		}
	}
	return append(ends, from.from) // the empty host
}

// slicePath returns the number of the path part that a slice is, -1 if no path
// of the kind is in it.
func (s *search) slicePath(k kind, from slice) int32 {
	key := kindSlice{k, from}
	if n, ok := s.slicePaths[key]; ok {
		return n
	}
	a := sliceAutomaton{from.a, from.from}
	e := exploration{automata: []automaton{pathDomain{k}, a}, must: 2, alphabet: pathLetters, budget: &s.budget}
	n := int32(-1)
	if !e.each(func([]hit, func() string) bool { return false }) {
		n = s.parts.pathTrack(a)
	}
	s.slicePaths[key] = n
	return n
}

type kindSlice struct {
	kind kind
	from slice
}

// portGroup is the ports that lead to one state.
type portGroup struct {
	state int32
	ports ports
}

// portsFrom groups the ports by the state that their digits lead to.
func (s *search) portsFrom(from slice) []portGroup {
	if from.from == dead {
		return nil
	}
	if groups, ok := s.portGroups[from]; ok {
		return groups
	}
	groups := s.newPortGroups(from)
	s.portGroups[from] = groups
	return groups
}

func (s *search) newPortGroups(from slice) []portGroup {
	if state, ok := afterDigits(from.a, from.from); ok {
		if state == dead {
			return nil
		}
		return []portGroup{{state, ports{form: somePort}}}
	}
	sets, order := map[int32]*portSet{}, []int32(nil)
	var grow func(state, port int32)
	grow = func(state, port int32) {
		for digit := int32(0); digit < 10; digit++ {
			next := port*10 + digit
			if next == 0 || next > 65535 || !s.budget.spend(1) {
				continue
			}
			to := from.a.next(state, byte('0'+digit))
			if to == dead {
				continue
			}
			if sets[to] == nil {
				sets[to] = new(portSet)
				order = append(order, to)
			}
			sets[to].add(next)
			grow(to, next)
		}
	}
	grow(from.from, 0)
	groups := make([]portGroup, len(order))
	for i, state := range order {
		groups[i] = portGroup{state, ports{setOfPorts, sets[state]}}
	}
	return groups
}

// afterDigits returns the one state that all runs of digits lead to, if there
// is one.
func afterDigits(a automaton, from int32) (state int32, ok bool) {
	state = a.next(from, '0')
	for _, at := range [...]int32{from, state} {
		for c := byte('0'); at != dead && c <= '9'; c++ {
			if a.next(at, c) != state {
				return 0, false
			}
		}
	}
	return state, true
}
