package folder_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/project/folder"
)

// app writes files into a folder of the test's own.
func app(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "app")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const widget = `<widget xmlns="http://www.w3.org/ns/widgets"><name>Notes</name></widget>`

// An app is read by its folder or by its config.xml, and each error names what was
// named.
func TestOpen(t *testing.T) {
	good := app(t, map[string]string{"config.xml": widget})
	for _, path := range []string{good, filepath.Join(good, "config.xml")} {
		read, dir, err := folder.Open(path, nil)
		if err != nil || dir != good || read.Config == nil || string(read.Config.Bytes()) != widget {
			t.Errorf("%s: in %s, %v", path, dir, err)
		}
	}
	t.Chdir(good)
	if _, dir, err := folder.Open("", nil); err != nil || dir != "." {
		t.Errorf("the current folder: %q, %v", dir, err)
	}
	empty, broken := app(t, nil), app(t, map[string]string{"config.xml": "<widget>"})
	cut := app(t, map[string]string{"capacitor.config.json": ""})
	none := filepath.Join(good, "none")
	for path, want := range map[string]string{
		none:                                none + ": no such file or folder",
		empty:                               empty + ": " + (&project.NotFoundError{Looked: looked(t)}).Error(),
		broken:                              filepath.Join(broken, "config.xml") + ":1:1: ",
		filepath.Join(broken, "config.xml"): filepath.Join(broken, "config.xml") + ":1:1: ",
		cut:                                 filepath.Join(cut, "capacitor.config.json") + ": it is empty",
	} {
		_, _, err := folder.Open(path, nil)
		if err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	var syntax *configxml.SyntaxError
	file := filepath.Join(broken, "config.xml")
	if _, err := folder.ReadConfig(file); !errors.As(err, &syntax) || syntax.Place.File != file {
		t.Errorf("a broken config.xml: %v", err)
	}
	if _, err := folder.ReadConfig(none); err == nil || err.Error() != none+": no such file or folder" {
		t.Errorf("a missing config.xml: %v", err)
	}
}

// looked is where package project looks for a config.xml.
func looked(t testing.TB) []string {
	t.Helper()
	var missing *project.NotFoundError
	if _, err := project.FindConfig(os.DirFS(t.TempDir())); !errors.As(err, &missing) {
		t.Fatal(err)
	}
	return missing.Looked
}

// A site is what the folder's files say.
func TestOpenSite(t *testing.T) {
	const capacitor = `{"appName":"Diary","webDir":"out"}`
	for _, test := range []struct {
		name  string
		files map[string]string
		dev   bool
		want  folder.Site
	}{
		{"cordova", map[string]string{"config.xml": widget, "www/index.html": ""}, false,
			folder.Site{Config: "config.xml", Rules: "config.xml", Pages: "www", Name: "Notes", Start: "index.html"}},
		{"its start page", map[string]string{"config.xml": `<widget><content src="/pages/a.html"/></widget>`,
			"www/pages/a.html": ""}, false,
			folder.Site{Config: "config.xml", Rules: "config.xml", Pages: "www", Name: "app", Start: "pages/a.html"}},
		{"capacitor", map[string]string{"capacitor.config.json": capacitor, "out/index.html": ""}, false,
			folder.Site{Rules: "capacitor.config.json", Pages: "out", Name: "Diary", Start: "index.html",
				Routes: true}},
		{"a development server", map[string]string{"capacitor.config.json": capacitor}, true,
			folder.Site{Rules: "capacitor.config.json", Name: "Diary", Start: "index.html", Routes: true}},
		{"both", map[string]string{"capacitor.config.json": capacitor, "config.xml": widget, "out/index.html": ""},
			false,
			folder.Site{Config: "config.xml", Rules: "config.xml", Pages: "out", Name: "Notes", Start: "index.html",
				Routes: true}},
		{"a build", map[string]string{"package.json": "{}", "config.xml": widget, "dist/index.html": ""}, false,
			folder.Site{Config: "config.xml", Rules: "config.xml", Pages: "dist", Name: "Notes", Start: "index.html",
				Routes: true}},
	} {
		dir := app(t, test.files)
		test.want.Dir, test.want.Rules = dir, filepath.Join(dir, test.want.Rules)
		got, err := folder.OpenSite(dir, test.dev)
		if err != nil || *got != test.want {
			t.Errorf("%s: %+v, %v; want %+v", test.name, got, err, test.want)
		}
	}
	dir := app(t, map[string]string{"config.xml": widget})
	_, err := folder.OpenSite(dir, false)
	var pages *folder.NoPagesError
	want := dir + ": there are no built pages (looked for www): build them (npm run build), " +
		"or name the development server"
	if !errors.As(err, &pages) || err.Error() != want {
		t.Errorf("without pages: %v, want %s", err, want)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): ": no such folder", filepath.Join(dir,
			"config.xml"): ": this is a file, not an app's folder",
	} {
		if _, err := folder.OpenSite(path, false); err == nil || err.Error() != path+want {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// What somebody else changed stays, and nothing is written outside of the folder.
func TestWrite(t *testing.T) {
	dir := app(t, map[string]string{"config.xml": "old", "same.txt": "same"})
	if err := os.Chmod(filepath.Join(dir, "config.xml"), 0o600); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(filepath.Dir(dir), "outside")
	for _, test := range []struct {
		change project.Change
		want   string // the error
	}{
		{project.Change{Name: "config.xml", Old: []byte("old"), New: []byte("new")}, ""},
		{project.Change{Name: "config.xml", Old: []byte("old"), New: []byte("newer")},
			"config.xml changed while it was being worked on: nothing was written to it; run the command again"},
		{project.Change{Name: "config.xml", New: []byte("newer")},
			"config.xml changed while it was being worked on: nothing was written to it; run the command again"},
		{project.Change{Name: "same.txt", Old: []byte("same"), New: []byte("same")}, ""},
		{project.Change{Name: "a/b.txt", New: []byte("made")}, ""},
		{project.Change{Name: "../outside", New: []byte("made")},
			"write ../outside: openat ../outside: path escapes from parent"},
	} {
		err := folder.Write(dir, []project.Change{test.change})
		if test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want) {
			t.Errorf("%s: %v, want %q", test.change.Name, err, test.want)
		}
	}
	for name, want := range map[string]string{"config.xml": "new", "same.txt": "same", "a/b.txt": "made"} {
		if got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "config.xml")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode became %v, %v", info.Mode(), err)
	}
	if _, err := os.Stat(outside); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something is outside of the folder: %v", err)
	}
}
