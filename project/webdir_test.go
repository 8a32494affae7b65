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
