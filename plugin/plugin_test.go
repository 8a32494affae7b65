// Package plugin_test tries the npm package: its JavaScript with node's own
// test runner, and the whole of it with the real command line of Cordova.
package plugin_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/lane"
)

// needNode skips a test where there is no Node.js of the release that the
// package needs.
func needNode(t *testing.T) {
	t.Helper()
	out, err := exec.Command("node", "--version").Output()
	if err != nil {
		lane.Missing(t, "no Node.js on this machine (https://nodejs.org, release 20 or newer): the plugin was "+
			"not tried")
	}
	found := regexp.MustCompile(`^v(\d+)`).FindSubmatch(out)
	if found == nil {
		lane.Missing(t, fmt.Sprintf("node --version says %q: the plugin was not tried", out))
	}
	if major, err := strconv.Atoi(string(found[1])); err != nil || major < 20 {
		lane.Missing(t, "Node.js "+strings.TrimSpace(string(out))+" is older than release 20: the plugin was not tried")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		lane.Missing(t, "no npm on this machine: the plugin was not tried")
	}
}

var (
	packOnce    sync.Once
	packed      string
	workshop    string // the copy of the plugin's sources in which it was packed
	packFailure string
)

// pack builds the package as it is published, once, and returns the tarball.
func pack(t *testing.T) string {
	t.Helper()
	needNode(t)
	packOnce.Do(func() {
		dir, err := os.MkdirTemp("", "cordon-pack-")
		if err != nil {
			packFailure = err.Error()
			return
		}
		if workshop, err = copyOfPlugin(dir); err != nil {
			packFailure = err.Error()
			return
		}
		here, err := filepath.Abs(".")
		if err != nil {
			packFailure = err.Error()
			return
		}
		out, err := command(t, workshop, []string{"CORDON_PLUGIN_SOURCE=" + here}, "npm", "pack", "--silent",
			"--pack-destination", dir).CombinedOutput()
		matches, _ := filepath.Glob(filepath.Join(dir, "*.tgz"))
		if err != nil || len(matches) != 1 {
			packFailure = string(out)
			return
		}
		packed = matches[0]
	})
	if packed == "" {
		t.Fatalf("npm pack failed:\n%s", packFailure)
	}
	return packed
}

// copyOfPlugin copies what the package is made of to below dir: nothing is built
// in the sources.
func copyOfPlugin(dir string) (string, error) {
	to := filepath.Join(dir, "plugin")
	for _, part := range []string{"scripts", "types", "www", "test"} {
		if err := os.CopyFS(filepath.Join(to, part), os.DirFS(part)); err != nil {
			return "", err
		}
	}
	for _, name := range []string{"package.json", "plugin.xml", "build.mjs", "README.md"} {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o644); err != nil {
			return "", err
		}
	}
	return to, nil
}

func TestMain(m *testing.M) {
	code := browsertest.Main(m)
	if packed != "" {
		os.RemoveAll(filepath.Dir(packed))
	}
	os.Exit(code)
}

// command makes a command in a folder, with more in its environment, that ends
// with the test at the latest.
func command(t *testing.T, dir string, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// The package holds what it needs and nothing else, and runs no script when it
// is installed.
func TestPackage(t *testing.T) {
	out, err := exec.Command("tar", "tzf", pack(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, name := range strings.Fields(string(out)) {
		have[strings.TrimPrefix(name, "package/")] = true
		if strings.HasSuffix(name, ".go") || strings.Contains(name, "/test/") {
			t.Errorf("the package holds %s", name)
		}
	}
	for _, name := range []string{"package.json", "plugin.xml", "dist/engine.wasm", "dist/inapp.wasm",
		"dist/wasm_exec.js", "dist/LICENSE", "scripts/check.js", "scripts/export.js", "scripts/capacitor.js",
		"scripts/capacitor-end.js",
		"www/cordon.js", "www/http.js", "www/auth.js", "types/index.d.ts"} {
		if !have[name] {
			t.Errorf("the package lacks %s", name)
		}
	}
	manifest, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"install", "dependencies", "\"bin\""} {
		if strings.Contains(string(manifest), word) {
			t.Errorf("package.json speaks of %s", word)
		}
	}
}

func TestJavaScript(t *testing.T) {
	pack(t) // builds dist/, which the steps run
	files, err := filepath.Glob(filepath.Join(workshop, "test", "*.test.mjs"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no JavaScript tests: %v", err)
	}
	out, err := command(t, workshop, nil, "node",
		append([]string{"--test", "--test-reporter=spec"}, files...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !regexp.MustCompile(`(?m)^\S* ?pass [1-9]`).Match(out) {
		t.Errorf("no test ran:\n%s", out)
	}
}
