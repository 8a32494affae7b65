package dialect

import (
	"cmp"
	"strconv"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// AppOrigin is where a target serves the app's own pages from, and what it takes
// for them when it asks.
type AppOrigin struct {
	// Scheme and Host are those of the pages' addresses, such as https and
	// localhost; Scheme is "file" and Host "" where the pages are files. Both are
	// "" for a target whose own pages are not known here.
	Scheme, Host string
	// Port is the port of a server on the device, 0 for none.
	Port int
	// Compared is the beginning of the addresses that the platform takes for the
	// app's own, where that is another one than theirs: a preference asks for what
	// it cannot do. Links between the app's pages then do not stay inside.
	Compared string
	// Refused is the scheme that a preference asks for and the platform does not
	// take.
	Refused string
	// SchemeFrom and HostFrom are what asks for the scheme and the host.
	SchemeFrom, HostFrom Setting
	// Plugin is the element of the plugin that serves the pages, nil where the
	// platform does.
	Plugin *configxml.Element
	// RefusesMixed says that what pages ask for over http and ws is refused as
	// mixed content, whatever any list says.
	RefusesMixed bool
	// NativeRequests says that native code asks for what fetch and XMLHttpRequest
	// would ask for, so that nothing of a page's origin binds it.
	NativeRequests bool
}

// Setting is what a project writes about its own origin: a preference of config.xml
// or a key of a Capacitor configuration. The zero Setting is one that is not written.
type Setting struct {
	// Name is what it is called, such as "the preference scheme" or
	// server.androidScheme.
	Name  string
	Place policy.Place
}

// Written reports whether the project has the setting.
func (s Setting) Written() bool { return s.Name != "" }

// preferenceSetting is the setting that a preference is, if it is there.
func preferenceSetting(e *configxml.Element, name string) Setting {
	if e == nil {
		return Setting{}
	}
	return Setting{"the preference " + name, e.Place()}
}

// Known reports whether the origin is known.
func (o *AppOrigin) Known() bool { return o.Scheme != "" }

// Prefix is the beginning of the addresses of the app's pages, such as
// https://localhost/; for files it is file://.
func (o *AppOrigin) Prefix() string {
	switch {
	case o.Scheme == "file":
		return "file://"
	case o.Port != 0:
		return o.Scheme + "://" + o.Host + ":" + strconv.Itoa(o.Port) + "/"
	}
	return o.Scheme + "://" + o.Host + "/"
}

// Taken is the beginning of the addresses that the platform takes for the app's own:
// that of its pages' addresses, unless Compared is another one.
func (o *AppOrigin) Taken() string { return cmp.Or(o.Compared, o.Prefix()) }

// RefusesRequest reports whether the web view refuses what a page of the app asks
// for as mixed content, whatever the list says: http and ws from an encrypted page,
// this device apart, which browsers take for trustworthy. What is opened as a page of
// its own, and what native code asks for, is no content of a page.
func (o *AppOrigin) RefusesRequest(url string, kind policy.Kind) bool {
	scheme, rest, _ := strings.Cut(url, "://")
	scheme = asciiLower(scheme)
	if !o.RefusesMixed || scheme != "http" && scheme != "ws" {
		return false
	}
	switch kind {
	case policy.Navigation, policy.Plugin, policy.Bridge, policy.BridgeFrame:
		return false
	case policy.XHR:
		if o.NativeRequests {
			return false
		}
	}
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		rest = rest[:i]
	}
	return !hostname.IsLoopback(rest)
}

// OwnOrigin returns where a target serves the app's own pages from. A target is
// one that ParseTarget returned.
func OwnOrigin(doc *configxml.Document, t policy.Target) AppOrigin {
	p, ok := Lookup(t.Platform)
	if !ok || p.own == nil || doc == nil {
		return AppOrigin{}
	}
	return p.own(doc, t)
}

// files is the origin of pages that are opened as files.
var files = AppOrigin{Scheme: "file"}

// lastPreference returns the preference of a name as a platform sees it, compared
// ignoring case; nil if there is none, or the last one has no value.
func lastPreference(doc *configxml.Document, platform, name string) *configxml.Element {
	var last *configxml.Element
	for _, top := range doc.For(platform) {
		top.Walk(func(e *configxml.Element) bool {
			if e.Name != "preference" || lowerFull(e.Value("name")) != strings.ToLower(name) {
				return true
			}
			last = nil
			if _, has := e.Attr("value"); has {
				last = e
			}
			return true
		})
	}
	return last
}

// valueOr returns the value of a preference, or another one without it.
func valueOr(e *configxml.Element, other string) string {
	if e == nil {
		return other
	}
	return e.Value("value")
}

// androidOwn is the origin of Cordova's Android, or that of a plugin's web view.
func androidOwn(doc *configxml.Document, t policy.Target) AppOrigin {
	if plugin := ionicWebView(doc, "android"); plugin != nil && t.Version.AtLeast(6, 4, 0) {
		if o, ok := ionicAndroid(doc, plugin); ok {
			return o
		}
	}
	return androidPlatformOwn(doc, t.Version)
}

// androidPlatformOwn is ConfigXmlParser.getLaunchUrlPrefix of cordova-android 10.1.1 and
// later, and PluginManager's of the same name, which compares with another scheme
// than the first one serves where that is neither http nor https. In 10.0.0 to
// 10.1.0 the scheme is https, and what is compared are files.
func androidPlatformOwn(doc *configxml.Document, version policy.Version) AppOrigin {
	insecure := valueOr(lastPreference(doc, "android", "AndroidInsecureFileModeEnabled"), "")
	if !version.AtLeast(10, 0, 0) || strings.EqualFold(insecure, "true") {
		return files
	}
	o := AppOrigin{Scheme: "https", RefusesMixed: true}
	host := lastPreference(doc, "android", "hostname")
	o.HostFrom, o.Host = preferenceSetting(host, "hostname"), valueOr(host, "localhost")
	if version.AtLeast(11, 0, 0) {
		o.Host = lowerFull(o.Host)
	}
	if !version.AtLeast(10, 1, 1) {
		return o
	}
	from := lastPreference(doc, "android", "scheme")
	o.SchemeFrom = preferenceSetting(from, "scheme")
	switch scheme := lowerFull(valueOr(from, "https")); scheme {
	case "http", "https":
		o.Scheme, o.RefusesMixed = scheme, scheme == "https"
	default:
		o.Refused, o.Compared = scheme, scheme+"://"+o.Host+"/"
	}
	return o
}

// iosOwn is the origin of Cordova's iOS, or that of a plugin's web view.
func iosOwn(doc *configxml.Document, t policy.Target) AppOrigin {
	if plugin := ionicWebView(doc, "ios"); plugin != nil && t.Version.AtLeast(4, 0, 0) {
		return ionicIOS(doc, plugin)
	}
	return iosPlatformOwn(doc, t)
}

// iosPlatformOwn is CDVWebViewEngine of cordova-ios 6.0.0 and later: files unless the
// preference scheme says otherwise, from 8.0.0 on app://localhost. A scheme that
// the web view handles itself becomes app.
func iosPlatformOwn(doc *configxml.Document, t policy.Target) AppOrigin {
	if !t.Version.AtLeast(6, 0, 0) {
		return files
	}
	from := lastPreference(doc, "ios", "scheme")
	scheme := valueOr(from, "app")
	if from == nil && !t.Version.AtLeast(8, 0, 0) || scheme == "file" {
		o := files
		o.SchemeFrom = preferenceSetting(from, "scheme")
		return o
	}
	host := lastPreference(doc, "ios", "hostname")
	o := AppOrigin{Scheme: scheme, Host: valueOr(host, "localhost"), SchemeFrom: preferenceSetting(from, "scheme"),
		HostFrom: preferenceSetting(host, "hostname")}
	if iosWebViewOwns(scheme) {
		o.Scheme, o.Refused = "app", scheme
	}
	return o
}
