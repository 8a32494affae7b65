package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// openBrowser starts Chromium, behind a proxy if there is one.
func openBrowser(t *testing.T, proxy string) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{os.Getenv("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"} {
		if _, err := os.Stat(name); err == nil && path == "" {
			path = name
		}
	}
	if path == "" {
		t.Skip("no Chromium on this machine (Debian: apt-get install chromium): the browser test did not run")
	}
	if testing.Short() {
		t.Skip("-short: the browser tests take half a minute")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("webrtc-ip-handling-policy", "disable_non_proxied_udp"),
	)
	if proxy != "" {
		options = append(options, chromedp.ProxyServer("http://"+proxy), chromedp.Flag("proxy-bypass-list", "<-loopback>"))
	}
	ctx, endTime := context.WithTimeout(context.Background(), 2*time.Minute)
	ctx, endAllocator := chromedp.NewExecAllocator(ctx, options...)
	ctx, endBrowser := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the browser's end
		endBrowser()
		endAllocator()
		endTime()
	})
	return ctx
}

// do runs steps in the browser.
func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body && document.body.innerText`))
		t.Fatalf("%v\nthe page says:\n%s", err, text)
	}
}

// waitFor waits until an expression of the page is true.
func waitFor(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	for range 100 {
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")")); err == nil && ok {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	t.Fatalf("it never came true: %s\nthe page says (%v):\n%s", expression, err, text)
}

func shows(selector, text string) string {
	return fmt.Sprintf("document.querySelector(%q)?.textContent.includes(%q)", selector, text)
}

func css(selector string) chromedp.CSS { return chromedp.CSS(selector) }

// signInByPopup signs a user in with the client's own popup.
func signInByPopup(t *testing.T, ctx context.Context, user string) {
	t.Helper()
	opened := chromedp.WaitNewTarget(ctx, func(info *target.Info) bool { return strings.Contains(info.URL, "/.auth/login") })
	do(t, ctx, chromedp.WaitVisible(css("#popup")), chromedp.Click(css("#popup")))
	popup, cancel := chromedp.NewContext(ctx, chromedp.WithTargetID(<-opened))
	defer cancel()
	do(t, popup, chromedp.WaitVisible(css("button[value='"+user+"']")))
	// The popup closes itself, so that the click may not come back.
	_ = chromedp.Do(popup, chromedp.Click(css("button[value='"+user+"']")))
	waitFor(t, ctx, shows("#who", "Signed in as sid:"))
	waitFor(t, ctx, shows("#state", "In step"))
}

func addItem(t *testing.T, ctx context.Context, text string) {
	t.Helper()
	do(t, ctx, chromedp.SendKeys(css("#text"), text+"\r"))
	waitFor(t, ctx, shows("#list", text))
}

// offline takes the page's network away, or gives it back.
func offline(t *testing.T, ctx context.Context, off bool) {
	t.Helper()
	conditions := []*network.Conditions{{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}}
	if _, err := chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: conditions}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}); err != nil {
		t.Fatal(err)
	}
}

// rows returns the todo table as the console shows it.
func (u *upRunning) rows(t *testing.T) string {
	t.Helper()
	_, _, body := fetch(t, http.DefaultClient, u.console+"tables/todoitem")
	return body
}

// TestTodo uses the example as a person does, in a browser whose only way out is
// the gateway: sign in by popup and by redirect, add, go offline, edit, come
// back and sync; the picture, the news and the service of listed hosts work.
func TestTodo(t *testing.T) {
	port := freePort(t)
	dir := todoCopy(t, port)
	clientLibrary(t, dir)
	u := startUp(t, dir, port)
	ctx := openBrowser(t, u.proxy)
	do(t, ctx, chromedp.Navigate(u.page))
	waitFor(t, ctx, shows("#news", "all quiet"))
	waitFor(t, ctx, `document.querySelector("#picture").naturalWidth > 0`)
	signInByPopup(t, ctx, "ann@example.com")
	addItem(t, ctx, "buy milk")
	waitFor(t, ctx, shows("#state", "In step"))
	if !strings.Contains(u.rows(t), "buy milk") {
		t.Error("the console does not show the item that was added")
	}
	do(t, ctx, chromedp.Click(css("#ask")))
	waitFor(t, ctx, `document.querySelector("#tip").textContent.length > 10`)

	offline(t, ctx, true)
	waitFor(t, ctx, "!navigator.onLine")
	addItem(t, ctx, "bake bread")
	do(t, ctx, chromedp.Click(css("#list input")))
	waitFor(t, ctx, shows("#state", "Without a network"))
	if strings.Contains(u.rows(t), "bake bread") {
		t.Error("an item reached the backend without a network")
	}
	offline(t, ctx, false)
	waitFor(t, ctx, shows("#state", "In step"))
	if rows := u.rows(t); !strings.Contains(rows, "bake bread") || !strings.Contains(rows, `value="true"`) {
		t.Error("what was edited offline did not reach the backend")
	}

	do(t, ctx, chromedp.Click(css("#out")))
	waitFor(t, ctx, shows("#who", "Nobody"))
	do(t, ctx, chromedp.WaitVisible(css("#redirect")), chromedp.Click(css("#redirect")),
		chromedp.WaitVisible(css("button[value='ann@example.com']")), chromedp.Click(css("button[value='ann@example.com']")))
	waitFor(t, ctx, shows("#who", "Signed in as sid:"))
	waitFor(t, ctx, shows("#list", "buy milk"))
	waitFor(t, ctx, shows("#list", "bake bread"))
	if at, err := chromedp.Run(ctx, chromedp.Location()); err != nil || strings.Contains(at, "token") {
		t.Errorf("the token stays in the address %s %v", at, err)
	}

	other := openBrowser(t, u.proxy)
	do(t, other, chromedp.Navigate(u.page))
	signInByPopup(t, other, "bob@example.com")
	if ok, err := chromedp.Run(other, chromedp.Evaluate[bool](shows("#list", "milk"))); err != nil || ok {
		t.Errorf("another user sees the item: %v %v", ok, err)
	}
	if _, _, body := fetch(t, http.DefaultClient, u.console+"people"); !strings.Contains(body, "ann@example.com") || !strings.Contains(body, "bob@example.com") {
		t.Error("the console does not show who signed in")
	}
	if log, err := os.ReadFile(filepath.Join(dir, ".cordon", "events.jsonl")); err != nil || strings.Contains(string(log), "token=") {
		t.Errorf("the log holds a token, or is not there: %v", err)
	}
}

// ways asks one origin in every way that a page can, and resolves to the ways
// that succeeded.
const ways = `(async (web) => {
  const within = (p) => Promise.race([p, new Promise((r) => setTimeout(() => r(false), 4000))]);
  const element = (tag, good, url) => new Promise((r) => {
    const e = document.createElement(tag);
    e.addEventListener(good, () => r(true));
    e.addEventListener("error", () => r(false));
    if (tag === "link") { e.rel = "stylesheet"; e.href = url; } else { e.src = url; }
    document.body.append(e);
  });
  const all = {
    fetch: () => fetch(web + "/fetch").then(() => true, () => false),
    image: () => element("img", "load", web + "/picture.svg"),
    script: () => element("script", "load", web + "/script.js"),
    style: () => element("link", "load", web + "/style.css"),
    eventsource: () => new Promise((r) => { const s = new EventSource(web + "/events"); s.onmessage = () => { s.close(); r(true); }; s.onerror = () => { s.close(); r(false); }; }),
    websocket: () => new Promise((r) => { const s = new WebSocket(web.replace("https:", "wss:") + "/live"); s.onmessage = () => { s.close(); r(true); }; s.onerror = () => r(false); }),
    iframe: () => new Promise((r) => { const e = document.createElement("iframe"); addEventListener("message", (m) => { if (m.data === "framed") r(true); }); e.src = web + "/frame"; document.body.append(e); }),
    audio: () => element("audio", "loadedmetadata", web + "/audio.wav"),
  };
  const out = {};
  await Promise.all(Object.entries(all).map(async ([name, way]) => { out[name] = await within(way()); }));
  return out;
})`

// TestDeniedHostUntilThePatch asks a host that no list names, past the page's
// own policy: the gateway refuses every way, the console shows it with the
// reason, and the line that the console proposes makes all of them work.
func TestDeniedHostUntilThePatch(t *testing.T) {
	port := freePort(t)
	dir := todoCopy(t, port)
	origin, arrivals := askedOrigin(t)
	_, originPort, _ := strings.Cut(strings.TrimPrefix(origin, "https://"), ":")
	u := startUp(t, dir, port, "--private", "other.localhost=127.0.0.0/8", "--private", "other.localhost=::1")
	ctx := openBrowser(t, u.proxy)
	if _, err := chromedp.Call(ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	ask := func(want bool) {
		t.Helper()
		do(t, ctx, chromedp.Navigate(u.page))
		got, err := chromedp.Run(ctx, chromedp.Evaluate[map[string]bool](fmt.Sprintf("%s(%q)", ways, origin), chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 8 {
			t.Errorf("%d ways answered: %v", len(got), got)
		}
		for way, worked := range got {
			if worked != want {
				t.Errorf("%s: success %v, want %v", way, worked, want)
			}
		}
	}
	ask(false)
	if n := arrivals(); n != 0 {
		t.Errorf("BREACH: %d connections reached the host", n)
	}
	desk := openBrowser(t, "") // the gateway does not lead to the console
	do(t, desk, chromedp.Navigate(u.console+"traffic?verdict=deny&host=other.localhost"))
	waitFor(t, desk, shows("#events", "not-listed"))
	do(t, desk, chromedp.Click(css("#events a[href*='policy/allow']")))
	waitFor(t, desk, shows("pre", `<access origin="https://other.localhost:`+originPort+`" />`))
	do(t, desk, chromedp.Click(css("form[action$='/policy/allow'] button")))
	waitFor(t, desk, shows("[role=status]", "Added"))
	data, err := os.ReadFile(filepath.Join(dir, "config.xml"))
	if err != nil || !strings.Contains(string(data), "other.localhost:"+originPort) {
		t.Fatalf("the line is not in config.xml: %v", err)
	}
	ask(true)
	_, _, body := fetch(t, http.DefaultClient, u.console+"traffic?verdict=allow&host=other.localhost")
	if !strings.Contains(body, "https://other.localhost:"+originPort) || !strings.Contains(body, "config.xml:") {
		t.Error("the console does not say which line let the requests through")
	}
}
