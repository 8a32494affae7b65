package policy

import "github.com/cordon-sec/cordon/policy/pattern"

// Decide returns the decision that the policy's platform takes for the
// request.
//
// A request of AnyKind is decided strictly: it is allowed if the same request
// as XHR or as Navigation is, and blocked otherwise.
func (p *Policy) Decide(r Request) Decision {
	if r.Kind >= kindCount {
		return Decision{}
	}
	if r.Kind == AnyKind {
		return p.decideAny(r)
	}
	steps := p.Steps(r.Kind, r.Strict)
	if len(steps) > 0 && len(steps[0].When) == 0 {
		return r.checked(Decision{Verdict: steps[0].Then, Reason: steps[0].Reason})
	}
	u := p.Split(r.URL)
	u.AnyPath = r.AnyPath
	return r.checked(p.run(steps, &u))
}

func (p *Policy) decideAny(r Request) Decision {
	u := p.Split(r.URL)
	u.AnyPath = r.AnyPath
	r.Strict = true
	asked := r.checked(p.run(p.Steps(XHR, true), &u))
	if asked.Verdict == Allow {
		return asked
	}
	if opened := r.checked(p.run(p.Steps(Navigation, true), &u)); opened.Verdict == Allow {
		return opened
	}
	asked.Verdict = Block
	return asked
}

// checked keeps the promise that a strict decision is never Bypass, whatever a
// program says.
func (r *Request) checked(d Decision) Decision {
	if r.Strict && d.Verdict == Bypass {
		return Decision{Reason: Unverified}
	}
	return d
}

func (p *Policy) run(steps []Step, u *pattern.URL) Decision {
	if u.Malformed {
		return Decision{Reason: Malformed}
	}
	for i := range steps {
		step := &steps[i]
		rule, ok := p.holds(step.When, u)
		if !ok {
			continue
		}
		d := Decision{Verdict: step.Then, Reason: step.Reason}
		if rule >= 0 && rule < len(p.spec.Rules) {
			d.Rule = &p.spec.Rules[rule]
			if d.Reason == Listed && d.Rule.Implicit() {
				d.Reason = BuiltInRule
			}
		}
		return d
	}
	return Decision{}
}

// holds reports whether all tests hold, and the index of the rule that the
// last of them to name one named, or -1.
func (p *Policy) holds(tests []Test, u *pattern.URL) (rule int, ok bool) {
	rule = -1
	for i := range tests {
		test := &tests[i]
		named, held := p.holdsOne(test, u)
		if held == test.not {
			return -1, false
		}
		if held && named >= 0 {
			rule = named
		}
	}
	return rule, true
}

func (p *Policy) holdsOne(test *Test, u *pattern.URL) (rule int, held bool) {
	switch {
	case test.list > 0 && test.list <= len(p.sets):
		entry, found := p.sets[test.list-1].Match(u)
		if !found {
			return -1, false
		}
		return p.spec.Lists[test.list-1][entry].Rule, true
	case test.set != nil:
		_, found := test.set.Match(u)
		return -1, found
	case test.find != nil:
		found := test.find(*u)
		return found, found >= 0
	}
	return -1, false
}
