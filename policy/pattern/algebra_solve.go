package pattern

import (
	"encoding/binary"
	"slices"
	"strconv"
)

// subregion is what is left of a region once its host is known.
type subregion struct {
	in       uint64
	scheme   string
	port     int32
	path     string
	covering string // the constraints that cover it
}

// solve returns the wanted regions among the URLs of a kind whose host leaves
// certain constraints. Many hosts leave the same ones; what was found for one
// host is kept for the others.
func (s *search) solve(k kind, ids []int32) []subregion {
	key := idKey([]byte{byte(k)}, ids)
	if subregions, ok := s.solutions[key]; ok {
		return subregions
	}
	v := cellSolver{s: s, kind: k, ids: ids, seen: map[string]bool{}, tried: map[string]bool{}}
	if k == webKind {
		for i, name := range webSchemes {
			v.scheme(name, func(p *schemePart) bool { return p.web>>i&1 != 0 })
		}
	} else {
		for i, name := range s.parts.names {
			v.scheme(name, func(p *schemePart) bool { return p.hasName(i) })
		}
		for _, other := range v.otherSchemes() {
			v.scheme(other.text, func(p *schemePart) bool { return p.other && hold(p.conditions, other.matches) })
		}
	}
	if !s.budget.spent() {
		s.solutions[key] = v.subregions
	}
	return v.subregions
}

func idKey(b []byte, ids []int32) string {
	for _, id := range ids {
		b = binary.AppendUvarint(b, uint64(id))
	}
	return string(b)
}

// cellSolver is the work on one solve.
type cellSolver struct {
	s          *search
	kind       kind
	ids        []int32
	subregions []subregion
	seen       map[string]bool // by the constraints that cover a region
	tried      map[string]bool // by the constraints that a scheme leaves
}

func (v *cellSolver) scheme(name string, in func(*schemePart) bool) {
	var active []int32
	numbered := false
	for _, id := range v.ids {
		r := &v.s.parts.constraints[id]
		if in(&v.s.parts.schemes[r.scheme]) {
			active = append(active, id)
			numbered = numbered || r.ports.form != AnyPort
		}
	}
	key := idKey(nil, active)
	if !v.s.budget.spend(4+len(v.ids)) || v.tried[key] && !(numbered && v.kind == webKind) {
		return
	}
	v.tried[key] = true
	for _, port := range v.ports(active, name, numbered) {
		v.paths(active, name, port)
	}
}

// ports returns a port of every group that the constraints treat alike, -1
// (none) first.
func (v *cellSolver) ports(active []int32, scheme string, numbered bool) []int32 {
	choices := []int32{-1}
	if !numbered || v.kind == opaqueKind {
		return choices
	}
	var sets []*portSet
	for _, id := range active {
		p := v.s.parts.constraints[id].ports
		if number := int32(p.form); number > 0 && number <= 65535 && !slices.Contains(choices, number) {
			choices = append(choices, number)
		}
		if p.form == portsInSet && !slices.Contains(sets, p.set) {
			sets = append(sets, p.set)
		}
	}
	v.s.budget.spend(len(choices) * len(choices))
	choices = append(choices, v.furtherPorts(choices, sets, scheme)...)
	return slices.DeleteFunc(choices, func(port int32) bool { return !validPort(v.kind, scheme, port) })
}

// furtherPorts returns a port of every group among those that no constraint
// names.
func (v *cellSolver) furtherPorts(named []int32, sets []*portSet, scheme string) []int32 {
	var further []int32
	seen := map[string]bool{}
	try := func(port int32) {
		key := make([]byte, (len(sets)+7)/8)
		for i, set := range sets {
			if set.has(port) {
				key[i>>3] |= 1 << (i & 7)
			}
		}
		if !seen[string(key)] && !slices.Contains(named, port) && validPort(v.kind, scheme, port) {
			seen[string(key)] = true
			further = append(further, port)
		}
	}
	try(8443)
	try(8080)
	for port := int32(1); port <= 65535 && (len(sets) > 0 || len(further) == 0); port++ {
		if !v.s.budget.spend(1 + len(sets)) {
			return further
		}
		try(port)
	}
	return further
}

func (v *cellSolver) paths(active []int32, scheme string, port int32) {
	parts := v.s.parts
	var here, automata []int32
	for _, id := range active {
		r := &parts.constraints[id]
		if !r.ports.has(port) {
			continue
		}
		here = append(here, id)
		for _, number := range [...]int32{r.path, r.secondPath} {
			if number != 0 {
				automata = append(automata, number)
			}
		}
	}
	slices.Sort(automata)
	for _, p := range v.s.paths(v.kind, slices.Compact(automata)) {
		var covering []int32
		for _, id := range here {
			r := &parts.constraints[id]
			if r.path != 0 && !hasMatch(p.matches, r.path) || r.secondPath != 0 && !hasMatch(p.matches, r.secondPath) {
				continue
			}
			covering = append(covering, id)
		}
		key := idKey(nil, covering)
		if v.seen[key] {
			continue
		}
		v.seen[key] = true
		if in := v.s.in(covering); v.s.question.Want(in) {
			sub := subregion{in: in, scheme: scheme, port: port, path: p.text, covering: key}
			if v.kind == opaqueKind && len(automata) == 0 {
				sub.path = plausibleRest(scheme)
			}
			v.subregions = append(v.subregions, sub)
		}
	}
	v.s.budget.spend(len(here))
}

// plausibleRest is what people would write behind a scheme's colon.
func plausibleRest(scheme string) string {
	switch scheme {
	case "tel", "sms", "smsto", "callto":
		return "5550100"
	case "mailto":
		return "x@evil.example"
	case "geo":
		return "0,0"
	}
	return "x"
}

func hasMatch(all []match, number int32) bool {
	_, found := slices.BinarySearchFunc(all, number,
		func(m match, number int32) int { return int(m.automaton - number) })
	return found
}

// in evaluates the question's sets for URLs that certain constraints cover.
func (s *search) in(covering []int32) (in uint64) {
	covered := make([]bool, len(s.leaves))
	for _, id := range covering {
		covered[s.parts.constraints[id].leaf] = true
	}
	return s.within(covered)
}

// within evaluates the question's sets, given which lists cover a URL.
func (s *search) within(covered []bool) (in uint64) {
	for i, set := range s.question.Sets {
		s.budget.spend(1)
		if set.node.holds(func(l *leaf) bool { return covered[s.leafNumbers[l]] }) {
			in |= 1 << i
		}
	}
	return in
}

// otherSchemes returns a fresh scheme for every combination of labels that the
// automata of the constraints' conditions can give to one.
func (v *cellSolver) otherSchemes() []witness {
	var automata []int32
	for _, id := range v.ids {
		for _, cond := range v.s.parts.schemes[v.s.parts.constraints[id].scheme].conditions {
			automata = append(automata, cond.automaton)
		}
	}
	if len(automata) == 0 {
		return []witness{{text: v.s.freshScheme()}}
	}
	slices.Sort(automata)
	automata = slices.Compact(automata)
	var found []witness
	seen := map[string]bool{}
	prod := product{automata: []automaton{schemeDomain{}}, required: 1, alphabet: schemeLetters, budget: &v.s.budget}
	if len(v.s.parts.names) > 0 {
		prod.automata = append(prod.automata, noneOf(v.s.parts.names))
		prod.required = 2
	}
	for _, number := range automata {
		prod.automata = append(prod.automata, v.s.parts.schemeAutomata[number])
	}
	prod.eachState(func(matches []match, text func() string) bool {
		for i := range matches {
			matches[i].automaton = automata[matches[i].automaton]
		}
		if key := string(appendMatches(nil, matches)); !seen[key] {
			seen[key] = true
			found = append(found, witness{matches: matches, text: text()})
		}
		return true
	})
	return found
}

func (s *search) freshScheme() string {
	name := "x-app"
	for i := 1; ; i++ {
		if _, mentioned := s.parts.nameNumbers[name]; !mentioned {
			return name
		}
		name = "x-app" + strconv.Itoa(i)
	}
}

// noneOf is the automaton of the texts that are none of the names.
func noneOf(names []string) automaton {
	idx := newHostIndex(authorityKind)
	idx.hosts = names
	return newFreshAutomaton(idx, "")
}

// paths returns a path of a kind for every combination of labels that the
// numbered automata can give to one.
func (s *search) paths(k kind, automata []int32) []witness {
	key := idKey([]byte{byte(k)}, automata)
	if found, ok := s.pathsOf[key]; ok {
		return found
	}
	p := pathSearch{s: s, kind: k, automata: automata, seen: map[string]bool{}}
	p.tryPaths()
	if !s.samplesOnly && (len(automata) > 4 || len(p.found) < 1<<len(automata)) {
		p.explore()
	}
	if !s.budget.spent() {
		s.pathsOf[key] = p.found
	}
	return p.found
}

type pathSearch struct {
	s        *search
	kind     kind
	automata []int32
	found    []witness
	seen     map[string]bool
}

// tryPaths tries the paths that people like to read.
func (p *pathSearch) tryPaths() {
	texts := []string{"/", "/x", "/index.html"}
	if p.kind == opaqueKind {
		texts = []string{"x", "12345"}
	}
	for _, number := range p.automata {
		if a, ok := p.s.parts.paths[number].(*textAutomaton); ok && len(p.automata) <= 8 {
			texts = append(texts, a.text, a.text+"x", a.text+"/x")
		}
	}
	for _, text := range texts {
		if p.kind == opaqueKind && !validRest(text) || p.kind != opaqueKind && !validPath(p.kind, text) {
			continue
		}
		var matches []match
		for _, number := range p.automata {
			if label := labelOf(p.s.parts.paths[number], text); label != 0 {
				matches = append(matches, match{number, label})
			}
			p.s.budget.spend(len(text))
		}
		p.add(matches, func() string { return text })
		if len(p.automata) == 0 || len(p.automata) > 32 {
			return
		}
	}
}

func (p *pathSearch) add(matches []match, text func() string) {
	if key := string(appendMatches(nil, matches)); !p.seen[key] {
		p.seen[key] = true
		p.found = append(p.found, witness{matches: matches, text: text()})
	}
}

func (p *pathSearch) explore() {
	prod := product{automata: []automaton{pathDomain{p.kind}}, required: 1, alphabet: pathLetters, budget: &p.s.budget}
	for _, number := range p.automata {
		prod.automata = append(prod.automata, p.s.parts.paths[number])
	}
	prod.eachState(func(matches []match, text func() string) bool {
		for i := range matches {
			matches[i].automaton = p.automata[matches[i].automaton]
		}
		p.add(matches, text)
		return true
	})
}
