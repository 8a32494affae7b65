package dialect

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect/javaregexp"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// Steps that a search may take. An expression without an equal in Go's syntax is
// searched for as Java does it, which for some takes longer than anyone waits;
// of many such expressions the first ones have more time, so that a decision's is
// bounded however many there are.
const (
	searchSteps     = 100_000
	fewSearches     = 16
	furtherSearches = 1_000
)

// javaSearch finds the URLs in which an expression is found, or, if undecided,
// those of which it cannot be said.
type javaSearch struct {
	expr      *javaregexp.Expression
	steps     int
	undecided bool
}

// Matches searches a URL.
func (s *javaSearch) Matches(url string) bool {
	outcome := s.expr.Find(url, s.steps)
	if s.undecided {
		return outcome == javaregexp.Undecided
	}
	return outcome == javaregexp.Found
}

// String tells searches apart.
func (s *javaSearch) String() string { return fmt.Sprint(s.undecided, " ", s.steps, " ", s.expr) }

// languageOf returns the URLs in which a Java expression is found. Those
// of which that cannot be said become undecided.
func (r *androidReader) languageOf(expr *javaregexp.Expression) (pattern.Language, error) {
	if translated, ok := expr.Go(); ok {
		if l, err := pattern.Expression(translated); err == nil {
			return l, nil
		}
	}
	search := &javaSearch{expr: expr, steps: searchSteps}
	if len(r.undecided) >= fewSearches {
		search.steps = furtherSearches
	}
	near, exact := expr.Near()
	l, err := pattern.Searched(search, near, exact)
	if err != nil {
		if l, err = pattern.Searched(search, "", false); err != nil {
			return pattern.Language{}, err
		}
	}
	open := *search
	open.undecided = true
	doubt := everything()
	if doubt.Whole, err = pattern.Searched(&open, neverFound, true); err != nil {
		return pattern.Language{}, err
	}
	r.undecided = append(r.undecided, doubt)
	return l, nil
}

// neverFound is an expression that is found in no text.
const neverFound = `[^\x00-\x{10FFFF}]`

// doubts are the steps for URLs that no entry covers for certain: those of which
// some entry cannot say whether it covers them are refused.
func (r *androidReader) doubts(unreadable bool, tests ...policy.Test) []policy.Step {
	var steps []policy.Step
	if len(r.undecided) > 0 {
		steps = append(steps, policy.Step{When: append(tests, policy.Among(r.undecided...)), Then: policy.Block,
			Reason: policy.Unverified})
	}
	if unreadable {
		steps = append(steps, policy.Step{When: tests, Then: policy.Block, Reason: policy.Unverified})
	}
	return steps
}
