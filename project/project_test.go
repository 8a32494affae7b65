package project_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project"
)

func folder(files ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return m
}

func read(t *testing.T, files fs.FS) *app.App {
	t.Helper()
	p, err := project.Read(files, project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const widget = "<widget/>"

// TestFindConfig: the config.xml is found as the platforms find it, in this
// order.
func TestFindConfig(t *testing.T) {
	order := []string{
		"config.xml", "www/config.xml", "res/xml/config.xml", "platforms/android/app/src/main/res/xml/config.xml",
		"platforms/ios/Shop/config.xml", "platforms/browser/config.xml", "platforms/electron/www/config.xml",
		"platforms/android/res/xml/config.xml",
	}
	files := folder("readme.txt", "")
	for i := len(order) - 1; i >= 0; i-- {
		files[order[i]] = &fstest.MapFile{Data: []byte(widget)}
		if got, err := project.FindConfig(files); err != nil || got != order[i] {
			t.Errorf("found %q, %v, want %q", got, err, order[i])
		}
	}
	_, err := project.FindConfig(folder("config.xml/x", "a folder of that name"))
	var missing *project.NotFoundError
	if !errors.As(err, &missing) || len(missing.Looked) == 0 || !strings.Contains(err.Error(), "res/xml/config.xml") {
		t.Errorf("error %v", err)
	}
}

func TestReadConfigRefuses(t *testing.T) {
	files := folder("bad.xml", "<a>", "folder/x", "", "binary.xml", "\x00\x01")
	files["huge.xml"] = &fstest.MapFile{Data: []byte(widget)}
	files["device.xml"] = &fstest.MapFile{Mode: fs.ModeDevice}
	var (
		syntax    *configxml.SyntaxError
		irregular *project.IrregularError
		large     *project.TooLargeError
	)
	for name, as := range map[string]any{"bad.xml": &syntax, "binary.xml": &syntax, "folder": &irregular,
		"device.xml": &irregular} {
		if _, err := project.ReadConfig(files, name); !errors.As(err, as) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := project.ReadConfig(files, "missing.xml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing.xml: %v", err)
	}
	if _, err := project.ReadConfig(bigFS{files}, "huge.xml"); !errors.As(err, &large) {
		t.Errorf("huge.xml: %v", err)
	}
}

// bigFS says that every file is very large.
type bigFS struct{ fs.FS }

type bigInfo struct{ fs.FileInfo }

func (bigInfo) Size() int64 { return configxml.MaxSize + 1 }

func (b bigFS) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(b.FS, name)
	return bigInfo{info}, err
}

func TestReadPages(t *testing.T) {
	p := read(t, folder("config.xml", `<widget><content src="app/start.html?x"/></widget>`,
		"www/index.html", "<p>", "www/app/start.html", "<!DOCTYPE html><title>x", "www/js/a.js", "1", "www/js/b.MJS",
		"2", "www/x.css", "", "www/node_modules/x/y.js", "3", "www/.hidden/z.js", "4", "other/q.js", "5",
		"www/binary.html", "\x00"))
	var pages, scripts []string
	for _, page := range p.Pages {
		pages = append(pages, fmt.Sprint(page.Name, page.Start, page.Whole))
	}
	for _, script := range p.Scripts {
		scripts = append(scripts, script.Name)
	}
	if diff := cmp.Diff([]string{"www/app/start.htmltrue true", "www/index.htmlfalse false"}, pages); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"www/js/a.js", "www/js/b.MJS"}, scripts); diff != "" {
		t.Error(diff)
	}
	if len(p.Skipped) != 1 || p.Skipped[0].Name != "www/binary.html" {
		t.Errorf("skipped %v", p.Skipped)
	}
}

func TestWebRoots(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"platforms/android/app/src/main/assets/www/index.html": folder(
			"platforms/android/app/src/main/res/xml/config.xml", widget),
		"platforms/ios/www/index.html":     folder("platforms/ios/App/config.xml", widget),
		"platforms/browser/www/index.html": folder("platforms/browser/config.xml", widget),
		"index.html":                       folder("config.xml", widget),
		"dist/index.html":                  folder("capacitor.config.json", `{"webDir": "dist"}`),
		"www/index.html":                   folder("www/config.xml", widget),
	} {
		files[name] = &fstest.MapFile{Data: []byte("<html>")}
		p := read(t, files)
		if start := p.StartPage(); start == nil || start.Name != name {
			t.Errorf("%s is not the start page: %+v", name, p.Pages)
		}
	}
}

// TestLimits: what is too much is listed, never left out in silence.
func TestLimits(t *testing.T) {
	files := folder("config.xml", widget, "www/large.js", strings.Repeat(" ", project.MaxFile+1), "package.json",
		strings.Repeat(" ", project.MaxManifest+1))
	for i := range project.MaxFiles + 10 {
		files[fmt.Sprintf("www/many/%05d.js", i)] = &fstest.MapFile{}
	}
	p := read(t, files)
	if len(p.Scripts) >= project.MaxFiles || len(p.Skipped) != 3 {
		t.Errorf("%d scripts, skipped %v", len(p.Scripts), p.Skipped)
	}
	for _, s := range p.Skipped {
		if s.Why == "" {
			t.Errorf("%s was skipped without a reason", s.Name)
		}
	}
}

func TestTargets(t *testing.T) {
	const engine = `<engine name="android" spec="^9.1.0"/><engine name="browser" spec="5"/>`
	tests := []struct {
		name  string
		files fstest.MapFS
		want  string
	}{
		{"nothing said", folder("config.xml", widget), "android@15.1.0 ios@8.1.1"},
		{"engines", folder("config.xml", "<widget>"+engine+`<platform name="ios"/></widget>`), "android@9.1.0"},
		{"old spelling", folder("config.xml", `<widget><engine name="ios" version="3.9.2"/></widget>`), "ios@3.9.2"},
		{"platform elements", folder("config.xml", `<widget><platform name="wp8"/><platform name="ios"/><platform `+
			`name="wp8"/><platform name="nope"/></widget>`), "wp8@3.8.2 ios@8.1.1"},
		{"package.json", folder("config.xml", widget,
			"package.json", `{"cordova": {"platforms": ["ios", "browser"]}, "devDependencies": {"cordova-ios": `+
				`"~6.2.0", "cordova-plugin-x": "1"}}`), "ios@6.2.0"},
		{"platforms without versions",
			folder("config.xml", widget, "package.json", `{"cordova": {"platforms": ["ios"]}}`), "ios@8.1.1"},
		{"installed", folder("config.xml", widget, "package.json", `{"dependencies": {"cordova-android": "*"}}`,
			"node_modules/cordova-android/package.json", `{"version": "12.0.1"}`), "android@12.0.1"},
		{"repository", folder("config.xml",
			`<widget><engine name="android" spec="https://github.com/apache/cordova-android.git#4.1.0"/></widget>`),
			"android@15.1.0"},
		{"newer than known", folder("config.xml", `<widget><engine name="android" spec="99.0.0"/></widget>`),
			"android@15.1.0"},
		{"older than known", folder("config.xml", `<widget><engine name="android" spec="1.0"/></widget>`),
			"android@2.0.0"},
		{"tizen", folder("config.xml", `<widget xmlns:tizen="http://tizen.org/ns/widgets"/>`), "tizen@2.5.0"},
		{"BlackBerry", folder("config.xml", `<widget><rim:permissions/></widget>`), "blackberry10@3.8.0"},
		{"Capacitor", folder("capacitor.config.json", "{}"),
			"capacitor-android@8.4.2 capacitor-ios@8.4.2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, target := range read(t, test.files).Targets {
				got = append(got, target.String())
			}
			if s := strings.Join(got, " "); s != test.want {
				t.Errorf("targets %s, want %s", s, test.want)
			}
		})
	}
	doc, err := configxml.Parse("config.xml", []byte("<widget>"+engine+"</widget>"))
	if err != nil {
		t.Fatal(err)
	}
	if got := project.Targets(doc); len(got) != 1 || got[0].String() != "android@9.1.0" {
		t.Errorf("Targets = %v", got)
	}
	p, err := project.Read(folder("config.xml", widget), project.Options{Targets: []policy.Target{{Platform: "w3c"}}})
	if err != nil || len(p.Targets) != 1 {
		t.Errorf("given targets: %v, %v", p.Targets, err)
	}
}
