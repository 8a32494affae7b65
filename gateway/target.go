package gateway

import (
	"net/http"
	"strings"
)

// target is an absolute request target, taken apart.
type target struct {
	scheme string // http, https, ws or wss
	authority
	// rest is the path with its query as the client wrote it; "/" if there was
	// none. It is judged and forwarded as it is.
	rest string
	// whole says that an OPTIONS request is about the server as a whole: it is
	// judged as one of its root, and forwarded as * (RFC 9112 section 3.2.4).
	whole bool
}

// form returns the request target as an origin is asked for it.
func (t target) form() string {
	if t.whole {
		return "*"
	}
	return t.rest
}

// path returns the path without the query, for events.
func (t target) path() string {
	if i := strings.IndexByte(t.rest, '?'); i >= 0 {
		return t.rest[:i]
	}
	return t.rest
}

// asksWhole reports whether a request is one about the server as a whole:
// OPTIONS for * or for a URL without a path.
func asksWhole(r *http.Request) bool {
	_, rest, _ := strings.Cut(r.RequestURI, "://")
	return r.Method == http.MethodOptions && (r.RequestURI == "*" || rest != "" && !strings.ContainsAny(rest, "/?"))
}

// parseTarget reads a request target in absolute form. What a client and an
// origin could read differently is refused: user names, fragments,
// backslashes, control characters and bad escapes.
func parseTarget(raw string) (target, error) {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return target{}, badAuthority("not an absolute URL")
	}
	t := target{scheme: strings.ToLower(scheme)}
	if schemePort(t.scheme) == 0 {
		return target{}, badAuthority("the scheme must be http, https, ws or wss")
	}
	end := strings.IndexAny(rest, "/?#\\")
	if end < 0 {
		end = len(rest)
	}
	a, err := splitAuthority(rest[:end], schemePort(t.scheme))
	if err != nil {
		return target{}, err
	}
	t.authority = a
	if t.rest = rest[end:]; t.rest == "" || t.rest[0] == '?' {
		t.rest = "/" + t.rest
	}
	return t, checkRest(t.rest)
}

// checkRest refuses a path and query that two readers may take apart
// differently.
func checkRest(s string) error {
	if s[0] != '/' {
		return badAuthority("text between authority and path")
	}
	query := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c <= ' ' || c >= 0x7f:
			return badAuthority("character %q in a URL", c)
		case c == '#':
			return badAuthority("fragment in a request")
		case c == '\\':
			return badAuthority("backslash in a URL")
		case c == '?':
			query = true
		case c == '%' && !query:
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return badAuthority("bad escape in a path")
			}
		}
	}
	return nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
