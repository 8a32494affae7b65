package dialect

import (
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// The lists of the Capacitor dialects.
const (
	capacitorNavigations = iota
	// capacitorOrigins are those that Android's bridge listens to.
	capacitorOrigins
	// capacitorRequests is what Cordova plugins inside the app ask.
	capacitorRequests
)

// capacitorReader reads the configuration of one Capacitor app. What it knows of
// the platforms is in docs/reference/capacitor.md, with its sources.
//
// Nothing reads a config.xml that lies beside the configuration: the command line
// writes another one, out of the configuration and of the plugins' own entries,
// and Cordova plugins alone ask that.
type capacitorReader struct {
	doc    *configxml.Document
	config *capacitor.Config
	target policy.Target
	rules  []policy.Rule
	lists  [capacitorRequests + 1]policy.List
	strict []policy.Step // what the lists say of requests
}

func newCapacitorReader(doc *configxml.Document, t policy.Target) *capacitorReader {
	r := &capacitorReader{doc: doc, config: doc.Capacitor(), target: t}
	if r.config == nil {
		r.config = &capacitor.Config{} // every key has a default
	}
	return r
}

// setting adds a rule that stands for a value of the configuration.
func (r *capacitorReader) setting(key, text string, place policy.Place, patterns ...pattern.Pattern) int {
	r.rules = append(r.rules, policy.Rule{
		Element: key, Text: text, Purpose: policy.ForNavigation, Place: place, Patterns: patterns,
	})
	return len(r.rules) - 1
}

func (r *capacitorReader) enter(list, rule int, patterns ...pattern.Pattern) {
	for i := range patterns {
		r.lists[list] = append(r.lists[list], policy.Entry{Pattern: &patterns[i], Rule: rule})
	}
}

// navigations enters server.allowNavigation; read is how the platform reads a
// mask.
func (r *capacitorReader) navigations(read func(mask string) (pattern.Language, bool)) {
	for _, mask := range r.config.Server.AllowNavigation {
		// Masks are compared with hosts alone, whatever the scheme.
		p := everyURL()
		hosts, usable := read(mask.Value)
		p.Host = hosts
		n := r.setting("allowNavigation", mask.Value, mask.Place, p)
		if !usable {
			r.rules[n].Flaw = policy.NeverMatches
			r.rules[n].Note = "it is compared with hosts alone, label by label, and no host of a page is like it"
		}
		r.enter(capacitorNavigations, n, p)
	}
}

// programs joins the orders of decision: no request of the web view is ever
// asked about.
func (r *capacitorReader) programs(navigation, requests, plugin []policy.Step) policy.Spec {
	programs := map[policy.Kind]policy.Program{}
	for _, kind := range policy.Kinds() {
		programs[kind] = policy.Program{Steps: requests, Strict: r.strict}
	}
	programs[policy.Navigation] = policy.Program{Steps: navigation}
	programs[policy.Plugin] = policy.Program{Steps: plugin, Strict: r.strict}
	return policy.Spec{Rules: r.rules, Lists: r.lists[:], Programs: programs}
}

// listedInside is the step for pages that server.allowNavigation covers.
func (r *capacitorReader) listedInside() policy.Step {
	return policy.Step{When: []policy.Test{policy.InList(capacitorNavigations)}, Then: policy.Allow,
		Reason: policy.Listed}
}

// strictSteps is what the lists say of a request: the app's own files, and the
// hosts that may be opened.
func (r *capacitorReader) strictSteps(own ...policy.Test) []policy.Step {
	var steps []policy.Step
	for _, test := range own {
		steps = append(steps, builtIn(policy.Allow, test))
	}
	return append(steps, r.listedInside())
}

// compileCapacitorIOS reads a document as Capacitor for iOS does
// (CAPInstanceDescriptor, CAPInstanceConfiguration and WebViewDelegationHandler of
// 3.0.0 to 8.4.2).
func compileCapacitorIOS(doc *configxml.Document, t policy.Target) (policy.Spec, error) {
	r := newCapacitorReader(doc, t)
	r.navigations(func(mask string) (pattern.Language, bool) {
		return capacitorIOSMask(mask, !t.Version.AtLeast(3, 2, 5))
	})
	var own []policy.Test
	origin := capacitorIOSOwn(doc, t)
	local := origin.Scheme + "://" + origin.Host
	server := local
	if url := r.config.Server.URL; url.Written() {
		server = url.Value
		r.setting("server.url", url.Value, url.Place, prefixOf(server))
	}
	if t.Version.AtLeast(4, 0, 0) {
		own = append(own, policy.Among(prefixOf(server), prefixOf(local)))
	} else {
		own = append(own, policy.Among(containing(server)))
	}
	r.strict = r.strictSteps(own...)
	navigation := []policy.Step{r.listedInside()}
	for _, test := range own {
		navigation = append(navigation, builtIn(policy.Allow, test))
	}
	navigation = append(navigation, otherwise(policy.Launch, policy.HandedOver))
	spec := r.programs(navigation, neverAsked(), neverAsked())
	spec.Split = splitNSURL
	// The message handler stands in every frame of every page, and nobody looks at
	// who asks; the script that makes it comfortable is for main frames alone.
	every := everyPage(navigation)
	setBridge(&spec, every, every)
	return spec, nil
}

// isIOSScheme reports whether a text is the scheme of a URL.
func isIOSScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !asciiDigit(c) && !strings.ContainsRune(".+-", rune(c))) {
			return false
		}
	}
	return s != ""
}

// prefixOf is the URLs that begin with a text.
func prefixOf(text string) pattern.Pattern {
	p := everyURL()
	p.Whole = pattern.Prefix(text)
	return p
}
