package policy

import (
	"fmt"
	"strings"
)

// nameOf returns the name that a table has for a value of an enumeration, or
// "invalid-" and what it would be one of.
func nameOf[T ~uint8](names []string, value T, what string) string {
	if int(value) < len(names) {
		return names[value]
	}
	return "invalid-" + what
}

var verdictNames = [...]string{Block: "block", Allow: "allow", Launch: "launch", Bypass: "bypass"}

// String returns the verdict's name: block, allow, launch or bypass.
func (v Verdict) String() string { return nameOf(verdictNames[:], v, "verdict") }

var kindNames = [kindCount]string{
	AnyKind:     "any",
	Navigation:  "navigation",
	Frame:       "frame",
	Script:      "script",
	Style:       "style",
	Image:       "image",
	Font:        "font",
	XHR:         "xhr",
	Media:       "media",
	WebSocket:   "websocket",
	EventSource: "eventsource",
	Plugin:      "plugin",
	Other:       "other",
	Bridge:      "bridge",
	BridgeFrame: "bridge-frame",
}

// String returns the kind's name, such as "xhr".
func (k Kind) String() string { return nameOf(kindNames[:], k, "kind") }

// ParseKind returns the kind of that name. "any" is not a name to ask for.
func ParseKind(name string) (Kind, error) {
	for k := Navigation; k < kindCount; k++ {
		if kindNames[k] == name {
			return k, nil
		}
	}
	return AnyKind, fmt.Errorf("unknown kind %q (known: %s)", name, strings.Join(kindNames[Navigation:], ", "))
}

// Kinds lists every kind but AnyKind, in order.
func Kinds() []Kind {
	all := make([]Kind, 0, kindCount-1)
	for k := Navigation; k < kindCount; k++ {
		all = append(all, k)
	}
	return all
}

// IsBridge reports whether the kind asks who may call native code, rather than
// what may be requested.
func (k Kind) IsBridge() bool { return k == Bridge || k == BridgeFrame }

var purposeNames = [...]string{ForRequest: "request", ForNavigation: "navigation", ForLaunch: "launch"}

// String returns the purpose's name: request, navigation or launch.
func (p Purpose) String() string { return nameOf(purposeNames[:], p, "purpose") }

var flawNames = [flawCount]string{
	NoFlaw:       "",
	Dropped:      "dropped",
	Cut:          "cut",
	Ignored:      "ignored",
	NeverMatches: "never-matches",
	BreaksBuild:  "breaks-build",
	Unreadable:   "unreadable",
	Rewritten:    "rewritten",
}

// String returns the flaw's name, "" for NoFlaw.
func (f Flaw) String() string { return nameOf(flawNames[:], f, "flaw") }

// String returns file:line:column, as editors and compilers write it.
func (p Place) String() string {
	if p.IsZero() {
		return "built in"
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}
