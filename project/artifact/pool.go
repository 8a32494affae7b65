package artifact

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
)

// Android's compiled resources are chunks: a type, the size of the header and the
// size of all of it (ResourceTypes.h of frameworks/base).
const (
	chunkPool      = 0x0001
	chunkTable     = 0x0002
	chunkXML       = 0x0003
	chunkStart     = 0x0102
	chunkEnd       = 0x0103
	chunkText      = 0x0104
	chunkMap       = 0x0180
	chunkPackage   = 0x0200
	chunkType      = 0x0201
	headerSize     = 8
	noString       = 0xFFFFFFFF
	valueReference = 0x01
	valueString    = 0x03
	valueDecimal   = 0x10
	valueHex       = 0x11
	valueBool      = 0x12
)

// chunk is one chunk: header and body in data.
type chunk struct {
	kind   uint16
	header []byte // with the first eight bytes
	body   []byte
	data   []byte
}

// bad says that compiled resources are damaged.
func bad(format string, args ...any) error {
	return fmt.Errorf("it is damaged: "+format, args...)
}

// nextChunk takes the first chunk off data.
func nextChunk(data []byte) (c chunk, rest []byte, err error) {
	if len(data) < headerSize {
		return c, nil, bad("a chunk is cut short")
	}
	header, size := int(binary.LittleEndian.Uint16(data[2:])), int64(binary.LittleEndian.Uint32(data[4:]))
	if header < headerSize || size < int64(header) || size > int64(len(data)) {
		return c, nil, bad("a chunk of %d bytes has a header of %d, and %d bytes are left", size, header, len(data))
	}
	c = chunk{kind: binary.LittleEndian.Uint16(data), header: data[:header], body: data[header:size], data: data[:size]}
	return c, data[size:], nil
}

// u32 reads a number of a chunk's header; beyond its end it is zero.
func (c *chunk) u32(at int) uint32 {
	if at+4 > len(c.header) {
		return 0
	}
	return binary.LittleEndian.Uint32(c.header[at:])
}

// pool is a pool of strings. They are read when they are asked for.
type pool struct {
	count   int
	offsets []byte
	strings []byte
	utf8    bool
	spent   *allowance
}

// maxStrings bounds the bytes that are taken from the pools of a table, and maxXMLStrings
// those that are taken from the pools of all XML files of a package: their strings may
// overlap and be named any number of times.
const (
	maxStrings    = 32 << 20
	maxXMLStrings = MaxUnpacked // strings that are each named once come to no more
)

// allowance counts the bytes that were taken from pools.
type allowance struct {
	most, spent int
	over        bool
}

// take counts n bytes; false if that is too many, which err says from then on.
func (a *allowance) take(n int) bool {
	if a.over = a.over || n > a.most-a.spent; a.over {
		return false
	}
	a.spent += n + 1
	return true
}

func (a *allowance) err() error {
	if a.over {
		return bad("its strings come to more than %d bytes", a.most)
	}
	return nil
}

// readPool reads a pool whose strings are counted against what may be taken.
func readPool(c chunk, spent *allowance) (*pool, error) {
	if c.kind != chunkPool || len(c.header) < 28 {
		return nil, bad("the pool of strings is missing")
	}
	p := &pool{count: int(c.u32(8)), utf8: c.u32(16)&(1<<8) != 0, spent: spent}
	start := int64(c.u32(20))
	if int64(p.count)*4 > int64(len(c.body)) || start > int64(len(c.data)) || p.count > 0 && start == 0 {
		return nil, bad("the pool of strings is cut short")
	}
	p.offsets = c.body[:p.count*4]
	p.strings = c.data[start:]
	return p, nil
}

// at returns a string; false if the pool has none of that number.
func (p *pool) at(index uint32) (string, bool) {
	if p == nil || int64(index) >= int64(p.count) {
		return "", false
	}
	offset := int64(binary.LittleEndian.Uint32(p.offsets[index*4:]))
	if offset > int64(len(p.strings)) {
		return "", false
	}
	data := p.strings[offset:]
	if p.utf8 {
		_, data, ok := length8(data) // in UTF-16 units
		if !ok {
			return "", false
		}
		n, data, ok := length8(data)
		if !ok || n > len(data) || !p.spent.take(n) {
			return "", false
		}
		return string(data[:n]), true
	}
	if len(data) < 2 {
		return "", false
	}
	n := int(binary.LittleEndian.Uint16(data))
	data = data[2:]
	if n&0x8000 != 0 {
		if len(data) < 2 {
			return "", false
		}
		n = n&0x7FFF<<16 | int(binary.LittleEndian.Uint16(data))
		data = data[2:]
	}
	if n > len(data)/2 || !p.spent.take(2*n) {
		return "", false
	}
	units := make([]uint16, n)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units)), true
}

// length8 takes a length of one or two bytes off data.
func length8(data []byte) (n int, rest []byte, ok bool) {
	if len(data) < 2 {
		return 0, nil, false
	}
	if data[0]&0x80 == 0 {
		return int(data[0]), data[1:], true
	}
	return int(data[0]&0x7F)<<8 | int(data[1]), data[2:], true
}
