// Package prove decides assertions about a policy: whether there is any URL at
// all for which a promise such as "never allow http://*" is broken.
//
// Parse reads a file of assertions, and File.Check decides each one over every
// URL, not over samples: it holds, or it is refuted by a URL that the policy
// was asked about, or it was not decided. Where a platform looks its list up
// by an algorithm of its own, a refutation is found by trying, and an assertion
// that is not refuted is not decided.
//
// A line that cannot be read is a [*SyntaxError] with its place, and two lines that
// no policy can keep are a [*ContradictionError]. A refutation that is found is no
// error but a [Result]; [WriteText] and [WriteJSON] show results.
//
// The package is pure, and its functions are safe for concurrent use.
package prove

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy"
)

// Form is what an assertion says about its URLs.
type Form uint8

// The forms.
const (
	// Never: none of the URLs gets the verdict.
	Never Form = iota
	// Always: all of the URLs get the verdict.
	Always
	// Only: no other URL gets the verdict.
	Only
	// Same: all targets give the same verdict.
	Same
)

var formNames = [...]string{Never: "never", Always: "always", Only: "only", Same: "same"}

// String returns never, always, only or same.
func (f Form) String() string {
	if int(f) < len(formNames) {
		return formNames[f]
	}
	return "invalid-form"
}

// Assertion is one line of a file.
type Assertion struct {
	Form    Form
	Verdict policy.Verdict // of every form but Same
	// Kinds are the kinds of request that it speaks about, Targets the
	// targets.
	Kinds   []policy.Kind
	Targets []policy.Target
	// Text is the line as written, Place where it stands.
	Text  string
	Place policy.Place
	// urls are the URLs that it speaks about.
	urls urls
	// anywhere says that the line names no platform; bare are those of the targets
	// that it names without a version.
	anywhere bool
	bare     []policy.Target
	// alternatives are the other versions that a target's range allows.
	alternatives map[policy.Target][]policy.Target
}

// File is a file of assertions that do not contradict one another.
type File struct {
	Assertions []Assertion
}

// SyntaxError reports a line that is no assertion.
type SyntaxError struct {
	Place policy.Place
	Msg   string
}

// Error names the place and what is wrong there.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s: %s", e.Place, e.Msg) }

// ContradictionError reports two assertions that no policy can keep.
type ContradictionError struct {
	First, Second policy.Place
	// URL is one about which they say different things, for Kind on Target.
	URL    string
	Kind   policy.Kind
	Target policy.Target
}

// Error names both places and the URL.
func (e *ContradictionError) Error() string {
	return fmt.Sprintf("%s: contradicts line %d: no policy can keep both for %s (%s on %s)", e.Second, e.First.Line,
		e.URL, e.Kind, e.Target)
}

// Outcome is what was found out about an assertion. Its zero value is
// NotDecided.
type Outcome uint8

// The outcomes.
const (
	// NotDecided: nothing is known.
	NotDecided Outcome = iota
	// Holds: no URL breaks it.
	Holds
	// Refuted: a URL breaks it.
	Refuted
)

var outcomeNames = [...]string{NotDecided: "not decided", Holds: "holds", Refuted: "refuted"}

// String returns "not decided", "holds" or "refuted".
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "invalid-outcome"
}

// Result is what was found out about one assertion.
type Result struct {
	Assertion *Assertion
	Outcome   Outcome
	// Cases are the refutations, one for each target that has one, and what
	// was not decided.
	Cases []Case
	// Assumed are the targets that it is about whose version nothing names.
	Assumed []policy.Target
	// Note is something that a reader of a result should know, or "".
	Note string
}

// Case is one target and kind for which an assertion does not hold, or was not
// decided.
type Case struct {
	Outcome Outcome
	Target  policy.Target
	Kind    policy.Kind
	// URL is the witness of a refutation, and Decision what the target decides
	// about it.
	URL      string
	Decision policy.Decision
	// Other is the target that decides otherwise, and OtherDecision what;
	// only for Same.
	Other         policy.Target
	OtherDecision policy.Decision
	// Why says why it was not decided.
	Why string
}
