package pattern

import (
	"regexp/syntax"
	"slices"
)

// grams finds patterns that are little more than an expression over the whole
// URL: each is kept under one run of bytes that must stand in what it matches,
// the rarest among them all. Whoever searches slides over the URL once.
type grams struct {
	size     int // of a run, at most 8
	filter   []uint64
	patterns map[uint64][]unkeyedPattern // by run, as a number
}

const (
	// gramFilter is the number of words of the filter that spares most look-ups.
	gramFilter = 1 << 10
	// fewUnkeyed is up to how many patterns are searched one by one anyway.
	fewUnkeyed = 16
)

func newGrams(size int) grams {
	return grams{size: size, filter: make([]uint64, gramFilter), patterns: map[uint64][]unkeyedPattern{}}
}

func gramBit(gram uint64) (word int, bit uint64) {
	h := gram * 0x9E3779B97F4A7C15 >> 48
	return int(h >> 6), 1 << (h & 63)
}

func (g *grams) put(gram uint64, r unkeyedPattern) {
	word, bit := gramBit(gram)
	g.filter[word] |= bit
	g.patterns[gram] = append(g.patterns[gram], r)
}

// eachGram calls visit for every run of a text, as a number.
func eachGram(size int, text string, visit func(gram uint64)) {
	var gram uint64
	mask := uint64(1)<<(8*size-1)<<1 - 1
	for i := 0; i < len(text); i++ {
		gram = (gram<<8 | uint64(text[i])) & mask
		if i >= size-1 {
			visit(gram)
		}
	}
}

func (s *Set) searchGrams(q *query, g *grams) {
	var gram uint64
	mask := uint64(1)<<(8*g.size-1)<<1 - 1
	text := q.u.Whole
	for i := 0; i < len(text); i++ {
		gram = (gram<<8 | uint64(text[i])) & mask
		if i < g.size-1 {
			continue
		}
		if word, bit := gramBit(gram); g.filter[word]&bit != 0 {
			s.searchUnkeyed(q, g.patterns[gram])
		}
	}
}

// keyByGrams moves the patterns that must match a run of bytes from those
// without a key to the grams.
func (b *builder) keyByGrams() {
	s := b.set
	if len(s.unkeyed) <= fewUnkeyed {
		return
	}
	sizes := [...]int{8, 4}
	var count [len(sizes)]map[uint64]int
	for i, size := range sizes {
		count[i] = map[uint64]int{}
		for _, r := range s.unkeyed {
			for _, literal := range r.literals {
				eachGram(size, literal, func(gram uint64) { count[i][gram]++ })
			}
		}
	}
	remaining := s.unkeyed[:0]
	for _, r := range s.unkeyed {
		placed := false
		for i, size := range sizes {
			if gram, ok := rarest(size, r.literals, count[i]); ok {
				b.gramsOf(size).put(gram, r)
				placed = true
				break
			}
		}
		if !placed {
			remaining = append(remaining, r)
		}
	}
	clear(s.unkeyed[len(remaining):])
	s.unkeyed = remaining
}

func rarest(size int, literals []string, count map[uint64]int) (rare uint64, ok bool) {
	for _, literal := range literals {
		eachGram(size, literal, func(gram uint64) {
			if !ok || count[gram] < count[rare] {
				rare, ok = gram, true
			}
		})
	}
	return rare, ok
}

func (b *builder) gramsOf(size int) *grams {
	for i := range b.set.grams {
		if b.set.grams[i].size == size {
			return &b.set.grams[i]
		}
	}
	b.set.grams = append(b.set.grams, newGrams(size))
	return &b.set.grams[len(b.set.grams)-1]
}

// requiredLiterals returns texts that stand in everything an expression
// matches.
func requiredLiterals(expr string) []string {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	return literalsOf(tree.Simplify(), nil)
}

func literalsOf(tree *syntax.Regexp, literals []string) []string {
	switch tree.Op {
	case syntax.OpLiteral:
		if tree.Flags&syntax.FoldCase == 0 && !slices.Contains(tree.Rune, '\uFFFD') {
			literals = append(literals, string(tree.Rune))
		}
	case syntax.OpConcat, syntax.OpCapture, syntax.OpPlus:
		for _, sub := range tree.Sub {
			literals = literalsOf(sub, literals)
		}
	}
	return literals
}
