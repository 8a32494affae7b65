package pattern

import "slices"

// search answers one Question: it sorts the patterns of all lists by host,
// cuts the hosts into cells that all patterns over hosts treat alike, and asks
// for each cell what schemes, ports and paths are left; see solve.
type search struct {
	question   Question
	yield      func(Region) bool
	budget     budget
	leaves     []leaf
	numbers    map[*leaf]int32
	parts      *partTable
	worlds     [kinds]*world
	hosts      automaton
	slicePaths map[kindSlice]int32
	portGroups map[slice][]portGroup
	solutions  map[string][]atom
	pathsOf    map[string][]vector
	reached    map[reachedKey][]int32
	tracks     map[kindSlice]int32 // over schemes
	hostTracks map[kindSlice]hostTrack
	hints      []string        // hosts that expressions seem to be about
	emitted    map[string]bool // regions by cell and covering rests
	quick      bool            // try only what people like to read
	found      bool
	unsure     bool // something was left out, so Empty must not be said
	stopped    bool
}

func newSearch(q Question, yield func(Region) bool) *search {
	s := &search{
		question: q, yield: yield, budget: budget{q.Steps}, numbers: map[*leaf]int32{},
		slicePaths: map[kindSlice]int32{}, portGroups: map[slice][]portGroup{},
		solutions: map[string][]atom{}, pathsOf: map[string][]vector{},
		reached: map[reachedKey][]int32{}, tracks: map[kindSlice]int32{}, hostTracks: map[kindSlice]hostTrack{}, emitted: map[string]bool{},
	}
	s.parts = newPartTable(&s.budget)
	for k := range s.worlds {
		s.worlds[k] = newWorld(kind(k))
	}
	return s
}

func (s *search) run() Outcome {
	s.number()
	if s.hopeless() {
		return Empty
	}
	s.gather()
	if s.hasTracks() {
		// Exploring may use up the budget; what is easily found comes first.
		s.quick = true
		s.pass()
		s.quick = false
		clear(s.solutions)
		clear(s.pathsOf)
	}
	s.pass()
	switch {
	case s.stopped:
		return Found
	case s.budget.spent() || s.unsure:
		return NotDecided
	case s.found:
		return Found
	}
	return Empty
}

func (s *search) pass() {
	for _, w := range s.worlds {
		if s.stopped || s.budget.spent() {
			return
		}
		s.cells(w)
	}
}

func (s *search) hasTracks() bool {
	for _, w := range s.worlds {
		if len(w.tracks) > 0 {
			return true
		}
	}
	return false
}

// number gives the lists their numbers; lists that are written the same way
// are one.
func (s *search) number() {
	for _, set := range s.question.Sets {
		set.node.leaves(func(l *leaf) {
			n := slices.IndexFunc(s.leaves, func(known leaf) bool { return known.equal(l) })
			if n < 0 {
				n = len(s.leaves)
				s.leaves = append(s.leaves, *l)
			}
			s.numbers[l] = int32(n)
		})
	}
}

// maxCombined is up to how many lists all combinations of them are tried.
const maxCombined = 12

// hopeless reports whether no combination of covering lists is wanted, so that
// there is nothing to look for: as between two files that differ in comments.
func (s *search) hopeless() bool {
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
	for k, w := range s.worlds {
		if w.kind == webKind && scheme.web == 0 || w.kind != webKind && !scheme.beyondWeb() {
			continue
		}
		one := rest{leaf: leaf, scheme: number, ports: ports{form: p.Port}}
		host := &p.Host
		if s.hostless(leaf, w.kind) || w.kind == opaqueKind {
			host, one.ports = &anyHost, ports{}
		}
		if w.kind == hostKind && r == WebHosts && p.Path.form != all && p.Path.form != present {
			s.addAcross(leaf, p, number)
			continue
		}
		var ok bool
		if one.path, ok = s.pathAs(kind(k), r, p); ok {
			w.place(host, piece{rest: s.parts.rest(one)}, &s.budget)
		}
	}
}

// hostless reports whether the reading of a list sees no host in URLs of a
// kind that have one.
func (s *search) hostless(leaf int32, k kind) bool {
	return k == hostKind && s.leaves[leaf].reading == WebHosts
}

// addAcross enters a pattern whose path is, in this reading, all that follows
// the colon, for URLs with two slashes there.
func (s *search) addAcross(leaf int32, p *Pattern, scheme int32) {
	if !p.Host.covers("", false) || !p.Port.Covers(-1) {
		return
	}
	a := s.parts.machine(&p.Path)
	if a == nil {
		return
	}
	job := whole{s: s, w: s.worlds[hostKind], leaf: leaf, pattern: p, a: a}
	job.fromHost(run(a, a.start(), "//"), s.parts.schemes[scheme])
}

// cells goes through the cells of a kind: the hosts that nobody mentions, then
// each host that somebody does, and what is below it.
func (s *search) cells(w *world) {
	if w.kind == opaqueKind {
		s.emit(w, "", "", s.covering(w.any, nil))
		return
	}
	tracks := make([]int32, len(w.tracks))
	for i := range tracks {
		tracks[i] = int32(i)
	}
	for _, v := range s.freeHosts(w, "", atHost, tracks) {
		s.emit(w, cellKey("", atHost, v.hits), v.text, s.covering(w.any, v.hits))
	}
	if w.kind == hostKind {
		s.point(w, "")
	}
	for _, host := range w.hosts {
		if s.stopped || !s.budget.spend(16+len(w.any)) {
			return
		}
		s.point(w, host)
		if len(w.below[host]) > 0 || len(w.wide[host]) > 0 {
			s.under(w, host, cleanlyUnder, tracks)
		}
		if len(w.wide[host]) > 0 {
			s.under(w, host, otherwiseUnder, tracks)
		}
	}
}

func (s *search) under(w *world, host string, cell hostCell, tracks []int32) {
	for _, v := range s.freeHosts(w, host, cell, tracks) {
		ids := s.covering(w.any, v.hits)
		w.covering(host, cell, func(pieces []piece) { ids = append(ids, s.covering(pieces, v.hits)...) })
		s.emit(w, cellKey(host, cell, v.hits), v.text, ids)
	}
}

func (s *search) point(w *world, host string) {
	var hits []hit
	for i, a := range w.tracks {
		if label := labelOf(a, host); label != 0 {
			hits = append(hits, hit{int32(i), label})
		}
	}
	s.budget.spend(len(w.tracks) * len(host))
	ids := s.covering(w.any, hits)
	w.covering(host, atHost, func(pieces []piece) { ids = append(ids, s.covering(pieces, hits)...) })
	s.emit(w, "="+host, host, ids)
}

// covering returns the rests of the pieces whose conditions hold.
func (s *search) covering(pieces []piece, hits []hit) []int32 {
	ids := make([]int32, 0, len(pieces))
	s.budget.spend(len(pieces) / 2)
	for i := range pieces {
		if hold(pieces[i].conds, hits) {
			ids = append(ids, pieces[i].rest)
		}
	}
	return ids
}

// hold reports whether all conditions are among the hits, which are in order.
func hold(conds, hits []hit) bool {
	for _, cond := range conds {
		i, found := slices.BinarySearchFunc(hits, cond.track, func(h hit, track int32) int { return int(h.track - track) })
		if !found || hits[i].label != cond.label {
			return false
		}
	}
	return true
}

func cellKey(host string, cell hostCell, hits []hit) string {
	return string(appendHits(append([]byte(host), byte(cell)), hits))
}

// emit yields the regions of a cell; host is one of its hosts.
func (s *search) emit(w *world, cell, host string, ids []int32) {
	if s.stopped {
		return
	}
	slices.Sort(ids)
	atoms := s.solve(w.kind, slices.Compact(ids))
	if s.budget.spent() {
		return
	}
	for _, a := range atoms {
		key := string(rune(w.kind)) + "\x00" + cell + a.covering
		if s.emitted[key] {
			continue
		}
		if s.quick {
			s.emitted[key] = true
		}
		s.found = true
		c := newCanonical(w.kind, a.scheme, host, a.port, a.path)
		if !s.yield(Region{In: a.in, URL: c.whole}) {
			s.stopped = true
			return
		}
	}
}
