package app

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
	// Source is where that was read.
	Source string
}

// Added is an element that a plugin puts into the built config.xml.
type Added struct {
	// Platform is the platform that it is for, "" for every one.
	Platform string
	// Element is its name, Attributes are pairs of a name and a value.
	Element    string
	Attributes []string
}

// KnownPlugin returns what is known of a plugin at a version, or at those that a
// range allows; of one whose version is not said, at the latest. Nothing is known of
// one that does not come from the registry (a fork, a folder, another package), nor of
// a range that allows versions which differ.
func KnownPlugin(id, spec string) (Known, bool) {
	seen, nothing := addsNothing[id]
	if !nothing && !slices.ContainsFunc(known, func(row Known) bool { return row.ID == id }) {
		return Known{}, false
	}
	spec = strings.TrimSpace(spec)
	if spec == "latest" || spec == "*" {
		spec = ""
	}
	versions, ok := ParseRange(spec)
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

// KnownPlugins returns the table of known plugins, by id and version.
func KnownPlugins() []Known { return append([]Known(nil), known...) }

func allow(platform, href string) Added {
	return Added{Platform: platform, Element: "allow-navigation", Attributes: []string{"href", href}}
}

// wkWebView is the preference by which a plugin has pages run in WKWebView before iOS 6.
var wkWebView = Added{Platform: "ios", Element: "preference",
	Attributes: []string{"name", "CordovaWebViewEngine", "value", "CDVWKWebViewEngine"}}

func version(major, minor, patch int) policy.Version {
	return policy.Version{Major: major, Minor: minor, Patch: patch}
}

// known are the plugins that are known, by id and version. Their plugin.xml counts
// where it is there; a row stands in where the plugin is named alone. Sources are
// the packages on npm at the versions that are named.
var known = []Known{
	{ID: "cordova-plugin-whitelist", Source: "plugin.xml of 1.3.5",
		Effect: "the list is read on Android 4 to 9"},
	{ID: "cordova-plugin-legacy-whitelist", Source: "plugin.xml of 1.1.2",
		Effect: "access entries count for navigation and requests as before Android 4"},
	{ID: "cordova-plugin-ionic-webview", Below: version(2, 0, 0), Source: "plugin.xml of 1.2.1",
		Adds:   []Added{allow("ios", "http://localhost:8080/*"), wkWebView},
		Effect: "pages are served from http://localhost:8080 on iOS"},
	{ID: "cordova-plugin-ionic-webview", From: version(2, 0, 0), Below: version(3, 0, 0),
		Adds: []Added{
			allow("android", "http://localhost:8080/*"),
			allow("ios", "http://localhost:8080/*"), allow("ios", "http://127.0.0.1:8080/*"), allow("ios", "ionic://*"),
			wkWebView,
		},
		Source: "plugin.xml of 2.5.3", Effect: "pages are served from http://localhost:8080"},
	{ID: "cordova-plugin-ionic-webview", From: version(3, 0, 0), Source: "plugin.xml of 3.1.2, 4.0.0, 4.2.1 and 5.0.1",
		Adds: []Added{
			allow(
				"android",
				"http://localhost/*",
			), allow("android", "https://localhost/*"), allow("android", "ionic://*"),
			allow("ios", "ionic://*"), wkWebView,
		},
		Effect: "pages are served from http://localhost on Android, from ionic://localhost on iOS"},
	{ID: "cordova-plugin-file", From: version(8, 0, 0), Source: "plugin.xml of 8.1.3",
		Adds: []Added{allow("android", "cdvfile:*")}},
	{ID: "cordova-plugin-wkwebview-engine", Source: "plugin.xml of 1.2.2", Adds: []Added{wkWebView},
		Effect: "pages run in WKWebView before iOS 6"},
	{ID: "cordova-plugin-wkwebview-file-xhr", Source: "plugin.xml of 3.1.1",
		Effect: "requests of pages go through native code on iOS, which asks no policy of the page"},
	{ID: "cordova-plugin-wkwebview-ionic-xhr", Source: "plugin.xml of 2.1.1",
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
