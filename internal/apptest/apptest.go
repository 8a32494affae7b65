// Package apptest is the folders of apps that tests work on, and what is asked of
// them.
package apptest

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Folder writes files, by their paths with slashes, into a folder of the test's
// own, and returns it.
func Folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "app")
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

// Rewrite changes one file.
func Rewrite(t testing.TB, file string, change func(string) string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(change(string(data))), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Get returns the answer to a GET with its body.
func Get(t testing.TB, client *http.Client, url string) (status int, header http.Header, body string) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(data)
}

// FakeNPM puts an npm on the PATH that notes how it was called in npm.log of the
// folder that it runs in, and fails for the command that is named.
func FakeNPM(t testing.TB, failing string) {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh on this machine: the steps of an installation were not tried")
	}
	bin := t.TempDir()
	script := "#!/bin/sh\necho \"$*\" >> npm.log\nif [ \"$1\" = " + failing + " ]; then echo broken >&2; exit 7; fi\n" +
		"if [ \"$1\" = ci ]; then mkdir -p node_modules && : > node_modules/.package-lock.json; fi\n"
	if err := os.WriteFile(filepath.Join(bin, "npm"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}
