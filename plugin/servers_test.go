package plugin_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
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

	"github.com/cordon-sec/cordon/internal/testpki"
)

// origin is a TLS server that answers every kind of request, for every host,
// and remembers what reached it.
type origin struct {
	port string
	mu   sync.Mutex
	seen map[string]http.Header // by host and path
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	o := &origin{seen: map[string]http.Header{}}
	leaf := testpki.Root(t, testpki.Spec{Name: "Test Root"}).Leaf(t,
		testpki.Spec{Name: "good.test", Hosts: []string{"good.test", "*.good.test", "evil.test", "own.test"}})
	server := httptest.NewUnstartedServer(o)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	o.port = port
	return o
}

// reached returns the headers of the last request for a host and path.
func (o *origin) reached(hostPath string) (http.Header, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	h, ok := o.seen[hostPath]
	return h, ok
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if r.Method != http.MethodOptions {
		o.mu.Lock()
		o.seen[host+r.URL.Path] = r.Header.Clone()
		o.mu.Unlock()
	}
	if r.URL.Path != "/closed" { // this one does not know CORS
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "*, Authorization")
		w.Header().Set("Access-Control-Allow-Methods", "*")
		w.Header().Set("Access-Control-Expose-Headers", "*")
	}
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	switch r.URL.Path {
	case "/image.png":
		w.Header().Set("Content-Type", "image/png")
		_ = png.Encode(w, image.NewGray(image.Rect(0, 0, 2, 2)))
	case "/media.wav":
		http.ServeContent(w, r, "x.wav", time.Time{}, bytes.NewReader(silence()))
	case "/websocket":
		hello(w, r)
	case "/frame":
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<script>parent.postMessage('loaded ' + location.origin, '*')</script>")
	case "/missing":
		http.Error(w, "nothing here", http.StatusNotFound)
	case "/.auth/refresh":
		fmt.Fprint(w, `{"authenticationToken":"renewed","user":{"userId":"sid:1"}}`)
	case "/own401":
		if r.Header.Get("X-ZUMO-AUTH") != "renewed" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprint(w, "in")
	default:
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		_ = json.NewEncoder(w).Encode(map[string]any{"method": r.Method, "query": r.URL.RawQuery,
			"type": r.Header.Get("Content-Type"), "body": string(body)})
	}
}

// silence returns a second of it as a WAV file.
func silence() []byte {
	data := make([]byte, 8000)
	head := []byte("RIFF\x00\x00\x00\x00WAVEfmt " +
		"\x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x00\x00\x00\x00")
	binary.LittleEndian.PutUint32(head[4:], uint32(len(head)-8+len(data)))
	binary.LittleEndian.PutUint32(head[40:], uint32(len(data)))
	return append(head, data...)
}

// hello agrees to a WebSocket and sends one text message.
func hello(w http.ResponseWriter, r *http.Request) {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n\x81\x05hello", base64.StdEncoding.EncodeToString(sum[:]))
	_ = conn.SetReadDeadline(time.Now().Add(3 * time.Second))
	_, _ = io.Copy(io.Discard, rw)
}
