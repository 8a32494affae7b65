package transfer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// EncodingError says which byte of a file is not what its encoding allows.
type EncodingError struct {
	// Offset is the place of the byte, counted from 1.
	Offset int64
	// Found is what is there, Encoding what was expected.
	Found, Encoding string
}

// Error says where and what.
func (e *EncodingError) Error() string {
	remedy := "is the file cut off?"
	if e.Encoding == "UTF-8" {
		remedy = "if it is in a code page, such as Windows-1252, convert it first: " +
			"iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW; if in UTF-16, say --encoding utf-16le"
	}
	return fmt.Sprintf("byte %d of the file (%s) is not %s: %s", e.Offset, e.Found, e.Encoding, remedy)
}

// encodingOf reads the name of an encoding; "" goes by the byte order mark.
func encodingOf(name string) (string, error) {
	folded := strings.ToLower(strings.TrimSpace(name))
	switch folded {
	case "", "utf-8", "utf-16le", "utf-16be":
		return folded, nil
	case "utf8", "65001":
		return "utf-8", nil
	case "utf16le", "utf-16", "utf16", "unicode":
		return "utf-16le", nil
	case "utf16be":
		return "utf-16be", nil
	}
	return "", fmt.Errorf("the encoding %q must be utf-8, utf-16le or utf-16be; convert a file in a code page first: "+
		"iconv -f %s -t UTF-8 FILE > NEW", name, strings.ToUpper(name))
}

// foreign are the first bytes of files that are no text, and what to do with them.
var foreign = []struct{ begin, what string }{
	{
		"PK\x03\x04",
		"a zip archive, as a BACPAC and an Excel workbook are: import a BACPAC into a SQL Server, and take " +
			"the rows out of that; save a workbook as CSV UTF-8",
	},
	{"\x1f\x8b", "compressed: unpack it with gunzip"},
	{"SQLite format 3\x00", "a SQLite database: copy it with cordon copy-store, or export its tables"},
	{"\xff\xfe\x00\x00", "in UTF-32: convert it with iconv -f UTF-32 -t UTF-8 FILE > NEW"},
	{"\x00\x00\xfe\xff", "in UTF-32: convert it with iconv -f UTF-32 -t UTF-8 FILE > NEW"},
}

// marks are the byte order marks.
var marks = []struct{ begin, encoding string }{
	{"\xef\xbb\xbf", "utf-8"}, {"\xff\xfe", "utf-16le"}, {"\xfe\xff", "utf-16be"},
}

// decode returns a file's text in valid UTF-8. What is not valid is an
// *EncodingError, after all that comes before it.
func decode(r io.Reader, encoding string) (io.Reader, error) {
	raw := bufio.NewReaderSize(r, 1<<16)
	head, err := raw.Peek(16)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for _, f := range foreign {
		if strings.HasPrefix(string(head), f.begin) {
			return nil, fmt.Errorf("the file is not text: it is %s", f.what)
		}
	}
	skipped := 0
	for _, m := range marks {
		if !strings.HasPrefix(string(head), m.begin) {
			continue
		}
		if encoding != "" && encoding != m.encoding {
			return nil, fmt.Errorf("the file's byte order mark says %s, not %s", m.encoding, encoding)
		}
		encoding, skipped = m.encoding, len(m.begin)
	}
	if _, err := raw.Discard(skipped); err != nil {
		return nil, err
	}
	if encoding == "utf-16le" || encoding == "utf-16be" {
		var order binary.ByteOrder = binary.LittleEndian
		if encoding == "utf-16be" {
			order = binary.BigEndian
		}
		return &wide{raw: raw, order: order, offset: int64(skipped)}, nil
	}
	if name := unmarked(head); name != "" && encoding == "" {
		return nil, fmt.Errorf(
			"the file looks like UTF-16 without a byte order mark: if it is, say --encoding %s",
			name,
		)
	}
	return &narrow{raw: raw, offset: int64(skipped)}, nil
}

// unmarked names the encoding of a file that begins with two characters of ASCII in
// UTF-16.
func unmarked(head []byte) string {
	switch {
	case len(head) < 4:
	case head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return "utf-16le"
	case head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return "utf-16be"
	}
	return ""
}

// narrow passes UTF-8 on and stops where it is not valid.
type narrow struct {
	raw    io.Reader
	offset int64  // of what was passed on
	carry  []byte // the beginning of a character
	err    error  // after what was passed on
}

// Read implements io.Reader.
func (u *narrow) Read(p []byte) (int, error) {
	if len(p) < 16 {
		return 0, io.ErrShortBuffer // the readers here have buffers
	}
	for u.err == nil {
		n := copy(p, u.carry)
		m, err := u.raw.Read(p[n:])
		n += m
		valid := validPrefix(p[:n])
		u.carry = append(u.carry[:0], p[valid:n]...)
		if len(u.carry) > 0 && (utf8.FullRune(u.carry) || err != nil) {
			u.err = &EncodingError{u.offset + int64(valid) + 1, fmt.Sprintf("0x%02X", u.carry[0]), "UTF-8"}
		} else {
			u.err = err
		}
		u.offset += int64(valid)
		if valid > 0 {
			return valid, nil
		}
	}
	return 0, u.err
}

// validPrefix is how many bytes are whole, valid characters.
func validPrefix(p []byte) int {
	if utf8.Valid(p) {
		return len(p)
	}
	for i := 0; ; {
		r, size := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
}

// wide turns UTF-16 into UTF-8.
type wide struct {
	raw    *bufio.Reader
	order  binary.ByteOrder
	offset int64
	out    []byte
	at     int
	err    error
}

// Read implements io.Reader.
func (w *wide) Read(p []byte) (int, error) {
	if w.at == len(w.out) {
		w.out, w.at = w.out[:0], 0
		for w.err == nil && len(w.out) < 1<<15 {
			w.err = w.next()
		}
		if len(w.out) == 0 {
			return 0, w.err
		}
	}
	n := copy(p, w.out[w.at:])
	w.at += n
	return n, nil
}

// next decodes one character.
func (w *wide) next() error {
	first, err := w.unit()
	if err != nil {
		return err
	}
	r := rune(first)
	if utf16.IsSurrogate(r) {
		at := w.offset - 1
		second, err := w.unit()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if r = utf16.DecodeRune(rune(first), rune(second)); r == utf8.RuneError {
			return &EncodingError{at, fmt.Sprintf("half of the pair 0x%04X", first), "UTF-16"}
		}
	}
	w.out = utf8.AppendRune(w.out, r)
	return nil
}

func (w *wide) unit() (uint16, error) {
	b, err := w.raw.Peek(2)
	if len(b) < 2 {
		if len(b) == 1 && errors.Is(err, io.EOF) {
			return 0, &EncodingError{w.offset + 1, "half of a character", "UTF-16"}
		}
		return 0, err
	}
	u := w.order.Uint16(b)
	w.offset += 2
	_, err = w.raw.Discard(2)
	return u, err
}
