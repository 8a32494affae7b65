package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// csvSource reads CSV (RFC 4180). Unlike encoding/csv it keeps line ends inside of
// quotes as they are, and knows which cells had quotes.
type csvSource struct {
	r     *bufio.Reader
	sep   byte
	names []string
	line  int
	buf   []byte
	ends  []csvEnd
}

type csvEnd struct {
	at   int
	kind kind
}

// newCSV reads the header, unless the names of the columns are given.
func newCSV(r io.Reader, sep byte, names []string) (*csvSource, error) {
	c := &csvSource{r: bufio.NewReaderSize(r, 1<<16), sep: sep, names: names, line: 1}
	if len(names) > 0 {
		return c, nil
	}
	var header record
	if err := c.next(&header); err != nil {
		if errors.Is(err, io.EOF) {
			err = errNoHeader
		}
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	for i, cell := range header.cells {
		name := strings.TrimSpace(cell.text)
		if name == "" {
			return nil, fmt.Errorf("the header: column %d has no name", i+1)
		}
		c.names = append(c.names, name)
	}
	if len(c.names) == 1 && strings.ContainsAny(c.names[0], ";\t|") {
		return nil, fmt.Errorf("the header has the one column %.80q: if something else than %q separates the columns, "+
			"say so with --separator", c.names[0], string(sep))
	}
	return c, nil
}

// The ways in which a cell ends.
const (
	endCell = iota
	endLine
	endFile
)

func (c *csvSource) next(r *record) error {
	for {
		blank, err := c.record(r)
		if err != nil || !blank {
			return err
		}
	}
}

// record reads one row. A line without anything is blank where there are several
// columns.
func (c *csvSource) record(r *record) (blank bool, err error) {
	*r = record{names: c.names, cells: r.cells[:0], line: c.line}
	c.buf, c.ends = c.buf[:0], c.ends[:0]
	end := endCell
	for end == endCell {
		if end, err = c.cell(); err != nil {
			c.hand(r)
			return false, err
		}
	}
	if len(c.ends) == 1 && c.ends[0] == (csvEnd{0, bare}) {
		if end == endFile {
			return false, io.EOF
		}
		if len(c.names) != 1 {
			return true, nil
		}
	}
	c.hand(r)
	if n := len(r.cells); c.names != nil && n != len(c.names) {
		r.bad = miscounted(r.cells, len(c.names))
	}
	return false, nil
}

// hand makes the cells that were read the record's.
func (c *csvSource) hand(r *record) {
	text, start := string(c.buf), 0
	for _, e := range c.ends {
		r.cells = append(r.cells, cell{text[start:e.at], e.kind})
		start = e.at
	}
}

var sqlcmdFooter = regexp.MustCompile(`^\(\d+ (rows?|row\(s\)) affected\)$`)

func miscounted(cells []cell, want int) error {
	first := strings.TrimSpace(cells[0].text)
	remedy := "a text with a separator or a line end must be in quotes"
	if sqlcmdFooter.MatchString(first) {
		remedy = "that is a message of sqlcmd: put SET NOCOUNT ON before the query"
	}
	return fmt.Errorf("the row has %d cells, and the header has %d: %s", len(cells), want, remedy)
}

func (c *csvSource) get() (byte, error) {
	b, err := c.r.ReadByte()
	if b == '\n' {
		c.line++
	}
	return b, err
}

func (c *csvSource) add(b byte) error {
	if len(c.buf) >= maxRecord {
		return errTooLong
	}
	c.buf = append(c.buf, b)
	return nil
}

func (c *csvSource) end(k kind) { c.ends = append(c.ends, csvEnd{len(c.buf), k}) }

func (c *csvSource) cell() (end int, err error) {
	start := len(c.buf)
	b, err := c.get()
	if err == nil && b == '"' {
		return c.quoted()
	}
	for ; err == nil; b, err = c.get() {
		switch b {
		case c.sep:
			c.end(bare)
			return endCell, nil
		case '\n':
			if bytes.HasSuffix(c.buf[start:], []byte{'\r'}) {
				c.buf = c.buf[:len(c.buf)-1]
			}
			c.end(bare)
			return endLine, nil
		}
		if err := c.add(b); err != nil {
			return 0, err
		}
	}
	if errors.Is(err, io.EOF) {
		c.end(bare)
		return endFile, nil
	}
	return 0, err
}

func (c *csvSource) quoted() (end int, err error) {
	began := c.line
	for {
		b, err := c.get()
		if errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("the quote that begins on line %d is not closed", began)
		}
		if err != nil {
			return 0, err
		}
		if b == '"' {
			if next, err := c.r.Peek(1); err != nil || next[0] != '"' {
				break
			}
			b, _ = c.get()
		}
		if err := c.add(b); err != nil {
			return 0, err
		}
	}
	c.end(quoted)
	b, err := c.get()
	if err == nil && b == '\r' {
		if b, err = c.get(); err == nil && b != '\n' {
			return 0, fmt.Errorf("a carriage return follows the quoted cell that begins on line %d", began)
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return endFile, nil
	case err != nil:
		return 0, err
	case b == c.sep:
		return endCell, nil
	case b == '\n':
		return endLine, nil
	}
	return 0, fmt.Errorf("%q follows the quoted cell that begins on line %d: a quote inside of a cell is written twice",
		b, began)
}
