package dialect

import (
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// ionicWebViewName is the plugin that serves an app's pages from an address of
// its own: cordova-plugin-ionic-webview, IonicWebViewEngine.java and
// CDVWKWebViewEngine.m of 1.2.1, 2.5.3, 3.1.2, 4.2.1 and 5.0.1.
const ionicWebViewName = "cordova-plugin-ionic-webview"

// ionicWebView returns the element that names the plugin, nil without it.
func ionicWebView(doc *configxml.Document, platform string) *configxml.Element {
	for _, e := range doc.For(platform) {
		if e.Name == "plugin" && e.Value("name") == ionicWebViewName {
			return e
		}
	}
	return nil
}

// majorOf returns the major version that a plugin's element asks for, or another
// one where it names none.
func majorOf(plugin *configxml.Element, other int) int {
	for _, name := range []string{"version", "spec"} {
		text := strings.TrimLeft(plugin.Value(name), "^~>=v ")
		digits := text[:len(text)-len(strings.TrimLeft(text, "0123456789"))]
		if n, err := strconv.Atoi(digits); err == nil {
			return n
		}
	}
	return other
}

// ionicPort is the port of the server of versions 1 and 2.
func ionicPort(doc *configxml.Document, platform string) int {
	if n, err := strconv.Atoi(valueOr(lastPreference(doc, platform, "WKPort"), "8080")); err == nil {
		return n
	}
	return 8080
}

// ionicAndroid is false for a version that has nothing for Android.
func ionicAndroid(doc *configxml.Document, plugin *configxml.Element) (AppOrigin, bool) {
	switch major := majorOf(plugin, 5); {
	case major < 2:
		return AppOrigin{}, false
	case major < 3:
		return AppOrigin{Scheme: "http", Host: "localhost", Port: ionicPort(doc, "android"), Plugin: plugin}, true
	}
	scheme, host := lastPreference(doc, "android", "Scheme"), lastPreference(doc, "android", "Hostname")
	o := AppOrigin{
		Scheme: valueOr(scheme, "http"), SchemeFrom: preferenceSetting(scheme, "scheme"),
		Host: valueOr(host, "localhost"), HostFrom: preferenceSetting(host, "hostname"), Plugin: plugin,
	}
	// The mode is WebSettings': 0 lets mixed content pass, and is the default.
	mode := valueOr(lastPreference(doc, "android", "MixedContentMode"), "0")
	o.RefusesMixed = o.Scheme == "https" && mode == "1"
	return o, true
}

func ionicIOS(doc *configxml.Document, plugin *configxml.Element) AppOrigin {
	major := majorOf(plugin, 5)
	if major < 3 {
		return AppOrigin{Scheme: "http", Host: "localhost", Port: ionicPort(doc, "ios"), Plugin: plugin}
	}
	host := lastPreference(doc, "ios", "Hostname")
	o := AppOrigin{Scheme: "ionic", Host: valueOr(host, "localhost"), HostFrom: preferenceSetting(host, "hostname"),
		Plugin: plugin}
	if major < 4 {
		return o
	}
	from := lastPreference(doc, "ios", "iosScheme")
	o.SchemeFrom = preferenceSetting(from, "iosScheme")
	switch scheme := valueOr(from, "ionic"); scheme {
	case "http", "https", "file":
		o.Refused = scheme
	default:
		o.Scheme = scheme
	}
	return o
}
