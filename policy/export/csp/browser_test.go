//go:build !js

package csp_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"html"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/policy"
	exportcsp "github.com/cordon-sec/cordon/policy/export/csp"
	"github.com/cordon-sec/cordon/policy/export/exporttest"
)

// tryAll asks for every URL in one way and says which ones worked. One that the
// policy stops ends with the event that says so.
const tryAll = `window.tryAll = (way, urls) => Promise.all(urls.map((url) => new Promise((done) => {
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

// site answers every way to ask for something, for every host.
func site(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	switch {
	case r.Header.Get("Upgrade") == "websocket":
		greet(w, r)
	case r.Header.Get("Sec-Fetch-Dest") == "image":
		w.Header().Set("Content-Type", "image/png")
		_ = png.Encode(w, image.NewGray(image.Rect(0, 0, 1, 1)))
	case r.Header.Get("Sec-Fetch-Dest") == "audio" || r.Header.Get("Range") != "":
		http.ServeContent(w, r, "x.wav", time.Time{}, bytes.NewReader(silence()))
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

func silence() []byte {
	data := make([]byte, 4000)
	head := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x00\x00\x00\x00")
	binary.LittleEndian.PutUint32(head[4:], uint32(len(head)-8+len(data)))
	binary.LittleEndian.PutUint32(head[40:], uint32(len(data)))
	return append(head, data...)
}

func greet(w http.ResponseWriter, r *http.Request) {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n\x81\x02hi", base64.StdEncoding.EncodeToString(sum[:]))
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.Copy(io.Discard, rw)
}

func serve(t *testing.T, secure bool) (port string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(site))
	if secure {
		leaf := testpki.Root(t, testpki.Spec{Name: "Root"}).Leaf(t, testpki.Spec{Name: "good.test", Hosts: []string{"*.test"}})
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

func chromium(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{os.Getenv("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"} {
		if _, err := os.Stat(name); err == nil {
			path = name
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium on this machine (Debian: apt-get install chromium): the export was not tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1"), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"), chromedp.Flag("disable-features", "HttpsUpgrades,LocalNetworkAccessChecks"))
	ctx, endTime := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(endTime)
	ctx, endAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(endAllocator)
	ctx, endBrowser := chromedp.NewContext(ctx)
	t.Cleanup(endBrowser)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // waits for the browser's end
	return ctx
}

// The browser itself, with policies of every shape: what the list allows loads,
// and what it blocks does not; a policy that names a loss may do more.
func TestChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the browser takes about a quarter of a minute")
	}
	ctx := chromium(t)
	secure, plain := serve(t, true), serve(t, false)
	exact := 0
	for _, body := range []string{
		``,
		`<access origin="https://good.test:SECURE"/>`,
		`<access origin="https://*.good.test:SECURE"/>`,
		`<access origin="https://good.test:SECURE/p/*"/><access origin="https://nav.test:SECURE/q"/>`,
		`<access origin="http://good.test:PLAIN"/><access origin="https://good.test:SECURE"/>`,
		`<access origin="https://good.test:SECURE"/><allow-navigation href="https://nav.test:SECURE/p"/>`,
		`<access origin="wss://good.test:SECURE"/><access origin="https://127.0.0.1:SECURE"/>`,
	} {
		t.Run(body, func(t *testing.T) {
			source, compiled := exporttest.Source(t, strings.NewReplacer("SECURE", secure, "PLAIN", plain).Replace(body))
			artifact := exportcsp.Export(source)
			page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				fmt.Fprintf(w, `<!doctype html><html><head><meta http-equiv="Content-Security-Policy" content="%s"></head><body></body></html>`, html.EscapeString(string(artifact.Content)))
			}))
			defer page.Close()
			if err := chromedp.Do(ctx, chromedp.Navigate(strings.Replace(page.URL, "127.0.0.1", "localhost", 1))); err != nil {
				t.Fatal(err)
			}
			if _, err := chromedp.Run(ctx, chromedp.Evaluate[int](tryAll)); err != nil {
				t.Fatal(err)
			}
			for _, kind := range []policy.Kind{policy.XHR, policy.Image, policy.Media, policy.Frame, policy.WebSocket} {
				urls := addresses(kind, secure, plain)
				got, err := chromedp.Run(ctx, chromedp.Evaluate[[]bool](fmt.Sprintf("tryAll(%q, [%s])", kind.String(), quoted(urls)), chromedp.EvalAwaitPromise))
				if err != nil || len(got) != len(urls) {
					t.Fatalf("%v: %d answers for %d URLs, %v", kind, len(got), len(urls), err)
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
	if exact < 40 {
		t.Errorf("only %d requests were allowed in all: the test sees too little", exact)
	}
}

func addresses(kind policy.Kind, secure, plain string) []string {
	var urls []string
	for _, host := range []string{"good.test", "a.good.test", "b.a.good.test", "xgood.test", "nav.test", "evil.test", "127.0.0.1"} {
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

func quoted(list []string) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q", s)
	}
	return b.String()
}
