package dialect

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// The lists of the Android dialects. Up to 3.7 the first two are the internal
// and the external list and the third stays empty.
const (
	androidNavigations = iota
	androidIntents
	androidRequests
	androidLists

	androidInternal = androidNavigations
	androidExternal = androidIntents
)

// androidReader reads one config.xml as one version of cordova-android (or of
// its port to Fire OS) does.
type androidReader struct {
	doc      *configxml.Document
	platform string
	top      []*configxml.Element // what prepare gives to the platform
	version  policy.Version       // of cordova-android
	uri      androidURI
	grammar  *androidGrammar
	// unchecked says that the device's system is so old that the web view
	// asks about hyperlinks only.
	unchecked bool
	os        policy.Version // of the device's system, zero for a current one

	rules     []policy.Rule
	lists     [androidLists]policy.List
	unlimited [androidLists]bool
	// startPages says that there was a content element.
	startPages bool
	// undecided are the URLs of which entries cannot say whether they cover them.
	undecided []pattern.Pattern
}

// compileAndroid reads a document as cordova-android 2.0 and later do. Sources
// are the classes of apache/cordova-android at its release tags, and those of
// apache/cordova-plugin-whitelist.
func compileAndroid(doc *configxml.Document, t policy.Target) (policy.Spec, error) {
	r := &androidReader{doc: doc, platform: "android", version: t.Version, uri: androidURIOf(t), os: t.OS}
	r.unchecked = olderThan(t.OS, androidCheckingSystem(t.Version))
	return r.compile(), nil
}

// androidURIOf chooses the reading of android.net.Uri. The corrections of 2018
// are in Android 9 and came to 6.0 - 8.1 as security updates, which the version
// does not show: those count as uncorrected. Without a system's version it is
// the one that the devices of the platform's time had.
func androidURIOf(t policy.Target) androidURI {
	corrected := t.Version.AtLeast(9, 0, 0)
	if !t.OS.IsZero() {
		corrected = t.OS.AtLeast(9, 0, 0)
	}
	if corrected {
		return androidURI29
	}
	return androidURI19
}

// androidCheckingSystem returns the system from which on requests are checked:
// the version of the platform that installs the checking client decides.
func androidCheckingSystem(platform policy.Version) policy.Version {
	if platform.AtLeast(3, 6, 0) && !platform.AtLeast(4, 0, 0) {
		return v(4, 0, 0) // CordovaWebView 3.6.4: API 14
	}
	return v(3, 0, 0) // CordovaActivity 2.9.1, WebViewClient of the system: API 11
}

func olderThan(system, than policy.Version) bool {
	return !system.IsZero() && system.Compare(than) < 0
}

func (r *androidReader) compile() policy.Spec {
	r.top = r.doc.For(r.platform)
	r.rules = make([]policy.Rule, 0, len(r.top)) // most of a long file are rules
	var programs map[policy.Kind]policy.Program
	switch {
	case !r.version.AtLeast(3, 1, 0):
		programs = r.compileExpressions()
	case !r.version.AtLeast(4, 0, 0):
		programs = r.compileInternal()
	default:
		programs = r.compilePurposes()
	}
	spec := policy.Spec{Rules: r.rules, Lists: r.lists[:], Split: r.uri.split, Programs: programs}
	r.bridge(&spec)
	return spec
}

// elements calls visit for every element of a name that matters, at any depth
// and whatever its prefix, as the platform's pull parser comes upon them.
func (r *androidReader) elements(visit func(*configxml.Element)) {
	for _, top := range r.top {
		top.Walk(func(e *configxml.Element) bool {
			visit(e)
			return true
		})
	}
}

// rule returns the rule of an element, whose text is the value of attribute
// name; has tells whether the attribute is there.
func (r *androidReader) rule(e *configxml.Element, name string, purpose policy.Purpose) (rule policy.Rule, has bool) {
	attr, has := e.Attr(name)
	rule = policy.Rule{Element: e.Name, Text: attr.Value, Purpose: purpose, Place: e.Place()}
	if !has {
		rule.Flaw, rule.Note = policy.Ignored, "it has no attribute "+name
	}
	return rule, has
}

// ignore keeps a rule that the platform does not look at.
func (r *androidReader) ignore(rule policy.Rule, note string) {
	rule.Flaw, rule.Note = policy.Ignored, note
	r.rules = append(r.rules, rule)
}

// implicit adds an entry that the platform adds itself; one that its own
// grammar drops is not there.
func (r *androidReader) implicit(list int, purpose policy.Purpose, text string) {
	if r.unlimited[list] {
		return
	}
	if o, dropped := r.grammar.read(text); dropped == "" {
		r.enter(list, policy.Rule{Text: text, Purpose: purpose, Patterns: o.patterns})
	}
}

// add puts a rule of the file on a list as Whitelist.addWhiteListEntry does.
func (r *androidReader) add(list int, rule policy.Rule, e *configxml.Element) {
	if r.unlimited[list] {
		r.ignore(rule, "an entry * further up already lets everything pass")
		return
	}
	if rule.Text == "*" {
		r.lists[list] = nil
		r.unlimited[list] = true
		rule.Patterns = []pattern.Pattern{everything()}
		r.enter(list, rule)
		return
	}
	o, dropped := r.grammar.read(rule.Text)
	if dropped != "" {
		rule.Flaw, rule.Note = policy.Dropped, dropped
		r.rules = append(r.rules, rule)
		return
	}
	rule.Patterns = o.patterns
	r.explain(&rule, o, e)
	r.enter(list, rule)
}

// addWeb puts a rule with the text "*" on a list that takes it for all of http
// and https and, with more, for other URLs as well.
func (r *androidReader) addWeb(list int, rule policy.Rule, e *configxml.Element, more ...string) {
	if r.unlimited[list] {
		r.add(list, rule, e)
		return
	}
	for _, text := range append([]string{"http://*/*", "https://*/*"}, more...) {
		if o, dropped := r.grammar.read(text); dropped == "" {
			rule.Patterns = append(rule.Patterns, o.patterns...)
		}
	}
	r.enter(list, rule)
}

func (r *androidReader) enter(list int, rule policy.Rule) {
	if l := r.lists[list]; len(l)+len(rule.Patterns) > cap(l) {
		r.lists[list] = slices.Grow(l, len(l)+len(rule.Patterns)) // append would copy long lists five times
	}
	for i := range rule.Patterns {
		r.lists[list] = append(r.lists[list], policy.Entry{Pattern: &rule.Patterns[i], Rule: len(r.rules)})
	}
	r.rules = append(r.rules, rule)
}

// explain notes where an origin means something else than it seems to.
func (r *androidReader) explain(rule *policy.Rule, o androidOrigin, e *configxml.Element) {
	note := func(flaw policy.Flaw, text string) {
		if rule.Flaw == policy.NoFlaw {
			rule.Flaw, rule.Note = flaw, text
		}
	}
	switch {
	case strings.ContainsAny(o.host, "@?# \\"):
		note(policy.NeverMatches, "the host "+o.host+" is compared literally, and no address of a page has such a host")
	case strings.ContainsAny(o.path, "?#"):
		note(policy.NeverMatches, "only the path is compared, and no path has a ? or #")
	case o.scheme != "" && isNumber(o.host) && !strings.HasPrefix(rule.Text, o.scheme+"://"):
		note(policy.Rewritten, o.scheme+" is read as the scheme and "+o.host+" as the host")
	case e.Name == "access" && !strings.Contains(rule.Text, "*") && strings.EqualFold(e.Value("subdomains"), "true"):
		note(policy.Rewritten, "the attribute subdomains is read and ignored: the entry covers its host alone")
	}
}

func isNumber(s string) bool {
	for i := 0; i < len(s); i++ {
		if !asciiDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// listed is the step for URLs on a list.
func (r *androidReader) listed(list int, verdict policy.Verdict, more ...policy.Test) policy.Step {
	step := policy.Step{When: append(more, policy.InList(list)), Then: verdict, Reason: policy.Listed}
	switch {
	case verdict == policy.Launch:
		step.Reason = policy.ListedExternal
	case verdict == policy.Block:
		step.Reason = policy.BuiltIn
	case r.unlimited[list]:
		step.Reason = policy.Unlimited
	}
	return step
}

// otherwise is a step that decides by itself.
func otherwise(verdict policy.Verdict, reason policy.Reason) policy.Step {
	return policy.Step{Then: verdict, Reason: reason}
}

// builtIn is the step for URLs that the platform decides by itself.
func builtIn(verdict policy.Verdict, tests ...policy.Test) policy.Step {
	return policy.Step{When: tests, Then: verdict, Reason: policy.BuiltIn}
}

// androidResources are the kinds that the web view asks about, if it does: what
// shouldInterceptRequest is called for.
var androidResources = []policy.Kind{
	policy.Frame, policy.Script, policy.Style, policy.Image, policy.Font,
	policy.XHR, policy.EventSource, policy.Other,
}

// androidPrograms makes the programs of all kinds: media and websockets are
// never asked, the web view's other requests are if resources is not nil.
func androidPrograms(navigation, resources, strict []policy.Step, plugin []policy.Step) map[policy.Kind]policy.Program {
	never := policy.Program{Steps: []policy.Step{otherwise(policy.Bypass, policy.NeverAsked)}, Strict: strict}
	asked := never
	if resources != nil {
		asked = policy.Program{Steps: resources}
	}
	programs := map[policy.Kind]policy.Program{
		policy.Navigation: {Steps: navigation},
		policy.Media:      never,
		policy.WebSocket:  never,
		policy.Plugin:     {Steps: plugin},
	}
	for _, kind := range androidResources {
		programs[kind] = asked
	}
	return programs
}
