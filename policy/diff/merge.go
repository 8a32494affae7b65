package diff

import (
	"cmp"
	"slices"

	"github.com/cordon-sec/cordon/policy"
)

// merger collects differences and puts those together that a reviewer would
// call one: the same rules turn the same verdict into the same other one.
type merger struct {
	pairs []Pair
	known map[lineKey][]*mergedLine
	order []*mergedLine
}

// lineKey is what differences of one line have in common. Rules are told apart
// by where they stand, or by their text if the platform adds them.
type lineKey struct {
	from, to                  policy.Verdict
	before, after             int
	beforeText, afterText     string
	beforeFile, afterFile     string
	beforeReason, afterReason policy.Reason
}

func keyOf(before, after policy.Decision) lineKey {
	k := lineKey{from: before.Verdict, to: after.Verdict, before: -1, after: -1}
	if reach(k.from) == 2 && reach(k.to) == 2 {
		// It goes through before and after; by which rule tells nobody
		// anything.
		return k
	}
	if r := before.Rule; r == nil {
		k.beforeReason = before.Reason
	} else if k.beforeText = r.Text; !r.Implicit() {
		k.before, k.beforeFile = r.Place.Start, r.Place.File
	}
	if r := after.Rule; r == nil {
		k.afterReason = after.Reason
	} else if k.afterText = r.Text; !r.Implicit() {
		k.after, k.afterFile = r.Place.Start, r.Place.File
	}
	// Whether a refused URL was not listed or refused for another reason of
	// the platform's own does not tell lines apart.
	if before.Verdict == policy.Block && before.Rule == nil {
		k.beforeReason = 0
	}
	if after.Verdict == policy.Block && after.Rule == nil {
		k.afterReason = 0
	}
	return k
}

// mergedLine is a line in the making: kinds is, for each pair, a set of kinds.
type mergedLine struct {
	line  Line
	kinds map[int]uint32
	count map[int]int
}

func newMerger(pairs []Pair) *merger {
	return &merger{pairs: pairs, known: map[lineKey][]*mergedLine{}}
}

// add notes that a pair decides a URL differently for some kinds.
func (m *merger) add(pair int, kinds []policy.Kind, before, after policy.Decision, url string) {
	key := keyOf(before, after)
	set := kindSet(kinds)
	for _, f := range m.known[key] {
		if f.kinds[pair]&set == set {
			f.count[pair]++
			return
		}
		if f.line.URL == url || m.speaksFor(key, pair, kinds, f.line.URL) {
			f.kinds[pair] |= set
			f.count[pair]++
			return
		}
	}
	f := &mergedLine{
		line:  Line{Change: changeTo(after.Verdict), Old: before, New: after, URL: url},
		kinds: map[int]uint32{pair: set}, count: map[int]int{pair: 1},
	}
	m.known[key] = append(m.known[key], f)
	m.order = append(m.order, f)
}

// speaksFor reports whether another pair decides a line's own witness by the
// same rules; the line may then speak for it.
func (m *merger) speaksFor(key lineKey, pair int, kinds []policy.Kind, url string) bool {
	for _, kind := range kinds {
		request := policy.Request{URL: url, Kind: kind}
		if keyOf(m.pairs[pair].Old.Decide(request), m.pairs[pair].New.Decide(request)) != key {
			return false
		}
	}
	return true
}

func kindSet(kinds []policy.Kind) (set uint32) {
	for _, kind := range kinds {
		set |= 1 << kind
	}
	return set
}

func kindsOf(set uint32) []policy.Kind {
	var kinds []policy.Kind
	for _, kind := range policy.Kinds() {
		if set>>kind&1 != 0 {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// lines returns what was collected, in the order of a report.
func (m *merger) lines() []Line {
	lines := make([]Line, 0, len(m.order))
	for _, f := range m.order {
		f.line.Where = f.where()
		for _, n := range f.count {
			f.line.Regions = max(f.line.Regions, n)
		}
		lines = append(lines, f.line)
	}
	slices.SortStableFunc(lines, compareLines)
	return lines
}

// where puts the pairs with the same kinds together.
func (f *mergedLine) where() []Where {
	var all []Where
	sets := map[uint32]int{}
	pairs := make([]int, 0, len(f.kinds))
	for pair := range f.kinds {
		pairs = append(pairs, pair)
	}
	slices.Sort(pairs)
	for _, pair := range pairs {
		set := f.kinds[pair]
		n, known := sets[set]
		if !known {
			n = len(all)
			sets[set] = n
			all = append(all, Where{Kinds: kindsOf(set)})
		}
		all[n].Pairs = append(all[n].Pairs, pair)
	}
	return all
}

func compareLines(a, b Line) int {
	widens := func(l *Line) int {
		if l.Widens() {
			return 0
		}
		return 1
	}
	at := func(d policy.Decision) int {
		if d.Rule == nil || d.Rule.Implicit() {
			return -1
		}
		return d.Rule.Place.Start
	}
	return cmp.Or(
		cmp.Compare(widens(&a), widens(&b)),
		cmp.Compare(a.Change, b.Change),
		cmp.Compare(a.Old.Verdict, b.Old.Verdict),
		cmp.Compare(at(a.New), at(b.New)),
		cmp.Compare(at(a.Old), at(b.Old)),
	)
}
