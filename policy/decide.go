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
	var q question
	q.url = p.Split(r.URL)
	q.url.AnyPath = r.AnyPath
	return r.checked(p.run(steps, &q))
}

// question is a URL on its way through steps. missed are the lists that do not
// cover it, as far as remembered: a request of unknown kind asks most lists
// twice.
type question struct {
	url    pattern.URL
	missed [2]*pattern.Set
	misses int
}

func (q *question) match(set *pattern.Set) (entry int, ok bool) {
	if set == q.missed[0] || set == q.missed[1] {
		return -1, false
	}
	if entry, ok = set.Match(&q.url); !ok {
		q.missed[q.misses&1] = set
		q.misses++
	}
	return entry, ok
}

func (p *Policy) decideAny(r Request) Decision {
	var q question
	q.url = p.Split(r.URL)
	q.url.AnyPath = r.AnyPath
	r.Strict = true
	asked := r.checked(p.run(p.Steps(XHR, true), &q))
	if asked.Verdict == Allow {
		return asked
	}
	if opened := r.checked(p.run(p.Steps(Navigation, true), &q)); opened.Verdict == Allow {
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

func (p *Policy) run(steps []Step, q *question) Decision {
	if q.url.Malformed {
		return Decision{Reason: Malformed}
	}
	for i := range steps {
		step := &steps[i]
		rule, ok := p.holds(step.When, q)
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
func (p *Policy) holds(tests []Test, q *question) (rule ruleNumber, ok bool) {
	for i := range tests {
		test := &tests[i]
		named, held := p.holdsOne(test, q)
		if held == test.not {
			return 0, false
		}
		if named != 0 {
			rule = named
		}
	}
	return rule, true
}

func (p *Policy) holdsOne(test *Test, q *question) (rule ruleNumber, held bool) {
	switch {
	case test.list > 0 && test.list <= len(p.lists):
		list := &p.lists[test.list-1]
		entry, found := q.match(list.set)
		if !found {
			return 0, false
		}
		return list.rules[entry], true
	case test.set != nil:
		_, found := q.match(test.set)
		return 0, found
	case test.find != nil:
		found := test.find(q.url)
		return p.spec.number(found), found >= 0
	}
	return 0, false
}
