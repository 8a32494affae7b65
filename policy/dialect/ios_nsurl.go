package dialect

import (
	"strings"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/policy/pattern"
)

// splitNSURL takes a URL apart as NSURL does before iOS 17: by RFC 2396, with
// the path percent-decoded and without the slash that ends it.
//
// What NSURL refuses is malformed: anything but ASCII, spaces, backslashes, a
// bad escape, a second "#", brackets outside an address. So is what its
// documentation leaves open: a second "@", signs and escapes in a host, letters
// in a port, capitals and small letters mixed in a scheme.
// Such a URL never becomes a request, so nothing asks the list about it.
func splitNSURL(raw string) pattern.URL {
	u := pattern.URL{Whole: raw, Port: -1}
	escaped, ok := legalNSURL(raw)
	if !ok {
		return pattern.URL{Whole: raw, Port: -1, Malformed: true}
	}
	rest := raw
	if end := schemeEnd(raw); end > 0 {
		u.Scheme, rest = raw[:end], raw[end+1:]
		u.Has |= pattern.HasScheme
		u.Malformed = mixedCase(u.Scheme)
		if rest == "" || rest[0] != '/' {
			u.Malformed = u.Malformed || strings.ContainsAny(rest, "[]")
			return u
		}
	}
	authority := strings.HasPrefix(rest, "//")
	if authority {
		end := 2
		for end < len(rest) && rest[end] != '/' && rest[end] != '?' && rest[end] != '#' {
			end++
		}
		if !splitNSAuthority(&u, rest[2:end]) {
			u.Malformed = true
			return u
		}
		rest = rest[end:]
	}
	if u.Malformed = u.Malformed ||
		strings.ContainsAny(rest, "[]"); !u.Malformed && (authority || u.Scheme == "" || u.Scheme == "file") {
		nsPath(&u, rest, escaped)
	}
	return u
}

// mixedCase reports whether there are capitals and small letters: whether NSURL
// keeps the capitals is then of consequence, and not documented.
func mixedCase(scheme string) bool {
	return scheme != asciiLower(scheme) &&
		strings.IndexFunc(scheme, func(r rune) bool { return 'a' <= r && r <= 'z' }) >= 0
}

// legalNSURL reports whether the characters are those of RFC 2396, and whether
// there are escapes among them.
func legalNSURL(raw string) (escaped, ok bool) {
	fragments := 0
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case asciiLetter(c), asciiDigit(c):
		case c == '%':
			if i+2 >= len(raw) || !asciiHex(raw[i+1]) || !asciiHex(raw[i+2]) {
				return false, false
			}
			escaped = true
		case c == '#':
			if fragments++; fragments > 1 {
				return false, false
			}
		case strings.IndexByte("-_.!~*'();/?:@&=+$,[]", c) < 0:
			return false, false
		}
	}
	return escaped, true
}

// schemeEnd returns the index of the ":" that ends a scheme, or -1.
func schemeEnd(raw string) int {
	if raw == "" || !asciiLetter(raw[0]) {
		return -1
	}
	for i := 1; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == ':':
			return i
		case asciiLetter(c), asciiDigit(c), c == '+', c == '-', c == '.':
		default:
			return -1
		}
	}
	return -1
}

func splitNSAuthority(u *pattern.URL, authority string) bool {
	if at := strings.IndexByte(authority, '@'); at >= 0 {
		if strings.ContainsAny(authority[:at], "[]") {
			return false
		}
		authority = authority[at+1:]
	}
	host, port := authority, ""
	switch {
	case strings.HasPrefix(authority, "["):
		end := strings.IndexByte(authority, ']')
		if end < 0 || !isAddress6(authority[1:end]) {
			return false
		}
		host, port = authority[1:end], authority[end+1:]
	default:
		if colon := strings.IndexByte(authority, ':'); colon >= 0 {
			host, port = authority[:colon], authority[colon:]
		}
		if strings.ContainsAny(host, "%;@&=+$,[]") {
			return false
		}
	}
	if !nsPort(u, port) {
		return false
	}
	if host == "" {
		return true
	}
	u.Host = host
	u.Has |= pattern.HasHost
	return true
}

// nsPort reads ":" and digits; nothing or a lone ":" is no port.
func nsPort(u *pattern.URL, text string) bool {
	if text == "" {
		return true
	}
	if text[0] != ':' || len(text) > 10 {
		return false
	}
	n := int32(0)
	for i := 1; i < len(text); i++ {
		if !asciiDigit(text[i]) {
			return false
		}
		n = n*10 + int32(text[i]-'0')
	}
	switch {
	case len(text) == 1:
	case n == 0:
		u.Port = portZero
	default:
		u.Port = n
	}
	return true
}

// nsPath sets the path. A path with parameters (";") counts as absent: the
// versions of NSURL differ on whether the parameters belong to it.
func nsPath(u *pattern.URL, rest string, escaped bool) {
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest = rest[:end]
	}
	if strings.IndexByte(rest, ';') >= 0 {
		return
	}
	if escaped && strings.IndexByte(rest, '%') >= 0 {
		rest = unescapeASCII(rest)
		if !utf8.ValidString(rest) || strings.IndexByte(rest, 0) >= 0 {
			return // NSURL has no path then
		}
	}
	if len(rest) > 1 && rest[len(rest)-1] == '/' {
		rest = rest[:len(rest)-1]
	}
	u.Path = nsLine(rest)
	u.Has |= pattern.HasPath
}

// nsLine gives a decoded part the form in which ICU's "$" and "." can be
// written as languages: "$" also stands before a last line end, which is
// therefore cut, and "." stops at a vertical tab and a form feed as well, which
// therefore become a line feed.
func nsLine(s string) string {
	if strings.IndexFunc(s, isLineEnd) < 0 {
		return s
	}
	if strings.HasSuffix(s, "\r\n") {
		s = s[:len(s)-2]
	} else if r, n := utf8.DecodeLastRuneInString(s); isLineEnd(r) {
		s = s[:len(s)-n]
	}
	return strings.Map(func(r rune) rune {
		if r == '\v' || r == '\f' {
			return '\n'
		}
		return r
	}, s)
}

// isLineEnd reports whether ICU's regular expressions take r for a line end.
func isLineEnd(r rune) bool {
	return r >= '\n' && r <= '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

// unescapeASCII decodes percent-escapes, which must be well formed.
func unescapeASCII(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		b = append(b, hexNibble(s[i+1])<<4|hexNibble(s[i+2]))
		i += 2
	}
	return string(b)
}

func isAddress6(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !asciiHex(c) && c != ':' && c != '.' {
			return false
		}
	}
	return s != ""
}

func asciiLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func asciiDigit(c byte) bool  { return '0' <= c && c <= '9' }
func asciiHex(c byte) bool    { return asciiDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func hexNibble(c byte) byte {
	if asciiDigit(c) {
		return c - '0'
	}
	return (c | 0x20) - 'a' + 10
}
