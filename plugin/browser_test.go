package plugin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/lane"
)

// inPage are the functions that the test calls in the app's page. ask tries
// every way to reach a host and says which ones worked, and which ones the
// Content-Security-Policy stopped.
const inPage = `window.ask = async (host) => {
  const stopped = new Set();
  const listen = (e) => stopped.add(e.effectiveDirective);
  document.addEventListener('securitypolicyviolation', listen);
  const within = (p) => Promise.race([p, new Promise(r => setTimeout(() => r(false), 4000))]);
  const element = (tag, good, url) => new Promise(r => {
    const e = document.createElement(tag);
    e.addEventListener(good, () => r(true));
    e.addEventListener('error', () => r(false));
    e.src = url;
    document.body.append(e);
  });
  const ways = {
    fetch: () => fetch('https://' + host + '/fetch').then(r => r.ok, () => false),
    image: () => element('img', 'load', 'https://' + host + '/image.png'),
    media: () => element('audio', 'loadedmetadata', 'https://' + host + '/media.wav'),
    websocket: () => new Promise(r => {
      let s;
      try { s = new WebSocket('wss://' + host + '/websocket'); } catch (err) { r(false); return; }
      s.onmessage = (m) => { s.close(); r(m.data === 'hello'); };
      s.onerror = () => r(false);
    }),
    frame: () => new Promise(r => {
      const e = document.createElement('iframe');
      addEventListener('message', (m) => { if (m.data === 'loaded https://' + host) r(true); });
      e.src = 'https://' + host + '/frame';
      document.body.append(e);
      setTimeout(() => r(false), 2500);
    }),
  };
  const worked = {};
  await Promise.all(Object.entries(ways).map(async ([name, way]) => { worked[name] = await within(way()); }));
  document.removeEventListener('securitypolicyviolation', listen);
  return { worked, stopped: [...stopped].sort().join(' ') };
};
window.outcome = (promise) => promise.then(
  (value) => ({ ok: true, value: value === undefined ? null : value }),
  (err) => ({ ok: false, status: err.status === undefined ? -1 : err.status, message: String(err.error || err.message) }));
typeof cordon + ' ' + typeof cordovaHTTP`

// outcome is what became of a promise in the page.
type outcome struct {
	OK      bool           `json:"ok"`
	Value   map[string]any `json:"value"`
	Status  int            `json:"status"`
	Message string         `json:"message"`
}

// browser is the app's page.
type browser struct {
	t *testing.T
	*browsertest.Page
}

func openPage(t *testing.T, url string) browser {
	t.Helper()
	page := browsertest.Open(t)
	page.Navigate(url)
	page.WaitFor("typeof cordon === 'object' && typeof cordovaHTTP === 'object'")
	b := browser{t, page}
	evaluate[string](b, "%s", inPage)
	return b
}

// in is the page for a test within the one that opened it.
func (b browser) in(t *testing.T) browser { return browser{t, b.Page.For(t)} }

func evaluate[T any](b browser, script string, args ...any) T {
	b.t.Helper()
	return browsertest.Eval[T](b.Page, fmt.Sprintf(script, args...))
}

// The browser platform as the plugin leaves it, in Chromium: the policy stops
// what it blocks and nothing else, and the interface works.
func TestBrowserPlatform(t *testing.T) {
	lane.Real(t)
	t.Parallel()
	tc := newToolchain(t)
	o := newOrigin(t)
	app := tc.newApp(t, []string{"browser@7.0.0"})
	write(t, app, "config.xml", fmt.Sprintf(`<?xml version='1.0' encoding='utf-8'?>
<widget id="org.example.app" version="1.0.0" xmlns="http://www.w3.org/ns/widgets" xmlns:cordon="urn:cordon:1">
    <name>App</name>
    <content src="index.html" />
    <access origin="https://good.test:%[1]s" />
    <access origin="https://*.sub.test:%[1]s" />
    <access origin="https://own.test:%[1]s" />
</widget>
`, o.port))
	write(t, app, "www/js/index.js", "")
	tc.must(t, app, "prepare")
	site := httptest.NewServer(http.FileServer(http.Dir(app + "/platforms/browser/www")))
	t.Cleanup(site.Close)
	b := openPage(t, strings.Replace(site.URL, "127.0.0.1", "localhost", 1)+"/index.html")
	t.Run("policy", func(t *testing.T) { checkPolicy(b.in(t), o) })
	t.Run("http", func(t *testing.T) { checkHTTP(b.in(t), o) })
	t.Run("auth", func(t *testing.T) { checkAuth(b.in(t), o) })
	t.Run("explain", func(t *testing.T) { checkExplain(b.in(t), o) })
}

func checkPolicy(b browser, o *origin) {
	b.Expect(browsertest.Failed("*://evil.test:*"), browsertest.Failed("*://x.good.test:*"),
		browsertest.Failed("*://xsub.test:*"))
	for host, allowed := range map[string]bool{
		"good.test": true, "a.b.sub.test": true, "sub.test": true, "evil.test": false, "x.good.test": false,
		"xsub.test": false,
	} {
		got := evaluate[struct {
			Worked  map[string]bool `json:"worked"`
			Stopped string          `json:"stopped"`
		}](b, "ask(%q)", host+":"+o.port)
		for _, way := range []string{"fetch", "image", "media", "websocket", "frame"} {
			if worked, tried := got.Worked[way]; !tried || worked != allowed {
				b.t.Errorf("%s by %s: worked %v, want %v", host, way, worked, allowed)
			}
		}
		want := ""
		if !allowed {
			want = "connect-src frame-src img-src media-src"
		}
		if got.Stopped != want {
			b.t.Errorf("%s: stopped by %q, want %q", host, got.Stopped, want)
		}
		if _, came := o.reached(host + "/fetch"); came != allowed {
			b.t.Errorf("%s: a request arrived: %v, want %v", host, came, allowed)
		}
	}
}

func checkHTTP(b browser, o *origin) {
	base := "https://good.test:" + o.port
	b.Expect(browsertest.Failed(base+"/missing"), browsertest.Failed(base+"/closed"))
	for _, method := range []string{"get", "delete", "post", "put", "patch"} {
		got := evaluate[outcome](b,
			"outcome(cordovaHTTP.%s('%s/%s', {a: 'x y'}, {'X-Own': 'o'}))", method, base, method)
		data, _ := got.Value["data"].(string)
		if !got.OK || got.Value["status"] != 200.0 || !strings.Contains(data, strings.ToUpper(method)) ||
			!strings.Contains(data, "a=x%20y") {
			b.t.Errorf("%s: %+v", method, got)
		}
		if header, ok := o.reached("good.test/" + method); !ok || header.Get("X-Own") != "o" {
			b.t.Errorf("%s: the server saw %v", method, header)
		}
	}
	if got := evaluate[outcome](b, "outcome(cordovaHTTP.head('%s/head', {}, {}))", base); !got.OK ||
		got.Value["data"] != "" {
		b.t.Errorf("head: %+v", got)
	}
	if got := evaluate[outcome](b, "outcome(cordovaHTTP.uploadFile('%s/up', {n: 1}, {}, new Blob(['bytes']), 'part'))",
		base); !got.OK || !strings.Contains(fmt.Sprint(got.Value["data"]), "bytes") {
		b.t.Errorf("upload: %+v", got)
	}
	for script, want := range map[string]outcome{
		"cordovaHTTP.get('" + base + "/missing', {}, {})":           {Status: 404, Message: "nothing here"},
		"cordovaHTTP.get('" + base + "/closed', {}, {})":            {Message: "CORS"},
		"cordovaHTTP.get('https://evil.test:" + o.port + "/x', {})": {Message: "Content-Security-Policy"},
		"cordovaHTTP.acceptAllCerts(true)":                          {Message: "refused"},
		"cordovaHTTP.validateDomainName(false)":                     {Message: "refused"},
		"cordovaHTTP.enableSSLPinning(true)":                        {Message: "nothing enforces pins"},
		"cordovaHTTP.get('" + base + "/pinned', {}, {})":            {Message: "nothing enforces pins"},
	} {
		if !strings.Contains(script, "/pinned") {
			evaluate[outcome](b, "outcome(cordovaHTTP.enableSSLPinning(false))")
		} else {
			evaluate[outcome](b, "outcome(cordovaHTTP.enableSSLPinning(true))")
		}
		if got := evaluate[outcome](b, "outcome(%s)", script); got.OK || got.Status != want.Status ||
			!strings.Contains(got.Message, want.Message) {
			b.t.Errorf("%s: %+v, want %+v", script, got, want)
		}
	}
	evaluate[outcome](b, "outcome(cordovaHTTP.enableSSLPinning(false))")
	if _, came := o.reached("good.test/pinned"); came {
		b.t.Error("a request left although pinning could not be promised")
	}
	got := evaluate[outcome](b,
		"outcome(new Promise((ok, fail) => { cordovaHTTP.get('%s/callback', {}, {}, ok, fail); }))", base)
	if !got.OK || got.Value["status"] != 200.0 {
		b.t.Errorf("callback: %+v", got)
	}
}

func checkAuth(b browser, o *origin) {
	b.Expect(browsertest.Failed("https://own.test:" + o.port + "/own401"))
	got := evaluate[outcome](b, `outcome((async () => {
  await cordon.auth.configure({ url: 'https://own.test:%[1]s' });
  await cordon.auth.set('first', 'sid:1');
  await cordovaHTTP.get('https://own.test:%[1]s/own', {}, {});
  await cordovaHTTP.get('https://good.test:%[1]s/other', {}, {});
  const client = cordon.auth.attach({ applicationUrl: 'https://own.test:%[1]s' });
  const answer = await cordon.auth.fetch('https://own.test:%[1]s/own401');
  return { text: await answer.text(), token: client.currentUser.mobileServiceAuthenticationToken, kept: JSON.stringify(localStorage) + document.cookie };
})())`, o.port)
	if !got.OK || got.Value["text"] != "in" || got.Value["token"] != "renewed" {
		b.t.Errorf("%+v", got)
	}
	if kept := fmt.Sprint(got.Value["kept"]); strings.Contains(kept, "first") || strings.Contains(kept, "renewed") {
		b.t.Errorf("the token is in the page's storage: %s", kept)
	}
	if header, ok := o.reached("own.test/own"); !ok || header.Get("X-ZUMO-AUTH") != "first" {
		b.t.Errorf("the own origin saw %v", header)
	}
	if header, ok := o.reached("good.test/other"); !ok || header.Get("X-ZUMO-AUTH") != "" {
		b.t.Errorf("another origin saw %v", header)
	}
}

func checkExplain(b browser, o *origin) {
	for url, want := range map[string]string{
		"https://good.test:" + o.port + "/x": "allow listed 5",
		"https://evil.test/":                 "block not-listed 0",
		"wss://a.sub.test:" + o.port + "/":   "allow listed 6",
	} {
		got := evaluate[outcome](b, "outcome(cordon.policy.explain(%q))", url)
		if answer := fmt.Sprint(got.Value["verdict"], " ", got.Value["reason"], " ", got.Value["line"]); !got.OK ||
			answer != want {
			b.t.Errorf("%s: %s, want %s (%+v)", url, answer, want, got)
		}
	}
	got := evaluate[outcome](b,
		"outcome(cordon.policy.explain('https://good.test/', {platform: 'android@3.0.0', kind: 'nonsense'}))")
	if got.OK || !strings.Contains(got.Message, "nonsense") {
		b.t.Errorf("%+v", got)
	}
}
