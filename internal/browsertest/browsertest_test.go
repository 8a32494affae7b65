package browsertest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/browsertest"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// recorder is a test that keeps what it was failed for.
type recorder struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// Fatalf ends the real test: no page of these tests may fail to open.
func (r *recorder) Fatalf(format string, args ...any) { r.TB.Fatalf(format, args...) }

func (r *recorder) finish() []string {
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
	return r.failures
}

// faulty serves pages that commit one fault each.
func faulty(t *testing.T) string {
	t.Helper()
	pages := map[string]string{
		"/good":      `<p>All is well.</p>`,
		"/exception": `<script>context.push().catch(1)</script>`,
		"/rejection": `<script>Promise.reject(new Error("nobody handles this"))</script>`,
		"/console":   `<script>console.error("it went", "wrong")</script>`,
		"/assert":    `<script>console.assert(false, "it does not hold")</script>`,
		"/missing":   `<img src="/none.png" alt="">`,
		"/refused":   `<script src="http://127.0.0.1:1/gone.js"></script>`,
		"/policy": `<meta http-equiv="Content-Security-Policy" content="img-src 'self'"><img ` +
			`src="https://tracker.example.net/pixel.gif" alt="">`,
		"/socket":      `<script>new WebSocket("ws://127.0.0.1:1/live")</script>`,
		"/fetch":       `<script>fetch("/none.json").then(() => 1, () => 1)</script>`,
		"/alert":       `<p role="alert">The row was not saved.</p>`,
		"/class":       `<p class="error">Nothing works.</p>`,
		"/words":       `<p>The items cannot be read: context.push(...).then(...).catch is not a function</p>`,
		"/undefined":   `<p>Signed in as undefined</p>`,
		"/hidden":      `<p role="alert" hidden>Nobody sees this.</p><p role="alert"></p>`,
		"/frame":       `<iframe src="/exception" title="a frame"></iframe>`,
		"/frame-alert": `<iframe src="/alert" title="a frame"></iframe>`,
		"/flash": `<p role="alert" id="a"></p><script>addEventListener("DOMContentLoaded", () => { ` +
			`a.textContent = "It was shown."; setTimeout(() => { a.remove() }, 60) })</script>`,
		"/leaves": `<p role="alert">It is gone.</p><script>addEventListener("load", () => { ` +
			`setTimeout(() => { location.href = "/good" }, 30) })</script>`,
		"/styled":      `<link rel="stylesheet" href="/hide.css"><p class="error">Hidden by a style sheet.</p>`,
		"/hide.css":    `.error { display: none }`,
		"/popup-alert": `<button onclick="window.open('/alert')">Open</button>`,
		"/popup":       `<button onclick="window.open('/exception')">Open</button>`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if strings.HasSuffix(r.URL.Path, ".css") {
			w.Header().Set("Content-Type", "text/css")
			_, _ = io.WriteString(w, body)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w,
			`<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,">`+body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// settled waits until everything that a page began has come to its end.
const settled = `document.readyState === "complete" && new Promise((r) => setTimeout(() => r(true), 100))`

// The guard fails a test for every kind of fault, for nothing else, and not for
// what was announced.
func TestGuard(t *testing.T) {
	base := faulty(t)
	for _, test := range []struct {
		path      string
		want      []string // patterns of the failures, in any order
		announced []*browsertest.Expectation
	}{
		{"/good", nil, nil},
		{"/exception", []string{"^page error: Uncaught ReferenceError: context is not defined"},
			[]*browsertest.Expectation{browsertest.PageError("context is not defined")}},
		{"/rejection", []string{`^page error: Uncaught \(in promise\) Error: nobody handles this`},
			[]*browsertest.Expectation{browsertest.PageError("nobody handles this")}},
		{"/console", []string{"^console error: it went wrong"},
			[]*browsertest.Expectation{browsertest.ConsoleError("it went wrong")}},
		{"/assert", []string{"^console error: .*it does not hold"},
			[]*browsertest.Expectation{browsertest.ConsoleError("it does not hold")}},
		{"/missing", []string{"^failed resource: .*/none.png .*404"},
			[]*browsertest.Expectation{browsertest.Failed("*/none.png")}},
		{"/refused", []string{"^failed resource: http://127.0.0.1:1/gone.js"},
			[]*browsertest.Expectation{browsertest.Failed("http://127.0.0.1:1/*")}},
		{"/policy", []string{"^failed resource: https://tracker.example.net/pixel.gif"},
			[]*browsertest.Expectation{browsertest.Failed("https://tracker.example.net/*")}},
		{"/socket", []string{"^failed resource: ws://127.0.0.1:1/live"},
			[]*browsertest.Expectation{browsertest.Failed("ws://127.0.0.1:1/live")}},
		{"/fetch", []string{"^failed resource: .*/none.json .*404"},
			[]*browsertest.Expectation{browsertest.Failed("*/none.json")}},
		{"/alert", []string{"^visible error: The row was not saved."},
			[]*browsertest.Expectation{browsertest.VisibleError("not saved")}},
		{"/class", []string{"^visible error: Nothing works."},
			[]*browsertest.Expectation{browsertest.VisibleError("Nothing works")}},
		{"/words", []string{"^visible error: .*catch is not a function"},
			[]*browsertest.Expectation{browsertest.VisibleError("is not a function")}},
		{"/undefined", []string{"^visible error: Signed in as undefined"},
			[]*browsertest.Expectation{browsertest.VisibleError("undefined")}},
		{"/hidden", nil, nil},
		{"/frame-alert", []string{"^visible error: The row was not saved."},
			[]*browsertest.Expectation{browsertest.VisibleError("not saved")}},
		{"/flash", []string{"^visible error: It was shown."},
			[]*browsertest.Expectation{browsertest.VisibleError("It was shown")}},
		{"/leaves", []string{"^visible error: It is gone."},
			[]*browsertest.Expectation{browsertest.VisibleError("It is gone")}},
		{"/styled", nil, nil},
		{"/frame", []string{"^page error: .*context is not defined"},
			[]*browsertest.Expectation{browsertest.PageError("context is not defined")}},
	} {
		t.Run(strings.Trim(test.path, "/"), func(t *testing.T) {
			t.Parallel()
			visit := func(announced ...*browsertest.Expectation) []string {
				r := &recorder{TB: t}
				page := browsertest.Open(r)
				page.Expect(announced...)
				page.Navigate(base + test.path)
				if test.path == "/leaves" {
					page.WaitFor(`location.pathname === "/good"`)
				}
				browsertest.Eval[bool](page, settled)
				return r.finish()
			}
			kinds(t, visit(), test.want)
			kinds(t, visit(test.announced...), nil)
			if test.path == "/good" {
				never := browsertest.Failed("https://never.example/*")
				kinds(t, visit(never),
					[]string{`^the failed resource "https://never.example/\*" was announced and did not happen`})
				kinds(t, visit(never.Maybe("it is up to the network")), nil)
			}
		})
	}
}

// kinds requires that there are failures of all patterns and of no other kind.
func kinds(t *testing.T, failures, patterns []string) {
	t.Helper()
	for _, pattern := range patterns {
		found := false
		for _, failure := range failures {
			found = found || regexp.MustCompile(pattern).MatchString(failure)
		}
		if !found {
			t.Errorf("no failure like %s: %q", pattern, failures)
		}
	}
	for _, failure := range failures {
		known := false
		for _, pattern := range patterns {
			kind, _, _ := strings.Cut(strings.TrimPrefix(pattern, "^"), ":")
			known = known || strings.HasPrefix(failure, strings.ReplaceAll(kind, `\`, ""))
		}
		if !known {
			t.Errorf("another failure: %s", failure)
		}
	}
}

// A second fault is no part of the one that was announced.
func TestGuardTellsFaultsApart(t *testing.T) {
	base := faulty(t)
	r := &recorder{TB: t}
	page := browsertest.Open(r)
	page.Expect(browsertest.ConsoleError("it went wrong"))
	page.Navigate(base + "/console")
	page.Navigate(base + "/assert")
	browsertest.Eval[bool](page, settled)
	kinds(t, r.finish(), []string{"^console error: .*it does not hold"})
}

// A page that a page opens is under the same guard.
func TestGuardOfPopups(t *testing.T) {
	base := faulty(t)
	r := &recorder{TB: t}
	page := browsertest.Open(r)
	page.Navigate(base + "/popup")
	popup := page.Popup(func() { page.Click("button") },
		func(url string) bool { return strings.HasSuffix(url, "/exception") })
	browsertest.Eval[bool](popup, settled)
	kinds(t, r.finish(), []string{"^page error: .*context is not defined"})

	r = &recorder{TB: t}
	page = browsertest.Open(r)
	page.Navigate(base + "/popup-alert")
	popup = page.Popup(func() { page.Click("button") },
		func(url string) bool { return strings.HasSuffix(url, "/alert") })
	browsertest.Eval[bool](popup, settled)
	popup.Close()
	kinds(t, r.finish(), []string{"^visible error: The row was not saved."})
}
