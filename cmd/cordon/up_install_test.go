package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/up"
)

// install runs what cordon up does before it starts.
func offered(t testing.TB, dir string, install bool) (said string, ran string) {
	t.Helper()
	var out bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	cmd.SetIn(strings.NewReader(""))
	cmd.SetErr(&out)
	if err := offerInstall(cmd, dir, install); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, "npm.log"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return out.String(), string(log)
}

// On a terminal the commands are shown before anybody is asked, and only a yes
// runs them.
func TestUpInstallAsks(t *testing.T) {
	n := up.Installation{Dir: "app", Packages: true, Build: true}
	for answer, want := range map[string]bool{"y\n": true, "YES\n": true, "\n": false, "no\n": false,
		"yellow\n": false} {
		var said strings.Builder
		got, err := confirmed(n, strings.NewReader(answer), &said)
		if got != want || err != nil {
			t.Errorf("%q: %v %v, want %v", answer, got, err, want)
		}
		const shown = "The packages of app are not installed. This would run there, as you:\n" +
			"  npm ci --ignore-scripts && npm run build\nRun it?"
		if !strings.HasPrefix(said.String(), shown) {
			t.Errorf("it said %q", said.String())
		}
	}
	if got, err := confirmed(n, strings.NewReader(""), &strings.Builder{}); got || err == nil {
		t.Errorf("without an answer: %v %v", got, err)
	}
}

func TestUpInstall(t *testing.T) {
	project := map[string]string{"package-lock.json": "{}",
		"package.json": `{"scripts":{"build":"node build.js","postinstall":"evil"}}`}
	t.Run("runs the lock file and the build", func(t *testing.T) {
		apptest.FakeNPM(t, "nothing")
		dir := apptest.Folder(t, project)
		said, ran := offered(t, dir, true)
		if ran != "ci --ignore-scripts\nrun build\n" || !strings.Contains(said, "npm ci --ignore-scripts: done in ") {
			t.Errorf("it ran %q and said %q", ran, said)
		}
		if _, again := offered(t, dir, true); again != ran+"run build\n" {
			t.Errorf("the second time it ran %q", again)
		}
		if said, again := offered(t, dir, false); again != ran+"run build\n" || said != "" {
			t.Errorf("without --install, installed, it ran %q and said %q", again, said)
		}
	})
	t.Run("runs nothing unasked", func(t *testing.T) {
		apptest.FakeNPM(t, "nothing")
		dir := apptest.Folder(t, project)
		said, ran := offered(t, dir, false)
		want := "cordon: the packages of " + dir +
			" are not installed; --install runs there: npm ci --ignore-scripts && npm run build\n"
		if ran != "" || said != want {
			t.Errorf("it ran %q and said %q", ran, said)
		}
	})
	t.Run("runs nothing for a wrong flag", func(t *testing.T) {
		apptest.FakeNPM(t, "nothing")
		dir := apptest.Folder(t, project)
		for _, flag := range []string{"--app-url=ftp://x", "--port=99999", "--platform=beos", "--private=x"} {
			if status, _, errs := runCommand(t, "up", dir, "--install", "--yes", flag); status != exitUsage {
				t.Errorf("%s: status %d, %s", flag, status, errs)
			}
		}
		for _, name := range []string{"npm.log", ".cordon", "config.xml"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				t.Errorf("there is %s after a wrong flag", name)
			}
		}
	})
	t.Run("goes on where it fails", func(t *testing.T) {
		apptest.FakeNPM(t, "ci")
		said, ran := offered(t, apptest.Folder(t, project), true)
		if ran != "ci --ignore-scripts\n" || !strings.Contains(said,
			"npm ci --ignore-scripts failed with exit status 7; continuing without it\n") ||
			!strings.Contains(said, "broken\n") {
			t.Errorf("it ran %q and said %q", ran, said)
		}
	})
	t.Run("offers again what did not finish", func(t *testing.T) {
		apptest.FakeNPM(t, "run")
		dir := apptest.Folder(t, project)
		said, ran := offered(t, dir, true)
		if ran != "ci --ignore-scripts\nrun build\n" || !strings.Contains(said,
			"npm run build failed with exit status 7") {
			t.Errorf("it ran %q and said %q", ran, said)
		}
		want := "cordon: the last build of " + dir + " did not finish; --install runs there: npm run build\n"
		if said, again := offered(t, dir, false); again != ran || said != want {
			t.Errorf("the next start ran %q and said %q, want %q", again, said, want)
		}
		apptest.FakeNPM(t, "nothing")
		if _, again := offered(t, dir, true); again != ran+"run build\n" {
			t.Errorf("--install ran %q", again)
		}
		if said, _ := offered(t, dir, false); said != "" {
			t.Errorf("when all is done it said %q", said)
		}
	})
	t.Run("goes on without npm", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		said, _ := offered(t, apptest.Folder(t, project), true)
		if !strings.Contains(said, "there is no npm on this machine: continuing without it") {
			t.Errorf("it said %q", said)
		}
	})
	t.Run("needs a lock file", func(t *testing.T) {
		apptest.FakeNPM(t, "nothing")
		if said, ran := offered(t, apptest.Folder(t, map[string]string{"package.json": project["package.json"]}),
			true); said != "" || ran != "" {
			t.Errorf("it ran %q and said %q", ran, said)
		}
	})
}
