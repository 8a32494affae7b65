package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// jsonSource reads a JSON array of objects, or objects one after the other.
// Numbers stay as they are written.
type jsonSource struct {
	d     *json.Decoder
	lines *lines
	array bool
}

func newJSON(r io.Reader, array bool) (*jsonSource, error) {
	l := &lines{r: r, line: 1}
	j := &jsonSource{d: json.NewDecoder(&escapes{r: l}), lines: l, array: array}
	j.d.UseNumber()
	if !array {
		return j, nil
	}
	if token, err := j.d.Token(); err != nil || token != json.Delim('[') {
		var wrong *EncodingError
		if errors.As(err, &wrong) {
			return nil, err
		}
		return nil, errors.New("the file is not a JSON array: for an object a line say --format jsonl")
	}
	return j, nil
}

func (j *jsonSource) next(r *record) error {
	*r = record{names: r.names[:0], cells: r.cells[:0]}
	if !j.d.More() {
		return j.end(r)
	}
	token, err := j.d.Token()
	r.line = j.lines.at(j.d.InputOffset())
	if err != nil && j.array {
		return whole(err)
	}
	if err != nil {
		return err
	}
	if token != json.Delim('{') {
		return fmt.Errorf("the row must be a JSON object, not %v", token)
	}
	for j.d.More() {
		if err := j.member(r); err != nil {
			return whole(err)
		}
	}
	_, err = j.d.Token() // the bracket
	return whole(err)
}

// whole is the error of a file that ends inside of a row.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// end reads what follows the last row.
func (j *jsonSource) end(r *record) error {
	token, err := j.d.Token()
	r.line = j.lines.at(j.d.InputOffset())
	if !j.array {
		if err == nil {
			err = fmt.Errorf("the row must be a JSON object, not %v", token)
		}
		return err
	}
	if err != nil {
		return fmt.Errorf("the array does not end: %w", whole(err))
	}
	j.array = false
	if token, err = j.d.Token(); err == nil {
		err = fmt.Errorf("the array is followed by %v", token)
	}
	return err
}

func (j *jsonSource) member(r *record) error {
	name, err := j.d.Token()
	if err != nil {
		return err
	}
	key, _ := name.(string)
	value, err := j.d.Token()
	if err != nil {
		return err
	}
	c := cell{}
	switch v := value.(type) {
	case string:
		c = cell{v, quoted}
	case json.Number:
		c = cell{v.String(), number}
	case bool:
		c = cell{strconv.FormatBool(v), boolean}
	case nil:
		c = cell{"", null}
	case json.Delim:
		c.kind = nested
		for depth := 1; depth > 0; {
			inner, err := j.d.Token()
			if err != nil {
				return err
			}
			switch inner {
			case json.Delim('{'), json.Delim('['):
				depth++
			case json.Delim('}'), json.Delim(']'):
				depth--
			}
		}
	}
	r.names, r.cells = append(r.names, key), append(r.cells, c)
	return nil
}

// lines counts the lines of what passes through.
type lines struct {
	r      io.Reader
	offset int64
	breaks []int64 // of the lines that were not asked for yet
	line   int
}

// Read implements io.Reader.
func (l *lines) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for at := 0; ; {
		i := bytes.IndexByte(p[at:n], '\n')
		if i < 0 {
			break
		}
		at += i + 1
		l.breaks = append(l.breaks, l.offset+int64(at))
	}
	l.offset += int64(n)
	return n, err
}

// at is the line of an offset, which grows from call to call.
func (l *lines) at(offset int64) int {
	i := 0
	for i < len(l.breaks) && l.breaks[i] <= offset {
		i++
	}
	l.line += i
	l.breaks = l.breaks[i:]
	return l.line
}

// escapes passes JSON on and stops at an escape that is half of a pair (\ud83d
// alone): encoding/json would put another character in its place.
type escapes struct {
	r    io.Reader
	seen []byte // of an escape that is not over
	high bool   // half of a pair was seen
	err  error
}

// Read implements io.Reader.
func (e *escapes) Read(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	n, err := e.r.Read(p)
	for i := 0; i < n; i++ {
		if len(e.seen) == 0 && !e.high {
			skip := bytes.IndexByte(p[i:n], '\\')
			if skip < 0 {
				break
			}
			i += skip
		}
		if !e.step(p[i]) {
			e.err = errors.New(`an escape such as \ud83d stands alone: it is half of a character`)
			return i, nil
		}
	}
	return n, err
}

// step takes one byte and reports whether all is well.
func (e *escapes) step(c byte) bool {
	e.seen = append(e.seen, c)
	switch n := len(e.seen); {
	case n == 1:
		if c == '\\' {
			return true
		}
		e.seen = e.seen[:0]
		return !e.high
	case n == 2 && c != 'u':
		e.seen = e.seen[:0]
		return !e.high
	case n < 6:
		return true
	}
	u, err := strconv.ParseUint(string(e.seen[2:]), 16, 16)
	e.seen = e.seen[:0]
	isHigh, isLow := err == nil && u >= 0xd800 && u < 0xdc00, err == nil && u >= 0xdc00 && u < 0xe000
	ok := isLow == e.high
	e.high = isHigh
	return ok
}
