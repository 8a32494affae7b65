package pattern

import (
	"strings"
	"unicode/utf8"
)

// lineEnd returns the length of the line end that s begins with, or 0.
func lineEnd(s string) int {
	switch s[0] {
	case '\n', '\r':
		return 1
	case 0xC2:
		if len(s) > 1 && s[1] == 0x85 {
			return 2
		}
	case 0xE2:
		if len(s) > 2 && s[1] == 0x80 && (s[2] == 0xA8 || s[2] == 0xA9) {
			return 3
		}
	}
	return 0
}

func hasLineEnd(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < ' ' || c >= 0xC2) && lineEnd(s[i:]) > 0 {
			return true
		}
	}
	return false
}

// mayHoldLineEnd reports whether the literal text of a glob may hold, or may
// combine with what stands before or behind it to, a line end.
func mayHoldLineEnd(s string) bool { return !utf8.ValidString(s) || hasLineEnd(s) }

// globCovers matches a glob without line ends in its text: then a string with
// a line end is not in the language, and in any other "*" is any run at all,
// so that only the last "*" ever needs to be tried again.
func globCovers(text, s string, fold bool) bool {
	if hasLineEnd(s) {
		return false
	}
	p, i := 0, 0
	star, mark := -1, 0
	for i < len(s) {
		switch {
		case p < len(text) && text[p] == '*':
			star, mark = p, i
			p++
		case p < len(text) && (text[p] == s[i] || fold && lower(text[p]) == lower(s[i])):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(text) && text[p] == '*' {
		p++
	}
	return p == len(text)
}

// generalGlobCovers matches any glob, by keeping the set of all positions that
// a match of the text so far can end at.
func generalGlobCovers(text, s string, fold bool) bool {
	ends := make([]bool, len(s)+1)
	ends[0] = true
	for n, literal := range strings.Split(text, "*") {
		if n > 0 {
			overStar(ends, s)
		}
		next := make([]bool, len(s)+1)
		for i := range ends {
			if j := i + len(literal); ends[i] && j <= len(s) && same(s[i:j], literal, fold) {
				next[j] = true
			}
		}
		ends = next
	}
	return ends[len(s)]
}

// overStar adds the positions that a run without line ends leads to.
func overStar(ends []bool, s string) {
	for i, reached := range ends {
		if !reached {
			continue
		}
		for j := i; j < len(s); j++ {
			if endsLine(s[i : j+1]) {
				break
			}
			ends[j+1] = true
		}
	}
}

func endsLine(s string) bool {
	for n := 1; n <= 3 && n <= len(s); n++ {
		if lineEnd(s[len(s)-n:]) == n {
			return true
		}
	}
	return false
}
