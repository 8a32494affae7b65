package project_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const hookPlugin = `<plugin id="p">
<hook type="after_plugin_install" src="scripts/install.js"/>
<platform name="ios"><hook type="BEFORE_BUILD" src="scripts/build.js"/></platform>
<hook type="after_serve" src="scripts/serve.js"/><hook type="after_prepare"/>
</plugin>`

// TestHooks: the programs that the tools run, of the app and of its plugins.
func TestHooks(t *testing.T) {
	shown := func(files ...string) []string {
		var list []string
		for _, h := range read(t, folder(files...)).Hooks {
			list = append(list, h.When+" "+h.Runs+" "+h.Plugin+" "+h.Place.String())
		}
		return list
	}
	plugin := []string{"plugins/p/plugin.xml", hookPlugin}
	got := shown(append(plugin, "config.xml", `<widget><hook type="after_prepare" src="scripts/a.js"/>
<platform name="android"><hook type="before_compile" src="scripts/b.js"/></platform></widget>`,
		"hooks/after_prepare/010.js", "", "hooks/README.md", "", "hooks/after_prepare/README.md", "")...)
	want := []string{
		"after_prepare scripts/a.js  config.xml:1:9", "before_compile scripts/b.js  config.xml:2:26",
		"after_prepare hooks/after_prepare/010.js  hooks/after_prepare/010.js:1:1",
		"after_plugin_install plugins/p/scripts/install.js p plugins/p/plugin.xml:2:1",
		"before_build plugins/p/scripts/build.js p plugins/p/plugin.xml:3:22",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// Capacitor runs scripts, its plugins' as well, and no hook of a plugin.xml.
	got = shown(append(plugin, "capacitor.config.json", "{}", "package.json", `{
"scripts": {"capacitor:sync:after": "TOKEN=secret node fix.js --key=secret", "capacitor:open": "x", "build": "y"},
"dependencies": {"@x/plugin": "1", "gone": "1", "lib": "1"}}`,
		"node_modules/@x/plugin/package.json", `{"scripts": {"capacitor:copy:before": "make"}}`,
		"node_modules/lib/package.json", `{"scripts": {"build": "make"}}`)...)
	want = []string{
		"capacitor:sync:after node fix.js  package.json:2:13",
		"capacitor:copy:before make @x/plugin node_modules/@x/plugin/package.json:1:14",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
