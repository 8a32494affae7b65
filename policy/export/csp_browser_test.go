//go:build !js

package export_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"html"
	"image"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/policy"
)

// cspTryAll asks for every URL in one way and says which ones worked. One that the
// policy stops ends with the event that says so.
const cspTryAll = `window.tryAll = (way, urls) => Promise.all(urls.map((url) => new Promise((done) => {
  document.addEventListener('securitypolicyviolation', (e) => { if (e.blockedURI === url) done(false); });
  setTimeout(() => done(false), 15000);
  const element = (tag, good) => {
    const e = document.createElement(tag);
    e.addEventListener(good, () => done(true));
    e.src = url;
    document.body.append(e);
  };
  switch (way) {
  case 'xhr': fetch(url).then((r) => done(r.ok), () => undefined); break;
  case 'image': element('img', 'load'); break;
  case 'media': element('audio', 'loadedmetadata'); break;
  case 'frame': {
    // The event names no more than the frame's origin. A frame that loads
    // speaks before its load event; one that is stopped has that event alone.
    addEventListener('message', (m) => { if (m.data === url) done(true); });
    const frame = document.createElement('iframe');
    frame.addEventListener('load', () => setTimeout(() => done(false), 500));
    frame.src = url;
    document.body.append(frame);
    break;
  }
  case 'websocket':
    try {
      const s = new WebSocket(url);
      s.onmessage = () => { done(true); s.close(); };
    } catch (err) { done(false); }
  }
}))); 1`

// cspSite answers every way to ask for something, for every host.
func cspSite(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	switch {
	case r.Header.Get("Upgrade") == "websocket":
		browsertest.Greet(w, r, "hi")
	case r.Header.Get("Sec-Fetch-Dest") == "image":
		w.Header().Set("Content-Type", "image/png")
		_ = png.Encode(w, image.NewGray(image.Rect(0, 0, 1, 1)))
	case r.Header.Get("Sec-Fetch-Dest") == "audio" || r.Header.Get("Range") != "":
		http.ServeContent(w, r, "x.wav", time.Time{}, bytes.NewReader(browsertest.Silence()))
	case strings.Contains(r.Header.Get("Accept"), "text/html"):
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<script>parent.postMessage(%q, '*')</script>", scheme+"://"+r.Host+r.URL.Path)
	case strings.Contains(r.Header.Get("Accept"), "image/"):
		w.Header().Set("Content-Type", "image/png")
		_ = png.Encode(w, image.NewGray(image.Rect(0, 0, 1, 1)))
	default:
		fmt.Fprint(w, "hello")
	}
}

func cspServe(t *testing.T, secure bool) (port string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(cspSite))
	if secure {
		leaf := testpki.Root(t, testpki.Spec{Name: "Root"}).Leaf(t,
			testpki.Spec{Name: "good.test", Hosts: []string{"*.test"}})
		server.TLS = &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// The browser itself, with policies of every shape: what the list allows loads,
// and what it blocks does not; a policy that names a loss may do more.
func TestCSPChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the browser takes about a quarter of a minute")
	}
	browser := browsertest.Open(t)
	// What is listed answers, and everything else is refused by the policy.
	browser.Expect(browsertest.Failed("*.test:*"), browsertest.Failed("*://127.0.0.1:*"))
	secure, plain := cspServe(t, true), cspServe(t, false)
	exact := 0
	bodies := []string{
		`<access origin="http://good.test:PLAIN"/><access origin="https://good.test:SECURE"/>`,
		`<access origin="https://good.test:SECURE/p/*"/><access origin="https://nav.test:SECURE/q"/>`,
		``,
		`<access origin="https://good.test:SECURE"/>`,
		`<access origin="https://*.good.test:SECURE"/>`,
		`<access origin="https://good.test:SECURE"/><allow-navigation href="https://nav.test:SECURE/p"/>`,
		`<access origin="wss://good.test:SECURE"/><access origin="https://127.0.0.1:SECURE"/>`,
	}
	for _, body := range bodies[:lane.Rounds(2, len(bodies), len(bodies))] {
		t.Run(body, func(t *testing.T) {
			source, compiled := sourceOf(t, strings.NewReplacer("SECURE", secure, "PLAIN", plain).Replace(body))
			artifact := writerOf("csp")(source)
			page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				fmt.Fprintf(w, `<!doctype html><html><head><link rel="icon" href="data:,"><meta `+
					`http-equiv="Content-Security-Policy" content="%s"></head><body></body></html>`,
					html.EscapeString(string(artifact.Content)))
			}))
			defer page.Close()
			tab := browser.For(t)
			tab.Navigate(strings.Replace(page.URL, "127.0.0.1", "localhost", 1))
			browsertest.Eval[int](tab, cspTryAll)
			for _, kind := range []policy.Kind{policy.XHR, policy.Image, policy.Media, policy.Frame, policy.WebSocket} {
				urls := cspAddresses(kind, secure, plain)
				got := browsertest.Eval[[]bool](tab, fmt.Sprintf("tryAll(%q, [%s])", kind.String(), cspQuoted(urls)))
				if len(got) != len(urls) {
					t.Fatalf("%v: %d answers for %d URLs", kind, len(got), len(urls))
				}
				for i, url := range urls {
					want := compiled.Decide(policy.Request{URL: url, Kind: kind}).Verdict == policy.Allow
					switch {
					case got[i] && !want && len(artifact.Losses) == 0:
						t.Errorf("%v of %s loads, and the policy blocks it", kind, url)
					case !got[i] && want:
						t.Errorf("%v of %s is stopped, and the policy allows it", kind, url)
					case want:
						exact++
					}
				}
			}
		})
	}
	if few := lane.Rounds(40, 136, 136); exact != few {
		t.Errorf("%d requests were allowed in all, not %d", exact, few)
	}
}

func cspAddresses(kind policy.Kind, secure, plain string) []string {
	var urls []string
	for _, host := range []string{"good.test", "a.good.test", "b.a.good.test", "xgood.test", "nav.test", "evil.test",
		"127.0.0.1"} {
		for _, path := range []string{"/p/x", "/q", "/qx"} {
			for scheme, port := range map[string]string{"https": secure, "http": plain} {
				if kind == policy.WebSocket {
					scheme = strings.Replace(scheme, "http", "ws", 1)
				}
				urls = append(urls, scheme+"://"+host+":"+port+path)
			}
		}
	}
	return urls
}

func cspQuoted(list []string) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q", s)
	}
	return b.String()
}
