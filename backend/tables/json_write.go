package tables

import (
	"strconv"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// AppendRow appends a row as a JSON object: the values of the given columns of
// the shape, in that order.
func (s *Shape) AppendRow(b []byte, columns []int, row []odata.Value) []byte {
	b = append(b, '{')
	// A row that nothing has changed has the same date twice: it is written once and
	// copied. The last one stands between from and to.
	var date int64
	from, to := 0, 0
	for i, c := range columns {
		key := s.keys[c]
		if i == 0 {
			key = key[1:]
		}
		b = append(b, key...)
		switch v := &row[i]; {
		case v.Type != odata.Date:
			b = appendJSONValue(b, *v)
		case from < to && v.Num == date:
			b = append(b, b[from:to]...)
		default:
			from, date = len(b), v.Num
			b = appendJSONValue(b, *v)
			to = len(b)
		}
	}
	return append(b, '}')
}

func appendJSONValue(b []byte, v odata.Value) []byte {
	switch v.Type {
	case odata.String:
		return appendJSONString(b, v.Text)
	case odata.Number:
		return odata.AppendNumber(b, v.Float())
	case odata.Integer:
		return strconv.AppendInt(b, v.Num, 10)
	case odata.Boolean:
		return strconv.AppendBool(b, v.Num != 0)
	case odata.Date:
		return append(odata.AppendDate(append(b, '"'), v.Num), '"')
	case odata.Version:
		return append(odata.AppendVersion(append(b, '"'), v.Num), '"')
	}
	return append(b, "null"...)
}

const hexDigits = "0123456789abcdef"

// escapes is how much longer s becomes as a JSON string, but for its quotes.
func escapes(s string) (n int) {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t':
			n++
		case c < 0x20:
			n += len(`\u0000`) - 1
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				n += len("\ufffd") - 1
			}
			i += size - 1
		}
		i++
	}
	return n
}

// appendJSONString appends s as a JSON string. Text that is not UTF-8 gets
// replacement characters.
func appendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, size := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			b = append(append(b, s[start:i]...), "\ufffd"...)
			i++
			start = i
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}
