package dialect

import (
	"strings"
	"unicode/utf8"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// The schemes of the strict reading that lead to a host, as constants so that
// taking a URL apart allocates no lower-case copies.
const (
	schemeHTTP  = "http"
	schemeHTTPS = "https"
	schemeWS    = "ws"
	schemeWSS   = "wss"
)

// Limits of a URL in the strict reading.
const (
	maxURL  = 1 << 16
	maxHost = 253
)

var malformed = pattern.URL{Malformed: true}

// splitStrict takes a URL apart in the strict reading. It accepts one
// spelling: a scheme, "//", a host without user name, an explicit port only in
// plain decimal, a path. What different parsers read differently (backslashes,
// control characters, missing slashes, escapes in a host, numbers as hosts,
// broken escapes) is malformed. The host may be in any case and keeps it; a
// trailing dot is removed, an international name becomes A-labels. The port is
// -1 if it is the scheme's own. A URL of another scheme has no host, and what
// follows the colon as its path.
func splitStrict(raw string) pattern.URL {
	var u pattern.URL
	if quickStrict(raw, &u) {
		return u
	}
	return splitCarefully(raw)
}

// splitCarefully is splitStrict for every URL.
func splitCarefully(raw string) pattern.URL {
	scheme, rest, ok := cutScheme(raw)
	if !ok || len(raw) > maxURL {
		return malformed
	}
	name, own := knownScheme(scheme)
	if name == "" {
		return splitOpaque(raw, scheme, rest)
	}
	if len(rest) < 2 || rest[0] != '/' || rest[1] != '/' {
		return malformed
	}
	rest = rest[2:]
	end := authorityEnd(rest)
	if end < 0 {
		return malformed
	}
	host, port, ok := splitAuthority(rest[:end], own)
	if !ok {
		return malformed
	}
	u := pattern.URL{Whole: raw, Scheme: name, Host: host, Port: port, Has: pattern.HasScheme | pattern.HasHost}
	return withPath(u, rest[end:])
}

// cutScheme cuts at the first colon and checks that a scheme stands before it
// (RFC 3986, section 3.1).
func cutScheme(raw string) (scheme, rest string, ok bool) {
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case c == ':':
			return raw[:i], raw[i+1:], i > 0
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return "", "", false
		}
	}
	return "", "", false
}

// knownScheme returns the constant for a scheme that leads to a host, and its
// own port.
func knownScheme(s string) (name string, port int32) {
	switch len(s) {
	case 2:
		if pattern.EqualFold(s, schemeWS) {
			return schemeWS, 80
		}
	case 3:
		if pattern.EqualFold(s, schemeWSS) {
			return schemeWSS, 443
		}
	case 4:
		if pattern.EqualFold(s, schemeHTTP) {
			return schemeHTTP, 80
		}
	case 5:
		if pattern.EqualFold(s, schemeHTTPS) {
			return schemeHTTPS, 443
		}
	}
	return "", 0
}

// splitOpaque takes a URL apart that leads to no host, such as tel:112.
func splitOpaque(raw, scheme, rest string) pattern.URL {
	if !clean(rest) {
		return malformed
	}
	return pattern.URL{
		Whole: raw, Scheme: asciiLower(scheme), Path: rest, Port: -1,
		Has: pattern.HasScheme | pattern.HasPath,
	}
}

// authorityEnd returns where the authority ends, or -1 if it holds a character
// that no strict authority has.
func authorityEnd(s string) int {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '/' || c == '?' || c == '#':
			return i
		case c <= ' ' || c == 0x7f || c == '\\' || c == '@' || c == '%':
			return -1
		}
	}
	return len(s)
}

// splitAuthority splits host[:port] and puts the host into the form in which
// hosts compare. A port that is the scheme's own becomes -1.
func splitAuthority(s string, own int32) (host string, port int32, ok bool) {
	port = -1
	if colon := strings.LastIndexByte(s, ':'); colon >= 0 && strings.IndexByte(s[colon:], ']') < 0 {
		if port, ok = decimalPort(s[colon+1:]); !ok {
			return "", 0, false
		}
		if port == own {
			port = -1
		}
		s = s[:colon]
	}
	host, err := hostname.Normalize(s)
	return host, port, err == nil
}

// decimalPort reads 1 to 65535 without leading zeros.
func decimalPort(s string) (int32, bool) {
	if s == "" || len(s) > 5 || s[0] == '0' {
		return 0, false
	}
	var n int32
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int32(s[i]-'0')
	}
	return n, n <= 65535
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// clean reports whether s is valid UTF-8 without control characters, and
// without blanks at its end.
func clean(s string) bool {
	ascii := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == 0x7f {
			return false
		} else if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	return (ascii || utf8.ValidString(s)) && (s == "" || s[len(s)-1] != ' ')
}

// withPath adds the path to u: what stands before "?" or "#", with escapes
// decoded and dot segments resolved, so that a rule's path compares with what
// a server makes of it. A path in which an escaped slash, backslash or control
// character stands has no reading that servers agree on: it counts as absent,
// and only a rule for every path covers it.
func withPath(u pattern.URL, rest string) pattern.URL {
	plain, end := true, len(rest)
scan:
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '?' || c == '#':
			end = i
			break scan
		case c == '\\' || c < ' ' || c == 0x7f:
			return malformed
		case c == '%', c >= utf8.RuneSelf, c == '.' && i > 0 && rest[i-1] == '/':
			plain = false
		}
	}
	if !clean(rest[end:]) || end == len(rest) && end > 0 && rest[end-1] == ' ' {
		return malformed
	}
	path := rest[:end]
	if !plain {
		if !utf8.ValidString(path) {
			return malformed
		}
		decoded, ok := unescape(path)
		if !ok {
			return malformed
		}
		if decoded == "" && path != "" {
			return u
		}
		path = decoded
	}
	if path == "" {
		path = "/"
	}
	u.Path, u.Has = path, u.Has|pattern.HasPath
	return u
}

// unescape decodes the escapes of a path once and resolves its dot segments.
// ok is false for a broken escape; "" stands for a path that servers read
// differently.
func unescape(path string) (decoded string, ok bool) {
	b := make([]byte, 0, len(path))
	ambiguous := false
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			if i+2 >= len(path) {
				return "", false
			}
			high, low := unhex(path[i+1]), unhex(path[i+2])
			if high < 0 || low < 0 {
				return "", false
			}
			c = byte(high<<4 | low)
			i += 2
			ambiguous = ambiguous || c == '/' || c == '\\' || c < ' ' || c == 0x7f
		}
		b = append(b, c)
	}
	if ambiguous {
		return "", true
	}
	return resolveDots(string(b)), true
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// resolveDots removes "." and ".." segments (RFC 3986, section 5.2.4).
func resolveDots(path string) string {
	if !strings.Contains(path, ".") {
		return path
	}
	segments := strings.Split(path, "/")
	kept := segments[:0]
	for i, segment := range segments {
		last := i == len(segments)-1
		switch segment {
		case ".":
			if last {
				kept = append(kept, "")
			}
		case "..":
			if len(kept) > 1 {
				kept = kept[:len(kept)-1]
			}
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, segment)
		}
	}
	return strings.Join(kept, "/")
}

// asciiLower lowers ASCII letters, and allocates only if there is one to lower.
func asciiLower(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return strings.Map(func(r rune) rune {
				if 'A' <= r && r <= 'Z' {
					return r + 'a' - 'A'
				}
				return r
			}, s)
		}
	}
	return s
}
