package javaregexp

// loopStart goes into a loop for the first time.
func (m *machine) loopStart(s *step, i int) bool {
	saved := m.locals[s.counter]
	defer func() { m.locals[s.counter] = saved }()
	if s.memo >= 0 && m.failed[s.memo] == nil {
		m.failed[s.memo] = make([]bool, len(m.text)+1)
		m.left -= len(m.text) / 64
	}
	if s.min <= 0 && s.mode == lazy && m.match(s.next, i) {
		return true
	}
	if s.max > 0 {
		m.locals[s.counter] = 1
		if m.match(s.inner, i) {
			return true
		}
	}
	return s.min <= 0 && s.mode == greedy && m.match(s.next, i)
}

// loop goes round once more, or on: where the group took nothing, on.
func (m *machine) loop(s *step, i int) bool {
	if i <= m.locals[s.local] {
		return m.match(s.next, i)
	}
	n := int32(m.locals[s.counter])
	switch {
	case n < s.min:
		return m.again(s, i, n)
	case s.mode == lazy:
		return m.match(s.next, i) || n < s.max && m.again(s, i, n)
	case n < s.max && (s.memo < 0 || !m.failed[s.memo][i]):
		if m.again(s, i, n) {
			return true
		}
		if s.memo >= 0 {
			m.failed[s.memo][i] = true
		}
	}
	return m.match(s.next, i)
}

func (m *machine) again(s *step, i int, n int32) bool {
	m.locals[s.counter] = int(n) + 1
	if m.match(s.inner, i) {
		return true
	}
	m.locals[s.counter] = int(n)
	return false
}
