package pattern

// node is a node of a boolean expression; a nil one is the empty set.
type node struct {
	operands []*node
	leaf     *leaf
	op       op
}

type op uint8

const (
	opLeaf op = iota
	opNot
	opAnd
	opOr
)

// leaf is a list of patterns, not empty.
type leaf struct {
	patterns []Pattern
	reading  Reading
}

// equal reports whether two leaves are written the same way.
func (l *leaf) equal(m *leaf) bool {
	if l.reading != m.reading || len(l.patterns) != len(m.patterns) {
		return false
	}
	if &l.patterns[0] == &m.patterns[0] {
		return true
	}
	for i := range l.patterns {
		if !l.patterns[i].equal(&m.patterns[i]) {
			return false
		}
	}
	return true
}

func (p *Pattern) equal(q *Pattern) bool {
	return p.Port == q.Port && p.Scheme.equal(&q.Scheme) && p.Host.equal(&q.Host) && p.Path.equal(&q.Path) &&
		p.Whole.equal(&q.Whole)
}

func combine(o op, first URLSet, others []URLSet) URLSet {
	if len(others) == 0 {
		return first
	}
	inside := make([]*node, 0, len(others)+1)
	inside = append(inside, first.node)
	for _, other := range others {
		inside = append(inside, other.node)
	}
	return URLSet{&node{op: o, operands: inside}}
}

// leaves calls visit for every list of the expression, in order.
func (n *node) leaves(visit func(*leaf)) {
	if n == nil {
		return
	}
	if n.op == opLeaf {
		visit(n.leaf)
	}
	for _, inner := range n.operands {
		inner.leaves(visit)
	}
}

// holds evaluates the expression, given which lists cover a URL.
func (n *node) holds(covered func(*leaf) bool) bool {
	if n == nil {
		return false
	}
	switch n.op {
	case opLeaf:
		return covered(n.leaf)
	case opNot:
		return !n.operands[0].holds(covered)
	}
	for _, inner := range n.operands {
		if inner.holds(covered) == (n.op == opOr) {
			return n.op == opOr
		}
	}
	return n.op == opAnd
}

// contains evaluates the expression for one URL, pattern by pattern.
func (n *node) contains(c *canonical) bool {
	return n.holds(func(l *leaf) bool {
		u := c.as(l.reading)
		for i := range l.patterns {
			if l.patterns[i].Covers(&u) {
				return true
			}
		}
		return false
	})
}

// speaksOf reports whether a host is in the domain of the expression: an IPv6
// address is only if a list names it.
func (n *node) domainHas(host string) bool {
	if host == "" || host[0] != '[' || host == unlistedIPv6 {
		return true
	}
	named := false
	n.leaves(func(l *leaf) {
		for i := range l.patterns {
			named = named || l.patterns[i].Host.names(host)
		}
	})
	return named
}
