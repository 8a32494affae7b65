package dialect

import (
	"math"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// blackberryURI is utils.parseUri of one version of cordova-blackberry: one
// regular expression, spelled out here. The versions differ in what userinfo
// may hold.
type blackberryURI struct {
	user, password string // bytes that may not occur
}

// blackberryURIOf returns parseUri of a version: up to 3.5 userinfo may hold
// slashes, in 3.6 and 3.7 the password may, from 3.8 on neither, and the
// password may hold colons.
func blackberryURIOf(version policy.Version) blackberryURI {
	switch {
	case version.AtLeast(3, 8, 0):
		return blackberryURI{user: ":@/", password: "@/"}
	case version.AtLeast(3, 6, 0):
		return blackberryURI{user: ":@/", password: ":@"}
	}
	return blackberryURI{user: ":@", password: ":@"}
}

// blackberryParts are the parts of a URL as parseUri names them; "" is absent.
type blackberryParts struct {
	scheme, authority, host, port, path, query string
	// folder is path with its query, if that is not empty.
	folder string
	// absolute says that there is a scheme or an authority, if an empty one.
	absolute bool
}

// parse takes a URL apart; nothing is decoded or normalised.
func (b blackberryURI) parse(raw string) blackberryParts {
	var u blackberryParts
	rest := raw
	if i := strings.IndexAny(rest, ":/?#"); i > 0 && rest[i] == ':' {
		u.scheme, u.absolute = rest[:i], true
		rest = rest[i+1:]
	}
	if after, found := strings.CutPrefix(rest, "//"); found {
		u.absolute = true
		userinfo := b.userinfo(after)
		end := userinfo + span(after[userinfo:], ":/?#")
		u.host = after[userinfo:end]
		if end < len(after) && after[end] == ':' {
			start := end + 1
			for end = start; end < len(after) && asciiDigit(after[end]); {
				end++
			}
			u.port = after[start:end]
		}
		u.authority, rest = after[:end], after[end:]
	}
	end := span(rest, "?#")
	u.path, u.folder = rest[:end], rest[:end]
	if query, found := strings.CutPrefix(rest[end:], "?"); found {
		if u.query = query[:span(query, "#")]; u.query != "" {
			u.folder = rest[:end+1+len(u.query)]
		}
	}
	return u
}

// userinfo returns the length of the userinfo with its "@", or 0.
func (b blackberryURI) userinfo(s string) int {
	end := span(s, b.user)
	if end < len(s) && s[end] == ':' {
		end++
		end += span(s[end:], b.password)
	}
	if end < len(s) && s[end] == '@' {
		return end + 1
	}
	return 0
}

// span returns the length of the longest beginning of s without any of the
// bytes in stops.
func span(s, stops string) int {
	if i := strings.IndexAny(s, stops); i >= 0 {
		return i
	}
	return len(s)
}

// split gives the parts out for matching. The lookup itself works on the raw
// string.
func (b blackberryURI) split(raw string) pattern.URL {
	parts := b.parse(raw)
	u := pattern.URL{Whole: raw, Scheme: parts.scheme, Host: parts.host, Path: parts.path,
		Port: blackberryPort(parts.port), Has: pattern.HasPath}
	if parts.scheme != "" {
		u.Has |= pattern.HasScheme
	}
	if parts.host != "" {
		u.Has |= pattern.HasHost
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u
}

// blackberryPort returns the number of a port, or -1.
func blackberryPort(text string) int32 {
	if text == "" {
		return -1
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 || n > math.MaxInt32 {
		return -1
	}
	return int32(n)
}
