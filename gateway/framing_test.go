package gateway

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestLengthAndCoding sends requests whose extent is in doubt, each behind a
// good one on the same connection, and a request behind it that must not count.
func TestLengthAndCoding(t *testing.T) {
	heads := make(chan string, 100)
	serve := func(conn net.Conn, r *bufio.Reader) {
		for {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, request.Body)
			heads <- request.RequestURI
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}
	everyWay(t, serve, func(t *testing.T, l *lab) {
		for _, each := range []struct{ fields, body string }{
			{"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
			{"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"},
			{"content-length: 0\r\ntransfer-encoding: CHUNKED\r\n", "0\r\n\r\n"},
			{"Content-Length:\t5\r\nTransfer-Encoding:\tchunked\r\n", "5\r\nhello\r\n0\r\n\r\n"},
			{"Content-Length: 5\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
		} {
			for _, before := range []string{
				l.head("GET", "/first", ""),
				l.head("POST", "/first", "Content-Length: 5\r\n") + "hello",
				l.head("POST", "/first", "Transfer-Encoding: chunked\r\n") +
					"3;x=1\r\nabc\r\n0\r\nX-T: Content-Length: 1\r\n\r\n",
			} {
				c := l.open()
				c.send(before)
				if resp, _ := c.answer("GET"); resp.StatusCode != 200 {
					t.Fatalf("before: %d", resp.StatusCode)
				}
				c.send(l.head("POST", "/smuggled", each.fields) + each.body + l.head("GET", "/smuggled", ""))
				resp, body := c.answer("POST")
				if resp.StatusCode != 400 || !strings.Contains(body, `"framing"`) || !resp.Close || !c.closed() {
					t.Errorf("%q behind %q: %d %v %s", each.fields, before, resp.StatusCode, resp.Header, body)
				}
			}
		}
		for len(heads) > 0 {
			if head := <-heads; strings.Contains(head, "smuggled") {
				t.Errorf("BREACH: the origin saw %q", head)
			}
		}
	})
}

func TestOldRequestsWithACoding(t *testing.T) {
	s := newSite(t, usualRules, nil)
	c := s.dial()
	c.send(s.fill("POST http://plain.test:{plain}/smuggled HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"0\r\n\r\n"))
	if resp, body := c.answer("POST"); resp.StatusCode != 400 || !strings.Contains(body, `"framing"`) || !c.closed() {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if saw := s.plain.saw(); len(saw) != 0 {
		t.Errorf("the origin saw %q", saw)
	}
}

// TestResponseFraming has responses whose extent two readers could tell
// differently. Where the answer passes, its connection is not used again.
func TestResponseFraming(t *testing.T) {
	const chunks = "\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
	for _, each := range []struct {
		name, response string
		status         int
		conns          int // for two requests
	}{
		{"HTTP/1.0 in chunks", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked" + chunks, 200, 2},
		{"HTTP/1.0 in chunks that stays", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked" +
			chunks, 200, 2},
		{"a length too", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked" + chunks, 200, 2},
		{"a length behind", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 99" + chunks, 200, 2},
		{"chunks alone", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + chunks, 200, 1},
		{"same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200, 1},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 502, 2},
		{"a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello!", 502, 2},
		{"a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", 502, 2},
		{"two codings", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked" + chunks, 502, 2},
		{"two fields", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked" + chunks, 502, 2},
		{"identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello", 502, 2},
		{"204 in chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked" + chunks, 204, 2},
		{"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", 204, 2},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", 204, 1},
	} {
		t.Run(each.name, func(t *testing.T) {
			everyWay(t, answers(nil, each.response), func(t *testing.T, l *lab) {
				for range 2 {
					c := l.open()
					if l.way != "absolute" {
						l.mu.Lock()
						l.conns = each.conns - 1 // a tunnel has connections of its own
						l.mu.Unlock()
					}
					c.send(l.head("GET", "/", ""))
					resp, body := c.answer("GET")
					want := map[int]string{200: "hello", 204: "", 502: body}[each.status]
					if resp.StatusCode != each.status || body != want {
						t.Errorf("%d %q", resp.StatusCode, body)
					}
					c.Close()
				}
				if n := l.connections(); l.way == "absolute" && n != each.conns {
					t.Errorf("%d connections, want %d", n, each.conns)
				}
			})
		})
	}
}

// FuzzHeads holds that whatever the standard parser takes for a request, the
// scanner has seen as one, with what the parser does not tell.
func FuzzHeads(f *testing.F) {
	const host = "Host: x\r\n"
	for _, seed := range []string{
		"GET / HTTP/1.1\r\n" + host + "\r\nGET / HTTP/1.1\r\n" + host + "\r\n",
		"POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n" + host + "\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n" +
			"GET / HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\nGET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length:\r\n 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
	} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		var scanner headScanner
		piece = max(1, min(piece, len(stream)+1))
		for rest := stream; len(rest) > 0; {
			n := min(piece, len(rest))
			scanner.read(rest[:n])
			rest = rest[n:]
		}
		source := bytes.NewReader(stream)
		r := bufio.NewReader(source)
		read := func() int { return len(stream) - source.Len() - r.Buffered() }
		for i := 0; ; i++ {
			from := read()
			request, err := http.ReadRequest(r)
			if err != nil || len(scanner.seen) <= i && scanner.at == unseen { // which is refused
				return
			}
			if len(scanner.seen) <= i {
				t.Fatalf("request %d of %q was not seen", i, stream)
			}
			head := strings.ToLower(string(stream[from:read()]))
			coding := strings.Contains(head, "\ntransfer-encoding:")
			length := strings.Contains(head, "\ncontent-length:")
			if want := coding && (length || !request.ProtoAtLeast(1, 1)); scanner.seen[i] != want {
				t.Fatalf("request %d of %q is in doubt: %v", i, stream, !want)
			}
			if _, err := io.Copy(io.Discard, request.Body); err != nil || request.Close {
				return
			}
		}
	})
}
