package dialect

import (
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// compileWindows reads a document as Cordova for Windows reads it when it
// prepares the package (prepare and AppxManifest of windows 3.8.2, 4.0.0, 4.4.3
// and 7.0.1): origins become ApplicationContentUriRules of the manifest.
//
// Those rules say which pages get at the device. They are no network list, and
// Cordova asks nothing at run time. What Windows does with a page outside them,
// and what a wildcard in them means, could not be established: such a
// navigation is blocked as Unverified.
func compileWindows(doc *configxml.Document, t policy.Target) (policy.Spec, error) {
	w := windowsRules{doc: doc}
	if t.Version.AtLeast(4, 0, 0) {
		w.navigations()
	} else {
		w.origins()
	}
	spec := policy.Spec{Rules: w.rules, Lists: []policy.List{w.list}, Split: wpVersion{}.splitter()}
	strict := []policy.Step{
		{When: []policy.Test{schemeIs("ms-appx", "ms-appx-web")}, Then: policy.Allow, Reason: policy.BuiltIn},
		{When: []policy.Test{policy.InList(0)}, Then: policy.Allow, Reason: policy.Listed},
	}
	spec.Programs = make(map[policy.Kind]policy.Program)
	for _, kind := range policy.Kinds() {
		spec.Programs[kind] = policy.Program{Steps: neverAsked(), Strict: strict}
	}
	spec.Programs[policy.Navigation] = policy.Program{
		Steps: []policy.Step{
			{When: []policy.Test{schemeIs("ms-appx", "ms-appx-web")}, Then: policy.Allow, Reason: policy.BuiltIn},
			{Then: policy.Block, Reason: policy.Unverified},
		},
		Strict: strict,
	}
	return spec, nil
}

type windowsRules struct {
	doc   *configxml.Document
	rules []policy.Rule
	list  policy.List
}

// origins reads the access elements, as for Windows 8 and 8.1.
func (w *windowsRules) origins() {
	open := false
	for _, e := range w.doc.For("windows") {
		if e.Name == "access" && e.Value("origin") == "*" {
			open = true
		}
	}
	w.each("access", "origin", policy.ForRequest, func(rule *policy.Rule) {
		switch {
		case open:
			rule.Flaw, rule.Note = policy.Ignored,
				`with an entry "*" in the file the package gets no content rules at all`
		case !strings.HasPrefix(rule.Text, "https://"):
			rule.Flaw, rule.Note = policy.Dropped, "Windows 8 takes origins only that begin with https://"
		default:
			w.enter(rule)
		}
	})
}

// navigations reads the allow-navigation elements, as for Windows 10.
func (w *windowsRules) navigations() {
	w.each("allow-navigation", "href", policy.ForNavigation, func(rule *policy.Rule) {
		scheme, _, named := strings.Cut(rule.Text, "://")
		if !named || scheme != "http" && scheme != "https" && scheme != "ms-appx-web" {
			rule.Flaw, rule.Note = policy.Dropped,
				"Windows 10 takes hrefs only that begin with http://, https:// or ms-appx-web://"
			return
		}
		w.enter(rule)
	})
	w.each("access", "origin", policy.ForRequest, func(rule *policy.Rule) {
		rule.Flaw, rule.Note = policy.Ignored, "on Windows 10 access is not used"
	})
}

func (w *windowsRules) each(element, attribute string, purpose policy.Purpose, read func(*policy.Rule)) {
	for _, e := range w.doc.For("windows") {
		if e.Name != element {
			continue
		}
		rule := policy.Rule{Element: element, Text: e.Value(attribute), Purpose: purpose,
			Place: e.Place()}
		if _, ok := e.Attr(attribute); ok {
			read(&rule)
		} else {
			rule.Flaw, rule.Note = policy.Dropped, "the element has no "+attribute
		}
		w.rules = append(w.rules, rule)
	}
}

// enter makes a pattern of a rule that names one host.
func (w *windowsRules) enter(rule *policy.Rule) {
	u, ok := parseSystemURI(rule.Text)
	if !ok || u.relative || u.query != "" || u.path != "/" && u.path != "/*" || strings.Contains(u.host, "*") ||
		wpHasPort(rule.Text) {
		rule.Flaw, rule.Note = policy.Unreadable,
			"what Windows makes of a rule that is more than a scheme and a host could not be established"
		return
	}
	rule.Patterns = []pattern.Pattern{
		{Scheme: pattern.Exactly(u.scheme), Host: pattern.Exactly(u.host), Path: pattern.Any()},
	}
	w.list = append(w.list, policy.Entry{Pattern: &rule.Patterns[0], Rule: len(w.rules)})
}
