package dialect

import (
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// iosTopLevel is the expression that a final ".*" stands for before 3.1.
const iosTopLevel = "(aero|asia|arpa|biz|cat|com|coop|edu|gov|info|int|jobs|mil|mobi|museum|name|net|org|pro|tel|" +
	"travel|xxx|[a-z][a-z])"

// iosWebSchemes are the schemes that an origin without a scheme stands for
// before 3.1.
var iosWebSchemes = []string{"http", "https", "ftp", "ftps"}

// iosHostList is the list of 2.3 to 3.0 while it is built: expressions over
// the host, in groups. The group "" is that of the origins without a scheme.
type iosHostList struct {
	rules     *iosRules
	bySchemes bool // 2.7: an origin with a scheme counts for that scheme only
	frozen    bool // 2.7: what "*" stands for cannot be added to
	groups    []string
	all       map[string]bool
	broken    map[string]bool
	list      policy.List
}

// iosHosts is 2.3 to 3.0: one list of hosts; paths, ports and queries of the
// origins are thrown away (CDVWhitelist of ios 2.3.0, 2.7.0 and 2.9.1).
func iosHosts(doc *configxml.Document, t policy.Target) policy.Spec {
	rules := &iosRules{fatal: -1}
	_, count := rules.add(doc, "access", "origin", policy.ForRequest)
	l := &iosHostList{
		rules:     rules,
		bySchemes: t.Version.AtLeast(2, 7, 0),
		frozen:    t.Version.AtLeast(2, 7, 0) && !t.Version.AtLeast(2, 8, 0),
		all:       make(map[string]bool),
		broken:    make(map[string]bool),
	}
	for i := 0; i < count; i++ {
		if rules.rules[i].Flaw != policy.BreaksBuild {
			l.enter(i)
		}
	}
	spec := policy.Spec{Split: splitNSURL, Lists: []policy.List{l.reachable()}, Rules: rules.rules}
	spec.Programs = iosChecked(l.asked(), false, policy.Listed)
	if rules.fatal >= 0 {
		spec.Programs = iosStopped(rules.fatal)
	}
	return spec
}

// asked returns the schemes that the list is asked about.
func (l *iosHostList) asked() []string {
	schemes := append([]string(nil), iosWebSchemes...)
	for _, group := range l.groups {
		if group != "" && !contains(schemes, group) {
			schemes = append(schemes, group)
		}
	}
	return schemes
}

// enter puts one origin into the list.
func (l *iosHostList) enter(i int) {
	rule := &l.rules.rules[i]
	if !l.bySchemes && l.all[""] {
		rule.Flaw, rule.Note = policy.Ignored, "after an entry for every host all others are ignored"
		return
	}
	group, host, whole := iosOriginHost(rule.Text)
	if end := schemeEnd(rule.Text); end > 0 && group == "" {
		// If NSURL reads it after all, its scheme is one that is asked about.
		rule.Flaw, rule.Note = policy.Unreadable, "whether iOS can take this text apart is not documented"
		l.groups = append(l.groups, rule.Text[:end])
		return
	}
	if host == "" && group != "" {
		l.fail(i, "iOS takes the text before the first colon for a scheme and finds no host after it: the app ends "+
			"with an exception when it starts")
		return
	}
	if !whole {
		rule.Flaw, rule.Note = policy.Cut,
			"iOS reads the scheme and the host only: the port, the path and the query count for nothing"
	}
	if !l.bySchemes {
		group = ""
	}
	if l.frozen && l.all[group] && host != "*" {
		l.fail(i, "after an entry for every host this version cannot add another one: the app ends with an exception "+
			"when it starts")
		return
	}
	if host == "*" {
		l.all[group] = true
	}
	if group != "" && !contains(l.groups, group) {
		l.groups = append(l.groups, group)
	}
	l.list = append(l.list, l.entry(rule, i, group, host)...)
}

// entry makes the entry of a host in a group; none if it cannot be read or is
// never reached.
func (l *iosHostList) entry(rule *policy.Rule, i int, group, host string) policy.List {
	language, note := iosHostLanguage(host)
	if note != "" {
		rule.Flaw, rule.Note = policy.Unreadable, note
		l.broken[group] = true
		return nil
	}
	if l.broken[group] {
		rule.Flaw, rule.Note = policy.Unreadable,
			"an entry before it is not a valid expression, and looking that up fails before this one is reached"
		return nil
	}
	schemes := pattern.Exactly(group)
	if group == "" {
		schemes = pattern.OneOf(pattern.Exactly("http"), pattern.Exactly("https"), pattern.Exactly("ftp"),
			pattern.Exactly("ftps"))
	}
	rule.Patterns = []pattern.Pattern{{Scheme: schemes, Host: language, Path: pattern.Any()}}
	return policy.List{{Pattern: &rule.Patterns[0], Rule: i}}
}

// fail marks an entry at which the app ends when it starts; see iosStopped.
func (l *iosHostList) fail(i int, note string) {
	rule := &l.rules.rules[i]
	rule.Flaw, rule.Note = policy.BreaksBuild, note
	if l.rules.fatal < 0 || i < l.rules.fatal {
		l.rules.fatal = i
	}
}

// reachable returns the list without what is never looked up: a host that is no
// regular expression raises an exception when it is, and blocks what comes
// after it. It leaves out the entries of the web schemes' own groups if the
// group for all of them, which is looked up first, fails.
func (l *iosHostList) reachable() policy.List {
	if !l.broken[""] {
		return l.list
	}
	var list policy.List
	for _, entry := range l.list {
		group, _, _ := iosOriginHost(l.rules.rules[entry.Rule].Text)
		if group == "" || !contains(iosWebSchemes, group) {
			list = append(list, entry)
		}
	}
	return list
}

func contains(list []string, s string) bool {
	for _, each := range list {
		if each == s {
			return true
		}
	}
	return false
}

// iosOriginHost takes an origin apart by NSURL. An origin without a scheme, or
// one that NSURL refuses, is a host as a whole. whole is false if the origin
// has more than a scheme and a host.
func iosOriginHost(text string) (scheme, host string, whole bool) {
	u := splitNSURL(text)
	if u.Malformed || u.Has&pattern.HasScheme == 0 {
		return "", text, true
	}
	return u.Scheme, u.Host, text == u.Scheme+"://"+u.Host || text == u.Scheme+"://"+u.Host+"/"
}

// iosHostLanguage returns the hosts that the text of a host stands for: a
// leading "*." is an optional "anything and a dot", a final ".*" a known
// top-level domain or two letters, any other "*" anything. note says why the
// text cannot be read.
func iosHostLanguage(text string) (l pattern.Language, note string) {
	if text == "*" {
		return pattern.Any(), ""
	}
	if strings.ContainsAny(text, `\[]{}()^$+?|`) {
		return iosHostExpression(text)
	}
	rest, below := strings.CutPrefix(text, "*.")
	body := iosHostBody(rest, below)
	if !strings.HasSuffix(body, iosTopLevel) {
		exact := pattern.Exactly(rest)
		if strings.Contains(rest, "*") {
			exact = pattern.Glob(rest)
		}
		if below {
			exact = pattern.OneOf(exact, pattern.Glob("*."+rest))
		}
		return exact, ""
	}
	return iosHostExpression(text)
}

// iosHostBody returns the expression for what follows a leading "*.".
func iosHostBody(rest string, below bool) string {
	tail := ""
	if strings.HasSuffix(rest, ".*") && (below || !iosFourNumbers(rest)) {
		rest, tail = rest[:len(rest)-1], iosTopLevel
	}
	return strings.ReplaceAll(strings.ReplaceAll(rest, ".", `\.`), "*", iosAnything) + tail
}

// iosAnything is ICU's ".*".
const iosAnything = `[^\n-\r\x{85}\x{2028}\x{2029}]*`

func iosHostExpression(text string) (l pattern.Language, note string) {
	if strings.ContainsAny(text, `\[]{}^$`) || strings.Contains(text, "(?") {
		return l, "the host holds characters that iOS reads as a regular expression of its own kind"
	}
	rest, below := strings.CutPrefix(text, "*.")
	expr := iosHostBody(rest, below)
	if below {
		expr = `(?:` + iosAnything + `\.)?` + expr
	}
	if _, err := syntax.Parse(expr, syntax.Perl); err != nil {
		return l, "the host is not a valid regular expression, and iOS reads it as one"
	}
	l, err := pattern.Expression(`\A(?:` + expr + `)\z`)
	if err != nil {
		return pattern.Language{}, "the host is not a valid regular expression, and iOS reads it as one"
	}
	return l, ""
}

// iosFourNumbers reports whether the text is an IPv4 address, with "*" for any
// of its numbers.
func iosFourNumbers(text string) bool {
	parts := strings.Split(text, ".")
	if len(parts) != 4 {
		return false
	}
	for _, part := range parts {
		if part == "*" {
			continue
		}
		if n, err := strconv.ParseUint(part, 10, 16); err != nil || n > 255 {
			return false
		}
	}
	return true
}
