package dialect

import (
	"slices"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// compileIOS reads a document as Cordova iOS reads it.
//
// Sources: CDVConfigParser, CDVWhitelist, CDVViewController and CDVURLProtocol
// of ios 2.3.0 to 3.9.2; CDVIntentAndNavigationFilter, CDVWhitelist and
// CDVAllowList of ios 4.0.0 to 8.0.1.
func compileIOS(doc *configxml.Document, t policy.Target) (policy.Spec, error) {
	var spec policy.Spec
	switch at := t.Version.AtLeast; {
	case at(4, 0, 0):
		spec = iosFilter(doc, t)
	case at(3, 1, 0):
		spec = iosWhitelist(doc, t)
	case at(2, 3, 0):
		spec = iosHosts(doc, t)
	default:
		spec = iosPropertyList(doc)
	}
	iosBridge(&spec, doc, t)
	return spec, nil
}

// iosRules collects the elements of a name as rules. An element without the
// attribute stops the app when it starts: nil is put into an array.
type iosRules struct {
	rules []policy.Rule
	// fatal is the index of the first rule that stops the app, or -1.
	fatal int
}

// add appends a rule for each element of that name and returns the index of
// the first and the number of them.
func (r *iosRules) add(doc *configxml.Document, element, attribute string, purpose policy.Purpose) (first, added int) {
	first = len(r.rules)
	all := doc.For("ios")
	r.rules = slices.Grow(r.rules, count(all, element))
	for _, e := range all {
		if e.Name != element || e.Prefix != "" {
			continue
		}
		rule := policy.Rule{Element: element, Purpose: purpose, Place: e.Place()}
		if a, ok := e.Attr(attribute); ok {
			rule.Text = a.Value
		} else {
			r.stops(&rule, "the element has no "+attribute+": the app ends with an exception when it starts")
		}
		if _, external := e.Attr("launch-external"); external && rule.Flaw == policy.NoFlaw {
			rule.Flaw = policy.Rewritten
			rule.Note = "launch-external is not known on iOS: the entry grants access inside the app"
		}
		r.rules = append(r.rules, rule)
	}
	return first, len(r.rules) - first
}

// stops marks an entry at which the app ends when it starts; see iosStopped.
func (r *iosRules) stops(rule *policy.Rule, note string) {
	rule.Flaw, rule.Note = policy.BreaksBuild, note
	if r.fatal < 0 {
		r.fatal = len(r.rules)
	}
}

// implicit appends a rule that the platform adds itself.
func (r *iosRules) implicit(text string, purpose policy.Purpose) int {
	r.rules = append(r.rules, policy.Rule{Text: text, Purpose: purpose})
	return len(r.rules) - 1
}

// iosResourceKinds are the kinds that CDVURLProtocol sees.
var iosResourceKinds = []policy.Kind{
	policy.Frame, policy.Script, policy.Style, policy.Image, policy.Font,
	policy.XHR, policy.EventSource, policy.Plugin, policy.Other,
}

// iosUnseenKinds are the kinds that no version ever checks.
var iosUnseenKinds = []policy.Kind{policy.Media, policy.WebSocket}

// iosPrograms joins the order of decision for navigations and that for
// resources.
func iosPrograms(navigation, resource policy.Program) map[policy.Kind]policy.Program {
	programs := map[policy.Kind]policy.Program{policy.Navigation: navigation}
	for _, kind := range iosResourceKinds {
		programs[kind] = resource
	}
	strict := resource.Strict
	if strict == nil {
		strict = resource.Steps
	}
	for _, kind := range iosUnseenKinds {
		programs[kind] = policy.Program{Steps: neverAsked(), Strict: strict}
	}
	return programs
}

func neverAsked() []policy.Step {
	return []policy.Step{{Then: policy.Bypass, Reason: policy.NeverAsked}}
}

// iosStopped is the order of decision of an app that does not start: an element
// without its attribute, and up to 3.0 an origin with a scheme and no host
// (sms:*, localhost:3000), raises an exception at the start. An app that has
// ended opens nothing, so that everything is blocked, kinds that are never asked
// included, and the decision names the entry.
func iosStopped(rule int) map[policy.Kind]policy.Program {
	found := func(pattern.URL) int { return rule }
	steps := []policy.Step{{When: []policy.Test{policy.FoundBy(found)}, Then: policy.Block}}
	programs := make(map[policy.Kind]policy.Program)
	for _, kind := range policy.Kinds() {
		programs[kind] = policy.Program{Steps: steps}
	}
	return programs
}

// schemeIs holds for URLs of exactly one of these schemes.
func schemeIs(names ...string) policy.Test {
	patterns := make([]pattern.Pattern, len(names))
	for i, name := range names {
		patterns[i] = pattern.Pattern{Scheme: pattern.Exactly(name), Host: pattern.Any(), Path: pattern.Any()}
	}
	return policy.Among(patterns...)
}

// everyURL covers every URL, also one without any part.
func everyURL() pattern.Pattern {
	return pattern.Pattern{Scheme: pattern.Any(), Host: pattern.Any(), Path: pattern.Any()}
}

// iosChecked is the order of decision of 2.3 to 3.9. asked are the schemes whose
// URLs the list is asked about, or all are.
func iosChecked(asked []string, all bool, listed policy.Reason) map[policy.Kind]policy.Program {
	known := schemeIs(asked...)
	if all {
		known = policy.Among(everyURL())
	}
	inList := []policy.Test{policy.InList(0)}
	unknown := []policy.Test{known.Not()}
	doubtful := iosCapitals(asked)
	navigation := append(doubtful[:len(doubtful):len(doubtful)],
		// The bridge to native code: the page does not change.
		policy.Step{When: []policy.Test{schemeIs("gap")}, Then: policy.Block, Reason: policy.BuiltIn},
		policy.Step{When: []policy.Test{schemeIs("file", "data")}, Then: policy.Allow, Reason: policy.BuiltIn},
		policy.Step{When: []policy.Test{schemeIs("tel")}, Then: policy.Launch, Reason: policy.BuiltIn},
		policy.Step{When: []policy.Test{schemeIs("about")}, Then: policy.Block, Reason: policy.BuiltIn},
		policy.Step{When: unknown, Then: policy.Launch, Reason: policy.HandedOver},
		policy.Step{When: inList, Then: policy.Allow, Reason: listed},
	)
	resource := append(doubtful[:len(doubtful):len(doubtful)],
		policy.Step{When: unknown, Then: policy.Allow, Reason: policy.SchemeNotAsked},
		policy.Step{When: inList, Then: policy.Allow, Reason: listed},
	)
	return iosPrograms(policy.Program{Steps: navigation}, policy.Program{Steps: resource})
}

// iosCapitals refuses the schemes that an origin spells in capitals: whether
// NSURL keeps them in a URL, so that the list is asked, is not documented.
func iosCapitals(asked []string) []policy.Step {
	var capitals []string
	for _, scheme := range asked {
		if scheme != asciiLower(scheme) {
			capitals = append(capitals, scheme)
		}
	}
	if capitals == nil {
		return nil
	}
	return []policy.Step{{When: []policy.Test{schemeIs(capitals...)}, Then: policy.Block, Reason: policy.Unverified}}
}

// iosPropertyList is 2.0 to 2.2, whose list is in Cordova.plist: config.xml
// does not say what is in it.
func iosPropertyList(doc *configxml.Document) policy.Spec {
	rules := iosRules{fatal: -1}
	rules.add(doc, "access", "origin", policy.ForRequest)
	for i := range rules.rules {
		rule := &rules.rules[i]
		rule.Flaw = policy.Ignored
		rule.Note = "before 2.3 the list is ExternalHosts in Cordova.plist; config.xml is not read"
	}
	steps := []policy.Step{{Then: policy.Block, Reason: policy.Unverified}}
	return policy.Spec{
		Rules:    rules.rules,
		Split:    splitNSURL,
		Programs: iosPrograms(policy.Program{Steps: steps}, policy.Program{Steps: steps}),
	}
}
