// Package capacitor reads the configuration of a Capacitor app as far as it
// matters to what the app may reach and who may call its native code: typed, with
// the place of each value.
//
// It says what the file says, not what a platform makes of it: that is package
// dialect's, which knows the versions. Where one value stands in for another at
// every version of both platforms (a key at the top for the same key of the
// platform's section), the value here is the one that counts.
//
// The package is pure: bytes in, values out. A Config is not changed once it is
// read, and safe for concurrent use.
package capacitor

import (
	"fmt"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
)

// Config is a capacitor.config.json (CapacitorConfig of @capacitor/cli 3.0.0 to
// 8.4.2, declarations.ts; what the platforms read of it: CapConfig.java and
// CAPInstanceDescriptor.swift of the same versions). Keys count as they are
// spelled there: the platforms tell capitals apart.
type Config struct {
	// File is the name of the file, as it stands in places.
	File string
	// AppID and AppName are who the app is.
	AppID, AppName Text
	// WebDir is the folder of the built pages.
	WebDir Text
	// IncludePlugins are the packages whose plugins are built in on platforms that
	// have no list of their own; nil where every installed one is.
	IncludePlugins *List

	Server  Server
	Android Android
	IOS     IOS
	Cordova Cordova
	Plugins Plugins
}

// Server is the section "server": the app's own origin and where it may go.
type Server struct {
	// Hostname, AndroidScheme and IOSScheme are the app's own origin.
	Hostname, AndroidScheme, IOSScheme Text
	// URL is the pages' address in live reload.
	URL Text
	// Cleartext allows http to every host on Android.
	Cleartext Flag
	// AllowNavigation are the hosts whose pages open inside.
	AllowNavigation []Text
	// ErrorPath is the page that stands in for one that cannot be loaded.
	ErrorPath Text
	// AppStartPath is where the app begins.
	AppStartPath Text
}

// Android is the section "android".
type Android struct {
	Path                  Text // of the platform's folder, from the project's
	AllowMixedContent     Flag // "allowMixedContent" at the top stands in for it
	WebContentsDebugging  Flag
	UseLegacyBridge       Flag // from 5 on
	CaptureInput          Flag
	ResolveServiceWorkers Flag
	LoggingBehavior       Text // the one at the top stands in for it
	AppendUserAgent       Text // the one at the top stands in for it
	OverrideUserAgent     Text // the one at the top stands in for it
	IncludePlugins        *List
}

// IOS is the section "ios".
type IOS struct {
	Path                 Text // of the platform's folder, from the project's
	LimitsNavigations    Flag // limitsNavigationsToAppBoundDomains
	WebContentsDebugging Flag
	LoggingBehavior      Text // the one at the top stands in for it
	AppendUserAgent      Text // the one at the top stands in for it
	OverrideUserAgent    Text // the one at the top stands in for it
	// Scheme is the name of the Xcode scheme that is built. It is no URL scheme.
	Scheme         Text
	IncludePlugins *List
}

// Cordova is the section "cordova": what is written into the config.xml that
// Cordova plugins ask inside a Capacitor app.
type Cordova struct {
	// AccessOrigins become access elements; nil stands for one "*".
	AccessOrigins *List
	Preferences   []Preference
}

// Preference is a preference of the section "cordova".
type Preference struct {
	Name  string
	Value Text
}

// Plugins is the section "plugins".
type Plugins struct {
	// CapacitorHTTP and CapacitorCookies say whether the built-in plugin takes over
	// the pages' fetch and XMLHttpRequest, or their document.cookie.
	CapacitorHTTP, CapacitorCookies Flag
}

// Text is a text of the configuration. The zero Text is one that is not written.
type Text struct {
	Value string
	Place policy.Place
}

// Written reports whether the file has the value.
func (t Text) Written() bool { return !t.Place.IsZero() }

// Or returns the value, or another one where none is written.
func (t Text) Or(other string) string {
	if t.Written() {
		return t.Value
	}
	return other
}

// List is a list of texts that is written.
type List struct {
	Items []Text
	Place policy.Place
}

// Form is how a flag is written.
type Form uint8

// The forms of flags.
const (
	// NotWritten: the file does not have the flag.
	NotWritten Form = iota
	// Boolean: it is true or false.
	Boolean
	// Quoted: it is a text of one of these words, in any capitals. Android alone
	// reads it.
	Quoted
	// Number: it is 0 or 1. iOS alone reads it.
	Number
	// Unread: it is something else, which no platform reads.
	Unread
)

// Flag is a value of the configuration that is on or off.
type Flag struct {
	Value bool
	Form  Form
	Place policy.Place
}

// Written reports whether the file has the flag, in whatever form.
func (f Flag) Written() bool { return f.Form != NotWritten }

// OnAndroid returns the flag as Android reads it (org.json.JSONObject's
// getBoolean), or the platform's default.
func (f Flag) OnAndroid(byDefault bool) bool {
	if f.Form == Boolean || f.Form == Quoted {
		return f.Value
	}
	return byDefault
}

// OnIOS returns the flag as iOS reads it (a cast of NSNumber to Bool), or the
// platform's default.
func (f Flag) OnIOS(byDefault bool) bool {
	if f.Form == Boolean || f.Form == Number {
		return f.Value
	}
	return byDefault
}

// Error says where a configuration cannot be read, and why.
type Error struct {
	Place policy.Place
	Why   string
}

// Error says where and why.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Place, e.Why) }

// Read reads a configuration, which must be JSON. A value that is null counts as
// absent. Texts and lists that are something else are mistakes, since a platform
// ends or takes another value by them; the error is an *Error.
func Read(name string, data []byte) (*Config, error) {
	r := &reader{name: name, data: data}
	root, err := jsonspan.Parse(data)
	if err != nil {
		at := jsonspan.Offset(data, err)
		return nil, &Error{policy.PlaceIn(name, data, at, at), "it is not valid JSON: " + err.Error()}
	}
	if root.Kind != '{' {
		return nil, r.fail(root, "a Capacitor configuration must be an object")
	}
	r.root = root
	c := &Config{
		File:  name,
		AppID: r.text("appId"), AppName: r.text("appName"), WebDir: r.text("webDir"),
		IncludePlugins: r.list("includePlugins"),
		Server:         r.server(),
		Android:        r.android(),
		IOS:            r.ios(),
		Cordova:        Cordova{AccessOrigins: r.list("cordova", "accessOrigins"), Preferences: r.preferences()},
		Plugins: Plugins{
			CapacitorHTTP:    r.flag("plugins", "CapacitorHttp", "enabled"),
			CapacitorCookies: r.flag("plugins", "CapacitorCookies", "enabled"),
		},
	}
	if r.err != nil {
		return nil, r.err
	}
	return c, nil
}
