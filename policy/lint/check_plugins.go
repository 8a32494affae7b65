package lint

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// plugin is one plugin that the project names, and where.
type plugin struct {
	name  string
	place policy.Place
	// element is the plugin's element in config.xml, or nil.
	element *configxml.Element
}

// findPlugins lists the plugins of config.xml (<plugin name spec>, the older
// <gap:plugin> and <vs:plugin name version>, <feature> with an id) and of
// package.json, in that order.
func findPlugins(p *app.App) []plugin {
	var list []plugin
	if p.Config != nil {
		p.Config.Root().Walk(func(e *configxml.Element) bool {
			name := ""
			switch e.Name {
			case "plugin":
				name = e.Value("name")
			case "feature":
				name = featureID(e)
			}
			if name != "" {
				list = append(list, plugin{name: name, place: p.Config.Place(e.Start, e.TagEnd), element: e})
			}
			return true
		})
	}
	seen := make(map[string]bool)
	manifest, err := jsonspan.Parse(p.Package.Data)
	if err != nil {
		return list // which is a finding of its own, unless there is no file
	}
	for _, path := range [][]string{{"dependencies"}, {"devDependencies"}, {"cordova", "plugins"}} {
		for _, m := range manifest.At(path...).Members {
			if isPluginPackage(m.Key) && !seen[m.Key] {
				seen[m.Key] = true
				list = append(list, plugin{name: m.Key, place: p.Package.Place(m.Start, m.Value.End)})
			}
		}
	}
	return list
}

// featureID returns the plugin id of <feature><param name="id" value="…"/>,
// as PhoneGap and Cordova 3 wrote it.
func featureID(e *configxml.Element) string {
	for _, child := range e.Children {
		if child.Name == "param" && child.Value("name") == "id" {
			return child.Value("value")
		}
	}
	return ""
}

func isPluginPackage(name string) bool {
	for _, part := range []string{"cordova-plugin", "phonegap-plugin", "cordova-sqlite", "-cordova-plugin",
		"cordova.plugins.", "com-intel-security"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return strings.HasPrefix(name, "org.apache.cordova.") ||
		strings.HasPrefix(name, "@awesome-cordova-plugins/") || strings.HasPrefix(name, "@capacitor/") &&
		name != "@capacitor/cli" && name != "@capacitor/core" && name != "@capacitor/android" &&
		name != "@capacitor/ios"
}

// pluginSummary names some plugins that pages can call, for a message, or is
// "" where there are none.
func (r *run) pluginSummary() string {
	seen := make(map[string]bool)
	var list []string
	for _, p := range r.plugins {
		if !seen[p.name] && p.name != whitelistPlugin && p.name != whitelistPluginOld {
			seen[p.name] = true
			list = append(list, p.name)
		}
	}
	sort.Strings(list)
	switch len(list) {
	case 0:
		return ""
	case 1:
		return "plugin " + list[0]
	}
	if len(list) > 3 {
		return fmt.Sprintf("%d plugins (%s, …)", len(list), strings.Join(list[:3], ", "))
	}
	return "plugins " + wording.Join(list)
}

const (
	whitelistPlugin    = "cordova-plugin-whitelist"
	whitelistPluginOld = "cordova-plugin-legacy-whitelist"
)

// android splits the project's Android targets at version 10.
func (r *run) android() (reads, builtIn []*reading) {
	for _, rd := range r.targets {
		switch {
		case rd.target.Platform != "android":
		case rd.target.Version.AtLeast(10, 0, 0):
			builtIn = append(builtIn, rd)
		case rd.target.Version.AtLeast(4, 0, 0):
			reads = append(reads, rd)
		}
	}
	return reads, builtIn
}

func checkWhitelistObsolete(r *run) {
	reads, builtIn := r.android()
	if len(reads) > 0 || len(builtIn) == 0 {
		return
	}
	for _, p := range r.plugins {
		if p.name != whitelistPlugin && p.name != whitelistPluginOld {
			continue
		}
		options := []option{on(builtIn)}
		if p.element != nil {
			options = append(options, r.fixed("remove the plugin", r.project.Config.Removal(p.element)))
		}
		r.report(p.place, options, "%s is not used by %s, which has the list built in", p.name, names(builtIn))
	}
}

func checkWhitelistMissing(r *run) {
	reads, _ := r.android()
	if len(reads) == 0 {
		return
	}
	for _, p := range r.plugins {
		if p.name == whitelistPlugin || p.name == whitelistPluginOld {
			return
		}
	}
	for _, e := range r.entries { // a built config.xml names the plugin as a feature: the dialect knows
		if e.role != forContent && slices.ContainsFunc(reads, func(rd *reading) bool { return rd.grantsAny(e) }) {
			return
		}
	}
	for _, e := range r.entries {
		if e.role != forContent && (e.scope == "" || e.scope == "android") {
			r.report(r.at(e.element), []option{on(reads)},
				"on %s this and every other entry has no effect without %s", names(reads), whitelistPlugin)
			return
		}
	}
}

// certificatePlugins make the web view accept every certificate.
var certificatePlugins = map[string]bool{"cordova-plugin-certificates": true}

func checkCertificatePlugin(r *run) {
	for _, p := range r.plugins {
		if certificatePlugins[p.name] {
			r.report(p.place, nil, "%s makes the web view accept every certificate", p.name)
		}
	}
}
