package prove

import (
	"slices"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// contradictions returns an error for the first two assertions that no policy
// can keep. Only what always happens can be in the way of something else: a
// policy that lets nothing happen keeps every other assertion.
func (f *File) contradictions() error {
	for i := range f.Assertions {
		for j := range i {
			first, second := &f.Assertions[j], &f.Assertions[i]
			url := conflict(first, second)
			if url == "" {
				url = conflict(second, first)
			}
			if url == "" {
				continue
			}
			kind, target, shared := commonCase(first, second)
			if shared {
				return &ContradictionError{First: first.Place, Second: second.Place, URL: url, Kind: kind,
					Target: target}
			}
		}
	}
	return nil
}

// commonCase returns a kind and a target that both speak about.
func commonCase(a, b *Assertion) (policy.Kind, policy.Target, bool) {
	for _, t := range a.Targets {
		for _, kind := range a.Kinds {
			if slices.Contains(b.Targets, t) && slices.Contains(b.Kinds, kind) {
				return kind, t, true
			}
		}
	}
	return 0, policy.Target{}, false
}

// conflict returns a URL that must get a verdict because of always, and must
// not because of other, or "".
func conflict(always, other *Assertion) string {
	if always.Form != Always || other.Form == Same {
		return ""
	}
	if _, _, shared := commonCase(always, other); !shared {
		return ""
	}
	forbidden := other.Verdict == always.Verdict || other.Verdict == policy.Allow && always.Verdict == policy.Bypass
	var both pattern.URLSet
	switch {
	case other.Form == Always && other.Verdict != always.Verdict, other.Form == Never && forbidden:
		both = always.urls.all().Intersect(other.urls.all())
	case other.Form == Only && forbidden:
		both = always.urls.all().Minus(other.urls.all())
	default:
		return ""
	}
	url, outcome := both.Witness(pattern.DefaultSteps)
	if outcome != pattern.Found {
		return ""
	}
	return url
}
