package gateway

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/cordon-sec/cordon/event"
)

// browserPage asks for everything at {host}, in every way that a page can, and
// resolves to which ways succeeded.
const browserPage = `async function ask(web, socket) {
  const within = (p) => Promise.race([p, new Promise(r => setTimeout(() => r(false), 20000))]);
  const element = (tag, good, url) => new Promise(r => {
    const e = document.createElement(tag);
    e.addEventListener(good, () => r(true));
    e.addEventListener('error', () => r(false));
    e.src = url;
    document.body.append(e);
  });
  const ways = {
    fetch: () => fetch(web + '/fetch').then(r => r.text()).then(t => t === 'hello', () => false),
    xhr: () => new Promise(r => {
      const x = new XMLHttpRequest();
      x.onload = () => r(x.responseText === 'hello');
      x.onerror = () => r(false);
      x.open('GET', web + '/xhr');
      x.send();
    }),
    image: () => element('img', 'load', web + '/image.png'),
    video: () => element('video', 'loadedmetadata', web + '/video.wav'),
    audio: () => element('audio', 'loadedmetadata', web + '/audio.wav'),
    script: () => element('script', 'load', web + '/script.js'),
    eventsource: () => new Promise(r => {
      const s = new EventSource(web + '/events');
      s.onmessage = (m) => { s.close(); r(m.data === 'hello'); };
      s.onerror = () => { s.close(); r(false); };
    }),
    websocket: () => new Promise(r => {
      const s = new WebSocket(socket + '/websocket');
      s.onmessage = (m) => { s.close(); r(m.data === 'hello'); };
      s.onerror = () => r(false);
    }),
    iframe: () => new Promise(r => {
      const e = document.createElement('iframe');
      addEventListener('message', (m) => { if (m.data === web) r(true); });
      e.src = web + '/iframe?' + encodeURIComponent(web);
      document.body.append(e);
      setTimeout(() => r(false), 6000);
    }),
    beacon: () => { navigator.sendBeacon(web + '/beacon', 'x'); return new Promise(r => setTimeout(() => r(true), 1500)); },
  };
  const out = {};
  await Promise.all(Object.entries(ways).map(async ([name, way]) => { out[name] = await within(way()); }));
  return out;
}`

// browserOrigin serves what browserPage asks for, and remembers the paths.
type browserOrigin struct {
	mu    sync.Mutex
	paths map[string]int
	conns int
}

func (o *browserOrigin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.paths[r.URL.Path]++
	o.mu.Unlock()
	w.Header().Set("Access-Control-Allow-Origin", "*")
	switch r.URL.Path {
	case "/":
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<!doctype html><title>page</title><body><script>"+browserPage+"</script>")
	case "/image.png":
		w.Header().Set("Content-Type", "image/png")
		png.Encode(w, image.NewGray(image.Rect(0, 0, 2, 2)))
	case "/video.wav", "/audio.wav":
		http.ServeContent(w, r, "x.wav", time.Time{}, bytes.NewReader(wav()))
	case "/script.js":
		w.Header().Set("Content-Type", "text/javascript")
	case "/events":
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: hello\n\n")
		http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(2 * time.Second):
		}
	case "/websocket":
		serveHello(w, r)
	case "/iframe":
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<script>parent.postMessage(decodeURIComponent(location.search.slice(1)), '*')</script>")
	default:
		io.WriteString(w, "hello")
	}
}

// wav returns a second of silence.
func wav() []byte {
	data := make([]byte, 8000)
	head := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x00\x00\x00\x00")
	binary.LittleEndian.PutUint32(head[4:], uint32(len(head)-8+len(data)))
	binary.LittleEndian.PutUint32(head[40:], uint32(len(data)))
	return append(head, data...)
}

// serveHello agrees to a WebSocket and sends one text message.
func serveHello(w http.ResponseWriter, r *http.Request) {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n\x81\x05hello", base64.StdEncoding.EncodeToString(sum[:]))
	conn.SetReadDeadline(time.Now().Add(3 * time.Second))
	io.Copy(io.Discard, rw)
}

func startBrowserOrigin(t *testing.T, pair *tls.Certificate) (*browserOrigin, string) {
	t.Helper()
	o := &browserOrigin{paths: map[string]int{}}
	server := httptest.NewUnstartedServer(o)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			o.mu.Lock()
			o.conns++
			o.mu.Unlock()
		}
	}
	if pair != nil {
		server.TLS = &tls.Config{Certificates: []tls.Certificate{*pair}}
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.CloseClientConnections)
	return o, portOf(server.Listener.Addr().String())
}

// findChromium returns the browser, or skips the test.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, path := range []string{os.Getenv("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"} {
		if path != "" {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
	}
	t.Skip("no Chromium on this machine (Debian: apt-get install chromium): the browser test did not run")
	return ""
}

func TestBrowser(t *testing.T) {
	chromium := findChromium(t)
	if testing.Short() {
		t.Skip("-short: the browser test takes about ten seconds")
	}
	t.Run("tunnel", func(t *testing.T) {
		runBrowser(t, chromium, newSite(t, usualRules, nil))
	})
	t.Run("inspect", func(t *testing.T) {
		s, _ := inspectingSite(t, usualRules, nil)
		runBrowser(t, chromium, s)
	})
}

func runBrowser(t *testing.T, chromium string, s *site) {
	leaf := s.secure.server.TLS.Certificates[0]
	good, goodPort := startBrowserOrigin(t, nil)
	goodTLS, goodTLSPort := startBrowserOrigin(t, &leaf)
	evil, evilPort := startBrowserOrigin(t, nil)
	evilTLS, evilTLSPort := startBrowserOrigin(t, &leaf)
	s.writeRules(fmt.Sprintf(`<access origin="http://page.test:%s"/><access origin="http://good.test:%s"/><access origin="https://secure.test:%s"/>`, goodPort, goodPort, goodTLSPort))
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := startChromium(t, chromium, s.addr)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.Navigate("http://page.test:"+goodPort+"/")); err != nil {
		t.Fatal(err)
	}
	for _, each := range []struct {
		web, socket string
		works       bool
		origin      *browserOrigin
	}{
		{"http://good.test:" + goodPort, "ws://good.test:" + goodPort, true, good},
		{"https://secure.test:" + goodTLSPort, "wss://secure.test:" + goodTLSPort, true, goodTLS},
		{"http://evil.test:" + evilPort, "ws://evil.test:" + evilPort, false, evil},
		{"https://other.test:" + evilTLSPort, "wss://other.test:" + evilTLSPort, false, evilTLS},
	} {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[map[string]bool](fmt.Sprintf("ask(%q, %q)", each.web, each.socket), chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatalf("%s: %v", each.web, err)
		}
		if len(got) != 10 {
			t.Errorf("%s: %d ways answered: %v", each.web, len(got), got)
		}
		for way, worked := range got {
			if way == "beacon" { // a page never learns what became of a beacon
				continue
			}
			if worked != each.works {
				t.Errorf("%s by %s: success %v, want %v", each.web, way, worked, each.works)
			}
		}
		if each.works {
			waitFor(t, each.web+": the beacon arrives", func() bool {
				each.origin.mu.Lock()
				defer each.origin.mu.Unlock()
				return each.origin.paths["/beacon"] == 1
			})
		}
		each.origin.mu.Lock()
		if !each.works && each.origin.conns != 0 {
			t.Errorf("BREACH: %s: %d connections", each.web, each.origin.conns)
		}
		each.origin.mu.Unlock()
	}
	checkBrowserEvents(t, s)
}

// checkBrowserEvents requires that every event about the test's hosts says what
// happened; the browser's own errands are left out.
func checkBrowserEvents(t *testing.T, s *site) {
	t.Helper()
	seen := map[string]int{}
	for _, e := range s.decisions() {
		if !strings.HasSuffix(e.Host, ".test") {
			continue
		}
		want := event.Allowed
		if e.Host == "evil.test" || e.Host == "other.test" {
			want = event.Denied
		}
		if e.Verdict != want && e.Verdict != event.Failed {
			t.Errorf("%s %s://%s%s: %s (%s)", e.Method, e.Scheme, e.Host, e.Path, e.Verdict, e.Reason)
		}
		if strings.Contains(e.Path, "?") {
			t.Errorf("a query was recorded: %s", e.Path)
		}
		seen[e.Host]++
	}
	for _, host := range []string{"page.test", "good.test", "secure.test", "evil.test", "other.test"} {
		if seen[host] == 0 {
			t.Errorf("no event about %s: %v", host, seen)
		}
	}
}

func startChromium(t *testing.T, path, proxy string) (context.Context, func()) {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors,
		chromedp.UserDataDir(t.TempDir()),
		chromedp.ProxyServer("http://"+proxy),
		chromedp.Flag("proxy-bypass-list", "<-loopback>"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("webrtc-ip-handling-policy", "disable_non_proxied_udp"),
	)
	ctx, endTime := context.WithTimeout(context.Background(), 3*time.Minute)
	ctx, endAllocator := chromedp.NewExecAllocator(ctx, options...)
	ctx, endBrowser := chromedp.NewContext(ctx)
	return ctx, func() {
		_ = chromedp.Cancel(ctx) // waits for the browser's end
		endBrowser()
		endAllocator()
		endTime()
	}
}
