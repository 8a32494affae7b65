package policy

import "fmt"

var verdictNames = [...]string{Block: "block", Allow: "allow", Launch: "launch", Bypass: "bypass"}

// String returns the verdict's name: block, allow, launch or bypass.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "invalid-verdict"
}

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
}

// String returns the kind's name, such as "xhr".
func (k Kind) String() string {
	if k < kindCount {
		return kindNames[k]
	}
	return "invalid-kind"
}

// ParseKind returns the kind of that name. "any" is not a name to ask for.
func ParseKind(name string) (Kind, error) {
	for k := Navigation; k < kindCount; k++ {
		if kindNames[k] == name {
			return k, nil
		}
	}
	return AnyKind, fmt.Errorf("unknown kind %q (known: %s)", name, joinKinds())
}

// Kinds lists every kind but AnyKind, in order.
func Kinds() []Kind {
	all := make([]Kind, 0, kindCount-1)
	for k := Navigation; k < kindCount; k++ {
		all = append(all, k)
	}
	return all
}

func joinKinds() string {
	s := ""
	for k := Navigation; k < kindCount; k++ {
		if s != "" {
			s += ", "
		}
		s += kindNames[k]
	}
	return s
}

var purposeNames = [...]string{ForRequest: "request", ForNavigation: "navigation", ForLaunch: "launch"}

// String returns the purpose's name: request, navigation or launch.
func (p Purpose) String() string {
	if int(p) < len(purposeNames) {
		return purposeNames[p]
	}
	return "invalid-purpose"
}

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
func (f Flaw) String() string {
	if f < flawCount {
		return flawNames[f]
	}
	return "invalid-flaw"
}

// String returns file:line:column, as editors and compilers write it.
func (p Place) String() string {
	if p.IsZero() {
		return "built in"
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}
