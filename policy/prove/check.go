package prove

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// Options limit the work. The zero value is right for people who wait.
type Options struct {
	// Steps is the budget of one question; see pattern.DefaultSteps. Zero is
	// twice that.
	Steps int
	// Targets are the platforms that the app is built for: a platform that an assertion
	// names without a version is the app's own, if it is among them, else the latest
	// that is known. In a Capacitor app an assertion that names no platform is about those
	// of Capacitor.
	Targets []policy.Target
	// Assumed are those of the targets whose version nothing names.
	Assumed []policy.Target
	// Alternatives are the other versions that an assumed target may have, one for each
	// way in which they decide: what does not hold on one of them is not decided.
	Alternatives []policy.Target
}

// Check decides every assertion for a config.xml, in order.
func (f *File) Check(doc *configxml.Document, o Options) ([]Result, error) {
	targets, err := o.defaults(doc)
	if err != nil {
		return nil, err
	}
	if o.Steps == 0 {
		o.Steps = 2 * pattern.DefaultSteps
	}
	c := checker{doc: doc, steps: o.Steps, readings: map[policy.Target]*reading{}}
	results := make([]Result, len(f.Assertions))
	for i := range f.Assertions {
		r := &results[i]
		r.Assertion, r.Assumed = f.Assertions[i].about(targets, &o)
		if err := c.check(r); err != nil {
			return nil, err
		}
		r.Outcome = Holds
		for _, each := range r.Cases {
			if each.Outcome == Refuted {
				r.Outcome = Refuted
				break
			}
			r.Outcome = NotDecided
		}
		switch r.Outcome {
		case Holds:
			c.note(r)
		case Refuted:
			c.noteMixed(r)
		}
	}
	return results, nil
}

type checker struct {
	doc      *configxml.Document
	steps    int
	readings map[policy.Target]*reading
}

// reading is the document as one target reads it.
type reading struct {
	policy *policy.Policy
	reader *diff.Reader
	sets   map[policy.Kind]diff.Sets
}

func (c *checker) reading(t policy.Target) (*reading, error) {
	if r, ok := c.readings[t]; ok {
		return r, nil
	}
	compiled, err := dialect.Compile(c.doc, t)
	if err != nil {
		return nil, err
	}
	r := &reading{policy: compiled, reader: diff.NewReader(compiled), sets: map[policy.Kind]diff.Sets{}}
	c.readings[t] = r
	return r, nil
}

func (r *reading) setsOf(kind policy.Kind) diff.Sets {
	s, ok := r.sets[kind]
	if !ok {
		s = r.reader.Sets(kind)
		r.sets[kind] = s
	}
	return s
}

func (r *reading) decide(kind policy.Kind, url string) policy.Decision {
	return r.policy.Decide(policy.Request{URL: url, Kind: kind})
}

func (c *checker) check(r *Result) error {
	a := r.Assertion
	first, err := c.reading(a.Targets[0])
	if err != nil {
		return err
	}
	for i, t := range a.Targets {
		target, err := c.reading(t)
		if err != nil {
			return err
		}
		if a.Form == Same && i == 0 {
			continue
		}
		for _, kind := range a.Kinds {
			found := c.on(a, kind, first, target)
			if found.Outcome == Holds {
				found = c.doubt(a, t)
			}
			if found.Outcome == Holds {
				found, err = c.otherwise(a, kind, t)
			}
			if err != nil {
				return err
			}
			if found.Outcome != Holds {
				found.Kind, found.Target = kind, t
				if a.Form == Same {
					found.Target, found.Other = a.Targets[0], t
				}
				r.Cases = append(r.Cases, found)
			}
		}
	}
	return nil
}

// on decides an assertion for a kind on one target; where it is about the sameness of
// two, on both.
func (c *checker) on(a *Assertion, kind policy.Kind, first, target *reading) Case {
	one := c.promiseQuestion(a, kind, target)
	if a.Form == Same {
		one = c.samenessQuestion(a, kind, first, target)
	}
	found := c.search(one)
	if found.Outcome == Holds {
		found = c.unverified(a, kind, target)
	}
	if found.Outcome == Holds && a.Form == Same {
		found = c.unverified(a, kind, first)
	}
	return found
}

// question is one assertion for one target and one kind.
type question struct {
	// broken are the URLs that break the assertion, as far as sets can say.
	broken pattern.URLSet
	exact  bool
	// breaks asks the policies about a URL.
	breaks func(url string) (Case, bool)
	// candidates are sets whose regions are tried where broken is not exact.
	candidates []pattern.URLSet
}

// grants returns the URLs that get a verdict. What is bypassed goes through:
// where that would break a promise, it counts as allowed.
func grants(s diff.Sets, v policy.Verdict, bypass bool) pattern.URLSet {
	switch {
	case v == policy.Allow && bypass:
		return s.Allow.Union(s.Bypass)
	case v == policy.Allow:
		return s.Allow
	case v == policy.Launch:
		return s.Launch
	case v == policy.Bypass:
		return s.Bypass
	}
	return s.Allow.Union(s.Launch, s.Bypass).Complement()
}

// broken returns the URLs of a policy's sets that break an assertion.
func (a *Assertion) broken(s diff.Sets) pattern.URLSet {
	switch a.Form {
	case Always:
		return a.urls.all().Minus(grants(s, a.Verdict, false))
	case Only:
		return grants(s, a.Verdict, true).Minus(a.urls.all())
	}
	return a.urls.all().Intersect(grants(s, a.Verdict, true))
}

// breaks reports whether a decision about a URL breaks the assertion.
func (a *Assertion) breaks(url string, d policy.Decision) bool {
	granted := d.Verdict == a.Verdict || a.Verdict == policy.Allow && d.Verdict == policy.Bypass
	switch a.Form {
	case Always:
		return a.urls.has(url) && d.Verdict != a.Verdict
	case Only:
		return granted && !a.urls.has(url)
	}
	return granted && a.urls.has(url)
}

func (c *checker) promiseQuestion(a *Assertion, kind policy.Kind, r *reading) question {
	sets := r.setsOf(kind)
	return question{
		broken: a.broken(sets), exact: sets.Exact,
		candidates: []pattern.URLSet{a.urls.all(), sets.Allow, sets.Launch},
		breaks: func(url string) (Case, bool) {
			d := r.decide(kind, url)
			return Case{Outcome: Refuted, URL: url, Decision: d}, a.breaks(url, d)
		},
	}
}

func (c *checker) samenessQuestion(a *Assertion, kind policy.Kind, r, other *reading) question {
	x, y := r.setsOf(kind), other.setsOf(kind)
	var differ pattern.URLSet
	for _, v := range []policy.Verdict{policy.Allow, policy.Launch, policy.Bypass} {
		one, two := grants(x, v, false), grants(y, v, false)
		differ = differ.Union(one.Minus(two), two.Minus(one))
	}
	return question{
		broken: a.urls.all().Intersect(differ), exact: x.Exact && y.Exact,
		candidates: []pattern.URLSet{a.urls.all(), x.Allow, x.Launch, y.Allow, y.Launch},
		breaks: func(url string) (Case, bool) {
			one, two := r.decide(kind, url), other.decide(kind, url)
			found := Case{Outcome: Refuted, URL: url, Decision: one, OtherDecision: two}
			return found, one.Verdict != two.Verdict && a.urls.has(url)
		},
	}
}

// maxTries bounds how many URLs are tried.
const maxTries = 20_000

// search looks for a URL that breaks an assertion.
func (c *checker) search(q question) Case {
	var found Case
	tries, malformed := 0, 0
	try := func(url string) bool {
		tries++
		one, broken := q.breaks(url)
		if broken {
			found = one
		} else if one.Decision.Reason == policy.Malformed || one.OtherDecision.Reason == policy.Malformed {
			malformed++ // a URL that a platform cannot take apart is no URL of its sets
		}
		return broken
	}
	outcome := pattern.Question{Sets: []pattern.URLSet{q.broken}, Steps: c.steps}.Regions(func(r pattern.Region) bool {
		return !try(r.URL) && tries < maxTries
	})
	switch {
	case found.Outcome == Refuted:
		return found
	case q.exact && (outcome == pattern.Empty || outcome == pattern.Found && tries < maxTries && tries == malformed):
		return Case{Outcome: Holds}
	case outcome == pattern.NotDecided:
		return Case{Outcome: NotDecided, Why: "it took too many steps"}
	case q.exact:
		return Case{Outcome: NotDecided, Why: "a difference of the lists could not be confirmed with a URL"}
	}
	everything := func(uint64) bool { return true }
	pattern.Question{Sets: q.candidates, Steps: c.steps, Want: everything}.Regions(func(r pattern.Region) bool {
		broken := try(r.URL)
		for _, url := range diff.Spellings(r.URL) {
			broken = broken || try(url)
		}
		return !broken && tries < maxTries
	})
	if found.Outcome == Refuted {
		return found
	}
	return Case{Outcome: NotDecided,
		Why: fmt.Sprintf("the platform looks its list up by an algorithm, or by expressions that no set of URLs is "+
			"for; none of %d URLs that were tried breaks it", tries)}
}

// note looks whether something holds in the strict reading only, in which "*"
// is no address and a host without a port has its scheme's own.
func (c *checker) note(r *Result) {
	a := r.Assertion
	if a.Form != Never || len(a.urls.lists) == 0 {
		return
	}
	for _, t := range a.Targets {
		target, err := c.reading(t)
		if err != nil {
			return
		}
		for _, kind := range a.Kinds {
			near := a.urls.wide.Minus(a.urls.set).Intersect(grants(target.setsOf(kind), a.Verdict, true))
			url, outcome := near.Witness(c.steps)
			if outcome != pattern.Found {
				continue
			}
			if d := target.decide(kind, url); d.Verdict == a.Verdict || d.Verdict == policy.Bypass {
				r.Note = fmt.Sprintf("but %s is %s on %s for %s: \"*\" covers no address, and a host without a port "+
					"has its scheme's own; http:* and https:* are all URLs of a scheme",
					url, past[d.Verdict], t, kind)
				return
			}
		}
	}
}

// noteMixed says of a witness that no list stops and that the web view refuses all the
// same. A promise is about lists: what a page may ask depends on where it comes from,
// and a page of another origin may ask.
func (c *checker) noteMixed(r *Result) {
	for i := range r.Cases {
		each := &r.Cases[i]
		own := dialect.OwnOrigin(c.doc, each.Target)
		if each.Outcome == Refuted && each.Decision.Verdict != policy.Block && own.RefusesRequest(each.URL, each.Kind) {
			r.Note = fmt.Sprintf(
				"the list lets it pass; the web view of %s refuses it as mixed content to the app's own "+
					"pages, which come from %s",
				each.Target,
				own.Prefix(),
			)
			return
		}
	}
}

var past = [...]string{policy.Block: "blocked", policy.Allow: "allowed", policy.Launch: "launched",
	policy.Bypass: "never asked about"}
