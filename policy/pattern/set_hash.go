package pattern

import "math/bits"

// table is an open-addressing hash table from text to offsets into an index.
// A slot holds the upper half of a 64-bit seeded hash and an offset plus one;
// the text itself stands at the offset, so that a slot takes eight bytes and
// whoever looks something up compares the text. The seed is drawn for each
// Set: nobody can prepare texts that collide.
type table struct {
	slots []uint64
	mask  uint64
}

// newTable makes a table for up to n keys, at most five eighths full.
func newTable(n int) table {
	size := tableSize(n)
	return table{slots: make([]uint64, size), mask: uint64(size - 1)}
}

// tableSize is how many slots a table for n keys has, a power of two.
func tableSize(n int) int {
	if n <= 5 {
		return 8
	}
	return 1 << bits.Len64(uint64(n)*8/5)
}

const tagBits = 0xffffffff00000000

func (t *table) put(hash uint64, offset uint32) {
	i := hash & t.mask
	for t.slots[i] != 0 {
		i = (i + 1) & t.mask
	}
	t.slots[i] = hash&tagBits | uint64(offset+1)
}

// next returns the position of the first slot from i on that may hold the hash
// and its offset, or ok false at the end of the run.
func (t *table) next(i, hash uint64) (at uint64, offset uint32, ok bool) {
	for {
		i &= t.mask
		slot := t.slots[i]
		if slot == 0 {
			return 0, 0, false
		}
		if (slot^hash)&tagBits == 0 {
			return i, uint32(slot) - 1, true
		}
		i++
	}
}
