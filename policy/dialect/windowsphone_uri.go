package dialect

import (
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
	if !u.hasAuthority(rest) {
		if needsAuthority(scheme) {
			return systemURI{relative: true, text: systemShown(raw)}, !u.unicode
		}
		u.finish(scheme+":", rest, false)
		return u, true
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
	u.finish(scheme+"://"+shown, rest[end:], true)
	return u, true
}

// hasAuthority reports whether an authority begins: after "//", and for schemes
// that System.Uri does not know after any two slashes.
func (u *systemURI) hasAuthority(rest string) bool {
	if needsAuthority(u.scheme) || len(rest) < 2 {
		return strings.HasPrefix(rest, "//")
	}
	return (rest[0] == '/' || rest[0] == '\\') && (rest[1] == '/' || rest[1] == '\\')
}

// fileName reports whether what follows "//" is a drive letter, which makes a
// file name of the URL of a scheme that System.Uri does not know.
func (u *systemURI) fileName(rest string) bool {
	return !needsAuthority(u.scheme) && len(rest) > 2 && asciiLetter(rest[0]) && rest[1] == ':' && rest[2] == '/'
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

// finish sets the parts after the authority.
func (u *systemURI) finish(front, rest string, rooted bool) {
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
