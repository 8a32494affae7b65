package project_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cordon-sec/cordon/project"
)

// readWeb reads a folder of pairs of names and contents as a web app may be.
func readWeb(t *testing.T, pairs ...string) (web string, pages []string, missing string, err error) {
	t.Helper()
	p, err := project.Read(folder(pairs...), project.Options{WebApps: true})
	if err != nil {
		return "", nil, "", err
	}
	for i := range p.Pages {
		name := p.Pages[i].Name
		if p.Pages[i].Start {
			name += " first"
		}
		pages = append(pages, name)
	}
	if p.NoPages != nil {
		missing = p.NoPages.Place.String() + ": " + p.NoPages.Why
	}
	if len(p.Targets) > 0 || p.Ships() != nil {
		t.Errorf("%q is read as %v of %v", pairs, p.Ships(), p.Targets)
	}
	return p.Web, pages, missing, nil
}

const (
	vite    = `{"scripts": {"build": "vite build"}, "devDependencies": {"vite": "^6.0.0"}}`
	angular = `{"devDependencies": {"vite": "6.0.0", "@angular/cli": "19.0.0"}}`
	react   = `{"dependencies": {"react-scripts": "5.0.1"}}`
	blank   = "<!doctype html>"
	nowhere = "package.json:1:1: there is no built page in "
)

// The pages of a web app are where its tool puts them: where its configuration says,
// as far as that is written out, or in the usual places.
func TestWebApps(t *testing.T) {
	for name, test := range map[string]struct {
		files   []string
		tool    string
		pages   []string
		missing string
	}{
		"vite": {[]string{"package.json", vite, "index.html", blank, "dist/index.html", blank, "dist/a/b.html", blank},
			"vite", []string{"dist/a/b.html", "dist/index.html first"}, ""},
		"vite elsewhere": {[]string{"package.json", vite, "dist/index.html", blank, "www-built/index.html", blank,
			"vite.config.ts", "import x from 'outDir: '\n// outDir: 'a'\n" +
				"export default defineConfig(({ mode }) => ({\n  build: { outDir: './www-built' },\n}));"},
			"vite", []string{"www-built/index.html first"}, ""},
		"vite with a root": {[]string{"package.json", vite, "vite.config.js", `export default { root: "src" }`,
			"src/dist/index.html", blank}, "vite", []string{"src/dist/index.html first"}, ""},
		"vite out of its root": {[]string{"package.json", vite, "vite.config.mjs",
			`export default { root: "src", build: { outDir: "../built" } }`, "built/index.html", blank}, "vite",
			[]string{"built/index.html first"}, ""},
		"vite, computed": {[]string{"package.json", vite, "vite.config.js",
			`export default { build: { outDir: "a" + b } }`, "a/index.html", blank, "dist/index.html", blank}, "vite",
			[]string{"dist/index.html first"}, ""},
		"vite, two values": {[]string{"package.json", vite, "vite.config.js",
			`export default { plugins: [dts({ outDir: "types" })], build: { outDir: "a" } }`, "a/index.html", blank},
			"vite", nil, `package.json:1:23: there is no built page in dist, dist/*/browser, dist/*, build, out; ` +
				`run npm run build, then check again`},
		"vite, not built": {[]string{"package.json", vite, "index.html", blank, "src/index.html", blank,
			"vite.config.js", `export default { build: { outDir: "built" } }`, "dist/index.html", blank}, "vite", nil,
			`package.json:1:23: there is no built page in built; run npm run build, then check again`},
		"angular": {[]string{"package.json", angular, "src/index.html", blank, "dist/shop/browser/index.html", blank,
			"dist/shop/server/index.server.html", blank,
			"angular.json", `{"projects": {"shop": {"architect": {"build": {"builder": "x"}}}}}`},
			"@angular/cli", []string{"dist/shop/browser/index.html first"}, ""},
		"angular, two apps": {[]string{"package.json", angular, "one/index.html", blank, "one/browser/x.html", blank,
			"two/www/index.csr.html", blank, "two/www/404.html", blank, "angular.json", `{"projects": {
			"a": {"architect": {"build": {"options": {"outputPath": "one"}}}},
			"b": {"architect": {"build": {"options": {"outputPath": {"base": "two", "browser": "www"}}}}}}}`},
			"@angular/cli", []string{"one/browser/x.html", "one/index.html first", "two/www/404.html",
				"two/www/index.csr.html first"}, ""},
		"angular, not built": {[]string{"package.json", angular, "src/index.html", blank}, "@angular/cli", nil,
			nowhere + "dist, dist/*/browser, dist/*, build, out; build the app, then check again"},
		"react": {[]string{"package.json", react, "public/index.html", blank, "build/index.html", blank},
			"react-scripts", []string{"build/index.html first"}, ""},
		"no package.json": {[]string{"vite.config.ts", "export default {}", "dist/index.html", blank}, "vite",
			[]string{"dist/index.html first"}, ""},
		"an unreadable package.json": {[]string{"package.json", "{", "angular.json", "{}", "dist/x/index.html", blank},
			"@angular/cli", []string{"dist/x/index.html first"}, ""},
		"next": {[]string{"package.json", `{"dependencies": {"next": "15"}}`, "out/index.html", blank}, "next",
			[]string{"out/index.html first"}, ""},
	} {
		tool, pages, missing, err := readWeb(t, test.files...)
		if err != nil || tool != test.tool || !slices.Equal(pages, test.pages) || missing != test.missing {
			t.Errorf("%s: %q %q %q %v, want %q %q %q", name, tool, pages, missing, err, test.tool, test.pages,
				test.missing)
		}
	}
}

// ofCapacitor is the package.json of a project that Vite builds, and that depends on a
// package of Capacitor.
func ofCapacitor(where, name string) string {
	return fmt.Sprintf(
		`{"scripts": {"build": "vite build"}, %q: {"vite": "6.0.0", "@capacitor/%s": "7.2.0"}}`,
		where,
		name,
	)
}

// What is another project, or may be, is not taken for a web app.
func TestNoWebApps(t *testing.T) {
	for name, files := range map[string][]string{
		"no tool":                   {"package.json", `{"dependencies": {"express": "5"}}`, "dist/index.html", blank},
		"no JSON":                   {"package.json", "{", "dist/index.html", blank},
		"no package.json":           {"dist/index.html", blank},
		"no config.xml":             {"package.json", `{"cordova": {}, "devDependencies": {"vite": "6"}}`},
		"cordova 15":                {"package.json", `{"devDependencies": {"vite": "6", "cordova-android": "15"}}`},
		"an app further down":       {"package.json", vite, "src-cordova/config.xml", catchAll},
		"a plugin of Cordova":       {"package.json", vite, "plugin.xml", "<plugin/>"},
		"a plugin of Capacitor":     {"package.json", `{"capacitor": {}, "devDependencies": {"vite": "6"}}`},
		"capacitor android":         {"package.json", ofCapacitor("dependencies", "android"), "dist/index.html", blank},
		"capacitor ios":             {"package.json", ofCapacitor("dependencies", "ios"), "dist/index.html", blank},
		"capacitor core":            {"package.json", ofCapacitor("dependencies", "core"), "dist/index.html", blank},
		"capacitor cli":             {"package.json", ofCapacitor("devDependencies", "cli"), "dist/index.html", blank},
		"a copy of a configuration": {"package.json", vite, "ios/App/App/capacitor.config.json", "{}"},
	} {
		_, _, _, err := readWeb(t, files...)
		var missing *project.NotFoundError
		if !errors.As(err, &missing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := project.Read(folder("package.json", vite, "dist/index.html", blank), project.Options{}); err == nil {
		t.Error("a web app was read where none was asked for")
	}
	p, err := project.Read(folder("package.json", vite, "config.xml", catchAll, "dist/index.html", blank),
		project.Options{WebApps: true})
	if err != nil || p.Web != "" || p.Config == nil {
		t.Errorf("an app with a config.xml is read as the web app %q: %v", p.Web, err)
	}
}
