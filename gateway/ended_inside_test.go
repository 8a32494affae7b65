package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
)

// insideExit is one way in which a request inside a decrypted tunnel ends. The
// origin has the request's head, and the first half of its body if it has one, by
// then.
type insideExit struct {
	name string
	body bool // a request with a body, of which half comes
	half bool // the origin answers with half a body at first
	// origin is what the origin's handler does then; nil: it waits for the end.
	origin func(w http.ResponseWriter)
	only2  bool // of an origin in HTTP/2
	flood  bool // the client's body is more than the origin takes
	leave  bool // the client leaves then
	slow   func(*config.Timeouts)
	want   event.Event // verdict, reason, status, bytes
}

func insideExits() []insideExit {
	const short = 100 * time.Millisecond
	ended := func(reason string, status int, up, down int64) event.Event {
		return event.Event{Verdict: event.Failed, Reason: reason, Status: status, Up: up, Down: down}
	}
	abort := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	cut := func(w http.ResponseWriter) { hijackOrCut(w) }
	return []insideExit{
		{name: "the client leaves, the origin is silent", leave: true, want: ended(reasonClientGone, 0, 0, 0)},
		{name: "the client leaves, half the response is there", half: true, leave: true,
			want: ended(reasonClientGone, 200, 0, 4)},
		{name: "the origin ends the exchange", origin: abort, want: ended(reasonUpstreamGone, 502, 0, 0)},
		{name: "the origin ends the exchange, half the response is there", half: true, origin: abort,
			want: ended(reasonUpstreamGone, 200, 0, 4)},
		{name: "the origin closes the connection", origin: cut, want: ended(reasonUpstreamGone, 502, 0, 0)},
		{name: "the origin closes the connection, half the response is there", half: true, origin: cut,
			want: ended(reasonUpstreamGone, 200, 0, 4)},
		{name: "the origin's head is slow", slow: func(t *config.Timeouts) { t.ResponseHeader = short },
			want: ended(reasonUpstreamSlow, 504, 0, 0)},
		{name: "the origin's body is slow", half: true, slow: func(t *config.Timeouts) { t.Idle = short },
			want: ended(reasonUpstreamSlow, 200, 0, 4)},
		{name: "the origin ends the exchange in the middle of the body", body: true, only2: true, origin: abort,
			want: ended(reasonUpstreamGone, 502, 4, 0)},
		{name: "the origin closes the connection in the middle of the body", body: true, origin: cut,
			want: ended(reasonUpstreamGone, 502, 4, 0)},
		{name: "the origin does not take the body", flood: true, only2: true,
			slow: func(t *config.Timeouts) { t.Idle = short }, want: ended(reasonUpstreamSlow, 504, 0, 0)},
		{name: "the client's body is slow", body: true, slow: func(t *config.Timeouts) { t.Idle = short },
			want: ended(reasonClientSlow, 408, 4, 0)},
	}
}

// connKey is where the origin's handler finds its connection.
type connKey struct{}

func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn.(*tls.Conn).NetConn())
}

// hijackOrCut closes the origin's connection, whatever it speaks.
func hijackOrCut(w http.ResponseWriter) {
	w.(*insideWriter).cut()
	panic(http.ErrAbortHandler)
}

// insideWriter is a ResponseWriter that can close its connection.
type insideWriter struct {
	http.ResponseWriter
	cut func()
}

// Unwrap is for http.ResponseController.
func (w *insideWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// insideOrigin is an origin that does what an exit says.
func insideOrigin(each insideExit, got chan<- struct{}, came, over <-chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if each.body {
			_, _ = io.ReadFull(r.Body, make([]byte, len("half")))
		}
		if each.half {
			w.Header().Set("Content-Length", "8")
			_, _ = io.WriteString(w, "half")
			_ = control.Flush()
		}
		got <- struct{}{}
		if each.origin != nil {
			if each.half { // what is still on its way when a connection ends may be lost
				<-came
			}
			each.origin(w)
		}
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}
}

// TestInsideRequestsSayWhoEnded: the event of a request inside a decrypted tunnel
// says whose doing its end was, and after how many bytes, with each version of
// HTTP before and behind the gateway; and the tunnel's own end is the client's.
func TestInsideRequestsSayWhoEnded(t *testing.T) {
	for _, each := range insideExits() {
		for _, client2 := range []bool{false, true} {
			for _, origin2 := range []bool{false, true} {
				if each.only2 && !origin2 {
					continue // Go's server waits for the rest of the body first
				}
				name := fmt.Sprintf("%s, client HTTP/2 %v, origin HTTP/2 %v", each.name, client2, origin2)
				t.Run(name, func(t *testing.T) { endInside(t, each, client2, origin2) })
			}
		}
	}
}

func endInside(t *testing.T, each insideExit, client2, origin2 bool) {
	s, pool := inspectingSite(t, usualRules, func(c *config.Config) {
		c.Timeouts.Idle, c.Timeouts.ResponseHeader = 20*time.Second, 20*time.Second
		if each.slow != nil {
			each.slow(&c.Timeouts)
		}
	})
	got, over := make(chan struct{}, 1), make(chan struct{})
	came := make(chan struct{})
	web := endableOrigin(t, s, origin2, insideOrigin(each, got, came, over))
	defer close(over)
	client := inspectClient(s, pool, client2)
	if !each.body { // its end is a reset: of a close, an answer could still be taken
		client.Transport.(*http.Transport).DialContext = func(_ context.Context, network, to string) (net.Conn, error) {
			conn, err := net.Dial(network, to)
			if err == nil {
				_ = conn.(*net.TCPConn).SetLinger(0)
			}
			return conn, err
		}
	}
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	method, body := http.MethodGet, io.Reader(nil)
	if each.body {
		read, write := io.Pipe()
		context.AfterFunc(ctx, func() { write.CloseWithError(context.Canceled) }) // Go's client waits for its body
		go func() { _, _ = io.WriteString(write, "half") }()
		method, body = http.MethodPost, read
	}
	if each.flood {
		method, body = http.MethodPost, io.LimitReader(endless{}, 64<<20)
	}
	r, err := http.NewRequestWithContext(ctx, method, web, body)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		half := sync.OnceFunc(func() { close(came) })
		defer half()
		if resp, err := client.Do(r); err == nil {
			if each.half {
				_, _ = io.ReadFull(resp.Body, make([]byte, len("half")))
				half()
			}
			if each.half && each.leave {
				leave()
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}()
	<-got
	if each.leave && !each.half {
		leave()
	}
	inner := func(e event.Event) bool { return e.Method == method }
	lane.Until(t, "the request's event", func() bool { return slices.ContainsFunc(s.decisions(), inner) })
	var found []string
	for _, e := range s.decisions() {
		if inner(e) {
			if each.flood { // as much as there was room for
				each.want.Up = e.Up
			}
			found = append(found, endOf(e))
		}
	}
	if each.body && each.leave && !client2 {
		each.want.Status = http.StatusBadRequest // it may still be there for an answer
	}
	if want := endOf(each.want); len(found) != 1 || found[0] != want {
		t.Errorf("%q, want %q", found, want)
	}
	leave()
	<-answered
	var last event.Event
	lane.Until(t, "the tunnel's end", func() bool {
		client.CloseIdleConnections() // it may take a moment until the connection is idle
		list := s.ring.Latest()
		last = list[len(list)-1]
		return last.Type == event.Close
	})
	if last.Method != http.MethodConnect || last.Up == 0 || last.Down == 0 {
		t.Errorf("the tunnel's end: %+v", last)
	}
	if each.leave && last.Detail != byClient {
		t.Errorf("the tunnel's end is said to be by %q", last.Detail)
	}
}

func endOf(e event.Event) string {
	return strings.TrimSpace(fmt.Sprint(e.Verdict, " ", e.Reason, " ", e.Status, " ", e.Up, " up ", e.Down, " down"))
}

// endableOrigin is an origin whose handler can close its connection.
func endableOrigin(t *testing.T, s *site, http2 bool, handler http.HandlerFunc) string {
	t.Helper()
	serve := func(w http.ResponseWriter, r *http.Request) {
		conn := r.Context().Value(connKey{}).(io.Closer)
		handler(&insideWriter{w, func() { _ = conn.Close() }}, r)
	}
	if http2 {
		return http2Origin(t, s, serve)
	}
	return http1Origin(t, s, serve)
}

// TestInsideLimits: a limit that a request inside a decrypted tunnel runs into is
// told as everywhere, and ends that request alone.
func TestInsideLimits(t *testing.T) {
	for _, client2 := range []bool{false, true} {
		s, pool := inspectingSite(t, usualRules, func(c *config.Config) {
			c.Apps[0].Limits = config.Limits{Rate: 0.001, Burst: 3}
		})
		client := inspectClient(s, pool, client2)
		for _, want := range []int{200, 200, 429} { // the tunnel itself was the first
			resp, err := client.Get(s.fill(secureURL))
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != want || want == 429 && !strings.Contains(string(body), `"reason":"rate"`) {
				t.Errorf("client HTTP/2 %v: %d %s, want %d", client2, resp.StatusCode, body, want)
			}
		}
		client.CloseIdleConnections()
		lane.Until(t, "the tunnel has ended", func() bool { return s.gateway.tunnels.count() == 0 })
		list := s.decisions()
		if len(list) != 4 || list[3].Reason != reasonRate || list[3].Status != 429 || list[3].Verdict != event.Blocked {
			t.Errorf("client HTTP/2 %v: %d decisions, the last %+v", client2, len(list), list[len(list)-1])
		}
	}
}
