package up

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// standInHost is where cordon up has something to try: another host than the
// pages', on the same listener. Names below localhost are this machine
// (RFC 6761).
const standInHost = "demo.localhost"

// standInPicture is the picture of the stand-in.
const standInPicture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 60" role="img"><title>A cordon</title>
<rect width="120" height="60" rx="8" fill="#eef4ef"/><circle cx="60" cy="30" r="20" fill="none" stroke="#1b7f3b" stroke-width="4" stroke-dasharray="9 5"/><circle cx="60" cy="30" r="5" fill="#1b7f3b"/></svg>
`

// tips are what the stand-in's service says.
var tips = []string{
	"List the hosts that you need, not the ones that you might.",
	"A wildcard lets in names that do not exist yet.",
	"What the web view does not ask, the gateway still decides.",
}

// newStandIn returns a host to try requests on: a picture, a WebSocket that
// speaks, and a service. WebSockets end with the context.
func newStandIn(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /picture.svg", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		_, _ = io.WriteString(w, standInPicture) // the client may be gone
	})
	mux.HandleFunc("GET /tip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"tip": tips[time.Now().Unix()%int64(len(tips))]})
	})
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, r *http.Request) { serveLive(ctx, w, r) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "A stand-in for other hosts, for development: /picture.svg /live (WebSocket) /tip")
	})
	return mux
}

// liveEvery is how often the WebSocket speaks, and liveTime how long.
const (
	liveEvery = 10 * time.Second
	liveTime  = time.Hour
)

// serveLive is a WebSocket (RFC 6455) that says the time now and then, until
// the client says anything that ends it.
func serveLive(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || key == "" {
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "This is a WebSocket.", http.StatusUpgradeRequired)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "This connection cannot become a WebSocket.", http.StatusHTTPVersionNotSupported)
		return
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, liveTime)
	defer cancel()
	_ = conn.SetDeadline(time.Now().Add(liveTime))
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	if err != nil {
		return
	}
	go untilClosed(rw.Reader, cancel)
	speak(ctx, conn)
}

// untilClosed reads frames (RFC 6455, section 5.2) until the client closes or
// breaks the connection. What they say does not matter here.
func untilClosed(r *bufio.Reader, closed func()) {
	defer closed()
	for {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); err != nil || head[0]&0x0f == 8 || head[1]&0x7f > 125 {
			return
		}
		rest := int(head[1] & 0x7f)
		if head[1]&0x80 != 0 {
			rest += 4
		}
		if _, err := r.Discard(rest); err != nil {
			return
		}
	}
}

// speak sends a line now and every liveEvery.
func speak(ctx context.Context, conn net.Conn) {
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	for {
		text := time.Now().Format("15:04:05") + " all quiet inside the cordon"
		if _, err := conn.Write(append([]byte{0x81, byte(len(text))}, text...)); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			_, _ = conn.Write([]byte{0x88, 0}) // a close frame, if there is anybody
			return
		case <-tick.C:
		}
	}
}
