package pattern

import (
	"hash/maphash"
	"math"
	"strings"
)

// builder turns patterns into a Set: gather sorts them by host into groups,
// finish writes the groups down.
type builder struct {
	set      *Set
	n        int
	pattern  func(i int) *Pattern
	records  []record
	groups   []group
	anyHost  group
	blob     strings.Builder
	size     int    // at most what the patterns take in the blob
	expected int    // what they take if each host has one
	lastFull uint32 // the entry that Set.full ends with, plus one
}

// record is one pattern under one host. A pattern over several hosts or paths
// becomes several records.
type record struct {
	host, path  *Language
	entry, next uint32
}

// group is a list of records, linked by record.next.
type group struct {
	head, tail, n uint32
}

const (
	noRecord = math.MaxUint32
	// maxBlob bounds what 32-bit offsets can reach; patterns beyond it are
	// searched one by one.
	maxBlob = math.MaxUint32 / 2
)

func newBuilder(n int, at func(i int) *Pattern) *builder {
	return &builder{
		set:     &Set{seed: maphash.MakeSeed(), hosts: newTable(n)},
		n:       n,
		pattern: at,
		records: make([]record, 0, n),
		groups:  make([]group, 0, n),
	}
}

func (b *builder) gather() {
	for i := range b.n {
		p := b.pattern(i)
		if p.Scheme.IsZero() || p.Host.IsZero() || p.Path.IsZero() {
			continue
		}
		b.size += 2*entrySize + len(p.Host.text) + len(p.Path.text)
		if _, ok := b.set.schemes.number(&p.Scheme); !ok || b.size > maxBlob || !indexable(&p.Host) || b.wholeOnly(p) {
			b.addUnkeyed(uint32(i), p)
			continue
		}
		b.addHosts(uint32(i), p, &p.Host)
	}
}

// wholeOnly reports whether the pattern is little more than an expression over
// the whole URL.
func (b *builder) wholeOnly(p *Pattern) bool {
	_, keyed := p.Host.hostKey()
	return !p.Whole.IsZero() && !keyed
}

// indexable reports whether a hash table leads to the hosts of a language.
func indexable(host *Language) bool {
	switch host.form {
	case all, present:
		return true
	case union:
		for i := range host.extra.members {
			if !indexable(&host.extra.members[i]) {
				return false
			}
		}
		return len(host.extra.members) <= math.MaxUint8
	}
	_, ok := host.hostKey()
	return ok
}

func (b *builder) addHosts(entry uint32, p *Pattern, host *Language) {
	if host.form != union {
		b.addPaths(entry, p, host, &p.Path)
		return
	}
	for i := range host.extra.members {
		b.addHosts(entry, p, &host.extra.members[i])
	}
}

func (b *builder) addPaths(entry uint32, p *Pattern, host, path *Language) {
	if path.form != union || !p.Whole.IsZero() || len(path.extra.members) > fewEntries {
		b.add(record{host: host, path: path, entry: entry, next: noRecord})
		return
	}
	for i := range path.extra.members {
		b.addPaths(entry, p, host, &path.extra.members[i])
	}
}

func (b *builder) add(r record) {
	at := uint32(len(b.records))
	b.records = append(b.records, r)
	g := &b.anyHost
	text, keyed := r.host.hostKey()
	if keyed {
		g = b.groupOf(lowerText(text))
	}
	b.expected += 2 + len(text) + entrySize + len(r.path.text)
	if g.n == 0 {
		g.head = at
	} else {
		b.records[g.tail].next = at
	}
	g.tail = at
	g.n++
	if keyed && r.host.form != exact {
		b.set.depths |= 1 << min(maxDepth, 1+strings.Count(text, "."))
	}
}

// groupOf finds or makes the group of a host. Until finish the table has group
// numbers for offsets.
func (b *builder) groupOf(text string) *group {
	if len(b.groups) >= len(b.set.hosts.slots)/2 {
		b.growTable()
	}
	hash := maphash.String(b.set.seed, text)
	hosts := &b.set.hosts
	for i, n, ok := hosts.next(hash, hash); ok; i, n, ok = hosts.next(i+1, hash) {
		if g := &b.groups[n]; EqualFold(b.keyOf(g), text) {
			return g
		}
	}
	hosts.put(hash, uint32(len(b.groups)))
	b.groups = append(b.groups, group{})
	return &b.groups[len(b.groups)-1]
}

func (b *builder) growTable() { b.rehash(2*len(b.groups) + 8) }

// rehash makes a table for n groups.
func (b *builder) rehash(n int) {
	b.set.hosts = newTable(n)
	for i := range b.groups {
		text := lowerText(b.keyOf(&b.groups[i]))
		b.set.hosts.put(maphash.String(b.set.seed, text), uint32(i))
	}
}

// keyOf returns the text of a group, in any case.
func (b *builder) keyOf(g *group) string {
	text, _ := b.records[g.head].host.hostKey()
	return text
}

// addUnkeyed enters a pattern that has no key in the table of hosts.
func (b *builder) addUnkeyed(entry uint32, p *Pattern) {
	r := unkeyedPattern{entry: entry, pattern: *p}
	if p.Whole.form == expression {
		r.literals = requiredLiterals(p.Whole.text)
	}
	b.set.unkeyed = append(b.set.unkeyed, r)
}
