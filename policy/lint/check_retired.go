package lint

import (
	"bytes"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
)

// retiredPlugin is a plugin that is no longer maintained.
type retiredPlugin struct {
	// instead is what takes its place.
	instead string
	// source is where it says so.
	source string
}

// Where it is said that plugins are retired.
const (
	fromReadme   = "a notice in the repository's own README"
	fromRegistry = "npm: no release for years, and none to come in its repository"
	fromPlatform = "the release notes of the platform that has it built in"
)

// retired are plugins that are no longer maintained, and what takes their
// place.
var retired = map[string]retiredPlugin{
	"cordova-plugin-http":       {"cordova-plugin-advanced-http, its maintained successor", fromRegistry},
	"com.synconset.cordovaHTTP": {"cordova-plugin-advanced-http, its maintained successor", fromRegistry},
	"com-intel-security-cordova-plugin": {"the platform's own key store and pinning at the network layer; " +
		"its last release (December 2016) carries OpenSSL 1.0.2h", fromRegistry},
	"cordova-plugin-contacts":      {"a maintained contacts plugin; the repository is archived", fromReadme},
	"cordova-plugin-globalization": {"the Intl API of the web view", fromReadme},
	"cordova-plugin-console":       {"console, which the web views support themselves", fromReadme},
	"cordova-plugin-crosswalk-webview": {"the system web view; Crosswalk's Chromium is from 2016 and has " +
		"known holes", fromReadme},
	"cordova-plugin-wkwebview-engine": {
		"cordova-ios 6 and later, which has WKWebView built in",
		fromPlatform,
	},
	"cordova-plugin-device-orientation": {"the DeviceOrientation API of the web view", fromReadme},
	"cordova-plugin-device-motion":      {"the DeviceMotion API of the web view", fromReadme},
	"cordova-plugin-ms-azure-mobile-apps": {
		"a maintained backend client; the service and its SDK are retired",
		fromReadme,
	},
	"cordova-plugin-ms-adal": {"MSAL; ADAL is out of support", fromReadme},
	"phonegap-plugin-push": {
		"@havesource/cordova-plugin-push, its maintained fork",
		fromReadme,
	},
	"phonegap-plugin-barcodescanner": {
		"a maintained scanner plugin; the repository is archived",
		fromReadme,
	},
	"cordova-plugin-compat": {"nothing: it is part of cordova-android", fromPlatform},
	"cordova-plugin-legacy-whitelist": {
		"the built-in list of cordova-android 10 and later",
		fromPlatform,
	},
	"cordova-plugin-android-support-gradle-release": {"AndroidX, which cordova-android 9 and later use", fromPlatform},
}

// oldRegistry begins the names of the plugin registry that was closed in 2016.
const oldRegistry = "org.apache.cordova."

func (r *run) retired(name string, place policy.Place, options []option) {
	if rest, old := strings.CutPrefix(name, oldRegistry); old {
		r.report(place, options, "%s is a name of the plugin registry that was closed in 2016; use the npm package "+
			"cordova-plugin-%s", name, strings.ReplaceAll(rest, ".", "-"))
		return
	}
	if p, ok := retired[name]; ok {
		r.report(place, options, "%s is retired; use %s", name, p.instead)
	}
}

func checkRetired(r *run) {
	named := make(map[string]bool)
	for _, p := range r.plugins {
		named[p.name] = true
		r.retired(p.name, p.place, nil)
	}
	r.lockedPlugins(func(name, version, deprecated string, place policy.Place) {
		_, known := retired[name]
		switch {
		case deprecated != "" && !(known && named[name]):
			r.report(place, []option{since(2)}, "%s %s is deprecated by its maintainers: %s", name, version,
				quote(deprecated))
		case !named[name]:
			r.retired(name, place, []option{since(2)})
		}
	})
}

// lockedPlugins calls visit for the plugins that package-lock.json holds, with what
// npm noted of their deprecation. It is read only if it names one.
func (r *run) lockedPlugins(visit func(name, version, deprecated string, place policy.Place)) {
	lock := &r.project.Lock
	if !mayHoldPlugins(lock.Data) {
		return
	}
	root, err := jsonspan.Parse(lock.Data)
	if err != nil {
		return // which is a finding of its own
	}
	members, seen := root.At("packages").Members, make(map[string]bool)
	if len(members) == 0 {
		members = root.At("dependencies").Members // of npm before 7
	}
	for _, m := range members {
		name := m.Key
		if i := strings.LastIndex(name, "node_modules/"); i >= 0 {
			name = name[i+len("node_modules/"):]
		}
		if _, known := retired[name]; seen[name] || !known && !isPluginPackage(name) {
			continue
		}
		seen[name] = true
		version, _ := m.Value.At("version").Text()
		deprecated, _ := m.Value.At("deprecated").Text()
		visit(name, version, deprecated, r.placeIn(lock, app.Span{Start: m.Start, End: m.Start + len(m.Key) + 2}))
	}
}

// mayHoldPlugins reports whether a file of many thousand lines names a plugin.
func mayHoldPlugins(data []byte) bool {
	for _, part := range []string{"cordova", "phonegap", "@capacitor/", "com-intel-security", "com.synconset"} {
		if bytes.Contains(data, []byte(part)) {
			return true
		}
	}
	return false
}
