package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/proctest"
)

// The release of Vite that the tests run; it wants Node.js 20.19 or newer.
const vitePackage = "vite@8.3.8"

var viteApp = map[string]string{
	"capacitor.config.json": capacitorConfig,
	"package.json":          `{"name":"notes","private":true,"type":"module"}`,
	"index.html": `<!doctype html><html><head><title>Notes</title><link rel="icon" href="/icon.svg"></head>` +
		`<body><p id="part"></p><script type="module" src="/main.js"></script></body></html>`,
	"main.js": "import './main.css'\nimport { word } from './part.js'\n" +
		"const show = (word) => { document.querySelector('#part').textContent = word }\nshow(word)\n" +
		"window.loaded = (window.loaded || 0) + 1\n" +
		"import.meta.hot.accept('./part.js', (part) => show(part.word))\n",
	"main.css": "p { color: rgb(1, 2, 3) }\n",
	"icon.svg": `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`,
	"part.js":  "export const word = 'first'\n",
}

// Vite itself behind cordon up: its modules and styles load under the app's
// policy, and what is saved appears in the page without a reload.
func TestUpVite(t *testing.T) {
	lane.Real(t)
	dir := apptest.Folder(t, viteApp)
	server := startVite(t, dir)
	u := startUp(t, dir, proctest.FreePort(t), "--app-url", server)
	p := u.browse(t)
	p.Navigate(u.page)
	p.WaitFor(browsertest.Shows("#part", "first"))
	p.WaitFor(`getComputedStyle(document.querySelector("#part")).color === "rgb(1, 2, 3)"`)
	apptest.Rewrite(
		t,
		filepath.Join(dir, "part.js"),
		func(s string) string { return strings.Replace(s, "first", "second", 1) },
	)
	p.WaitFor(browsertest.Shows("#part", "second"))
	if loaded := browsertest.Eval[int](p, "window.loaded"); loaded != 1 {
		t.Errorf("the page was loaded %d times", loaded)
	}
	p.Expect(browsertest.Failed("https://tracker.example.net/"))
	refused := browsertest.Eval[string](p,
		`fetch("https://tracker.example.net/").then(() => "loaded", () => "refused")`)
	if refused != "refused" {
		t.Errorf("a host that is on no list was %s", refused)
	}
}

var viteAddress = regexp.MustCompile(`http://localhost:\d+/`)

// startVite runs Vite on a folder and returns its address.
func startVite(t *testing.T, dir string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		lane.Missing(t, "there is no cache folder: "+err.Error())
	}
	p := &cordovaProject{dir: dir, npm: filepath.Join(cache, "cordon-tests", "npm")}
	p.run(t, "npm", "install", "--save-dev", vitePackage)
	vite := exec.Command(filepath.Join(dir, "node_modules", ".bin", "vite"), "--host", "localhost",
		"--clearScreen", "false")
	vite.Dir = dir
	vite.Env = append(os.Environ(), "NO_COLOR=1", "FORCE_COLOR=0")
	return strings.TrimSuffix(proctest.Start(t, vite).Line(viteAddress.FindString), "/")
}
