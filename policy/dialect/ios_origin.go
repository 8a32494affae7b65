package dialect

import (
	"strings"
	"unicode"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// iosGrammar is what the versions from 3.1 on differ in when they read an
// origin or href.
type iosGrammar struct {
	scheme iosScheme
	// shortSeparator: ":" and ":/" end a scheme too, and an absent host is any
	// host (4.0).
	shortSeparator bool
	// fold: schemes and hosts compare without regard to case, and "/p/*" is /p
	// too (3.5).
	fold bool
}

// iosScheme is what a scheme may consist of in an origin.
type iosScheme uint8

const (
	iosLower   iosScheme = iota // lower-case letters and "-"
	iosLetters                  // letters and "-"
	iosFull                     // a lower-case letter, then those, digits and "+-."
)

// iosOrigin is an origin taken apart. An absent part has its flag unset.
type iosOrigin struct {
	scheme, host, port, path          string
	hasScheme, hasHost, hasPort, ends bool
	// used is how many bytes of the text the grammar reads.
	used int
}

// split takes an origin apart as the expression in CDVWhitelist does (ios 3.1.0
// to 8.0.1, addWhiteListEntry and addAllowListEntry). The expression is not
// anchored at its end: what does not fit is ignored with everything after it.
func (g iosGrammar) split(text string) iosOrigin {
	var o iosOrigin
	rest := text
	if name, sep := g.schemePrefix(rest); sep > 0 {
		o.scheme, o.hasScheme = rest[:name], true
		rest = rest[name+sep:]
	}
	if n := iosHostPrefix(rest); n > 0 {
		o.host, o.hasHost = rest[:n], true
		rest = rest[n:]
	}
	if n := iosPortPrefix(rest); n > 0 {
		o.port, o.hasPort = rest[1:n], true
		rest = rest[n:]
	}
	if strings.HasPrefix(rest, "/") {
		n := strings.IndexFunc(rest, isLineEnd)
		if n < 0 {
			n = len(rest)
		}
		o.path, o.ends = rest[:n], true
		rest = rest[n:]
	}
	o.used = len(text) - len(rest)
	return o
}

// schemePrefix returns the lengths of a scheme and of the separator after it;
// sep is 0 if the text does not begin with a scheme.
func (g iosGrammar) schemePrefix(text string) (name, sep int) {
	if strings.HasPrefix(text, "*") {
		name = 1
	} else {
		for name < len(text) && g.inScheme(text[name], name == 0) {
			name++
		}
	}
	rest := text[name:]
	switch {
	case name == 0 || !strings.HasPrefix(rest, ":"):
		return 0, 0
	case strings.HasPrefix(rest, "://"):
		return name, 3
	case !g.shortSeparator:
		return 0, 0
	case strings.HasPrefix(rest, ":/"):
		return name, 2
	}
	return name, 1
}

func (g iosGrammar) inScheme(c byte, first bool) bool {
	switch g.scheme {
	case iosLower:
		return 'a' <= c && c <= 'z' || c == '-'
	case iosLetters:
		return asciiLetter(c) || c == '-'
	}
	if 'a' <= c && c <= 'z' {
		return true
	}
	return !first && (asciiDigit(c) || c == '+' || c == '-' || c == '.')
}

// iosHostPrefix returns the length of the host at the start of the text: "*",
// or characters other than "*/:", with or without "*." in front.
func iosHostPrefix(text string) int {
	start := 0
	if strings.HasPrefix(text, "*.") {
		start = 2
	}
	n := strings.IndexAny(text[start:], "*/:")
	if n < 0 {
		n = len(text) - start
	}
	if n > 0 {
		return start + n
	}
	if strings.HasPrefix(text, "*") {
		return 1
	}
	return 0
}

// iosPortPrefix returns the length of ":" and digits at the start of the text.
// ICU's \d takes the digits of every script.
func iosPortPrefix(text string) int {
	if !strings.HasPrefix(text, ":") {
		return 0
	}
	n := strings.IndexFunc(text[1:], func(r rune) bool { return !unicode.Is(unicode.Nd, r) })
	if n < 0 {
		n = len(text) - 1
	}
	if n == 0 {
		return 0
	}
	return 1 + n
}

// hostLanguage returns the hosts that the origin's host part covers; the empty
// language if none does.
func (g iosGrammar) hostLanguage(o iosOrigin) pattern.Language {
	switch {
	case o.host == "*", !o.hasHost && (g.shortSeparator || o.hostless()):
		return pattern.Any()
	case !o.hasHost:
		return pattern.Language{}
	case strings.HasPrefix(o.host, "*."):
		if g.fold {
			return pattern.Below(o.host[2:]).Fold()
		}
		return pattern.BelowInLowerCase(o.host[2:])
	case g.fold:
		return pattern.Exactly(o.host).Fold()
	}
	return pattern.Exactly(o.host)
}

// hostless reports whether the scheme is one whose URLs need no host: with it
// an absent host is any host in every version. CDVWhitelist names file and
// content; that data, which it lists as well, is meant alike follows from its
// never having been refused.
func (o iosOrigin) hostless() bool {
	return o.scheme == "file" || o.scheme == "content" || o.scheme == "data"
}

// pathLanguage returns the paths that the origin's path part covers.
func (g iosGrammar) pathLanguage(o iosOrigin) pattern.Language {
	switch {
	case !o.ends, o.path == "/*":
		return pattern.Any()
	case g.fold && strings.HasSuffix(o.path, "/*"):
		return pattern.OneOf(pattern.Glob(strings.TrimSuffix(o.path, "/*")), pattern.Glob(o.path))
	}
	return pattern.Glob(o.path)
}

// portOf returns the port that a pattern asks for; ok is false if no URL that
// is read here can have it.
func (o iosOrigin) portOf() (port pattern.Port, ok bool) {
	if !o.hasPort {
		return pattern.AnyPort, true
	}
	n := 0
	for i := 0; i < len(o.port); i++ {
		if !asciiDigit(o.port[i]) || n > 1<<24 {
			return 0, false
		}
		n = n*10 + int(o.port[i]-'0')
	}
	if n == 0 {
		return portZero, true
	}
	return pattern.Port(n), true
}

// patterns returns the URL sets that an origin stands for. known says which
// schemes the list checks at all.
func (g iosGrammar) patterns(o iosOrigin, known func(scheme string) bool) []pattern.Pattern {
	port, ok := o.portOf()
	host := g.hostLanguage(o)
	if !ok || host.IsZero() {
		return nil
	}
	p := pattern.Pattern{Host: host, Path: g.pathLanguage(o), Port: port}
	with := func(scheme pattern.Language) pattern.Pattern {
		p.Scheme = scheme
		return p
	}
	switch {
	case !o.hasScheme:
		return []pattern.Pattern{with(pattern.Exactly("http")), with(pattern.Exactly("https"))}
	case o.scheme == "*":
		return []pattern.Pattern{with(pattern.Any())}
	case !g.fold:
		return []pattern.Pattern{with(pattern.Exactly(o.scheme))}
	case !known(asciiLower(o.scheme)):
		return nil
	}
	return []pattern.Pattern{with(pattern.Exactly(asciiLower(o.scheme)))}
}

// flaw says what the platform makes of an origin that it does not read as it
// is written.
func (g iosGrammar) flaw(text string, o iosOrigin, covers bool) (policy.Flaw, string) {
	switch {
	case o.used < len(text):
		return policy.Cut, "iOS reads only " + quoteOrigin(text[:o.used]) + " and ignores the rest" + g.wide(o)
	case !covers:
		return policy.NeverMatches, "no URL can match this entry on iOS" + o.whyNever()
	case g.shortSeparator && !o.hasHost && !o.ends:
		return policy.Rewritten, "without a host the entry covers every host" + o.webOnly()
	case g.shortSeparator && !o.hasHost:
		return policy.Rewritten, "without a host the entry covers this path on every host" + o.webOnly()
	case o.misread(text):
		return policy.Rewritten,
			quoteOrigin(o.scheme) + " is read as the scheme and " + quoteOrigin(o.host) + " as the host"
	case len(o.path) > 1 && strings.HasSuffix(o.path, "/"):
		return policy.NeverMatches, "iOS compares the path without the slash at its end, so that no path ends in one"
	}
	return policy.NoFlaw, ""
}

func (g iosGrammar) wide(o iosOrigin) string {
	if o.host == "*" || !o.hasHost && g.shortSeparator {
		return ": every host is covered"
	}
	return ""
}

func (o iosOrigin) webOnly() string {
	if o.hasScheme {
		return ""
	}
	return ", for http and https"
}

func (o iosOrigin) whyNever() string {
	switch {
	case !o.hasHost:
		return ": it names no host"
	case o.hasPort:
		return ": its port must be a number from 1 to 65535"
	}
	return ": its scheme is in capitals"
}

// misread reports whether what was meant as host:port is read as
// scheme:host.
func (o iosOrigin) misread(text string) bool {
	if !o.hasScheme || strings.HasPrefix(text[len(o.scheme):], ":/") || o.host == "" {
		return false
	}
	for i := 0; i < len(o.host); i++ {
		if !asciiDigit(o.host[i]) {
			return false
		}
	}
	return true
}

// quoteOrigin puts a part of an origin in quotes for a note.
func quoteOrigin(s string) string { return `"` + s + `"` }
