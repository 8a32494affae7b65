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
}

// Setting is a key of NSAppTransportSecurity, under its present name.
type Setting struct {
	Name  string
	On    bool
	Place policy.Place
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
		switch name {
		case "NSAllowsArbitraryLoadsInMedia": // until iOS 10's release
			name = ArbitraryLoadsForMedia
			fallthrough
		case ArbitraryLoads, ArbitraryLoadsInWebContent, ArbitraryLoadsForMedia, LocalNetworking:
			t.Settings = append(t.Settings, Setting{name, e.Value.True(), e.Place})
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

func (t *Transport) exception(e Entry) {
	x := Exception{Host: e.Key, Place: e.Place, Never: neverException(e.Key)}
	if e.Value.Type != TypeDict {
		t.wrong(e.Place, "the exception of %q must be a dictionary", e.Key)
		return
	}
	for _, key := range e.Value.Entries {
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
	weak := Weakness{Key: e.Key, Text: e.Value.Text, Place: e.Place}
	switch name {
	case "NSIncludesSubdomains":
		x.Below = e.Value.True()
	case "NSExceptionAllowsInsecureHTTPLoads":
		if e.Value.True() {
			x.Insecure = append(x.Insecure, weak)
		}
	case "NSExceptionMinimumTLSVersion":
		switch e.Value.Text {
		case "TLSv1.0", "TLSv1.1":
			x.Weak = append(x.Weak, weak)
		case "TLSv1.2", "TLSv1.3":
		default:
			t.wrong(e.Place, "%s must be TLSv1.2 or TLSv1.3, not %q", e.Key, e.Value.Text)
		}
	case "NSExceptionRequiresForwardSecrecy":
		if !e.Value.True() {
			weak.Text = "false"
			x.Weak = append(x.Weak, weak)
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
