package pattern

// search answers one Question.
type search struct {
	question Question
	yield    func(Region) bool
}

func newSearch(q Question, yield func(Region) bool) *search {
	return &search{question: q, yield: yield}
}

func (s *search) run() Outcome { return NotDecided }
