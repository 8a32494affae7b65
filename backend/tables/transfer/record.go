package transfer

import (
	"errors"
	"fmt"
	"hash"
	"io"
)

// kind says how a cell was written.
type kind uint8

const (
	bare    kind = iota // CSV, without quotes
	quoted              // in a way in which no word means null
	number              // a number of JSON
	boolean             // true or false of JSON
	null                // certainly null
	nested              // an object or an array of JSON
)

// cell is one value as the file has it.
type cell struct {
	text string
	kind kind
}

// record is one row of a file.
type record struct {
	// names are those of the cells; they change from row to row in JSON only.
	names []string
	cells []cell
	// line is where the row begins, counted from 1.
	line int
	// bad is what is wrong with the row as a whole, though the next can be read.
	bad error
}

// source reads a file, row by row. The record is reused. The error is io.EOF at
// the end; any other ends the reading.
type source interface {
	next(r *record) error
}

// maxRecord bounds one row, so that a quote that is never closed does not read all
// of the file.
const maxRecord = 64 << 20

var errTooLong = fmt.Errorf("the row has more than %d MiB: is a closing quote or the end of a row missing?",
	maxRecord>>20)

// digest adds a row to the hash by which a broken import knows its file again.
func (r *record) digest(h hash.Hash) {
	var head [5]byte
	for i, c := range r.cells {
		size := len(c.text)
		head = [5]byte{byte(c.kind), byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}
		_, _ = h.Write(head[:]) // never fails
		_, _ = io.WriteString(h, c.text)
		if i < len(r.names) {
			_, _ = io.WriteString(h, r.names[i])
		}
	}
	_, _ = h.Write([]byte{255})
}

// errNoHeader says that a file has no row at all, not even its header.
var errNoHeader = errors.New("the file is empty: a CSV file begins with the names of its columns")
