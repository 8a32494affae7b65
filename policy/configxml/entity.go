package configxml

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// decode returns the character data between two offsets with references
// replaced. In an attribute, literal tabs and line ends become spaces (XML
// 1.0, section 3.3.3); elsewhere line ends become LF (section 2.11).
func (p *parser) decode(start, end int, attribute bool) (string, error) {
	raw := p.text[start:end]
	special := "&\r"
	if attribute {
		special = "&\r\n\t"
	}
	if !strings.ContainsAny(raw, special) {
		return raw, nil
	}
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '&':
			r, size, err := p.reference(start+i, end)
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
			i += size - 1
		case c == '\r' && i+1 < len(raw) && raw[i+1] == '\n':
			// the LF that follows stands for both
		case attribute && isSpace(c):
			b.WriteByte(' ')
		case c == '\r':
			b.WriteByte('\n')
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func lineEnds(s string) string {
	if !strings.Contains(s, "\r") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// reference reads the reference that begins at offset at and returns the
// character with the number of bytes read.
func (p *parser) reference(at, end int) (rune, int, error) {
	const writeAmp = "write &amp; for a plain &"
	length := strings.IndexByte(p.text[at:end], ';')
	if length < 0 {
		return 0, 0, p.fail(at, at+1, writeAmp, "& begins no reference")
	}
	name := p.text[at+1 : at+length]
	switch name {
	case "amp":
		return '&', length + 1, nil
	case "lt":
		return '<', length + 1, nil
	case "gt":
		return '>', length + 1, nil
	case "quot":
		return '"', length + 1, nil
	case "apos":
		return '\'', length + 1, nil
	}
	if r, ok := numeric(name); ok {
		if !isXMLChar(r) {
			return 0, 0, p.fail(at, at+length+1, "remove it",
				"the reference &%s; names a character that cannot stand in XML", name)
		}
		return r, length + 1, nil
	}
	if !isEntityName(name) {
		return 0, 0, p.fail(at, at+1, writeAmp, "& begins no reference")
	}
	return 0, 0, p.fail(at, at+length+1, "write the character itself, or its number as &#…;",
		"the entity &%s; is not defined", name)
}

func numeric(name string) (rune, bool) {
	digits, ok := strings.CutPrefix(name, "#")
	if !ok || digits == "" {
		return 0, false
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	if !onlyDigits(digits, base) {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, base, 31)
	if err != nil {
		return utf8.MaxRune + 1, true
	}
	return rune(n), true
}

func onlyDigits(s string, base int) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !('0' <= s[i] && s[i] <= '9') && !(base == 16 && 'a' <= c && c <= 'f') {
			return false
		}
	}
	return s != ""
}

func isXMLChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

func isEntityName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return s != "" && isNameStart(s[0])
}
