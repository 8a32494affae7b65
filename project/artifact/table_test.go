package artifact

import (
	"bytes"
	"strings"
	"testing"
)

// typeChunk is a type of resources: how its offsets are written, how many there are,
// and the bytes that follow the header.
func typeChunk(flags byte, count int, body []byte) []byte {
	return chunkOf(chunkType, append([]byte{1, flags, 0, 0}, le32(uint32(count), 24, 0)...), body)
}

// tableOf is a table of one package, whose one type is xml.
func tableOf(types ...[]byte) []byte {
	return chunkOf(chunkTable, le32(1), append(strings8([]string{"res/a.xml"}), packOf([]string{"key"}, types...)...))
}

func packOf(keys []string, types ...[]byte) []byte {
	typePool, keyPool := strings8([]string{"xml"}), strings8(keys)
	header := append(le32(0x7f), make([]byte, 256)...)
	header = append(header, le32(288, 0, uint32(288+len(typePool)), 0, 0)...)
	return chunkOf(chunkPackage, header, bytes.Join(append([][]byte{typePool, keyPool}, types...), nil))
}

// TestOffsets: a type that is sparse has offsets of four bytes, whatever else it says
// of them, and none is read beyond the end.
func TestOffsets(t *testing.T) {
	for flags, want := range []string{"it is damaged: a type of resources is cut short",
		"it is damaged: a type of resources is cut short", "",
		"it is damaged: a type of resources is cut short"} {
		got := ""
		if _, err := readTable(tableOf(typeChunk(byte(flags), 5, make([]byte, 10)))); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("flags %d: %q, want %q", flags, got, want)
		}
		for i := range 9 {
			if _, _, ok := entryAt(make([]byte, 10), i, byte(flags)); ok && i >= 5 {
				t.Errorf("flags %d: an offset %d", flags, i)
			}
		}
	}
}

// TestValuesThatOverlap: one entry that is named again and again counts each time.
func TestValuesThatOverlap(t *testing.T) {
	const count = 1 << 19
	// A sparse type: each of its offsets is the resource 0, of zeros.
	one := typeChunk(1, count, make([]byte, 4*count))
	if _, err := readTable(tableOf(one)); err != nil {
		t.Error(err)
	}
	_, err := readTable(tableOf(one, one, one))
	if err == nil || err.Error() != "it is damaged: it has more than 1048576 resources" {
		t.Error(err)
	}
}

// TestNamesOfPackages: what names come to is counted over all packages of a table.
func TestNamesOfPackages(t *testing.T) {
	const count, length = 4000, 120
	offsets := make([]byte, 0, 4*count)
	for i := range count {
		offsets = append(offsets, byte(i), byte(i>>8), 0, 0) // all at the start
	}
	entry := append([]byte{8, 0, 0, 0}, append(le32(0), append([]byte{8, 0, 0, valueString}, le32(0)...)...)...)
	header := append([]byte{1, 1, 0, 0}, le32(count, uint32(24+len(offsets)), 0)...)
	pack := packOf([]string{strings.Repeat("k", length)}, chunkOf(chunkType, header, append(offsets, entry...)))
	const most = maxStrings / (count * (length + 1))
	for n, want := range map[int]string{most: "",
		most + 1: "it is damaged: its strings come to more than 33554432 bytes"} {
		data := strings8([]string{"res/a.xml"})
		for i := range n {
			pack[8] = byte(i) // another package: other resources
			data = append(data, pack...)
		}
		got := ""
		if _, err := readTable(chunkOf(chunkTable, le32(1), data)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%d packages: %q, want %q", n, got, want)
		}
	}
}
