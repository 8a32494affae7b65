package folder

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cordon-sec/cordon/project"
)

// A link stays a link, what it leads to is written, and no name that somebody has
// prepared is written through.
func TestWriteThroughALink(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "real", "config.xml")
	if err := os.WriteFile(file, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("real", "config.xml"), filepath.Join(dir, "config.xml")); err != nil {
		t.Fatal(err)
	}
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("precious", filepath.Join(dir, "config.xml.cordon-new")); err != nil {
		t.Fatal(err)
	}
	err := Write(dir, []project.Change{{Name: "config.xml", Old: []byte("old"), New: []byte("new")}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{file: "new", precious: "precious"} {
		if got, err := os.ReadFile(name); string(got) != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	info, err := os.Lstat(filepath.Join(dir, "config.xml"))
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v, %v: the link must stay", info.Mode(), err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v: the mode must stay", info.Mode(), err)
	}
	if list, err := os.ReadDir(filepath.Join(dir, "real")); err != nil || len(list) != 1 {
		t.Errorf("%v, %v: nothing must be left behind", list, err)
	}
}
