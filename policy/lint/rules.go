package lint

import (
	"slices"
	"strings"
)

// Rule is one line of the table of rules: what it finds and everything that
// people are told about it. The reference page is generated from it.
type Rule struct {
	// ID is the rule's stable name, as --rule and suppressions write it.
	ID       string
	Severity Severity
	// Since is the rule set that the rule came with, 1 or later.
	Since int
	// Standards are what the rule is about in public catalogues.
	Standards Standards
	// Topic groups rules in the reference.
	Topic Topic
	// Title says in a few words what is wrong.
	Title string
	// Explanation says why it is wrong.
	Explanation string
	// Gain says what an attacker gets from it.
	Gain string
	// Effects say what it means on each platform.
	Effects []Effect
	// Remedy says what to do.
	Remedy string

	check func(*run)
}

// Effect is what a rule's subject means on some platforms.
type Effect struct {
	Platforms string
	Text      string
}

// Topic is a group of rules.
type Topic string

// The topics, in the order of the reference.
const (
	TopicReach   Topic = "What the list lets in"
	TopicMeaning Topic = "Entries that mean something else"
	TopicBuild   Topic = "Builds and native settings"
	TopicCSP     Topic = "Content-Security-Policy"
	TopicPlugins Topic = "Plugins"
	TopicPins    Topic = "Pins"
	TopicSource  Topic = "The app's own sources"
	TopicOther   Topic = "Capacitor, other platforms and Cordon's own comments"
)

// Topics returns the topics in the order of the reference.
func Topics() []Topic {
	return []Topic{TopicReach, TopicMeaning, TopicBuild, TopicCSP, TopicPlugins, TopicPins, TopicSource, TopicOther}
}

// rules is the table of all rules, in the order of the reference.
var rules = inStandards(inSets(slices.Concat(reachRules, bridgeRules, noEffectRules, meaningRules, buildRules,
	nativeRules, transportRules, appBoundRules, privacyRules, settingRules, originRules, cspRules, cspFormRules,
	pluginRules, pinRules, sourceRules, listlessRules, capacitorRules, shipsRules, projectRules)))

// Rules returns every rule, in the order of the reference. The caller must not
// change them.
func Rules() []Rule { return rules }

// RuleByID returns the rule of that id.
func RuleByID(id string) (*Rule, bool) {
	for i := range rules {
		if rules[i].ID == id {
			return &rules[i], true
		}
	}
	return nil, false
}

// Doc returns the rule's page in the reference, relative to the repository.
func (r *Rule) Doc() string { return "docs/reference/rules.md#" + r.ID }

// everywhere is the effect of a rule that no platform escapes.
func everywhere(text string) []Effect { return []Effect{{"every platform", text}} }

// effects reads pairs of platforms and text.
func effects(pairs ...string) []Effect {
	list := make([]Effect, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, Effect{pairs[i], pairs[i+1]})
	}
	return list
}

// quote shortens what a file says for a message.
func quote(s string) string {
	if len(s) > 80 {
		cut := 77
		for cut > 0 && s[cut]&0xC0 == 0x80 {
			cut--
		}
		s = s[:cut] + "..."
	}
	return `"` + strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(s) + `"`
}
