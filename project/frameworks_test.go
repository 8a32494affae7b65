//go:build !js

package project_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/project"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// pixel is a picture of one red point.
const pixel = "data:image/gif;base64,R0lGODlhAQABAIAAAP8AAAAAACwAAAAAAQABAAACAkQBADs="

// ownPage does by itself what frameworks do.
type ownPage struct {
	script, style, markup string
	// ready is true once it has worked.
	ready string
}

const (
	green  = `"rgb(9, 99, 9)"`
	pIs    = `getComputedStyle(p).color === ` + green
	loaded = `img.complete && img.naturalWidth > 0`
)

// wave makes a tenth of a second of silence.
const wave = `const d = new DataView(new ArrayBuffer(844));
	const text = (at, s) => [...s].forEach((c, i) => d.setUint8(at + i, c.charCodeAt(0)));
	text(0, "RIFF"); d.setUint32(4, 836, true); text(8, "WAVEfmt "); d.setUint32(16, 16, true);
	d.setUint16(20, 1, true); d.setUint16(22, 1, true); d.setUint32(24, 8000, true); d.setUint32(28, 8000, true);
	d.setUint16(32, 1, true); d.setUint16(34, 8, true); text(36, "data"); d.setUint32(40, 800, true);
	for (let i = 44; i < 844; i++) d.setUint8(i, 128);`

// far is code between what makes a URL and what it is for.
var far = strings.Repeat("q.title = p.title;\n", 40)

// ownPages need one thing each.
var ownPages = map[string]ownPage{
	"a style element and attribute as Angular makes them": {script: `const s = document.createElement("style");
		s.setAttribute("ng-app-id", "app"); s.textContent = "p[_ngcontent-a] { color: rgb(9, 99, 9) }";
		document.head.appendChild(s); p.setAttribute("_ngcontent-a", ""); 
		q.setAttribute("style", "color: rgb(9, 99, 9)")`,
		ready: pIs + ` && getComputedStyle(q).color === ` + green},
	"rules of an empty style element": {script: `const s = document.head.appendChild(document.createElement("style"));
		s.sheet.insertRule("p { color: rgb(9, 99, 9) }")`, ready: pIs},
	"styles in markup": {
		script: `q.innerHTML = '<b style="color: rgb(9, 99, 9)">b</b><style>p { color: rgb(9, 99, 9) }</style>'`,
		ready:  pIs + ` && getComputedStyle(q.firstChild).color === ` + green,
	},
	"a picture": {script: `img.src = "` + pixel + `"`, ready: loaded},
	"a canvas": {script: `const c = document.createElement("canvas"); c.getContext("2d").fillRect(0, 0, 9, 9);
		img.src = c.toDataURL()`, ready: loaded},
	"a blob": {script: `fetch("a.svg").then((r) => r.blob()).then((b) => { img.src = URL.createObjectURL(b) })`,
		ready: loaded},
	"a style sheet": {style: `p { color: rgb(9, 99, 9); background: url("` + pixel + `") }`, ready: pIs},
	"a worker": {script: `const u = URL.createObjectURL(new Blob(["postMessage('from the worker')"]));
		new Worker(u).onmessage = (m) => { q.textContent = m.data }`, ready: `q.textContent === "from the worker"`},
	"WebAssembly": {script: `WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => {
		q.textContent = "compiled" })`, ready: `q.textContent === "compiled"`},
	"a page in srcdoc": {markup: `<i style="color: rgb(9, 99, 9)" id="i">i</i><iframe id="f" srcdoc="<p>p</p>` +
		`<style>p { color: rgb(9, 99, 9) }</style><script>parent.q.textContent = 'from the frame'</script>"></iframe>`,
		ready: `q.textContent === "from the frame" && ` +
			`getComputedStyle(f.contentDocument.querySelector("p")).color === ` + green},
	"a sound by way of a variable": {markup: `<audio id="sound" preload="auto"></audio>`, script: wave + `
		const photo = URL.createObjectURL(new Blob([d], { type: "audio/wav" }));
		` + far + `
		sound.onloadedmetadata = () => { q.textContent = "heard" };
		sound.src = photo`, ready: `q.textContent === "heard"`},
	"a frame by way of a variable": {markup: `<iframe id="f"></iframe>`, script: `
		const page = "data:text/html,<p>p</p>";
		` + far + `
		const iframe = document.querySelector("#f");
		iframe.onload = () => { q.textContent = "loaded" };
		iframe.src = page`, ready: `q.textContent === "loaded"`},
	"markup": {markup: `<i style="color: rgb(9, 99, 9)" onclick="q.textContent = 'clicked'" id="i">i</i>
		<script>
		document.querySelector("#i").click();
		</script>`, ready: `q.textContent === "clicked" && getComputedStyle(i).color === ` + green},
}

// Under the exported policy a page looks as without any, and nothing is refused.
// Where nothing is granted, every one of them misses something.
func TestPagesLiveUnderThePolicy(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the browser takes a few seconds")
	}
	for name, own := range ownPages {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{
				"www/index.html": `<!doctype html><html><head><link rel="icon" href="icon.svg"><link ` +
					`rel="stylesheet" ` +
					`href="a.css"></head><body><p id="p">p</p><q id="q">q</q><img id="img" width=9 ` +
					`height=9>` + own.markup +
					`<script src="app.js"></script></body></html>`,
				"www/a.svg": `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" ` +
					`height="1"/></svg>`,
				"www/icon.svg": `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`,
				"www/app.js":   own.script, "www/a.css": own.style,
			}
			compare(t, files, own.ready, true)
		})
	}
}

// frameworks are what the real pages are made of, by npm's names and releases.
const frameworks = `{"private": true, "dependencies": {"@ionic/core": "8.4.3", "styled-components": "6.1.15",
	"@emotion/css": "11.13.5", "lit": "3.2.1", "react": "19.0.0", "react-dom": "19.0.0", "esbuild": "0.25.0"}}`

// realPages are entries that are built with the frameworks.
var realPages = map[string]struct {
	entry, body, ready string
	breaks             bool // without what is granted
}{
	"ionic": {entry: `import { initialize } from '@ionic/core/components'
		import { defineCustomElement as app } from '@ionic/core/components/ion-app.js'
		import { defineCustomElement as content } from '@ionic/core/components/ion-content.js'
		import { defineCustomElement as button } from '@ionic/core/components/ion-button.js'
		import { defineCustomElement as toolbar } from '@ionic/core/components/ion-toolbar.js'
		import { defineCustomElement as toggle } from '@ionic/core/components/ion-toggle.js'
		initialize({ mode: 'md', animated: false });
		[app, content, button, toolbar, toggle].forEach((define) => define())`,
		body: `<ion-app><ion-toolbar>Top</ion-toolbar><ion-content><ion-button>Go</ion-button>` +
			`<ion-toggle></ion-toggle>` +
			`</ion-content></ion-app>`, ready: `["ion-toolbar", "ion-button", "ion-toggle"].every((name) =>
			document.querySelector(name).shadowRoot?.childNodes.length > 0)`, breaks: true},
	"styled-components": {entry: `import React from 'react'
		import { createRoot } from 'react-dom/client'
		import styled from 'styled-components'
		const B = styled.button` + "`background: rgb(9, 99, 9); color: white; padding: 20px`" + `
		createRoot(document.querySelector('#root')).render(React.createElement(B, null, 'Go'))`, breaks: true,
		ready: `getComputedStyle(document.querySelector("button")).backgroundColor === ` + green},
	"emotion": {entry: `import { css } from '@emotion/css'
		document.querySelector('#root').className = css` + "`background: rgb(9, 99, 9); height: 80px`", breaks: true,
		ready: `getComputedStyle(root).backgroundColor === ` + green},
	"lit": {entry: `import { LitElement, html, css } from 'lit'
		customElements.define('x-lit', class extends LitElement {
			static styles = css` + "`p { background: rgb(9, 99, 9); color: white }`" + `
			render() { return html` + "`<p>lit</p>`" + ` }
		})`, body: `<x-lit></x-lit>`,
		ready: `getComputedStyle(document.querySelector("x-lit").shadowRoot.querySelector("p")).backgroundColor ` +
			`=== ` + green},
}

// Real frameworks, built as apps build them: the same picture with the policy and
// without, and no refusal.
func TestFrameworks(t *testing.T) {
	lane.Real(t)
	modules := npmModules(t)
	for name, real := range realPages {
		t.Run(name, func(t *testing.T) {
			entry := filepath.Join(modules, name+".entry.js")
			out := filepath.Join(t.TempDir(), "main.js")
			if err := os.WriteFile(entry, []byte(real.entry), 0o644); err != nil {
				t.Fatal(err)
			}
			build := exec.CommandContext(
				t.Context(),
				filepath.Join(modules, "node_modules/.bin/esbuild"),
				entry,
				"--bundle",
				"--minify",
				"--define:process.env.NODE_ENV=\"production\"",
				"--outfile="+out,
				"--log-level=warning",
			)
			if text, err := build.CombinedOutput(); err != nil {
				t.Fatalf("esbuild: %v\n%s", err, text)
			}
			bundle, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, map[string]string{
				"www/index.html": `<!doctype html><html><head><link rel="icon" ` +
					`href="icon.svg"></head><body><div id="root"></div>` +
					real.body + `<script src="main.js"></script></body></html>`,
				"www/icon.svg": `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`,
				"www/main.js":  string(bundle),
			}, real.ready, real.breaks)
		})
	}
}

// npmModules installs the frameworks into the user's cache, once for each set of
// releases, and returns the folder.
func npmModules(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			lane.Missing(t, "there is no "+tool+" on this machine: the frameworks were not tried")
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		lane.Missing(t, "there is no cache folder: "+err.Error())
	}
	dir := filepath.Join(cache, "cordon-tests", fmt.Sprintf("frameworks-%x", sha256.Sum256([]byte(frameworks)))[:24])
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return dir
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(frameworks), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		lane.Missing(t, fmt.Sprintf("npm install: %v\n%s", err, out))
	}
	if err := os.WriteFile(filepath.Join(dir, "complete"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// compare shows a page without a policy, with the exported one, and with one that
// grants nothing. ready is true once the page has worked; breaks says that the last
// policy refuses something.
func compare(t *testing.T, files map[string]string, ready string, breaks bool) {
	t.Helper()
	dir := apptest.Folder(t, files)
	plain := show(t, dir, ready+" && refused.length === 0")
	writeConfig(t, dir, "found")
	putPolicy(t, dir)
	if !bytes.Equal(show(t, dir, ready+" && refused.length === 0"), plain) {
		t.Error("under the policy the page looks different")
	}
	if breaks && lane.Rounds(0, 1, 1) > 0 {
		writeConfig(t, dir, "none")
		putPolicy(t, dir)
		show(
			t,
			dir,
			"refused.length > 0",
			browsertest.ConsoleError("*").Maybe("that is what is tried"),
			browsertest.Failed("*").
				Maybe("that is what is tried"),
			browsertest.PageError("*").Maybe("that is what is tried"),
		)
	}
}

func writeConfig(t *testing.T, dir, grants string) {
	t.Helper()
	text := `<widget><preference name="CordonPageNeeds" value="` + grants + `" /></widget>`
	if err := os.WriteFile(filepath.Join(dir, "config.xml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func putPolicy(t *testing.T, dir string) {
	t.Helper()
	read, err := project.Read(os.DirFS(dir), project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	exporter, _ := export.Find(export.CSP)
	changes, losses, err := project.Place(os.DirFS(dir), read, export.NewSource(read.Config, nil), exporter, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, loss := range losses {
		t.Log(loss.Message)
	}
	for _, c := range changes {
		if err := os.WriteFile(filepath.Join(dir, c.Name), c.New, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// watchRefusals notes what the page's policy refuses, from the first script on.
const watchRefusals = `window.refused = [];
	document.addEventListener("securitypolicyviolation", (e) => refused.push(e.effectiveDirective + " " +
	e.blockedURI))`

// show opens the page, waits until it is as it should be and returns its picture.
func show(t *testing.T, dir, ready string, expected ...*browsertest.Expectation) []byte {
	t.Helper()
	root := http.FileServer(http.Dir(filepath.Join(dir, "www")))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		root.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close) // after the page, which may ask for its icon late
	tab := browsertest.Open(t)
	tab.Expect(expected...)
	_, err := chromedp.Call(tab.Context, page.AddScriptToEvaluateOnNewDocument,
		page.AddScriptToEvaluateOnNewDocumentParams{Source: watchRefusals})
	if err != nil {
		t.Fatal(err)
	}
	tab.Look(400, 300, "light")
	tab.Navigate(server.URL + "/")
	tab.WaitFor(`document.readyState === "complete" && ` + ready)
	// What is to be seen then is drawn two frames later.
	browsertest.Eval[bool](
		tab,
		`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`,
	)
	picture, err := chromedp.Run(tab.Context, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	return picture
}
