package pattern

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Language is a regular language over the bytes of one part of a URL. The zero
// Language is empty: it contains nothing.
type Language struct {
	form form
	fold bool
	text string
	re   *regexp.Regexp
	any  []Language
}

type form uint8

const (
	none    form = iota
	all          // every string, and the absent part
	present      // every string
	exact
	below  // text, or [A-Za-z0-9.-]* + "." + text
	prefix // text and whatever follows
	within // text, or text at a segment border
	glob   // "*" is a run of anything but line ends
	expression
	union
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

// Prefix returns the language of the strings that begin with s.
func Prefix(s string) Language { return Language{form: prefix, text: s} }

// Within returns the language of a path and everything below it, at a segment
// border: /p, /p/ and /p/q, but not /pq. "/" and "" are every path.
func Within(path string) Language {
	return Language{form: within, text: strings.TrimRight(path, "/")}
}

// Glob returns the language of the strings that equal s where "*" stands for
// any run of characters other than line ends (LF, CR, NEL, LS, PS).
func Glob(s string) Language {
	if !strings.Contains(s, "*") {
		return Exactly(s)
	}
	return Language{form: glob, text: s, re: regexp.MustCompile(globExpression(s))}
}

const lineEndless = "[^\n\r\u0085\u2028\u2029]*"

func globExpression(s string) string {
	parts := strings.Split(s, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return `\A(?:` + strings.Join(parts, lineEndless) + `)\z`
}

// maxExpression bounds the length of an expression that Expression compiles.
const maxExpression = 4096

// Expression returns the language of the strings in which a regular expression
// of Go's syntax finds a match; write \A and \z to anchor it.
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
	return Language{form: expression, text: expr, re: re}, nil
}

// OneOf returns the union of languages.
func OneOf(languages ...Language) Language {
	if len(languages) == 1 {
		return languages[0]
	}
	return Language{form: union, any: languages}
}

// Fold returns the language in which ASCII letters match in either case; other
// letters do not fold. It does not apply to expressions.
func (l Language) Fold() Language {
	l.fold = true
	if l.form == glob {
		l.re = regexp.MustCompile(foldASCII(globExpression(l.text)))
	}
	if l.form == union {
		folded := make([]Language, len(l.any))
		for i, each := range l.any {
			folded[i] = each.Fold()
		}
		l.any = folded
	}
	return l
}

// IsZero reports whether the language is the empty one.
func (l Language) IsZero() bool { return l.form == none }

// Contains reports whether the language contains the string.
func (l Language) Contains(s string) bool { return l.covers(s, true) }
