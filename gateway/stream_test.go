package gateway

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/lane"
)

// TestHeadsArriveAtOnce has an origin that sends nothing behind a head until
// the client has it.
func TestHeadsArriveAtOnce(t *testing.T) {
	for _, each := range []struct{ name, head, body string }{
		{"until the end", "Content-Type: text/event-stream\r\nConnection: close\r\n", "data: 1\n\n"},
		{"sized", "Content-Length: 5\r\n", "hello"},
		{"chunked", "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"},
	} {
		release := make(chan struct{}, 1)
		serve := func(conn net.Conn, r *bufio.Reader) {
			if readHead(r) != "" {
				io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+each.head+"\r\n")
				<-release
				io.WriteString(conn, each.body)
			}
		}
		t.Run(each.name, func(t *testing.T) {
			everyWay(t, serve, func(t *testing.T, l *lab) {
				c := l.open()
				c.send(l.head("GET", "/", ""))
				resp := c.response("GET")
				release <- struct{}{}
				if body, err := io.ReadAll(resp.Body); err != nil || len(body) == 0 ||
					!strings.Contains(each.body, string(body)) {
					t.Errorf("%q %v", body, err)
				}
			})
		})
	}
}

func TestFieldsForOneHop(t *testing.T) {
	for _, each := range []struct{ fields, gone string }{
		{"Connection: close, X-Internal\r\nX-Internal: node-7\r\n", "X-Internal"},
		{"Connection: X-Internal, close\r\nX-Internal: node-7\r\n", "X-Internal"},
		{"Connection: keep-alive, X-Secret\r\nX-Secret: 1\r\n", "X-Secret"},
		{"Connection: close\r\nConnection: x-secret\r\nX-Secret: 1\r\n", "X-Secret"},
		{"X-Secret: 1\r\nConnection:\tx-secret\t,close\r\n", "X-Secret"},
		{"Connection: ,,x-SECRET\r\nX-Secret: 1\r\nX-Secret: 2\r\n", "X-Secret"},
	} {
		heads := make(chan string, 1)
		serve := answers(heads, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"+each.fields+"\r\nok")
		everyWay(t, serve, func(t *testing.T, l *lab) {
			c := l.open()
			c.send(l.head("GET", "/", each.fields))
			resp, body := c.answer("GET")
			if values, found := resp.Header[each.gone]; found || resp.StatusCode != 200 || body != "ok" {
				t.Errorf("response with %q: %d %v %q", each.fields, resp.StatusCode, values, body)
			}
			if head := <-heads; strings.Contains(head, each.gone+":") {
				t.Errorf("request with %q: the origin saw %q", each.fields, head)
			}
		})
	}
}

// TestConnectionNamesNoFraming has Connection name what says where a message
// goes and ends.
func TestConnectionNamesNoFraming(t *testing.T) {
	const names = "Connection: Host, Content-Length, Transfer-Encoding, Authorization-X\r\n"
	heads := make(chan string, 1)
	serve := func(conn net.Conn, r *bufio.Reader) {
		head := readHead(r)
		body := make([]byte, 5)
		io.ReadFull(r, body)
		heads <- head + string(body)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"+names+"\r\nok")
	}
	everyWay(t, serve, func(t *testing.T, l *lab) {
		c := l.open()
		c.send(l.head("POST", "/", names+"Content-Length: 5\r\n") + "hello")
		resp, body := c.answer("POST")
		if resp.ContentLength != 2 || body != "ok" {
			t.Errorf("length %d, %q", resp.ContentLength, body)
		}
		head := <-heads
		if !strings.Contains(head, "\r\nHost: lab.test:"+l.port+"\r\n") ||
			!strings.Contains(head, "\r\nContent-Length: 5\r\n") || !strings.HasSuffix(head, "\r\n\r\nhello") {
			t.Errorf("the origin saw %q", head)
		}
	})
}

func TestInformationalResponses(t *testing.T) {
	const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n"
	serve := answers(nil, hints+"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	everyWay(t, serve, func(t *testing.T, l *lab) {
		c := l.open()
		c.send(l.head("GET", "/", ""))
		if resp := c.response("GET"); resp.StatusCode != 103 || resp.Header.Get("Link") != "</a>" ||
			resp.Header.Get("X-Hop") != "" {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
		if resp, body := c.answer("GET"); resp.StatusCode != 200 || body != "ok" || resp.Header.Get("Link") != "" {
			t.Errorf("%d %v %q", resp.StatusCode, resp.Header, body)
		}
		c = l.open()
		c.send(strings.Replace(l.head("GET", "/", ""), "HTTP/1.1", "HTTP/1.0", 1))
		if resp, body := c.answer("GET"); resp.StatusCode != 200 || body != "ok" {
			t.Errorf("HTTP/1.0: %d %q", resp.StatusCode, body)
		}
	})
}

func TestUpgrades(t *testing.T) {
	for _, each := range []struct{ name, before, connection string }{
		{"plain", "", "Upgrade"},
		{"that closes", "", "Upgrade, close"},
		{"in two lines", "", "close\r\nConnection: upgrade"},
		{"after a hint", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "Upgrade"},
		{"after 100", "HTTP/1.1 100 Continue\r\n\r\n", "Upgrade"},
	} {
		serve := func(conn net.Conn, r *bufio.Reader) {
			if readHead(r) != "" {
				io.WriteString(conn, each.before+"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"+
					"Connection: "+each.connection+"\r\n\r\n")
				io.Copy(conn, r)
			}
		}
		t.Run(each.name, func(t *testing.T) {
			everyWay(t, serve, func(t *testing.T, l *lab) {
				c := l.open()
				c.send(l.head("GET", "/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n"))
				resp := c.response("GET")
				for resp.StatusCode == 103 {
					resp = c.response("GET")
				}
				if resp.StatusCode != 101 {
					t.Fatalf("%d", resp.StatusCode)
				}
				c.send("ping")
				got := make([]byte, 4)
				if _, err := io.ReadFull(c.reader, got); err != nil || string(got) != "ping" {
					t.Errorf("%q %v", got, err)
				}
				c.Close()
				lane.Until(t, "no tunnel is counted", func() bool {
					return l.gateway.tunnels.count() == 0 && l.gateway.limits.tunnels.now.Load() == 0
				})
			})
		})
	}
}

// TestTrailersOfResponses has trailers that were announced and others, and what
// must not come in one.
func TestTrailersOfResponses(t *testing.T) {
	const forbidden = "Content-Length: 9\r\nSet-Cookie: a=b\r\nProxy: x\r\nHost: evil.test\r\nX-Hop: 1\r\n"
	for _, announce := range []string{"", "Trailer: grpc-status, X-Sum\r\n"} {
		serve := answers(nil, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: X-Hop\r\n"+announce+
			"X-Sum: head\r\n\r\n5\r\nhello\r\n0\r\ngrpc-status: 0\r\nX-Sum: tail\r\n"+forbidden+"\r\n")
		everyWay(t, serve, func(t *testing.T, l *lab) {
			c := l.open()
			c.send(l.head("GET", "/", "TE: trailers\r\n"))
			resp, body := c.answer("GET")
			if body != "hello" || resp.Header.Get("X-Sum") != "head" || len(resp.Trailer) != 2 ||
				!slices.Equal(resp.Trailer["Grpc-Status"], []string{"0"}) ||
				!slices.Equal(resp.Trailer["X-Sum"], []string{"tail"}) {
				t.Errorf("announced by %q: %q, head %v, trailer %v", announce, body, resp.Header, resp.Trailer)
			}
		})
	}
	broken := answers(nil, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX T: a\r\n\r\n")
	everyWay(t, broken, func(t *testing.T, l *lab) {
		c := l.open()
		c.send(l.head("GET", "/", ""))
		resp, err := http.ReadResponse(c.reader, nil)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
		}
		if err == nil {
			t.Errorf("a malformed trailer passed as an end: %v", resp.Trailer)
		}
	})
}

// TestBrokenResponses: what has come of a response that breaks off reaches the
// client, who sees that it is not the whole, also where all came in one piece.
func TestBrokenResponses(t *testing.T) {
	for name, each := range map[string]struct{ response, body string }{
		"length":   {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "hello"},
		"chunks":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwor", "hellowor"},
		"no chunk": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5", ""},
	} {
		t.Run(name, func(t *testing.T) {
			serve := func(conn net.Conn, r *bufio.Reader) {
				readHead(r)
				_, _ = io.WriteString(conn, each.response) // the connection is closed behind it
			}
			everyWay(t, serve, func(t *testing.T, l *lab) {
				c := l.open()
				c.send(l.head("GET", "/", ""))
				resp, err := http.ReadResponse(c.reader, nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				if resp.StatusCode != 200 || string(body) != each.body || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%d %q, %v, want %q and a broken end", resp.StatusCode, body, err, each.body)
				}
			})
		})
	}
}

func TestTrailersOfRequests(t *testing.T) {
	heads := make(chan string, 1)
	serve := func(conn net.Conn, r *bufio.Reader) {
		r2, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		te := strings.Join(r2.Header["Te"], ",") + "|" + strings.Join(r2.Header["Connection"], ",")
		body, err := io.ReadAll(r2.Body)
		var names []string
		for name, values := range r2.Trailer {
			names = append(names, name+"="+strings.Join(values, ","))
		}
		slices.Sort(names)
		if err != nil {
			return
		}
		heads <- te + " " + string(body) + " " + strings.Join(names, " ")
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
	const chunked = "Transfer-Encoding: chunked\r\n"
	everyWay(t, serve, func(t *testing.T, l *lab) {
		for _, each := range []struct {
			fields, trailer, want string
			status                int
		}{
			{"TE: trailers\r\nConnection: TE\r\n", "X-A: 1\r\n", "trailers|TE hello X-A=1", 200},
			{"TE: gzip, trailers;q=0.5\r\n", "X-A: 1\r\n", "| hello X-A=1", 200},
			{"Trailer: X-A\r\n", "X-A: 1\r\nX-B: 2\r\n", "| hello X-A=1 X-B=2", 200},
			{"Connection: X-Hop\r\n", "X-Hop: 1\r\nCookie: 1\r\nTransfer-Encoding: chunked\r\nX-B: 2\r\n",
				"| hello X-B=2", 200},
			{"", "X T: a\r\n", "", 400},
			{"", "X(: a\r\n", "", 400},
			{"", "X-A: 1\r\n", "| hello X-A=1", 200}, // is the next that the origin sees as a whole
		} {
			c := l.open()
			c.send(l.head("POST", "/", chunked+each.fields) + "5\r\nhello\r\n0\r\n" + each.trailer + "\r\n")
			if resp, body := c.answer("POST"); resp.StatusCode != each.status {
				t.Errorf("%q %q: %d %s", each.fields, each.trailer, resp.StatusCode, body)
			}
			if each.status != 200 {
				continue
			}
			if saw := <-heads; saw != each.want {
				t.Errorf("%q %q: the origin saw %q, want %q", each.fields, each.trailer, saw, each.want)
			}
		}
	})
}

// TestHalfClosedClients sends a request and the end of what the client sends.
func TestHalfClosedClients(t *testing.T) {
	release := make(chan struct{}, 1)
	serve := func(conn net.Conn, r *bufio.Reader) {
		if readHead(r) != "" {
			<-release
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}
	everyWay(t, serve, func(t *testing.T, l *lab) {
		c := l.open()
		c.send(l.head("GET", "/", ""))
		if err := closeWrite(c.Conn); err != nil {
			t.Fatal(err)
		}
		release <- struct{}{}
		if resp, body := c.answer("GET"); resp.StatusCode != 200 || body != "ok" {
			t.Errorf("%d %q", resp.StatusCode, body)
		}
	})
}

// TestEarlyAnswers has an origin that refuses a body at its head, and a client
// that reads nothing before all of its body is sent.
func TestEarlyAnswers(t *testing.T) {
	serve := answers(nil, "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig")
	const size = 24 << 20
	everyWay(t, serve, func(t *testing.T, l *lab) {
		for _, each := range []struct{ name, fields string }{
			{"sized", "Content-Length: " + strconv.Itoa(size) + "\r\n"},
			{"chunked", "Transfer-Encoding: chunked\r\n"},
		} {
			c := l.open()
			c.send(l.head("POST", "/", each.fields))
			if each.name == "chunked" {
				c.send(strconv.FormatInt(size, 16) + "\r\n")
			}
			piece := strings.Repeat("x", 1<<20)
			for range size >> 20 {
				c.send(piece)
			}
			if each.name == "chunked" {
				c.send("\r\n0\r\n\r\n")
			}
			if resp, body := c.answer("POST"); resp.StatusCode != 413 || body != "big" {
				t.Errorf("%s: %d %q", each.name, resp.StatusCode, body)
			}
		}
	})
}

// TestRefusedBodies is TestEarlyAnswers for what the gateway itself refuses.
func TestRefusedBodies(t *testing.T) {
	s := newSite(t, usualRules, nil)
	c := s.dial()
	const size = 24 << 20
	c.send(s.fill("POST http://evil.test:{evil}/ HTTP/1.1\r\nHost: x\r\nContent-Length: " + strconv.Itoa(size) +
		"\r\n\r\n"))
	piece := strings.Repeat("x", 1<<20)
	for range size >> 20 {
		c.send(piece)
	}
	if resp, body := c.answer("POST"); resp.StatusCode != 403 || !strings.Contains(body, "not-listed") || !c.closed() {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
}

func TestOptionsOfTheServer(t *testing.T) {
	heads := make(chan string, 1)
	serve := answers(heads, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	everyWay(t, serve, func(t *testing.T, l *lab) {
		for _, each := range []struct{ method, path, want string }{
			{"OPTIONS", "", "OPTIONS * HTTP/1.1"},
			{"OPTIONS", "/", "OPTIONS / HTTP/1.1"},
			{"OPTIONS", "?q", "OPTIONS /?q HTTP/1.1"},
			{"GET", "", "GET / HTTP/1.1"},
		} {
			path := each.path
			switch {
			case l.way != "absolute" && path == "" && each.method == "OPTIONS":
				path = "*"
			case l.way != "absolute" && !strings.HasPrefix(path, "/"):
				continue
			}
			c := l.open()
			c.send(l.head(each.method, path, ""))
			if resp, _ := c.answer(each.method); resp.StatusCode != 200 {
				t.Errorf("%s %q: %d", each.method, path, resp.StatusCode)
				continue
			}
			if head := <-heads; !strings.HasPrefix(head, each.want+"\r\n") {
				t.Errorf("%s %q: the origin saw %q", each.method, path, head)
			}
		}
	})
}

// TestManyInformationalResponses: a server may say every few seconds that it is
// still at work, and none of it may have a body.
func TestManyInformationalResponses(t *testing.T) {
	work := strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 50)
	for _, each := range []struct {
		answer string
		status int
	}{
		{work + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200},
		{"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello", 502},
		{"HTTP/1.1 102 Processing\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 502},
	} {
		everyWay(t, answers(nil, each.answer), func(t *testing.T, l *lab) {
			c := l.open()
			c.send(l.head("GET", "/", ""))
			resp := c.response("GET")
			for resp.StatusCode < 200 {
				resp = c.response("GET")
			}
			if resp.StatusCode != each.status {
				t.Errorf("%.40q: %d, want %d", each.answer, resp.StatusCode, each.status)
			}
		})
	}
}
