package project

import (
	"fmt"
	"io/fs"
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
				r.skip(name, lineAndWhy(err))
				continue
			}
			made := app.Built{Platform: b.platform, Document: doc}
			made.Extra = extra(doc, p.Effective, b.platform)
			p.Built = append(p.Built, made)
		}
	}
	r.doubtBuilt()
}

// doubtBuilt notes the entries of the list that only a built file has: the app that
// it is of lets them in, and whether the next one does is not known.
func (r *reader) doubtBuilt() {
	p := r.project
	var unknowns []configxml.Unknown
	for i := range p.Built {
		for _, e := range p.Built[i].Extra {
			if e.Name == "preference" {
				continue
			}
			at := e.Place()
			unknowns = append(unknowns, configxml.Unknown{Place: at, Platform: p.Built[i].Platform,
				What: fmt.Sprintf("<%s> %q stands in the built file %s:%d and nowhere in the project", e.Name,
					e.Value("origin")+e.Value("href"), at.File, at.Line)})
		}
	}
	if len(unknowns) > 0 {
		p.Effective = configxml.Effective(p.Effective.Name(), p.Effective, configxml.Additions{Unknown: unknowns})
	}
}

// extra returns the entries of a built file that a document does not have for the
// platform: entries of the list, and settings of the app's own origin.
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

// entryKey is the same for entries that say the same, and "" for what is none.
func entryKey(e *configxml.Element) string {
	name := ""
	switch e.Name {
	case "preference":
		if name = strings.ToLower(e.Value("name")); !ownSettings[name] {
			return ""
		}
		return "preference " + name + "=" + e.Value("value")
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
