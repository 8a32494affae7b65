package prove

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// defaults returns the targets of an assertion that names none, nil for the strict
// reading alone. In an app of Capacitor they are its platforms: nothing there reads a
// config.xml that lies beside the configuration, and the strict reading of it would let
// promises hold that the app breaks. Where something else is built from that file, or
// nobody says what is, the strict reading counts besides.
func (o *Options) defaults(doc *configxml.Document) ([]policy.Target, error) {
	if doc.Capacitor() == nil {
		return nil, nil
	}
	var list []policy.Target
	others := len(o.Targets) == 0
	for _, t := range o.Targets {
		if strings.HasPrefix(t.Platform, "capacitor-") {
			list = append(list, t)
		} else {
			others = true
		}
	}
	if len(list) == 0 {
		for _, name := range []string{"capacitor-android", "capacitor-ios"} {
			t, err := dialect.ParseTarget(name)
			if err != nil {
				return nil, err
			}
			list = append(list, t)
		}
	}
	if others && len(doc.Root().Children) > 0 {
		list = append(list, policy.Target{Platform: dialect.Strict})
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
		if t.Version.IsZero() {
			continue // it has none
		}
		unnamed := slices.Contains(a.bare, t) || a.anywhere && len(defaults) > 0
		if slices.Contains(o.Assumed, t) || unnamed && !slices.Contains(o.Targets, t) {
			assumed = append(assumed, t)
		}
	}
	other.alternatives = a.alternativesOf(other.Targets, o)
	return &other, assumed
}

// alternativesOf returns the other versions that assumed targets may have, for those
// whose version the assertion does not name.
func (a *Assertion) alternativesOf(targets []policy.Target, o *Options) map[policy.Target][]policy.Target {
	made := map[policy.Target][]policy.Target{}
	for _, t := range targets {
		written := slices.Contains(a.Targets, t) && !slices.Contains(a.bare, t)
		if written || !slices.Contains(o.Assumed, t) {
			continue
		}
		for _, other := range o.Alternatives {
			if other.Platform == t.Platform && other != t {
				made[t] = append(made[t], other)
			}
		}
	}
	return made
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
