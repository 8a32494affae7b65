package policy

import (
	"regexp"
	"strings"
)

// Range is a version range as npm reads it.
type Range struct {
	// Lowest is the lowest version that it names, zero for none.
	Lowest Version
	// One says that it is one version, or versions of one major from one on, such as
	// 1.2.3, ~1.2.3 and ^1.2.3; Exact that it is one version.
	One, Exact bool
	spans      []span
}

// span is the versions from the first to below the second, where it ends. One that ends
// at 0.0.0 has no version.
type span struct {
	from, below Version
	ends        bool
}

// to is the span up to a version.
func to(from, below Version) span { return span{from, below, true} }

// both is what two spans have in common.
func (s span) both(other span) span {
	if other.from.Compare(s.from) > 0 {
		s.from = other.from
	}
	if other.ends && (!s.ends || other.below.Compare(s.below) < 0) {
		s.below, s.ends = other.below, true
	}
	return s
}

// has reports whether there is a version in the span.
func (s span) has() bool { return !s.ends || s.from.Compare(s.below) < 0 }

// comparator is one part of a range: what it asks for, and one to three numbers, of
// which each may be any.
var comparator = regexp.MustCompile(`^(|=|v|=v|\^|~|~>|>=|>|<=|<)([0-9]{1,4}|[xX*])` +
	`(?:\.([0-9]{1,4}|[xX*]))?(?:\.([0-9]{1,4}|[xX*]))?(?:[-+][0-9A-Za-z.+-]+)?$`)

// spaced is the space between what a part of a range asks for and its version.
var spaced = regexp.MustCompile(`([<>=~^]) +`)

// ParseRange reads a version range. It is not ok for what npm takes for something
// else: an address, a folder, a file, another package's name or a tag.
func ParseRange(spec string) (r Range, ok bool) {
	sets := strings.Split(spaced.ReplaceAllString(spec, "$1"), "||")
	for _, set := range sets {
		all := span{}
		parts := strings.Fields(set)
		if len(parts) == 3 && parts[1] == "-" {
			parts = []string{">=" + parts[0], "<=" + parts[2]}
		}
		for _, part := range parts {
			m := comparator.FindStringSubmatch(part)
			if m == nil {
				return Range{}, false
			}
			s, one, exact := compared(m[1], m[2:])
			if len(sets) == 1 && len(parts) == 1 {
				r.One, r.Exact = one, exact
			}
			all = all.both(s)
		}
		if len(r.spans) == 0 || all.from.Compare(r.Lowest) < 0 {
			r.Lowest = all.from
		}
		r.spans = append(r.spans, all)
	}
	return r, true
}

// compared is what one part of a range allows.
func compared(asks string, numbers []string) (s span, one, exact bool) {
	var n [3]int
	said := 0
	for ; said < 3; said++ {
		v, err := ParseVersion(numbers[said])
		if err != nil {
			break
		}
		n[said] = v.Major
	}
	at := Version{Major: n[0], Minor: n[1], Patch: n[2]}
	if said == 0 {
		return span{ends: asks == "<" || asks == ">"}, false, false // no version is beyond all
	}
	anyPart := said < 3 && numbers[said] != ""
	next := nextOf(at, said)
	switch asks {
	case ">=":
		return span{from: at}, false, false
	case ">":
		return span{from: next}, false, false
	case "<=":
		return to(Version{}, next), false, false
	case "<":
		return to(Version{}, at), false, false
	case "^":
		for parts := 1; parts <= 3; parts++ {
			if n[parts-1] > 0 || parts == 3 || said == parts {
				return to(at, nextOf(at, parts)), !anyPart, false
			}
		}
	case "~", "~>":
		return to(at, nextOf(at, min(said, 2))), !anyPart, false
	}
	return to(at, next), !anyPart, said == 3
}

// nextOf is the first version after all that begin with so many numbers of one.
func nextOf(v Version, numbers int) Version {
	switch numbers {
	case 1:
		return Version{Major: v.Major + 1}
	case 2:
		return Version{Major: v.Major, Minor: v.Minor + 1}
	}
	return Version{Major: v.Major, Minor: v.Minor, Patch: v.Patch + 1}
}

// Allows reports whether a version is in the range.
func (r Range) Allows(v Version) bool {
	for _, s := range r.spans {
		if v.Compare(s.from) >= 0 && (!s.ends || v.Compare(s.below) < 0) {
			return true
		}
	}
	return false
}

// First returns the lowest version of the range from one version on and below another,
// which is zero for no limit; false if the range has none there.
func (r Range) First(from, below Version) (v Version, ok bool) {
	within := span{from, below, !below.IsZero()}
	for _, s := range r.spans {
		if s = s.both(within); s.has() && (!ok || s.from.Compare(v) < 0) {
			v, ok = s.from, true
		}
	}
	return v, ok
}
