package policy

// Reason says why a decision came out as it did. The list is closed; its zero
// value, NotListed, goes with a blocked request.
type Reason uint8

// The reasons.
const (
	// NotListed: no rule of the list covers the URL.
	NotListed Reason = iota
	// Listed: a rule of the file covers the URL.
	Listed
	// ListedExternal: a rule for other apps covers the URL.
	ListedExternal
	// BuiltIn: the platform decides this URL by itself, whatever the file says.
	BuiltIn
	// BuiltInRule: an entry covers the URL that the platform adds to the list.
	BuiltInRule
	// Unlimited: the list is switched off by a catch-all entry or preference.
	Unlimited
	// NeverAsked: the platform does not consult the list for this kind.
	NeverAsked
	// SchemeNotAsked: the platform consults the list for this kind, but not
	// for this scheme.
	SchemeNotAsked
	// HandedOver: the platform gives what it does not open to another app,
	// without asking a list.
	HandedOver
	// NoList: the platform, or this file on it, has no list at all.
	NoList
	// Malformed: the URL cannot be taken apart, or is ambiguous and refused.
	Malformed
	// Unverified: what the platform does could not be established; blocked.
	Unverified
	// NoPlugins: the app has no plugins, nor has its platform, so that no page can
	// call any.
	NoPlugins
	reasonCount
)

var reasonNames = [reasonCount]string{
	NotListed:      "not-listed",
	Listed:         "listed",
	ListedExternal: "listed-external",
	BuiltIn:        "built-in",
	BuiltInRule:    "built-in-rule",
	Unlimited:      "unlimited",
	NeverAsked:     "never-asked",
	SchemeNotAsked: "scheme-not-asked",
	HandedOver:     "handed-over",
	NoList:         "no-list",
	Malformed:      "malformed",
	Unverified:     "unverified",
	NoPlugins:      "no-plugins",
}

// String returns the reason as it stands in JSON output and logs.
func (r Reason) String() string { return nameOf(reasonNames[:], r, "reason") }

var reasonDocs = [reasonCount]string{
	NotListed:      "no entry of the list covers the URL",
	Listed:         "an entry of the file covers the URL",
	ListedExternal: "an entry for other apps covers the URL",
	BuiltIn:        "the platform decides this URL by itself, whatever the file says",
	BuiltInRule:    "an entry that the platform adds to the list covers the URL",
	Unlimited:      "a catch-all entry or preference switches the list off",
	NeverAsked:     "the platform does not consult the list for this kind of request",
	SchemeNotAsked: "the platform does not consult the list for this scheme",
	HandedOver:     "the platform hands what it does not open to another app, without asking a list",
	NoList:         "this platform has no list, or cannot make one from this file",
	Malformed:      "the URL cannot be taken apart, or is ambiguous and therefore refused",
	Unverified:     "what the platform does here could not be established; treated as refused",
	NoPlugins:      "neither the app nor its platform has a plugin, so that no page can call one",
}

// Explain returns one sentence, without a full stop, for people.
func (r Reason) Explain() string {
	if r < reasonCount {
		return reasonDocs[r]
	}
	return "invalid reason"
}

// Reasons lists every reason, in order.
func Reasons() []Reason {
	all := make([]Reason, reasonCount)
	for i := range all {
		all[i] = Reason(i)
	}
	return all
}
