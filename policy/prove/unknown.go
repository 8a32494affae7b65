package prove

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// unverified is the outcome of an assertion that nothing breaks, as far as is known
// what the platform does. It refuses for want of knowledge what could not be
// established: nothing is promised on that.
func (c *checker) unverified(a *Assertion, kind policy.Kind, r *reading) Case {
	const why = "what the platform does here could not be established"
	if rule := r.unreadable(kind); rule != nil {
		return Case{Outcome: NotDecided, Why: fmt.Sprintf("how the platform reads %s could not be established: %s",
			rule.Place, rule.Note)}
	}
	about := a.urls.all()
	if a.Form == Only {
		about = about.Complement()
	}
	doubtful := about.Intersect(r.reader.Unverified(kind))
	found, tries := "", 0
	outcome := pattern.Question{Sets: []pattern.URLSet{doubtful}, Steps: c.steps}.Regions(func(at pattern.Region) bool {
		if tries++; r.decide(kind, at.URL).Reason == policy.Unverified {
			found = at.URL
		}
		return found == "" && tries < maxTries
	})
	switch {
	case found != "":
		return Case{Outcome: NotDecided, Why: why + ", such as for " + found}
	case outcome == pattern.NotDecided || tries == maxTries:
		return Case{Outcome: NotDecided, Why: why}
	}
	return Case{Outcome: Holds}
}

// unreadable returns an entry that a platform may read in a way that is not known,
// where it asks its list about a kind of request; nil where the order of decision
// itself says, behind the list, of which URLs it is not known.
func (r *reading) unreadable(kind policy.Kind) *policy.Rule {
	asked := false
	for _, step := range r.policy.Steps(kind, false) {
		if asked && step.Reason == policy.Unverified {
			return nil
		}
		for _, test := range step.When {
			asked = asked || test.List() >= 0
		}
	}
	rules := r.policy.Rules()
	for i := range rules {
		if asked && rules[i].Flaw == policy.Unreadable {
			return &rules[i]
		}
	}
	return nil
}

// doubt is the outcome of an assertion that nothing in the document breaks: it
// holds only if the document is all that ships. A plugin that is named and not
// there may add what breaks it.
func (c *checker) doubt(a *Assertion, t policy.Target) Case {
	platforms := []string{t.Platform}
	if a.Form == Same {
		platforms = append(platforms, a.Targets[0].Platform)
	}
	for _, platform := range platforms {
		if unknown := dialect.Unknown(c.doc, platform); len(unknown) > 0 {
			why := unknown[0].What
			if at := unknown[0].Place; !at.IsZero() {
				why += " (" + at.String() + ")"
			}
			if n := len(unknown) - 1; n > 0 {
				why += fmt.Sprintf(" (and %d more that is not known)", n)
			}
			return Case{Outcome: NotDecided, Why: "nothing that is known breaks it, but " + why}
		}
	}
	return Case{Outcome: Holds}
}

// otherwise is the outcome of an assertion that holds on a target whose version is
// assumed: it must hold on each version that may be it. What a version is found to
// break refutes nothing, as it may not be the app's.
func (c *checker) otherwise(a *Assertion, kind policy.Kind, t policy.Target) (Case, error) {
	firsts := []policy.Target{a.Targets[0]}
	if a.Form == Same {
		firsts = append(firsts, a.alternatives[a.Targets[0]]...)
	}
	for i, first := range firsts {
		for j, target := range append([]policy.Target{t}, a.alternatives[t]...) {
			if i == 0 && j == 0 {
				continue // which is the one that holds
			}
			one, err := c.reading(first)
			if err != nil {
				return Case{}, err
			}
			other, err := c.reading(target)
			if err != nil {
				return Case{}, err
			}
			if found := c.on(a, kind, one, other); found.Outcome != Holds {
				if i > 0 && j == 0 {
					target = first
				}
				return Case{Outcome: NotDecided, Why: whyOther(target, &found)}, nil
			}
		}
	}
	return Case{Outcome: Holds}, nil
}

// whyOther says what breaks an assertion on another version.
func whyOther(t policy.Target, found *Case) string {
	why := fmt.Sprintf("it holds on the version that is assumed, but the project may be built with %s: ", t)
	if found.Outcome == Refuted {
		return why + found.URL + " breaks it there"
	}
	return why + found.Why
}
