package artifact

import (
	"encoding/binary"
)

// maxResources bounds how many resources of a table are kept, and how many of their
// values: the entries of a type may overlap. Strings, of which an app may have many, get
// half of them.
const maxResources = 1 << 20

// table is what is needed of resources.arsc: the names of resources, and the
// values of those that are files, booleans, numbers or strings.
type table struct {
	strings   *pool
	resources map[uint32]*resource
	order     []uint32
	values    int // how many are kept
	names     *allowance
	// noted are the resources that the manifest refers to, once each.
	noted []uint32
	texts *allowance // of the XML files that are read with it
}

type resource struct {
	kind, name string // "xml", "network_security_config"
	values     []value
	// partial says that it has values that were not kept.
	partial bool
	noted   bool
}

type value struct {
	kind byte
	data uint32
}

// newTable is a table without resources, which a package has that brings none.
func newTable() *table {
	return &table{resources: make(map[uint32]*resource), names: &allowance{most: maxStrings},
		texts: &allowance{most: maxXMLStrings}}
}

// spent counts what is taken from the pools of the package's XML files.
func (t *table) spent() *allowance {
	if t == nil {
		return &allowance{most: maxXMLStrings}
	}
	return t.texts
}

func readTable(data []byte) (*table, error) {
	top, _, err := nextChunk(data)
	if err != nil {
		return nil, err
	}
	if top.kind != chunkTable {
		return nil, bad("it is not a table of resources")
	}
	t := newTable()
	rest := top.body
	for len(rest) > 0 {
		var c chunk
		if c, rest, err = nextChunk(rest); err != nil {
			return nil, err
		}
		switch c.kind {
		case chunkPool:
			t.strings, err = readPool(c, t.names)
		case chunkPackage:
			err = t.pack(c)
		}
		if err != nil {
			return nil, err
		}
	}
	return t, t.names.err()
}

// pack reads one package of the table.
func (t *table) pack(c chunk) error {
	id := c.u32(8)
	types, keys, err := poolsOf(c, t.names)
	if err != nil {
		return err
	}
	rest := c.body
	for len(rest) > 0 {
		var part chunk
		if part, rest, err = nextChunk(rest); err != nil {
			return err
		}
		if part.kind == chunkType {
			if err := t.entries(part, id, types, keys); err != nil {
				return err
			}
		}
	}
	return nil
}

// poolsOf reads the names of a package's types and keys.
func poolsOf(c chunk, names *allowance) (types, keys *pool, err error) {
	if len(c.header) < 284 {
		return nil, nil, bad("a package is cut short")
	}
	for i, at := range []int{268, 276} {
		offset := int64(c.u32(at))
		if offset < int64(len(c.header)) || offset > int64(len(c.data)) {
			return nil, nil, bad("a package has no names")
		}
		part, _, err := nextChunk(c.data[offset:])
		if err != nil {
			return nil, nil, err
		}
		p, err := readPool(part, names)
		if err != nil {
			return nil, nil, err
		}
		if i == 0 {
			types = p
		} else {
			keys = p
		}
	}
	return types, keys, nil
}

// entries reads the entries of one type for one kind of device.
func (t *table) entries(c chunk, pkg uint32, types, keys *pool) error {
	if len(c.header) < 20 {
		return bad("a type of resources is cut short")
	}
	id, flags := uint32(c.header[8]), c.header[9]
	count, start := int(c.u32(12)), int64(c.u32(16))
	kind, _ := types.at(id - 1)
	width := 4
	if flags&3 == 2 {
		width = 2
	}
	if int64(count)*int64(width) > int64(len(c.body)) || start > int64(len(c.data)) {
		return bad("a type of resources is cut short")
	}
	for i := range count {
		index, offset, ok := entryAt(c.body, i, flags)
		if !ok || start+offset+8 > int64(len(c.data)) {
			continue
		}
		t.entry(c.data[start+offset:], pkg<<24|id<<16|index, kind, keys)
		if len(t.resources) > maxResources || t.values > maxResources {
			return bad("it has more than %d resources", maxResources)
		}
	}
	return nil
}

// entryAt reads where the i-th entry of a type stands, and its number.
func entryAt(offsets []byte, i int, flags byte) (index uint32, offset int64, ok bool) {
	switch narrow := flags&3 == 2; {
	case narrow && 2*i+2 > len(offsets), !narrow && 4*i+4 > len(offsets):
		return 0, 0, false
	case flags&1 != 0: // sparse, whatever else it says
		raw := offsets[4*i:]
		return uint32(binary.LittleEndian.Uint16(raw)), int64(binary.LittleEndian.Uint16(raw[2:])) * 4, true
	case narrow: // offsets of 16 bits
		n := binary.LittleEndian.Uint16(offsets[2*i:])
		return uint32(i), int64(n) * 4, n != 0xFFFF
	}
	n := binary.LittleEndian.Uint32(offsets[4*i:])
	return uint32(i), int64(n), n != noString
}

func (t *table) entry(raw []byte, id uint32, kind string, keys *pool) {
	const complex, compact = 0x0001, 0x0008
	size, flags := binary.LittleEndian.Uint16(raw), binary.LittleEndian.Uint16(raw[2:])
	key, v := binary.LittleEndian.Uint32(raw[4:]), value{}
	switch {
	case flags&compact != 0:
		v.kind, v.data, key = byte(flags>>8), key, uint32(size)
	case flags&complex != 0 || len(raw) < int(size)+8:
		return
	default:
		v.kind, v.data = raw[int(size)+3], binary.LittleEndian.Uint32(raw[int(size)+4:])
	}
	r := t.resources[id]
	if r == nil {
		name, ok := keys.at(key)
		if !ok {
			return
		}
		r = &resource{kind: kind, name: name}
		t.resources[id] = r
		t.order = append(t.order, id)
	}
	switch kind { // no other kind's values are asked for
	case "string":
		if r.partial = r.partial || t.values >= maxResources/2; r.partial {
			return
		}
		fallthrough
	case "xml", "bool", "integer":
		r.values = append(r.values, v)
		t.values++
	}
}

// note notes that the manifest refers to a resource, whose values it then gets.
func (t *table) note(id uint32) {
	if t == nil {
		return
	}
	if r := t.resources[id]; r != nil && !r.noted {
		r.noted = true
		t.noted = append(t.noted, id)
	}
}

// valuesXML writes the values of the resources that the manifest refers to the way a
// project has them, in a file of values: an element for each value, whatever devices it
// is for. It is nil for none.
func (t *table) valuesXML() ([]byte, error) {
	if t == nil || len(t.noted) == 0 {
		return nil, nil
	}
	w := &xmlWriter{}
	if err := w.start("resources", nil); err != nil {
		return nil, err
	}
	for i := 0; i < len(t.noted); i++ { // the list grows by what values refer to
		r := t.resources[t.noted[i]]
		if r.partial || r.kind == "xml" {
			continue
		}
		for _, v := range r.values {
			if err := w.value(r.kind, r.name, t.valueText(v)); err != nil {
				return nil, err
			}
		}
	}
	if err := w.end(); err != nil {
		return nil, err
	}
	if err := t.names.err(); err != nil {
		return nil, err
	}
	return w.done()
}

// valueText is the text of a resource's value.
func (t *table) valueText(v value) string {
	switch v.kind {
	case valueReference:
		t.note(v.data)
	case valueString:
		text, _ := t.strings.at(v.data)
		return text
	}
	return t.text(v.kind, v.data)
}

// text writes a value as the text that stands for it: a reference as @type/name.
func (t *table) text(kind byte, data uint32) string {
	if kind != valueReference || t == nil {
		return plain(kind, data)
	}
	if r := t.resources[data]; r != nil {
		return "@" + r.kind + "/" + r.name
	}
	return plain(kind, data)
}

// xmlFile is a file of the type xml: its name as a resource, and where it stands.
type xmlFile struct{ name, path string }

// xmlFiles lists the files of the type xml, for all kinds of devices.
func (t *table) xmlFiles() ([]xmlFile, error) {
	if t == nil {
		return nil, nil
	}
	var list []xmlFile
	for _, id := range t.order {
		r := t.resources[id]
		if r.kind != "xml" {
			continue
		}
		for _, v := range r.values {
			if path, ok := t.strings.at(v.data); ok && v.kind == valueString {
				list = append(list, xmlFile{r.name, path})
			}
		}
	}
	return list, t.names.err()
}
