package lint

import (
	"fmt"
	"slices"
)

// Rule sets keep an upgrade from breaking builds: what a newer set finds is shown
// as new, and fails nothing until the set is chosen. A major release chooses the
// newest set that there is.
const (
	// CurrentSet is the rule set of this major release.
	CurrentSet = 1
	// LatestSet is the newest rule set, which the next major release will choose.
	LatestSet = 2
)

// RuleSetError reports a rule set that does not exist.
type RuleSetError struct{ Set int }

// Error names the sets that there are.
func (e *RuleSetError) Error() string {
	return fmt.Sprintf("no rule set %d; it must be from 1 to %d", e.Set, LatestSet)
}

// CheckSet returns a *RuleSetError for a rule set that does not exist.
func CheckSet(set int) error {
	if set < 1 || set > LatestSet {
		return &RuleSetError{set}
	}
	return nil
}

// IsNew reports whether a finding is of a newer rule set than the report's, so
// that it fails nothing.
func (r *Report) IsNew(f *Finding) bool { return f.Set > r.RuleSet }

// since says that a rule of an older set finds this only from a newer set on.
func since(set int) option { return func(f *Finding) { f.Set = max(f.Set, set) } }

// firstSet are the rules of set 1. The list is closed: a newer rule names its set
// itself (Rule.Since).
var firstSet = []string{
	"access-catch-all", "access-no-effect", "app-bound-domains-invalid", "app-host-real",
	"ats-arbitrary-loads", "ats-config-file-wiped", "ats-disabled",
	"ats-exception-cleartext", "ats-key-never-matches", "ats-key-unread", "ats-partly-off", "blank-in-entry",
	"bridge-open", "bridge-remote-origin", "built-config-differs", "built-config-wider", "capacitor-access-any",
	"capacitor-access-default", "capacitor-app-bound", "capacitor-cleartext", "capacitor-cookies",
	"capacitor-http-bypasses-csp", "capacitor-interceptor", "capacitor-logging",
	"capacitor-mask-useless", "capacitor-mixed-content", "capacitor-navigation-any", "capacitor-server-url",
	"certificate-elsewhere",
	"cleartext-app-scheme", "cleartext-origin", "config-switched", "content-lists-host", "csp-after-content",
	"csp-cleartext-source", "csp-data-script", "csp-ignored-directive", "csp-media-any", "csp-missing",
	"csp-missing-on-page", "csp-no-base-uri", "csp-nonce", "csp-not-on-start-page", "csp-outside-head",
	"csp-repeated-directive", "csp-report-only", "csp-stronger-than-list", "csp-unknown-directive",
	"csp-unquoted-keyword", "csp-unsafe-eval", "csp-unsafe-inline", "csp-unsafe-inline-style",
	"csp-weaker-than-list", "csp-wildcard", "development-host", "duplicate-rule", "entry-cut", "entry-dropped",
	"entry-not-strict", "entry-rewritten", "entry-unverified", "entry-without-effect", "expression-unanchored",
	"facts-unknown", "file-not-read", "idn-not-converted", "insecure-file-mode", "inspectable-webview",
	"intent-any-website", "intent-catch-all", "intent-dangerous-scheme", "ip-literal", "kinds-bypass-list",
	"launch-external-cleartext", "launch-external-grants", "manifest-attribute-misplaced",
	"manifest-cleartext", "manifest-debuggable", "misplaced-entry", "missing-attribute", "mixed-content",
	"mixed-script-host", "native-request-needs-cors", "navigation-catch-all", "navigation-swallows-intent",
	"nsc-cleartext-base", "nsc-cleartext-domain", "nsc-domain-useless", "nsc-invalid", "nsc-not-read",
	"nsc-pin-backup", "nsc-pins-expire-soon", "nsc-pins-expired", "nsc-user-authorities", "package-differs",
	"pages-not-found", "pin-expired", "pin-expires-soon", "pin-host-not-listed", "pin-invalid",
	"pin-no-backup", "pin-not-served", "pins-of-http-plugin",
	"platform-enforces-nothing", "plugin-accepts-any-certificate", "port-read-as-scheme", "prepare-fails",
	"public-suffix-wildcard", "punycode-lookalike", "remote-navigation-with-plugins", "remote-start-page",
	"retired-plugin", "scheme-missing", "secret-in-config", "shadowed-rule", "shared-hosting-wildcard",
	"source-basic-auth", "source-cleartext-script", "source-cleartext-url", "source-embedded-key",
	"source-host-not-listed", "source-remote-script", "source-tls-check-off", "source-token-in-query",
	"source-token-in-storage", "source-userinfo", "subdomains-ignored", "suppression-invalid",
	"suppression-unused", "target-sdk-cleartext", "unknown-list-element", "unknown-platform-scope",
	"unreachable-rule", "uri-attribute", "userinfo-in-entry", "weak-tls", "websecurity-disabled",
	"whitelist-plugin-missing", "whitelist-plugin-obsolete", "wildcard-top-level",
}

// inSets completes the table of rules by the set of the oldest ones.
func inSets(list []Rule) []Rule {
	for i := range list {
		if list[i].Since == 0 && slices.Contains(firstSet, list[i].ID) {
			list[i].Since = 1
		}
	}
	return list
}
