package pattern

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// Language is a regular language over the bytes of one part of a URL. The zero
// Language is empty: it contains nothing. A Language is immutable.
type Language struct {
	text  string
	extra *extra
	form  form
	fold  bool
}

// extra is what few languages have, kept apart because there may be a million
// languages in memory.
type extra struct {
	re       *regexp.Regexp
	members  []Language
	searcher Searcher
	// nearest: the expression is wider than what the searcher finds.
	nearest bool
}

// Searcher finds a language's strings by a search of its own. It must be pure,
// and safe for concurrent use.
type Searcher interface {
	// Matches reports whether the language contains a string.
	Matches(s string) bool
	// String tells languages apart: searchers of one text are the same.
	String() string
}

type form uint8

const (
	none    form = iota
	all          // every string, and the absent part
	present      // every string
	exact
	prefix      // text and whatever follows
	within      // text, or text at a segment border
	glob        // "*" is a run of anything but line ends
	below       // text, or [A-Za-z0-9.-]* + "." + text
	belowLower  // text, or [a-z0-9.-]* + "." + text
	address     // begins with "[", or its last label is a number
	generalGlob // glob whose literal text has line ends or is not UTF-8
	expression
	union
	searched // text is the expression that the algebra takes
)

// Any returns the language of every string; it also covers an absent part.
func Any() Language { return Language{form: all} }

// Present returns the language of every string; it does not cover an absent
// part.
func Present() Language { return Language{form: present} }

// Exactly returns the language of one string.
func Exactly(s string) Language { return Language{form: exact, text: s} }

// Below returns the language of a host name and all names below it: h itself,
// and any run of ASCII letters, digits, "." and "-" that ends in a dot,
// followed by h.
func Below(host string) Language { return Language{form: below, text: host} }

// BelowInLowerCase is Below for platforms that compare case: the run before
// the name has no upper-case letters, even in a Fold of it.
func BelowInLowerCase(host string) Language { return Language{form: belowLower, text: host} }

// Address returns the language of hosts that are addresses: those that begin
// with "[", and those whose last label is a decimal number.
func Address() Language { return Language{form: address} }

// Prefix returns the language of the strings that begin with s.
func Prefix(s string) Language { return Language{form: prefix, text: s} }

// Within returns the language of a path and everything below it, at a segment
// border: /p, /p/ and /p/q, but not /pq. "/" and "" are the empty path and
// every path that begins with a slash.
func Within(path string) Language {
	return Language{form: within, text: strings.TrimRight(path, "/")}
}

// Glob returns the language of the strings that equal s where "*" stands for
// any run of characters other than line ends (LF, CR, NEL, LS, PS).
func Glob(s string) Language {
	switch {
	case !strings.Contains(s, "*"):
		return Exactly(s)
	case mayHoldLineEnd(s):
		return Language{form: generalGlob, text: s}
	}
	return Language{form: glob, text: s}
}

// maxExpression bounds the length of an expression that Expression compiles.
const maxExpression = 4096

// Expression returns the language of the strings in which a regular expression
// of Go's syntax finds a match; write \A and \z to anchor it. An expression
// longer than 4096 bytes, or one that package regexp does not read, is an
// error.
func Expression(expr string) (Language, error) {
	if len(expr) > maxExpression {
		return Language{}, fmt.Errorf("expression of %d bytes is longer than %d", len(expr), maxExpression)
	}
	if _, err := syntax.Parse(expr, syntax.Perl); err != nil {
		return Language{}, fmt.Errorf("read expression: %w", err)
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return Language{}, fmt.Errorf("compile expression: %w", err)
	}
	return Language{form: expression, text: expr, extra: &extra{re: re}}, nil
}

// Searched returns the language of the strings that a searcher finds, for what no
// expression of Go's syntax says. The algebra, which knows only URLs in their
// canonical spelling, takes the language of near: an expression that is found in
// each of these that the searcher finds. It is exact if it is found in no other
// of them.
func Searched(by Searcher, near string, exact bool) (Language, error) {
	l, err := Expression(near)
	if err != nil {
		return Language{}, err
	}
	return Language{form: searched, text: l.text, extra: &extra{searcher: by, nearest: !exact}}, nil
}

// Approximate reports whether the algebra takes something wider for the
// language.
func (l *Language) Approximate() bool {
	switch l.form {
	case searched:
		return l.extra.nearest
	case union:
		return slices.ContainsFunc(l.extra.members, func(m Language) bool { return m.Approximate() })
	}
	return false
}

// OneOf returns the union of languages; of none it is the empty language.
func OneOf(languages ...Language) Language {
	kept := make([]Language, 0, len(languages))
	for i := range languages {
		if !languages[i].IsZero() {
			kept = append(kept, languages[i])
		}
	}
	switch len(kept) {
	case 0:
		return Language{}
	case 1:
		return kept[0]
	}
	return Language{form: union, extra: &extra{members: kept}}
}

// Fold returns the language in which ASCII letters match in either case; other
// letters do not fold. It does not apply to expressions.
func (l Language) Fold() Language {
	switch l.form {
	case expression, searched:
		return l
	case union:
		folded := make([]Language, len(l.extra.members))
		for i, each := range l.extra.members {
			folded[i] = each.Fold()
		}
		l.extra = &extra{members: folded}
	}
	l.fold = true
	return l
}

// IsZero reports whether the language is the zero one, which is empty.
func (l Language) IsZero() bool { return l.form == none }

// Exact returns the one text of the language that Exactly made, and whether it
// is such a language.
func (l Language) Exact() (text string, ok bool) { return l.text, l.form == exact }

// Contains reports whether the language contains the string.
func (l Language) Contains(s string) bool { return l.covers(s, true) }

// equal reports whether two languages are written the same way; languages that
// are equal as sets may differ in it.
func (l *Language) equal(m *Language) bool {
	if l.form != m.form || l.fold != m.fold || l.text != m.text {
		return false
	}
	switch {
	case l.form == searched:
		return l.extra.nearest == m.extra.nearest && l.extra.searcher.String() == m.extra.searcher.String()
	case l.form != union, l.extra == m.extra:
		return true
	}
	if len(l.extra.members) != len(m.extra.members) {
		return false
	}
	for i := range l.extra.members {
		if !l.extra.members[i].equal(&m.extra.members[i]) {
			return false
		}
	}
	return true
}

// hostKey returns the text by which a table leads to the hosts of a language,
// and whether one does: the hosts are the text, or end in a dot and the text.
func (l *Language) hostKey() (text string, ok bool) {
	switch l.form {
	case exact, below, belowLower:
		return l.text, len(l.text) <= maxKey
	case glob:
		text, ok = strings.CutPrefix(l.text, "*.")
		return text, ok && len(text) <= maxKey && !strings.Contains(text, "*")
	}
	return "", false
}
