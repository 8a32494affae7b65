package javaregexp

import (
	"slices"
	"unicode"
)

// set is a set of code points: sorted ranges that neither touch nor overlap, as
// first and last, one after the other. A nil set is empty.
type set []rune

func only(r rune) set { return set{r, r} }

// setOf returns the set of ranges in any order.
func setOf(bounds ...rune) set {
	type span struct{ first, last rune }
	spans := make([]span, 0, len(bounds)/2)
	for i := 0; i+1 < len(bounds); i += 2 {
		if bounds[i] <= bounds[i+1] {
			spans = append(spans, span{bounds[i], bounds[i+1]})
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.first - b.first) })
	var s set
	for _, each := range spans {
		if n := len(s); n > 0 && each.first <= s[n-1]+1 {
			s[n-1] = max(s[n-1], each.last)
			continue
		}
		s = append(s, each.first, each.last)
	}
	return s
}

// setOfTables returns the union of tables of package unicode.
func setOfTables(tables ...*unicode.RangeTable) set {
	var bounds []rune
	for _, table := range tables {
		for _, r := range table.R16 {
			bounds = appendStrided(bounds, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range table.R32 {
			bounds = appendStrided(bounds, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return setOf(bounds...)
}

func appendStrided(bounds []rune, first, last, stride rune) []rune {
	if stride == 1 {
		return append(bounds, first, last)
	}
	for r := first; r <= last; r += stride {
		bounds = append(bounds, r, r)
	}
	return bounds
}

func (s set) has(r rune) bool {
	low, high := 0, len(s)/2
	for low < high {
		middle := (low + high) / 2
		switch {
		case r < s[2*middle]:
			high = middle
		case r > s[2*middle+1]:
			low = middle + 1
		default:
			return true
		}
	}
	return false
}

// or returns the union with other sets.
func (s set) or(others ...set) set {
	for _, other := range others {
		s = merged(s, other)
	}
	return s
}

// merged is the union of two sets, in one pass.
func merged(s, other set) set {
	if len(s) == 0 || len(other) == 0 {
		return append(s[:len(s):len(s)], other...)
	}
	out := make(set, 0, len(s)+len(other))
	for i, j := 0, 0; i < len(s) || j < len(other); {
		from := &s
		at := &i
		if i == len(s) || j < len(other) && other[j] < s[i] {
			from, at = &other, &j
		}
		first, last := (*from)[*at], (*from)[*at+1]
		*at += 2
		if n := len(out); n > 0 && first <= out[n-1]+1 {
			out[n-1] = max(out[n-1], last)
			continue
		}
		out = append(out, first, last)
	}
	return out
}

// within returns the part of the set between two code points.
func (s set) within(first, last rune) set {
	var out set
	for i := 0; i < len(s); i += 2 {
		if low, high := max(s[i], first), min(s[i+1], last); low <= high {
			out = append(out, low, high)
		}
	}
	return out
}

func (s set) not() set {
	var out set
	next := rune(0)
	for i := 0; i < len(s); i += 2 {
		if s[i] > next {
			out = append(out, next, s[i]-1)
		}
		next = s[i+1] + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, next, unicode.MaxRune)
	}
	return out
}

func (s set) and(other set) set { return s.not().or(other.not()).not() }

// all is every code point.
var all = set{0, unicode.MaxRune}

// ascii returns the set of ranges of ASCII that are written in pairs: "azAZ".
func ascii(pairs string) set { return setOf([]rune(pairs)...) }

// The sets that have names in the syntax, without flags.
var (
	lineEnds   = setOf('\n', '\n', '\r', '\r', 0x85, 0x85, 0x2028, 0x2029)
	vertical   = setOf('\n', '\r', 0x85, 0x85, 0x2028, 0x2029)
	horizontal = setOf('\t', '\t', ' ', ' ', 0xA0, 0xA0, 0x1680, 0x1680, 0x180E, 0x180E, 0x2000, 0x200A,
		0x202F, 0x202F, 0x205F, 0x205F, 0x3000, 0x3000)
	notLineEnds = lineEnds.not()
	notNewline  = only('\n').not()
	asciiDigits = ascii("09")
	asciiWord   = ascii("09AZaz__")
	asciiSpace  = setOf('\t', '\r', ' ', ' ')
)

// folding knows which code points are cased, so that flags (?iu) need not look
// at all others. The zero folding is ready to use.
type folding struct {
	cased []rune
	// byFold has the code points by their lower case of their upper case.
	byFold map[rune][]rune
}

// fold is the form that two code points share if they differ in case only: the
// lower case of the upper case, as Java compares.
func fold(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

func (f *folding) load() {
	if f.byFold != nil {
		return
	}
	f.byFold = map[rune][]rune{}
	for _, each := range unicode.CaseRanges {
		for r := rune(each.Lo); r <= rune(each.Hi); r++ {
			f.cased = append(f.cased, r)
			f.byFold[fold(r)] = append(f.byFold[fold(r)], r)
		}
	}
}

// one is the set of the code points that equal r in any case.
func (f *folding) one(r rune) set {
	f.load()
	to := fold(r)
	bounds := []rune{to, to}
	for _, each := range f.byFold[to] {
		bounds = append(bounds, each, each)
	}
	return setOf(bounds...)
}

// between is the set of a range in any case.
func (f *folding) between(first, last rune) set {
	f.load()
	in := func(r rune) bool { return first <= r && r <= last }
	bounds := []rune{first, last}
	for _, r := range f.cased {
		if in(unicode.ToUpper(r)) || in(fold(r)) {
			bounds = append(bounds, r, r)
		}
	}
	return setOf(bounds...)
}

// asciiBetween is a range in which ASCII letters count in either case.
func asciiBetween(first, last rune) set {
	bounds := []rune{first, last}
	for r := rune('a'); r <= 'z'; r++ {
		upper := r - 'a' + 'A'
		if first <= r && r <= last || first <= upper && upper <= last {
			bounds = append(bounds, r, r, upper, upper)
		}
	}
	return setOf(bounds...)
}

func isASCIILetter(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' && r < 0x80 }

func lowerASCII(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

func upperASCII(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}
