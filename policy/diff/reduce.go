package diff

import (
	"reflect"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// reduceAbove is the number of rules from which on a comparison that takes too
// long looks at the changed rules and what overlaps them alone, and maxChanged
// how many patterns may have changed for that to pay.
var reduceAbove = 1000

const maxChanged = 400

// overlapSteps is the budget of asking whether a rule overlaps a changed one;
// a rule for which it does not suffice is kept.
const overlapSteps = 100_000

// listedPattern is one pattern of a rule in one list.
type listedPattern struct {
	list    int
	pattern pattern.Pattern
}

type ruleKey struct {
	element, text string
	flaw          policy.Flaw
	purpose       policy.Purpose
}

// reduced returns readers of two policies that leave out the rules that both
// have alike and that cover no URL of a changed rule. Two such policies decide
// a URL differently only if a changed rule covers it; and of those URLs the
// reduced lists hold exactly what the whole ones hold. So nothing is lost by
// it. It returns nil where the order of decision itself differs, or where there
// is little to gain.
func (c *comparison) reduced() (older, newer *Reader) {
	a, b := c.pair.Old, c.pair.New
	if a.Target() != b.Target() || len(a.Rules())+len(b.Rules()) < reduceAbove || !c.sameOrder() {
		return nil, nil
	}
	older, newer = NewReader(a), NewReader(b)
	x, y := listedPatterns(a), listedPatterns(b)
	older.keep, newer.keep = make([]bool, len(x)), make([]bool, len(y))
	partner := pairRules(a, b, x, y)
	var changed []pattern.Pattern
	taken := make([]bool, len(y))
	for i, j := range partner {
		if j >= 0 {
			taken[j] = true
			continue
		}
		older.keep[i] = true
		changed = appendPatterns(changed, x[i])
	}
	for j := range y {
		if !taken[j] {
			newer.keep[j] = true
			changed = appendPatterns(changed, y[j])
		}
	}
	if len(changed) > maxChanged {
		return nil, nil
	}
	delta := pattern.Covered(older.reading, changed)
	for i, j := range partner {
		if j >= 0 && overlaps(older.reading, x[i], delta) {
			older.keep[i], newer.keep[j] = true, true
		}
	}
	return older, newer
}

// sameOrder reports whether both policies have the same steps for every kind,
// lists aside.
func (c *comparison) sameOrder() bool {
	for _, kind := range c.options.Kinds {
		x, y := c.pair.Old.Steps(kind, false), c.pair.New.Steps(kind, false)
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if x[i].Then != y[i].Then || len(x[i].When) != len(y[i].When) {
				return false
			}
			for j := range x[i].When {
				s, t := x[i].When[j], y[i].When[j]
				if s.List() != t.List() || s.Negated() != t.Negated() || s.Algorithmic() || t.Algorithmic() ||
					!reflect.DeepEqual(s.Patterns(), t.Patterns()) {
					return false
				}
			}
		}
	}
	return true
}

// listedPatterns returns, for each rule, its patterns in the lists that a
// program may ask.
func listedPatterns(p *policy.Policy) [][]listedPattern {
	all := make([][]listedPattern, len(p.Rules()))
	for _, n := range listsOf(p) {
		for _, entry := range p.List(n) {
			if entry.Rule >= 0 && entry.Rule < len(all) {
				all[entry.Rule] = append(all[entry.Rule], listedPattern{n, *entry.Pattern})
			}
		}
	}
	return all
}

// listsOf returns the numbers of the lists that programs ask, in order.
func listsOf(p *policy.Policy) []int {
	seen := map[int]bool{}
	var numbers []int
	for _, kind := range policy.Kinds() {
		for _, step := range p.Steps(kind, false) {
			for _, test := range step.When {
				if n := test.List(); n >= 0 && !seen[n] {
					seen[n] = true
					numbers = append(numbers, n)
				}
			}
		}
	}
	return numbers
}

// pairRules returns for each rule of a the rule of b that does the same, or -1.
// A rule of b is the partner of one rule at most.
func pairRules(a, b *policy.Policy, x, y [][]listedPattern) []int {
	known := map[ruleKey][]int{}
	rules := b.Rules()
	for j := range rules {
		k := keyOfRule(&rules[j])
		known[k] = append(known[k], j)
	}
	partner := make([]int, len(x))
	for i := range partner {
		partner[i] = -1
		k := keyOfRule(&a.Rules()[i])
		for n, j := range known[k] {
			if reflect.DeepEqual(x[i], y[j]) {
				partner[i] = j
				known[k] = append(known[k][:n:n], known[k][n+1:]...)
				break
			}
		}
	}
	return partner
}

func keyOfRule(r *policy.Rule) ruleKey {
	return ruleKey{r.Element, r.Text, r.Flaw, r.Purpose}
}

func appendPatterns(all []pattern.Pattern, places []listedPattern) []pattern.Pattern {
	for i := range places {
		all = append(all, places[i].pattern)
	}
	return all
}

// overlaps reports whether a rule covers a URL that a changed one covers.
func overlaps(r pattern.Reading, places []listedPattern, delta pattern.URLSet) bool {
	if len(places) == 0 {
		return false
	}
	_, outcome := pattern.Covered(r, appendPatterns(nil, places)).Intersect(delta).Witness(overlapSteps)
	return outcome != pattern.Empty
}
