package project_test

import (
	"errors"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/project"
)

func TestWebDir(t *testing.T) {
	manifest := app.File{Name: "package.json", Data: []byte("{}")}
	capacitor := app.File{Name: "capacitor.config.json", Data: []byte(`{"webDir":"www-built"}`)}
	for name, test := range map[string]struct {
		files  []string
		app    app.App
		want   string
		looked []string
	}{
		"cordova": {files: []string{"www/index.html"}, want: "www"},
		"capacitor": {files: []string{"www-built/index.html", "dist/index.html"},
			app: app.App{Capacitor: capacitor, Package: manifest}, want: "www-built"},
		"capacitor, not built": {files: []string{"dist/index.html"},
			app: app.App{Capacitor: capacitor, Package: manifest}, looked: []string{"www-built"}},
		"capacitor, written otherwise": {files: []string{"out/app/index.html"}, want: "out/app",
			app: app.App{Capacitor: configured("./out/app/")}},
		"capacitor without webDir": {files: []string{"www/index.html"}, want: "www",
			app: app.App{Capacitor: app.File{Name: "capacitor.config.json", Data: []byte("{}")}}},
		"vite": {files: []string{"index.html", "dist/index.html"}, app: app.App{Package: manifest}, want: "dist"},
		"angular": {files: []string{"dist/shop/browser/index.html"}, app: app.App{Package: manifest},
			want: "dist/shop/browser"},
		"not built": {files: []string{"index.html", "dist/app.js"}, app: app.App{Package: manifest},
			looked: []string{"www", "dist", "dist/*/browser", "dist/*", "build", "out"}},
		"pages beside config.xml": {files: []string{"index.html"}, looked: []string{"www"}},
	} {
		fsys := fstest.MapFS{}
		for _, file := range test.files {
			fsys[file] = &fstest.MapFile{Data: []byte("<!doctype html>")}
		}
		got, err := project.WebDir(fsys, &test.app)
		var missing *project.NoPagesError
		if errors.As(err, &missing); got != test.want || (missing == nil) != (test.looked == nil) ||
			missing != nil && !slices.Equal(missing.Looked, test.looked) {
			t.Errorf("%s: %q %v, want %q after looking for %v", name, got, err, test.want, test.looked)
		}
	}
}

// configured is a Capacitor configuration that names the folder of the pages.
func configured(webDir string) app.File {
	return app.File{Name: "capacitor.config.json", Data: []byte(`{"webDir":"` + webDir + `"}`)}
}

// What is wrong with webDir is said. What cap copy left in a platform are the pages of
// an older build.
func TestWebDirOfCapacitor(t *testing.T) {
	for _, test := range []struct{ webDir, files, want string }{
		{"dist", "android/app/src/main/assets/public/index.html",
			`"dist", the webDir of capacitor.config.json, is not there`},
		{"dist", "dist/app.js", `"dist", the webDir of capacitor.config.json, has no index.html`},
		{"dist/shop", "dist/shop/browser/index.html",
			`"dist/shop", the webDir of capacitor.config.json, has no index.html; dist/shop/browser has one`},
		{"../dist", "dist/index.html",
			`"../dist", the webDir of capacitor.config.json, is not a folder below the project's`},
		{"./", "index.html", `"./", the webDir of capacitor.config.json, is not a folder below the project's`},
		{"index.html", "index.html", `"index.html", the webDir of capacitor.config.json, is not there`},
	} {
		fsys := fstest.MapFS{test.files: &fstest.MapFile{Data: []byte("<!doctype html>")}}
		got, err := project.WebDir(fsys, &app.App{Capacitor: configured(test.webDir)})
		if err == nil || err.Error() != "there are no built pages: "+test.want {
			t.Errorf("%s: %q, %v; want %s", test.webDir, got, err, test.want)
		}
	}
}
