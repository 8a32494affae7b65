package dialect

import (
	"slices"
	"strconv"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/plugins"
)

// ionicWebView returns the element that names the plugin which serves an app's pages from
// an address of its own, nil without it.
func ionicWebView(doc *configxml.Document, platform string) *configxml.Element {
	for _, e := range doc.For(platform) {
		if e.Name == "plugin" && e.Value("name") == plugins.IonicWebView {
			return e
		}
	}
	return nil
}

// pluginVersion returns the version of a plugin that its element names: the one that is
// installed, else the lowest that is asked for; zero where it names none.
func pluginVersion(plugin *configxml.Element) policy.Version {
	for _, name := range []string{"version", "spec"} {
		if asked, ok := policy.ParseRange(plugin.Value(name)); ok && !asked.Lowest.IsZero() {
			return asked.Lowest
		}
	}
	return policy.Version{}
}

// ionicOwn is the origin of the pages that the plugin serves on a platform; false for a
// version that has nothing for it.
func ionicOwn(doc *configxml.Document, platform string, plugin *configxml.Element) (AppOrigin, bool) {
	version := pluginVersion(plugin)
	row, ok := plugins.Newest(plugins.IonicWebView, version)
	if !ok {
		return AppOrigin{}, false
	}
	served, ok := row.On(platform)
	o := AppOrigin{Scheme: served.Scheme, Host: "localhost", Plugin: plugin}
	if !ok || served.Port != 0 {
		o.Port = served.Port
		if n, err := strconv.Atoi(valueOr(lastPreference(doc, platform, "WKPort"), "")); err == nil && ok {
			o.Port = n
		}
		return o, ok
	}
	host := lastPreference(doc, platform, "Hostname")
	o.HostFrom, o.Host = preferenceSetting(host, "hostname"), valueOr(host, o.Host)
	if !version.IsZero() && version.Compare(served.Since) < 0 {
		return o, true
	}
	from := lastPreference(doc, platform, served.SchemeFrom)
	o.SchemeFrom = preferenceSetting(from, settingName(served.SchemeFrom))
	if scheme := valueOr(from, o.Scheme); slices.Contains(served.Refused, scheme) {
		o.Refused = scheme
	} else {
		o.Scheme = scheme
	}
	return o, true
}

// settingName is what messages call a preference that other platforms have as well.
func settingName(preference string) string {
	if preference == "Scheme" {
		return "scheme"
	}
	return preference
}

func ionicAndroid(doc *configxml.Document, plugin *configxml.Element) (AppOrigin, bool) {
	o, ok := ionicOwn(doc, "android", plugin)
	// The mode is WebSettings': 0 lets mixed content pass, and is the default.
	mode := valueOr(lastPreference(doc, "android", "MixedContentMode"), "0")
	o.RefusesMixed = o.Scheme == "https" && mode == "1"
	return o, ok
}

func ionicIOS(doc *configxml.Document, plugin *configxml.Element) AppOrigin {
	o, _ := ionicOwn(doc, "ios", plugin) // each version has something for iOS
	return o
}
