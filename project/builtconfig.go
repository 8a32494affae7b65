package project

import (
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// builtConfigs are where platforms keep the config.xml that they are built with.
var builtConfigs = []struct{ platform, pattern string }{
	{"android", "platforms/android/app/src/main/res/xml/config.xml"},
	{"android", "platforms/android/res/xml/config.xml"},
	{"ios", "platforms/ios/*/config.xml"},
}

// built compares the config.xml files that platforms were built with with what the
// project says now. The project is what the next build is made of; what stands in
// the built file alone ships until then, or comes from a hook.
func (r *reader) built() {
	p := r.project
	if p.Config == nil || p.Effective == nil {
		return
	}
	for _, b := range builtConfigs {
		matches, _ := fs.Glob(r.fsys, b.pattern) // the patterns are well formed
		for _, name := range matches {
			if name == p.Config.Name() || strings.HasPrefix(p.Config.Name(), "platforms/") || !r.readable(name) {
				continue
			}
			doc, err := ReadConfig(r.fsys, name)
			if err != nil {
				r.cannot(name, lineAndWhy(err), "")
				continue
			}
			made := app.Built{Platform: b.platform, Document: doc}
			made.Extra, made.More = extra(doc, p.Effective, b.platform)
			p.Built = append(p.Built, made)
		}
	}
	r.doubtBuilt()
}

// maxExtra is how many entries that only a built file has are looked at, maxTold how
// many of them are told one by one among what is not known.
const maxExtra, maxTold = 1000, 10

// doubtBuilt notes the entries of the list and the settings of the app's own origin that
// only a built file has: the app that it is of has them, and whether the next one does
// is not known. The classes of plugins that it names are part of what ships: pages may
// call them.
func (r *reader) doubtBuilt() {
	p := r.project
	var add configxml.Additions
	missing := slices.ContainsFunc(p.Plugins, func(plugin app.Plugin) bool { return plugin.Manifest == "" })
	for i := range p.Built {
		b := &p.Built[i]
		for _, e := range b.Extra {
			if e.Name == "feature" {
				add.Parts = append(add.Parts, configxml.Part{Platform: b.Platform, Elements: []*configxml.Element{e}})
			}
		}
		if missing { // a class may be that of a plugin that is named and not there
			b.Extra = slices.DeleteFunc(b.Extra, func(e *configxml.Element) bool { return e.Name == "feature" })
		}
		add.Unknown = append(add.Unknown, doubts(b)...)
	}
	if len(add.Parts)+len(add.Unknown) > 0 {
		p.Effective = configxml.Effective(p.Effective.Name(), p.Effective, add)
	}
}

// doubts are what is not known of a built file's own entries: the first ones, and how
// many more there are.
func doubts(b *app.Built) []configxml.Unknown {
	var list []configxml.Unknown
	for i, e := range b.Extra {
		u := configxml.Unknown{Place: e.Place(), Platform: b.Platform}
		if i == maxTold {
			u.What = fmt.Sprintf("%d more entries stand in the built file %s and nowhere in the project",
				len(b.Extra)-i+b.More, u.Place.File)
			return append(list, u)
		}
		said := e.Value("origin") + e.Value("href") + e.Value("name")
		u.What = fmt.Sprintf("<%s> %q stands in the built file %s:%d and nowhere in the project", e.Name, said,
			u.Place.File, u.Place.Line)
		if e.Name == "preference" {
			u.What = fmt.Sprintf("<preference> %q with the value %q stands in the built file %s:%d and nowhere in the "+
				"project", said, e.Value("value"), u.Place.File, u.Place.Line)
		}
		list = append(list, u)
	}
	return list
}

// extra returns the entries of a built file that a document does not have for the
// platform: entries of the list, plugins' classes, and settings of the app's own origin;
// and how many more there are.
func extra(built, doc *configxml.Document, platform string) (list []*configxml.Element, more int) {
	have := make(map[string]bool)
	for _, top := range doc.For(platform) {
		top.Walk(func(e *configxml.Element) bool {
			have[entryKey(e)] = true
			return true
		})
	}
	entries := built.For(platform)
	last := make(map[string]string) // a preference that is overridden does not count
	for _, e := range entries {
		if e.Name == "preference" {
			last[strings.ToLower(e.Value("name"))] = e.Value("value")
		}
	}
	for _, e := range entries {
		key := entryKey(e)
		if key == "" || have[key] ||
			e.Name == "preference" && last[strings.ToLower(e.Value("name"))] != e.Value("value") {
			continue
		}
		have[key] = true
		if len(list) == maxExtra {
			more++
			continue
		}
		list = append(list, e)
	}
	return list, more
}

// ownSettings are the preferences that say where the app's own pages come from, and what
// they run in.
var ownSettings = map[string]bool{"scheme": true, "hostname": true, "iosscheme": true, "wkport": true,
	"androidinsecurefilemodeenabled": true, "mixedcontentmode": true, "cordovawebviewengine": true}

// ownClasses are the classes that each app of cordova-ios 4.0 to 8.1 and of
// cordova-android 3 has without any plugin: the defaults.xml or config.xml of their
// templates.
var ownClasses = map[string]bool{"CDVLocalStorage": true, "CDVLogger": true, "CDVHandleOpenURL": true,
	"CDVIntentAndNavigationFilter": true, "CDVGestureHandler": true, "CDVLaunchScreen": true,
	"CDVWebViewEngine": true, "CDVStatusBarInternal": true, "org.apache.cordova.App": true}

// ofPlatform reports whether a feature is the platform's own.
func ofPlatform(e *configxml.Element) bool {
	own := false
	for _, param := range e.Children {
		if name := param.Value("name"); name == "ios-package" || name == "android-package" {
			if own = ownClasses[param.Value("value")]; !own {
				return false
			}
		}
	}
	return own
}

// entryKey is the same for entries that say the same, and "" for what is none.
func entryKey(e *configxml.Element) string {
	name := ""
	switch e.Name {
	case "preference":
		name = strings.ToLower(e.Value("name"))
		if !ownSettings[name] || name == "cordovawebviewengine" && e.Value("value") != "CDVWKWebViewEngine" {
			return "" // the platform's own engine is what it takes by itself
		}
		return "preference " + name + "=" + e.Value("value")
	case "feature":
		if ofPlatform(e) {
			return ""
		}
		return "feature " + e.Value("name")
	case "access", "allow-navigation", "allow-intent":
	default:
		return ""
	}
	var attributes []string
	for _, a := range e.Attrs {
		if a.Prefix == "" {
			attributes = append(attributes, a.Name+"="+a.Value)
		}
	}
	sort.Strings(attributes)
	return e.Name + " " + strings.Join(attributes, "\x00")
}
