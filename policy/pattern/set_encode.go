package pattern

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// finish writes the groups into the set's blob and turns group numbers into
// offsets.
func (b *builder) finish() *Set {
	s := b.set
	switch {
	case len(b.groups) == 0:
		s.hosts = table{}
	case tableSize(len(b.groups)) != len(s.hosts.slots):
		b.rehash(len(b.groups))
	}
	b.blob.Grow(min(b.expected, maxBlob))
	offsets := make([]uint32, len(b.groups))
	var large []largeGroup
	for i := range b.groups {
		g := &b.groups[i]
		text := lowerText(b.keyOf(g))
		offsets[i] = uint32(b.blob.Len())
		b.blob.WriteByte(uint8(len(text)))
		b.blob.WriteString(text)
		large = b.writeGroup(large, uint32(i), g)
	}
	if b.anyHost.n > 0 {
		s.hasAnyHost = true
		s.anyHost = uint32(b.blob.Len())
		large = b.writeGroup(large, uint32(len(b.groups)), &b.anyHost)
	}
	for i, slot := range s.hosts.slots {
		if slot != 0 {
			s.hosts.slots[i] = slot&tagBits | uint64(offsets[uint32(slot)-1]+1)
		}
	}
	b.writeBuckets(large)
	s.blob = b.written()
	b.keyByGrams()
	s.full = slices.Clip(s.full)
	s.unkeyed = slices.Clip(s.unkeyed)
	return s
}

// written returns the blob, in hardly more memory than it needs.
func (b *builder) written() string {
	if b.blob.Cap()-b.blob.Len() > b.blob.Len()/8 {
		return strings.Clone(b.blob.String())
	}
	return b.blob.String()
}

// writeGroup writes a group's entries, or if they are too many its head, and
// adds their buckets to large.
func (b *builder) writeGroup(large []largeGroup, number uint32, g *group) []largeGroup {
	if g.n <= fewEntries {
		b.blob.WriteByte(uint8(g.n))
		for at := g.head; at != noRecord; at = b.records[at].next {
			b.writeEntry(&b.records[at])
		}
		return large
	}
	c := b.sortIntoBuckets(number, g)
	b.blob.WriteByte(manyEntries)
	b.write32(number)
	b.blob.WriteByte(uint8(c.longest))
	return append(large, c)
}

func (b *builder) writeEntry(r *record) {
	p := b.pattern(int(r.entry))
	scheme, _ := b.set.schemes.number(&p.Scheme)
	flags, path := hostFlags(r.host), ""
	full := !simplePath(r.path) || !p.Whole.IsZero() || r.host.needsCase()
	if !full {
		flags |= uint16(r.path.form) << pathShift
		if r.path.fold {
			flags |= pathFold
		}
		if r.path.form != all && r.path.form != present {
			path = r.path.text
		}
	}
	var head [entrySize]byte
	binary.LittleEndian.PutUint32(head[:], r.entry)
	binary.LittleEndian.PutUint32(head[4:], uint32(p.Port))
	binary.LittleEndian.PutUint16(head[8:], scheme)
	binary.LittleEndian.PutUint16(head[10:], flags)
	head[12] = uint8(len(path))
	if full {
		head[12] = 4
	}
	b.blob.Write(head[:])
	if full {
		b.write32(b.storeFull(r.entry))
		return
	}
	b.blob.WriteString(path)
}

func (b *builder) write32(n uint32) {
	var bytes [4]byte
	binary.LittleEndian.PutUint32(bytes[:], n)
	b.blob.Write(bytes[:])
}

// storeFull stores a whole pattern and returns its number.
func (b *builder) storeFull(entry uint32) uint32 {
	if b.lastFull != entry+1 {
		b.set.full = append(b.set.full, *b.pattern(int(entry)))
		b.lastFull = entry + 1
	}
	return uint32(len(b.set.full) - 1)
}

func hostFlags(host *Language) (flags uint16) {
	switch host.form {
	case all:
		return hostAny
	case present:
		return hostAny | hostSameCase
	case exact:
		flags = hostExact
	case below:
		flags = hostBelow
	case belowLower:
		flags = hostBelow | hostLower
	case glob:
		flags = hostWildcard
	}
	if !host.fold && !host.needsCase() {
		flags |= hostSameCase
	}
	return flags
}

// needsSpelling reports whether a host has upper-case letters and does not
// fold: an index knows lower case only.
func (l *Language) needsCase() bool {
	text, keyed := l.hostKey()
	return keyed && !l.fold && lowerText(text) != text
}

func simplePath(path *Language) bool {
	return path.form <= glob && len(path.text) <= maxKey
}

// largeGroup is a group of many records, sorted into buckets.
type largeGroup struct {
	buckets map[bucket][]uint32 // to records
	longest int
}

// bucket names the records of a group with one port and one path key.
type bucket struct {
	group  uint32
	port   Port
	length uint8
	key    string
}

func (b *builder) sortIntoBuckets(number uint32, g *group) largeGroup {
	c := largeGroup{buckets: map[bucket][]uint32{}}
	type anyPath struct {
		at     bucket
		scheme uint16
		flags  uint16
	}
	seen := map[anyPath]bool{}
	for at := g.head; at != noRecord; at = b.records[at].next {
		r := &b.records[at]
		p := b.pattern(int(r.entry))
		key := pathKey(r.path)
		c.longest = max(c.longest, len(key))
		in := bucket{number, p.Port, uint8(len(key)), key}
		c.buckets[in] = append(c.buckets[in], at)
		scheme, _ := b.set.schemes.number(&p.Scheme)
		open := anyPath{bucket{number, p.Port, anyPathKey, ""}, scheme, hostFlags(r.host)}
		special := !p.Whole.IsZero() || r.host.needsCase()
		if special || !seen[open] {
			seen[open] = seen[open] || !special
			c.buckets[open.at] = append(c.buckets[open.at], at)
		}
	}
	return c
}

// pathKey returns, in lower case, the longest text that every path in the
// language begins with and then ends or goes on with a slash.
func pathKey(path *Language) string {
	if !simplePath(path) {
		return ""
	}
	text := path.text
	switch path.form {
	case exact, within:
		return lowerText(text)
	case glob:
		text, _, _ = strings.Cut(text, "*")
	case prefix:
	default:
		return ""
	}
	return lowerText(text[:max(0, strings.LastIndexByte(text, '/'))])
}

func (b *builder) writeBuckets(large []largeGroup) {
	total := 0
	for _, c := range large {
		total += len(c.buckets)
	}
	if total == 0 {
		return
	}
	s := b.set
	s.paths = newTable(total)
	for _, c := range large {
		for in, members := range maps.All(c.buckets) {
			hash := bucketHash(s.seed, in.group, int32(in.port), in.length, []byte(in.key))
			s.paths.put(hash, uint32(b.blob.Len()))
			b.write32(in.group)
			b.write32(uint32(in.port))
			b.blob.WriteByte(in.length)
			b.blob.WriteString(in.key)
			b.write32(uint32(len(members)))
			for _, at := range members {
				b.writeEntry(&b.records[at])
			}
		}
	}
}
