package policy

import (
	"math"
	"slices"

	"github.com/cordon-sec/cordon/policy/pattern"
)

// Spec is what a dialect makes of one config.xml: the rules, how a URL is
// taken apart, and the order of decision as data, so that deciding, comparing
// and exporting read the same thing.
type Spec struct {
	Target Target
	// Rules are all rules, those of the file in file order (dropped ones too)
	// and those that the platform adds itself.
	Rules []Rule
	// Lists are the lists that the programs consult.
	Lists []List
	// Split takes a raw URL apart as the platform does.
	Split func(raw string) pattern.URL
	// Programs say, for each kind, in which order the platform decides.
	Programs map[Kind]Program
}

// List is a list as a platform keeps it: of several entries that cover a URL
// the first one decides.
type List []Entry

// Entry is one pattern of a list, mostly one of its rule's own, with the index of
// its rule in Spec.Rules. Patterns are large, so that an entry points to it.
type Entry struct {
	Pattern *pattern.Pattern
	Rule    int
}

// Program is the order of decision for one kind of request. The first step
// whose tests all hold decides; where none does, the request is blocked as
// NotListed.
type Program struct {
	Steps []Step
	// Strict is what the list says where Steps bypasses it. Nil: Steps holds
	// for strict requests as well.
	Strict []Step
}

// Step is one line of a program.
type Step struct {
	// When are the tests that must all hold; none: the step always decides.
	When   []Test
	Then   Verdict
	Reason Reason
}

// Test is one condition of a step; make it with InList, Among or FoundBy.
type Test struct {
	list  int // index into Spec.Lists plus one
	among []pattern.Pattern
	set   *pattern.Set
	find  func(pattern.URL) int
	not   bool
}

// InList holds if an entry of Spec.Lists[list] covers the URL; its rule is
// then the deciding one.
func InList(list int) Test { return Test{list: list + 1} }

// Among holds if one of the patterns covers the URL.
func Among(patterns ...pattern.Pattern) Test { return Test{among: patterns} }

// FoundBy holds if find returns an index into Spec.Rules instead of -1, for a
// platform whose lookup is an algorithm rather than a list of patterns. The
// function must be pure.
func FoundBy(find func(pattern.URL) int) Test { return Test{find: find} }

// Not returns the opposite test. It names no deciding rule.
func (t Test) Not() Test { t.not = !t.not; return t }

// Negated reports whether the test is one made with Not.
func (t Test) Negated() bool { return t.not }

// List returns the index of the list that the test consults, or -1.
func (t Test) List() int { return t.list - 1 }

// Patterns returns the patterns of a test made with Among.
func (t Test) Patterns() []pattern.Pattern { return t.among }

// Algorithmic reports whether the test was made with FoundBy: then the
// patterns of the rules are an approximation.
func (t Test) Algorithmic() bool { return t.find != nil }

// Policy is the compiled rules of one config.xml for one target. It is
// immutable and safe for concurrent use. The zero Policy blocks everything.
type Policy struct {
	spec     Spec
	lists    []indexed
	programs [kindCount]Program
}

// indexed is a list as deciding needs it: an index over its patterns, and for
// each entry its rule.
type indexed struct {
	set   *pattern.Set
	rules []ruleNumber
}

// ruleNumber is an index into Spec.Rules plus one, negative for a rule that
// the platform added itself; zero is no rule.
type ruleNumber int32

func (s *Spec) number(rule int) ruleNumber {
	switch {
	case rule < 0 || rule >= len(s.Rules) || rule >= math.MaxInt32:
		return 0
	case s.Rules[rule].Implicit():
		return -ruleNumber(rule + 1)
	}
	return ruleNumber(rule + 1)
}

// New compiles a Spec. It takes the spec over: the caller must not change what
// it refers to afterwards. Dialects call it; everyone else calls
// dialect.Compile.
func New(spec Spec) *Policy {
	p := &Policy{spec: spec, lists: make([]indexed, len(spec.Lists))}
	for i, list := range spec.Lists {
		if at := slices.IndexFunc(spec.Lists[:i], func(known List) bool { return sameList(known, list) }); at >= 0 {
			p.lists[i] = p.lists[at] // access often counts for navigation as well
			continue
		}
		rules := make([]ruleNumber, len(list))
		for j := range list {
			rules[j] = spec.number(list[j].Rule)
		}
		p.lists[i] = indexed{
			pattern.NewSetOf(len(list), func(j int) *pattern.Pattern { return list[j].Pattern }),
			rules,
		}
	}
	for kind, program := range spec.Programs {
		indexBuiltIns(program.Steps)
		indexBuiltIns(program.Strict)
		if kind < kindCount {
			p.programs[kind] = program
		}
	}
	return p
}

// sameList reports whether two lists have the same entries; often they are one.
func sameList(a, b List) bool {
	if len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] {
		return true
	}
	return slices.EqualFunc(a, b, func(x, y Entry) bool { return x.Rule == y.Rule && *x.Pattern == *y.Pattern })
}

func indexBuiltIns(steps []Step) {
	for _, step := range steps {
		for i := range step.When {
			if test := &step.When[i]; test.among != nil && test.set == nil {
				test.set = pattern.NewSet(test.among)
			}
		}
	}
}

// Target returns the target that the policy was compiled for, its version
// filled in.
func (p *Policy) Target() Target { return p.spec.Target }

// Rules returns all rules: those of the file in file order, dropped ones
// included, then those that the platform adds. The caller must not change them.
func (p *Policy) Rules() []Rule { return p.spec.Rules }

// List returns the entries of a list by its index. The caller must not change
// them.
func (p *Policy) List(i int) List { return p.spec.Lists[i] }

// Steps returns the order of decision for a kind, for algebra and exports; the
// caller must not change it. For AnyKind see Decide.
func (p *Policy) Steps(kind Kind, strict bool) []Step {
	if kind >= kindCount {
		return nil
	}
	if program := &p.programs[kind]; strict && program.Strict != nil {
		return program.Strict
	}
	return p.programs[kind].Steps
}

// Split takes a raw URL apart as the policy's platform does.
func (p *Policy) Split(raw string) pattern.URL {
	if p.spec.Split == nil {
		return pattern.URL{Malformed: true}
	}
	return p.spec.Split(raw)
}
