package pattern

import (
	"regexp"
	"slices"
	"strings"
)

// An expression over the whole URL is taken apart where the parts of a URL
// meet: the states that its automaton can be in there make it a finite union
// of patterns over the parts.

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

// whole is the work on one pattern that is matched across parts.
type whole struct {
	s       *search
	w       *world
	leaf    int32
	pattern *Pattern
	a       automaton
	path    int32
}

// addWhole enters a pattern with an expression over the whole URL.
func (s *search) addWhole(leaf int32, r Reading, p *Pattern) {
	a := s.parts.machine(&p.Whole)
	if a == nil {
		return
	}
	if hint := hostHint(p.Whole.text); hint != "" {
		s.hints = append(s.hints, hint)
	}
	scheme := s.parts.schemes[s.parts.scheme(&p.Scheme)]
	for k, w := range s.worlds {
		path, ok := s.pathAs(kind(k), r, p)
		if !ok {
			continue
		}
		job := whole{s: s, w: w, leaf: leaf, pattern: p, a: a, path: path}
		if w.kind == webKind {
			job.webSchemes(scheme.web)
			continue
		}
		job.names(scheme)
		if scheme.other {
			job.otherSchemes(scheme)
		}
	}
}

// pathAs returns the path condition of a pattern for a kind of URL; ok is
// false if the pattern covers none of that kind, or if that is not decided.
func (s *search) pathAs(k kind, r Reading, p *Pattern) (path int32, ok bool) {
	hostless := k == opaqueKind || k == hostKind && r == WebHosts
	if hostless && (!p.Host.covers("", false) || !p.Port.Covers(-1)) {
		return 0, false
	}
	if k == opaqueKind && r == AllHosts {
		return 0, p.Path.covers("", false)
	}
	path = s.parts.path(&p.Path)
	if k == hostKind && r == WebHosts && path != 0 {
		s.budget.left = -1 // two languages across parts at once are not decided
		return 0, false
	}
	return path, path >= 0
}

var characterClass = regexp.MustCompile(`\[[^\]]*\]`)

// hostHint returns the longest run in an expression that looks like a host.
func hostHint(expr string) string {
	longest := ""
	expr = characterClass.ReplaceAllString(expr, ".")
	for _, run := range strings.FieldsFunc(expr, func(r rune) bool { return !strings.ContainsRune(hostLetters+`.\`, r) }) {
		run = strings.Trim(strings.ReplaceAll(run, `\.`, "."), ".-")
		if len(run) > len(longest) && isName(run) && strings.Contains(run, ".") {
			longest = run
		}
	}
	return longest
}

func (w *whole) separator() string {
	if w.w.kind == opaqueKind {
		return ":"
	}
	return "://"
}

func (w *whole) webSchemes(mask uint8) {
	groups, order := map[int32]uint8{}, []int32(nil)
	for i, name := range webSchemes {
		if mask>>i&1 == 0 {
			continue
		}
		state := run(w.a, w.a.start(), name+w.separator())
		if groups[state] == 0 {
			order = append(order, state)
		}
		groups[state] |= 1 << i
	}
	empty := make([]uint64, (len(w.s.parts.names)+63)/64)
	for _, state := range order {
		w.fromHost(state, schemePart{web: groups[state], names: empty})
	}
}

func (w *whole) names(scheme schemePart) {
	groups, order := map[int32][]uint64{}, []int32(nil)
	for i, name := range w.s.parts.names {
		if !scheme.hasName(i) {
			continue
		}
		state := run(w.a, w.a.start(), name+w.separator())
		if groups[state] == nil {
			order = append(order, state)
			groups[state] = make([]uint64, len(scheme.names))
		}
		groups[state][i>>6] |= 1 << (i & 63)
	}
	for _, state := range order {
		w.fromHost(state, schemePart{names: groups[state]})
	}
}

func (w *whole) otherSchemes(scheme schemePart) {
	from := slice{w.a, w.a.start()}
	key := kindSlice{kinds + w.w.kind, from}
	track, known := w.s.tracks[key]
	if !known {
		a := &endAutomaton{automaton: w.a, from: from.from, labels: map[int32]int32{}}
		for _, end := range w.s.ends(schemeDomain{}, schemeLetters, from) {
			// Schemes that lead to one state have one label: the state, plus one.
			a.labels[end] = run(w.a, end, w.separator()) + 1
		}
		track = w.s.parts.schemeTrack(a)
		w.s.tracks[key] = track
	}
	seen := map[int32]bool{}
	for _, label := range sortedLabels(w.s.parts.schemeTracks[track]) {
		if label == 0 || seen[label] {
			continue
		}
		seen[label] = true
		conds := append(scheme.conds[:len(scheme.conds):len(scheme.conds)], hit{track, label})
		part := schemePart{names: make([]uint64, len(scheme.names)), other: true, conds: conds}
		w.fromHost(label-1, part)
	}
}

// sortedLabels returns the labels of an endAutomaton in a fixed order.
func sortedLabels(a automaton) []int32 {
	var labels []int32
	for _, label := range a.(*endAutomaton).labels {
		labels = append(labels, label)
	}
	slices.Sort(labels)
	return labels
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

func (w *whole) fromHost(state int32, scheme schemePart) {
	if state == dead {
		return
	}
	number := w.s.parts.schemeNumber(scheme)
	host := &w.pattern.Host
	anyHost := Any()
	if w.w.kind == opaqueKind {
		w.fromPath(state, &anyHost, number, ports{form: NoPort}, nil)
		return
	}
	if w.s.hostless(w.leaf, w.w.kind) {
		host = &anyHost
	}
	switch {
	case w.a.settled(state):
		if covered, ok := (ports{}).and(w.portOf()); ok {
			w.fromPath(state, host, number, covered, nil)
		}
	case host.form == exact:
		text := host.text
		if host.fold {
			text = lowerText(text)
		}
		w.fromPort(run(w.a, state, text), host, number, nil)
	default:
		track := w.s.hostTrack(w.w, slice{w.a, state})
		for _, end := range track.ends {
			w.fromPort(end, host, number, []hit{{track.number, end + 1}})
		}
	}
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

// portOf is the pattern's port; where the reading sees no host it was compared
// with none already.
func (w *whole) portOf() Port {
	if w.s.hostless(w.leaf, w.w.kind) {
		return AnyPort
	}
	return w.pattern.Port
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

func (w *whole) fromPort(state int32, host *Language, scheme int32, conds []hit) {
	if state == dead {
		return
	}
	if covered, ok := (ports{form: NoPort}).and(w.portOf()); ok {
		w.fromPath(state, host, scheme, covered, conds)
	}
	for _, group := range w.s.portsFrom(slice{w.a, w.a.next(state, ':')}) {
		if covered, ok := group.ports.and(w.portOf()); ok {
			w.fromPath(group.state, host, scheme, covered, conds)
		}
	}
}

func (w *whole) fromPath(state int32, host *Language, scheme int32, covered ports, conds []hit) {
	also := int32(0)
	if !w.a.settled(state) {
		also = w.s.slicePath(w.w.kind, slice{w.a, state})
	}
	if also < 0 {
		return
	}
	p := piece{conds: conds, rest: w.s.parts.rest(rest{leaf: w.leaf, scheme: scheme, ports: covered, path: w.path, also: also})}
	w.w.place(host, p, &w.s.budget)
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
