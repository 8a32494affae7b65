package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/proctest"
)

// browse opens a browser whose only way out is the app's gateway.
func (u *upRunning) browse(t *testing.T) *browsertest.Page {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: the browser tests take half a minute")
	}
	return browsertest.Open(t, browsertest.Proxy(u.proxy))
}

// desk opens a browser beside the gateway, which does not lead to the console.
func desk(t *testing.T) *browsertest.Page {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: the browser tests take half a minute")
	}
	return browsertest.Open(t)
}

// allowChanges gives the browser the token that changes in the console need, as the
// password that it would ask for.
func allowChanges(t testing.TB, p *browsertest.Page, u *upRunning) {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(u.dir, ".cordon", "admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	password := base64.StdEncoding.EncodeToString([]byte("anybody:" + strings.TrimSpace(string(token))))
	if _, err := chromedp.Call(p.Context, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
		Headers: map[string]any{"Authorization": "Basic " + password},
	}); err != nil {
		t.Fatal(err)
	}
}

// signInByPopup signs a user in.
func signInByPopup(p *browsertest.Page, user string) {
	popup := p.Popup(func() { p.Click("#popup") },
		func(url string) bool { return strings.Contains(url, "/.auth/login") })
	popup.ClickAway("button[value='" + user + "']")
	p.WaitFor(browsertest.Shows("#who", "Signed in as sid:"))
}

func signInHere(p *browsertest.Page, user string) {
	p.Click("#redirect")
	p.Click("button[value='" + user + "']")
	p.WaitFor(browsertest.Shows("#who", "Signed in as sid:"))
}

const inStep = "In step with the backend."

func addItem(p *browsertest.Page, text string) {
	p.Type("#text", text+"\r")
	p.WaitFor(browsertest.Shows("#list", text))
}

// rows returns the todo table as the console shows it.
func (u *upRunning) rows(t *testing.T) string {
	t.Helper()
	_, _, body := apptest.Get(t, http.DefaultClient, u.console+"tables/todoitem")
	return body
}

// TestTodo uses the example as a person does, in a browser whose only way out is
// the gateway. Nothing may go wrong on the way that a step does not announce.
func TestTodo(t *testing.T) {
	lane.Real(t)
	t.Parallel()
	port := proctest.FreePort(t)
	dir := todoCopy(t, port)
	clientLibrary(t, dir)
	u := startUp(t, dir, port)
	p := u.browse(t)
	p.Navigate(u.page)
	p.WaitFor(browsertest.Shows("#news", "all quiet"))
	p.WaitFor(`document.querySelector("#picture").naturalWidth > 0`)
	p.Screenshot("todo-signed-out")
	t.Run("the sign-in window is closed", func(t *testing.T) { todoPopupClosed(p.For(t)) })
	t.Run("sign in by popup", func(t *testing.T) {
		p := p.For(t)
		signInByPopup(p, "ann@example.com")
		p.WaitFor(browsertest.Shows("#state", inStep))
		if text := browsertest.Eval[string](p, `document.querySelector("#message").textContent`); text != "" {
			t.Errorf("after the sign-in the page says %q", text)
		}
	})
	t.Run("add", func(t *testing.T) {
		addItem(p.For(t), "buy milk")
		p.For(t).WaitFor(browsertest.Shows("#state", inStep))
		if !strings.Contains(u.rows(t), "buy milk") {
			t.Error("the console does not show the item that was added")
		}
	})
	t.Run("edit offline and sync", func(t *testing.T) { todoOffline(t, u, p.For(t)) })
	t.Run("conflict", func(t *testing.T) { todoConflict(t, u, p.For(t)) })
	t.Run("call a service", func(t *testing.T) {
		p.For(t).Click("#ask")
		p.For(t).WaitFor(`document.querySelector("#tip").textContent.length > 10`)
		p.For(t).Screenshot("todo-signed-in")
	})
	t.Run("ask a refused host", func(t *testing.T) { todoRefusedHost(t, u, p.For(t)) })
	t.Run("sign in by redirect", func(t *testing.T) {
		p := p.For(t)
		p.Click("#out")
		p.WaitFor(browsertest.Shows("#who", "Nobody"))
		signInHere(p, "ann@example.com")
		p.WaitFor(browsertest.Shows("#list", "bake bread"))
		if at := browsertest.Eval[string](p, "location.href"); strings.Contains(at, "token") {
			t.Errorf("the token stays in the address %s", at)
		}
	})
	t.Run("a stranger's link", func(t *testing.T) { strangersLinks(t, u, "signing in") })
	t.Run("another user", func(t *testing.T) {
		other := u.browse(t)
		other.Navigate(u.page)
		signInByPopup(other, "bob@example.com")
		other.WaitFor(browsertest.Shows("#state", inStep))
		if browsertest.Eval[bool](other, browsertest.Shows("#list", "milk")) {
			t.Error("another user sees the item")
		}
	})
	if _, _, body := apptest.Get(t, http.DefaultClient, u.console+"people"); !strings.Contains(
		body,
		"ann@example.com",
	) ||
		!strings.Contains(body, "bob@example.com") {
		t.Error("the console does not show who signed in")
	}
	if log, err := os.ReadFile(filepath.Join(dir, ".cordon", "events.jsonl")); err != nil ||
		strings.Contains(string(log), "token=") {
		t.Errorf("the log holds a token, or is not there: %v", err)
	}
}

// todoPopupClosed closes the sign-in window: the page says so, and can go on.
func todoPopupClosed(p *browsertest.Page) {
	popup := p.Popup(func() { p.Click("#popup") },
		func(url string) bool { return strings.Contains(url, "/.auth/login") })
	popup.WaitFor(`document.querySelector("button[value]")`)
	popup.Close()
	p.WaitFor(browsertest.Shows("#message", "The sign-in window was closed."))
	p.WaitFor(`!document.querySelector("#popup").hidden && !document.querySelector("#redirect").hidden`)
}

// todoOffline takes the network away, adds and edits, and comes back.
func todoOffline(t *testing.T, u *upRunning, p *browsertest.Page) {
	t.Helper()
	p.Offline(true)
	p.WaitFor("!navigator.onLine")
	addItem(p, "bake bread")
	p.Click("#list li:first-child input")
	p.WaitFor(browsertest.Shows("#state", "Without a network; changes wait on this device."))
	if strings.Contains(u.rows(t), "bake bread") {
		t.Error("an item reached the backend without a network")
	}
	p.Offline(false)
	p.WaitFor(browsertest.Shows("#state", inStep))
	if rows := u.rows(t); !strings.Contains(rows, "bake bread") || !strings.Contains(rows, `value="true"`) {
		t.Error("what was edited offline did not reach the backend")
	}
}

// todoConflict changes one item in two browsers: the change that arrives second
// gives way, and its user is told.
func todoConflict(t *testing.T, u *upRunning, p *browsertest.Page) {
	t.Helper()
	second := u.browse(t)
	second.Navigate(u.page)
	signInHere(second, "ann@example.com")
	second.WaitFor(browsertest.Shows("#state", inStep))
	box := `[...document.querySelectorAll("#list li")].find((li) => ` +
		`li.textContent.includes("milk")).querySelector("input")`
	second.Offline(true)
	second.WaitFor("!navigator.onLine")
	for _, done := range []string{"", "!"} { // there and back again: what stays must be the other's
		browsertest.Eval[bool](second, box+".click(), true")
		second.WaitFor(done + box + `.closest("li").classList.contains("done")`)
		second.WaitFor(browsertest.Shows("#state", "Without a network"))
	}
	browsertest.Eval[bool](p, box+".click(), true")
	p.WaitFor(box + `.closest("li").classList.contains("done")`)
	p.WaitFor(browsertest.Shows("#state", inStep))
	second.Expect(browsertest.Failed("http://localhost:*/tables/todoitem/*")) // 412: that is the conflict
	second.Offline(false)
	second.WaitFor(browsertest.Shows("#message", "“buy milk” was changed elsewhere first: that version stays."))
	second.WaitFor(browsertest.Shows("#state", inStep))
	if !browsertest.Eval[bool](second, box+".checked") {
		t.Error("the change that came second stayed")
	}
	second.Screenshot("todo-conflict")
}

// todoRefusedHost asks a host on no list: the page's own policy refuses it, which
// Traffic shows at once, with the line that would allow it.
func todoRefusedHost(t *testing.T, u *upRunning, p *browsertest.Page) {
	t.Helper()
	p.Expect(browsertest.Failed("https://tracker.example.net/*"))
	p.Click("#try button")
	p.WaitFor(browsertest.Shows("#tried",
		"It was refused, or is not there. The console's page Traffic says which, and why."))
	console := desk(t)
	console.Navigate(u.console + "traffic?verdict=block&host=tracker.example.net")
	console.WaitFor(browsertest.Shows("#events", "connect-src of the page's policy refused it"))
	console.Click("#events a[href*='policy/allow']")
	console.WaitFor(browsertest.Shows("pre", `<access origin="https://tracker.example.net" />`))
}

// TestTodoWithoutTheClient uses the example as it is cloned, with Go alone.
func TestTodoWithoutTheClient(t *testing.T) {
	t.Parallel()
	port := proctest.FreePort(t)
	u := startUp(t, todoCopy(t, port), port)
	p := u.browse(t)
	// The page looks for the library, which is not there.
	p.Expect(browsertest.Failed("http://localhost:*/lib/azure-mobile-apps-client.js"))
	p.Navigate(u.page)
	signInByPopup(p, "ann@example.com")
	addItem(p, "buy milk")
	p.Click("#list input")
	p.WaitFor(`document.querySelector("#list li").classList.contains("done")`)
	p.WaitFor(`!document.querySelector("#plain").hidden && document.querySelector("#sync").hidden`)
	p.Screenshot("todo-without-the-client")
	if rows := u.rows(t); !strings.Contains(rows, "buy milk") || !strings.Contains(rows, `value="true"`) {
		t.Error("what was added is not in the console")
	}
	p.Click("#ask")
	p.WaitFor(`document.querySelector("#tip").textContent.length > 10`)
	p.Click("#out")
	signInHere(p, "ann@example.com")
	p.WaitFor(browsertest.Shows("#list", "buy milk"))
	p.Click("#list li button")
	p.WaitFor(`document.querySelector("#list").children.length === 0`)
}

// TestDeniedHostUntilThePatch asks a host that no list names, past the page's
// own policy: the gateway refuses every way, the console shows it with the
// reason, and the line that the console proposes makes all of them work.
func TestDeniedHostUntilThePatch(t *testing.T) {
	lane.Real(t)
	t.Parallel()
	port := proctest.FreePort(t)
	dir := todoCopy(t, port)
	other := browsertest.NewOrigin(t, true, nil)
	origin := "https://other.localhost:" + other.Port
	u := startUp(t, dir, port, "--private", "other.localhost=127.0.0.0/8", "--private", "other.localhost=::1")
	p := u.browse(t)
	if _, err := chromedp.Call(p.Context, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	// What is refused fails in the page, until the line is there; the client
	// library is not installed here.
	p.Expect(browsertest.Failed("*://other.localhost:*"),
		browsertest.Failed("http://localhost:*/lib/azure-mobile-apps-client.js"))
	ask := func(want bool) {
		t.Helper()
		p.Navigate(u.page)
		got := p.AskInEveryWay(origin)
		for _, way := range browsertest.WayNames {
			if worked, tried := got[way]; !tried || worked != want && way != "beacon" {
				t.Errorf("%s: success %v, want %v", way, worked, want)
			}
		}
	}
	ask(false)
	if n := other.Connections(); n != 0 {
		t.Errorf("BREACH: %d connections reached the host", n)
	}
	console := desk(t)
	console.Navigate(u.console + "traffic?verdict=block&host=other.localhost")
	console.WaitFor(browsertest.Shows("#events", "not-listed"))
	console.Click("#events a[href*='policy/allow']")
	console.WaitFor(browsertest.Shows("pre", `<access origin="https://other.localhost:`+other.Port+`" />`))
	allowChanges(t, console, u)
	console.Click("form[action$='/policy/allow'] button")
	console.WaitFor(browsertest.Shows("[role=status]", "Added"))
	data, err := os.ReadFile(filepath.Join(dir, "config.xml"))
	if err != nil || !strings.Contains(string(data), "other.localhost:"+other.Port) {
		t.Fatalf("the line is not in config.xml: %v", err)
	}
	ask(true)
	_, _, body := apptest.Get(t, http.DefaultClient, u.console+"traffic?verdict=allow&host=other.localhost")
	if !strings.Contains(body, "https://other.localhost:"+other.Port) || !strings.Contains(body, "config.xml:") {
		t.Error("the console does not say which line let the requests through")
	}
}

// failures keeps what a test within this one was failed for.
type failures struct {
	testing.TB
	all      []string
	cleanups []func()
}

func (f *failures) Helper()              {}
func (f *failures) Cleanup(clean func()) { f.cleanups = append(f.cleanups, clean) }
func (f *failures) Errorf(format string, args ...any) {
	f.all = append(f.all, fmt.Sprintf(format, args...))
}

// The guard finds the fault that the example once had: the client library's
// promises were used as if they had catch. Its page is put back to that, and
// used as a person does.
func TestTodoGuardFindsTheOldFault(t *testing.T) {
	t.Parallel()
	port := proctest.FreePort(t)
	dir := todoCopy(t, port)
	clientLibrary(t, dir)
	const mended, old = "return Promise.resolve(promise);", "return promise;"
	apptest.Rewrite(t, filepath.Join(dir, "www", "js", "synced.js"), func(s string) string {
		if strings.Count(s, mended) != 1 {
			t.Fatalf("synced.js has no line %q: put the old fault back another way", mended)
		}
		return strings.Replace(s, mended, old, 1)
	})
	u := startUp(t, dir, port)
	f := &failures{TB: t}
	p := browsertest.Open(f, browsertest.Proxy(u.proxy))
	p.Navigate(u.page)
	popup := p.Popup(func() { p.Click("#popup") },
		func(url string) bool { return strings.Contains(url, "/.auth/login") })
	popup.ClickAway("button[value='ann@example.com']")
	p.WaitFor(browsertest.Shows("#state", inStep))
	p.Type("#text", "buy milk\r")
	p.WaitFor(browsertest.Shows("#list", "buy milk"))
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
	if len(f.all) == 0 || !strings.Contains(strings.Join(f.all, "\n"), "catch is not a function") {
		t.Errorf("the guard reports %q", f.all)
	}
}
