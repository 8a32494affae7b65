package dialect

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// defaultPort is the port that ToString leaves out.
func defaultPort(scheme string) int {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	case "ftp":
		return 21
	case "gopher":
		return 70
	}
	return 0
}

// authority reads user information, host and port, and returns how ToString
// shows them.
func (u *systemURI) authority(text string) (shown string, ok bool) {
	user, host := "", text
	if at := strings.IndexByte(text, '@'); at >= 0 && at < len(text)-1 {
		user, host = text[:at+1], text[at+1:]
	}
	port := ""
	bracket := strings.LastIndexByte(host, ']')
	if colon := strings.IndexByte(host[bracket+1:], ':'); colon >= 0 {
		host, port = host[:bracket+1+colon], host[bracket+2+colon:]
	}
	if u.host, ok = u.canonicalHost(host); !ok && !(host == "" && port == "" && u.hostless()) {
		return "", false
	}
	number, ok := systemPort(port)
	if !ok || strings.ContainsAny(user, `\`) {
		return "", false
	}
	shown = systemShown(user) + u.host
	if number >= 0 && number != defaultPort(u.scheme) {
		shown += ":" + strconv.Itoa(number)
	}
	return shown, true
}

func systemPort(text string) (number int, ok bool) {
	if text == "" {
		return -1, true
	}
	for i := 0; i < len(text); i++ {
		if !asciiDigit(text[i]) {
			return 0, false
		}
		if number = number*10 + int(text[i]-'0'); number > 0xFFFF {
			return 0, false
		}
	}
	return number, true
}

// canonicalHost returns the host in its canonical form: an IPv4 address as
// four numbers, or a name in lower case. Names beyond ASCII are read only where
// they have one form.
func (u *systemURI) canonicalHost(host string) (canonical string, ok bool) {
	if host == "" {
		return "", false
	}
	if host[0] == '[' {
		return systemIPv6(host)
	}
	if asciiDigit(host[0]) {
		address, ok := systemIPv4(host)
		if ok && (needsAuthority(u.scheme) || address == host) {
			return address, true
		}
	}
	switch {
	case internetName(host):
	case !u.unicode && networkName(host):
	default:
		return "", false
	}
	return asciiLower(host), true
}

// internetName reports whether a host is a name of labels that begin with a
// letter or a digit. The last one may be empty.
func internetName(host string) bool {
	label := 0
	for _, r := range host {
		label++
		switch {
		case r == '.' && label > 1:
			label = 0
		case r >= utf8.RuneSelf && plainForeign(r):
		case r >= utf8.RuneSelf:
			return false
		case asciiLetter(byte(r)), asciiDigit(byte(r)):
		case label == 1 || r != '-' && r != '_':
			return false
		}
		if label > 63 {
			return false
		}
	}
	return true
}

// networkName reports whether a host is the name of a machine in a Windows
// network, which System.Uri takes in web URLs too: a label may begin with "-" or
// "_" if it is one of the first two.
func networkName(host string) bool {
	first, rest, _ := strings.Cut(host, ".")
	named := false
	for i := 0; i < len(first); i++ {
		switch c := first[i]; {
		case asciiLetter(c), c == '-', c == '_':
			named = true
		case !asciiDigit(c):
			return false
		}
	}
	if !named {
		return false
	}
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case asciiLetter(c), asciiDigit(c):
			named = true
		case !named:
			return false
		case c == '.':
			if i == 0 || rest[i-1] == '.' {
				return false
			}
			named = false
		case c != '-' && c != '_':
			return false
		}
	}
	return named || strings.HasSuffix(rest, ".")
}

// plainForeign reports whether a letter beyond ASCII is in lower case and has
// no other form: Latin, Greek, Cyrillic and Chinese letters.
func plainForeign(r rune) bool {
	switch {
	case r == '\u00F7', r == '\u03C2':
		return false
	case r >= '\u00E0' && r <= '\u00FF', r >= '\u03B1' && r <= '\u03C9', r >= '\u0430' && r <= '\u044F':
		return true
	}
	return r >= '\u4E00' && r <= '\u9FA5'
}

// systemIPv6 reads an address in brackets. One with a zone is refused.
func systemIPv6(host string) (canonical string, ok bool) {
	if len(host) < 2 || host[len(host)-1] != ']' {
		return "", false
	}
	address, err := netip.ParseAddr(host[1 : len(host)-1])
	if err != nil || !address.Is6() || address.Zone() != "" {
		return "", false
	}
	return "[" + address.String() + "]", true
}

// systemIPv4 reads one to four numbers, decimal, octal or hexadecimal, of which
// the last fills the bytes that the others leave.
func systemIPv4(host string) (canonical string, ok bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return "", false
	}
	var value uint64
	for i, part := range parts {
		n, ok := systemNumber(part)
		last := i == len(parts)-1
		switch {
		case !ok, !last && n > 0xFF:
			return "", false
		case !last:
			value |= n << (8 * (3 - i))
		case n >= 1<<(8*(5-len(parts))):
			return "", false
		default:
			value |= n
		}
	}
	var b []byte
	for shift := 24; shift >= 0; shift -= 8 {
		b = strconv.AppendUint(b, value>>shift&0xFF, 10)
		b = append(b, '.')
	}
	return string(b[:len(b)-1]), true
}

func systemNumber(part string) (n uint64, ok bool) {
	base := 10
	switch {
	case strings.HasPrefix(part, "0x"), strings.HasPrefix(part, "0X"):
		base, part = 16, part[2:]
	case len(part) > 1 && part[0] == '0':
		base, part = 8, part[1:]
	}
	n, err := strconv.ParseUint(part, base, 33)
	return n, err == nil && n <= 0xFFFFFFFF
}
