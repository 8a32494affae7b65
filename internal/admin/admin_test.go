package admin

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// text answers with a text.
func text(s string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s) })
}

// ask sends one request to a server's handler and returns status and body.
func ask(s *http.Server, method, host, path string, fields ...string) (int, string) {
	r := httptest.NewRequest(method, "http://"+host+path, nil)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func full() Options {
	return Options{
		Metrics: text("metrics"), Events: text("events"), Rest: text("console"),
		Pages: map[string]http.Handler{"GET /proxy.pac": text("pac")},
	}
}

func TestPaths(t *testing.T) {
	s := NewServer(full())
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/readyz": "ready\n", "/metrics": "metrics", "/events": "events", "/proxy.pac": "pac",
		"/console/": "console",
	} {
		if status, body := ask(s, "GET", "localhost", path); status != 200 || body != want {
			t.Errorf("%s: %d %q, want %q", path, status, body, want)
		}
	}
	bare := NewServer(Options{})
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 404, "/events": 404,
		"/console/": 404} {
		if status, _ := ask(bare, "GET", "localhost", path); status != want {
			t.Errorf("%s with nothing mounted: %d, want %d", path, status, want)
		}
	}
}

// What cannot be told in time is not ready.
func TestReady(t *testing.T) {
	for name, ready := range map[string]func(context.Context) bool{
		"no": func(context.Context) bool { return false },
		"no answer in time": func(ctx context.Context) bool {
			deadline, ok := ctx.Deadline()
			return !ok || time.Until(deadline) > readyTime
		},
	} {
		status, body := ask(NewServer(Options{Ready: ready}), "GET", "localhost", "/readyz")
		if status != http.StatusServiceUnavailable || !strings.Contains(body, `"not-ready"`) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

// A page of a stranger's can reach loopback under a name of its author's, and
// can send forms to it.
func TestStrangersAreRefused(t *testing.T) {
	s := NewServer(full())
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST": 200, "localhost.:9090": 200, "console.localhost:9090": 200,
		"127.0.0.1:9090": 200, "127.9.9.9": 200, "[::1]:9090": 200, "[::ffff:127.0.0.1]:9090": 200,
		"evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "192.0.2.1:9090": 421,
		"": 421, "127.1": 421, "0.0.0.0:9090": 421,
	} {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.Host = host
		w := httptest.NewRecorder()
		s.Handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
		if want != 200 && !strings.Contains(w.Body.String(), `"reason":"host"`) {
			t.Errorf("Host %q: %s", host, w.Body)
		}
	}
	token, text := testToken(t)
	o := full()
	o.Token = token
	s = NewServer(o)
	for _, each := range []struct {
		method, header, value string
		status                int
	}{
		{"POST", "Sec-Fetch-Site", "cross-site", 403}, {"POST", "Sec-Fetch-Site", "same-site", 403},
		{"POST", "Origin", "https://evil.example", 403}, {"POST", "Sec-Fetch-Site", "same-origin", 200},
		{"POST", "Origin", "http://localhost:9090", 200}, {"GET", "Sec-Fetch-Site", "cross-site", 200},
	} {
		if status, _ := ask(s, each.method, "localhost:9090", "/console/tables", each.header,
			each.value, "Authorization", "Bearer "+text); status != each.status {
			t.Errorf("%s with %s: %s: %d, want %d", each.method, each.header, each.value, status, each.status)
		}
	}
}

// A stop does not wait for a stream, which has no end of its own.
func TestShutdownEndsStreams(t *testing.T) {
	s := NewServer(Options{Events: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
	})})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	resp, err := http.Get("http://" + l.Addr().String() + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("the stop waited for the stream: %v", err)
	}
	if err := <-served; err != http.ErrServerClosed {
		t.Errorf("served: %v", err)
	}
}

// Where a listener is bound counts, not what its address was called.
func TestListenStaysOnThisMachine(t *testing.T) {
	l, err := Listen(t.Context(), "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := Listen(t.Context(), "0.0.0.0:0"); err == nil {
		t.Error("every address of the machine was listened on")
	}
	open, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := local(open); err == nil {
		t.Error("a socket that other machines can reach was taken")
	}
	if _, err := open.Accept(); err == nil {
		t.Error("it stays open")
	}
}

func TestCheckAddress(t *testing.T) {
	for address, fine := range map[string]bool{
		"127.0.0.1:9090": true, "localhost:0": true, "[::1]:9090": true, "systemd": true, "systemd:admin": true,
		"0.0.0.0:9090": false, ":9090": false, "192.0.2.1:9090": false, "127.0.0.1": false, "": false,
		"systemd.example:9090": false,
	} {
		if err := CheckAddress(address); (err == nil) != fine {
			t.Errorf("%q: %v", address, err)
		}
	}
}
