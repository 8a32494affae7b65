package dialect

import (
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// The lists of 4.0 and later.
const (
	iosNavigations = iota
	iosIntents
	iosRequests
)

// iosFilter is 4.0 and later: CDVIntentAndNavigationFilter decides navigations
// by two lists; nothing else is checked. The access elements make App
// Transport Security settings when the app is built; a strict request asks
// them as a third list.
func iosFilter(doc *configxml.Document, t policy.Target) policy.Spec {
	rules := &iosRules{fatal: -1}
	grammar := iosGrammar{scheme: iosLetters, fold: true, shortSeparator: true}
	if t.Version.AtLeast(8, 0, 0) {
		grammar.scheme = iosFull
	}
	navigations, intents := newIOSList(grammar, rules), newIOSList(grammar, rules)
	requests := newIOSList(grammar, rules)
	firstPage, pages := rules.add(doc, "allow-navigation", "href", policy.ForNavigation)
	firstIntent, calls := rules.add(doc, "allow-intent", "href", policy.ForLaunch)
	fatal := rules.fatal
	firstAccess, accesses := rules.add(doc, "access", "origin", policy.ForRequest)
	rules.fatal = fatal // these elements are not read when the app starts
	for _, text := range iosAppPages(doc, t) {
		navigations.enter(rules.implicit(text, policy.ForNavigation), 1)
	}
	navigations.enter(firstPage, pages)
	intents.enter(firstIntent, calls)
	requests.enter(firstAccess, accesses)
	spec := policy.Spec{
		Split: splitNSURL,
		Lists: []policy.List{navigations.compiled(), intents.compiled(), requests.compiled()},
	}
	spec.Rules = rules.rules
	for i := firstAccess; i < firstAccess+accesses; i++ {
		spec.Rules[i].Flaw = policy.Ignored
		spec.Rules[i].Note = "iOS reads it only when the app is built, for App Transport Security; no request " +
			"is checked"
	}
	if rules.fatal >= 0 {
		spec.Programs = iosStopped(rules.fatal)
		return spec
	}
	spec.Programs = iosFilterPrograms(t, navigations, intents, requests)
	return spec
}

// iosAppPages returns the navigations that the filter adds itself.
func iosAppPages(doc *configxml.Document, t policy.Target) []string {
	pages := []string{"file://"}
	if o := iosPlatformOwn(doc, t); o.Scheme != "file" {
		pages = append(pages, o.Scheme+"://")
	}
	return pages
}

// iosWebViewOwns reports whether WKWebView handles a scheme itself, so that an
// app cannot (WKWebView handlesURLScheme).
func iosWebViewOwns(scheme string) bool {
	switch asciiLower(scheme) {
	case "http", "https", "ws", "wss", "ftp", "file", "about", "data", "blob", "javascript", "applewebdata":
		return true
	}
	return false
}

func iosFilterPrograms(t policy.Target, navigations, intents, requests *iosList) map[policy.Kind]policy.Program {
	bridge := policy.Step{When: []policy.Test{schemeIs("gap")}, Then: policy.Block, Reason: policy.BuiltIn}
	inside := policy.Step{
		When: []policy.Test{policy.InList(iosNavigations)}, Then: policy.Allow,
		Reason: navigations.reason(policy.Listed),
	}
	outside := policy.Step{
		When: []policy.Test{policy.InList(iosIntents)}, Then: policy.Launch,
		Reason: intents.reason(policy.ListedExternal),
	}
	steps := []policy.Step{bridge, inside, outside}
	if !t.Version.AtLeast(4, 2, 0) {
		steps = []policy.Step{bridge, outside, inside}
	}
	listed := policy.Step{
		When: []policy.Test{policy.InList(iosRequests)}, Then: policy.Allow, Reason: requests.reason(policy.Listed),
	}
	never := policy.Program{Steps: neverAsked(), Strict: []policy.Step{inside, listed}}
	return iosPrograms(policy.Program{Steps: steps}, never)
}
