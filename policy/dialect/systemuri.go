package dialect

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// systemURI is a URL as .NET's System.Uri takes it apart (made with
// UriKind.RelativeOrAbsolute, as the platform makes it).
type systemURI struct {
	// relative: no scheme, or a web scheme without "//" after it.
	relative bool
	scheme   string
	host     string
	// path is AbsolutePath, local is LocalPath, query is Query with its "?".
	path, local, query string
	// text is what ToString returns.
	text string
	// unicode: System.Uri makes a second pass over the URL.
	unicode bool
}

// pathAndQuery is the property of that name.
func (u *systemURI) pathAndQuery() string { return u.path + u.query }

// maxSystemURI is the length from which on System.Uri refuses a string.
const maxSystemURI = 0xFFF0

// webSchemes are the schemes that Windows Phone lets through the list.
func isWebScheme(scheme string) bool {
	switch scheme {
	case "http", "https", "ftp", "ftps":
		return true
	}
	return false
}

// parseSystemURI takes a string apart; ok is false where System.Uri throws, or
// where what it does depends on its version (hosts beyond ASCII).
func parseSystemURI(raw string) (u systemURI, ok bool) {
	if !utf8.ValidString(raw) || len(raw) >= maxSystemURI {
		return u, false
	}
	s := strings.TrimLeft(raw, systemSpace)
	scheme, rest, state := systemScheme(s)
	switch state {
	case systemRelative:
		return systemURI{relative: true, text: systemShown(raw)}, true
	case systemFile:
		return systemURI{scheme: "file", text: raw}, true
	case systemRefused:
		return u, false
	}
	u.scheme, u.unicode = scheme, needsUnicode(raw)
	trimmed := rest
	if !u.unicode {
		rest = strings.TrimRight(rest, systemSpace)
	}
	authority := strings.HasPrefix(rest, "//")
	if !needsAuthority(scheme) && len(rest) > 1 {
		authority = (rest[0] == '/' || rest[0] == '\\') && (rest[1] == '/' || rest[1] == '\\')
	}
	if !authority && needsAuthority(scheme) {
		return systemURI{relative: true, text: systemShown(raw)}, !u.unicode
	}
	if !authority {
		return u, u.finish(scheme+":", rest, false)
	}
	rest = rest[2:]
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	shown, ok := u.authority(rest[:end])
	if !ok || u.fileName(rest) {
		return u, false
	}
	if end > 0 && end == len(rest) && end+2 < len(trimmed) && asciiDigit(rest[end-1]) {
		return u, false // the port is read on into the blanks that were trimmed
	}
	return u, u.finish(scheme+"://"+shown, rest[end:], true)
}

// fileName reports whether what follows "//" is a drive letter, which makes a
// file name of the URL of a scheme that System.Uri does not know.
func (u *systemURI) fileName(rest string) bool {
	return !needsAuthority(u.scheme) && len(rest) > 2 && asciiLetter(rest[0]) && rest[1] == ':' && rest[2] == '/'
}

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

// systemSpace is what System.Uri trims.
const systemSpace = " \t\r\n"

type systemState uint8

const (
	systemAbsolute systemState = iota
	systemRelative
	systemFile
	systemRefused
)

// systemScheme takes the scheme off. A string that begins like a file name is a
// file, which no list covers. Whether one slash begins a file name depends on
// the system that .NET runs on.
func systemScheme(s string) (scheme, rest string, state systemState) {
	colon := strings.IndexByte(s, ':')
	switch {
	case len(s) < 3, colon == 0:
		return "", "", systemRelative
	case (s[1] == ':' || s[1] == '|') && asciiLetter(s[0]):
		if s[2] != '/' && s[2] != '\\' {
			return "", "", systemRefused
		}
		return "", "", systemFile
	case s[1] == ':', s[1] == '|':
		return "", "", systemRelative
	case s[0] == '/', s[0] == '\\' && (s[1] == '/' || s[1] == '\\'):
		return "", "", systemFile
	case colon < 0, schemeEnd(s) != colon:
		return "", "", systemRelative
	case colon > 1024:
		return "", "", systemRefused
	}
	return asciiLower(s[:colon]), s[colon+1:], systemAbsolute
}

// needsAuthority reports whether System.Uri takes a URL of the scheme for a
// relative one if no "//" follows.
func needsAuthority(scheme string) bool {
	switch scheme {
	case "http", "https", "ftp", "file", "gopher", "nntp", "ws", "wss", "telnet", "net.tcp", "net.pipe":
		return true
	}
	return false
}

// hostless reports whether the host may be empty.
func (u *systemURI) hostless() bool { return u.scheme == "file" || !needsAuthority(u.scheme) }

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

// finish sets the parts after the authority.
func (u *systemURI) finish(front, rest string, rooted bool) bool {
	path, query, fragment := rest, "", ""
	if i := strings.IndexByte(path, '#'); i >= 0 {
		path, fragment = path[:i], path[i:]
	}
	if i := strings.IndexByte(path, '?'); i >= 0 && u.scheme != "ftp" {
		path, query = path[:i], path[i:]
	}
	if rooted || strings.HasPrefix(path, "/") || strings.HasPrefix(path, `\`) {
		path = withoutDots(strings.ReplaceAll(path, `\`, "/"))
	}
	if rooted && !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	shown := systemShown(path)
	if u.scheme == "ftp" {
		shown = strings.ReplaceAll(shown, "?", "%3F")
	}
	u.text = front + shown + systemShown(query) + systemShown(fragment)
	u.path, u.query = u.escaped(path, u.scheme == "ftp"), u.escaped(query, false)
	u.local = systemUnescaped(path)
	return true
}

// withoutDots removes the segments "." and "..", also where they are escaped.
func withoutDots(path string) string {
	if !strings.Contains(path, ".") && !strings.Contains(path, "%2") {
		return path
	}
	segments := strings.Split(path, "/")
	var kept []string
	for i, segment := range segments {
		last := i == len(segments)-1
		switch dots(segment) {
		case 1:
		case 2:
			if len(kept) > 1 {
				kept = kept[:len(kept)-1]
			}
		default:
			kept = append(kept, segment)
			continue
		}
		if last {
			kept = append(kept, "")
		}
	}
	return strings.Join(kept, "/")
}

// dots returns 1 for ".", 2 for "..", 0 for anything else.
func dots(segment string) int {
	switch strings.ReplaceAll(asciiLower(segment), "%2e", ".") {
	case ".":
		return 1
	case "..":
		return 2
	}
	return 0
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
