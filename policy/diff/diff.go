// Package diff says what two policies decide differently: what a change of a
// config.xml newly lets in, where two platforms disagree about one file, and
// what a new version of a platform changes.
//
// Policies are compared as sets of URLs, not line by line: what is reported is
// every class of URLs that is decided differently, with a URL of it that both
// policies were asked about. Where a platform looks its list up by an algorithm
// of its own, no set describes it exactly; there the candidates that the
// nearest sets give are tried one by one, and the report says so.
//
// [Compile] makes the two policies of a [Pair], [Compare] compares any number of
// pairs, and [Documents] does both for one file before and after. The [Report] has
// a [Line] for every difference and a [Doubt] for everything that was not decided;
// [WriteText], [WriteJSON], [WriteMarkdown] and [WriteGitHub] show it. Errors come
// from targets that are not known and from writers alone.
//
// The package is pure, and its functions are safe for concurrent use.
package diff

import (
	"bytes"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// Change is what happens to a class of URLs, seen from its old verdict to the
// new one.
type Change uint8

// The changes, in the order in which a report shows them.
const (
	// Allowed: the URLs newly load inside the app.
	Allowed Change = iota
	// Bypassed: the list is newly not asked, so the URLs go through.
	Bypassed
	// Launched: the URLs are newly handed to another app.
	Launched
	// Blocked: the URLs are newly refused.
	Blocked
)

var changeNames = [...]string{Allowed: "allowed", Bypassed: "bypassed", Launched: "launched", Blocked: "blocked"}

// String returns allowed, bypassed, launched or blocked.
func (c Change) String() string {
	if int(c) < len(changeNames) {
		return changeNames[c]
	}
	return "invalid-change"
}

// changeTo returns the change that ends in a verdict.
func changeTo(v policy.Verdict) Change {
	switch v {
	case policy.Allow:
		return Allowed
	case policy.Bypass:
		return Bypassed
	case policy.Launch:
		return Launched
	}
	return Blocked
}

// Widens reports whether going from one verdict to another lets more in: what
// was refused loads or is launched, or what was launched loads inside the app.
// A request that went through before and is handed to another app now does not.
func Widens(from, to policy.Verdict) bool { return reach(to) > reach(from) }

// Narrows reports whether going from one verdict to another lets less in.
func Narrows(from, to policy.Verdict) bool { return reach(to) < reach(from) }

func reach(v policy.Verdict) int {
	switch v {
	case policy.Allow, policy.Bypass:
		return 2
	case policy.Launch:
		return 1
	}
	return 0
}

// Pair is two policies to compare, most often of one target.
type Pair struct {
	Old, New *policy.Policy
}

// Options limit a comparison. The zero value compares every kind.
type Options struct {
	// Kinds are the kinds of request to compare; none: all.
	Kinds []policy.Kind
	// Steps is the budget of one question; see pattern.DefaultSteps. Zero is
	// twice that.
	Steps int
}

// Line is one class of URLs that is decided differently, and by which rules.
type Line struct {
	Change Change
	// Old and New are the decisions about URL.
	Old, New policy.Decision
	// URL is a witness: both policies of every pair in Where were asked about
	// it, for each of the kinds.
	URL string
	// Where are the pairs and kinds that the line holds for.
	Where []Where
	// Regions is how many classes of URLs the same rules decide so.
	Regions int
}

// Widens reports whether the line lets more in than before.
func (l *Line) Widens() bool { return Widens(l.Old.Verdict, l.New.Verdict) }

// Where is some kinds of request in some pairs of a Report.
type Where struct {
	// Pairs are indexes into Report.Pairs.
	Pairs []int
	Kinds []policy.Kind
}

// Doubt is something that could not be decided.
type Doubt struct {
	// Pair is an index into Report.Pairs.
	Pair  int
	Kinds []policy.Kind
	// Exhausted says that the budget was used up; otherwise a platform's
	// look-up is an algorithm and could only be sampled, or a difference of
	// the sets was none when the policies were asked.
	Exhausted bool
	// Why says so in a sentence.
	Why string
}

// Report is the result of a comparison.
type Report struct {
	Pairs []Pair
	// Lines are ordered: what widens first, then by change, rule and URL.
	Lines []Line
	// Doubts are what the lines do not speak about.
	Doubts []Doubt
}

// Widens reports whether something is newly let in.
func (r *Report) Widens() bool {
	for i := range r.Lines {
		if r.Lines[i].Widens() {
			return true
		}
	}
	return false
}

// Exhausted reports whether a budget was used up, so that differences may be
// missing.
func (r *Report) Exhausted() bool {
	for i := range r.Doubts {
		if r.Doubts[i].Exhausted {
			return true
		}
	}
	return false
}

// Compare compares the policies of each pair and merges what comes out: kinds
// and targets for which the same rules decide the same way share a line.
func Compare(pairs []Pair, o Options) *Report {
	if len(o.Kinds) == 0 {
		o.Kinds = policy.Kinds()
	}
	if o.Steps == 0 {
		o.Steps = 2 * pattern.DefaultSteps
	}
	report := &Report{Pairs: pairs}
	merged := newMerger(pairs)
	for i, pair := range pairs {
		c := comparison{pair: pair, options: o, number: i, report: report, merged: merged}
		c.run()
	}
	report.Lines = merged.lines()
	return report
}

// Documents compiles two documents for each target and compares them. from
// may name an older version of the platform for the old document; the zero
// target means the same.
func Documents(before, after *configxml.Document, targets []policy.Target, o Options) (*Report, error) {
	pairs := make([]Pair, 0, len(targets))
	for _, t := range targets {
		pair, err := Compile(before, t, after, t)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	return Compare(pairs, o), nil
}

// Compile makes a pair of two documents, each read as its own target.
func Compile(before *configxml.Document, from policy.Target, after *configxml.Document, to policy.Target) (Pair,
	error) {
	older, err := dialect.Compile(before, from)
	if err != nil {
		return Pair{}, err
	}
	if from == to && (before == after || sameFile(before, after)) {
		return Pair{older, older}, nil
	}
	newer, err := dialect.Compile(after, to)
	return Pair{older, newer}, err
}

// sameFile reports whether two documents are one file's, with nothing from other
// files beside it.
func sameFile(a, b *configxml.Document) bool {
	return bytes.Equal(a.Bytes(), b.Bytes()) && a.Name() == b.Name() && len(a.Parts()) == 0 && len(b.Parts()) == 0 &&
		a.Capacitor() == b.Capacitor()
}

// Versions returns the targets of a platform from one break to the next:
// between two neighbours it decides differently.
func Versions(p dialect.Platform) []policy.Target {
	list := make([]policy.Target, len(p.Breaks))
	for i, b := range p.Breaks {
		list[i] = policy.Target{Platform: p.Name, Version: b.Version}
	}
	return list
}
