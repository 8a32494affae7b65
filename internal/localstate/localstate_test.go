package localstate

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMake(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		folder, err := Make(dir)
		if err != nil || folder != filepath.Join(dir, ".cordon") || folder != Path(dir) {
			t.Fatalf("%q, %v", folder, err)
		}
	}
	info, err := os.Stat(Path(dir))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v: it must be its owner's alone", info.Mode(), err)
	}
	ignored, err := os.ReadFile(Path(dir, ".gitignore"))
	if err != nil || string(ignored) != "*\n" {
		t.Errorf("%q, %v", ignored, err)
	}
}

// What somebody wrote there stays.
func TestMakeKeeps(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(Path(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(Path(dir, ".gitignore"), []byte("events.jsonl\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Make(dir); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(Path(dir, ".gitignore")); string(got) != "events.jsonl\n" {
		t.Errorf("%q", got)
	}
}

func TestMakeFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(Path(dir), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if folder, err := Make(dir); err == nil {
		t.Errorf("%q although a file is in the way", folder)
	}
}
