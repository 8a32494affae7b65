package diff

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// ReduceAbove sets from how many rules on a comparison looks at the changed
// ones alone, and returns what it was.
func ReduceAbove(n int) int {
	was := reduceAbove
	reduceAbove = n
	return was
}

// Reduced returns the changes that a comparison by what changed finds, by kind;
// false where none is made.
func Reduced(p Pair) (map[string]bool, bool) {
	pairs := []Pair{p}
	c := comparison{pair: p, options: Options{Kinds: policy.Kinds(), Steps: pattern.DefaultSteps},
		report: &Report{Pairs: pairs}, merged: newMerger(pairs)}
	older, newer := c.reduced()
	if older == nil {
		return nil, false
	}
	for _, kinds := range c.kindsByProgram() {
		groups := []group{{kinds: kinds, older: older.Sets(kinds[0]), newer: newer.Sets(kinds[0])}}
		found, _ := c.regions(groups)
		for _, r := range found {
			c.decide(kinds, r.URL)
		}
		c.tryTexts(groups)
	}
	told := map[string]bool{}
	for _, line := range c.merged.lines() {
		for _, w := range line.Where {
			for _, kind := range w.Kinds {
				told[fmt.Sprint(kind, line.Old.Verdict, line.New.Verdict)] = true
			}
		}
	}
	return told, true
}
