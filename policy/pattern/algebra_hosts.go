package pattern

import (
	"fmt"
	"slices"
	"strings"
)

// vector is what several automata say about a text.
type vector struct {
	hits []hit
	text string
}

// freeHosts returns, for everything that the tracks can say about hosts that
// nobody mentions (under suffix, or under none), what they say and such a host.
func (s *search) freeHosts(w *world, suffix string, cell hostCell, tracks []int32) []vector {
	constant, varying := s.constantUnder(w, suffix, cell, tracks)
	f := freeSearch{s: s, w: w, suffix: suffix, cell: cell, tracks: varying, known: map[string]bool{}}
	f.tryNames()
	if len(varying) > 0 && !s.quick {
		f.explore(false)
		if f.pending > 0 {
			f.explore(true)
		}
	}
	for i := range f.found {
		hits := append(slices.Clone(constant), f.found[i].hits...)
		slices.SortFunc(hits, func(a, b hit) int { return int(a.track - b.track) })
		f.found[i].hits = hits
	}
	return f.found
}

// constantUnder sets those tracks apart that say the same about every host
// below a name.
func (s *search) constantUnder(w *world, suffix string, cell hostCell, tracks []int32) (constant []hit, varying []int32) {
	if suffix == "" {
		return nil, tracks
	}
	for _, track := range tracks {
		label, ok := s.labelUnder(reachedKey{w.tracks[track], cell}, suffix)
		switch {
		case !ok:
			varying = append(varying, track)
		case label != 0:
			constant = append(constant, hit{track, label})
		}
	}
	return constant, varying
}

func (s *search) labelUnder(key reachedKey, suffix string) (label int32, constant bool) {
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

// reachable returns the states that what may stand before a suffix leads to,
// dead for one of them if need be; at most maxReachable.
func (s *search) reachable(key reachedKey) []int32 {
	letters := strings.TrimSuffix(hostLetters, "_") + "."
	if key.cell == otherwiseUnder {
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

// freeSearch looks for free hosts.
type freeSearch struct {
	s       *search
	w       *world
	suffix  string
	cell    hostCell
	tracks  []int32
	found   []vector
	known   map[string]bool // what the tracks say; false while no free host is known
	pending int
}

// tryNames tries the hosts that people like to read.
func (f *freeSearch) tryNames() {
	names := []string{"evil.example", "evil.test", "198.51.100.7", "[2001:db8::1]", "localhost"}
	more := "evil%d.example"
	switch f.cell {
	case cleanlyUnder:
		names = []string{"www." + f.suffix, "evil." + f.suffix, "x." + f.suffix, "a.b." + f.suffix}
		more = "evil%d." + f.suffix
	case otherwiseUnder:
		names = []string{"_x." + f.suffix, "a_b." + f.suffix, "a.b_c." + f.suffix}
		more = "a_b%d." + f.suffix
	}
	if f.cell == atHost && len(f.s.hints)*len(f.tracks) < 1<<20 {
		names = append(names, f.s.hints...)
	}
	for _, name := range names {
		f.try(name)
	}
	for i := 1; len(f.found) == 0 && i <= len(f.w.hosts)+2; i++ {
		f.try(fmt.Sprintf(more, i))
	}
}

func (f *freeSearch) try(name string) {
	f.s.budget.spend(len(f.tracks) * len(name))
	if f.w.free(name, f.suffix, f.cell) {
		f.add(f.say(name), name)
	}
}

// say returns what the tracks say about a host.
func (f *freeSearch) say(host string) []hit {
	var hits []hit
	for _, track := range f.tracks {
		if label := labelOf(f.w.tracks[track], host); label != 0 {
			hits = append(hits, hit{track, label})
		}
	}
	return hits
}

func (f *freeSearch) add(hits []hit, host string) {
	key := string(appendHits(nil, hits))
	if done, seen := f.known[key]; done {
		return
	} else if seen {
		f.pending--
	}
	f.known[key] = true
	f.found = append(f.found, vector{hits: hits, text: host})
}

// explore looks through all that the tracks can say. With exact, hosts that are
// not free are kept out by an automaton; without, they are only noticed.
func (f *freeSearch) explore(exact bool) {
	e := exploration{automata: []automaton{f.s.hostDomain()}, alphabet: hostAlphabet, budget: &f.s.budget}
	if f.suffix != "" {
		front := `[a-z0-9.\-]+\.`
		if f.cell == otherwiseUnder {
			front = `[a-z0-9.\-]*_[a-z0-9._\-]*\.`
		}
		under := Language{form: expression, text: `\A` + front + quoted(f.suffix, false) + `\z`}
		e.automata = append(e.automata, newMachine(&under, &f.s.budget))
	}
	if exact {
		e.automata = append(e.automata, newExcluder(f.w, f.suffix))
	}
	e.must = len(e.automata)
	for _, track := range f.tracks {
		e.automata = append(e.automata, f.w.tracks[track])
	}
	if f.s.budget.spent() {
		return
	}
	e.each(func(hits []hit, text func() string) bool {
		for i := range hits {
			hits[i].track = f.tracks[hits[i].track]
		}
		key := string(appendHits(nil, hits))
		done, seen := f.known[key]
		if done {
			return true
		}
		if host := text(); f.w.free(host, f.suffix, f.cell) {
			f.add(hits, host)
			return true
		}
		if !seen {
			f.known[key] = false
			f.pending++
		}
		// A state is known by one text only; where that is too long for a host,
		// another might not be.
		f.s.unsure = f.s.unsure || exact && !validHost(f.w.kind, text())
		return true
	})
}
