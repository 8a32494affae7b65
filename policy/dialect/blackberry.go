package dialect

import (
	"regexp"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// blackberryReader reads one config.xml as the packager of one version of
// cordova-blackberry does (lib/config-parser).
type blackberryReader struct {
	doc     *configxml.Document
	version policy.Version
	index   blackberryIndex
	rules   []policy.Rule
	// global is the rule that opens everything but requests by XMLHttpRequest,
	// or -1; broken is the rule that packaging fails on, or -1.
	global, broken int
}

// compileBlackBerry reads a document as cordova-blackberry 2.9 and later do on
// BlackBerry 10.
func compileBlackBerry(doc *configxml.Document, t policy.Target) (policy.Spec, error) {
	r := &blackberryReader{doc: doc, version: t.Version, global: -1, broken: -1}
	r.index = blackberryIndex{uri: blackberryURIOf(t.Version), groups: map[blackberryKey]*blackberryGroup{}}
	r.readAccess()
	r.addOwn()
	spec := policy.Spec{Rules: r.rules, Split: r.index.uri.split, Programs: r.programs()}
	if r.global >= 0 {
		spec.Lists = []policy.List{{{Pattern: new(everything()), Rule: r.global}}}
	}
	return spec, nil
}

// elements returns the top-level elements of a name; a prefix makes it another
// name.
func (r *blackberryReader) elements(name string) []*configxml.Element {
	var all []*configxml.Element
	for _, e := range r.doc.For("blackberry10") {
		if e.Name == name && e.Prefix == "" {
			all = append(all, e)
		}
	}
	return all
}

func (r *blackberryReader) readAccess() {
	all := r.elements("access")
	uris, origins := false, false
	for _, e := range all {
		uris = uris || e.Value("uri") != ""
		origins = origins || e.Value("origin") != ""
	}
	for _, e := range all {
		r.readOne(e, uris, origins)
	}
	for _, name := range []string{"allow-navigation", "allow-intent"} {
		for _, e := range r.elements(name) {
			rule := r.rule(e, "href")
			rule.Purpose = policy.ForNavigation
			if name == "allow-intent" {
				rule.Purpose = policy.ForLaunch
			}
			r.keep(rule, policy.Ignored, name+" is not known on BlackBerry 10")
		}
	}
}

func (r *blackberryReader) rule(e *configxml.Element, attribute string) policy.Rule {
	return policy.Rule{Element: e.Name, Text: e.Value(attribute), Place: e.Place()}
}

// ascii is what the packager up to 3.2 makes of a text in a file without a
// byte-order mark: it reads the file as ASCII, which drops the highest bit of
// every byte. A reference such as &#252; keeps its character.
func (r *blackberryReader) ascii(e *configxml.Element, uri string) string {
	raw := r.doc.Bytes()
	if r.version.AtLeast(3, 3, 0) || len(raw) > 0 && raw[0] >= 0xEF || plain(string(raw[e.Start:e.TagEnd])) {
		return uri
	}
	bytes := []byte(uri)
	for i := range bytes {
		bytes[i] &= 0x7F
	}
	return string(bytes)
}

func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// keep appends a rule that grants nothing.
func (r *blackberryReader) keep(rule policy.Rule, flaw policy.Flaw, note string) {
	rule.Flaw, rule.Note = flaw, note
	if flaw == policy.BreaksBuild && r.broken < 0 {
		r.broken = len(r.rules)
	}
	r.rules = append(r.rules, rule)
}

// readOne reads one access element; uris and origins tell which attributes the
// file uses at all.
func (r *blackberryReader) readOne(e *configxml.Element, uris, origins bool) {
	if len(e.Attrs) == 0 {
		r.keep(r.rule(e, "uri"), policy.Ignored, "it has no attributes")
		return
	}
	uri, origin := e.Value("uri"), e.Value("origin")
	readsOrigin := r.version.AtLeast(3, 1, 0)
	if uri == "*" || readsOrigin && origin == "*" {
		r.readEverything(e)
		return
	}
	rule := r.rule(e, "uri")
	subdomains := e.Value("subdomains") == "true"
	switch {
	case !readsOrigin && uri == "":
		rule.Text = origin
		r.keep(rule, policy.Ignored, "only the attribute uri is read before 3.1")
		return
	case r.version.AtLeast(3, 8, 0) && origins:
		if _, has := e.Attr("origin"); !has {
			r.keep(rule, policy.BreaksBuild,
				"packaging stops: in a file with origin attributes every access element needs one")
			return
		}
		if strings.Index(origin, "//*.") > 0 {
			rule.Text, subdomains = origin, true
			r.enter(e, rule, strings.Replace(origin, "//*.", "//", 1), subdomains)
			return
		}
	}
	switch {
	case uri == "" && origin == "":
		r.keep(rule, policy.Ignored, "it has neither uri nor origin")
	case readsOrigin && uris && origins && uri == "":
		rule.Text = origin
		r.keep(rule, policy.Ignored, "the file uses the attribute uri as well, so only that is read")
	case uri == "":
		rule.Text = origin
		r.enter(e, rule, origin, subdomains)
	default:
		r.enter(e, rule, uri, subdomains)
	}
}

// readEverything reads an entry "*".
func (r *blackberryReader) readEverything(e *configxml.Element) {
	rule := r.rule(e, "uri")
	rule.Text = "*"
	for _, child := range e.Children {
		if child.Name == "feature" && child.Prefix == "" {
			r.keep(rule, policy.BreaksBuild, "packaging stops: an entry * must not have features")
			return
		}
	}
	rule.Patterns = []pattern.Pattern{everything()}
	if r.global < 0 {
		r.global = len(r.rules)
	}
	r.rules = append(r.rules, rule)
}

var (
	blackberryEntryForm  = regexp.MustCompile(`\A[a-zA-Z]+://`)
	blackberryEmptyEntry = regexp.MustCompile(`\A[a-zA-Z]+://\z`)
)

// enter puts an entry on the list unless packaging fails on it.
func (r *blackberryReader) enter(e *configxml.Element, rule policy.Rule, uri string, subdomains bool) {
	if read := r.ascii(e, uri); read != uri {
		if strings.ContainsAny(read, `"&`) {
			r.keep(rule, policy.BreaksBuild,
				"packaging stops: it reads the file as ASCII, and what that leaves is not XML")
			return
		}
		uri = read
		rule.Flaw, rule.Note = policy.Rewritten,
			"the packager reads the file as ASCII: letters outside of it become other ones"
	}
	switch {
	case !blackberryEntryForm.MatchString(uri):
		r.keep(rule, policy.BreaksBuild, "packaging stops: an entry must begin with letters and ://")
		return
	case blackberryEmptyEntry.MatchString(uri):
		r.keep(rule, policy.BreaksBuild, "packaging stops: nothing follows the scheme")
		return
	}
	parts := r.index.uri.parse(uri)
	rule.Patterns = []pattern.Pattern{approximation(parts, subdomains)}
	switch {
	case strings.Contains(parts.host, "*"):
		rule.Flaw, rule.Note = policy.NeverMatches,
			"a wildcard has no meaning here: the host "+parts.host+" is compared literally"
	case strings.Contains(parts.path, "*"):
		rule.Flaw, rule.Note = policy.NeverMatches, "a wildcard in a path is compared literally"
	}
	r.index.add(uri, subdomains, len(r.rules))
	r.rules = append(r.rules, rule)
}

// approximation is the nearest set of URLs to what the lookup makes of one
// entry by itself.
func approximation(parts blackberryParts, subdomains bool) pattern.Pattern {
	p := pattern.Pattern{Scheme: pattern.Exactly(parts.scheme).Fold(), Host: pattern.Any(), Path: pattern.Any()}
	switch {
	case parts.host != "" && subdomains:
		p.Host = pattern.Below(parts.host).Fold()
	case parts.host != "":
		p.Host = pattern.Exactly(parts.host).Fold()
	}
	if port := blackberryPort(parts.port); port > 0 {
		p.Port = pattern.Port(port)
	}
	switch {
	case parts.query != "":
		p.Path = pattern.Exactly(parts.path).Fold()
	case parts.path != "" && parts.path != "/":
		p.Path = pattern.Within(parts.path).Fold()
	}
	return p
}

// addOwn adds what the platform lets pass by itself.
func (r *blackberryReader) addOwn() {
	own := func(text, scheme string) int {
		r.rules = append(r.rules, policy.Rule{Text: text, Patterns: []pattern.Pattern{
			{Scheme: pattern.Exactly(scheme), Host: pattern.Any(), Path: pattern.Any()},
		}})
		return len(r.rules) - 1
	}
	r.index.local = own("local://", "local")
	r.index.data = own("data:", "data")
}

// preference returns the value, in lower case, of the preference of that name
// as the packager reads them: into a map by exact name, which is then put into
// lower case as a whole; of names that then fall together the one counts that
// first occurred last.
func (r *blackberryReader) preference(name string) string {
	var order []string
	values := map[string]string{}
	for _, e := range r.elements("preference") {
		key, value := e.Value("name"), e.Value("value")
		if key == "" || value == "" {
			continue
		}
		if _, seen := values[key]; !seen {
			order = append(order, key)
		}
		values[key] = value
	}
	found := ""
	for _, key := range order {
		if lowerFull(key) == name {
			found = lowerFull(values[key])
		}
	}
	return found
}

// insecure reports whether the list is switched off: by a preference, before
// 3.1 by a parameter of the feature blackberry.app.
func (r *blackberryReader) insecure() bool {
	if r.version.AtLeast(3, 1, 0) {
		return r.preference("websecurity") == "disable"
	}
	off := false
	for _, feature := range r.elements("feature") {
		if feature.Value("id") != "blackberry.app" {
			continue
		}
		value := ""
		for _, param := range feature.Children {
			if param.Name == "param" && param.Prefix == "" && param.Value("name") == "websecurity" &&
				param.Value("value") != "" {
				value = param.Value("value")
			}
		}
		off = off || lowerFull(value) == "disable"
	}
	return off
}

// programs is networkResourceRequested. What it is asked for media, websockets
// and plugins could not be established.
func (r *blackberryReader) programs() map[policy.Kind]policy.Program {
	index := &r.index
	listed := policy.Step{
		When: []policy.Test{policy.FoundBy(func(u pattern.URL) int { return index.find(u.Whole, u.AnyPath) })},
		Then: policy.Allow, Reason: policy.Listed,
	}
	requests := []policy.Step{listed}
	others := requests
	if r.global >= 0 {
		others = []policy.Step{{When: []policy.Test{policy.InList(0)}, Then: policy.Allow, Reason: policy.Unlimited}}
	}
	navigation := append(others[:len(others):len(others)], otherwise(policy.Launch, policy.HandedOver))
	unknown := []policy.Step{otherwise(policy.Block, policy.Unverified)}
	switch {
	case r.broken >= 0:
		broken := r.broken
		requests = []policy.Step{{
			When: []policy.Test{policy.FoundBy(func(pattern.URL) int { return broken })},
			Then: policy.Block, Reason: policy.NoList,
		}}
		others, navigation, unknown = requests, requests, requests
	case r.insecure():
		requests = []policy.Step{otherwise(policy.Allow, policy.Unlimited)}
		others, navigation = requests, requests
		unknown = requests
	}
	programs := map[policy.Kind]policy.Program{}
	for _, kind := range policy.Kinds() {
		programs[kind] = policy.Program{Steps: others}
	}
	programs[policy.Navigation] = policy.Program{Steps: navigation}
	programs[policy.XHR] = policy.Program{Steps: requests}
	programs[policy.EventSource] = policy.Program{Steps: requests}
	programs[policy.Media] = policy.Program{Steps: unknown}
	programs[policy.WebSocket] = policy.Program{Steps: unknown}
	programs[policy.Plugin] = policy.Program{Steps: unknown}
	return programs
}
