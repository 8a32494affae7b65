package prove

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// defaults returns the targets of an assertion that names none, nil for the strict
// reading. An app of Capacitor without a config.xml has nothing that the strict
// reading could be about: its list would be empty, and every promise would hold.
func (o *Options) defaults(doc *configxml.Document) ([]policy.Target, error) {
	if doc.Capacitor() == nil || len(doc.Root().Children) > 0 {
		return nil, nil
	}
	var list []policy.Target
	for _, t := range o.Targets {
		if strings.HasPrefix(t.Platform, "capacitor-") {
			list = append(list, t)
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	for _, name := range []string{"capacitor-android", "capacitor-ios"} {
		t, err := dialect.ParseTarget(name)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// about returns the assertion, about the default targets where it names none, and with
// the app's own versions where it names a platform alone; and which of the versions are
// assumed.
func (a *Assertion) about(defaults []policy.Target, o *Options) (made *Assertion, assumed []policy.Target) {
	other := *a
	switch {
	case a.anywhere && len(defaults) > 0:
		other.Targets = defaults
	case len(a.bare) > 0:
		other.Targets = nil
		for _, t := range a.Targets {
			other.Targets = append(other.Targets, a.own(t, o)...)
		}
	}
	for _, t := range other.Targets {
		unnamed := slices.Contains(a.bare, t) || a.anywhere && len(defaults) > 0
		if slices.Contains(o.Assumed, t) || unnamed && !slices.Contains(o.Targets, t) {
			assumed = append(assumed, t)
		}
	}
	return &other, assumed
}

// own returns the app's own versions of a platform that the assertion names alone.
func (a *Assertion) own(t policy.Target, o *Options) []policy.Target {
	var list []policy.Target
	if slices.Contains(a.bare, t) {
		for _, mine := range o.Targets {
			if mine.Platform == t.Platform {
				list = append(list, mine)
			}
		}
	}
	if len(list) == 0 {
		return []policy.Target{t}
	}
	return list
}
