package dialect

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/policy/pattern"
)

// androidGrammar is one version of the grammar of origins, that of class
// Whitelist (AllowList from 10.0 on). An origin must match as a whole.
type androidGrammar struct {
	origin *regexp.Regexp
	// fold says that schemes and hosts compare ignoring ASCII case.
	fold bool
	// below is what a "*." host covers, given the name behind the dot.
	below func(host string) pattern.Language
}

const anyButLineEnds = "[^\n\r\u0085\u2028\u2029]*"

// The grammars: cordova-android 3.1.0 to 3.4.0, 3.5.0 and 3.5.1, 3.6.0 and
// later.
var (
	androidV1Lower = androidGrammar{
		origin: originExpression(`(?P<scheme>\*|[a-z-]+)://`),
		below:  pattern.BelowInLowerCase,
	}
	androidV1 = androidGrammar{
		origin: originExpression(`(?P<scheme>\*|[A-Za-z-]+)://`),
		below:  pattern.Below,
		fold:   true,
	}
	androidV2 = androidGrammar{
		origin: originExpression(`(?P<scheme>\*|[A-Za-z-]+):(?://)?`),
		below:  pattern.Below,
		fold:   true,
	}
)

func originExpression(scheme string) *regexp.Regexp {
	return regexp.MustCompile(`\A(?:` + scheme + `)?(?P<host>\*|(?:\*\.)?[^*/:]+)?(?::(?P<port>[0-9]+))?(?P<path>/` +
		anyButLineEnds + `)?\z`)
}

// androidOrigin is one origin that fits the grammar.
type androidOrigin struct {
	patterns []pattern.Pattern
	scheme   string // "" if the text names none
	host     string
	path     string
}

const misfit = "it does not fit the form scheme://host:port/path"

// read returns what the platform makes of an origin other than "*", or why it
// drops it.
func (g *androidGrammar) read(text string) (o androidOrigin, dropped string) {
	if scheme, host, ok := cutPlain(text); ok {
		return g.plain(scheme, host), ""
	}
	m := g.origin.FindStringSubmatchIndex(text)
	if m == nil {
		return o, misfit
	}
	part := func(group int) (s string, has bool) {
		if m[2*group] < 0 {
			return "", false
		}
		return text[m[2*group]:m[2*group+1]], true
	}
	scheme, hasScheme := part(1)
	host, hasHost := part(2)
	port, hasPort := part(3)
	path, hasPath := part(4)
	if !hasHost && (scheme == "file" || scheme == "content") {
		host, hasHost = "*", true
	}
	switch {
	case !hasHost && strings.HasPrefix(path, "//"):
		return o, misfit
	case !hasHost:
		return o, "it names no host"
	}
	p := pattern.Pattern{Scheme: pattern.Any(), Host: g.host(host), Path: pattern.Any()}
	if hasPort {
		var ok bool
		if p.Port, ok = androidPort(port); !ok {
			return o, "its port is too large a number"
		}
	}
	if hasPath && path != "/*" {
		p.Path = pattern.Glob(path)
	}
	schemes := []string{scheme}
	if !hasScheme {
		schemes = []string{"http", "https"}
	}
	o = androidOrigin{scheme: scheme, host: host, path: path}
	for _, each := range schemes {
		if each != "*" {
			p.Scheme = g.folded(pattern.Exactly(each))
		}
		o.patterns = append(o.patterns, p)
	}
	return o, ""
}

// cutPlain takes an origin apart that is http or https and one host and nothing
// else. Every grammar reads it alike, and most lines of a long list are like that.
func cutPlain(text string) (scheme, host string, ok bool) {
	scheme, host, ok = strings.Cut(text, "://")
	ok = ok && (scheme == "https" || scheme == "http") && host != "" && strings.IndexByte(host, '*') < 0 &&
		strings.IndexByte(host, '/') < 0 && strings.IndexByte(host, ':') < 0
	return scheme, host, ok
}

func (g *androidGrammar) plain(scheme, host string) androidOrigin {
	return androidOrigin{scheme: scheme, host: host, patterns: []pattern.Pattern{{
		Scheme: g.folded(pattern.Exactly(scheme)), Host: g.host(host), Path: pattern.Any(),
	}}}
}

func androidPort(digits string) (port pattern.Port, ok bool) {
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		return 0, false
	}
	if n == 0 {
		return portZero, true
	}
	return pattern.Port(n), true
}

func (g *androidGrammar) host(host string) pattern.Language {
	if host == "*" {
		return pattern.Any()
	}
	if name, ok := strings.CutPrefix(host, "*."); ok {
		return g.folded(g.below(name))
	}
	return g.folded(pattern.Exactly(host))
}

func (g *androidGrammar) folded(l pattern.Language) pattern.Language {
	if g.fold {
		return l.Fold()
	}
	return l
}

// everything is the pattern of every string.
func everything() pattern.Pattern {
	return pattern.Pattern{Scheme: pattern.Any(), Host: pattern.Any(), Path: pattern.Any()}
}

// containing returns the pattern of the URLs whose raw string contains word.
func containing(word string) pattern.Pattern {
	p := everything()
	p.Whole = mustExpression(regexp.QuoteMeta(word))
	return p
}
