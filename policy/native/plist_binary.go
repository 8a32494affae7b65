package native

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf16"

	"github.com/cordon-sec/cordon/policy"
)

var binaryMark = []byte("bplist")

func isBinary(data []byte) bool { return bytes.HasPrefix(data, binaryMark) }

// maxDepth bounds how deep the values of a binary property list are nested; in
// XML package configxml does.
const maxDepth = 128

// maxObjects bounds how many values a binary property list may come to: its
// objects may be named any number of times.
const maxObjects = 1 << 16

// maxMade bounds the text of the strings and data of a binary property list: they may
// overlap in the file.
const maxMade = 8 << 20

// trailerSize is the size of what ends a binary property list.
const trailerSize = 32

// binaryList reads the objects of a binary property list, version 00.
type binaryList struct {
	name    string
	data    []byte
	offsets []byte // the table of offsets
	size    int    // how many bytes an offset has
	ref     int    // how many bytes a reference has
	count   int    // how many objects there are
	end     int    // where the table begins: objects end before it
	made    int
	text    int // how many bytes the strings and data have
	known   map[int]*Value
}

func parseBinary(name string, data []byte) (*Value, error) {
	b := &binaryList{name: name, data: data, known: make(map[int]*Value)}
	top, err := b.trailer()
	if err != nil {
		return nil, err
	}
	v, problem := b.value(top, 0)
	if problem != nil {
		return nil, problem
	}
	return v, nil
}

func (b *binaryList) fail(at int, format string, args ...any) *Problem {
	place := policy.Place{File: b.name, Line: 1, Column: at + 1, Start: at, End: at}
	return &Problem{place, "the binary property list is damaged: " + fmt.Sprintf(format, args...)}
}

func (b *binaryList) trailer() (top int, err error) {
	if len(b.data) < 8+trailerSize {
		return 0, b.fail(len(b.data), "it is cut short")
	}
	if version := string(b.data[6:8]); version != "00" {
		return 0, b.fail(6, "its version must be 00, not %q", version)
	}
	at := len(b.data) - trailerSize
	trailer := b.data[at:]
	b.size, b.ref = int(trailer[6]), int(trailer[7])
	count, root, table := binary.BigEndian.Uint64(trailer[8:]), binary.BigEndian.Uint64(trailer[16:]),
		binary.BigEndian.Uint64(trailer[24:])
	switch {
	case b.size < 1 || b.size > 8 || b.ref < 1 || b.ref > 8:
		return 0, b.fail(at+6, "offsets and references must have 1 to 8 bytes")
	case table < 8 || table > uint64(at):
		return 0, b.fail(at+24, "the table of offsets must lie inside")
	case count == 0 || count > (uint64(at)-table)/uint64(b.size):
		return 0, b.fail(at+8, "the table of offsets is too short")
	case root >= count:
		return 0, b.fail(at+16, "its top object is missing")
	}
	b.count, b.end, b.offsets = int(count), int(table), b.data[table:at]
	return int(root), nil
}

func number(data []byte) uint64 {
	n := uint64(0)
	for _, c := range data {
		n = n<<8 | uint64(c)
	}
	return n
}

// span returns the bytes from at on, n of them.
func (b *binaryList) span(at, n int) ([]byte, *Problem) {
	if n < 0 || at > b.end || n > b.end-at {
		return nil, b.fail(min(at, len(b.data)), "an object is cut short")
	}
	return b.data[at : at+n], nil
}

func (b *binaryList) value(index, depth int) (*Value, *Problem) {
	b.made++
	offset := number(b.offsets[index*b.size : (index+1)*b.size])
	if offset < 8 || offset >= uint64(b.end) {
		return nil, b.fail(b.end+index*b.size, "an object lies outside")
	}
	at := int(offset)
	switch {
	case depth > maxDepth:
		return nil, b.fail(at, "values must not be nested deeper than %d", maxDepth)
	case b.made > maxObjects:
		return nil, b.fail(at, "it comes to more than %d values", maxObjects)
	}
	if v := b.known[index]; v != nil {
		return v, nil
	}
	v := &Value{Place: policy.Place{File: b.name, Line: 1, Column: at + 1, Start: at, End: at + 1}}
	marker := b.data[at]
	switch marker >> 4 {
	case 0x0:
		if marker != 0x08 && marker != 0x09 {
			return nil, b.fail(at, "its object 0x%02x is not known", marker)
		}
		v.Type, v.Bool = TypeBool, marker == 0x09
		return v, nil
	case 0x1, 0x2, 0x3:
		return v, b.numeric(v, at, marker)
	}
	n, body, problem := b.length(at, marker)
	if problem != nil {
		return nil, problem
	}
	if problem := b.sized(v, marker>>4, n, body, depth); problem != nil {
		return nil, problem
	}
	if v.Type == TypeString || v.Type == TypeData {
		// One object however often it is named. Arrays and dictionaries are made anew:
		// what walks over them must not meet more values than were counted.
		b.known[index] = v
	}
	return v, nil
}

// numeric reads an integer, a real or a date.
func (b *binaryList) numeric(v *Value, at int, marker byte) *Problem {
	if marker&0xF > 4 {
		return b.fail(at, "a number has too many bytes")
	}
	raw, problem := b.span(at+1, 1<<(marker&0xF))
	if problem != nil {
		return problem
	}
	v.Type = TypeNumber
	switch {
	case marker>>4 == 0x1:
		v.Text = strconv.FormatInt(int64(number(raw[max(0, len(raw)-8):])), 10)
		if len(raw) < 8 {
			v.Text = strconv.FormatUint(number(raw), 10)
		}
	case len(raw) == 4:
		v.Text = strconv.FormatFloat(float64(math.Float32frombits(uint32(number(raw)))), 'g', -1, 32)
	case len(raw) == 8 && marker>>4 == 0x2:
		v.Text = strconv.FormatFloat(math.Float64frombits(number(raw)), 'g', -1, 64)
	case len(raw) == 8:
		v.Type = TypeDate
		seconds := math.Float64frombits(number(raw))
		if math.IsNaN(seconds) || math.Abs(seconds) > 1e11 {
			return b.fail(at, "a date is out of range")
		}
		v.Text = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC).
			Add(time.Duration(seconds) * time.Second).
			Format(time.RFC3339)
	default:
		return b.fail(at, "a number has the wrong size")
	}
	return nil
}

// length reads how many bytes, characters or references an object has.
func (b *binaryList) length(at int, marker byte) (n, body int, problem *Problem) {
	n, body = int(marker&0xF), at+1
	if n < 0xF {
		return n, body, nil
	}
	raw, problem := b.span(body, 1)
	if problem != nil {
		return 0, 0, problem
	}
	if raw[0]>>4 != 0x1 || raw[0]&0xF > 3 {
		return 0, 0, b.fail(body, "a length must be an integer")
	}
	digits := 1 << (raw[0] & 0xF)
	raw, problem = b.span(body+1, digits)
	if problem != nil {
		return 0, 0, problem
	}
	long := number(raw)
	if long > uint64(len(b.data)) {
		return 0, 0, b.fail(body, "a length is larger than the file")
	}
	return int(long), body + 1 + digits, nil
}

// sized reads an object whose length was given.
func (b *binaryList) sized(v *Value, kind byte, n, body, depth int) *Problem {
	width := map[byte]int{0x4: 1, 0x5: 1, 0x6: 2, 0x8: 1, 0xA: b.ref, 0xC: b.ref, 0xD: 2 * b.ref}[kind]
	if width == 0 {
		return b.fail(body-1, "an object of the kind 0x%x is not known", kind)
	}
	if kind == 0x8 {
		n++ // the length of a UID is one less
	}
	raw, problem := b.span(body, n*width)
	if problem != nil {
		return problem
	}
	if kind < 0x8 {
		// Text has at most two bytes for each that is packed: a letter and a byte that is
		// none come to four.
		if b.text += 2 * len(raw); b.text > maxMade {
			return b.fail(body, "its strings and data come to more than %d bytes", maxMade)
		}
	}
	switch kind {
	case 0x4:
		v.Type, v.Text = TypeData, base64.StdEncoding.EncodeToString(raw)
	case 0x5:
		v.Type, v.Text = TypeString, string(bytes.ToValidUTF8(raw, []byte("\uFFFD")))
	case 0x6:
		units := make([]uint16, n)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(raw[2*i:])
		}
		v.Type, v.Text = TypeString, string(utf16.Decode(units))
	case 0x8:
		v.Type, v.Text = TypeNumber, strconv.FormatUint(number(raw), 10)
	case 0xA, 0xC:
		v.Type = TypeArray
		for i := range n {
			item, problem := b.reference(raw, i, depth)
			if problem != nil {
				return problem
			}
			v.Items = append(v.Items, item)
		}
	case 0xD:
		v.Type = TypeDict
		return b.dict(v, raw, n, depth)
	}
	return nil
}

func (b *binaryList) dict(v *Value, raw []byte, n, depth int) *Problem {
	for i := range n {
		key, problem := b.reference(raw, i, depth)
		if problem != nil {
			return problem
		}
		if key.Type != TypeString {
			return b.fail(key.Place.Start, "a key must be a string")
		}
		value, problem := b.reference(raw, n+i, depth)
		if problem != nil {
			return problem
		}
		v.Entries = append(v.Entries, Entry{Key: key.Text, Value: value, Place: key.Place})
	}
	return nil
}

// reference reads the i-th object that raw names.
func (b *binaryList) reference(raw []byte, i, depth int) (*Value, *Problem) {
	index := number(raw[i*b.ref : (i+1)*b.ref])
	if index >= uint64(b.count) {
		return nil, b.fail(b.end, "an object is missing")
	}
	return b.value(int(index), depth+1)
}
