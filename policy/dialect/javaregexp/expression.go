// Package javaregexp reads the regular expressions of Java, as java.util.regex
// of OpenJDK 17 does, and searches for them: cordova-android took the origins of
// a config.xml for such expressions up to 3.0.
//
// [Parse] reads an expression. What Java refuses is [ErrRefused]; the very few
// that cannot be read here are [ErrUnreadable]. Of what was read there are three
// views: an expression of Go's syntax that is found in the same texts, where
// there is one ([Expression.Go]); one that is found at least in the texts of URLs
// as browsers write them ([Expression.Near]); and the search itself
// ([Expression.Find]), which follows Java's, so that look-around, references,
// atomic groups and possessive quantifiers are answered as well.
//
// The search is bounded by steps: an expression that Java itself would never be
// done with is Undecided.
//
// The package is pure, and an Expression is safe for concurrent use.
package javaregexp

import "unicode/utf8"

// Expression is a regular expression of Java. It is immutable.
type Expression struct {
	text    string
	tree    *node
	program *program
}

// maxText bounds the length of an expression that is read, in bytes.
const maxText = 1 << 14

// Parse reads an expression. The error is ErrRefused or ErrUnreadable.
func Parse(text string) (*Expression, error) {
	if !utf8.ValidString(text) || len(text) > maxText {
		return nil, ErrUnreadable
	}
	p, tree, err := parse([]rune(text))
	if err != nil {
		return nil, err
	}
	e := &Expression{text: text, tree: tree}
	if e.program, err = compiled(tree, p); err != nil {
		return nil, err
	}
	if p.doubt {
		return nil, ErrUnreadable
	}
	return e, nil
}

// compiled makes the program; a look behind without an end is found out by it.
func compiled(tree *node, p *parser) (prog *program, err error) {
	defer func() {
		if failed, ok := recover().(failure); ok {
			prog, err = nil, failed.error
		}
	}()
	return compile(tree, p), nil
}

// String returns the expression as it was written.
func (e *Expression) String() string { return e.text }

// Go returns an expression of Go's syntax that is found in the same texts, all
// texts, and whether there is one.
func (e *Expression) Go() (expr string, ok bool) {
	expr = translate(e.tree)
	return expr, expr != ""
}

// Near returns an expression of Go's syntax that is found in every text of
// printable ASCII in which this one is, and whether it is found in no other.
func (e *Expression) Near() (expr string, exact bool) { return approximate(e.tree) }

// Outcome is the answer of a search.
type Outcome uint8

// The outcomes.
const (
	// Undecided: the steps did not suffice, or the text asks what is not known
	// here, such as which code points beyond ASCII are one character.
	Undecided Outcome = iota
	// NotFound: the expression matches nowhere in the text.
	NotFound
	// Found: it matches somewhere.
	Found
)

// Find searches a text, within a number of steps.
func (e *Expression) Find(text string, steps int) Outcome {
	switch found, known := e.program.find(text, steps); {
	case !known:
		return Undecided
	case found:
		return Found
	}
	return NotFound
}
