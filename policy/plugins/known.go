// Package plugins holds what is known of Cordova plugins without their plugin.xml: what
// they put into the built config.xml, where they serve the app's pages from, and whether
// they replace its web view. There is one table, by plugin and version, with the source of
// each row.
//
// The package is pure, and safe for concurrent use.
package plugins

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
)

// Known is what is known of a plugin at some versions without its plugin.xml.
type Known struct {
	// ID is the plugin's id.
	ID string
	// From and Below are the versions that the row is about, Below exclusive;
	// zero for no limit.
	From, Below policy.Version
	// Adds are the elements that it puts into the built config.xml, as far as they
	// say where the app may go and what its pages run in.
	Adds []Added
	// Effect says what it changes besides, as one clause; "" for nothing that
	// matters to the list.
	Effect string
	// WKWebView says that pages run in WKWebView on iOS before 6.
	WKWebView bool
	// Serves says where it serves the app's own pages from, on the platforms on which it
	// does.
	Serves []Served
	// Source is where that was read.
	Source string
}

// Served is where a plugin serves an app's pages from on a platform.
type Served struct {
	Platform string
	// Scheme is the scheme of the addresses, whose host is localhost unless the
	// preference Hostname names another one.
	Scheme string
	// SchemeFrom is the preference that names another scheme, "" for none, Since the
	// version that reads it (zero: every one), and Refused the schemes that it must not
	// name.
	SchemeFrom string
	Since      policy.Version
	Refused    []string
	// Port is the port of a server on the device, which the preference WKPort may name
	// and which then has no Hostname; 0 for none.
	Port int
}

// Added is an element that a plugin puts into the built config.xml.
type Added struct {
	// Platform is the platform that it is for, "" for every one.
	Platform string
	// Element is its name, Attributes are pairs of a name and a value.
	Element    string
	Attributes []string
}

// At returns what is known of a plugin at a version, or at those that a
// range allows; of one whose version is not said, at the latest. Nothing is known of
// one that does not come from the registry (a fork, a folder, another package), nor of
// a range that allows versions which differ.
func At(id, spec string) (Known, bool) {
	seen, nothing := addsNothing[id]
	if !nothing && !slices.ContainsFunc(known, func(row Known) bool { return row.ID == id }) {
		return Known{}, false
	}
	spec = strings.TrimSpace(spec)
	if spec == "latest" || spec == "*" {
		spec = ""
	}
	versions, ok := policy.ParseRange(spec)
	if !ok {
		return Known{}, false
	}
	var found []Known
	for i := len(known) - 1; i >= 0; i-- {
		if row := known[i]; row.ID == id {
			if _, meets := versions.First(row.From, row.Below); meets {
				found = append(found, row)
			}
		}
	}
	if len(found) == 1 || len(found) > 0 && spec == "" {
		return found[0], true
	}
	if nothing {
		return Known{ID: id, Source: "plugin.xml of " + seen}, true
	}
	return Known{}, false
}

// Newest returns what is known of a plugin at a version, or at the newest one for the
// zero version.
func Newest(id string, v policy.Version) (Known, bool) {
	for i := len(known) - 1; i >= 0; i-- {
		row := known[i]
		within := v.Compare(row.From) >= 0 && (row.Below.IsZero() || v.Compare(row.Below) < 0)
		if row.ID == id && (within || v.IsZero()) {
			return row, true
		}
	}
	return Known{}, false
}

// BringsWKWebView reports whether a plugin, at any version, makes pages run in WKWebView
// on iOS before 6.
func BringsWKWebView(id string) bool {
	row, ok := Newest(id, policy.Version{})
	return ok && row.WKWebView
}

// On returns where the plugin serves pages from on a platform.
func (k *Known) On(platform string) (Served, bool) {
	for _, s := range k.Serves {
		if s.Platform == platform {
			return s, true
		}
	}
	return Served{}, false
}

func allow(platform, href string) Added {
	return Added{Platform: platform, Element: "allow-navigation", Attributes: []string{"href", href}}
}

// wkWebView is the preference by which a plugin has pages run in WKWebView before iOS 6.
var wkWebView = Added{Platform: "ios", Element: "preference",
	Attributes: []string{"name", "CordovaWebViewEngine", "value", "CDVWKWebViewEngine"}}

func version(major, minor, patch int) policy.Version {
	return policy.Version{Major: major, Minor: minor, Patch: patch}
}

// IonicWebView is the plugin that serves an app's pages from an address of its own.
const IonicWebView = "cordova-plugin-ionic-webview"

// known are the plugins that are known, by id and version. Their plugin.xml counts
// where it is there; a row stands in where the plugin is named alone. Sources are
// the packages on npm at the versions that are named.
var known = []Known{
	{ID: "cordova-plugin-whitelist", Source: "plugin.xml of 1.3.5",
		Effect: "the list is read on Android 4 to 9"},
	{ID: "cordova-plugin-legacy-whitelist", Source: "plugin.xml of 1.1.2",
		Effect: "access entries count for navigation and requests as before Android 4"},
	{ID: IonicWebView, Below: version(2, 0, 0), Source: "plugin.xml and CDVWKWebViewEngine.m of 1.2.1", WKWebView: true,
		Adds:   []Added{allow("ios", "http://localhost:8080/*"), wkWebView},
		Serves: []Served{{Platform: "ios", Scheme: "http", Port: 8080}},
		Effect: "pages are served from http://localhost:8080 on iOS"},
	{ID: IonicWebView, From: version(2, 0, 0), Below: version(3, 0, 0), WKWebView: true,
		Adds: []Added{
			allow("android", "http://localhost:8080/*"),
			allow("ios", "http://localhost:8080/*"), allow("ios", "http://127.0.0.1:8080/*"), allow("ios", "ionic://*"),
			wkWebView,
		},
		Serves: []Served{
			{Platform: "android", Scheme: "http", Port: 8080},
			{Platform: "ios", Scheme: "http", Port: 8080},
		},
		Source: "plugin.xml, IonicWebViewEngine.java and CDVWKWebViewEngine.m of 2.5.3",
		Effect: "pages are served from http://localhost:8080"},
	{ID: IonicWebView, From: version(3, 0, 0), WKWebView: true,
		Source: "plugin.xml, IonicWebViewEngine.java and CDVWKWebViewEngine.m of 3.1.2, 4.0.0, 4.2.1 and 5.0.1",
		Adds: []Added{
			allow("android", "http://localhost/*"), allow("android", "https://localhost/*"),
			allow("android", "ionic://*"), allow("ios", "ionic://*"), wkWebView,
		},
		Serves: []Served{{Platform: "android", Scheme: "http", SchemeFrom: "Scheme"},
			{Platform: "ios", Scheme: "ionic", SchemeFrom: "iosScheme", Since: version(4, 0, 0),
				Refused: []string{"http", "https", "file"}}},
		Effect: "pages are served from http://localhost on Android, from ionic://localhost on iOS"},
	{ID: "cordova-plugin-file", From: version(8, 0, 0), Source: "plugin.xml of 8.1.3",
		Adds: []Added{allow("android", "cdvfile:*")}},
	{ID: "cordova-plugin-wkwebview-engine", WKWebView: true, Adds: []Added{wkWebView},
		Source: "plugin.xml and src/www/ios/ios-wkwebview-exec.js of 1.2.2",
		Effect: "pages run in WKWebView before iOS 6"},
	{ID: "cordova-plugin-wkwebview-file-xhr", WKWebView: true, Source: "plugin.xml of 3.1.1",
		Effect: "requests of pages go through native code on iOS, which asks no policy of the page"},
	{ID: "cordova-plugin-wkwebview-ionic-xhr", WKWebView: true, Source: "plugin.xml of 2.1.1",
		Effect: "requests of pages go through native code on iOS, which asks no policy of the page"},
	{ID: "cordova-plugin-transport-security", Source: "plugin.xml of 0.1.2",
		Effect: "NSAllowsArbitraryLoads is set on iOS"},
	{ID: "cordova-custom-config", Source: "plugin.xml of 5.1.2",
		Effect: "custom-config-file elements of config.xml are put into native files"},
}

// addsNothing are plugins that put no entry of the list and no setting of the app's
// own origin into a built config.xml, with the version whose plugin.xml was read.
var addsNothing = map[string]string{
	"cordova-plugin-battery-status":      "2.0.3",
	"cordova-plugin-camera":              "8.0.0",
	"cordova-plugin-console":             "1.1.0",
	"cordova-plugin-contacts":            "3.0.1",
	"cordova-plugin-device":              "3.0.0",
	"cordova-plugin-device-motion":       "2.0.1",
	"cordova-plugin-device-orientation":  "3.0.0",
	"cordova-plugin-dialogs":             "2.0.2",
	"cordova-plugin-file-transfer":       "2.0.0",
	"cordova-plugin-geolocation":         "5.0.0",
	"cordova-plugin-globalization":       "1.11.0",
	"cordova-plugin-inappbrowser":        "7.0.0",
	"cordova-plugin-media":               "7.0.0",
	"cordova-plugin-media-capture":       "6.0.0",
	"cordova-plugin-network-information": "3.1.0",
	"cordova-plugin-splashscreen":        "6.0.2",
	"cordova-plugin-statusbar":           "4.0.0",
	"cordova-plugin-vibration":           "3.1.1",
	"cordova-plugin-screen-orientation":  "3.0.4",
	"cordova-plugin-crosswalk-webview":   "2.4.0",
	"cordova-plugin-ionic-keyboard":      "2.2.0",
	"cordova-plugin-androidx":            "3.0.0",
	"cordova-plugin-androidx-adapter":    "1.1.3",
	"cordova-plugin-advanced-http":       "3.3.1",
	"cordova-plugin-x-socialsharing":     "6.0.4",
	"cordova-plugin-nativestorage":       "2.3.2",
	"cordova-plugin-app-version":         "0.1.14",
	"cordova-sqlite-storage":             "7.0.0",
	"phonegap-plugin-push":               "2.3.0",
}
