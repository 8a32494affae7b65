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
		switch {
		case rule > 0:
			d.Rule = &p.spec.Rules[rule-1]
		case rule < 0:
			d.Rule = &p.spec.Rules[-rule-1]
			if d.Reason == Listed {
				d.Reason = BuiltInRule
			}
		}
		return d
	}
	return Decision{}
}

// holds reports whether all tests hold, and the rule that the last of them to
// name one named, or 0.
func (p *Policy) holds(tests []Test, u *pattern.URL) (rule ruleNumber, ok bool) {
	for i := range tests {
		test := &tests[i]
		named, held := p.holdsOne(test, u)
		if held == test.not {
			return 0, false
		}
		if named != 0 {
			rule = named
		}
	}
	return rule, true
}

func (p *Policy) holdsOne(test *Test, u *pattern.URL) (rule ruleNumber, held bool) {
	switch {
	case test.list > 0 && test.list <= len(p.lists):
		list := &p.lists[test.list-1]
		entry, found := list.set.Match(u)
		if !found {
			return 0, false
		}
		return list.rules[entry], true
	case test.set != nil:
		_, found := test.set.Match(u)
		return 0, found
	case test.find != nil:
		found := test.find(*u)
		return p.spec.number(found), found >= 0
	}
	return 0, false
}
