package folder_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/project/folder"
)

const (
	metricsApp  = `{"dependencies": {"metrics": "1.0.0", "cordova-plugin-loop": "1.0.0"}}`
	metricsList = `<plugin id="metrics" version="1.0.0"><config-file target="config.xml" parent="/*">
<access origin="https://metrics.example"/></config-file></plugin>`
)

// Packages of folders above are read up to the root of the workspace, whatever marks it,
// and never beyond; a link that leads to itself is said.
func TestPackagesOfAWorkspace(t *testing.T) {
	for name, test := range map[string]struct {
		mark, text, plugin string
		found              bool
	}{
		"npm":       {"work/package.json", `{"workspaces": ["app"]}`, "work/node_modules/metrics", true},
		"yarn":      {"work/package.json", `{"workspaces": {"packages": ["app"]}}`, "work/node_modules/metrics", true},
		"pnpm":      {"work/pnpm-workspace.yaml", "", "work/node_modules/metrics", true},
		"lerna":     {"work/lerna.json", "{}", "work/node_modules/metrics", true},
		"nx":        {"work/nx.json", "{}", "work/node_modules/metrics", true},
		"git":       {"work/.git/HEAD", "", "work/node_modules/metrics", true},
		"in a file": {"work/.git", "gitdir: x", "work/node_modules/metrics", true},
		"no mark":   {"work/package.json", `{"workspaces": null}`, "work/node_modules/metrics", false},
		"beyond":    {"work/nx.json", "{}", "node_modules/metrics", false},
		"own root":  {"work/app/nx.json", "{}", "work/node_modules/metrics", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := app(t, map[string]string{test.mark: test.text, test.plugin + "/plugin.xml": metricsList,
				"work/app/config.xml": widget, "work/app/package.json": metricsApp, "work/app/node_modules/x/y": ""})
			at := filepath.Join(dir, "work", "app")
			const loop = "cordova-plugin-loop"
			if err := os.Symlink(loop, filepath.Join(at, "node_modules", loop)); err != nil {
				t.Skip("this system makes no links: " + err.Error())
			}
			read, err := folder.OpenShips(at, nil)
			if err != nil {
				t.Fatal(err)
			}
			compiled, err := dialect.Compile(read.Ships(), policy.Target{Platform: dialect.Strict})
			if err != nil {
				t.Fatal(err)
			}
			d := compiled.Decide(policy.Request{URL: "https://metrics.example/", Kind: policy.XHR})
			if got := d.Verdict == policy.Allow; got != test.found {
				t.Errorf("the plugin is found: %v, want %v", got, test.found)
			}
			if test.found && d.Rule.Place.File != "../node_modules/metrics/plugin.xml" {
				t.Errorf("at %s", d.Rule.Place)
			}
			var unknown []string
			for _, u := range read.Ships().Unknowns() {
				unknown = append(unknown, u.What)
			}
			if all := strings.Join(unknown, "\n"); !strings.Contains(all, "cordova-plugin-loop") {
				t.Errorf("a link that leads to itself is not said: %s", all)
			}
		})
	}
}
