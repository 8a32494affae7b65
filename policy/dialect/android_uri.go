package dialect

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// androidURI is one reading of android.net.Uri. Which one applies is the
// device's doing, not Cordova's.
type androidURI struct {
	// strict is the class as corrected in 2018 (API 29 and before that by
	// security updates): the authority also ends at a backslash, userinfo ends
	// at the last "@", and a port is digits only.
	strict bool
}

var (
	androidURI19 = androidURI{}
	androidURI29 = androidURI{strict: true}
)

// portZero stands for an explicit port 0, which pattern.AnyPort takes
// the number of. No URL and no origin can name the number that is used.
const portZero = math.MinInt32

// split takes a URL apart as android.net.Uri does: scheme, host and path as
// getScheme, getHost, getPort and getPath return them, host and path decoded.
// A part for which they return null is absent. It follows Uri.java of API 19
// and API 29, and allocates only for a host or path with percent-escapes.
func (a androidURI) split(raw string) pattern.URL {
	u := pattern.URL{Whole: raw, Port: -1}
	rest := raw
	colon := strings.IndexByte(raw, ':')
	if colon >= 0 {
		u.Scheme, u.Has = raw[:colon], pattern.HasScheme
		rest = raw[colon+1:]
		if rest == "" || rest[0] != '/' {
			return u // opaque: neither host nor path
		}
	}
	if strings.HasPrefix(rest, "//") {
		end := 2
		for end < len(rest) && !a.endsAuthority(rest[end]) {
			end++
		}
		a.authority(&u, rest[2:end])
		rest = rest[end:]
	}
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest = rest[:end]
	}
	u.Path = a.decode(rest)
	u.Has |= pattern.HasPath
	return u
}

func (a androidURI) endsAuthority(c byte) bool {
	return c == '/' || c == '?' || c == '#' || c == '\\' && a.strict
}

func (a androidURI) authority(u *pattern.URL, authority string) {
	at := strings.IndexByte(authority, '@')
	port := -1
	if a.strict {
		at = strings.LastIndexByte(authority, '@')
		port = portSeparator(authority)
	} else if i := strings.IndexByte(authority[max(at, 0):], ':'); i >= 0 {
		port = i + max(at, 0)
	}
	host := authority[at+1:]
	if port >= 0 {
		host = authority[at+1 : port]
		u.Port = javaPort(a.decode(authority[port+1:]))
	}
	u.Host = a.decode(host)
	u.Has |= pattern.HasHost
}

// portSeparator returns the index of the last ":" if only ASCII digits follow
// it, or -1.
func portSeparator(authority string) int {
	for i := len(authority) - 1; i >= 0; i-- {
		switch c := authority[i]; {
		case c == ':':
			return i
		case c < '0' || c > '9':
			return -1
		}
	}
	return -1
}

// javaPort is Java's Integer.parseInt, with -1 for what it refuses. Decimal
// digits of any script count, as does a sign; a negative number is no port
// that an origin could name and becomes -1 as well.
func javaPort(s string) int32 {
	digits := strings.TrimPrefix(s, "+")
	if digits == "" {
		return -1
	}
	n := int64(0)
	for _, r := range digits {
		d := decimalDigit(r)
		if d < 0 {
			return -1
		}
		if n = n*10 + int64(d); n > math.MaxInt32 {
			return -1
		}
	}
	if n == 0 {
		return portZero
	}
	return int32(n)
}

// decimalDigit returns the value of a decimal digit of the Basic Multilingual
// Plane, or -1. Such digits come in runs of ten from zero to nine.
func decimalDigit(r rune) int {
	if '0' <= r && r <= '9' {
		return int(r - '0')
	}
	if r < utf8.RuneSelf || r > 0xFFFF {
		return -1
	}
	for _, run := range unicode.Nd.R16 {
		if uint16(r) >= run.Lo && uint16(r) <= run.Hi {
			return int(uint16(r)-run.Lo) % 10
		}
	}
	return -1
}

// startsWith returns the pattern of the URLs whose raw string begins with
// prefix, as String.startsWith: with regard to case. Scheme, host and port only
// say what follows from the prefix.
func (a androidURI) startsWith(prefix string) pattern.Pattern {
	p := pattern.Pattern{Scheme: pattern.Any(), Host: pattern.Any(), Path: pattern.Any(), Whole: pattern.Prefix(prefix)}
	u := a.split(prefix)
	if u.Has&pattern.HasScheme != 0 {
		p.Scheme = pattern.Exactly(u.Scheme)
	}
	if u.Has&pattern.HasHost != 0 && u.Path != "" {
		p.Host, p.Port = pattern.Exactly(u.Host), pattern.NoPort
		if u.Port != -1 {
			p.Port = pattern.Port(u.Port)
		}
	}
	return p
}

// startsWithAny returns the test that holds for a URL that begins with one of
// the prefixes.
func (a androidURI) startsWithAny(prefixes ...string) policy.Test {
	all := make([]pattern.Pattern, len(prefixes))
	for i, prefix := range prefixes {
		all[i] = a.startsWith(prefix)
	}
	return policy.Among(all...)
}
