package javaregexp

import (
	"math/rand/v2"
	"strings"
)

// generator makes expressions of every construct that the grammar has, and
// texts that they may be found in.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) *generator { return &generator{rand.New(rand.NewPCG(seed, 15))} }

func (g *generator) one(of []string) string { return of[g.IntN(len(of))] }

var (
	plainParts = strings.Split(`a b c x 1 A B - . / : & ^ $ ] } , = ! < > # _ ~ % é ß 😀 K ı`, " ")
	elements   = strings.Split(`. ^ $ \d \D \w \W \s \S \h \H \v \V \R \X \b \B \A \z \Z \G \t \n \r \f \a \e \cA `+
		`\c@ \07 \012 \0377 \0 \08 \x41 \x4 \x{62} \x{1F600} \x{110000} \u0061 \u00e9 \ud83d\ude00 \ud83d \- \. \/ \\ `+
		`\Qa.b\E \Q*\E \Q \E \Q1\E \1 \2 \10 \k<n> \k<m> \p{L} \pL \PN \p{Lu} \P{Ll} \p{Alpha} \p{Punct} `+
		`\p{IsLatin} \p{IsAlphabetic} \p{InGreek} \p{script=Grek} \p{blk=BasicLatin} \p{gc=Nd} \p{IsWhite_Space} `+
		`\p{javaLowerCase} \p{ASCII} \p{Lower} \p{Foo} \p \p{ \p{} \N{DIGIT_ONE} \N{SOLIDUS} \b{g} \b{x} \y \8 `+
		`(?i) (?s) (?m) (?d) (?x) (?u) (?U) (?-i) (?i-s) (?) (?c) (?q) \& \# \  \ü`, " ")
	classParts = strings.Split(
		`a b c x a-c x-a 0-9 A-Z \d \D \w \W \s \S \h \v \v-\r \x41-\x43 \u0061 \Qab\E \Q]\E \] `+
			`\- - ^ & && &&& [ ] [b] [^c] [a-b] \p{L} \P{L} \pN é ß-ü 😀 . $ * \cA \011 \b \1 K k ı # \ `,
		" ",
	)
	quantifiers = strings.Split(`? * + ?? *? +? ?+ *+ ++ {2} {1,2} {0,1} {0,} {1,}? {2}+ {0,2}+ {0} {,2} {2,1} {x} { `+
		`{1 {1, {1,2 {99999999999} {1001} ** ?* +++`, " ")
	groupStarts = strings.Split(`( ( (?: (?: (?= (?! (?<= (?<! (?> (?<n> (?<m> (?i: (?s-i: (?x: (?iu: (?U: (?m: `+
		`(?< (?<1> (?P<n> (?$`, " ")
)

// expression makes an expression. Few are left without an end that fits.
func (g *generator) expression(depth int) string {
	var b strings.Builder
	for range 1 + g.IntN(4) {
		switch n := g.IntN(20); {
		case n < 7:
			b.WriteString(g.one(plainParts[:9]))
		case n < 9:
			b.WriteString(g.one(plainParts))
		case n < 13:
			b.WriteString(g.one(elements))
		case n < 15:
			b.WriteString(g.class(2))
		case n < 16:
			b.WriteString("|")
		case depth > 0:
			b.WriteString(g.one(groupStarts) + g.expression(depth-1))
			if g.IntN(30) > 0 {
				b.WriteString(")")
			}
		}
		if g.IntN(3) == 0 {
			last := len(quantifiers)
			if g.IntN(6) > 0 {
				last = 16
			}
			b.WriteString(g.one(quantifiers[:last]))
		}
	}
	return b.String()
}

func (g *generator) class(depth int) string {
	var b strings.Builder
	b.WriteString("[")
	if g.IntN(4) == 0 {
		b.WriteString("^")
	}
	for range 1 + g.IntN(4) {
		if depth > 0 && g.IntN(8) == 0 {
			b.WriteString(g.class(depth - 1))
			continue
		}
		b.WriteString(g.one(classParts))
	}
	if g.IntN(30) > 0 {
		b.WriteString("]")
	}
	return b.String()
}

// noise changes an expression somewhere.
func (g *generator) noise(expr string) string {
	runes := []rune(expr)
	if len(runes) == 0 {
		return expr
	}
	at := g.IntN(len(runes))
	switch g.IntN(3) {
	case 0:
		return string(runes[:at]) + string(runes[at+1:])
	case 1:
		return string(runes[:at]) + g.one(plainParts) + string(runes[at:])
	}
	signs := []rune(`\[](){}*+?|^$.&-#QE`)
	return string(runes[:at]) + string(signs[g.IntN(len(signs))]) + string(runes[at:])
}

var textParts = strings.Split(
	"a a b b c x 1 A B - . / : & ^ ] } # _ é ß ü 😀 K ı k S ſ \n \r \r\n \u0085 \u2028 \t \v \x1b \x01 "+
		"\u0301 µ İ",
	" ",
)

func (g *generator) text(ascii bool) string {
	var b strings.Builder
	parts := textParts
	if ascii {
		parts = textParts[:18]
	}
	for range g.IntN(8) {
		b.WriteString(g.one(parts))
	}
	return b.String()
}
