package pattern

import "hash/maphash"

// A group is the patterns that a host's text leads to. In the blob stands
//
//	length of the text (1 byte), text in lower case,
//	number of entries (1 byte), entries by number
//
// or, where there are more than fit, instead of number and entries
//
//	manyEntries (1 byte), number of the group (4), longest key (1)
//
// and the entries are found through the second table, where an offset points
// to a bucket
//
//	group (4), port (4), length of the key (1), key, number of entries (4), entries
//
// An entry is
//
//	number of the pattern (4), port (4), scheme (2), flags (2), length of the path (1), path
//
// where for a pattern in full the path is its number in Set.full. Numbers are
// little-endian.
const (
	manyEntries = 0xff
	// fewEntries is how many entries a group holds without the second table.
	fewEntries = 12
	entrySize  = 13
)

// The flags of an entry: which hosts lead to it, and what its path is.
const (
	hostExact    uint16 = 1 << 0 // the URL's host is the text
	hostBelow    uint16 = 1 << 1 // it ends in a dot and the text, after label characters only
	hostWildcard uint16 = 1 << 2 // it ends in a dot and the text, after anything but line ends
	hostAny      uint16 = 1 << 3 // every host, and an absent one
	hostSameCase uint16 = 1 << 4 // only hosts that are spelled like the text; with hostAny only hosts
	hostLower    uint16 = 1 << 5 // only hosts without upper-case letters before the text
	pathFold     uint16 = 1 << 9

	hostRelations           = hostExact | hostBelow | hostWildcard | hostAny
	hostRequirements        = hostSameCase | hostLower
	pathShift               = 6
	pathForms        uint16 = 7
	pathFull                = none // the whole pattern is in Set.full
)

// anyPathKey is the key of a bucket for URLs whose path is unknown; no path
// key is that long.
const anyPathKey = manyEntries

func (s *Set) searchGroup(q *query, at uint32) {
	n := s.blob[at]
	if n != manyEntries {
		s.searchEntries(q, at+1, uint32(n))
		return
	}
	group, longest := uint32At(s.blob, at+1), int(s.blob[at+5])
	if q.u.AnyPath {
		s.searchBuckets(q, group, anyPathKey, "")
		return
	}
	if q.u.Has&HasPath == 0 {
		s.searchBuckets(q, group, 0, "")
		return
	}
	path := q.u.Path
	for i := 0; i <= len(path) && i <= longest; i++ {
		if i == len(path) || path[i] == '/' || i == 0 {
			s.searchBuckets(q, group, uint8(i), path[:i])
		}
	}
}

// searchBuckets searches the buckets of a key: those for any port and those
// for the URL's.
func (s *Set) searchBuckets(q *query, group uint32, length uint8, key string) {
	var buffer [maxKey]byte
	folded := buffer[:len(key)]
	for i := range folded {
		folded[i] = lower(key[i])
	}
	s.searchBucket(q, group, int32(AnyPort), length, folded)
	if q.u.Port != int32(AnyPort) {
		s.searchBucket(q, group, q.u.Port, length, folded)
	}
}

func (s *Set) searchBucket(q *query, group uint32, port int32, length uint8, key []byte) {
	hash := bucketHash(s.seed, group, port, length, key)
	for i, at, ok := s.paths.next(hash, hash); ok; i, at, ok = s.paths.next(i+1, hash) {
		if uint32At(s.blob, at) != group || int32(uint32At(s.blob, at+4)) != port || s.blob[at+8] != length {
			continue
		}
		end := at + 9 + uint32(len(key))
		if s.blob[at+9:end] == string(key) {
			s.searchEntries(q, end+4, uint32At(s.blob, end))
			return
		}
	}
}

func bucketHash(seed maphash.Seed, group uint32, port int32, length uint8, key []byte) uint64 {
	h := maphash.Bytes(seed, key) ^ uint64(length)
	h ^= (uint64(group)<<32 | uint64(uint32(port))) * 0x9E3779B97F4A7C15
	h ^= h >> 32
	h *= 0xD6E8FEB86659FD93
	return h ^ h>>32
}

// searchEntries searches n entries in ascending order and stops at the first
// that covers the URL, or that is no better than what was found before.
func (s *Set) searchEntries(q *query, at, n uint32) {
	for ; n > 0; n-- {
		number := uint32At(s.blob, at)
		if number >= q.best {
			return
		}
		size := uint32(s.blob[at+12])
		if s.entryCovers(q, at, size) {
			q.best = number
			return
		}
		at += entrySize + size
	}
}

func (s *Set) entryCovers(q *query, at, size uint32) bool {
	head := s.blob[at : at+entrySize]
	flags := uint16(head[10]) | uint16(head[11])<<8
	if flags&q.hostFlags&hostRelations == 0 || flags&hostRequirements&^q.hostFlags != 0 {
		return false
	}
	if port := int32(uint32At(head, 4)); port != int32(AnyPort) && port != q.u.Port {
		return false
	}
	if !q.masked {
		q.mask, q.masked = s.schemes.mask(q.u), true
	}
	if !s.schemes.covers(uint16(head[8])|uint16(head[9])<<8, q.mask, q.u) {
		return false
	}
	path := form(flags >> pathShift & pathForms)
	switch {
	case path == pathFull:
		return s.full[uint32At(s.blob, at+entrySize)].Covers(q.u)
	case path == all || q.u.AnyPath:
		return true
	case q.u.Has&HasPath == 0:
		return false
	}
	text := s.blob[at+entrySize : at+entrySize+size]
	return textCovers(path, text, q.u.Path, flags&pathFold != 0)
}

func uint32At(b string, i uint32) uint32 {
	b = b[i : i+4]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}
