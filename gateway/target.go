package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
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
		return target{}, errors.New("the URL must be absolute, as in http://host/path")
	}
	t := target{scheme: strings.ToLower(scheme)}
	if hostname.DefaultPort(t.scheme) == 0 {
		return target{}, errors.New("the scheme of the URL must be http, https, ws or wss")
	}
	end := strings.IndexAny(rest, "/?#\\")
	if end < 0 {
		end = len(rest)
	}
	a, err := splitAuthority(rest[:end], hostname.DefaultPort(t.scheme))
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
		return errors.New("nothing must stand between the authority and the path of a URL")
	}
	query := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c <= ' ' || c >= 0x7f:
			return fmt.Errorf("a URL must not hold %q: it must be escaped", c)
		case c == '#':
			return errors.New("a request must not hold a fragment")
		case c == '\\':
			return errors.New("a URL must not hold a backslash")
		case c == '?':
			query = true
		case c == '%' && !query:
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return errors.New("a % in a path must begin an escape, as in %20")
			}
		}
	}
	return nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
