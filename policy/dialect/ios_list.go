package dialect

import (
	"slices"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// iosList is one list of 3.1 and later while it is built.
type iosList struct {
	grammar iosGrammar
	rules   *iosRules
	entries []int
	// permitted are the schemes that some origin names, as written; anyScheme
	// says that an origin lifted the check.
	permitted map[string]bool
	anyScheme bool
	// unlimited is the rule that switched the list off, or -1.
	unlimited int
}

func newIOSList(grammar iosGrammar, rules *iosRules) *iosList {
	return &iosList{grammar: grammar, rules: rules, permitted: make(map[string]bool), unlimited: -1}
}

// enter puts count rules, from first on, into the list.
func (l *iosList) enter(first, count int) {
	l.entries = slices.Grow(l.entries, count)
	for i := first; i < first+count; i++ {
		rule := &l.rules.rules[i]
		if rule.Flaw == policy.BreaksBuild || l.unlimited >= 0 {
			continue
		}
		if rule.Text == "*" {
			l.unlimited = i
			rule.Patterns = []pattern.Pattern{everyURL()}
			continue
		}
		l.entries = append(l.entries, i)
		if o := l.grammar.split(rule.Text); o.scheme == "*" {
			l.anyScheme = true
		} else if o.hasScheme {
			l.permitted[o.scheme] = true
		}
	}
}

// knows reports whether the list is asked about URLs of a scheme. From 3.5 on
// the scheme is that of the URL in lower case, and the permitted ones still
// stand as written.
func (l *iosList) knows(scheme string) bool {
	switch scheme {
	case "http", "https", "ftp", "ftps":
		return true
	}
	return l.unlimited >= 0 || l.anyScheme || l.permitted[scheme]
}

// asked returns the schemes whose URLs the callers of the list ask it about,
// and whether those are all schemes. They compare the URL's scheme as it stands.
func (l *iosList) asked() (schemes []string, all bool) {
	schemes = append(schemes, iosWebSchemes...)
	for _, i := range l.entries {
		if o := l.grammar.split(l.rules.rules[i].Text); o.hasScheme && !contains(schemes, o.scheme) {
			schemes = append(schemes, o.scheme)
		}
	}
	return schemes, l.unlimited >= 0 || l.anyScheme
}

// compiled fills in the rules' patterns and returns the list.
func (l *iosList) compiled() policy.List {
	if l.unlimited >= 0 {
		return policy.List{{Pattern: new(everyURL()), Rule: l.unlimited}}
	}
	list := make(policy.List, 0, len(l.entries))
	for _, i := range l.entries {
		rule := &l.rules.rules[i]
		o := l.grammar.split(rule.Text)
		rule.Patterns = l.grammar.patterns(o, l.knows)
		if flaw, note := l.grammar.flaw(rule.Text, o, len(rule.Patterns) > 0); flaw != policy.NoFlaw &&
			!rule.Implicit() {
			rule.Flaw, rule.Note = flaw, note
		}
		for j := range rule.Patterns {
			if l.grammar.fold {
				rule.Patterns[j].Scheme = rule.Patterns[j].Scheme.Fold()
			}
			list = append(list, policy.Entry{Pattern: &rule.Patterns[j], Rule: i})
		}
	}
	return list
}

// reason is the reason for what the list covers.
func (l *iosList) reason(listed policy.Reason) policy.Reason {
	if l.unlimited >= 0 {
		return policy.Unlimited
	}
	return listed
}

// iosWhitelist is 3.1 to 3.9: one list, of access elements.
func iosWhitelist(doc *configxml.Document, t policy.Target) policy.Spec {
	rules := &iosRules{fatal: -1}
	grammar := iosGrammar{scheme: iosLower}
	if t.Version.AtLeast(3, 5, 0) {
		grammar = iosGrammar{scheme: iosLetters, fold: true}
	}
	first, count := rules.add(doc, "access", "origin", policy.ForRequest)
	list := newIOSList(grammar, rules)
	for _, text := range []string{"file:///*", "content:///*", "data:///*"} {
		list.enter(rules.implicit(text, policy.ForRequest), 1)
	}
	list.enter(first, count)
	spec := policy.Spec{Split: splitNSURL, Lists: []policy.List{list.compiled()}}
	schemes, all := list.asked()
	spec.Programs = iosChecked(schemes, all, list.reason(policy.Listed))
	spec.Rules = rules.rules
	if rules.fatal >= 0 {
		spec.Programs = iosStopped(rules.fatal)
	}
	return spec
}
