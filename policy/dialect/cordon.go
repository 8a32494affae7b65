package dialect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// compileCordon is the strict reading: the one meaning that the gateway, the
// client and the exports share. A line that does not fit grants nothing and
// says so.
//
// The root's own elements count; what stands inside <platform> belongs to a
// platform, and the strict reading is none.
func compileCordon(doc *configxml.Document, _ policy.Target) (policy.Spec, error) {
	c := readDocument(doc, false)
	return policy.Spec{
		Rules:    c.rules,
		Lists:    c.lists(),
		Split:    splitStrict,
		Programs: strictPrograms(c.anyHost),
	}, nil
}

// readDocument reads the file; parts says that the lines are wanted in parts
// too (Origins).
func readDocument(doc *configxml.Document, parts bool) *strictCompiler {
	own := doc.For("")
	c := &strictCompiler{doc: doc, parts: parts, sharesRequests: true}
	c.scopedNavigation = count(own, "allow-navigation") > 0
	c.rules = make([]policy.Rule, 0, len(own))
	c.entries[listRequest] = make(policy.List, 0, count(own, "access"))
	for _, e := range own {
		c.add(e)
	}
	for _, e := range doc.Root().Children {
		if e.Name == "platform" {
			c.addScoped(e)
		}
	}
	return c
}

func count(all []*configxml.Element, name string) (n int) {
	for _, e := range all {
		if e.Name == name {
			n++
		}
	}
	return n
}

func elements(all []*configxml.Element, name string) []*configxml.Element {
	var some []*configxml.Element
	for _, e := range all {
		if e.Name == name {
			some = append(some, e)
		}
	}
	return some
}

// The lists of the strict reading. Entries for named hosts and entries for
// every host are apart: an address counts only if it is listed itself, so a
// host "*" covers names alone.
const (
	listRequest = iota
	listRequestAny
	listNavigation
	listNavigationAny
	listPages // the hosts of navigation, for frames, scripts and styles
	listPagesAny
	listLaunch
	listLaunchAny
	strictLists
)

type strictCompiler struct {
	doc              *configxml.Document
	rules            []policy.Rule
	entries          [strictLists]policy.List
	origins          []Origin
	parts            bool // origins are wanted
	scopedNavigation bool // the file has allow-navigation: access opens no pages
	sharesRequests   bool // navigation has no entries besides those of requests, which stand there once
	anyHost          [strictLists]bool
}

func (c *strictCompiler) lists() []policy.List {
	if c.sharesRequests && !c.scopedNavigation {
		c.entries[listNavigation], c.entries[listNavigationAny] = c.entries[listRequest], c.entries[listRequestAny]
	}
	return slices.Clone(c.entries[:]) // else the policy would hold on to the document
}

// ownNavigation gives navigation entries of its own.
func (c *strictCompiler) ownNavigation() {
	if c.sharesRequests && !c.scopedNavigation {
		c.entries[listNavigation] = slices.Clone(c.entries[listRequest])
		c.entries[listNavigationAny] = slices.Clone(c.entries[listRequestAny])
	}
	c.sharesRequests = false
}

// add reads one element of the root.
func (c *strictCompiler) add(e *configxml.Element) {
	switch e.Name {
	case "access":
		c.addAccess(e)
	case "allow-navigation":
		c.addRule(e, "href", policy.ForNavigation)
	case "allow-intent":
		c.addRule(e, "href", policy.ForLaunch)
	case "content":
		c.addContent(e)
	}
}

// addScoped notes that the lines of a <platform> element count for that
// platform only.
func (c *strictCompiler) addScoped(scope *configxml.Element) {
	for _, e := range scope.Children {
		purpose, attribute := policy.ForRequest, "origin"
		switch e.Name {
		case "access":
		case "allow-navigation":
			purpose, attribute = policy.ForNavigation, "href"
		case "allow-intent":
			purpose, attribute = policy.ForLaunch, "href"
		default:
			continue
		}
		rule := c.rule(e, attribute, purpose)
		rule.Flaw = policy.Ignored
		rule.Note = fmt.Sprintf("it stands inside <platform name=%q>, and the strict reading is of no platform",
			scope.Value("name"))
		c.rules = append(c.rules, rule)
	}
}

func (c *strictCompiler) addAccess(e *configxml.Element) {
	attribute := "origin"
	if _, ok := e.Attr(attribute); !ok {
		attribute = "uri"
	}
	purpose := policy.ForRequest
	if external, ok := e.Attr("launch-external"); ok {
		purpose = policy.ForLaunch
		if external.Value != "yes" && external.Value != "true" {
			rule := c.rule(e, attribute, purpose)
			rule.Flaw = policy.Dropped
			rule.Note = fmt.Sprintf("launch-external=%q says neither inside nor outside: remove the attribute or "+
				"write \"yes\"", external.Value)
			c.rules = append(c.rules, rule)
			return
		}
	}
	c.addRule(e, attribute, purpose)
}

// addContent reads a start page; only a remote one is a rule.
func (c *strictCompiler) addContent(e *configxml.Element) {
	src := e.Value("src")
	scheme, rest, ok := cutScheme(src)
	if name, _ := knownScheme(scheme); !ok || name == "" || !strings.HasPrefix(rest, "//") {
		return
	}
	c.addRule(e, "src", policy.ForNavigation)
}

func (c *strictCompiler) rule(e *configxml.Element, attribute string, purpose policy.Purpose) policy.Rule {
	return policy.Rule{
		Element: e.Name,
		Text:    e.Value(attribute),
		Purpose: purpose,
		Place:   e.Place(),
	}
}

func (c *strictCompiler) addRule(e *configxml.Element, attribute string, purpose policy.Purpose) {
	rule := c.rule(e, attribute, purpose)
	if _, ok := e.Attr(attribute); !ok {
		rule.Flaw, rule.Note = policy.Ignored, fmt.Sprintf("<%s> has no %s", e.Name, attribute)
		c.rules = append(c.rules, rule)
		return
	}
	text := rule.Text
	if e.Name == "content" {
		text = untilQuery(text)
	}
	read, err := readStrict(text, e.Name == "access" && e.Value("subdomains") == "true", purpose == policy.ForLaunch)
	if err != nil {
		rule.Flaw, rule.Note = policy.Dropped, err.Error()
		c.rules = append(c.rules, rule)
		return
	}
	rule.Patterns = read.patterns
	c.rules = append(c.rules, rule)
	if c.parts {
		read.parts.Rule = rule
		read.parts.Navigation = purpose == policy.ForNavigation || purpose == policy.ForRequest && !c.scopedNavigation
		c.origins = append(c.origins, read.parts)
	}
	if purpose == policy.ForNavigation {
		c.ownNavigation()
	}
	for _, list := range c.listsFor(e.Name, purpose) {
		c.enter(list, read)
	}
}

func untilQuery(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		return s[:i]
	}
	return s
}

// listsFor returns the lists (the ones for named hosts) that an element's rule
// counts in.
func (c *strictCompiler) listsFor(element string, purpose policy.Purpose) []int {
	switch {
	case purpose == policy.ForLaunch:
		return []int{listLaunch}
	case purpose == policy.ForNavigation:
		return []int{listNavigation, listPages}
	case c.scopedNavigation:
		return []int{listRequest}
	}
	return []int{listRequest, listNavigation}
}

// enter adds the last rule's patterns to a list, or to the list for every host
// that stands beside it.
func (c *strictCompiler) enter(list int, read strictPattern) {
	if read.anyHost {
		list++
		c.anyHost[list] = true
	}
	if c.sharesRequests && (list == listNavigation || list == listNavigationAny) {
		return // it is among those of requests
	}
	for i := range read.patterns {
		p := &read.patterns[i]
		if list == listPages || list == listPagesAny {
			p = new(*p)
			p.Path = pattern.Any()
		}
		c.entries[list] = append(c.entries[list], policy.Entry{Pattern: p, Rule: len(c.rules) - 1})
	}
}

// address matches hosts that are addresses: splitStrict lets no other host
// pass whose last label is a number.
var address = pattern.Pattern{
	Scheme: pattern.Any(),
	Host:   pattern.Address(),
	Path:   pattern.Any(),
}

func mustExpression(expr string) pattern.Language {
	l, err := pattern.Expression(expr)
	if err != nil {
		panic("dialect: " + err.Error())
	}
	return l
}

// strictPrograms is the order of decision: what opens inside comes before what
// is launched, so a URL on both lists opens inside.
func strictPrograms(anyHost [strictLists]bool) map[policy.Kind]policy.Program {
	listed := func(steps []policy.Step, verdict policy.Verdict, reason policy.Reason, lists ...int) []policy.Step {
		for _, list := range lists {
			steps = append(steps, policy.Step{When: []policy.Test{policy.InList(list)}, Then: verdict, Reason: reason})
			if anyHost[list+1] {
				steps = append(steps, policy.Step{
					When: []policy.Test{policy.InList(list + 1), policy.Among(address).Not()},
					Then: verdict, Reason: reason,
				})
			}
		}
		return steps
	}
	request := listed(nil, policy.Allow, policy.Listed, listRequest)
	page := listed(request[:len(request):len(request)], policy.Allow, policy.Listed, listPages)
	navigation := listed(nil, policy.Allow, policy.Listed, listNavigation)
	navigation = listed(navigation, policy.Launch, policy.ListedExternal, listLaunch)

	programs := make(map[policy.Kind]policy.Program)
	for _, kind := range policy.Kinds() {
		switch kind {
		case policy.Navigation:
			programs[kind] = policy.Program{Steps: navigation}
		case policy.Frame, policy.Script, policy.Style:
			programs[kind] = policy.Program{Steps: page}
		default:
			programs[kind] = policy.Program{Steps: request}
		}
	}
	return programs
}
