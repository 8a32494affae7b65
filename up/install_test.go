package up

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/server"
)

// install runs what a folder needs, and returns what became of each step, what the
// commands wrote, and the steps that were run here so far.
func install(t testing.TB, dir string) (states []InstallState, output, ran string) {
	t.Helper()
	n, ok := NeededInstallation(dir)
	if !ok {
		t.Fatal("nothing of npm is needed")
	}
	var out strings.Builder
	err := Install(t.Context(), InstallConfig{Installation: n, Output: &out, Notify: func(e InstallEvent) {
		if (e.State == StepFailed) != (e.Exit != 0) || (e.State == StepNotRun) != (e.Err != nil) {
			t.Errorf("it told %+v", e)
		}
		states = append(states, e.State)
	}})
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, "npm.log"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return states, out.String(), string(log)
}

func joined(states []InstallState) string {
	var all []string
	for _, s := range states {
		all = append(all, string(s))
	}
	return strings.Join(all, " ")
}

var npmProject = map[string]string{"package-lock.json": "{}",
	"package.json": `{"scripts":{"build":"node build.js","postinstall":"evil"}}`}

// An installation is what is missing; each step is told, and one that fails leaves
// the folder unfinished.
func TestInstall(t *testing.T) {
	dir := appDir(t, npmProject)
	for _, run := range []struct {
		failing       string
		needs         Installation
		steps, states string
		output        string
		ran           string
	}{
		{"run", Installation{Dir: dir, Packages: true, Build: true}, "npm ci --ignore-scripts && npm run build",
			"began done began failed", "broken\n", "ci --ignore-scripts\nrun build\n"},
		{"run", Installation{Dir: dir, Build: true, Unfinished: true}, "npm run build",
			"began failed", "broken\n", "ci --ignore-scripts\nrun build\nrun build\n"},
		{"nothing", Installation{Dir: dir, Build: true, Unfinished: true}, "npm run build",
			"began done", "", "ci --ignore-scripts\nrun build\nrun build\nrun build\n"},
	} {
		apptest.FakeNPM(t, run.failing)
		n, ok := NeededInstallation(dir)
		if !ok || n != run.needs || n.String() != run.steps {
			t.Errorf("the folder needs %+v, which is %s; want %+v", n, n, run.needs)
		}
		states, output, ran := install(t, dir)
		if joined(states) != run.states || output != run.output || ran != run.ran {
			t.Errorf("the steps %q, which said %q; ran so far %q; want %+v", states, output, ran, run)
		}
	}
	if n, ok := NeededInstallation(dir); !ok || n != (Installation{Dir: dir, Build: true}) {
		t.Errorf("when all is done it needs %+v", n)
	}
}

// Nothing runs where there is no npm, and the app runs as it is.
func TestInstallWithoutNPM(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if states, _, _ := install(t, appDir(t, npmProject)); joined(states) != "began not-run" {
		t.Errorf("the steps %q", states)
	}
}

// What is interrupted is an error, and unfinished at the next start.
func TestInstallInterrupted(t *testing.T) {
	apptest.FakeNPM(t, "nothing")
	dir := appDir(t, npmProject)
	n, _ := NeededInstallation(dir)
	ctx, cancel := context.WithCancel(t.Context())
	err := Install(ctx, InstallConfig{Installation: n, Notify: func(InstallEvent) { cancel() }})
	var failure *server.EnvironmentError
	want := dir + ": npm ci --ignore-scripts was interrupted; the next start asks again"
	if !errors.As(err, &failure) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if n, ok := NeededInstallation(dir); !ok || !n.Unfinished {
		t.Errorf("at the next start it needs %+v", n)
	}
}

// A folder without a lock file or a package.json needs nothing of npm.
func TestInstallNeedsALockFile(t *testing.T) {
	for _, name := range []string{"package.json", "package-lock.json"} {
		if n, ok := NeededInstallation(appDir(t, map[string]string{name: npmProject[name]})); ok {
			t.Errorf("with a %s alone it needs %+v", name, n)
		}
	}
}
