package project

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/native"
)

// gradleValues are the values that scripts of Gradle write out: the placeholders of
// manifests, and resources (resValue). Scripts are read and not run: what is computed is
// not known.
type gradleValues struct {
	rows  []gradleValue
	doubt string
	// copied says that some type of builds begins with what the type debug has, unsure
	// that the type release may have other values than its block gives it, replaced how
	// often the placeholders that a release may have are given anew.
	copied, unsure bool
	replaced       int
}

// gradleValue is one value.
type gradleValue struct {
	// name is a placeholder's, or a resource's with its type; "" for all placeholders.
	name     string
	resource bool
	given    native.Given
	computed bool
	rank     gradleRank
}

func (g *gradleValues) placeholder(name string) native.Meaning { return g.of(name, false) }

func (g *gradleValues) resource(name string) native.Meaning { return g.of(name, true) }

func (g *gradleValues) of(name string, resource bool) native.Meaning {
	m := native.Meaning{Unknown: g.doubt}
	wins := !g.unsure && g.replaced < 2 && slices.ContainsFunc(g.rows, func(row gradleValue) bool {
		return row.rank == ofRelease && row.resource == resource && row.name == name
	})
	for _, row := range g.rows {
		switch {
		case row.resource != resource, row.name != name && row.name != "":
		case row.rank == ofDebugging && !g.copied, row.rank == belowRelease && wins:
		case row.computed:
			m.Unknown = fmt.Sprintf("%s:%d computes it", row.given.Place.File, row.given.Place.Line)
		default:
			m.Texts = append(m.Texts, row.given)
		}
	}
	return m
}

// gradleReader reads one script.
type gradleReader struct {
	name   string
	source configxml.Foreign
	end    int
	tokens []gradleToken
	blocks []gradleScope // those that are open, the outermost first
	values *gradleValues
	// own says that it is the script of the app's module, left that it may end before
	// what follows.
	own, left bool
	applied   []string
	// ranked and rank are the statement that was looked at last, and what its values are.
	ranked int
	rank   gradleRank
}

// Bounds on what is read of one script: how deep its blocks nest, how many statements of
// placeholders and resources it has, how many values they give, how many tokens are
// looked at for the name of a block, and how many a value may have.
const (
	maxBlocks     = 100
	maxStatements = 2000
	maxRows       = 10_000
	maxBefore     = 200
	maxLiteral    = 5000
)

// read adds what a script writes out, and returns the names of the scripts that it
// applies.
func (g *gradleValues) read(name string, data []byte) []string {
	r := &gradleReader{name: name, source: configxml.NewForeign(name, data), end: len(data),
		tokens: gradleTokens(data), values: g, own: ofApp(name), ranked: -1}
	statements := 0
	for i := 0; i < len(r.tokens); i++ {
		if len(r.blocks) > maxBlocks || statements > maxStatements || len(g.rows) > maxRows {
			g.doubt = mayGive(name, "it nests too deep, or has too many values")
			return r.applied
		}
		if r.tokens[i].kind == gradleName && slices.Contains(gradleStatements, r.tokens[i].text) {
			statements++
		}
		switch t := r.tokens[i]; {
		case t.is("{"):
			r.blocks = append(r.blocks, r.scope().in(r.opened(i)))
		case t.is("}"):
			if len(r.blocks) > 0 {
				r.blocks = r.blocks[:len(r.blocks)-1]
			}
		case t.kind != gradleName:
		case t.text == "manifestPlaceholders" || t.text == "addManifestPlaceholders" ||
			t.text == "addManifestPlaceholder":
			r.placeholders(i)
		case t.text == "resValue":
			r.resValue(i)
		case t.text == "applicationId":
			r.applicationID(i)
		case t.text == "initWith":
			r.initWith(i)
		case t.text == "from":
			r.applies(i)
		case t.text == "return":
			r.left = r.left || r.scope().leaves()
		}
	}
	return r.applied
}

// applies reads a statement that applies another script: apply from: 'x', apply(from =
// "x") or apply { from("x") }. A name that is computed is not known; those of Cordova's own
// scripts below platforms/ stand beside them, where all are read.
func (r *gradleReader) applies(at int) {
	if before := r.at(at - 1); before.text != "apply" &&
		!((before.is("(") || before.is("{")) && r.at(at-2).text == "apply") {
		return
	}
	i := at + 1
	for r.at(i).is(":") || r.at(i).is("=") || r.at(i).is("(") {
		i++
	}
	script := r.at(i)
	switch {
	case script.kind == gradleText && !strings.Contains(script.text, "://") && !path.IsAbs(script.text):
		r.applied = append(r.applied, path.Join(path.Dir(r.name), script.text))
	case !strings.HasPrefix(r.name, "platforms/"):
		place := r.source.Element(r.at(at).start, r.at(at).start, "").Place()
		r.values.doubt = fmt.Sprintf("%s:%d applies a script that is not known", place.File, place.Line)
	}
}

// gradleStatements are what values are read from.
var gradleStatements = []string{"manifestPlaceholders", "addManifestPlaceholders", "addManifestPlaceholder",
	"resValue", "applicationId"}

// at returns the i-th token, one that ends the file beyond it.
func (r *gradleReader) at(i int) gradleToken {
	if i < 0 || i >= len(r.tokens) {
		return gradleToken{kind: gradleEnd, text: "\n", start: r.end}
	}
	return r.tokens[i]
}

// opened returns the names of the block that the brace at i opens: those of debug { },
// buildTypes.debug { } and getByName("debug") { }.
func (r *gradleReader) opened(i int) []string {
	i--
	if r.at(i).is(")") {
		i = r.opening(i)
		if t := r.at(i + 1); t.kind == gradleText && r.at(i+2).is(")") &&
			slices.Contains(gradleGetters, r.at(i-1).text) {
			var before []string
			if r.at(i - 2).is(".") {
				before = r.chain(i - 3)
			}
			return append(before, t.text)
		}
		i--
	}
	return r.chain(i)
}

// chain returns the names that end at i: a.b.c.
func (r *gradleReader) chain(i int) []string {
	var list []string
	for r.at(i).kind == gradleName && len(list) < maxBefore {
		list = append(list, r.at(i).text)
		if !r.at(i - 1).is(".") {
			break
		}
		i -= 2
	}
	slices.Reverse(list)
	return list
}

// put notes a value that stands at a token.
func (r *gradleReader) put(at int, v gradleValue) {
	if len(r.values.rows) > maxRows {
		return
	}
	if r.ranked != at {
		r.ranked, r.rank = at, r.rankOf(at)
	}
	v.rank = r.rank
	start := r.at(at).start
	v.given.Place = r.source.Element(start, start, "").Place()
	r.values.rows = append(r.values.rows, v)
}

// literal reads the value at i: what is written out and nothing more. It returns the
// token behind it.
func (r *gradleReader) literal(i int) (text string, ok bool, next int) {
	t := r.at(i)
	switch t.kind {
	case gradleText:
		text, ok = t.text, true
	case gradleName:
		text, ok = t.text, t.text == "true" || t.text == "false" || t.text[0] >= '0' && t.text[0] <= '9'
	}
	for end := i + maxLiteral; ; {
		i++
		switch t := r.at(i); {
		case i >= end:
			return text, false, len(r.tokens)
		case t.kind == gradleEnd || slices.Contains([]string{",", "]", ")", "}", ";"}, t.text) && t.kind == gradleMark:
			return text, ok, i
		case t.is("[") || t.is("(") || t.is("{"):
			ok, i = false, r.closing(i)
		default:
			ok = false
		}
	}
}

// closing returns the token that closes the bracket at i.
func (r *gradleReader) closing(i int) int {
	for depth, end := 0, min(i+maxLiteral, len(r.tokens)); i < end; i++ {
		switch t := r.tokens[i]; {
		case t.is("[") || t.is("(") || t.is("{"):
			depth++
		case t.is("]") || t.is(")") || t.is("}"):
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(r.tokens)
}

// set notes the value at i of a placeholder.
func (r *gradleReader) set(at int, name string, i int) (next int) {
	text, ok, next := r.literal(i)
	r.put(at, gradleValue{name: name, given: native.Given{Text: text}, computed: !ok})
	return next
}

// placeholders reads a statement about placeholders, whose first name stands at i.
func (r *gradleReader) placeholders(at int) {
	i := at + 1
	switch key := r.at(i + 1); {
	case r.at(at).text == "addManifestPlaceholder" || r.at(i).is(".") && (key.text == "put" || key.text == "set"):
		if r.at(i).is(".") {
			i += 2
		}
		if name := r.at(i + 1); name.kind == gradleText && r.at(i+2).is(",") {
			r.set(at, name.text, i+3)
			return
		}
	case r.at(i).is(".") && (key.text == "putAll" || key.text == "plusAssign"):
		r.entries(at, i+2)
		return
	case r.at(i).is(".") && r.at(i+2).is("="):
		r.set(at, key.text, i+3)
		return
	case r.at(i).is("[") && key.kind == gradleText && r.at(i+2).is("]") && r.at(i+3).is("="):
		r.set(at, key.text, i+4)
		return
	case r.at(i).is("="):
		if rank := r.rankOf(at); rank == ofRelease || rank == ofAny {
			r.values.replaced++
		}
		r.entries(at, i+1)
		return
	case r.at(i).is("+") && key.is("="):
		r.entries(at, i+2)
		return
	case r.at(i).is("[") || r.at(i).is("(") || key.is(":"):
		r.entries(at, i)
		return
	}
	r.put(at, gradleValue{computed: true})
}

// mapMakers are the functions that make a map of pairs in Kotlin.
var mapMakers = []string{"mapOf", "mutableMapOf", "hashMapOf", "linkedMapOf"}

// entries reads a map: [a: "b"], (mapOf("a" to "b")), or a: "b" without brackets.
func (r *gradleReader) entries(at, i int) {
	for r.at(i).is("(") || slices.Contains(mapMakers, r.at(i).text) || r.at(i).kind == gradleEnd &&
		i < len(r.tokens) && (r.at(i-1).is("(") || r.at(i-1).is("=")) {
		i++
	}
	if r.at(i).is("[") {
		i++
	}
	for len(r.values.rows) <= maxRows {
		for r.at(i).is(",") || r.at(i).kind == gradleEnd && i < len(r.tokens) && r.at(i-1).is(",") ||
			r.at(i).kind == gradleEnd && i < len(r.tokens) && (r.at(i-1).is("[") || r.at(i-1).is("(")) {
			i++
		}
		t, sign := r.at(i), r.at(i+1)
		switch {
		case t.is(":") && sign.is("]"): // the empty map
			i++
			continue
		case t.is("]") || t.is(")") || t.kind == gradleEnd && r.at(i+1).is("]") ||
			t.kind == gradleEnd && r.at(i+1).is(")"):
			r.behind(at, i)
			return
		case t.kind == gradleText || t.kind == gradleName && (sign.is(":") || sign.text == "to"):
			if sign.is(":") || sign.text == "to" && sign.kind == gradleName {
				i = r.set(at, t.text, i+2)
				continue
			}
		case t.kind == gradleEnd && r.at(i-1).kind != gradleMark: // of a: "b" without brackets
			return
		}
		r.put(at, gradleValue{computed: true})
		return
	}
}

// behind sees that nothing is added to a map that ends at i.
func (r *gradleReader) behind(at, i int) {
	for r.at(i).is("]") || r.at(i).is(")") || r.at(i).kind == gradleEnd && i < len(r.tokens) &&
		(r.at(i+1).is("]") || r.at(i+1).is(")")) {
		i++
	}
	if t := r.at(i); t.kind != gradleEnd && !t.is("}") && !t.is(";") {
		r.put(at, gradleValue{computed: true})
	}
}

// resValue reads resValue "bool", "name", "true".
func (r *gradleReader) resValue(at int) {
	i := at + 1
	if r.at(i).is("(") {
		i++
	}
	kind, name := r.at(i), r.at(i+2)
	if kind.kind != gradleText || !r.at(i+1).is(",") || name.kind != gradleText || !r.at(i+3).is(",") {
		return // a resource whose name is not known: none of that name is found
	}
	text, ok, _ := r.literal(i + 4)
	r.put(at, gradleValue{name: kind.text + "/" + name.text, resource: true, given: native.Given{Text: text},
		computed: !ok})
}

// applicationID reads applicationId "org.example", which ${applicationId} stands for.
func (r *gradleReader) applicationID(at int) {
	i := at + 1
	if r.at(i).is("=") {
		i++
	}
	if t := r.at(i); t.kind == gradleText {
		r.put(at, gradleValue{name: "applicationId", given: native.Given{Text: t.text}})
	}
}
