// Package pattern turns what a platform understands by one origin or href into
// a set of URLs, and many of them into an index.
//
// A [Pattern] is scheme x host x port x path, each a [Language], and where a
// platform matches one expression against the whole URL also a Language over
// that. A [Set] answers which of many patterns covers a URL, at the same cost
// for ten and for a million. A pattern never takes a URL string apart: the
// dialects do, into a [URL].
//
// # Where to begin
//
// To match: build Languages ([Exactly], [Below], [Glob], [Expression], ...), put
// them into Patterns, and Patterns into a Set ([NewSet]); Set.Match names the first
// pattern that covers a URL and allocates nothing. Pattern.Covers is the same for
// one pattern. Only [Expression] can fail.
//
// To compare: [Covered] makes a [URLSet] of patterns; sets are united, intersected
// and subtracted, and URLSet.Witness finds a URL in the result, or says that there
// is none. A [Question] asks about several sets at once. Their work is bounded by
// steps: where these do not suffice, the outcome is [NotDecided], never a guess.
//
// # Words
//
// An automaton reads one part of a URL byte by byte; its states have labels. A
// regular expression becomes one state by state, as texts lead there (a lazy DFA).
// The algebra sorts the hosts of all patterns into cells that every pattern treats
// alike; a cell's witness is a host in it, preferably a fresh one, which no pattern
// mentions. What a pattern requires besides its host is a constraint, and a clause
// is a constraint with the conditions under which it counts. Behind a state, the
// residual language is what may still follow.
//
// Languages, Patterns, Sets and URLSets are immutable and safe for concurrent use.
//
// The package is pure and imports nothing of Cordon.
package pattern

// URL is a URL taken apart by a dialect, for matching. A part that a dialect
// finds absent is not the same as an empty one: see Has.
type URL struct {
	// Whole is what expressions over the whole URL are matched against: the
	// raw string, or the platform's canonical form of it.
	Whole  string
	Scheme string
	Host   string
	Path   string
	// Port is the explicit port, or -1.
	Port int32
	// Has tells which parts are there.
	Has Parts
	// AnyPath says that the path is unknown: a pattern with a path matches
	// whatever its path is. An expression over the whole URL still has to match
	// Whole as it is given.
	AnyPath bool
	// Malformed says that the dialect refuses the URL as a whole.
	Malformed bool
}

// Parts is a set of URL parts.
type Parts uint8

// The parts that may be absent.
const (
	HasScheme Parts = 1 << iota
	HasHost
	HasPath
)

// Port is which ports a pattern covers.
type Port int32

// The ports that are no number.
const (
	// AnyPort covers every port and none.
	AnyPort Port = 0
	// NoPort covers URLs without an explicit port only.
	NoPort Port = -1
)

// Covers reports whether the pattern's port covers a URL's, -1 for none.
func (p Port) Covers(port int32) bool {
	return p == AnyPort || int32(p) == port
}

// Pattern is a set of URLs: those whose every part is in the language for that
// part. The zero Pattern covers nothing.
type Pattern struct {
	Scheme Language
	Host   Language
	Path   Language
	Port   Port
	// Whole must also cover URL.Whole, unless it is the zero Language.
	Whole Language
}

// Covers reports whether the pattern covers the URL.
func (p *Pattern) Covers(u *URL) bool {
	return p.Port.Covers(u.Port) &&
		p.Scheme.covers(u.Scheme, u.Has&HasScheme != 0) &&
		p.Host.covers(u.Host, u.Has&HasHost != 0) &&
		p.coversPath(u) &&
		(p.Whole.IsZero() || p.Whole.Contains(u.Whole))
}

func (p *Pattern) coversPath(u *URL) bool {
	if u.AnyPath {
		return !p.Path.IsZero()
	}
	return p.Path.covers(u.Path, u.Has&HasPath != 0)
}

// Approximate reports whether the algebra takes something wider for the pattern
// (see Searched).
func (p *Pattern) Approximate() bool {
	return p.Scheme.Approximate() || p.Host.Approximate() || p.Path.Approximate() || p.Whole.Approximate()
}
