package folder_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/internal/localstate"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/project/folder"
)

// ran is a folder in which a run wrote its changes.
func ran(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	var changes []project.Change
	for name, text := range files {
		put(t, dir, name, text)
		changes = append(changes, project.Change{Name: name, Old: []byte(text), New: []byte("new " + text)})
	}
	if err := folder.Remember(dir, changes); err != nil {
		t.Fatal(err)
	}
	if err := folder.Write(dir, changes); err != nil {
		t.Fatal(err)
	}
	return dir
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func undo(t *testing.T, dir string) *folder.Undo {
	t.Helper()
	last, err := folder.LastRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Write(dir, last.Changes); err != nil {
		t.Fatal(err)
	}
	if err := last.Forget(); err != nil {
		t.Fatal(err)
	}
	return last
}

func holds(t *testing.T, dir, name, want string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v, want %q", name, got, err, want)
	}
}

func TestUndoTakesTheLastRunBack(t *testing.T) {
	dir := ran(t, map[string]string{"config.xml": "<widget/>", "www/index.html": "<html>"})
	info, err := os.Stat(localstate.Path(dir, "fix-undo.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: the record must be its owner's alone", info, err)
	}
	last := undo(t, dir)
	holds(t, dir, "config.xml", "<widget/>")
	holds(t, dir, "www/index.html", "<html>")
	if len(last.Changes) != 2 || len(last.Changed) != 0 {
		t.Errorf("%+v", last)
	}
	var nothing *folder.NothingToUndoError
	if _, err := folder.LastRun(dir); !errors.As(err, &nothing) ||
		!strings.Contains(err.Error(), "nothing to take back") {
		t.Errorf("a second time: %v", err)
	}
}

func TestUndoLeavesWhatChangedSince(t *testing.T) {
	dir := ran(t, map[string]string{"config.xml": "<widget/>", "a.html": "a", "b.html": "b"})
	put(t, dir, "config.xml", "mine")
	if err := os.Remove(filepath.Join(dir, "a.html")); err != nil {
		t.Fatal(err)
	}
	last := undo(t, dir)
	if diff := cmp.Diff([]string{"a.html", "config.xml"}, sorted(last.Changed)); diff != "" {
		t.Error(diff)
	}
	holds(t, dir, "config.xml", "mine")
	holds(t, dir, "b.html", "b")
	if _, err := os.Stat(filepath.Join(dir, "a.html")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a.html is back: %v", err)
	}
	// Once it is as the run left it, it can be taken back.
	put(t, dir, "config.xml", "new <widget/>")
	undo(t, dir)
	holds(t, dir, "config.xml", "<widget/>")
}

// A run that ended between its record and its writing changed nothing.
func TestUndoOfARunThatWroteNothing(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "config.xml", "old")
	changes := []project.Change{{Name: "config.xml", Old: []byte("old"), New: []byte("new")}}
	if err := folder.Remember(dir, changes); err != nil {
		t.Fatal(err)
	}
	if last := undo(t, dir); len(last.Changes) != 0 || len(last.Changed) != 0 {
		t.Errorf("%+v", last)
	}
	holds(t, dir, "config.xml", "old")
}

// A run that changes nothing leaves the record of the one before.
func TestRunsThatChangeNothingAreNotRemembered(t *testing.T) {
	dir := ran(t, map[string]string{"config.xml": "<widget/>"})
	if err := folder.Remember(dir, []project.Change{{Name: "x", Old: []byte("x"), New: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	undo(t, dir)
	holds(t, dir, "config.xml", "<widget/>")
}

// What a run writes can be taken back: a list by any name, and a page wherever it is
// built.
func TestUndoOfEachFileThatRunsWrite(t *testing.T) {
	dir := t.TempDir()
	names := []string{"config.xml.tmpl", "www/.offline.html", ".output/public/index.html", "package.json",
		"capacitor.config.json", "res/xml/config.xml"}
	var changes []project.Change
	for _, name := range names {
		put(t, dir, name, "<widget>old</widget>")
		changes = append(changes, project.Change{Name: name, Old: []byte("<widget>old</widget>"),
			New: []byte("<widget>new</widget>")})
	}
	if err := folder.Remember(dir, changes); err != nil {
		t.Fatal(err)
	}
	if err := folder.Write(dir, changes); err != nil {
		t.Fatal(err)
	}
	if last := undo(t, dir); len(last.Changes) != len(names) {
		t.Errorf("%d of %d files can be taken back", len(last.Changes), len(names))
	}
	for _, name := range names {
		holds(t, dir, name, "<widget>old</widget>")
	}
	// What could not be put back is not remembered as if it could.
	err := folder.Remember(dir, []project.Change{{Name: "hooks/x.js", Old: []byte("a"), New: []byte("b")}})
	if err == nil || !strings.Contains(err.Error(), "hooks/x.js must be a list, a page or a manifest") {
		t.Error(err)
	}
}

// A record that somebody else made writes nothing that a run would not.
func TestUndoWritesOnlyWhatRunsWrite(t *testing.T) {
	const list = "PHdpZGdldC8+" // <widget/>
	for name, before := range map[string]string{".git/config": "eA==", ".git/x.html": "eA==", ".GIT/hooks/x": list,
		"x/package.json": "eA==", "a/../b.xml": "eA==", "../config.xml": "eA==", "hooks/x.js": "eA==",
		"capacitor.config.ts": "eA==", "android/app/src/main/assets/capacitor.config.json": "eA==",
		"hooks/y": list, ".husky/y": list, ".idea/x.xml": list} {
		dir := t.TempDir()
		put(t, dir, ".git/config", "now")
		put(t, dir, "hooks/y", "echo now")
		put(t, dir, ".cordon/fix-undo.json", `{"version":1,"files":[{"name":"`+name+`","before":"`+before+`",`+
			`"before_sha256":"`+sum("<widget/>")+`","after_sha256":"`+sum("echo now")+`"}]}`)
		if _, err := folder.LastRun(dir); err == nil || !strings.Contains(err.Error(), "never writes") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func sum(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:])
}

func TestUndoRefusesABadRecord(t *testing.T) {
	dir := ran(t, map[string]string{"config.xml": "<widget/>"})
	for _, text := range []string{"", "{", `{"version":2,"files":[]}`, `{"version":1,"more":1}`} {
		put(t, dir, filepath.Join(localstate.Name, "fix-undo.json"), text)
		if _, err := folder.LastRun(dir); err == nil || !strings.Contains(err.Error(), "cannot be read: remove it") {
			t.Errorf("%q: %v", text, err)
		}
	}
	// What the record says was there must be what it says it was.
	for _, text := range []string{
		`{"version":1,"files":[{"name":"config.xml","before":"eA==","before_sha256":"00","after_sha256":""}]}`,
	} {
		put(t, dir, filepath.Join(localstate.Name, "fix-undo.json"), text)
		if last, err := folder.LastRun(dir); err != nil || len(last.Changes) != 0 || len(last.Changed) != 1 {
			t.Errorf("%s: %+v, %v", text, last, err)
		}
	}
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
