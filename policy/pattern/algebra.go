package pattern

// URLSet is a set of URLs, written as a boolean expression over lists of
// patterns. Making one costs next to nothing; questions about it are answered
// by Witness, or several at once by Question. The zero URLSet is empty. A
// URLSet is immutable and safe for concurrent use.
//
// # The domain
//
// A URLSet speaks of URLs in their canonical spelling only, as a browser puts
// them on the wire, without user name, query and fragment:
//
//   - scheme://host[:port]/path with a scheme in lower case; a host that is
//     "." between labels of a-z, 0-9, "-" and "_", an IPv4 address in decimal,
//     or an IPv6 address in brackets that some list names, and [2001:db8::1],
//     which stands for all others; a port that is not the scheme's own; a path
//     of printable ASCII without escapes, backslashes and dot segments.
//     Where the scheme is not http, https, ws or wss, host and path may be
//     empty.
//   - scheme:rest for any other scheme, where rest does not begin with "/".
//
// Whether something holds for URLs outside the domain (a second "@", an
// escaped host, a backslash) is a question to the dialects, which read such
// strings in different ways.
type URLSet struct {
	node *node
}

// Reading says how patterns of a list see a URL whose scheme is not http,
// https, ws or wss.
type Reading uint8

// The readings.
const (
	// AllHosts: what follows "//" is a host under any scheme; a URL without
	// "//" has neither host nor path. So do the platforms read.
	AllHosts Reading = iota
	// WebHosts: only http, https, ws and wss lead to hosts. Any other URL has
	// no host, and all that follows the colon as its path. So does the strict
	// reading.
	WebHosts
)

// Covered returns the set of URLs that at least one of the patterns covers.
// The slice must not be changed afterwards. Lists that are written the same way
// are one to a Question, so that what did not change costs nothing to compare.
func Covered(r Reading, patterns []Pattern) URLSet {
	if len(patterns) == 0 {
		return URLSet{}
	}
	return URLSet{&node{op: opLeaf, leaf: &leaf{reading: r, patterns: patterns}}}
}

// Everything returns the set of all URLs of the domain.
func Everything() URLSet { return URLSet{}.Complement() }

// Union returns the URLs that are in s or in one of the others.
func (s URLSet) Union(others ...URLSet) URLSet { return combine(opOr, s, others) }

// Intersect returns the URLs that are in s and in all of the others.
func (s URLSet) Intersect(others ...URLSet) URLSet { return combine(opAnd, s, others) }

// Minus returns the URLs that are in s and in none of the others.
func (s URLSet) Minus(others ...URLSet) URLSet {
	if len(others) == 0 {
		return s
	}
	return s.Intersect(combine(opOr, others[0], others[1:]).Complement())
}

// Complement returns the URLs of the domain that are not in s.
func (s URLSet) Complement() URLSet {
	if s.node != nil && s.node.op == opNot {
		return URLSet{s.node.operands[0]}
	}
	return URLSet{&node{op: opNot, operands: []*node{s.node}}}
}

// Outcome says how the search for a URL ended. Its zero value is NotDecided.
type Outcome uint8

// The outcomes.
const (
	// NotDecided: the steps were used up; nothing is known.
	NotDecided Outcome = iota
	// Empty: no URL of the domain is in the set.
	Empty
	// Found: there is a URL, and it was given.
	Found
)

var outcomeNames = [...]string{NotDecided: "not decided", Empty: "empty", Found: "found"}

// String returns "not decided", "empty" or "found".
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "invalid outcome"
}

// DefaultSteps is a budget that takes about a second to use up.
const DefaultSteps = 60_000_000

// Witness returns a URL of the set that people can read, such as
// https://evil.example/: the nicest known spelling, else a shortest one. The
// budget bounds time and memory; a step takes some tens of nanoseconds.
//
// A witness is about patterns. Before it is shown as something that a policy
// does, ask the policy: Decide knows what a dialect makes of the string.
func (s URLSet) Witness(steps int) (url string, outcome Outcome) {
	outcome = Question{Sets: []URLSet{s}, Steps: steps}.Regions(func(r Region) bool {
		url = r.URL
		return false
	})
	return url, outcome
}

// Contains reports whether the set contains a URL in canonical spelling;
// wellFormed says whether the string is one (see URLSet).
func (s URLSet) Contains(url string) (in, wellFormed bool) {
	u, ok := readCanonical(url)
	ok = ok && s.node.domainHas(u.host)
	return ok && s.node.contains(&u), ok
}

// Question asks about several sets at once. The URLs of the domain fall into
// regions: all URLs of a region are covered by the same patterns of all lists
// that the sets are made of. A policy made of these lists therefore decides all
// URLs of a region in the same way, by the same rule.
type Question struct {
	// Sets are the sets asked about, at most 64.
	Sets []URLSet
	// Want chooses regions: bit i of in says that the region is part of
	// Sets[i], which it is wholly or not at all. Nil wants all regions that are
	// part of some set. Want is asked more often than Regions yields, and must
	// answer by in alone.
	Want func(in uint64) bool
	// Steps is the budget; see DefaultSteps.
	Steps int
}

// Region is a set of URLs that all lists of a Question treat alike.
type Region struct {
	// In has bit i set if the region is part of Question.Sets[i].
	In uint64
	// URL is a URL of the region that people can read.
	URL string
}

// Regions calls yield once for every wanted region, until yield returns false,
// in an order that depends on the question alone: what any host may do comes
// before what single hosts may.
//
// It returns Found if a region was wanted and either all were yielded or yield
// returned false, Empty if none is, and NotDecided if the steps were used up
// or there are more than 64 sets: regions that were yielded before are right,
// but there may be more.
func (q Question) Regions(yield func(Region) bool) Outcome {
	if len(q.Sets) > maxSets {
		return NotDecided
	}
	if q.Want == nil {
		q.Want = func(in uint64) bool { return in != 0 }
	}
	return newSearch(q, yield).run()
}

const maxSets = 64
