package diff

import (
	"fmt"
	"reflect"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// comparison is the work on one pair.
type comparison struct {
	pair    Pair
	options Options
	number  int
	report  *Report
	merged  *merger
	// groups are kinds for which both policies have one program each.
	groups []group
	// unconfirmed counts the candidates that the policies did not decide
	// differently.
	unconfirmed int
}

// group is kinds that both policies decide by the same steps.
type group struct {
	kinds        []policy.Kind
	older, newer Sets
}

// maxGroups is how many groups fit into one question, with four sets each.
const maxGroups = 16

// run compares the pair kind by kind.
func (c *comparison) run() {
	older, newer := NewReader(c.pair.Old), NewReader(c.pair.New)
	same := sameLists(c.pair.Old, c.pair.New)
	for _, kinds := range c.kindsByProgram() {
		if same && samePrograms(c.pair.Old, c.pair.New, kinds[0]) {
			continue
		}
		c.groups = append(c.groups, group{kinds: kinds, older: older.Sets(kinds[0]), newer: newer.Sets(kinds[0])})
	}
	var exact, sampled []group
	for _, g := range c.groups {
		if g.older.Exact && g.newer.Exact {
			exact = append(exact, g)
		} else {
			sampled = append(sampled, g)
		}
	}
	for len(exact) > 0 {
		n := min(len(exact), maxGroups)
		c.compareExact(exact[:n])
		exact = exact[n:]
	}
	if len(sampled) > 0 {
		c.compareSampled(sampled)
	}
}

// kindsByProgram sorts the kinds by the programs that decide them.
func (c *comparison) kindsByProgram() [][]policy.Kind {
	type programs struct{ older, newer *policy.Step }
	first := func(steps []policy.Step) *policy.Step {
		if len(steps) == 0 {
			return nil
		}
		return &steps[0]
	}
	numbers := map[[2]int]map[programs]int{}
	var all [][]policy.Kind
	for _, kind := range c.options.Kinds {
		x, y := c.pair.Old.Steps(kind, false), c.pair.New.Steps(kind, false)
		lengths, key := [2]int{len(x), len(y)}, programs{first(x), first(y)}
		if numbers[lengths] == nil {
			numbers[lengths] = map[programs]int{}
		}
		n, known := numbers[lengths][key]
		if !known {
			n = len(all)
			numbers[lengths][key] = n
			all = append(all, nil)
		}
		all[n] = append(all[n], kind)
	}
	return all
}

// compareExact compares groups whose sets are exact: of every region that the
// two sides decide differently, both policies are asked about one URL. Where
// the budget does not suffice, large files are compared by what changed.
func (c *comparison) compareExact(groups []group) {
	found, outcome := c.regions(groups)
	if outcome == pattern.NotDecided {
		if older, newer := c.reduced(); older != nil {
			smaller := make([]group, len(groups))
			for i, g := range groups {
				smaller[i] = group{kinds: g.kinds, older: older.Sets(g.kinds[0]), newer: newer.Sets(g.kinds[0])}
			}
			found, outcome = c.regions(smaller)
		}
	}
	for _, r := range found {
		for n, g := range groups {
			if differ(r.In, n) && !c.decide(g.kinds, r.URL) {
				c.unconfirmed++
			}
		}
	}
	if outcome == pattern.NotDecided {
		tried := c.trySamples(groups)
		c.doubt(groups,
			true, fmt.Sprintf("the comparison took too many steps; %d URLs near the rules that differ were tried, "+
				"more may differ", tried))
	}
	c.tryTexts(groups)
	if c.unconfirmed > 0 {
		c.doubt(groups,
			false, fmt.Sprintf("%d differences of the lists could not be confirmed with a URL that both sides accept",
				c.unconfirmed))
	}
}

// regions returns the regions in which the two sides of some group differ.
// There are four sets for each group: two bits for the verdict of each side.
func (c *comparison) regions(groups []group) (found []pattern.Region, outcome pattern.Outcome) {
	sets := make([]pattern.URLSet, 0, 4*len(groups))
	for _, g := range groups {
		sets = append(sets,
			g.older.Allow.Union(g.older.Bypass), g.older.Launch.Union(g.older.Bypass),
			g.newer.Allow.Union(g.newer.Bypass), g.newer.Launch.Union(g.newer.Bypass))
	}
	question := pattern.Question{Sets: sets, Steps: c.options.Steps, Want: func(in uint64) bool {
		for n := range groups {
			if differ(in, n) {
				return true
			}
		}
		return false
	}}
	outcome = question.Regions(func(r pattern.Region) bool {
		found = append(found, r)
		return true
	})
	return found, outcome
}

// differ reports whether the two sides of the group n differ in a region.
func differ(in uint64, n int) bool {
	bits := in >> (4 * n)
	return bits&3 != bits>>2&3
}

// decide asks both policies about a URL for kinds that share their programs,
// and notes a difference; false if there is none although there should be.
func (c *comparison) decide(kinds []policy.Kind, url string) bool {
	request := policy.Request{URL: url, Kind: kinds[0]}
	before, after := c.pair.Old.Decide(request), c.pair.New.Decide(request)
	if before.Verdict == after.Verdict {
		// A URL that a platform cannot take apart is no URL of its sets.
		return before.Reason == policy.Malformed || after.Reason == policy.Malformed
	}
	c.merged.add(c.number, kinds, before, after, url)
	return true
}

func (c *comparison) doubt(groups []group, exhausted bool, why string) {
	d := Doubt{Pair: c.number, Exhausted: exhausted, Why: why}
	for _, g := range groups {
		d.Kinds = append(d.Kinds, g.kinds...)
	}
	c.report.Doubts = append(c.report.Doubts, d)
}

// maxWork bounds how many URLs are tried where only trying helps: URLs times
// rules, since some platforms look at their rules one by one.
const maxWork = 40_000_000

// compareSampled compares groups where a platform's look-up is an algorithm.
func (c *comparison) compareSampled(groups []group) {
	why := fmt.Sprintf("%s looks its list up by an algorithm, or by expressions that no set of URLs is for: "+
		"%d URLs were tried, more may differ", algorithmic(c.pair), c.trySamples(groups))
	c.doubt(groups, false, why)
}

// trySamples asks both policies about a URL of every region that the nearest
// sets of the rules tell apart, and about spellings of it that look-ups are
// known to read in ways of their own. Of two files for one target only the
// rules that differ count. It returns how many URLs were tried.
func (c *comparison) trySamples(groups []group) (tried int) {
	older, newer := differing(c.pair.Old, c.pair.New)
	reading := NewReader(c.pair.New).reading
	limit := max(200, maxWork/(1000+len(c.pair.Old.Rules())+len(c.pair.New.Rules())))
	ask := func(url string) {
		tried++
		for _, g := range groups {
			c.decide(g.kinds, url)
		}
	}
	question := pattern.Question{
		Sets:  []pattern.URLSet{pattern.Covered(reading, older), pattern.Covered(reading, newer)},
		Steps: pattern.DefaultSteps, Want: func(uint64) bool { return true },
	}
	question.Regions(func(r pattern.Region) bool {
		ask(r.URL)
		for _, url := range Spellings(r.URL) {
			ask(url)
		}
		return tried < limit
	})
	return tried
}

// differing returns the patterns of the rules that only one of two policies
// has; of policies for different targets, those of all rules.
func differing(a, b *policy.Policy) (older, newer []pattern.Pattern) {
	same := a.Target() == b.Target()
	return patternsBeyond(a, b, same), patternsBeyond(b, a, same)
}

func patternsBeyond(p, other *policy.Policy, same bool) []pattern.Pattern {
	type key struct {
		element, text string
		flaw          policy.Flaw
	}
	known := map[key]*policy.Rule{}
	if same {
		rules := other.Rules()
		for i := range rules {
			known[key{rules[i].Element, rules[i].Text, rules[i].Flaw}] = &rules[i]
		}
	}
	var all []pattern.Pattern
	rules := p.Rules()
	for i := range rules {
		r := &rules[i]
		if k, ok := known[key{r.Element, r.Text, r.Flaw}]; ok && reflect.DeepEqual(k.Patterns, r.Patterns) {
			continue
		}
		all = append(all, r.Patterns...)
	}
	return all
}

func algorithmic(p Pair) string {
	for _, each := range []*policy.Policy{p.Old, p.New} {
		for _, kind := range policy.Kinds() {
			if !NewReader(each).Sets(kind).Exact {
				return each.Target().String()
			}
		}
	}
	return p.New.Target().String()
}
