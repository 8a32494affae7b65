package pattern

import (
	"encoding/binary"
	"slices"
	"strconv"
)

// atom is what is left of a region once its host is known.
type atom struct {
	in       uint64
	scheme   string
	port     int32
	path     string
	covering string // the rests that cover it
}

// solve returns the wanted regions among the URLs of a kind whose host leads to
// certain rests. Many hosts lead to the same rests; what was found for one is
// kept for the others.
func (s *search) solve(k kind, ids []int32) []atom {
	key := idKey([]byte{byte(k)}, ids)
	if atoms, ok := s.solutions[key]; ok {
		return atoms
	}
	v := solving{s: s, kind: k, ids: ids, seen: map[string]bool{}, tried: map[string]bool{}}
	if k == webKind {
		for i, name := range webSchemes {
			v.scheme(name, func(p *schemePart) bool { return p.web>>i&1 != 0 })
		}
	} else {
		for i, name := range s.parts.names {
			v.scheme(name, func(p *schemePart) bool { return p.hasName(i) })
		}
		for _, other := range v.otherSchemes() {
			v.scheme(other.text, func(p *schemePart) bool { return p.other && hold(p.conds, other.hits) })
		}
	}
	if !s.budget.spent() {
		s.solutions[key] = v.atoms
	}
	return v.atoms
}

func idKey(b []byte, ids []int32) string {
	for _, id := range ids {
		b = binary.AppendUvarint(b, uint64(id))
	}
	return string(b)
}

// solving is the work on one solve.
type solving struct {
	s     *search
	kind  kind
	ids   []int32
	atoms []atom
	seen  map[string]bool // by the rests that cover a region
	tried map[string]bool // by the rests that a scheme leads to
}

func (v *solving) scheme(name string, in func(*schemePart) bool) {
	var active []int32
	numbered := false
	for _, id := range v.ids {
		r := &v.s.parts.rests[id]
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

// ports returns a port of every group that the rests treat alike, -1 (none)
// first.
func (v *solving) ports(active []int32, scheme string, numbered bool) []int32 {
	choices := []int32{-1}
	if !numbered || v.kind == opaqueKind {
		return choices
	}
	var sets []*portSet
	for _, id := range active {
		p := v.s.parts.rests[id].ports
		if number := int32(p.form); number > 0 && number <= 65535 && !slices.Contains(choices, number) {
			choices = append(choices, number)
		}
		if p.form == setOfPorts && !slices.Contains(sets, p.set) {
			sets = append(sets, p.set)
		}
	}
	v.s.budget.spend(len(choices) * len(choices))
	choices = append(choices, v.furtherPorts(choices, sets, scheme)...)
	return slices.DeleteFunc(choices, func(port int32) bool { return !validPort(v.kind, scheme, port) })
}

// furtherPorts returns a port of every group among those that no rest names.
func (v *solving) furtherPorts(named []int32, sets []*portSet, scheme string) []int32 {
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

func (v *solving) paths(active []int32, scheme string, port int32) {
	parts := v.s.parts
	var here, tracks []int32
	for _, id := range active {
		r := &parts.rests[id]
		if !r.ports.has(port) {
			continue
		}
		here = append(here, id)
		for _, track := range [...]int32{r.path, r.also} {
			if track != 0 {
				tracks = append(tracks, track)
			}
		}
	}
	slices.Sort(tracks)
	for _, p := range v.s.paths(v.kind, slices.Compact(tracks)) {
		var covering []int32
		for _, id := range here {
			r := &parts.rests[id]
			if r.path != 0 && !hits(p.hits, r.path) || r.also != 0 && !hits(p.hits, r.also) {
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
			a := atom{in: in, scheme: scheme, port: port, path: p.text, covering: key}
			if v.kind == opaqueKind && len(tracks) == 0 {
				a.path = plausibleRest(scheme)
			}
			v.atoms = append(v.atoms, a)
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

func hits(all []hit, track int32) bool {
	_, found := slices.BinarySearchFunc(all, track, func(h hit, track int32) int { return int(h.track - track) })
	return found
}

// in evaluates the question's sets for URLs that certain rests cover.
func (s *search) in(covering []int32) (in uint64) {
	covered := make([]bool, len(s.leaves))
	for _, id := range covering {
		covered[s.parts.rests[id].leaf] = true
	}
	return s.within(covered)
}

// within evaluates the question's sets, given which lists cover a URL.
func (s *search) within(covered []bool) (in uint64) {
	for i, set := range s.question.Sets {
		s.budget.spend(1)
		if set.node.holds(func(l *leaf) bool { return covered[s.numbers[l]] }) {
			in |= 1 << i
		}
	}
	return in
}

// otherSchemes returns, for everything that the rests' conditions can say about
// schemes that nobody mentions, what they say and such a scheme.
func (v *solving) otherSchemes() []vector {
	var tracks []int32
	for _, id := range v.ids {
		for _, cond := range v.s.parts.schemes[v.s.parts.rests[id].scheme].conds {
			tracks = append(tracks, cond.track)
		}
	}
	if len(tracks) == 0 {
		return []vector{{text: v.s.freeScheme()}}
	}
	slices.Sort(tracks)
	tracks = slices.Compact(tracks)
	var found []vector
	seen := map[string]bool{}
	e := exploration{automata: []automaton{schemeDomain{}}, must: 1, alphabet: schemeLetters, budget: &v.s.budget}
	if len(v.s.parts.names) > 0 {
		e.automata = append(e.automata, unmentioned(v.s.parts.names))
		e.must = 2
	}
	for _, track := range tracks {
		e.automata = append(e.automata, v.s.parts.schemeTracks[track])
	}
	e.each(func(hits []hit, text func() string) bool {
		for i := range hits {
			hits[i].track = tracks[hits[i].track]
		}
		if key := string(appendHits(nil, hits)); !seen[key] {
			seen[key] = true
			found = append(found, vector{hits: hits, text: text()})
		}
		return true
	})
	return found
}

func (s *search) freeScheme() string {
	name := "x-app"
	for i := 1; ; i++ {
		if _, mentioned := s.parts.nameNumbers[name]; !mentioned {
			return name
		}
		name = "x-app" + strconv.Itoa(i)
	}
}

// unmentioned is the automaton of the texts that are none of the names.
func unmentioned(names []string) automaton {
	w := newWorld(hostKind)
	w.hosts = names
	return newExcluder(w, "")
}

// paths returns, for everything that the tracks can say about paths of a kind,
// what they say and a path.
func (s *search) paths(k kind, tracks []int32) []vector {
	key := idKey([]byte{byte(k)}, tracks)
	if found, ok := s.pathsOf[key]; ok {
		return found
	}
	p := pathSearch{s: s, kind: k, tracks: tracks, seen: map[string]bool{}}
	p.tryPaths()
	if !s.quick && (len(tracks) > 4 || len(p.found) < 1<<len(tracks)) {
		p.explore()
	}
	if !s.budget.spent() {
		s.pathsOf[key] = p.found
	}
	return p.found
}

type pathSearch struct {
	s      *search
	kind   kind
	tracks []int32
	found  []vector
	seen   map[string]bool
}

// tryPaths tries the paths that people like to read.
func (p *pathSearch) tryPaths() {
	texts := []string{"/", "/x", "/index.html"}
	if p.kind == opaqueKind {
		texts = []string{"x", "12345"}
	}
	for _, track := range p.tracks {
		if a, ok := p.s.parts.paths[track].(*textAutomaton); ok && len(p.tracks) <= 8 {
			texts = append(texts, a.text, a.text+"x", a.text+"/x")
		}
	}
	for _, text := range texts {
		if p.kind == opaqueKind && !validRest(text) || p.kind != opaqueKind && !validPath(p.kind, text) {
			continue
		}
		var hits []hit
		for _, track := range p.tracks {
			if label := labelOf(p.s.parts.paths[track], text); label != 0 {
				hits = append(hits, hit{track, label})
			}
			p.s.budget.spend(len(text))
		}
		p.add(hits, func() string { return text })
		if len(p.tracks) == 0 || len(p.tracks) > 32 {
			return
		}
	}
}

func (p *pathSearch) add(hits []hit, text func() string) {
	if key := string(appendHits(nil, hits)); !p.seen[key] {
		p.seen[key] = true
		p.found = append(p.found, vector{hits: hits, text: text()})
	}
}

func (p *pathSearch) explore() {
	e := exploration{automata: []automaton{pathDomain{p.kind}}, must: 1, alphabet: pathLetters, budget: &p.s.budget}
	for _, track := range p.tracks {
		e.automata = append(e.automata, p.s.parts.paths[track])
	}
	e.each(func(hits []hit, text func() string) bool {
		for i := range hits {
			hits[i].track = p.tracks[hits[i].track]
		}
		p.add(hits, text)
		return true
	})
}
