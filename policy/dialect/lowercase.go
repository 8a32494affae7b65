package dialect

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lowerFull puts a string into lower case as Java and JavaScript do, outside of
// Turkish and Lithuanian. It differs from strings.ToLower for U+0130, which
// keeps its dot as a character of its own, and for a sigma at a word's end.
func lowerFull(s string) string {
	if !strings.ContainsAny(s, "\u0130\u03A3") {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\u0130':
			b.WriteString("i\u0307")
		case r == '\u03A3' && finalSigma(s, i):
			b.WriteRune('\u03C2')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// finalSigma is Unicode's condition Final_Sigma for the sigma at offset i: a
// cased letter comes before it and none after it, case-ignorable characters
// aside.
func finalSigma(s string, i int) bool {
	before := false
	for head := s[:i]; head != ""; {
		r, size := utf8.DecodeLastRuneInString(head)
		head = head[:len(head)-size]
		if !caseIgnorable(r) {
			before = cased(r)
			break
		}
	}
	if !before {
		return false
	}
	for _, r := range s[i+utf8.RuneLen('\u03A3'):] {
		if !caseIgnorable(r) {
			return !cased(r)
		}
	}
	return true
}

func cased(r rune) bool {
	return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) ||
		unicode.In(r, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func caseIgnorable(r rune) bool {
	return strings.ContainsRune("'.:^`\u00A8\u00AD\u00AF\u00B4\u00B7\u00B8\u2019", r) ||
		unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}
