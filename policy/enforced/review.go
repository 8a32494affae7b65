package enforced

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cordon-sec/cordon/policy"
)

// notes collects warnings, at most a few of each sort: a file may have a
// hundred thousand lines.
type notes struct {
	list []string
	more map[string]int // by sort: how many there were
}

const notesOfASort = 10

func (n *notes) add(sort, format string, args ...any) {
	if n.more == nil {
		n.more = map[string]int{}
	}
	if n.more[sort]++; n.more[sort] <= notesOfASort {
		n.list = append(n.list, fmt.Sprintf(format, args...))
	}
}

// all returns the warnings, and how many more there are of each sort.
func (n *notes) all() []string {
	for _, sort := range slices.Sorted(maps.Keys(n.more)) {
		if left := n.more[sort] - notesOfASort; left > 0 {
			n.list = append(n.list, fmt.Sprintf("and %d more rules that %s", left, sort))
		}
	}
	return n.list
}

// review says what an operator must know about a policy before it is enforced.
// With Strict, a line that grants nothing is an error.
func review(p *policy.Policy, o Options) (warnings []string, err error) {
	var n notes
	live := 0
	for i := range p.Rules() {
		rule := &p.Rules()[i]
		if rule.Flaw != policy.NoFlaw && !rule.Implicit() {
			if o.Strict {
				return nil, fmt.Errorf("%s: <%s> %q is %s: %s", rule.Place, rule.Element, rule.Text, rule.Flaw,
					rule.Note)
			}
			n.add("are not read as written", "%s: <%s> %q is %s and grants nothing it does not say: %s", rule.Place,
				rule.Element, rule.Text, rule.Flaw, rule.Note)
		}
		if rule.Purpose == policy.ForLaunch || len(rule.Patterns) == 0 {
			continue
		}
		live++
		if !o.Inspect && HasPath(rule) {
			n.add("have a path", "%s: the path in %q binds plain HTTP only: in a tunnel the host decides (inspect: "+
				"true would bind both)", rule.Place, rule.Text)
		}
		if coversCleartext(rule) && !o.RequireTLS && !rule.Implicit() {
			n.add("allow cleartext", "%s: %q allows cleartext", rule.Place, rule.Text)
		}
	}
	warnings = n.all()
	probe := func(url string) bool {
		return p.Decide(policy.Request{URL: url, Kind: policy.AnyKind, AnyPath: true}).Verdict == policy.Allow
	}
	switch {
	case live == 0:
		warnings = append(warnings, "the file allows nothing: every request will be refused")
	case probe("https://any-host.cordon.invalid"):
		warnings = append(warnings, "the file allows every host: only addresses, ports and framing are checked")
	}
	return warnings, nil
}

// HasPath reports whether a rule binds a path, which a tunnel does not show.
func HasPath(rule *policy.Rule) bool {
	for i := range rule.Patterns {
		if path := &rule.Patterns[i].Path; !path.IsZero() && !(path.Contains("/") && path.Contains("/a/b")) {
			return true
		}
	}
	return false
}

func coversCleartext(rule *policy.Rule) bool {
	for i := range rule.Patterns {
		if s := &rule.Patterns[i].Scheme; s.Contains("http") || s.Contains("ws") {
			return true
		}
	}
	return false
}
