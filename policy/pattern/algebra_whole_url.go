package pattern

import (
	"regexp"
	"slices"
	"strings"
)

// An expression over the whole URL is taken apart where the parts of a URL
// meet: the states that its automaton can be in there make it a finite union
// of patterns over the parts.

// wholeSplitter is the work on one pattern that is matched across parts.
type wholeSplitter struct {
	s         *search
	idx       *hostIndex
	leaf      int32
	pattern   *Pattern
	automaton automaton
	path      int32
}

// addWhole enters a pattern with an expression over the whole URL.
func (s *search) addWhole(leaf int32, r Reading, p *Pattern) {
	a := s.parts.dfa(&p.Whole)
	if a == nil {
		return
	}
	if hint := hostHint(p.Whole.text); hint != "" {
		s.hints = append(s.hints, hint)
	}
	scheme := s.parts.schemes[s.parts.scheme(&p.Scheme)]
	for k, idx := range s.indexes {
		path, ok := s.pathAs(kind(k), r, p)
		if !ok {
			continue
		}
		sp := wholeSplitter{s: s, idx: idx, leaf: leaf, pattern: p, automaton: a, path: path}
		if idx.kind == webKind {
			sp.webSchemes(scheme.web)
			continue
		}
		sp.names(scheme)
		if scheme.other {
			sp.otherSchemes(scheme)
		}
	}
}

// pathAs returns the path condition of a pattern for a kind of URL; ok is
// false if the pattern covers none of that kind, or if that is not decided.
func (s *search) pathAs(k kind, r Reading, p *Pattern) (path int32, ok bool) {
	hostless := k == opaqueKind || k == authorityKind && r == WebHosts
	if hostless && (!p.Host.covers("", false) || !p.Port.Covers(-1)) {
		return 0, false
	}
	if k == opaqueKind && r == AllHosts {
		return 0, p.Path.covers("", false)
	}
	path = s.parts.path(&p.Path)
	if k == authorityKind && r == WebHosts && path != 0 {
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
	for _, run := range strings.FieldsFunc(expr,
		func(r rune) bool { return !strings.ContainsRune(hostLetters+`.\`, r) }) {
		run = strings.Trim(strings.ReplaceAll(run, `\.`, "."), ".-")
		if len(run) > len(longest) && isName(run) && strings.Contains(run, ".") {
			longest = run
		}
	}
	return longest
}

func (sp *wholeSplitter) separator() string {
	if sp.idx.kind == opaqueKind {
		return ":"
	}
	return "://"
}

func (sp *wholeSplitter) webSchemes(mask uint8) {
	groups, order := map[int32]uint8{}, []int32(nil)
	for i, name := range webSchemes {
		if mask>>i&1 == 0 {
			continue
		}
		state := run(sp.automaton, sp.automaton.start(), name+sp.separator())
		if groups[state] == 0 {
			order = append(order, state)
		}
		groups[state] |= 1 << i
	}
	empty := make([]uint64, (len(sp.s.parts.names)+63)/64)
	for _, state := range order {
		sp.fromHost(state, schemePart{web: groups[state], names: empty})
	}
}

func (sp *wholeSplitter) names(scheme schemePart) {
	groups, order := map[int32][]uint64{}, []int32(nil)
	for i, name := range sp.s.parts.names {
		if !scheme.hasName(i) {
			continue
		}
		state := run(sp.automaton, sp.automaton.start(), name+sp.separator())
		if groups[state] == nil {
			order = append(order, state)
			groups[state] = make([]uint64, len(scheme.names))
		}
		groups[state][i>>6] |= 1 << (i & 63)
	}
	for _, state := range order {
		sp.fromHost(state, schemePart{names: groups[state]})
	}
}

func (sp *wholeSplitter) otherSchemes(scheme schemePart) {
	from := residual{sp.automaton, sp.automaton.start()}
	key := kindResidual{kinds + sp.idx.kind, from}
	number, known := sp.s.schemeAutomata[key]
	if !known {
		a := &endAutomaton{automaton: sp.automaton, from: from.state, labels: map[int32]int32{}}
		for _, end := range sp.s.endStates(schemeDomain{}, schemeLetters, from) {
			// Schemes that lead to one state have one label: the state, plus one.
			a.labels[end] = run(sp.automaton, end, sp.separator()) + 1
		}
		number = sp.s.parts.addSchemeAutomaton(a)
		sp.s.schemeAutomata[key] = number
	}
	seen := map[int32]bool{}
	for _, label := range sortedLabels(sp.s.parts.schemeAutomata[number]) {
		if label == 0 || seen[label] {
			continue
		}
		seen[label] = true
		conditions := append(scheme.conditions[:len(scheme.conditions):len(scheme.conditions)], match{number, label})
		part := schemePart{names: make([]uint64, len(scheme.names)), other: true, conditions: conditions}
		sp.fromHost(label-1, part)
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

func (sp *wholeSplitter) fromHost(state int32, scheme schemePart) {
	if state == dead {
		return
	}
	number := sp.s.parts.schemeNumber(scheme)
	host := &sp.pattern.Host
	anyHost := Any()
	if sp.idx.kind == opaqueKind {
		sp.fromPath(state, &anyHost, number, ports{form: NoPort}, nil)
		return
	}
	if sp.s.hostless(sp.leaf, sp.idx.kind) {
		host = &anyHost
	}
	switch {
	case sp.automaton.absorbing(state):
		if covered, ok := (ports{}).intersect(sp.portOf()); ok {
			sp.fromPath(state, host, number, covered, nil)
		}
	case host.form == exact:
		text := host.text
		if host.fold {
			text = lowerText(text)
		}
		sp.fromPort(run(sp.automaton, state, text), host, number, nil)
	default:
		groups := sp.s.hostGroups(sp.idx, residual{sp.automaton, state})
		for _, end := range groups.ends {
			sp.fromPort(end, host, number, []match{{groups.automaton, end + 1}})
		}
	}
}

// portOf is the pattern's port; where the reading sees no host it was compared
// with none already.
func (sp *wholeSplitter) portOf() Port {
	if sp.s.hostless(sp.leaf, sp.idx.kind) {
		return AnyPort
	}
	return sp.pattern.Port
}

func (sp *wholeSplitter) fromPort(state int32, host *Language, scheme int32, conditions []match) {
	if state == dead {
		return
	}
	if covered, ok := (ports{form: NoPort}).intersect(sp.portOf()); ok {
		sp.fromPath(state, host, scheme, covered, conditions)
	}
	for _, group := range sp.s.portsFrom(residual{sp.automaton, sp.automaton.next(state, ':')}) {
		if covered, ok := group.ports.intersect(sp.portOf()); ok {
			sp.fromPath(group.state, host, scheme, covered, conditions)
		}
	}
}

func (sp *wholeSplitter) fromPath(state int32, host *Language, scheme int32, covered ports, conditions []match) {
	secondPath := int32(0)
	if !sp.automaton.absorbing(state) {
		secondPath = sp.s.residualPath(sp.idx.kind, residual{sp.automaton, state})
	}
	if secondPath < 0 {
		return
	}
	c := clause{conditions: conditions,
		constraint: sp.s.parts.constraintNumber(constraint{leaf: sp.leaf, scheme: scheme, ports: covered, path: sp.path,
			secondPath: secondPath})}
	sp.idx.place(host, c, &sp.s.budget)
}
