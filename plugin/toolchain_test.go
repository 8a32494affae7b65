package plugin_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cordon-sec/cordon/internal/lane"
)

// The releases that the package is tried with.
const (
	cordovaRelease    = "13.0.0"
	typescriptRelease = "5.9.3"
	capacitorRelease  = "7.6.9"
)

var platformReleases = []string{"android@15.1.0", "ios@8.1.1", "browser@7.0.0", "electron@4.0.0"}

// toolchain is the real command line of Cordova, from npm, kept from run to
// run in the user's cache.
type toolchain struct {
	dir, bin string
	env      []string
}

// toolchainLock keeps tests that run side by side from installing it twice.
var toolchainLock sync.Mutex

func newToolchain(t *testing.T) toolchain {
	t.Helper()
	needNode(t)
	toolchainLock.Lock()
	defer toolchainLock.Unlock()
	cache, err := os.UserCacheDir()
	if err != nil {
		lane.Missing(t, fmt.Sprintf("no cache folder: %v: the command line of Cordova was not tried", err))
	}
	base := filepath.Join(cache, "cordon-tests")
	tc := toolchain{dir: filepath.Join(base, "cordova-"+cordovaRelease)}
	tc.bin = filepath.Join(tc.dir, "node_modules", ".bin")
	tc.env = []string{
		"PATH=" + tc.bin + string(os.PathListSeparator) + os.Getenv("PATH"), "CI=1", "ELECTRON_SKIP_BINARY_DOWNLOAD=1",
		"npm_config_cache=" + filepath.Join(base, "npm"), "npm_config_prefer_offline=true",
		"npm_config_audit=false", "npm_config_fund=false", "npm_config_update_notifier=false",
	}
	if _, err := os.Stat(filepath.Join(tc.bin, "cordova")); err == nil {
		return tc
	}
	if err := os.MkdirAll(tc.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tc.dir, "package.json"), []byte(`{"private": true}`), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := command(t, tc.dir, tc.env, "npm", "install", "cordova@"+cordovaRelease,
		"typescript@"+typescriptRelease).CombinedOutput()
	if err != nil {
		tc.unreachable(t, "npm install cordova", out, err)
	}
	return tc
}

// unreachable ends a test where npm could not fetch something: elsewhere than
// in CI that is a reason to skip it.
func (tc toolchain) unreachable(t *testing.T, what string, out []byte, err error) {
	t.Helper()
	for _, sign := range []string{"ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "ECONNREFUSED"} {
		if bytes.Contains(out, []byte(sign)) {
			lane.Missing(t, "npm cannot fetch what it needs ("+sign+"): "+what+" was not tried")
		}
	}
	t.Fatalf("%s: %v\n%s", what, err, out)
}

// cordova runs one command in a project and returns what it said.
func (tc toolchain) cordova(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	out, err := command(t, dir, tc.env, filepath.Join(tc.bin, "cordova"),
		append(args, "--no-telemetry")...).CombinedOutput()
	return string(out), err
}

// must runs a command that has to succeed.
func (tc toolchain) must(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := tc.cordova(t, dir, args...)
	if err != nil {
		tc.unreachable(t, "cordova "+strings.Join(args, " "), []byte(out), err)
	}
	return out
}

// newApp creates a project with the platforms and the plugin.
func (tc toolchain) newApp(t *testing.T, platforms []string) string {
	t.Helper()
	tarball := pack(t)
	dir := filepath.Join(t.TempDir(), "app")
	tc.must(t, filepath.Dir(dir), "create", dir, "org.example.app", "App")
	for _, platform := range platforms {
		tc.must(t, dir, "platform", "add", platform)
	}
	tc.must(t, dir, "plugin", "add", "file:"+tarball)
	return dir
}

// write puts a file into a project.
func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := writeTo(dir, name, content); err != nil {
		t.Fatal(err)
	}
}

func writeTo(dir, name, content string) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o644)
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// digest returns the sums of all files of a folder by their names.
func digest(t *testing.T, dir string) map[string][sha256.Size]byte {
	t.Helper()
	sums := map[string][sha256.Size]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		sums[filepath.ToSlash(name)] = sha256.Sum256(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

func TestTypes(t *testing.T) {
	lane.Real(t)
	tc := newToolchain(t)
	out, err := command(t, ".", tc.env, filepath.Join(tc.bin, "tsc"), "--noEmit", "--strict", "--lib", "es2020,dom",
		"--target", "es2020", "test/usage.ts", "types/index.d.ts").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
