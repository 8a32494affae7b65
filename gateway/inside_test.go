package gateway

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// TestCleartextTunnels has requests inside a CONNECT to a host that a rule
// allows by http: each is decided by itself, on one connection.
func TestCleartextTunnels(t *testing.T) {
	run := func(t *testing.T, s *site) {
		c := s.connect("folder.test:{plain}")
		for _, each := range []struct {
			head   string
			status int
		}{
			{"GET /app/x?q=1 HTTP/1.1\r\nHost: folder.test:{plain}\r\n\r\n", 200},
			{"GET /other HTTP/1.1\r\nHost: folder.test:{plain}\r\n\r\n", 403},
			{"GET /app/../other HTTP/1.1\r\nHost: folder.test:{plain}\r\n\r\n", 403},
			{"POST /app/echo HTTP/1.1\r\nHost: FOLDER.test:{plain}\r\nContent-Length: 2\r\n\r\nab", 200},
			{"TRACE /app HTTP/1.1\r\nHost: folder.test:{plain}\r\n\r\n", 405},
			{"GET /app HTTP/1.1\r\nHost: plain.test:{plain}\r\n\r\n", 421},
		} {
			c.send(s.fill(each.head))
			if resp, body := c.answer("GET"); resp.StatusCode != each.status {
				t.Errorf("%q: %d %s, want %d", each.head, resp.StatusCode, body, each.status)
			}
		}
		if !c.closed() {
			t.Error("the tunnel is open after a request for another host")
		}
		want := []string{s.fill("GET folder.test:{plain} /app/x?q=1"), s.fill("POST folder.test:{plain} /app/echo")}
		if saw := s.plain.saw(); !slices.Equal(saw, want) || s.plain.connections() != 1 {
			t.Errorf("the origin saw %q over %d connections", saw, s.plain.connections())
		}
		lane.Until(t, "the tunnel's end is recorded", func() bool {
			return slices.ContainsFunc(s.ring.Latest(), func(e event.Event) bool { return e.Type == event.Close })
		})
		list := s.decisions()
		if e := list[0]; len(list) != 7 || e.Method != "CONNECT" || e.Verdict != event.Allowed ||
			e.Host != "folder.test" || e.Rule != s.fill("http://folder.test:{plain}/app") {
			t.Errorf("%d decisions, the first is %+v", len(list), e)
		}
		if e := list[4]; e.Method != "POST" || e.Scheme != "http" || e.Path != "/app/echo" || e.Up != 2 ||
			e.Down != 2 || e.Reason != "listed" {
			t.Errorf("event = %+v", e)
		}
		if n := s.gateway.limits.tunnels.now.Load(); n != 0 {
			t.Errorf("%d tunnels are counted", n)
		}
	}
	t.Run("tunnel", func(t *testing.T) { run(t, newSite(t, usualRules, nil)) })
	t.Run("inspect", func(t *testing.T) {
		s, _ := inspectingSite(t, usualRules, nil)
		run(t, s)
	})
}

func TestCleartextTunnelsAreClosedToTheRest(t *testing.T) {
	s := newSite(t, usualRules, nil)
	for _, each := range []struct{ target, bytes, reason string }{
		{"secure.test:{secure}", "GET / HTTP/1.1\r\nHost: secure.test:{secure}\r\n\r\n", reasonNotTLS},
		{"plain.test:{plain}", "\x00\x01\x02", reasonUpgradeOnly},
		{"plain.test:{plain}", "(SSH) hello\r\n", reasonUpgradeOnly},
	} {
		before := len(s.decisions())
		c := s.connect(each.target)
		c.send(s.fill(each.bytes))
		if !c.closed() {
			t.Errorf("%q: the tunnel is open", each.bytes)
		}
		lane.Until(t, "the decision is recorded", func() bool { return len(s.decisions()) > before })
		if e := s.decisions()[before]; e.Reason != each.reason || e.Verdict != event.Blocked {
			t.Errorf("%q: %s %s", each.bytes, e.Verdict, e.Reason)
		}
	}
	if saw := s.plain.saw(); len(saw) != 0 {
		t.Errorf("the origin saw %q", saw)
	}
}

// TestRefusedTunnelsToPort80 has what an operator reads about a client that
// tunnels plain HTTP.
func TestRefusedTunnelsToPort80(t *testing.T) {
	for _, each := range []struct {
		requireTLS     bool
		reason, detail string
	}{
		{false, "not-listed", `<access origin="http://evil.test"/> would allow it`},
		{true, reasonCleartext, ""},
	} {
		s := newSite(t, usualRules, func(c *config.Config) { c.Apps[0].RequireTLS = each.requireTLS })
		c := s.dial()
		c.send("CONNECT evil.test:80 HTTP/1.1\r\nHost: evil.test:80\r\n\r\n")
		if resp, body := c.answer("CONNECT"); resp.StatusCode != 403 || !strings.Contains(body, each.reason) {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
		if e := s.decisions()[0]; e.Reason != each.reason || e.Detail != each.detail {
			t.Errorf("event = %+v", e)
		}
	}
}

// TestUpgradeTakesThePlaceOfItsTunnel has room for one tunnel.
func TestUpgradeTakesThePlaceOfItsTunnel(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Limits.Tunnels = 1 })
	for range 3 {
		c := s.connect("plain.test:{plain}")
		c.send(s.fill("GET /ws HTTP/1.1\r\nHost: plain.test:{plain}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Key: eA==\r\n\r\n"))
		if resp := c.response("GET"); resp.StatusCode != 101 {
			t.Fatalf("%d", resp.StatusCode)
		}
		if n := s.gateway.limits.tunnels.now.Load(); n != 1 {
			t.Errorf("%d tunnels are counted", n)
		}
		c.Close()
		lane.Until(t, "the tunnel is gone", func() bool { return s.gateway.limits.tunnels.now.Load() == 0 })
	}
}

// http2Origin is an origin at https://lab.test that speaks HTTP/2.
func http2Origin(t *testing.T, s *site, handler http.HandlerFunc) string {
	t.Helper()
	origin := httptest.NewUnstartedServer(handler)
	leaf := s.root.Leaf(t, testpki.Spec{Name: "lab.test", Hosts: []string{"lab.test"}})
	origin.TLS = &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}, NextProtos: []string{"h2", "http/1.1"}}
	origin.EnableHTTP2 = true
	origin.Config.DisableGeneralOptionsHandler = true
	origin.Config.ConnContext = withConn
	origin.StartTLS()
	t.Cleanup(origin.Close)
	web := "https://lab.test:" + portOf(origin.Listener.Addr().String())
	s.writeRules(`<access origin="` + web + `"/>`)
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	return web
}

// TestInspectedExchanges has an exchange as gRPC has it, with each version of
// HTTP before and behind the gateway: TE in, hints, a stream in both directions,
// an unannounced trailer out.
func TestInspectedExchanges(t *testing.T) {
	serve := func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		control.EnableFullDuplex()
		w.Header().Set("Link", "</a>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("X-Te", r.Header.Get("Te"))
		w.Header().Set("X-Proto", r.Proto)
		w.WriteHeader(http.StatusOK)
		control.Flush()
		io.Copy(flushing{w, control}, r.Body)
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
		w.Header().Set(http.TrailerPrefix+"X-Sent", r.Trailer.Get("X-Sent"))
	}
	for _, client2 := range []bool{false, true} {
		for _, origin2 := range []bool{false, true} {
			s, pool := inspectingSite(t, usualRules, nil)
			web := http2Origin(t, s, serve)
			if !origin2 {
				web = http1Origin(t, s, serve)
			}
			talk(t, s, inspectClient(s, pool, client2), web, client2, origin2)
		}
	}
}

type flushing struct {
	io.Writer
	control *http.ResponseController
}

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	f.control.Flush()
	return n, err
}

func http1Origin(t *testing.T, s *site, handler http.HandlerFunc) string {
	t.Helper()
	origin := httptest.NewUnstartedServer(handler)
	leaf := s.root.Leaf(t, testpki.Spec{Name: "lab.test", Hosts: []string{"lab.test"}})
	origin.TLS = &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}, NextProtos: []string{"http/1.1"}}
	origin.Config.ConnContext = withConn
	origin.StartTLS()
	t.Cleanup(origin.Close)
	web := "https://lab.test:" + portOf(origin.Listener.Addr().String())
	s.writeRules(`<access origin="` + web + `"/>`)
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	return web
}

// talk sends each word when the one before has come back.
func talk(t *testing.T, s *site, client *http.Client, web string, client2, origin2 bool) {
	t.Helper()
	body, words := io.Pipe()
	defer words.Close()
	hints := 0
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			if code == http.StatusEarlyHints && h.Get("Link") == "</a>" {
				hints++
			}
			return nil
		}})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, web+"/svc/Method", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("TE", "trailers")
	r.Trailer = http.Header{"X-Sent": nil}
	go io.WriteString(words, "one") // Go's client sends the head with the beginning of the body
	resp, err := client.Do(r)
	if err != nil {
		t.Fatalf("HTTP/2 %v %v: %v", client2, origin2, err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("X-Te") != "trailers" || hints != 1 || (resp.Header.Get("X-Proto") == "HTTP/2.0") != origin2 ||
		(resp.ProtoMajor == 2) != client2 {
		t.Errorf("HTTP/2 %v %v: %d hints, %s %v", client2, origin2, hints, resp.Proto, resp.Header)
	}
	for _, word := range []string{"one", "two", "six"} {
		if word != "one" {
			io.WriteString(words, word)
		}
		got := make([]byte, 3)
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != word {
			t.Fatalf("HTTP/2 %v %v: %q %v, want %q", client2, origin2, got, err, word)
		}
	}
	r.Trailer.Set("X-Sent", "all")
	words.Close()
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) != 0 {
		t.Errorf("HTTP/2 %v %v: %q %v", client2, origin2, rest, err)
	}
	if resp.Trailer.Get("Grpc-Status") != "0" || resp.Trailer.Get("X-Sent") != "all" {
		t.Errorf("HTTP/2 %v %v: trailer %v", client2, origin2, resp.Trailer)
	}
	find := func(e event.Event) bool { return e.Method == http.MethodPost }
	lane.Until(t, "the request is recorded", func() bool { return slices.ContainsFunc(s.decisions(), find) })
	if e := s.decisions()[slices.IndexFunc(s.decisions(), find)]; e.Up != 9 || e.Down != 9 || e.Status != 200 {
		t.Errorf("HTTP/2 %v %v: event = %+v", client2, origin2, e)
	}
}

// TestInspectedEarlyAnswer has an origin that refuses a body at its head.
func TestInspectedEarlyAnswer(t *testing.T) {
	serve := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		io.WriteString(w, "big")
	}
	for _, client2 := range []bool{false, true} {
		s, pool := inspectingSite(t, usualRules, nil)
		web := http2Origin(t, s, serve)
		resp, err := inspectClient(s, pool, client2).Post(web, "text/plain", io.LimitReader(endless{}, 16<<20))
		if err != nil {
			t.Fatalf("HTTP/2 %v: %v", client2, err)
		}
		if body, err := io.ReadAll(resp.Body); resp.StatusCode != 413 || string(body) != "big" {
			t.Errorf("HTTP/2 %v: %d %q %v", client2, resp.StatusCode, body, err)
		}
		resp.Body.Close()
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestInspectedPathsKeepTheirSpelling has paths that a URL parser would write
// otherwise.
func TestInspectedPathsKeepTheirSpelling(t *testing.T) {
	serve := func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Target", r.RequestURI) }
	s, pool := inspectingSite(t, usualRules, nil)
	web := http2Origin(t, s, serve)
	u, _ := url.Parse(web)
	for _, path := range []string{"/", "//double", "/a%2Fb%41", "/a;b=c", "/?", "/a?x=%zz", "/a|b", "/a\"b", "*"} {
		secure, reader := s.inside(u.Host, "lab.test", pool)
		method := "GET"
		if path == "*" {
			method = "OPTIONS"
		}
		io.WriteString(secure, method+" "+path+" HTTP/1.1\r\nHost: "+u.Host+"\r\n\r\n")
		resp, err := http.ReadResponse(reader, nil)
		if err != nil || resp.StatusCode != 200 || resp.Header.Get("X-Target") != path {
			t.Errorf("%q: %v %v", path, resp, err)
		}
		secure.Close()
	}
}

// TestInspectedTunnelCounts adds up what a tunnel and its requests moved.
func TestInspectedTunnelCounts(t *testing.T) {
	serve := func(conn net.Conn, r *bufio.Reader) {
		for {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, request.Body)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+
				"5\r\nhello\r\n2\r\n!!\r\n0\r\n\r\n")
		}
	}
	for _, way := range ways[1:] {
		l := newLab(t, way, nil, serve)
		c := l.open()
		sent := ""
		for range 3 {
			request := l.head("POST", "/", "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n"
			sent += request
			c.send(request)
			if _, body := c.answer("POST"); body != "hello!!" {
				t.Errorf("%q", body)
			}
		}
		c.Close()
		var list []event.Event
		lane.Until(t, "the tunnel's end is recorded", func() bool {
			list = l.ring.Latest()
			return list[len(list)-1].Type == event.Close
		})
		requests := 0
		for _, e := range list {
			if e.Method == "POST" {
				requests++
				if e.Up != 3 || e.Down != 7 || e.Total <= 0 || e.Type != event.Decision {
					t.Errorf("%s: event = %+v", way, e)
				}
			}
		}
		end := list[len(list)-1]
		if requests != 3 || end.Method != "CONNECT" || way == "cleartext" && end.Up != int64(len(sent)) ||
			way == "inspected" && end.Up <= int64(len(sent)) || end.Down <= 21 {
			t.Errorf("%s: %d requests, end = %+v, sent %d", way, requests, end, len(sent))
		}
		if strings.Count(sent, "POST") != requests {
			t.Errorf("%s: %d events", way, requests)
		}
	}
}
