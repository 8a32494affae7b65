package answer

import (
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// Preferences are what a config.xml says about the plugin itself, as
// <preference name="CordonFailOn" value="critical"/>.
type Preferences struct {
	// FailOn (CordonFailOn) is the lowest severity that stops the build, or
	// "never". Usually "high".
	FailOn string
	// Rules (CordonRules) is the rule set whose findings stop the build; what newer
	// ones find is only told. Usually that of this major release.
	Rules string
	// Exports (CordonExports) are the formats to write, between blanks or
	// commas: usually "csp android-nsc ios-ats"; "none" for none.
	Exports []string
	// Force (CordonForce) replaces what a person wrote in a platform's files.
	Force bool
	// Explain (CordonExplain) says when the app carries the engine that
	// explains decisions: "debug" (usually; whenever the build is not known to
	// be a release), "always" or "never".
	Explain string
}

const (
	prefFailOn  = "CordonFailOn"
	prefRules   = "CordonRules"
	prefExports = "CordonExports"
	prefForce   = "CordonForce"
	prefExplain = "CordonExplain"
)

// ReadPreferences reads the preferences as a platform sees them; "" for those
// of every platform. A nil document has the usual ones.
func ReadPreferences(doc *configxml.Document, platform string) Preferences {
	p := Preferences{FailOn: "high", Exports: []string{"csp", "android-nsc", "ios-ats"}, Explain: "debug"}
	if doc == nil {
		return p
	}
	if value, ok := doc.Preference(platform, prefFailOn); ok {
		p.FailOn = value
	}
	if value, ok := doc.Preference(platform, prefRules); ok {
		p.Rules = value
	}
	if value, ok := doc.Preference(platform, prefExports); ok {
		p.Exports = strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' || r == ';' })
		if value == "none" {
			p.Exports = nil
		}
	}
	if value, ok := doc.Preference(platform, prefForce); ok {
		p.Force = value == "true"
	}
	if value, ok := doc.Preference(platform, prefExplain); ok {
		p.Explain = value
	}
	return p
}

// explains says whether an app of this build carries the engine. A preference
// that is none of the known ones means no.
func (p Preferences) explains(build string) bool {
	return p.Explain == "always" || p.Explain == "debug" && build != "release"
}
