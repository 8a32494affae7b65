package pattern

// Set is an index over many patterns. It is immutable and safe for concurrent
// use. The zero Set covers nothing.
type Set struct {
	patterns []Pattern
}

// NewSet indexes patterns; entry numbers are their positions.
func NewSet(patterns []Pattern) *Set { return &Set{patterns: patterns} }

// Match returns the number of the first pattern that covers the URL.
func (s *Set) Match(u *URL) (entry int, ok bool) {
	if s == nil {
		return -1, false
	}
	for i := range s.patterns {
		if s.patterns[i].Covers(u) {
			return i, true
		}
	}
	return -1, false
}
