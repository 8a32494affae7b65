package artifact

import (
	"encoding/binary"
	"fmt"
	"strconv"
)

// attributes are the attributes that Android knows by a number, where the number
// decides and not the name (attrs_manifest.xml of frameworks/base, public.xml).
var attributes = map[uint32]string{
	0x01010001: "label", 0x01010003: "name", 0x01010006: "permission", 0x01010007: "readPermission",
	0x01010008: "writePermission", 0x0101000f: "debuggable", 0x01010010: "exported", 0x01010018: "authorities",
	0x01010027: "scheme", 0x01010028: "host", 0x0101020c: "minSdkVersion", 0x01010270: "targetSdkVersion",
	0x01010280: "allowBackup", 0x010104eb: "fullBackupContent", 0x010104ec: "usesCleartextTraffic",
	0x01010527: "networkSecurityConfig", 0x0101063e: "dataExtractionRules",
}

// decodeXML writes compiled XML as text. The table, which may be nil, gives references
// their names; with note, it notes what they refer to: Android follows the references of
// a manifest, and its reader of security configurations does not.
func decodeXML(data []byte, table *table, note bool) ([]byte, error) {
	top, _, err := nextChunk(data)
	if err != nil {
		return nil, err
	}
	if top.kind != chunkXML {
		return nil, bad("it is not compiled XML")
	}
	d := &xmlDecoder{table: table, note: note, spent: table.spent()}
	rest := top.body
	for len(rest) > 0 {
		var c chunk
		if c, rest, err = nextChunk(rest); err != nil {
			return nil, err
		}
		if err := d.chunk(c); err != nil {
			return nil, err
		}
		if err := d.spent.err(); err != nil { // of this file, with those before it
			return nil, err
		}
	}
	return d.out.done()
}

type xmlDecoder struct {
	table  *table
	note   bool
	names  *pool
	ids    []byte // the numbers of the first names of the pool
	spent  *allowance
	values int // how many bytes the values of attributes have, those of a name that is there twice too
	out    xmlWriter
}

func (d *xmlDecoder) chunk(c chunk) (err error) {
	switch c.kind {
	case chunkPool:
		d.names, err = readPool(c, d.spent)
		return err
	case chunkMap:
		d.ids = c.body
		return nil
	case chunkStart:
		return d.start(c)
	case chunkEnd:
		return d.out.end()
	case chunkText:
		if len(c.body) < 4 {
			return bad("a text is cut short")
		}
		text, _ := d.names.at(binary.LittleEndian.Uint32(c.body))
		return d.out.text(text)
	}
	return nil // namespaces, and what later releases add
}

func (d *xmlDecoder) start(c chunk) error {
	if len(c.body) < 20 {
		return bad("an element is cut short")
	}
	name, ok := d.names.at(binary.LittleEndian.Uint32(c.body[4:]))
	if !ok {
		return bad("an element has no name")
	}
	begin, size := int(binary.LittleEndian.Uint16(c.body[8:])), int(binary.LittleEndian.Uint16(c.body[10:]))
	count := int(binary.LittleEndian.Uint16(c.body[12:]))
	if count > 0 && (size < 20 || begin+count*size > len(c.body)) {
		return bad("the attributes of <%s> are cut short", name)
	}
	var list []xmlAttribute
	for i := range count {
		a, ok := d.attribute(c.body[begin+i*size:])
		if d.values += len(a.value); d.values > maxText {
			return bad("its attributes come to more than %d bytes", maxText)
		}
		if ok {
			list = append(list, a)
		}
	}
	return d.out.start(name, list)
}

func (d *xmlDecoder) attribute(raw []byte) (a xmlAttribute, ok bool) {
	space, _ := d.names.at(binary.LittleEndian.Uint32(raw))
	index := binary.LittleEndian.Uint32(raw[4:])
	a.android = space == androidSpace
	a.name, ok = d.names.at(index)
	if int64(index)*4+4 <= int64(len(d.ids)) {
		id := binary.LittleEndian.Uint32(d.ids[index*4:])
		if known, found := attributes[id]; found {
			a.name, a.android, ok = known, true, true
		} else if id != 0 && id>>24 == 1 {
			a.android = true
		}
	}
	if !ok {
		return a, false
	}
	kind, value := raw[15], binary.LittleEndian.Uint32(raw[16:])
	if kind == valueString {
		a.value, _ = d.names.at(value)
		return a, true
	}
	if kind == valueReference && d.note {
		d.table.note(value)
	}
	a.value = d.table.text(kind, value)
	return a, true
}

// plain writes a value that is no string as the text that stands for it.
func plain(kind byte, value uint32) string {
	switch kind {
	case valueBool:
		return strconv.FormatBool(value != 0)
	case valueDecimal:
		return strconv.FormatInt(int64(int32(value)), 10)
	case valueReference:
		return fmt.Sprintf("@0x%08x", value)
	}
	return fmt.Sprintf("0x%x", value)
}
