package project_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/project"
)

// member reads an app in a folder of a workspace.
func member(t *testing.T, dir string, files fstest.MapFS) *app.App {
	t.Helper()
	p, err := project.ReadShips(project.Within(files, dir), project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const dependsOnMetrics = `{"name": "mobile", "dependencies": {"metrics": "1", "cordova-android": "^12.0.0"}}`

// A workspace keeps its packages further up: they are read there, as Node finds them, and
// their places lead there.
func TestHoistedPackages(t *testing.T) {
	const hoisted = "../../node_modules/metrics/plugin.xml"
	files := folder("package.json", `{"workspaces": ["apps/*"]}`, "node_modules/metrics/plugin.xml", metrics,
		"node_modules/metrics/package.json", "{}",
		"node_modules/cordova-android/package.json", `{"version": "12.0.1"}`,
		"apps/mobile/config.xml", widget, "apps/mobile/package.json", dependsOnMetrics,
		"apps/mobile/node_modules/.bin/x", "")
	p := member(t, "apps/mobile", files)
	if got := decides(t, p, "android@13.0.0", "navigation", "https://usual.example/"); got != "allow "+hoisted+":5" {
		t.Error(got)
	}
	if got := targetList(p.Targets); got != "android@12.0.1" || len(p.Assumed) != 0 {
		t.Errorf("targets %s, assumed %v", got, p.Assumed)
	}
	if len(p.Plugins) != 1 || p.Plugins[0].Manifest != hoisted || len(p.Ships().Unknowns()) != 0 {
		t.Errorf("plugins %+v, unknown %v", p.Plugins, p.Ships().Unknowns())
	}
	// The nearest package counts, also where it is no plugin.
	files["apps/node_modules/metrics/package.json"] = &fstest.MapFile{Data: []byte("{}")}
	if p = member(t, "apps/mobile", files); len(p.Plugins) != 0 {
		t.Errorf("a package further up counts before a nearer one: %+v", p.Plugins)
	}
	// Nothing above the larger folder is there.
	if p = member(t, "mobile", folder("mobile/config.xml", widget, "mobile/package.json", dependsOnMetrics,
		"mobile/node_modules/x", "")); len(p.Plugins) != 0 || targetList(p.Assumed) != "android@12.0.0" {
		t.Errorf("plugins %+v, assumed %v", p.Plugins, p.Assumed)
	}
}

// What a plugin depends on is looked for from where the plugin stands: pnpm keeps it
// beside the folder that its link leads to.
func TestDependenciesBesideAPlugin(t *testing.T) {
	const store = "node_modules/.pnpm/outer@1.0.0/node_modules/"
	files := folder("pnpm-workspace.yaml", "", "app/config.xml", `<widget><plugin name="outer"/></widget>`,
		store+"outer/plugin.xml", `<plugin id="outer"><dependency id="metrics"/></plugin>`,
		store+"outer/package.json", "{}", "node_modules/.pnpm/metrics@2/node_modules/metrics/plugin.xml", metrics)
	link := func(name, target string) {
		files[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
	}
	link("app/node_modules/outer", "../../"+store+"outer")
	link(store+"metrics", "../../metrics@2/node_modules/metrics")
	p := member(t, "app", files)
	want := "allow ../" + store + "metrics/plugin.xml:5"
	if got := decides(t, p, "android@13.0.0", "navigation", "https://usual.example/"); got != want {
		t.Errorf("%s, want %s; unknown: %v", got, want, p.Ships().Unknowns())
	}
}

// The workspace's package-lock.json says what its members get, each for itself.
func TestVersionOfTheWorkspacesLock(t *testing.T) {
	const lock = `{"packages": {"node_modules/mobile": {"resolved": "apps/mobile", "link": true}, "apps/mobile": {},
"node_modules/cordova-android": {"version": "11.0.0"}, "node_modules/other": {"resolved": "apps/other", "link": true},
"apps/other/node_modules/cordova-android": {"version": "13.0.0"}}}`
	for name, want := range map[string]string{"mobile": "android@11.0.0", "other": "android@13.0.0",
		"stranger": "android@14.0.1"} {
		p := member(t, "apps/x", folder("package-lock.json", lock, "apps/x/config.xml", widget, "apps/x/package.json",
			strings.NewReplacer("mobile", name, "^12.0.0", "11 - 14").Replace(dependsOnMetrics)))
		if got := targetList(p.Targets); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// A name leads up to the root of the larger folder, and never out of it.
func TestWithin(t *testing.T) {
	fsys := project.Within(folder("a", "root", "x/a", "above", "x/y/a", "own"), "x/y")
	for name, want := range map[string]string{"a": "own", "../a": "above", "../../a": "root"} {
		if data, err := fs.ReadFile(fsys, name); err != nil || string(data) != want {
			t.Errorf("%s: %s, %v", name, data, err)
		}
	}
	for _, name := range []string{"../../../a", "/a", "b/../a", "", "../../..", "../x/../../../a"} {
		if _, err := fsys.Open(name); err == nil {
			t.Errorf("%q was opened", name)
		}
	}
	if matches, err := fs.Glob(fsys, "../*/a"); err != nil || strings.Join(matches, " ") != "../y/a" {
		t.Errorf("a pattern finds %v, %v", matches, err)
	}
}

// An app of an Nx workspace may have no package.json of its own: that of the workspace
// names what Capacitor's command line builds in.
func TestPackageFileOfNx(t *testing.T) {
	files := folder("nx.json", "{}", "package.json",
		`{"name": "all", "dependencies": {"metrics": "1", "@capacitor/android": "^7.0.0"}}`,
		"package-lock.json", `{"packages": {"node_modules/@capacitor/android": {"version": "7.1.0"}}}`,
		"node_modules/metrics/plugin.xml", metrics, "apps/shop/capacitor.config.json", "{}")
	p := member(t, "apps/shop", files)
	if len(p.Plugins) != 1 || p.Plugins[0].Place.File != "../../package.json" ||
		p.Plugins[0].Manifest != "../../node_modules/metrics/plugin.xml" {
		t.Errorf("plugins %+v", p.Plugins)
	}
	if got := targetList(p.Targets); got != "capacitor-android@7.1.0" || len(p.Assumed) != 0 {
		t.Errorf("targets %s, assumed %v", got, p.Assumed)
	}
	files["apps/shop/package.json"] = &fstest.MapFile{Data: []byte("{}")}
	if p = member(t, "apps/shop", files); len(p.Plugins) != 0 {
		t.Errorf("its own package.json does not count: %+v", p.Plugins)
	}
	delete(files, "nx.json")
	delete(files, "apps/shop/package.json")
	if p = member(t, "apps/shop", files); len(p.Plugins) != 0 {
		t.Errorf("in another workspace: %+v", p.Plugins)
	}
}

// The files that a plugin brings stand beside its plugin.xml, also further up; nothing out
// of the workspace is read, and that is said.
func TestFilesOfHoistedPlugins(t *testing.T) {
	const dir = "node_modules/metrics/"
	plugin := func(source string) string {
		return `<plugin id="metrics"><platform name="android"><resource-file src="` + source + `net.xml"
			target="res/xml/net.xml"/><framework src="` + source + `x.gradle" custom="true" type="gradleReference"/>
			<config-file target="AndroidManifest.xml" parent="/manifest"><application
			android:debuggable="${d}"/></config-file></platform></plugin>`
	}
	files := folder("package.json", `{"workspaces": ["apps/*"]}`, dir+"plugin.xml", plugin("src/"),
		dir+"package.json", "{}", dir+"src/net.xml", security, dir+"src/x.gradle", `manifestPlaceholders = [d: "true"]`,
		"apps/mobile/config.xml", widget, "apps/mobile/package.json", dependsOnMetrics)
	meaning := func(p *app.App) string {
		a, _ := p.Native.Statements[0].Attribute("debuggable")
		text := a.Meaning.Unknown
		for _, g := range a.Meaning.Texts {
			text = g.Text + " by " + g.Place.File + text
		}
		return text
	}
	read := func() *app.App {
		p, err := project.Read(project.Within(files, "apps/mobile"), project.Options{})
		if err != nil || len(p.Native.Statements) == 0 {
			t.Fatal(err, "nothing is read")
		}
		return p
	}
	p := read()
	if got, want := meaning(p), "true by ../../"+dir+"src/x.gradle"; got != want || len(p.Native.Configs) != 1 ||
		len(p.Skipped) != 0 {
		t.Errorf("%s, want %s; %d configurations, skipped %v", got, want, len(p.Native.Configs), p.Skipped)
	}
	files[dir+"plugin.xml"].Data = []byte(plugin("../../../"))
	p = read()
	const why = "it stands outside the project and its workspace"
	if got := meaning(p); !strings.Contains(got, "../../../x.gradle") || !strings.Contains(got, why) {
		t.Error(got)
	}
	if len(p.Skipped) != 1 || !strings.Contains(p.Skipped[0].Why, why) {
		t.Errorf("skipped %v", p.Skipped)
	}
}
