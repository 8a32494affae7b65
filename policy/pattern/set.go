package pattern

import (
	"hash/maphash"
	"math"
	"strings"
)

// Set is an index over many patterns. It is immutable and safe for concurrent
// use. The zero Set, and a nil one, cover nothing.
//
// Patterns are found by their host: exact hosts and host suffixes in one hash
// table, a lookup for each label of the URL's host. What a pattern says beyond
// its host is a few bytes behind the host's text. A host with many patterns
// has a second table, keyed by path prefix and port. Patterns over any host
// are kept as if that were a host. What remains (hosts and whole URLs by glob
// or expression) is found by a run of bytes that it must match, or searched one
// by one.
type Set struct {
	seed    maphash.Seed
	hosts   table
	paths   table
	schemes schemes
	// blob holds the groups that the tables point to; see set_group.go.
	blob string
	// anyHost is the offset of the entries of the patterns over any host, and
	// hasAnyHost says that there are any.
	anyHost    uint32
	hasAnyHost bool
	// depths has bit n set if some suffix has n labels; bit maxDepth is for
	// all longer ones.
	depths uint64
	// full are the patterns that the bytes of an entry cannot express.
	full []Pattern
	// unkeyed are the patterns that the table of hosts has no key for, by entry
	// number; grams has those of them that must match a run of bytes.
	unkeyed []unkeyedPattern
	grams   []grams
}

const maxDepth = 63

// maxKey is the length in bytes of the longest host or path in a table.
const maxKey = 254

// NewSet indexes patterns; entry numbers are their positions. The set keeps
// nothing of the slice, and copies what it needs of the patterns.
func NewSet(patterns []Pattern) *Set {
	return NewSetOf(len(patterns), func(i int) *Pattern { return &patterns[i] })
}

// NewSetOf is NewSet for n patterns that lie elsewhere than in one slice: at
// returns each by its number. They must not change before it returns.
func NewSetOf(n int, at func(i int) *Pattern) *Set {
	b := newBuilder(n, at)
	b.gather()
	return b.finish()
}

// Match returns the number of the first pattern that covers the URL. It
// allocates nothing.
func (s *Set) Match(u *URL) (entry int, ok bool) {
	if s == nil {
		return -1, false
	}
	q := query{u: u, best: math.MaxUint32}
	if s.hasAnyHost {
		q.hostFlags = hostAny
		if u.Has&HasHost != 0 {
			q.hostFlags |= hostSameCase
		}
		s.searchGroup(&q, s.anyHost)
	}
	if u.Has&HasHost != 0 && len(s.hosts.slots) > 0 {
		if hasUpper(u.Host) {
			s.searchFolded(&q)
		} else {
			s.searchHosts(&q)
		}
	}
	s.searchUnkeyed(&q, s.unkeyed)
	for i := range s.grams {
		s.searchGrams(&q, &s.grams[i])
	}
	if q.best == math.MaxUint32 {
		return -1, false
	}
	return int(q.best), true
}

// query is the state of one search.
type query struct {
	u         *URL
	mask      uint64 // the scheme languages that cover the URL, once masked
	best      uint32 // the lowest entry found so far
	masked    bool
	hostFlags uint16 // how the group at hand was reached: flags of an entry
}

// searchHosts looks up the URL's host, and every suffix of it that begins
// behind a dot. The host has no upper-case letters.
func (s *Set) searchHosts(q *query) {
	host := q.u.Host
	if len(host) <= maxKey {
		if at := s.find(host); at != 0 {
			q.hostFlags = hostExact | hostBelow | hostSameCase | hostLower
			s.searchGroup(q, at)
		}
	}
	depths := s.depths
	for i := len(host) - 1; i >= 0 && depths != 0; i-- {
		if host[i] != '.' {
			continue
		}
		if depths = deeper(depths); depths&1 != 0 && len(host)-i-1 <= maxKey {
			if at := s.find(host[i+1:]); at != 0 {
				q.hostFlags = subdomainFlags(host, i) | hostSameCase
				s.searchGroup(q, at)
			}
		}
	}
}

// deeper shifts the depths of suffixes by one; the last bit is for all that
// are deeper still.
func deeper(depths uint64) uint64 { return depths>>1 | depths&(1<<maxDepth) }

// searchFolded is searchHosts for a host with upper-case letters.
func (s *Set) searchFolded(q *query) {
	host := q.u.Host
	cut := max(0, len(host)-maxKey-1) // one more: the dot before a longest suffix
	var buffer [maxKey + 1]byte
	folded := buffer[:len(host)-cut]
	for i := range folded {
		folded[i] = lower(host[cut+i])
	}
	if len(host) <= maxKey {
		if at := s.findBytes(folded); at != 0 {
			q.hostFlags = hostExact | hostBelow | hostLower | sameCase(host, folded)
			s.searchGroup(q, at)
		}
	}
	for i := len(folded) - 1; i >= 0; i-- {
		if folded[i] != '.' {
			continue
		}
		if at := s.findBytes(folded[i+1:]); at != 0 {
			q.hostFlags = subdomainFlags(host, cut+i) | sameCase(host[cut+i+1:], folded[i+1:])
			s.searchGroup(q, at)
		}
	}
}

// subdomainFlags returns the flags that what stands before a dot of the host
// gives.
func subdomainFlags(host string, dot int) (flags uint16) {
	if onlyLabelBytes(host[:dot]) {
		flags = hostBelow
		if !hasUpper(host[:dot]) {
			flags |= hostLower
		}
	}
	if !hasLineEnd(host) {
		flags |= hostWildcard
	}
	return flags
}

func sameCase(text string, folded []byte) uint16 {
	if text == string(folded) {
		return hostSameCase
	}
	return 0
}

// find returns the offset of the entries of a host's text in lower case, or 0.
func (s *Set) find(text string) uint32 {
	hash := maphash.String(s.seed, text)
	for i := hash; ; i++ {
		slot := s.hosts.slots[i&s.hosts.mask]
		if slot == 0 {
			return 0
		}
		if (slot^hash)&tagBits != 0 {
			continue
		}
		offset := uint32(slot) - 1
		end := offset + 1 + uint32(s.blob[offset])
		if s.blob[offset+1:end] == text {
			return end
		}
	}
}

// findBytes is find for text in a buffer.
func (s *Set) findBytes(text []byte) uint32 {
	hash := maphash.Bytes(s.seed, text)
	for i, offset, ok := s.hosts.next(hash, hash); ok; i, offset, ok = s.hosts.next(i+1, hash) {
		end := offset + 1 + uint32(s.blob[offset])
		if s.blob[offset+1:end] == string(text) {
			return end
		}
	}
	return 0
}

// unkeyedPattern is a pattern whose host no table leads to.
type unkeyedPattern struct {
	entry uint32
	// literals stand in every URL.Whole that the pattern covers.
	literals []string
	pattern  Pattern
}

// searchUnkeyed tries patterns one by one, in ascending order.
func (s *Set) searchUnkeyed(q *query, unkeyed []unkeyedPattern) {
	for i := range unkeyed {
		r := &unkeyed[i]
		if r.entry >= q.best {
			return
		}
		if r.mayCover(q.u) && r.pattern.Covers(q.u) {
			q.best = r.entry
			return
		}
	}
}

func (r *unkeyedPattern) mayCover(u *URL) bool {
	for _, literal := range r.literals {
		if !strings.Contains(u.Whole, literal) {
			return false
		}
	}
	return true
}
