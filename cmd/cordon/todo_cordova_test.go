package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/lane"
)

// cordovaPackages is the toolchain that the example is built with.
var cordovaPackages = []string{"cordova@13.0.0", "cordova-browser@7.0.0", "cordova-android@15.1.0", "cordova-ios@8.1.1"}

// TestTodoWithCordova builds the example with the real command line of Cordova
// for browser, and prepares it for Android and iOS. The project is kept in the
// user's cache, so that only the first run installs.
func TestTodoWithCordova(t *testing.T) {
	lane.Real(t)
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			lane.Missing(t, "there is no "+tool+" on this machine: the example was not built")
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		lane.Missing(t, fmt.Sprintf("no cache folder: %v: the example was not built", err))
	}
	source := todoCopy(t, "8443")
	manifest, err := os.ReadFile(filepath.Join(source, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(append(manifest, strings.Join(cordovaPackages, " ")...))
	app := filepath.Join(cache, "cordon", "todo-cordova-"+hex.EncodeToString(sum[:6]))
	p := &cordovaProject{dir: app, npm: filepath.Join(cache, "cordon-tests", "npm")}
	if _, err := os.Stat(filepath.Join(app, "complete")); err != nil {
		p.install(t, source)
	}
	copyFile(t, filepath.Join(source, "config.xml"), filepath.Join(app, "config.xml"))
	copyFolder(t, filepath.Join(source, "www"), filepath.Join(app, "www"))
	p.run(t, "npx", "cordova", "prepare", "--no-telemetry")
	p.run(t, "npx", "cordova", "build", "browser", "--no-telemetry")
	page, err := os.ReadFile(filepath.Join(source, "www", "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"platforms/browser/www/index.html",
		"platforms/android/app/src/main/assets/www/index.html", "platforms/ios/www/index.html"} {
		if built, err := os.ReadFile(filepath.Join(app, name)); err != nil || !bytes.Equal(built, page) {
			t.Errorf("%s is not the example's page: %v", name, err)
		}
	}
	for _, name := range []string{"platforms/browser/config.xml", "platforms/android/app/src/main/res/xml/config.xml",
		"platforms/ios/App/config.xml"} {
		var out bytes.Buffer
		args := []string{"explain", "--config", filepath.Join(app, name), "--platform", "cordon", "--kind", "xhr",
			"--format", "jsonl", "https://media.example.com/x", "https://evil.example/"}
		if status := execute(t.Context(), args, strings.NewReader(""), &out, &out); status != exitFine ||
			strings.Count(out.String(), `"verdict":"allow"`) != 1 {
			t.Errorf("%s: %d %s", name, status, out.String())
		}
	}
	if _, err := os.Stat(filepath.Join(app, "platforms/browser/www/lib/azure-mobile-apps-client.js")); err != nil {
		t.Errorf("the client library is not in what was built: %v", err)
	}
}

// cordovaProject is a folder that the toolchain works in.
type cordovaProject struct{ dir, npm string }

func (p *cordovaProject) install(t *testing.T, source string) {
	t.Helper()
	if err := os.RemoveAll(p.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(p.dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	p.run(t, "npm", append([]string{"install", "--save-dev"}, cordovaPackages...)...)
	p.run(t, "npm", "run", "build")
	p.run(t, "npx", "cordova", "platform", "add", "browser", "android", "ios", "--no-telemetry")
	if err := os.WriteFile(filepath.Join(p.dir, "complete"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

// run runs one command of the toolchain. Where npm cannot reach its registry the
// test ends and says so.
func (p *cordovaProject) run(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = p.dir
	command.Env = append(os.Environ(), "CI=1", "npm_config_cache="+p.npm, "npm_config_prefer_offline=true",
		"npm_config_audit=false", "npm_config_fund=false", "npm_config_update_notifier=false",
		"npm_config_loglevel=error")
	command.WaitDelay = 5 * time.Second
	out, err := command.CombinedOutput()
	if err == nil {
		return
	}
	for _, sign := range []string{"ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "ECONNREFUSED", "E404", "E403"} {
		if bytes.Contains(out, []byte(sign)) {
			lane.Missing(t, "npm cannot fetch what it needs ("+sign+"): the example was not built")
		}
	}
	t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
}

// copyFolder copies a folder over another one, file by file.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(from), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return errors.Join(err, os.MkdirAll(filepath.Join(to, name), 0o755))
		}
		copyFile(t, filepath.Join(from, name), filepath.Join(to, name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
