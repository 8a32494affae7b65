package project_test

import (
	"testing"
)

// A plugin that is named and not there is unknown where it comes from elsewhere than
// the registry, whatever its id is, and wherever that is said.
func TestPluginFromElsewhere(t *testing.T) {
	for what, files := range map[string][]string{
		"package.json": {"package.json", `{"dependencies": {"cordova-plugin-camera": "github:evil/fork"}}`},
		"a list": {"package.json", `{"cordova": {"plugins": ["cordova-plugin-camera"]},` +
			`"devDependencies": {"cordova-plugin-camera": "npm:fork@4.0.0"}}`},
		"outside": {"package.json", `{"dependencies": {"cordova-plugin-camera": "file:../fork"}}`},
		"fetch.json": {"plugins/fetch.json",
			`{"cordova-plugin-camera": {"source": {"type": "git", "url": "https://a.example/fork.git"}}}`},
		"a plugin": {"plugins/x/plugin.xml",
			`<plugin id="x"><dependency id="cordova-plugin-camera" url="https://a.example/fork.git"/></plugin>`},
	} {
		p := reads(t, append(files, "config.xml", catchAll)...)
		if unknown := p.Ships().Unknowns(); len(unknown) != 1 || len(p.Missing()) != 1 {
			t.Errorf("%s: unknown %v, missing %v", what, unknown, p.Missing())
		}
	}
	p := reads(t, "config.xml", catchAll, "plugins/fetch.json",
		`{"cordova-plugin-camera": {"source": {"type": "registry", "id": "cordova-plugin-camera@~2.3.0"}}}`)
	if unknown := p.Ships().Unknowns(); len(unknown) != 0 {
		t.Errorf("from the registry: %v", unknown)
	}
}

// A plugin that is a folder of the project is read there.
func TestPluginInAFolderOfTheProject(t *testing.T) {
	const at = "own/metrics/plugin.xml"
	for _, spec := range []string{"file:own/metrics", "./own/metrics", `.\\own\\metrics`, "file:./own/x/../metrics/"} {
		p := reads(t, "config.xml", catchAll, "package.json", `{"dependencies": {"metrics": "`+spec+`"}}`, at, metrics)
		if len(p.Plugins) != 1 || p.Plugins[0].Manifest != at || len(p.Ships().Unknowns()) != 0 {
			t.Errorf("%s: plugins %+v, unknown %v", spec, p.Plugins, p.Ships().Unknowns())
		}
	}
	p := reads(t, "config.xml", `<widget xmlns="http://www.w3.org/ns/widgets">
<plugin name="cordova-plugin-ionic-webview" spec="./own/metrics"/></widget>`, at, metrics)
	if got := decides(t, p, "ios@7.1.0", "navigation", "https://ios.example/"); got != "allow "+at+":12" {
		t.Error(got)
	}
}
