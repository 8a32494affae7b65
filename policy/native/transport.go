package native

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
)

// Transport is what one dictionary NSAppTransportSecurity says.
type Transport struct {
	Entry
	// Settings are the keys that count for all hosts.
	Settings []Setting
	// Exceptions are the hosts of NSExceptionDomains.
	Exceptions []Exception
	// Wrong are keys and values that iOS does not read.
	Wrong []Problem
	// Unknown are values that are not known.
	Unknown []Problem
}

// Setting is a key of NSAppTransportSecurity, under its present name.
type Setting struct {
	Name string
	// On says that it may be true, as far as is known.
	On    bool
	Place policy.Place
	// Through says by what it is true, for the end of a message; "" for a value that
	// is written out.
	Through string
}

// Exception is one host of NSExceptionDomains.
type Exception struct {
	Host  string
	Place policy.Place
	// Never says why no host equals it, "" if one can.
	Never string
	// Below says that the names below the host count as well.
	Below bool
	// Insecure is where cleartext is allowed, Weak where TLS is weakened.
	Insecure []Weakness
	Weak     []Weakness
}

// Weakness is a key of an exception that takes protection away.
type Weakness struct {
	Key   string
	Text  string
	Place policy.Place
	// Through says by what it has that text, for the end of a message; "" for a value
	// that is written out.
	Through string
}

// The keys of NSAppTransportSecurity that count for all hosts.
const (
	ArbitraryLoads             = "NSAllowsArbitraryLoads"
	ArbitraryLoadsInWebContent = "NSAllowsArbitraryLoadsInWebContent"
	ArbitraryLoadsForMedia     = "NSAllowsArbitraryLoadsForMedia"
	LocalNetworking            = "NSAllowsLocalNetworking"
)

// Transports returns what is said about App Transport Security, by each
// fragment that says it.
func (s *Set) Transports() []Transport {
	var list []Transport
	for _, e := range s.Key("NSAppTransportSecurity") {
		t := Transport{Entry: e}
		t.read(e.Value)
		list = append(list, t)
	}
	return list
}

// Narrowed reports whether a key is there, with any value, that makes iOS 10 and
// later ignore NSAllowsArbitraryLoads.
func (s *Set) Narrowed() bool {
	return slices.ContainsFunc(s.Transports(), func(t Transport) bool {
		return slices.ContainsFunc(t.Settings, func(s Setting) bool { return s.Name != ArbitraryLoads })
	})
}

// Setting returns the last setting of that name.
func (t *Transport) Setting(name string) (Setting, bool) {
	for i := len(t.Settings) - 1; i >= 0; i-- {
		if t.Settings[i].Name == name {
			return t.Settings[i], true
		}
	}
	return Setting{}, false
}

func (t *Transport) wrong(place policy.Place, format string, args ...any) {
	t.Wrong = append(t.Wrong, Problem{place, fmt.Sprintf(format, args...)})
}

func (t *Transport) read(v *Value) {
	if v.Type != TypeDict {
		t.wrong(v.Place, "NSAppTransportSecurity must be a dictionary")
		return
	}
	for _, e := range v.Entries {
		name := e.Key
		t.doubt(e)
		switch name {
		case "NSAllowsArbitraryLoadsInMedia": // until iOS 10's release
			name = ArbitraryLoadsForMedia
			fallthrough
		case ArbitraryLoads, ArbitraryLoadsInWebContent, ArbitraryLoadsForMedia, LocalNetworking:
			g, on := e.Value.Can(true)
			t.Settings = append(t.Settings, Setting{name, on, e.Place, e.Value.through(g)})
		case "NSExceptionDomains":
			if e.Value.Type != TypeDict {
				t.wrong(e.Place, "NSExceptionDomains must be a dictionary")
				continue
			}
			for _, host := range e.Value.Entries {
				t.exception(host)
			}
		case "NSPinnedDomains":
		default:
			t.wrong(e.Place, "there is no key %q in NSAppTransportSecurity", e.Key)
		}
	}
}

// doubt notes a key whose value is not known.
func (t *Transport) doubt(e Entry) {
	if why := e.Value.Meaning.Unknown; why != "" {
		t.Unknown = append(t.Unknown, Problem{e.Place, fmt.Sprintf("%s is %s, and %s", e.Key, e.Value.Text, why)})
	}
}

// through says by what the value comes to a text, for the end of a message.
func (v *Value) through(g Given) string {
	if v.Type != TypeString {
		return ""
	}
	return g.Through(v.AsWritten())
}

func (t *Transport) exception(e Entry) {
	x := Exception{Host: e.Key, Place: e.Place, Never: neverException(e.Key)}
	if e.Value.Type != TypeDict {
		t.wrong(e.Place, "the exception of %q must be a dictionary", e.Key)
		return
	}
	for _, key := range e.Value.Entries {
		t.doubt(key)
		x.key(t, key)
	}
	t.Exceptions = append(t.Exceptions, x)
}

// key reads one key of an exception; the names of iOS 9's first versions and
// those of Apple's third-party frameworks count as the present ones.
func (x *Exception) key(t *Transport, e Entry) {
	name := e.Key
	for _, old := range []string{"NSTemporaryThirdPartyException", "NSTemporaryException", "NSThirdPartyException"} {
		if rest, ok := strings.CutPrefix(name, old); ok {
			name = "NSException" + rest
			break
		}
	}
	switch name {
	case "NSIncludesSubdomains":
		_, x.Below = e.Value.Can(true)
	case "NSExceptionAllowsInsecureHTTPLoads":
		if g, on := e.Value.Can(true); on {
			x.Insecure = append(x.Insecure, Weakness{e.Key, g.Text, e.Place, e.Value.through(g)})
		}
	case "NSExceptionMinimumTLSVersion":
		for _, g := range e.Value.Texts() {
			switch g.Text {
			case "TLSv1.0", "TLSv1.1":
				x.Weak = append(x.Weak, Weakness{e.Key, g.Text, e.Place, e.Value.through(g)})
			case "TLSv1.2", "TLSv1.3":
			default:
				t.wrong(e.Place, "%s must be TLSv1.2 or TLSv1.3, not %q", e.Key, g.Text)
			}
		}
	case "NSExceptionRequiresForwardSecrecy":
		if g, off := e.Value.Can(false); off {
			x.Weak = append(x.Weak, Weakness{e.Key, "false", e.Place, e.Value.through(g)})
		}
	case "NSRequiresCertificateTransparency":
	default:
		t.wrong(e.Place, "there is no key %q in an exception of App Transport Security", e.Key)
	}
}

func neverException(host string) string {
	if address, err := netip.ParseAddr(host); err == nil {
		if address.Is6() {
			return "an IPv6 address is not a key"
		}
		return ""
	}
	switch why := never(host); {
	case strings.Contains(host, "$(") || strings.Contains(host, "${"):
		return "Xcode replaces build settings in values and not in keys"
	case why != "" && strings.Contains(host, "*"):
		return "there are no wildcards: NSIncludesSubdomains stands for the names below"
	case why != "" && strings.HasSuffix(host, "."):
		return "a final dot is not part of a key"
	case why != "":
		return why
	case host != strings.ToLower(host):
		return "keys are compared in lower case"
	case host == "":
		return "it is empty"
	}
	return ""
}

// Schemes returns the URL schemes that an iOS app claims, in CFBundleURLTypes.
func (s *Set) Schemes() []*Value {
	var list []*Value
	for _, e := range s.Key("CFBundleURLTypes") {
		for _, item := range e.Value.Items {
			if schemes := item.Get("CFBundleURLSchemes"); schemes != nil {
				list = append(list, schemes.Items...)
			}
		}
	}
	return list
}

// Queried returns the schemes that an iOS app may ask for, in
// LSApplicationQueriesSchemes.
func (s *Set) Queried() []*Value {
	var list []*Value
	for _, e := range s.Key("LSApplicationQueriesSchemes") {
		list = append(list, e.Value.Items...)
	}
	return list
}
