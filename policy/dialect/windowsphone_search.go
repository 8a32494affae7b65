package dialect

import (
	"regexp"
	"strings"
	"sync"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// wpStar is what the platform puts in the place of "*" before it lets
// System.Uri read an origin.
const wpStar = "replaced-text"

// wpSearch is the list of Windows Phone: expressions that are searched for in
// a URL, without an anchor. An entry covers a URL if its expression is found in
// the URL and also in scheme://host/, or else not in the path and query. "Not
// found" is no set of URLs that a pattern can say, and the path goes into the
// expression unescaped; so the list is one function of the program
// (policy.FoundBy), and the rules' patterns are the nearest sets, for comparing
// and exporting.
//
// .NET's expressions are translated as far as origins use them: groups, classes,
// quantifiers, alternation, anchors. What is invalid throws on the device, so
// that the entries after it do not count; what has no equal in Go is treated the
// same way, towards blocking.
type wpSearch struct {
	local   bool
	entries []wpEntry
	// byHost finds the entries without any wildcard by their host; expressions
	// are the others, by number.
	byHost      map[string][]int
	expressions []int
	// ended: an entry that is no expression throws when it is reached, so that
	// the ones after it never are.
	ended bool
}

type wpEntry struct {
	rule int
	// text is what is searched for where the entry has no wildcard.
	scheme, host, path string
	// whole is the expression, and site the same up to the host and a slash.
	whole, site *regexp.Regexp
}

// enter reads an origin (ConfigHandler.AddWhiteListEntry).
func (s *wpSearch) enter(rule *policy.Rule, number int) {
	u, ok := parseSystemURI(strings.ReplaceAll(rule.Text, "*", wpStar))
	if !ok || u.relative {
		rule.Flaw, rule.Note = policy.Dropped, "the origin must be an absolute URL, such as https://example.com"
		return
	}
	if s.ended {
		rule.Flaw, rule.Note = policy.Unreadable,
			"an entry before it is not a valid regular expression, and looking that up fails before this one is reached"
		return
	}
	path := u.pathAndQuery()
	if s.local {
		path = u.local + u.query
	}
	entry := wpEntry{rule: number, scheme: u.scheme, host: strings.ReplaceAll(u.host, wpStar, "*"), path: path}
	rule.Flaw, rule.Note = wpFlaw(rule.Text, entry)
	if strings.ContainsAny(entry.scheme, "+.") || strings.ContainsAny(entry.host, "*[") ||
		strings.ContainsAny(path, `.*+?()[]{}|^$\`) {
		if !s.compile(rule, &entry) {
			return
		}
	}
	rule.Patterns = entry.patterns()
	s.entries = append(s.entries, entry)
}

// compile makes the entry's expressions; false if there are none.
func (s *wpSearch) compile(rule *policy.Rule, entry *wpEntry) bool {
	scheme, schemeState := translateNet(entry.scheme)
	path, pathState := translateNet(entry.path)
	host := wpHost(entry.host)
	if schemeState == netRead {
		schemeState = pathState
	}
	switch schemeState {
	case netInvalid:
		s.ended = true
		rule.Flaw, rule.Note = policy.Unreadable,
			"Windows Phone reads the path as a regular expression, and this is not a valid one: the look-up fails"
		return false
	case netForeign:
		s.ended = true
		rule.Flaw, rule.Note = policy.Unreadable,
			"Windows Phone reads the path as a regular expression, and this one is of .NET's own kind"
		return false
	}
	var err error
	if entry.whole, err = regexp.Compile(scheme + "://" + host + path); err == nil {
		entry.site, err = regexp.Compile(scheme + "://" + host + "/")
	}
	if err != nil {
		s.ended = true
		rule.Flaw, rule.Note = policy.Unreadable,
			"Windows Phone reads the origin as a regular expression, and this one cannot be compiled"
		return false
	}
	return true
}

// wpHost returns the expression for a host: a leading "*." is word characters
// and then anything, any other "*" word characters.
func wpHost(host string) string {
	rest, below := strings.CutPrefix(host, "*.")
	var b strings.Builder
	if below {
		b.WriteString("[" + netWord + "]*[^\\n]*")
	}
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '*':
			b.WriteString("[" + netWord + "]*")
		case c == '.':
			b.WriteString(`\.`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func wpFlaw(text string, entry wpEntry) (policy.Flaw, string) {
	switch {
	case strings.Contains(entry.scheme, wpStar):
		return policy.NeverMatches,
			"a wildcard in the scheme stays in the expression as the text " + quoteOrigin(wpStar)
	case strings.Contains(entry.path, wpStar):
		return policy.NeverMatches, "a wildcard in the path stays in the expression as the text " + quoteOrigin(wpStar)
	case strings.HasPrefix(entry.host, "*."):
		return policy.Rewritten, "the expression is not anchored and loses the dot: it also covers hosts that " +
			"merely end in " + quoteOrigin(entry.host[2:]) + ", and URLs that name it in their path or query"
	case entry.host == "*":
		return policy.Rewritten, "the wildcard covers word characters only: hosts with a dot are not covered"
	case strings.Contains(entry.host, "*"):
		return policy.Rewritten, "the wildcard covers word characters only"
	case wpHasPort(text):
		return policy.Rewritten, "the port counts for nothing: URLs that name one are not covered"
	}
	return policy.NoFlaw, ""
}

// wpHasPort reports whether a port is written in an origin.
func wpHasPort(text string) bool {
	_, rest, _ := strings.Cut(text, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return strings.LastIndexByte(rest, ':') > strings.LastIndexAny(rest, "@]")
}

// patterns returns the nearest URL sets: those at the start of a URL.
func (e *wpEntry) patterns() []pattern.Pattern {
	host := pattern.Exactly(e.host)
	if strings.Contains(e.host, "*") {
		l, err := pattern.Expression(`\A` + wpHost(e.host) + `\z`)
		if err != nil {
			return nil
		}
		host = l
	}
	path := pattern.Prefix(e.path)
	if e.whole != nil {
		translated, _ := translateNet(e.path)
		if l, err := pattern.Expression(`\A` + translated); err == nil {
			path = l
		}
	}
	return []pattern.Pattern{{Scheme: pattern.Exactly(e.scheme), Host: host, Path: path, Port: pattern.AnyPort}}
}

func (s *wpSearch) index() {
	s.byHost = make(map[string][]int)
	for i := range s.entries {
		if e := &s.entries[i]; e.whole == nil {
			s.byHost[e.host] = append(s.byHost[e.host], i)
		} else {
			s.expressions = append(s.expressions, i)
		}
	}
}

// find returns the rule that covers a URL, or -1 (ConfigHandler.URLIsAllowed).
//
// An entry covers the URL if its expression is found in it and besides in
// scheme://host/, or not in the path and query.
func (s *wpSearch) find(u pattern.URL) int {
	if !isWebScheme(u.Scheme) {
		return -1
	}
	if u.AnyPath {
		return s.findSite(&u)
	}
	best := -1
	text := wpText{front: u.Whole, slashes: wpSlashes(&u)}
	for at := 0; ; {
		next := strings.Index(text.front[at:], "://")
		if next < 0 {
			break
		}
		at += next + 3
		for _, i := range s.byHost[text.hostAt(at)] {
			e := &s.entries[i]
			if (best < 0 || i < best) && text.holds(e, at) && e.atSite(&u) {
				best = i
			}
		}
	}
	if len(s.expressions) > 0 {
		best = s.findExpression(&u, text, best)
	}
	if best < 0 {
		return -1
	}
	return s.entries[best].rule
}

// buffers hold the texts that expressions are searched in.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

func (s *wpSearch) findExpression(u *pattern.URL, text wpText, best int) int {
	whole, site := buffers.Get().(*[]byte), buffers.Get().(*[]byte)
	defer buffers.Put(whole)
	defer buffers.Put(site)
	*whole = append(append((*whole)[:0], text.front...), text.slashes...)
	*site = appendSite((*site)[:0], u)
	for _, i := range s.expressions {
		if best >= 0 && i > best {
			break
		}
		e := &s.entries[i]
		if e.whole.Match(*whole) && (e.whole.Match(*site) || !e.whole.MatchString(u.Path)) {
			return i
		}
	}
	return best
}

func (s *wpSearch) findSite(u *pattern.URL) int {
	site := string(appendSite(nil, u))
	for i := range s.entries {
		e := &s.entries[i]
		if e.whole != nil && e.site.MatchString(site) ||
			e.whole == nil && strings.HasSuffix(u.Scheme, e.scheme) && u.Host == e.host {
			return e.rule
		}
	}
	return -1
}

func appendSite(b []byte, u *pattern.URL) []byte {
	b = append(append(b, u.Scheme...), "://"...)
	return append(append(b, u.Host...), '/')
}

// wpText is the URL that is searched: System.Uri's text, and one more slash if
// the URL has no path and no query.
type wpText struct{ front, slashes string }

// wpSlashes returns what comes after the URL's text: a slash that the platform
// adds if there is no path and no query, and the one that System.Uri adds if
// the text has none.
func wpSlashes(u *pattern.URL) string {
	switch {
	case u.Path != "/":
		return ""
	case len(u.Whole) == len(u.Scheme)+len("://")+len(u.Host):
		return "//"
	}
	return "/"
}

// hostAt returns the text from at to the next slash.
func (t wpText) hostAt(at int) string {
	rest := t.front[at:]
	if end := strings.IndexByte(rest, '/'); end >= 0 {
		return rest[:end]
	}
	return rest
}

// holds reports whether the entry's scheme stands before "://" at the offset
// and its path after the host.
func (t wpText) holds(e *wpEntry, at int) bool {
	if !strings.HasSuffix(t.front[:at-3], e.scheme) {
		return false
	}
	rest := t.front[at+len(e.host):]
	if len(rest) >= len(e.path) {
		return strings.HasPrefix(rest, e.path)
	}
	return strings.HasPrefix(e.path, rest) && strings.HasPrefix(t.slashes, e.path[len(rest):])
}

// atSite reports whether the entry is found in scheme://host/, or is not found
// in the path and query.
func (e *wpEntry) atSite(u *pattern.URL) bool {
	if e.path == "/" && u.Host == e.host && strings.HasSuffix(u.Scheme, e.scheme) {
		return true
	}
	for at := 0; ; {
		next := strings.Index(u.Path[at:], "://")
		if next < 0 {
			return true
		}
		at += next + 3
		text := wpText{front: u.Path}
		if text.hostAt(at) == e.host && text.holds(e, at) {
			return false
		}
	}
}
