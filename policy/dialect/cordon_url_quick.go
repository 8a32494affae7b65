package dialect

import "github.com/cordon-sec/cordon/policy/pattern"

// What a byte means to quickStrict. Most URLs need no more than one look at
// each of their bytes; anything unusual is left to splitStrict.
const (
	byteOdd   uint8 = iota
	bytePlain       // stands for itself in a host and in a path
	bytePathy       // stands for itself in a path, a query and a fragment
	byteDot
	byteSlash
	byteColon
	byteCut // begins a query or fragment
)

var quickBytes = func() (table [256]uint8) {
	for i := range table {
		switch c := byte(i); {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
			table[i] = bytePlain
		case c == '.':
			table[i] = byteDot
		case c == '/':
			table[i] = byteSlash
		case c == ':':
			table[i] = byteColon
		case c == '?', c == '#':
			table[i] = byteCut
		case c > ' ' && c < 0x7f && c != '%' && c != '\\':
			table[i] = bytePathy
		}
	}
	return table
}()

// quickStrict is splitStrict for the spelling that nearly every URL has: a
// known scheme in lower case, an ASCII host name, a path without escapes and
// dot segments. ok is false for any other URL, also for one that is malformed.
func quickStrict(raw string, u *pattern.URL) (ok bool) {
	start, own := 0, int32(443)
	switch {
	case len(raw) > maxURL:
		return false
	case len(raw) > 8 && raw[:8] == "https://":
		start, u.Scheme = 8, schemeHTTPS
	case len(raw) > 7 && raw[:7] == "http://":
		start, own, u.Scheme = 7, 80, schemeHTTP
	case len(raw) > 6 && raw[:6] == "wss://":
		start, u.Scheme = 6, schemeWSS
	case len(raw) > 5 && raw[:5] == "ws://":
		start, own, u.Scheme = 5, 80, schemeWS
	default:
		return false
	}
	end := quickHost(raw, start)
	if end < 0 {
		return false
	}
	u.Host, u.Port = raw[start:end], -1
	if end < len(raw) && raw[end] == ':' {
		colon := end
		for end++; end < len(raw) && raw[end] >= '0' && raw[end] <= '9'; end++ {
		}
		port, fits := decimalPort(raw[colon+1 : end])
		if !fits || end < len(raw) && raw[end] != '/' {
			return false
		}
		if port != own {
			u.Port = port
		}
	}
	if u.Path, ok = quickPath(raw[end:]); !ok {
		return false
	}
	u.Whole, u.Has = raw, pattern.HasScheme|pattern.HasHost|pattern.HasPath
	return true
}

// quickHost returns where the host name that begins at start ends, or -1 if it
// is no plain name: an empty or long label, a last label that begins with a
// digit, a label that may be an A-label.
func quickHost(raw string, start int) (end int) {
	label, i := start, start
scan:
	for ; i < len(raw); i++ {
		switch quickBytes[raw[i]] {
		case bytePlain:
		case byteDot:
			if i == label || i-label > 63 || aceLabel(raw[label:i]) {
				return -1
			}
			label = i + 1
		case byteSlash, byteColon:
			break scan
		default:
			return -1
		}
	}
	if i == label || i-label > 63 || i-start > maxHost || aceLabel(raw[label:i]) {
		return -1
	}
	if '0' <= raw[label] && raw[label] <= '9' {
		return -1
	}
	return i
}

func aceLabel(label string) bool { return len(label) > 3 && label[2] == '-' && label[3] == '-' }

// quickPath cuts the path off what follows the authority.
func quickPath(rest string) (path string, ok bool) {
	if rest == "" {
		return "/", true
	}
	i := 1
scan:
	for ; i < len(rest); i++ {
		switch quickBytes[rest[i]] {
		case byteOdd:
			return "", false
		case byteDot:
			if rest[i-1] == '/' {
				return "", false
			}
		case byteCut:
			break scan
		}
	}
	path = rest[:i]
	for ; i < len(rest); i++ {
		if quickBytes[rest[i]] == byteOdd && rest[i] != '%' && rest[i] != '\\' {
			return "", false
		}
	}
	return path, true
}
