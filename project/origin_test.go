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
		"an address as id": {"plugins/fetch.json",
			`{"cordova-plugin-camera": {"source": {"type": "registry", "id": "https://github.com/me/fork#x"}}}`},
		"an address with a user": {"plugins/fetch.json",
			`{"cordova-plugin-camera": {"source": {"type": "registry", "id": "git+ssh://git@a.example/x.git"}}}`},
		"another package": {"plugins/fetch.json",
			`{"cordova-plugin-camera": {"source": {"type": "registry", "id": "@me/camera@4.2.1"}}}`},
		"an alias": {"plugins/fetch.json",
			`{"cordova-plugin-camera": {"source": {"id": "cordova-plugin-camera@npm:other@1.2.3"}}}`},
		"a package named like a range": {"plugins/fetch.json",
			`{"cordova-plugin-camera": {"source": {"type": "registry", "id": "4.0.0"}}}`},
		"an alias in a list": {"package.json", `{"cordova": {"plugins": ["cordova-plugin-camera@npm:other@1.2.3"]}}`},
		"a plugin": {"plugins/x/plugin.xml",
			`<plugin id="x"><dependency id="cordova-plugin-camera" url="https://a.example/fork.git"/></plugin>`},
	} {
		p := reads(t, append(files, "config.xml", catchAll)...)
		if unknown := p.Ships().Unknowns(); len(unknown) != 1 || len(p.Missing()) != 1 {
			t.Errorf("%s: unknown %v, missing %v", what, unknown, p.Missing())
		}
	}
	const camera = "cordova-plugin-camera"
	for _, id := range []string{camera + "@~2.3.0", camera, camera + "@latest"} {
		p := reads(t, "config.xml", catchAll, "plugins/fetch.json",
			`{"cordova-plugin-camera": {"source": {"type": "registry", "id": "`+id+`"}}}`)
		if unknown := p.Ships().Unknowns(); len(unknown) != 0 {
			t.Errorf("%s is from the registry: %v", id, unknown)
		}
	}
}

// config.xml says where a plugin comes from by spec, else src, else version.
func TestPluginElementFromElsewhere(t *testing.T) {
	const camera = `<plugin name="cordova-plugin-camera" `
	for attributes, want := range map[string]string{
		`src="https://github.com/me/fork.git"`:                 "https://github.com/me/fork.git",
		`src="https://github.com/me/fork.git" version="8.0.0"`: "https://github.com/me/fork.git",
		`spec="8.0.0" src="https://github.com/me/fork.git"`:    "8.0.0",
		`spec="" version="8.0.0"`:                              "8.0.0",
	} {
		p := reads(t, "config.xml", `<widget>`+camera+attributes+`/></widget>`)
		known := want == "8.0.0"
		if p.Plugins[0].Spec != want || len(p.Ships().Unknowns()) == 0 != known || len(p.Missing()) == 0 != known {
			t.Errorf("%s: %+v, unknown %v", attributes, p.Plugins, p.Ships().Unknowns())
		}
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
