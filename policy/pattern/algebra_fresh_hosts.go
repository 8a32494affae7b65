package pattern

import (
	"fmt"
	"slices"
	"strings"
)

// witness is a text, with the labels that several automata give it.
type witness struct {
	matches []match
	text    string
}

// freshHosts returns a fresh host (below suffix, or below none) for every
// combination of labels that the numbered automata can give to one.
func (s *search) freshHosts(idx *hostIndex, suffix string, cell hostCell, automata []int32) []witness {
	constant, varying := s.constantInCell(idx, suffix, cell, automata)
	f := freshSearch{s: s, idx: idx, suffix: suffix, cell: cell, automata: varying, known: map[string]bool{}}
	f.tryNames()
	if len(varying) > 0 && !s.samplesOnly {
		f.explore(false)
		if f.pending > 0 {
			f.explore(true)
		}
	}
	for i := range f.found {
		matches := append(slices.Clone(constant), f.found[i].matches...)
		slices.SortFunc(matches, func(a, b match) int { return int(a.automaton - b.automaton) })
		f.found[i].matches = matches
	}
	return f.found
}

// constantInCell sets those automata apart that give every host below a name
// the same label.
func (s *search) constantInCell(idx *hostIndex, suffix string, cell hostCell, automata []int32) (constant []match,
	varying []int32) {
	if suffix == "" {
		return nil, automata
	}
	for _, number := range automata {
		label, ok := s.labelInCell(reachedKey{idx.automata[number], cell}, suffix)
		switch {
		case !ok:
			varying = append(varying, number)
		case label != 0:
			constant = append(constant, match{number, label})
		}
	}
	return constant, varying
}

func (s *search) labelInCell(key reachedKey, suffix string) (label int32, constant bool) {
	states, ok := s.reached[key]
	if !ok {
		states = s.reachable(key)
		s.reached[key] = states
	}
	for i, state := range states {
		state = run(key.a, state, "."+suffix)
		l := int32(0)
		if state != dead {
			l = key.a.label(state)
		}
		if i > 0 && l != label {
			return 0, false
		}
		label = l
		s.budget.spend(len(suffix))
	}
	return label, !s.budget.spent() && len(states) < maxReachable
}

type reachedKey struct {
	a    automaton
	cell hostCell
}

const maxReachable = 64

// reachable returns the states after every text that may stand before a suffix,
// the dead one included; at most maxReachable.
func (s *search) reachable(key reachedKey) []int32 {
	letters := strings.TrimSuffix(hostLetters, "_") + "."
	if key.cell == underscoreSubdomain {
		letters += "_"
	}
	states := []int32{key.a.start()}
	for i := 0; i < len(states) && len(states) < maxReachable; i++ {
		if states[i] == dead {
			continue
		}
		for j := 0; j < len(letters); j++ {
			if next := key.a.next(states[i], letters[j]); !slices.Contains(states, next) {
				states = append(states, next)
			}
		}
		s.budget.spend(len(letters))
	}
	return states
}

// freshSearch looks for fresh hosts.
type freshSearch struct {
	s        *search
	idx      *hostIndex
	suffix   string
	cell     hostCell
	automata []int32
	found    []witness
	known    map[string]bool // by matches; false while no fresh host is known
	pending  int
}

// tryNames tries the hosts that people like to read.
func (f *freshSearch) tryNames() {
	names := []string{"evil.example", "evil.test", "198.51.100.7", "[2001:db8::1]", "localhost"}
	more := "evil%d.example"
	switch f.cell {
	case plainSubdomain:
		names = []string{"www." + f.suffix, "evil." + f.suffix, "x." + f.suffix, "a.b." + f.suffix}
		more = "evil%d." + f.suffix
	case underscoreSubdomain:
		names = []string{"_x." + f.suffix, "a_b." + f.suffix, "a.b_c." + f.suffix}
		more = "a_b%d." + f.suffix
	}
	if f.cell == atHost && len(f.s.hints)*len(f.automata) < 1<<20 {
		names = append(names, f.s.hints...)
	}
	for _, name := range names {
		f.try(name)
	}
	for i := 1; len(f.found) == 0 && i <= len(f.idx.hosts)+2; i++ {
		f.try(fmt.Sprintf(more, i))
	}
}

func (f *freshSearch) try(name string) {
	f.s.budget.spend(len(f.automata) * len(name))
	if f.idx.fresh(name, f.suffix, f.cell) {
		f.add(f.matchesOf(name), name)
	}
}

// matchesOf returns the labels that the automata give a host.
func (f *freshSearch) matchesOf(host string) []match {
	var matches []match
	for _, number := range f.automata {
		if label := labelOf(f.idx.automata[number], host); label != 0 {
			matches = append(matches, match{number, label})
		}
	}
	return matches
}

func (f *freshSearch) add(matches []match, host string) {
	key := string(appendMatches(nil, matches))
	if done, seen := f.known[key]; done {
		return
	} else if seen {
		f.pending--
	}
	f.known[key] = true
	f.found = append(f.found, witness{matches: matches, text: host})
}

// explore goes through all combinations of labels. With exact, hosts that are
// not fresh are kept out by an automaton; without, they are only noticed.
func (f *freshSearch) explore(exact bool) {
	prod := product{automata: []automaton{f.s.hostDomain()}, alphabet: hostAlphabet, budget: &f.s.budget}
	if f.suffix != "" {
		front := `[a-z0-9.\-]+\.`
		if f.cell == underscoreSubdomain {
			front = `[a-z0-9.\-]*_[a-z0-9._\-]*\.`
		}
		under := Language{form: expression, text: `\A` + front + quoted(f.suffix, false) + `\z`}
		prod.automata = append(prod.automata, newLazyDFA(&under, &f.s.budget))
	}
	if exact {
		prod.automata = append(prod.automata, newFreshAutomaton(f.idx, f.suffix))
	}
	prod.required = len(prod.automata)
	for _, number := range f.automata {
		prod.automata = append(prod.automata, f.idx.automata[number])
	}
	if f.s.budget.spent() {
		return
	}
	prod.eachState(func(matches []match, text func() string) bool {
		for i := range matches {
			matches[i].automaton = f.automata[matches[i].automaton]
		}
		key := string(appendMatches(nil, matches))
		done, seen := f.known[key]
		if done {
			return true
		}
		if host := text(); f.idx.fresh(host, f.suffix, f.cell) {
			f.add(matches, host)
			return true
		}
		if !seen {
			f.known[key] = false
			f.pending++
		}
		// A state is known by one text only; where that is too long for a host,
		// another might not be.
		f.s.incomplete = f.s.incomplete || exact && !validHost(f.idx.kind, text())
		return true
	})
}
