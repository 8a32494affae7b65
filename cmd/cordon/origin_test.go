package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// askedOrigin serves whatever a page can ask for at https://other.localhost,
// and counts the connections that reached it.
func askedOrigin(t *testing.T) (origin string, arrivals func() int64) {
	t.Helper()
	var count atomic.Int64
	standIn := newStandIn(t.Context())
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		switch r.URL.Path {
		case "/picture.svg", "/live":
			standIn.ServeHTTP(w, r)
		case "/script.js":
			w.Header().Set("Content-Type", "text/javascript")
		case "/style.css":
			w.Header().Set("Content-Type", "text/css")
		case "/audio.wav":
			http.ServeContent(w, r, "audio.wav", time.Time{}, bytes.NewReader(silence()))
		case "/events":
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: hello\n\n")
		case "/frame":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<script>parent.postMessage('framed', '*')</script>")
		default:
			_, _ = io.WriteString(w, "hello")
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			count.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "https://"), ":")
	return "https://other.localhost:" + port, count.Load
}

// silence is a short sound file.
func silence() []byte {
	data := make([]byte, 8000)
	head := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x00\x00\x00\x00")
	binary.LittleEndian.PutUint32(head[4:], uint32(len(head)-8+len(data)))
	binary.LittleEndian.PutUint32(head[40:], uint32(len(data)))
	return append(head, data...)
}
