package dialect

import (
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// keySetting is the setting that a key of a Capacitor configuration is, if it is
// written.
func keySetting(t capacitor.Text, name string) Setting {
	if !t.Written() {
		return Setting{}
	}
	return Setting{name, t.Place}
}

// capacitorAndroidOwn is where Capacitor for Android serves the app's pages from
// (Bridge.getLocalUrl and CapConfig.validateScheme). It is so beside a server.url
// as well, although the app then starts there.
func capacitorAndroidOwn(doc *configxml.Document, t policy.Target) AppOrigin {
	r, version := newCapacitorReader(doc, t), capacitorAndroidOf(t.Version)
	server := &r.config.Server
	o := AppOrigin{
		Scheme: r.androidScheme(&version), SchemeFrom: keySetting(server.AndroidScheme, "server.androidScheme"),
		Host: server.Hostname.Or("localhost"), HostFrom: keySetting(server.Hostname, "server.hostname"),
		NativeRequests: version.http && r.config.Plugins.CapacitorHTTP.OnAndroid(false),
	}
	if asked := server.AndroidScheme.Or(o.Scheme); asked != o.Scheme {
		o.Refused = asked
	}
	o.RefusesMixed = o.Scheme == "https" && !server.URL.Written() &&
		!r.config.Android.AllowMixedContent.OnAndroid(false)
	return o
}

// capacitorIOSOwn is where Capacitor for iOS serves the app's pages from
// (InstanceDescriptor.normalize).
func capacitorIOSOwn(doc *configxml.Document, t policy.Target) AppOrigin {
	r := newCapacitorReader(doc, t)
	server := &r.config.Server
	scheme := asciiLower(server.IOSScheme.Value)
	if !isIOSScheme(scheme) || iosWebViewOwns(scheme) {
		scheme = "capacitor"
	}
	o := AppOrigin{
		Scheme: scheme, SchemeFrom: keySetting(server.IOSScheme, "server.iosScheme"),
		Host: server.Hostname.Or("localhost"), HostFrom: keySetting(server.Hostname, "server.hostname"),
		NativeRequests: t.Version.AtLeast(4, 3, 0) && r.config.Plugins.CapacitorHTTP.OnIOS(false),
	}
	if asked := server.IOSScheme.Or(scheme); asciiLower(asked) != scheme {
		o.Refused = asked
	}
	return o
}
