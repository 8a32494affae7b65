package browsertest

import (
	"bytes"
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
	"sync"
	"testing"
	"time"
)

// Ways is a script that asks one origin in every way that a page can:
// ways("https://host:port") resolves to an object of the ways that [WayNames]
// lists, each true if it worked. A page never learns what became of a beacon:
// that one is always true.
const Ways = `window.ways = async (web) => {
  const socket = web.replace(/^http/, 'ws');
  const within = (p) => Promise.race([p, new Promise((r) => setTimeout(() => r(false), 20000))]);
  const element = (tag, good, url) => new Promise((r) => {
    const e = document.createElement(tag);
    e.addEventListener(good, () => r(true));
    e.addEventListener('error', () => r(false));
    if (tag === 'link') { e.rel = 'stylesheet'; e.href = url; } else { e.src = url; }
    document.body.append(e);
  });
  const all = {
    fetch: () => fetch(web + '/fetch').then((r) => r.text()).then((t) => t === 'hello', () => false),
    xhr: () => new Promise((r) => {
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
    style: () => element('link', 'load', web + '/style.css'),
    eventsource: () => new Promise((r) => {
      const s = new EventSource(web + '/events');
      s.onmessage = (m) => { s.close(); r(m.data === 'hello'); };
      s.onerror = () => { s.close(); r(false); };
    }),
    websocket: () => new Promise((r) => {
      const s = new WebSocket(socket + '/websocket');
      s.onmessage = (m) => { s.close(); r(m.data === 'hello'); };
      s.onerror = () => r(false);
    }),
    // A frame that loads speaks before its load event; an error page has that
    // event alone, or none.
    iframe: () => new Promise((r) => {
      const e = document.createElement('iframe');
      addEventListener('message', (m) => { if (m.data === web) r(true); });
      e.addEventListener('load', () => setTimeout(() => r(false), 500));
      e.src = web + '/iframe?' + encodeURIComponent(web);
      document.body.append(e);
      setTimeout(() => r(false), 6000);
    }),
    beacon: () => { navigator.sendBeacon(web + '/beacon', 'x'); return Promise.resolve(true); },
  };
  const out = {};
  await Promise.all(Object.entries(all).map(async ([name, way]) => { out[name] = await within(way()); }));
  return out;
}; true`

// WayNames are the ways of [Ways], in order.
var WayNames = []string{
	"fetch", "xhr", "image", "video", "audio", "script", "style", "eventsource", "websocket", "iframe", "beacon",
}

// AskInEveryWay asks an origin in every way from the page that is open, and
// returns which ways worked.
func (p *Page) AskInEveryWay(web string) map[string]bool {
	p.t.Helper()
	Eval[bool](p, Ways)
	return Eval[map[string]bool](p, fmt.Sprintf("ways(%q)", web))
}

// Origin is a server that answers whatever [Ways] asks for, and counts. It is
// safe for concurrent use.
type Origin struct {
	// Port is the port that it listens on, on 127.0.0.1.
	Port string

	mu          sync.Mutex
	paths       map[string]int
	connections int
	asked       *sync.Cond
}

// NewOrigin starts an origin for the time of the test: with TLS by the
// certificate, or by one that nobody trusts if it is nil and secure is true.
func NewOrigin(t testing.TB, secure bool, certificate *tls.Certificate) *Origin {
	t.Helper()
	o := &Origin{paths: map[string]int{}}
	o.asked = sync.NewCond(&o.mu)
	server := httptest.NewUnstartedServer(o)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			o.mu.Lock()
			o.connections++
			o.mu.Unlock()
		}
	}
	if secure {
		if certificate != nil {
			server.TLS = &tls.Config{Certificates: []tls.Certificate{*certificate}}
		}
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	o.Port = port
	return o
}

// Connections is how many connections have reached the origin.
func (o *Origin) Connections() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.connections
}

// Await waits until a path was asked for, and reports false if that takes too
// long.
func (o *Origin) Await(path string) bool {
	late := false
	limit := time.AfterFunc(waitTime, func() {
		o.mu.Lock()
		late = true
		o.mu.Unlock()
		o.asked.Broadcast()
	})
	defer limit.Stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.paths[path] == 0 && !late {
		o.asked.Wait()
	}
	return o.paths[path] > 0
}

// ServeHTTP answers one way of asking.
func (o *Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.paths[r.URL.Path]++
	o.mu.Unlock()
	o.asked.Broadcast()
	w.Header().Set("Access-Control-Allow-Origin", "*")
	switch r.URL.Path {
	case "/":
		html(w, `<!doctype html><html lang="en"><title>page</title><link rel="icon" href="data:,"><body>`)
	case "/iframe":
		html(w, `<!doctype html><html lang="en">
<script>parent.postMessage(decodeURIComponent(location.search.slice(1)), '*')</script>`)
	case "/image.png":
		w.Header().Set("Content-Type", "image/png")
		_ = png.Encode(w, image.NewGray(image.Rect(0, 0, 2, 2))) // the browser may be gone
	case "/video.wav", "/audio.wav":
		http.ServeContent(w, r, "x.wav", time.Time{}, bytes.NewReader(Silence()))
	case "/script.js":
		w.Header().Set("Content-Type", "text/javascript")
	case "/style.css":
		w.Header().Set("Content-Type", "text/css")
	case "/events":
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: hello\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // the page closes it
	case "/websocket":
		Greet(w, r, "hello")
	default:
		_, _ = io.WriteString(w, "hello")
	}
}

func html(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, text)
}

// Silence is a second of sound, as a WAV file.
func Silence() []byte {
	data := make([]byte, 8000)
	head := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00" +
		"\x01\x00\x08\x00data\x00\x00\x00\x00")
	binary.LittleEndian.PutUint32(head[4:], uint32(len(head)-8+len(data)))
	binary.LittleEndian.PutUint32(head[40:], uint32(len(data)))
	return append(head, data...)
}

// Greet agrees to a WebSocket (RFC 6455), sends one short text message and reads
// until the client closes.
func Greet(w http.ResponseWriter, r *http.Request, text string) {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "This connection cannot become a WebSocket.", http.StatusHTTPVersionNotSupported)
		return
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n\x81%c%s",
		base64.StdEncoding.EncodeToString(sum[:]), len(text), text)
	if err != nil {
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.Copy(io.Discard, rw)
}
