package needs

import (
	"slices"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/plugins"
)

// pluginScheme is a scheme whose URLs a plugin hands to pages.
type pluginScheme struct {
	plugins    []string
	platform   string // "" for all
	source     string
	directives []string
	// what is the end of the sentence that begins with the plugin.
	what string
}

// pluginSchemes is the one table of what plugins hand to pages, with where each
// row is written.
var pluginSchemes = []pluginScheme{
	// README.md of cordova-plugin-camera 7.0.0, "Camera.DestinationType"; img-src in the page of
	// cordova-app-hello-world 5.0.0
	{[]string{"cordova-plugin-camera", "org.apache.cordova.camera"}, "android", "content:", []string{"img-src"},
		"names pictures by content: URLs"},
	// README.md of cordova-plugin-file 8.1.3, "cdvfile protocol"
	{[]string{"cordova-plugin-file", "org.apache.cordova.file"}, "", "cdvfile:", []string{"img-src", "media-src"},
		"names files by cdvfile: URLs"},
	// README.md of cordova-plugin-photo-library 2.3.1
	{[]string{"cordova-plugin-photo-library"}, "", "cdvphotolibrary:", []string{"img-src"},
		"names pictures by cdvphotolibrary: URLs"},
}

// ofPlugins lists what the app's plugins need on a platform, "" for all.
func ofPlugins(a *app.App, platform string) []Need {
	var list []Need
	for _, row := range pluginSchemes {
		if row.platform != "" && platform != "" && row.platform != platform || !targets(a, row.platform) {
			continue
		}
		for _, p := range pluginsOf(a) {
			if !slices.Contains(row.plugins, p.name) {
				continue
			}
			for _, d := range row.directives {
				list = append(list, Need{Directive: d, Source: row.source, What: row.what, By: p.name, Place: p.place})
			}
		}
	}
	return list
}

// targets reports whether the app ships to a platform, "" for any.
func targets(a *app.App, platform string) bool {
	return platform == "" ||
		slices.ContainsFunc(a.Targets, func(t policy.Target) bool { return t.Platform == platform })
}

// ofPlatform is what the bridge to native code itself needs: cordova-ios before 6
// wakes native code by a frame that asks for gap://ready (cordova-js-src/exec.js of
// 5.1.1), unless a plugin replaces its web view.
func ofPlatform(a *app.App, platform string) []Need {
	if platform != "" && platform != "ios" {
		return nil
	}
	if slices.ContainsFunc(pluginsOf(a), func(p plugin) bool { return plugins.BringsWKWebView(p.name) }) {
		return nil
	}
	for _, t := range a.Targets {
		if t.Platform == "ios" && !t.Version.IsZero() && !t.Version.AtLeast(6, 0, 0) {
			return []Need{{Directive: "frame-src", Source: "gap:", By: t.String(),
				What: "calls native code by a frame of gap:"}}
		}
	}
	return nil
}

// plugin is one that the project names or has installed.
type plugin struct {
	name  string
	place policy.Place
}

// pluginsOf lists the app's plugins: those that were looked for, else those that
// config.xml and package.json name.
func pluginsOf(a *app.App) []plugin {
	var list []plugin
	for _, p := range a.Plugins {
		list = append(list, plugin{p.ID, p.Place})
	}
	if list != nil {
		return list
	}
	if a.Config != nil {
		for _, e := range a.Config.Root().Children {
			if name := e.Value("name"); e.Name == "plugin" && name != "" {
				list = append(list, plugin{name, e.Place()})
			}
		}
	}
	root, err := jsonspan.Parse(a.Package.Data)
	if err != nil {
		return list // no file, or one that check complains about
	}
	for _, path := range [][]string{{"dependencies"}, {"devDependencies"}, {"cordova", "plugins"}} {
		for _, m := range root.At(path...).Members {
			list = append(list, plugin{m.Key, a.Package.Place(m.Start, m.Value.End)})
		}
	}
	return list
}
