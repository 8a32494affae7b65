package pattern

import "slices"

// search answers one Question: it sorts the patterns of all lists by host,
// cuts the hosts into cells that all patterns over hosts treat alike, and asks
// for each cell what schemes, ports and paths are left; see solve.
type search struct {
	question       Question
	yield          func(Region) bool
	budget         budget
	leaves         []leaf
	leafNumbers    map[*leaf]int32
	parts          *partTable
	indexes        [kinds]*hostIndex
	hostAutomaton  automaton
	residualPaths  map[kindResidual]int32
	portGroups     map[residual][]portGroup
	solutions      map[string][]subregion
	pathsOf        map[string][]witness
	reached        map[reachedKey][]int32
	schemeAutomata map[kindResidual]int32 // over schemes
	hostGroupsOf   map[kindResidual]hostGroups
	hints          []string        // hosts that expressions seem to be about
	emitted        map[string]bool // regions by cell and covering constraints
	samplesOnly    bool            // try only what people like to read
	found          bool
	incomplete     bool // something was left out, so Empty must not be said
	stopped        bool
}

func newSearch(q Question, yield func(Region) bool) *search {
	s := &search{
		question: q, yield: yield, budget: budget{q.Steps}, leafNumbers: map[*leaf]int32{},
		residualPaths: map[kindResidual]int32{}, portGroups: map[residual][]portGroup{},
		solutions: map[string][]subregion{}, pathsOf: map[string][]witness{},
		reached: map[reachedKey][]int32{}, schemeAutomata: map[kindResidual]int32{},
		hostGroupsOf: map[kindResidual]hostGroups{}, emitted: map[string]bool{},
	}
	s.parts = newPartTable(&s.budget)
	for k := range s.indexes {
		s.indexes[k] = newHostIndex(kind(k))
	}
	return s
}

func (s *search) run() Outcome {
	s.numberLeaves()
	if s.noneWanted() {
		return Empty
	}
	s.gather()
	if s.hasAutomata() {
		// Exploring may use up the budget; what is easily found comes first.
		s.samplesOnly = true
		s.pass()
		s.samplesOnly = false
		clear(s.solutions)
		clear(s.pathsOf)
	}
	s.pass()
	switch {
	case s.stopped:
		return Found
	case s.budget.spent() || s.incomplete:
		return NotDecided
	case s.found:
		return Found
	}
	return Empty
}

func (s *search) pass() {
	for _, idx := range s.indexes {
		if s.stopped || s.budget.spent() {
			return
		}
		s.emitCells(idx)
	}
}

func (s *search) hasAutomata() bool {
	for _, idx := range s.indexes {
		if len(idx.automata) > 0 {
			return true
		}
	}
	return false
}

// number gives the lists their numbers; lists that are written the same way
// are one.
func (s *search) numberLeaves() {
	for _, set := range s.question.Sets {
		set.node.leaves(func(l *leaf) {
			n := slices.IndexFunc(s.leaves, func(known leaf) bool { return known.equal(l) })
			if n < 0 {
				n = len(s.leaves)
				s.leaves = append(s.leaves, *l)
			}
			s.leafNumbers[l] = int32(n)
		})
	}
}

// maxCombined is up to how many lists all combinations of them are tried.
const maxCombined = 12

// noneWanted reports whether no combination of covering lists is wanted, so that
// there is nothing to look for: as between two files that differ in comments.
func (s *search) noneWanted() bool {
	if len(s.leaves) > maxCombined {
		return false
	}
	covered := make([]bool, len(s.leaves))
	for combination := range 1 << len(s.leaves) {
		for i := range covered {
			covered[i] = combination>>i&1 != 0
		}
		if s.question.Want(s.within(covered)) {
			return false
		}
	}
	return true
}

// gather enters the patterns of all lists.
func (s *search) gather() {
	for _, l := range s.leaves {
		for i := range l.patterns {
			s.parts.mention(&l.patterns[i].Scheme)
		}
	}
	for n, l := range s.leaves {
		for i := range l.patterns {
			if !s.budget.spend(32) {
				return
			}
			s.add(int32(n), l.reading, &l.patterns[i])
		}
	}
}

func (s *search) add(leaf int32, r Reading, p *Pattern) {
	if p.Scheme.IsZero() || p.Host.IsZero() || p.Path.IsZero() {
		return
	}
	if !p.Whole.IsZero() {
		s.addWhole(leaf, r, p)
		return
	}
	number := s.parts.scheme(&p.Scheme)
	scheme := &s.parts.schemes[number]
	anyHost := Any()
	for k, idx := range s.indexes {
		if idx.kind == webKind && scheme.web == 0 || idx.kind != webKind && !scheme.beyondWeb() {
			continue
		}
		c := constraint{leaf: leaf, scheme: number, ports: ports{form: p.Port}}
		host := &p.Host
		if s.hostless(leaf, idx.kind) || idx.kind == opaqueKind {
			host, c.ports = &anyHost, ports{}
		}
		if idx.kind == authorityKind && r == WebHosts && p.Path.form != all && p.Path.form != present {
			s.addAcross(leaf, p, number)
			continue
		}
		var ok bool
		if c.path, ok = s.pathAs(kind(k), r, p); ok {
			idx.place(host, clause{constraint: s.parts.constraintNumber(c)}, &s.budget)
		}
	}
}

// hostless reports whether the reading of a list sees no host in URLs of a
// kind that have one.
func (s *search) hostless(leaf int32, k kind) bool {
	return k == authorityKind && s.leaves[leaf].reading == WebHosts
}

// addAcross enters a pattern whose path is, in this reading, all that follows
// the colon, for URLs with two slashes there.
func (s *search) addAcross(leaf int32, p *Pattern, scheme int32) {
	if !p.Host.covers("", false) || !p.Port.Covers(-1) {
		return
	}
	a := s.parts.dfa(&p.Path)
	if a == nil {
		return
	}
	sp := wholeSplitter{s: s, idx: s.indexes[authorityKind], leaf: leaf, pattern: p, automaton: a}
	sp.fromHost(run(a, a.start(), "//"), s.parts.schemes[scheme])
}

// emitCells goes through the cells of a kind: the fresh hosts, then each host
// that is mentioned, and what is below it.
func (s *search) emitCells(idx *hostIndex) {
	if idx.kind == opaqueKind {
		s.emit(idx, "", "", s.covering(idx.anyHost, nil))
		return
	}
	automata := make([]int32, len(idx.automata))
	for i := range automata {
		automata[i] = int32(i)
	}
	for _, v := range s.freshHosts(idx, "", atHost, automata) {
		s.emit(idx, cellKey("", atHost, v.matches), v.text, s.covering(idx.anyHost, v.matches))
	}
	if idx.kind == authorityKind {
		s.emitHost(idx, "")
	}
	for _, host := range idx.hosts {
		if s.stopped || !s.budget.spend(16+len(idx.anyHost)) {
			return
		}
		s.emitHost(idx, host)
		if len(idx.below[host]) > 0 || len(idx.wildcard[host]) > 0 {
			s.emitSubdomains(idx, host, plainSubdomain, automata)
		}
		if len(idx.wildcard[host]) > 0 {
			s.emitSubdomains(idx, host, underscoreSubdomain, automata)
		}
	}
}

func (s *search) emitSubdomains(idx *hostIndex, host string, cell hostCell, automata []int32) {
	for _, v := range s.freshHosts(idx, host, cell, automata) {
		ids := s.covering(idx.anyHost, v.matches)
		idx.covering(host, cell, func(clauses []clause) { ids = append(ids, s.covering(clauses, v.matches)...) })
		s.emit(idx, cellKey(host, cell, v.matches), v.text, ids)
	}
}

func (s *search) emitHost(idx *hostIndex, host string) {
	var matches []match
	for i, a := range idx.automata {
		if label := labelOf(a, host); label != 0 {
			matches = append(matches, match{int32(i), label})
		}
	}
	s.budget.spend(len(idx.automata) * len(host))
	ids := s.covering(idx.anyHost, matches)
	idx.covering(host, atHost, func(clauses []clause) { ids = append(ids, s.covering(clauses, matches)...) })
	s.emit(idx, "="+host, host, ids)
}

// covering returns the constraints of the clauses whose conditions hold.
func (s *search) covering(clauses []clause, matches []match) []int32 {
	ids := make([]int32, 0, len(clauses))
	s.budget.spend(len(clauses) / 2)
	for i := range clauses {
		if hold(clauses[i].conditions, matches) {
			ids = append(ids, clauses[i].constraint)
		}
	}
	return ids
}

// hold reports whether all conditions are among the matches, which are in order.
func hold(conditions, matches []match) bool {
	for _, cond := range conditions {
		i, found := slices.BinarySearchFunc(matches, cond.automaton,
			func(m match, number int32) int { return int(m.automaton - number) })
		if !found || matches[i].label != cond.label {
			return false
		}
	}
	return true
}

func cellKey(host string, cell hostCell, matches []match) string {
	return string(appendMatches(append([]byte(host), byte(cell)), matches))
}

// emit yields the regions of a cell; host is one of its hosts.
func (s *search) emit(idx *hostIndex, cell, host string, ids []int32) {
	if s.stopped {
		return
	}
	slices.Sort(ids)
	subregions := s.solve(idx.kind, slices.Compact(ids))
	if s.budget.spent() {
		return
	}
	for _, sub := range subregions {
		key := string(rune(idx.kind)) + "\x00" + cell + sub.covering
		if s.emitted[key] {
			continue
		}
		if s.samplesOnly {
			s.emitted[key] = true
		}
		s.found = true
		c := newCanonical(idx.kind, sub.scheme, host, sub.port, sub.path)
		if !s.yield(Region{In: sub.in, URL: c.whole}) {
			s.stopped = true
			return
		}
	}
}
