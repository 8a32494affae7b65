package diff

import (
	"reflect"
	"slices"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// Sets are the URLs that a policy decides one way or another for a kind of
// request, as its program says. URLs in no set are blocked.
type Sets struct {
	Allow, Launch, Bypass pattern.URLSet
	// Exact says that the sets are what the policy decides. Where the platform
	// looks its list up by an algorithm, or reads an entry as an expression that no
	// set of URLs is for, they are the nearest ones.
	Exact bool
}

// Reader makes sets of a policy. What it makes of one list is made once, so
// that sets share the work. It is not safe for concurrent use.
type Reader struct {
	policy  *policy.Policy
	reading pattern.Reading
	lists   map[int]pattern.URLSet
	nearby  map[int]bool // whether the set of a list is wider than the list
	among   map[*pattern.Pattern]pattern.URLSet
	rules   *pattern.URLSet
	// keep are the rules whose entries count, by number; nil: all.
	keep []bool
}

// NewReader returns a reader of a policy.
func NewReader(p *policy.Policy) *Reader {
	r := &Reader{policy: p, lists: map[int]pattern.URLSet{}, nearby: map[int]bool{},
		among: map[*pattern.Pattern]pattern.URLSet{}}
	if p.Split("ftp://host/").Has&pattern.HasHost == 0 {
		r.reading = pattern.WebHosts
	}
	return r
}

// Sets returns the sets of a kind of request.
func (r *Reader) Sets(kind policy.Kind) Sets { return r.read(r.policy.Steps(kind, false)) }

// read goes through a program from its end, where what no step decides is
// blocked.
func (r *Reader) read(steps []policy.Step) Sets {
	s := Sets{Exact: true}
	decided := [...]*pattern.URLSet{policy.Allow: &s.Allow, policy.Launch: &s.Launch, policy.Bypass: &s.Bypass}
	blocksAll := true
	for i := len(steps) - 1; i >= 0; i-- {
		step := &steps[i]
		blocksAll = blocksAll && step.Then == policy.Block
		holds := r.holds(step.When, &s.Exact)
		for verdict, set := range decided {
			switch {
			case set == nil:
			case policy.Verdict(verdict) == step.Then:
				*set = set.Union(holds)
			default:
				*set = set.Minus(holds)
			}
		}
	}
	s.Exact = s.Exact || blocksAll
	return s
}

// Unverified returns the URLs of which a kind of request is refused because what the
// platform does could not be established.
func (r *Reader) Unverified(kind policy.Kind) pattern.URLSet {
	steps := r.policy.Steps(kind, false)
	var set pattern.URLSet
	if !slices.ContainsFunc(steps, func(s policy.Step) bool { return s.Reason == policy.Unverified }) {
		return set
	}
	for i := len(steps) - 1; i >= 0; i-- {
		exact := true
		holds := r.holds(steps[i].When, &exact)
		if steps[i].Reason == policy.Unverified {
			set = set.Union(holds)
		} else {
			set = set.Minus(holds)
		}
	}
	return set
}

func (r *Reader) holds(tests []policy.Test, exact *bool) pattern.URLSet {
	all := make([]pattern.URLSet, 0, len(tests))
	for _, test := range tests {
		set := r.test(test)
		if test.Algorithmic() || r.approximate(test) {
			*exact = false
		}
		if test.Negated() {
			set = set.Complement()
		}
		all = append(all, set)
	}
	switch len(all) {
	case 0:
		return pattern.Everything()
	case 1:
		return all[0]
	}
	return all[0].Intersect(all[1:]...)
}

// approximate reports whether the set of a test is wider than the test.
func (r *Reader) approximate(test policy.Test) bool {
	n := test.List()
	if n < 0 {
		return slices.ContainsFunc(test.Patterns(), func(p pattern.Pattern) bool { return p.Approximate() })
	}
	nearby, known := r.nearby[n]
	if !known {
		list := r.policy.List(n)
		for i := range list {
			if nearby = list[i].Pattern.Approximate(); nearby {
				break
			}
		}
		r.nearby[n] = nearby
	}
	return nearby
}

func (r *Reader) test(test policy.Test) pattern.URLSet {
	if among := test.Patterns(); len(among) > 0 {
		set, ok := r.among[&among[0]]
		if !ok {
			set = pattern.Covered(r.reading, among)
			r.among[&among[0]] = set
		}
		return set
	}
	if n := test.List(); n >= 0 {
		set, ok := r.lists[n]
		if !ok {
			set = pattern.Covered(r.reading, r.entries(r.policy.List(n)))
			r.lists[n] = set
		}
		return set
	}
	if test.Algorithmic() {
		return r.nearest()
	}
	return pattern.URLSet{}
}

// nearest is the set that all rules of a policy come nearest to.
func (r *Reader) nearest() pattern.URLSet {
	if r.rules == nil {
		var all []pattern.Pattern
		rules := r.policy.Rules()
		for i := range rules {
			all = append(all, rules[i].Patterns...)
		}
		set := pattern.Covered(r.reading, all)
		r.rules = &set
	}
	return *r.rules
}

func (r *Reader) entries(list policy.List) []pattern.Pattern {
	patterns := make([]pattern.Pattern, 0, len(list))
	for i := range list {
		rule := list[i].Rule
		if r.keep == nil || rule < 0 || rule >= len(r.keep) || r.keep[rule] {
			patterns = append(patterns, *list[i].Pattern)
		}
	}
	return patterns
}

// sameLists reports whether two policies have the same lists and rules, so
// that equal programs decide alike. Places and texts do not count.
func sameLists(a, b *policy.Policy) bool {
	if a == b {
		return true
	}
	if a.Target() != b.Target() || len(a.Rules()) != len(b.Rules()) {
		return false
	}
	for i, rules := 0, b.Rules(); i < len(rules); i++ {
		x, y := &a.Rules()[i], &rules[i]
		if x.Flaw != y.Flaw || x.Text != y.Text || x.Purpose != y.Purpose ||
			!reflect.DeepEqual(x.Patterns, y.Patterns) {
			return false
		}
	}
	return true
}

// samePrograms reports whether two programs ask the same questions in the same
// order. Lists are compared entry by entry: the rules may be the same and the
// entries not, as after a preference.
func samePrograms(a, b *policy.Policy, kind policy.Kind) bool {
	x, y := a.Steps(kind, false), b.Steps(kind, false)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i].Then != y[i].Then || x[i].Reason != y[i].Reason || len(x[i].When) != len(y[i].When) {
			return false
		}
		for j := range x[i].When {
			if !sameTests(a, b, x[i].When[j], y[i].When[j]) {
				return false
			}
		}
	}
	return true
}

func sameTests(a, b *policy.Policy, x, y policy.Test) bool {
	if x.List() != y.List() || x.Negated() != y.Negated() || x.Algorithmic() != y.Algorithmic() ||
		!reflect.DeepEqual(x.Patterns(), y.Patterns()) {
		return false
	}
	return x.List() < 0 || reflect.DeepEqual(a.List(x.List()), b.List(y.List()))
}
