package javaregexp

// run repeats a set as often as it can, and then one less each time.
func (m *machine) run(s *step, start int) bool {
	i, n := start, int32(0)
	for i < len(m.text) {
		after := m.take(s.node, i)
		if after < 0 {
			break
		}
		m.left--
		i = after
		n++
	}
	for ; n >= s.min; n-- {
		if m.match(s.next, i) {
			return true
		}
		if n == s.min {
			break
		}
		if s.node.bmp {
			i--
			continue
		}
		_, before := m.before(i)
		i = max(start, before)
	}
	return false
}

func (m *machine) optional(s *step, i int) bool {
	switch s.mode {
	case greedy:
		return m.match(s.inner, i) && m.match(s.next, m.last) || m.match(s.next, i)
	case lazy:
		return m.match(s.next, i) || m.match(s.inner, i) && m.match(s.next, m.last)
	}
	if m.match(s.inner, i) {
		i = m.last
	}
	return m.match(s.next, i)
}

// repeat repeats one element. What is inside counts for its first way to match
// only.
func (m *machine) repeat(s *step, i int) bool {
	n := int32(0)
	for ; n < s.min; n++ {
		if !m.match(s.inner, i) {
			return false
		}
		if m.last == i && !m.remembers {
			n = s.min // it takes nothing: so will it the next times
			break
		}
		i = m.last
	}
	switch s.mode {
	case greedy:
		return m.repeatGreedy(s, i, n)
	case lazy:
		return m.repeatLazy(s, i, n)
	}
	for ; n < s.max && m.match(s.inner, i) && m.last != i; n++ {
		i = m.last
	}
	return m.match(s.next, i)
}

func (m *machine) repeatLazy(s *step, i int, n int32) bool {
	for ; ; n++ {
		if m.match(s.next, i) {
			return true
		}
		if n >= s.max || !m.match(s.inner, i) || m.last == i {
			return false
		}
		i = m.last
	}
}

// repeatGreedy goes on as long as the element takes the same length each time;
// where it takes another, it begins anew from there.
func (m *machine) repeatGreedy(s *step, i int, n int32) bool {
	least := n
	if n >= s.max || !m.match(s.inner, i) || m.last == i {
		return m.match(s.next, i)
	}
	length := m.last - i
	i = m.last
	n++
	for n < s.max && m.match(s.inner, i) {
		if m.last != i+length {
			if m.nested(func() bool { return m.repeatGreedy(s, m.last, n+1) }) {
				return true
			}
			break
		}
		i += length
		n++
	}
	for ; n >= least; n-- {
		if m.match(s.next, i) {
			return true
		}
		i -= length
	}
	return false
}

// nested runs what may call itself, one deeper.
func (m *machine) nested(run func() bool) bool {
	if m.depth++; m.depth > maxNesting {
		panic(exhausted{})
	}
	held := run()
	m.depth--
	return held
}

// repeatGroup repeats a group that has one way to match.
func (m *machine) repeatGroup(s *step, i int) bool {
	place, start, end := m.locals[s.local], 0, 0
	if s.captures {
		start, end = m.groups[2*s.capture], m.groups[2*s.capture+1]
	}
	m.locals[s.local] = -1
	held, n := true, int32(0)
	for ; held && n < s.min; n++ {
		if held = m.match(s.inner, i); held {
			took := m.last - i
			m.capture(s, i, m.last)
			if i = m.last; took == 0 && !m.remembers {
				break
			}
		}
	}
	if held {
		switch s.mode {
		case greedy:
			held = m.groupGreedy(s, i, s.min)
		default:
			held = m.groupLazy(s, i, s.min)
		}
	}
	if !held {
		m.locals[s.local] = place
		m.capture(s, start, end)
	}
	return held
}

func (m *machine) capture(s *step, start, end int) {
	if s.captures {
		m.groups[2*s.capture], m.groups[2*s.capture+1] = start, end
	}
}

func (m *machine) groupGreedy(s *step, i int, n int32) bool {
	least, start, end := n, 0, 0
	if s.captures {
		start, end = m.groups[2*s.capture], m.groups[2*s.capture+1]
	}
	if n < s.max && m.match(s.inner, i) {
		length := m.last - i
		if length <= 0 {
			i += length
		} else {
			for {
				m.capture(s, i, i+length)
				i += length
				if n++; n >= s.max || !m.match(s.inner, i) {
					break
				}
				if m.last != i+length {
					if m.nested(func() bool { return m.groupGreedy(s, i, n) }) {
						return true
					}
					break
				}
			}
			for ; n > least; n-- {
				if m.match(s.next, i) {
					m.capture(s, i-length, i)
					return true
				}
				i -= length
				m.capture(s, i-length, i)
			}
		}
	}
	m.capture(s, start, end)
	return m.match(s.next, i)
}

func (m *machine) groupLazy(s *step, i int, n int32) bool {
	for ; ; n++ {
		if m.match(s.next, i) {
			return true
		}
		if n >= s.max || !m.match(s.inner, i) || m.last == i {
			return false
		}
		m.capture(s, i, m.last)
		i = m.last
	}
}
