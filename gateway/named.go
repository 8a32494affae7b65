package gateway

import (
	"slices"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// names are the rules that name a port, and those that name an address: what is
// not usual, or not public, opens for these alone. They come from the rules'
// patterns, never from their text.
type names struct{ ports, addrs namingRules }

// namingRules are some patterns of a policy's rules, indexed.
type namingRules struct {
	set   *pattern.Set
	rules []*policy.Rule // by the number of the pattern in the set
}

func namesOf(p *policy.Policy) names {
	var ports, addrs, both []*policy.Rule // one entry for each pattern
	var portPatterns, addrPatterns, bothPatterns []pattern.Pattern
	rules := p.Rules()
	for i := range rules {
		rule := &rules[i]
		if rule.Purpose == policy.ForLaunch {
			continue
		}
		addressed := len(rule.Addresses()) > 0
		for _, each := range rule.Patterns {
			_, exact := each.Host.Exact()
			switch named := each.Port > 0; {
			case addressed && exact && named:
				both, bothPatterns = append(both, rule), append(bothPatterns, each)
			case addressed && exact:
				addrs, addrPatterns = append(addrs, rule), append(addrPatterns, each)
			case named:
				ports, portPatterns = append(ports, rule), append(portPatterns, each)
			}
		}
	}
	return names{
		ports: namingRules{pattern.NewSet(portPatterns), ports},
		// Those that name a port besides come first.
		addrs: namingRules{pattern.NewSet(append(bothPatterns, addrPatterns...)), append(both, addrs...)},
	}
}

// covering returns the first of the rules that covers a URL, or nil.
func (n *namingRules) covering(u *pattern.URL) *policy.Rule {
	if i, ok := n.set.Match(u); ok {
		return n.rules[i]
	}
	return nil
}

// naming returns the rule that a target passes for: the one that decided, or,
// where that one names the target's port or its address as little as a wildcard
// does, another one that covers the target and names them. It also reports
// whether the rule names the port.
func (a *app) naming(decided *policy.Rule, scheme string, to authority, path string, anyPath bool) (*policy.Rule,
	bool) {
	if decided == nil {
		return nil, false
	}
	q := asked{to: to}
	split := func() pattern.URL {
		u := a.policy.Split(to.url(scheme, path))
		u.AnyPath = anyPath
		return u
	}
	q.url = split()
	if to.port++; to.port == 0 {
		to.port = 1
	}
	q.other = split()
	best, bestRank := decided, q.rank(decided, true)
	for _, list := range [...]*namingRules{&a.names.addrs, &a.names.ports} {
		if bestRank == namesPort|namesAddr {
			break
		}
		if rule := list.covering(&q.url); rule != nil {
			if rank := q.rank(rule, false); rank > bestRank {
				best, bestRank = rule, rank
			}
		}
	}
	return best, bestRank&namesPort != 0
}

// asked is a target, and the same at another port.
type asked struct {
	to         authority
	url, other pattern.URL
}

// What a rule names of a target: a name has no address to be named.
const (
	namesAddr = 1 << iota
	namesPort
)

// rank says what a rule names of the target. A port is named by a pattern of that
// port, or by one of whole URLs that does not cover the target at another port.
// Only patterns that cover the target count; of the rule that decided all do, for
// some platforms look their list up in ways that patterns only come near to.
func (q *asked) rank(rule *policy.Rule, decided bool) (rank int) {
	covered := decided
	for i := range rule.Patterns {
		p := &rule.Patterns[i]
		covers := p.Covers(&q.url)
		covered = covered || covers
		if (covers || decided) && int(p.Port) == int(q.to.port) ||
			covers && !p.Whole.IsZero() && !p.Covers(&q.other) {
			rank |= namesPort
		}
	}
	if !q.to.addr.IsValid() || covered && slices.Contains(rule.Addresses(), q.to.addr) {
		rank |= namesAddr
	}
	return rank
}
