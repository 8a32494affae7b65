package project

import (
	"path"
	"slices"
	"strings"
)

// gradleRank says which builds have a value. The type of a build comes before its
// flavours and the defaults, and what code says of variants comes after all of them.
type gradleRank uint8

const (
	// ofAny is a value that some build may have, whatever else is written.
	ofAny gradleRank = iota
	// ofRelease is what every build of the type release has before code changes it.
	ofRelease
	// belowRelease is a value of the defaults, of a flavour or of another type.
	belowRelease
	// ofDebugging is a value of the type debug.
	ofDebugging
)

// maxPath is how many names of the blocks around a statement are kept.
const maxPath = 6

// gradleScope says which blocks stand around a statement.
type gradleScope struct {
	// path are their names, without an android that all stand in; after maxPath of them
	// long is set.
	path []string
	long bool
	// inTypes says that the last of them is buildTypes, build is the name behind the
	// last buildTypes, "" for none.
	inTypes bool
	build   string
}

// in is the scope of a block, with those names, that stands in this one; a block without
// a name has one that nothing else has.
func (s gradleScope) in(names []string) gradleScope {
	if len(names) == 0 {
		names = []string{""}
	}
	s.path = slices.Clip(s.path)
	for _, name := range names {
		switch {
		case name == "buildTypes":
			s.inTypes, s.build = true, ""
		case s.inTypes:
			s.inTypes, s.build = false, name
		}
		switch {
		case name == "android" && len(s.path) == 0:
		case len(s.path) < maxPath:
			s.path = append(s.path, name)
		default:
			s.long = true
		}
	}
	return s
}

// Names of blocks: those that go over several types of builds or choose among them,
// those that are conditions, and functions that return the type or flavour of a name.
var (
	gradleChoices = []string{"", "all", "any", "configureEach", "each", "filter", "find", "findAll", "forEach", "if",
		"else", "matching", "whenObjectAdded", "withType"}
	gradleConditions = []string{"if", "else", "for", "while", "when", "switch", "try", "catch", "finally", "do"}
	gradleGetters    = []string{"getByName", "named", "create", "register", "maybeCreate"}
)

// rank says which builds have what stands in a scope.
func (s gradleScope) rank() gradleRank {
	conditions := func(from int) bool {
		return !s.long && !slices.ContainsFunc(s.path[from:], func(name string) bool {
			return !slices.Contains(gradleConditions, name)
		})
	}
	switch path := s.path; {
	case s.build == "debug":
		return ofDebugging
	case len(path) == 2 && path[0] == "buildTypes" && path[1] == "release":
		return ofRelease
	case len(path) > 0 && path[0] == "defaultConfig" && conditions(1),
		len(path) > 1 && path[0] == "productFlavors" && conditions(2),
		len(path) > 1 && path[0] == "buildTypes" && path[1] != "release" && conditions(2) &&
			!slices.Contains(gradleChoices, path[1]):
		return belowRelease
	}
	return ofAny
}

// leaves reports whether a return here may leave out what a script says of its builds:
// it stands in no function of the script's own.
func (s gradleScope) leaves() bool {
	return len(s.path) == 0 || s.path[0] == "buildTypes" || slices.Contains(gradleConditions, s.path[0])
}

// scope is that of the block which is open.
func (r *gradleReader) scope() gradleScope {
	if len(r.blocks) == 0 {
		return gradleScope{}
	}
	return r.blocks[len(r.blocks)-1]
}

// rankOf says which builds have what the statement at i gives. Only what the app's own
// script says of the type release, and says always, is sure to hold.
func (r *gradleReader) rankOf(i int) gradleRank {
	scope, first := r.scope(), i
	if r.at(i - 1).is(".") {
		names := r.chain(i - 2)
		scope, first = scope.in(names), i-2*len(names)
	}
	rank := scope.rank()
	if rank == ofRelease && (!r.own || r.left || !r.begins(first)) {
		return ofAny
	}
	return rank
}

// begins reports whether a statement begins at i which no condition stands before.
func (r *gradleReader) begins(i int) bool {
	i--
	line := false
	for ; i >= 0 && r.tokens[i].kind == gradleEnd; i-- {
		line = true
	}
	switch t := r.at(i); {
	case i < 0 || t.is("{") || t.is("}") || t.is(";"):
		return true
	case !line || slices.Contains(gradleConditions, t.text) && t.kind == gradleName:
		return false
	case t.is(")"):
		open := r.opening(i)
		return r.at(open).is("(") && !slices.Contains(gradleConditions, r.at(open-1).text)
	default:
		return t.kind != gradleMark || t.is("]") || t.text == "\x00"
	}
}

// opening returns the bracket that the one at i closes, or a token before it that is
// none if it stands too far away.
func (r *gradleReader) opening(i int) int {
	depth := 0
	for last := max(i-maxBefore, 0); i >= last; i-- {
		if r.at(i).is(")") {
			depth++
		} else if r.at(i).is("(") {
			if depth--; depth == 0 {
				break
			}
		}
	}
	return i
}

// ofApp reports whether a script is that of the app's own module.
func ofApp(name string) bool {
	dir, base := path.Split(name)
	return (base == "build.gradle" || base == "build.gradle.kts") &&
		(dir == "platforms/android/" || strings.HasSuffix("/"+dir, "/app/"))
}

// initWith reads a statement by which a type of builds begins with what another has.
func (r *gradleReader) initWith(at int) {
	var from []string
	for i := at + 1; i < at+maxBefore; i++ {
		t := r.at(i)
		if t.kind == gradleEnd || t.is("}") || t.is(";") {
			break
		}
		from = append(from, t.text)
	}
	scope := r.scope()
	if r.at(at - 1).is(".") {
		scope = scope.in(r.chain(at - 2))
	}
	other := scope.rank() == belowRelease || scope.rank() == ofDebugging
	r.values.unsure = r.values.unsure || !other
	if slices.Contains(from, "debug") || !other && !slices.Contains(from, "release") {
		r.values.copied = true
	}
}
