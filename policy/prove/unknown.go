package prove

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// unverified is the outcome of an assertion that nothing breaks, as far as is known
// what the platform does. It refuses for want of knowledge what could not be
// established: nothing is promised on that.
func (c *checker) unverified(a *Assertion, kind policy.Kind, r *reading) Case {
	const why = "what the platform does here could not be established"
	if rule := r.unreadable(kind); rule != nil {
		return Case{Outcome: NotDecided, Why: fmt.Sprintf("how the platform reads line %d could not be established: %s",
			rule.Place.Line, rule.Note)}
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
		if unknown := c.doc.Unknown(platform); len(unknown) > 0 {
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
