// Package policy holds what an app may reach: the compiled rules of one
// config.xml, read as one platform reads it, and the decision for a request.
//
// The way through the package is
//
//	document, err := configxml.Parse("config.xml", data)
//	compiled, err := dialect.Compile(document, target)
//	decision := compiled.Decide(policy.Request{URL: raw, Kind: policy.XHR})
//
// A [Decision] explains itself: the verdict, the rule that decided with its
// place in the file, and a [Reason] from a closed list. The zero Decision
// blocks.
//
// The package is pure: bytes and values in, values out. It opens nothing, logs
// nothing and reads no clock. A *Policy is immutable and safe for concurrent
// use; deciding allocates nothing for a URL without percent-escapes.
package policy

import "github.com/cordon-sec/cordon/policy/pattern"

// Verdict is what happens to a request. Its zero value is Block, so that a
// verdict nobody set fails closed.
type Verdict uint8

// The verdicts.
const (
	// Block refuses the request: nothing is opened.
	Block Verdict = iota
	// Allow loads the URL inside the app.
	Allow
	// Launch hands the URL to another application.
	Launch
	// Bypass means that the platform never consults its list for this kind of
	// request, so that the request goes through whatever the file says.
	Bypass
)

// Kind is what asks for a URL.
type Kind uint8

// The kinds of request. The zero value, AnyKind, is a request whose kind the
// asker cannot know, as on the wire: it passes if a rule for requests or for
// navigation covers it, never because of a launch rule.
const (
	AnyKind Kind = iota
	// Navigation opens a page in the app's own window.
	Navigation
	// Frame opens a page inside a page.
	Frame
	Script
	Style
	Image
	Font
	// XHR is XMLHttpRequest and fetch.
	XHR
	// Media is video and audio.
	Media
	WebSocket
	EventSource
	// Plugin is the question that the platform offers to native plugins, which
	// open connections of their own: on Android Config.isUrlWhiteListed up to
	// 3.7, for any scheme, and the request rule of
	// PluginManager.shouldAllowRequest from 4.0 on, which in 10.0.0 to 10.1.0 ends
	// in a null error, and so in Block, unless the URL is a listed navigation. On
	// BlackBerry 10 no such question could be established (Unverified). A plugin
	// that does not ask is not bound by any list. Which plugin asks is not told
	// apart.
	Plugin
	// Other is whatever else a web view requests.
	Other
	// Bridge is no request: may a page of this URL that stands in the app's main
	// frame call native code? Whether it may be opened there is Navigation's
	// question; a redirect, a form or a plugin may open it all the same.
	Bridge
	// BridgeFrame asks the same of a page that stands in a frame of another page.
	BridgeFrame
	kindCount
)

// Purpose is what a rule grants.
type Purpose uint8

// The purposes of rules.
const (
	// ForRequest rules let content be requested (access).
	ForRequest Purpose = iota
	// ForNavigation rules let a page be opened inside the app
	// (allow-navigation, content).
	ForNavigation
	// ForLaunch rules hand a URL to another app (allow-intent, external
	// access entries).
	ForLaunch
)

// Place is where in a file something stands. Lines and columns count from 1,
// columns in bytes; Start and End are byte offsets, End exclusive. The zero
// Place stands for what no file says: a rule that the platform adds itself.
type Place struct {
	File       string
	Line       int
	Column     int
	Start, End int
}

// IsZero reports whether the place is no place in a file.
func (p Place) IsZero() bool { return p == Place{} }

// Flaw says what a platform does to a rule that it does not read as written.
type Flaw uint8

// The flaws of rules.
const (
	// NoFlaw: the platform reads the rule as written.
	NoFlaw Flaw = iota
	// Dropped: the platform drops the rule without a word.
	Dropped
	// Cut: the platform reads a prefix and ignores the rest.
	Cut
	// Ignored: the platform does not know the element or needs an attribute
	// that is missing.
	Ignored
	// NeverMatches: the rule is kept, and no URL can match it.
	NeverMatches
	// BreaksBuild: the platform's packaging or start-up fails on the rule.
	BreaksBuild
	// Unreadable: whether and how the platform reads the rule could not be
	// established; it grants nothing here.
	Unreadable
	// Rewritten: the platform reads something else than the text says, such as
	// a dialect's scheme where the author meant a host.
	Rewritten
	flawCount
)

// Rule is one entry of the list: a pattern with its purpose and its place.
type Rule struct {
	// Element is the name of the XML element, such as "access"; for a rule
	// that the platform adds itself it is "" and Text names the rule.
	Element string
	// Text is the origin or href as written.
	Text    string
	Place   Place
	Purpose Purpose
	Flaw    Flaw
	// Note explains the flaw in one sentence, or is "".
	Note string
	// Patterns are the URL sets that the dialect reads out of Text; none if
	// the rule is dropped. They are what algebra and exports work on; where a
	// platform looks its list up by an algorithm of its own (BlackBerry 10),
	// they are the nearest sets.
	Patterns []pattern.Pattern
}

// Implicit reports whether the platform added the rule itself.
func (r *Rule) Implicit() bool { return r.Place.IsZero() }

// Request is one question to a policy.
type Request struct {
	// URL is the raw string, exactly as the app wrote it: nothing is trimmed
	// or normalised before the dialect takes it apart.
	URL  string
	Kind Kind
	// AnyPath says that the path is unknown, as for a tunnel: a rule with a
	// path then counts whatever its path.
	AnyPath bool
	// Strict asks what the list says even where the platform never consults
	// it; a strict decision is never Bypass.
	Strict bool
}

// Decision is the answer to a Request. The zero value blocks.
type Decision struct {
	Verdict Verdict
	Reason  Reason
	// Rule is the rule that decided, or nil where none did. It points into the
	// policy and must not be changed.
	Rule *Rule
}
