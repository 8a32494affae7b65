package dialect

import (
	"strings"
	"unicode/utf8"
)

const replacement = "\uFFFD"

// decode replaces percent-escapes as Uri.decode does; escapes that are none,
// and bytes that are no UTF-8, become U+FFFD.
func (a androidURI) decode(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	if a.strict {
		return decode29(s)
	}
	return decode19(s)
}

// decode19 follows libcore.net.UriCodec of API 19: a malformed escape takes
// the two characters (UTF-16 units) after the "%" with it.
func decode19(s string) string {
	var b strings.Builder
	var run []byte
	for i := 0; i < len(s); {
		if s[i] != '%' {
			b.WriteByte(s[i])
			i++
			continue
		}
		run = run[:0]
		for i < len(s) && s[i] == '%' {
			if high, low, ok := escapeAt(s[i:]); ok {
				run = append(run, high<<4|low)
				i += 3
				continue
			}
			run = append(run, replacement...)
			i = skipUnits(s, i+1, 2)
		}
		writeUTF8(&b, run)
	}
	return b.String()
}

// skipUnits returns the offset n UTF-16 units behind offset i.
func skipUnits(s string, i, n int) int {
	for n > 0 && i < len(s) {
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
		n--
		if size == 4 {
			n--
		}
	}
	return i
}

// decode29 follows android.net.UriCodec of API 29: the digit that is none is
// swallowed, and what was read of the escape's byte is kept.
func decode29(s string) string {
	var b strings.Builder
	var run []byte
	flush := func() {
		writeUTF8(&b, run)
		run = run[:0]
	}
	for i := 0; i < len(s); {
		if s[i] != '%' {
			flush()
			b.WriteByte(s[i])
			i++
			continue
		}
		i++
		value, read := byte(0), 0
		for read < 2 {
			if i >= len(s) {
				flush()
				b.WriteString(replacement)
				return b.String()
			}
			digit, ok := hexDigit(s[i])
			if !ok {
				i = skipUnits(s, i, 1)
				flush()
				b.WriteString(replacement)
				break
			}
			i++
			read++
			value = value<<4 | digit
		}
		run = append(run, value)
	}
	flush()
	return b.String()
}

func escapeAt(s string) (high, low byte, ok bool) {
	if len(s) < 3 {
		return 0, 0, false
	}
	high, ok1 := hexDigit(s[1])
	low, ok2 := hexDigit(s[2])
	return high, low, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// writeUTF8 appends bytes as Java decodes them: every longest beginning of a
// character that does not go on becomes one U+FFFD, a surrogate as well.
func writeUTF8(b *strings.Builder, bytes []byte) {
	for len(bytes) > 0 {
		if r, size := utf8.DecodeRune(bytes); r != utf8.RuneError || size > 1 {
			b.Write(bytes[:size])
			bytes = bytes[size:]
			continue
		}
		b.WriteString(replacement)
		bytes = bytes[malformedLength(bytes):]
	}
}

func malformedLength(s []byte) int {
	var lowest, highest byte = 0x80, 0xBF
	var want int
	switch c := s[0]; {
	case c >= 0xC2 && c <= 0xDF:
		want = 2
	case c >= 0xE0 && c <= 0xEF:
		want = 3
		if c == 0xE0 {
			lowest = 0xA0
		}
	case c >= 0xF0 && c <= 0xF4:
		want = 4
		if c == 0xF0 {
			lowest = 0x90
		}
		if c == 0xF4 {
			highest = 0x8F
		}
	}
	n := 1
	for n < want && n < len(s) && s[n] >= lowest && s[n] <= highest {
		lowest, highest = 0x80, 0xBF
		n++
	}
	return n
}
