package dialect

import (
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// wpVersion is what the versions of Windows Phone differ in (ConfigHandler and
// CordovaView of wp7 2.4.0 to 3.6.3 and wp8 2.3.0 to 3.8.2).
type wpVersion struct {
	// list: there is a list at all (2.4).
	list bool
	// plain: only access elements without a namespace are found; config.xml
	// files that declare the widget namespace then list nothing.
	plain bool
	// local: patterns and URLs are compared by LocalPath, which is unescaped,
	// instead of PathAndQuery.
	local bool
	// starless: "*" ends the list and grants nothing (wp8 2.4 sets the wrong
	// variable).
	starless bool
}

func wpVersionOf(t policy.Target) wpVersion {
	at := t.Version.AtLeast
	wp7 := t.Platform == "wp7"
	return wpVersion{
		list:     at(2, 4, 0),
		plain:    !at(2, 9, 1) || at(3, 0, 0) && !at(3, 1, 0),
		local:    wp7 || at(2, 9, 1) && !at(3, 0, 0),
		starless: !wp7 && !at(2, 5, 0),
	}
}

// compileWindowsPhone reads a document as Cordova for Windows Phone 7 and 8
// reads it: access elements become expressions that are searched for in the
// URL of a navigation; nothing else is ever asked.
func compileWindowsPhone(doc *configxml.Document, t policy.Target) (policy.Spec, error) {
	version := wpVersionOf(t)
	reader := wpReader{version: version, search: &wpSearch{local: version.local}, unlimited: -1}
	spec := policy.Spec{Split: version.splitter()}
	for _, e := range doc.For(t.Platform) {
		if e.Name != "access" {
			continue
		}
		rule := policy.Rule{Element: "access", Place: e.Place(), Text: e.Value("origin"),
			Purpose: policy.ForNavigation}
		reader.read(&rule, e, len(spec.Rules))
		spec.Rules = append(spec.Rules, rule)
	}
	reader.search.index()
	spec.Programs = wpPrograms(version, &spec, reader.search, reader.unlimited)
	if !version.list {
		for i := range spec.Rules {
			spec.Rules[i].Flaw, spec.Rules[i].Note = policy.Ignored, "this version has no list: every page opens"
		}
	}
	return spec, nil
}

// wpReader reads the access elements one by one.
type wpReader struct {
	version wpVersion
	search  *wpSearch
	// ended: an entry "*" came, and all later ones are ignored.
	ended bool
	// unlimited is the rule that switched the list off, or -1.
	unlimited int
}

func (r *wpReader) read(rule *policy.Rule, e *configxml.Element, number int) {
	_, given := e.Attr("origin")
	switch {
	case r.version.plain && e.Space != "":
		rule.Flaw, rule.Note = policy.Ignored, "this version looks for access elements without a namespace"
	case r.ended:
		rule.Flaw, rule.Note = policy.Ignored, `after an entry "*" all others are ignored`
	case rule.Text == "*" && r.version.starless:
		r.ended = true
		rule.Flaw, rule.Note = policy.NeverMatches,
			`in this version "*" opens nothing and all later entries are ignored`
	case rule.Text == "*":
		r.ended, r.unlimited = true, number
		rule.Patterns = []pattern.Pattern{everyURL()}
	case !given:
		rule.Flaw, rule.Note = policy.Dropped, "the element has no origin"
	default:
		r.search.enter(rule, number)
	}
	if _, external := e.Attr("launch-external"); external && rule.Flaw == policy.NoFlaw {
		rule.Flaw, rule.Note = policy.Rewritten,
			"launch-external is not known on Windows Phone: the entry opens pages inside the app"
	}
}

func wpPrograms(version wpVersion, spec *policy.Spec, search *wpSearch, unlimited int) map[policy.Kind]policy.Program {
	named := policy.Among(pattern.Pattern{Scheme: pattern.Present(), Host: pattern.Any(), Path: pattern.Any()})
	steps := []policy.Step{
		// Pages of the app have relative addresses.
		{When: []policy.Test{named.Not()}, Then: policy.Allow, Reason: policy.BuiltIn},
		{When: []policy.Test{policy.FoundBy(search.find)}, Then: policy.Allow, Reason: policy.Listed},
	}
	if unlimited >= 0 {
		spec.Lists = []policy.List{{{Pattern: new(everyURL()), Rule: unlimited}}}
		steps = []policy.Step{{When: []policy.Test{policy.InList(0)}, Then: policy.Allow, Reason: policy.Unlimited}}
	}
	programs := make(map[policy.Kind]policy.Program)
	for _, kind := range policy.Kinds() {
		programs[kind] = policy.Program{Steps: neverAsked(), Strict: steps}
	}
	if version.list {
		programs[policy.Navigation] = policy.Program{Steps: steps}
	} else {
		programs[policy.Navigation] = policy.Program{
			Steps:  []policy.Step{{Then: policy.Bypass, Reason: policy.NoList}},
			Strict: steps,
		}
	}
	return programs
}

// splitter returns how a URL is taken apart: into what System.Uri shows, which
// is what the platform hands to its list.
func (v wpVersion) splitter() func(string) pattern.URL {
	return func(raw string) pattern.URL {
		if u, ok := splitPlainWeb(raw); ok {
			return u
		}
		shown, ok := parseSystemURI(raw)
		u := pattern.URL{Whole: shown.text, Port: -1, Malformed: !ok}
		if !ok {
			return u
		}
		first := shown
		if shown.text != raw {
			first, ok = parseSystemURI(shown.text)
		}
		u.Malformed = !ok
		if !ok || first.relative {
			return u
		}
		u.Scheme, u.Host = first.scheme, first.host
		u.Path = first.pathAndQuery()
		if v.local {
			u.Path = first.local + first.query
		}
		u.Has = pattern.HasScheme | pattern.HasHost | pattern.HasPath
		return u
	}
}

// splitPlainWeb takes a web URL apart that System.Uri would leave as it is,
// without allocating. Path is the path and the query.
func splitPlainWeb(raw string) (u pattern.URL, ok bool) {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found || scheme != "http" && scheme != "https" {
		return u, false
	}
	slash := strings.IndexByte(rest, '/')
	host := rest
	if slash >= 0 {
		host = rest[:slash]
	}
	if !plainHost(host) {
		return u, false
	}
	path := "/"
	if slash >= 0 {
		if path = rest[slash:]; !plainPath(path) {
			return u, false
		}
	}
	return pattern.URL{
		Whole: raw, Scheme: scheme, Host: host, Path: path, Port: -1,
		Has: pattern.HasScheme | pattern.HasHost | pattern.HasPath,
	}, true
}

// plainHost reports whether a host is a name in lower case that is no address.
func plainHost(host string) bool {
	if host == "" || len(host) > 63 || asciiDigit(host[0]) {
		return false
	}
	for i := 0; i < len(host); i++ {
		switch c := host[i]; {
		case 'a' <= c && c <= 'z', asciiDigit(c), c == '-':
		case c == '.' && i > 0 && host[i-1] != '.':
		default:
			return false
		}
	}
	return true
}

// plainPath reports whether nothing in a path and query is rewritten.
func plainPath(path string) bool {
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case asciiLetter(c), asciiDigit(c):
		case c == '.' && path[i-1] == '/':
			return false
		case strings.IndexByte("/-_.~:@!$&'()*+,;=?", c) < 0:
			return false
		}
	}
	return true
}
