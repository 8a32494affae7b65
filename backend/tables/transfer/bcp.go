package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// bcpSource reads what bcp writes in its character modes (-c and -w): cells end in
// a terminator, the last of a row in another one. Nothing is quoted; a null is an
// empty cell, and an empty text the character U+0000.
type bcpSource struct {
	r        *bufio.Reader
	names    []string
	cellEnd  []byte
	rowEnd   []byte
	anyBreak bool // \n or \r\n
	line     int
}

func newBCP(r io.Reader, o Options) (*bcpSource, error) {
	if len(o.Columns) == 0 {
		return nil, errors.New(
			"a file of bcp has no header: name its columns with --columns, in the order of the query",
		)
	}
	b := &bcpSource{r: bufio.NewReaderSize(r, 1<<16), names: o.Columns, line: 1,
		cellEnd: []byte(o.CellEnd), rowEnd: []byte(o.RowEnd)}
	if len(b.cellEnd) == 0 {
		b.cellEnd = []byte{'\t'}
	}
	if len(b.rowEnd) == 0 {
		b.rowEnd, b.anyBreak = []byte{'\n'}, true
	}
	if bytes.Equal(b.cellEnd, b.rowEnd) {
		return nil, errors.New("--cell-end and --row-end must differ")
	}
	return b, nil
}

func (b *bcpSource) next(r *record) error {
	*r = record{names: b.names, cells: r.cells[:0], line: b.line}
	if _, err := b.r.Peek(1); err != nil {
		return err
	}
	for i := range b.names {
		last := i == len(b.names)-1
		end := b.cellEnd
		if last {
			end = b.rowEnd
		}
		text, err := b.cell(end)
		if errors.Is(err, io.EOF) {
			return fmt.Errorf(
				"the file ends inside of the row: cell %d of %d does not end in %q",
				i+1,
				len(b.names),
				end,
			)
		}
		if err != nil {
			return err
		}
		if last && b.anyBreak {
			text = strings.TrimSuffix(text, "\r")
		}
		if last && strings.Contains(text, string(b.cellEnd)) {
			r.bad = fmt.Errorf("the row has more cells than the %d columns that are named", len(b.names))
		}
		r.cells = append(r.cells, bcpCell(text))
	}
	return nil
}

func bcpCell(text string) cell {
	switch text {
	case "":
		return cell{"", null}
	case "\x00":
		return cell{"", quoted}
	}
	return cell{text, quoted}
}

// cell reads up to a terminator.
func (b *bcpSource) cell(end []byte) (string, error) {
	var text []byte
	last := end[len(end)-1]
	for {
		c, err := b.r.ReadByte()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			b.line++
		}
		if text = append(text, c); len(text) > maxRecord {
			return "", errTooLong
		}
		if c == last && bytes.HasSuffix(text, end) {
			return string(text[:len(text)-len(end)]), nil
		}
	}
}

// Terminator reads a terminator as bcp takes it: \t, \n, \r, \0 and \\ stand for
// single characters.
func Terminator(text string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out.WriteByte(text[i])
			continue
		}
		i++
		at := -1
		if i < len(text) {
			at = strings.IndexByte(`tnr0\`, text[i])
		}
		if at < 0 {
			return "", fmt.Errorf(`the terminator %q: after a backslash there must be t, n, r, 0 or a backslash`, text)
		}
		out.WriteByte("\t\n\r\x00\\"[at])
	}
	if out.Len() == 0 {
		return "", errors.New("a terminator must have a character")
	}
	return out.String(), nil
}
