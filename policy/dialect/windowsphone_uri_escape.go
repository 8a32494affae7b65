package dialect

import (
	"strings"
	"unicode/utf8"
)

// needsUnicode reports whether System.Uri makes its second pass over a URL: for
// a character beyond ASCII, as such or escaped, and for the escape of one that
// needs none.
func needsUnicode(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return true
		}
		c, ok := systemEscapeAt(s, i)
		if ok && (c >= utf8.RuneSelf && foreignAt(s, i) || unreserved(c)) {
			return true
		}
	}
	return false
}

// foreignAt reports whether a character beyond ASCII is escaped at i.
func foreignAt(s string, i int) bool {
	raw, n := escapedBytes(s, i)
	r, _ := utf8.DecodeRune(raw[:n])
	return r != utf8.RuneError
}

func unreserved(c byte) bool {
	return asciiLetter(c) || asciiDigit(c) || c < utf8.RuneSelf && strings.IndexByte("-._~", c) >= 0
}

// systemShown writes a part as ToString does: escapes of harmless characters
// are decoded, a percent sign that begins no escape is escaped.
func systemShown(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	return rewriteEscapes(s, true, func(c byte) bool { return !unsafeToShow(c) })
}

// systemUnescaped writes a path as LocalPath does: every escape is decoded.
func systemUnescaped(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	return strings.ReplaceAll(rewriteEscapes(s, true, func(c byte) bool { return c != '%' }), "%25", "%")
}

// escaped writes a part as AbsolutePath and Query do.
func (u *systemURI) escaped(s string, question bool) string {
	s = rewriteEscapes(s, false, func(c byte) bool { return u.unicode && !unsafeToShow(c) })
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7F || strings.IndexByte("|{}^`\"<>\\", c) >= 0 || question && c == '?' {
			writeEscape(&b, c)
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// rewriteEscapes decodes the escapes of ASCII characters that plain holds for,
// and those that make up a character beyond ASCII; a percent sign that begins
// no escape becomes one. upper writes what stays escaped beyond ASCII in
// capitals.
func rewriteEscapes(s string, upper bool, plain func(byte) bool) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		c, ok := systemEscapeAt(s, i)
		switch {
		case !ok:
			b.WriteString("%25")
			continue
		case c < utf8.RuneSelf && plain(c):
			b.WriteByte(c)
		case c < utf8.RuneSelf, !upper && !foreignAt(s, i):
			b.WriteString(s[i : i+3])
		default:
			i += escapedRune(&b, s, i)
			continue
		}
		i += 2
	}
	return b.String()
}

// escapedRune writes the character whose first byte is escaped at i, and
// returns how many bytes beyond the first one it takes up.
func escapedRune(b *strings.Builder, s string, i int) int {
	raw, n := escapedBytes(s, i)
	r, size := utf8.DecodeRune(raw[:n])
	if r == utf8.RuneError || !inIRI(r) {
		writeEscape(b, raw[0])
		return 2
	}
	b.WriteRune(r)
	return 3*size - 1
}

// escapedBytes returns up to four bytes beyond ASCII that are escaped from i
// on.
func escapedBytes(s string, i int) (raw [utf8.UTFMax]byte, n int) {
	for n < len(raw) {
		c, ok := systemEscapeAt(s, i+3*n)
		if !ok || c < utf8.RuneSelf {
			break
		}
		raw[n] = c
		n++
	}
	return raw, n
}

// inIRI reports whether RFC 3987 lets a character stand unescaped in a path.
func inIRI(r rune) bool {
	return r >= 0xA0 && r <= 0xD7FF || r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFEF ||
		r >= 0x10000 && r&0xFFFF <= 0xFFFD
}

func systemEscapeAt(s string, i int) (c byte, ok bool) {
	if i+2 >= len(s) || s[i] != '%' || !asciiHex(s[i+1]) || !asciiHex(s[i+2]) {
		return 0, false
	}
	return hexNibble(s[i+1])<<4 | hexNibble(s[i+2]), true
}

func writeEscape(b *strings.Builder, c byte) {
	const digits = "0123456789ABCDEF"
	b.WriteByte('%')
	b.WriteByte(digits[c>>4])
	b.WriteByte(digits[c&15])
}

// unsafeToShow reports whether ToString leaves the escape of an ASCII character
// as it is: control characters, and those that would change the URL.
func unsafeToShow(c byte) bool {
	return c <= 0x1F || c == 0x7F || strings.IndexByte(`;=?@#$%&+,/\`, c) >= 0
}
