package pattern

import (
	"regexp"
	"slices"
	"strings"
)

// An expression over the whole URL is taken apart where the parts of a URL
// meet: the states that its automaton can be in there make it a finite union
// of patterns over the parts.

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

// portOf is the pattern's port; where the reading sees no host it was compared
// with none already.
func (w *whole) portOf() Port {
	if w.s.hostless(w.leaf, w.w.kind) {
		return AnyPort
	}
	return w.pattern.Port
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
