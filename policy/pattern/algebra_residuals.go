package pattern

// stateAutomaton is an automaton from some state on, whose label is the state
// that a text ends in, plus one.
type stateAutomaton struct {
	automaton
	from int32
}

func (a stateAutomaton) start() int32               { return a.from }
func (a stateAutomaton) label(state int32) int32    { return state + 1 }
func (a stateAutomaton) absorbing(state int32) bool { return a.automaton.absorbing(state) }

// endAutomaton is an automaton from some state on, with a label for each of
// the states that texts may end in.
type endAutomaton struct {
	automaton
	from   int32
	labels map[int32]int32
}

func (a *endAutomaton) start() int32            { return a.from }
func (a *endAutomaton) label(state int32) int32 { return a.labels[state] }

// residualAutomaton accepts a residual language: it is an automaton that starts
// in some other state.
type residualAutomaton struct {
	automaton
	from int32
}

func (a residualAutomaton) start() int32 { return a.from }

// residual names the residual language of an automaton's state: what may still
// follow once a text has led there.
type residual struct {
	automaton automaton
	state     int32
}

// endStates returns the states in which the texts of a domain end, from a state
// on.
func (s *search) endStates(domain automaton, alphabet string, from residual) []int32 {
	if from.automaton.absorbing(from.state) {
		return []int32{from.state}
	}
	var ends []int32
	seen := map[int32]bool{}
	prod := product{automata: []automaton{domain, stateAutomaton{from.automaton, from.state}}, required: 1,
		alphabet: alphabet, budget: &s.budget}
	prod.eachState(func(matches []match, _ func() string) bool {
		if len(matches) == 1 && !seen[matches[0].label-1] {
			seen[matches[0].label-1] = true
			ends = append(ends, matches[0].label-1)
		}
		return true
	})
	return ends
}

// hostGroups sorts hosts by what may follow them: an automaton over hosts, and
// one state for each group of the states that hosts end in from which the same
// ports and paths lead on. The label of the group is that state, plus one.
type hostGroups struct {
	automaton int32
	ends      []int32
}

func (s *search) hostGroups(idx *hostIndex, from residual) hostGroups {
	key := kindResidual{idx.kind, from}
	if groups, ok := s.hostGroupsOf[key]; ok {
		return groups
	}
	type continuation struct{ slash, colon, label int32 }
	byContinuation := map[continuation]int32{}
	a := &endAutomaton{automaton: from.automaton, from: from.state, labels: map[int32]int32{}}
	var groups hostGroups
	for _, end := range s.hostEnds(idx.kind, from) {
		next := continuation{slash: from.automaton.next(end, '/'), colon: from.automaton.next(end, ':')}
		if idx.kind == authorityKind {
			next.label = from.automaton.label(end)
		}
		first, known := byContinuation[next]
		if !known {
			first = end
			if !s.canContinue(idx.kind, residual{from.automaton, end}) {
				first = dead
			} else {
				groups.ends = append(groups.ends, end)
			}
			byContinuation[next] = first
		}
		a.labels[end] = first + 1
	}
	groups.automaton = idx.addAutomaton(a)
	s.hostGroupsOf[key] = groups
	return groups
}

// canContinue reports whether a port or path behind a host is in the language.
func (s *search) canContinue(k kind, from residual) bool {
	if from.automaton.absorbing(from.state) || s.residualPath(k, from) >= 0 {
		return true
	}
	for _, group := range s.portsFrom(residual{from.automaton, from.automaton.next(from.state, ':')}) {
		if s.residualPath(k, residual{from.automaton, group.state}) >= 0 {
			return true
		}
	}
	return false
}

// hostEnds returns the states that hosts of a kind lead to.
func (s *search) hostEnds(k kind, from residual) []int32 {
	ends := s.endStates(s.hostDomain(), hostAlphabet, from)
	if k != authorityKind {
		return ends
	}
	for _, end := range ends {
		if end == from.state {
			return ends
		}
	}
	return append(ends, from.state) // the empty host
}

// residualPath returns the number of the path part that a residual language is,
// -1 if no path of the kind is in it.
func (s *search) residualPath(k kind, from residual) int32 {
	key := kindResidual{k, from}
	if n, ok := s.residualPaths[key]; ok {
		return n
	}
	a := residualAutomaton{from.automaton, from.state}
	prod := product{automata: []automaton{pathDomain{k}, a}, required: 2, alphabet: pathLetters, budget: &s.budget}
	n := int32(-1)
	if !prod.eachState(func([]match, func() string) bool { return false }) {
		n = s.parts.addPathAutomaton(a)
	}
	s.residualPaths[key] = n
	return n
}

type kindResidual struct {
	kind kind
	from residual
}

// portGroup is the ports that lead to one state.
type portGroup struct {
	state int32
	ports ports
}

// portsFrom groups the ports by the state that their digits lead to.
func (s *search) portsFrom(from residual) []portGroup {
	if from.state == dead {
		return nil
	}
	if groups, ok := s.portGroups[from]; ok {
		return groups
	}
	groups := s.newPortGroups(from)
	s.portGroups[from] = groups
	return groups
}

func (s *search) newPortGroups(from residual) []portGroup {
	if state, ok := afterDigits(from.automaton, from.state); ok {
		if state == dead {
			return nil
		}
		return []portGroup{{state, ports{form: explicitPort}}}
	}
	sets, order := map[int32]*portSet{}, []int32(nil)
	var grow func(state, port int32)
	grow = func(state, port int32) {
		for digit := int32(0); digit < 10; digit++ {
			next := port*10 + digit
			if next == 0 || next > 65535 || !s.budget.spend(1) {
				continue
			}
			to := from.automaton.next(state, byte('0'+digit))
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
	grow(from.state, 0)
	groups := make([]portGroup, len(order))
	for i, state := range order {
		groups[i] = portGroup{state, ports{portsInSet, sets[state]}}
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
