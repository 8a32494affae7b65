package artifact

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"testing"
	"unicode/utf16"

	"google.golang.org/protobuf/encoding/protowire"
)

// element is an element to compile, the way aapt2 does it.
type element struct {
	name       string
	attributes []attribute
	children   []element
	text       string
}

type attribute struct {
	name    string
	android bool
	id      uint32 // the number of the attribute, 0 for none
	kind    byte
	text    string // a string's
	data    uint32 // another value's
}

func le32(list ...uint32) []byte {
	var out []byte
	for _, n := range list {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return out
}

func chunkOf(kind uint16, header, body []byte) []byte {
	out := binary.LittleEndian.AppendUint16(nil, kind)
	out = binary.LittleEndian.AppendUint16(out, uint16(8+len(header)))
	out = append(out, le32(uint32(8+len(header)+len(body)))...)
	return append(append(out, header...), body...)
}

// strings8 makes a pool of strings in UTF-8, strings16 one in UTF-16.
func strings8(list []string) []byte {
	var offsets, data []byte
	for _, s := range list {
		offsets = append(offsets, le32(uint32(len(data)))...)
		data = append(append(append(data, byte(len(s)), byte(len(s))), s...), 0)
	}
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	header := le32(uint32(len(list)), 0, 1<<8, uint32(28+len(offsets)), 0)
	return chunkOf(chunkPool, header, append(offsets, data...))
}

func strings16(list []string) []byte {
	var offsets, data []byte
	for _, s := range list {
		offsets = append(offsets, le32(uint32(len(data)))...)
		units := utf16.Encode([]rune(s))
		data = binary.LittleEndian.AppendUint16(data, uint16(len(units)))
		for _, u := range units {
			data = binary.LittleEndian.AppendUint16(data, u)
		}
		data = append(data, 0, 0)
	}
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	return chunkOf(chunkPool, le32(uint32(len(list)), 0, 0, uint32(28+len(offsets)), 0), append(offsets, data...))
}

type compiler struct {
	strings []string
	ids     []uint32
	index   map[string]uint32
	body    []byte
}

// of returns a string's number. An attribute with a number comes first, once for each.
func (c *compiler) of(s string) uint32 {
	if n, ok := c.index[s]; ok {
		return n
	}
	c.index[s] = uint32(len(c.strings))
	c.strings = append(c.strings, s)
	return c.index[s]
}

func (c *compiler) collect(e element) {
	for _, a := range e.attributes {
		key := a.name + "\x00id"
		if _, ok := c.index[key]; a.id != 0 && !ok {
			c.index[key] = uint32(len(c.strings))
			c.strings, c.ids = append(c.strings, a.name), append(c.ids, a.id)
		}
	}
	for _, child := range e.children {
		c.collect(child)
	}
}

func (c *compiler) element(e element) {
	var list []byte
	for _, a := range e.attributes {
		space, name, raw, data := uint32(noString), uint32(0), uint32(noString), a.data
		if a.android {
			space = c.of(androidSpace)
		}
		if a.id != 0 {
			name = c.index[a.name+"\x00id"]
		} else {
			name = c.of(a.name)
		}
		if a.kind == valueString {
			raw = c.of(a.text)
			data = raw
		}
		list = append(append(list, le32(space, name, raw)...), 8, 0, 0, a.kind)
		list = append(list, le32(data)...)
	}
	body := le32(noString, c.of(e.name))
	for _, n := range []int{20, 20, len(e.attributes), 0, 0, 0} {
		body = binary.LittleEndian.AppendUint16(body, uint16(n))
	}
	c.body = append(c.body, chunkOf(chunkStart, le32(1, noString), append(body, list...))...)
	if e.text != "" {
		c.body = append(c.body, chunkOf(chunkText, le32(1, noString), le32(c.of(e.text), 8, 0))...)
	}
	for _, child := range e.children {
		c.element(child)
	}
	c.body = append(c.body, chunkOf(chunkEnd, le32(1, noString), le32(noString, c.of(e.name)))...)
}

func compileXML(e element, pool func([]string) []byte) []byte {
	c := &compiler{index: make(map[string]uint32)}
	c.collect(e)
	c.element(e)
	body := append(pool(c.strings), chunkOf(chunkMap, nil, le32(c.ids...))...)
	return chunkOf(chunkXML, nil, append(body, c.body...))
}

// tableEntry is a resource of a table: of the types xml and string with a text in path.
type tableEntry struct {
	kind, name, path string
	value            uint32
}

func compileTable(types []string, list []tableEntry) []byte {
	var paths, keys []string
	for _, e := range list {
		paths, keys = append(paths, e.path), append(keys, e.name)
	}
	var body []byte
	for id, kind := range types {
		var offsets, entries []byte
		count := 0
		for i, e := range list {
			if e.kind != kind {
				continue
			}
			count++
			offsets = append(offsets, le32(uint32(len(entries)))...)
			entries = append(append(entries, 8, 0, 0, 0), le32(uint32(i))...)
			if kind == "xml" || kind == "string" {
				entries = append(append(entries, 8, 0, 0, valueString), le32(uint32(i))...)
			} else {
				entries = append(append(entries, 8, 0, 0, valueBool), le32(e.value)...)
			}
		}
		header := append([]byte{byte(id + 1), 0, 0, 0}, le32(uint32(count), uint32(24+len(offsets)), 4)...)
		body = append(body, chunkOf(chunkType, header, append(offsets, entries...))...)
	}
	typePool, keyPool := strings8(types), strings8(keys)
	header := append(le32(0x7f), make([]byte, 256)...)
	header = append(header, le32(288, 0, uint32(288+len(typePool)), 0, 0)...)
	pack := chunkOf(chunkPackage, header, append(append(typePool, keyPool...), body...))
	return chunkOf(chunkTable, le32(1), append(strings8(paths), pack...))
}

// zipOf writes an archive of pairs of names and contents.
func zipOf(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i+1 < len(pairs); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: pairs[i], Method: zip.Deflate})
		if err == nil {
			_, err = f.Write([]byte(pairs[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// compileProto writes an element as the message XmlNode of aapt2.
func compileProto(e element) []byte {
	var out []byte
	put := func(to []byte, field protowire.Number, data []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(to, field, protowire.BytesType), data)
	}
	number := func(field protowire.Number, n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), n)
	}
	out = put(out, elementName, []byte(e.name))
	for _, a := range e.attributes {
		var raw []byte
		if a.android {
			raw = put(raw, attributeSpace, []byte(androidSpace))
		}
		raw = put(raw, attributeName, []byte(a.name))
		raw = put(raw, attributeText, []byte(a.text))
		if a.id != 0 {
			raw = append(raw, number(attributeID, uint64(a.id))...)
		}
		switch a.kind {
		case valueBool:
			raw = put(raw, attributeItem, put(nil, itemPrimitive, number(primitiveBool, uint64(a.data))))
		case valueDecimal:
			raw = put(raw, attributeItem, put(nil, itemPrimitive, number(primitiveDecimal, uint64(a.data))))
		case valueReference:
			raw = put(raw, attributeItem, put(nil, itemReference, put(nil, referenceName, []byte(a.text))))
		}
		out = put(out, elementAttribute, raw)
	}
	if e.text != "" {
		out = put(out, elementChild, put(nil, nodeText, []byte(e.text)))
	}
	for _, child := range e.children {
		out = put(out, elementChild, compileProto(child))
	}
	return put(nil, nodeElement, out)
}

// compileProtoTable writes a table of one resource as the message ResourceTable of aapt2,
// with the value for each kind of device.
func compileProtoTable(kind, name string, values ...bool) []byte {
	put := func(field protowire.Number, data ...[]byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), bytes.Join(data, nil))
	}
	entry := put(entryName, []byte(name))
	for _, on := range values {
		bit := protowire.AppendVarint(
			protowire.AppendTag(nil, primitiveBool, protowire.VarintType),
			protowire.EncodeBool(on),
		)
		value := put(configValue, put(valueItem, put(itemPrimitive, bit)))
		entry = append(entry, put(entryConfig, value)...)
	}
	return put(tablePackage, put(packageType, put(typeName, []byte(kind)), put(typeEntry, entry)))
}
