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
			p.Built = append(p.Built, app.Built{Platform: b.platform, Document: doc,
				Extra: extra(doc, p.Effective, b.platform)})
		}
	}
	r.doubtBuilt()
}

// doubtBuilt notes the entries of the list that only a built file has: the app that
// it is of lets them in, and whether the next one does is not known. The classes of
// plugins that it names are part of what ships: pages may call them.
func (r *reader) doubtBuilt() {
	p := r.project
	var add configxml.Additions
	missing := slices.ContainsFunc(p.Plugins, func(plugin app.Plugin) bool { return plugin.Manifest == "" })
	for i := range p.Built {
		b := &p.Built[i]
		for _, e := range b.Extra {
			at := e.Place()
			what := fmt.Sprintf("<%s> %q stands in the built file %s:%d and nowhere in the project", e.Name,
				e.Value("origin")+e.Value("href")+e.Value("name"), at.File, at.Line)
			switch {
			case e.Name == "preference":
				continue
			case e.Name == "feature":
				add.Parts = append(add.Parts, configxml.Part{Platform: b.Platform, Elements: []*configxml.Element{e}})
				if missing {
					continue // it may be that of a plugin that is named and not there
				}
			}
			add.Unknown = append(add.Unknown, configxml.Unknown{What: what, Place: at, Platform: b.Platform})
		}
		if missing {
			b.Extra = slices.DeleteFunc(b.Extra, func(e *configxml.Element) bool { return e.Name == "feature" })
		}
	}
	if len(add.Parts)+len(add.Unknown) > 0 {
		p.Effective = configxml.Effective(p.Effective.Name(), p.Effective, add)
	}
}

// extra returns the entries of a built file that a document does not have for the
// platform: entries of the list, plugins' classes, and settings of the app's own origin.
func extra(built, doc *configxml.Document, platform string) []*configxml.Element {
	have := make(map[string]bool)
	for _, top := range doc.For(platform) {
		top.Walk(func(e *configxml.Element) bool {
			have[entryKey(e)] = true
			return true
		})
	}
	var list []*configxml.Element
	for _, e := range built.For(platform) {
		key := entryKey(e)
		if key == "" || have[key] {
			continue
		}
		if e.Name == "preference" { // one that was overridden does not count
			if value, ok := built.Preference(platform, e.Value("name")); ok && value != e.Value("value") {
				continue
			}
		}
		have[key] = true
		list = append(list, e)
	}
	return list
}

// ownSettings are the preferences that say where the app's own pages come from.
var ownSettings = map[string]bool{"scheme": true, "hostname": true, "iosscheme": true, "wkport": true,
	"androidinsecurefilemodeenabled": true, "mixedcontentmode": true}

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
		if name = strings.ToLower(e.Value("name")); !ownSettings[name] {
			return ""
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
