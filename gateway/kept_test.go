package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
)

// TestNothingUnaskedIsKept: what an origin sends behind its response, in one
// record of TLS or in one segment, is not the answer to another client's request.
func TestNothingUnaskedIsKept(t *testing.T) {
	for _, way := range []string{"absolute", "secure"} {
		for _, size := range []int{1, 100, 4096, 8000, 12000} { // below and above what is buffered
			t.Run(fmt.Sprint(way, " ", size), func(t *testing.T) {
				l := newLab(t, way, nil, func(conn net.Conn, r *bufio.Reader) {
					for strings.HasPrefix(readHead(r), "GET") {
						fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
						io.WriteString(conn, strings.Repeat("x", size)+
							"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON")
					}
				})
				for range 3 {
					c := l.open()
					c.send(l.head("GET", "/", ""))
					if resp, body := c.answer("GET"); resp.StatusCode != 200 || body != strings.Repeat("x", size) {
						t.Fatalf("%d, %d bytes ending in %q", resp.StatusCode, len(body), body[max(0, len(body)-8):])
					}
					c.Close()
				}
				if n := l.connections(); n != 3 {
					t.Errorf("%d connections, want one for each request", n)
				}
			})
		}
	}
}

// TestAnAddressIsJudgedForEachRequest: a connection to a private address that one
// rule opened does not serve a request that another rule allows, without naming
// the address.
func TestAnAddressIsJudgedForEachRequest(t *testing.T) {
	for _, each := range []struct{ name, platform, mode, rules string }{
		{"a wildcard's path", "android@15.0.0", "", `<access origin="http://127.0.0.1:{plain}/a/*"/>
<allow-navigation href="http://*:{plain}/*"/>`},
		{"what is only reported", "", config.Report, `<access origin="http://127.0.0.1:{plain}/a"/>`},
	} {
		t.Run(each.name, func(t *testing.T) {
			s := newSite(t, each.rules, func(c *config.Config) {
				c.Apps[0].Platform, c.Apps[0].Mode, c.Apps[0].Private = each.platform, each.mode, nil
			})
			want := func(ask func(path string) int) {
				t.Helper()
				if status := ask("/b/x"); status != 403 {
					t.Errorf("at first: %d", status)
				}
				if status := ask("/a/x"); status != 200 {
					t.Errorf("the address that is named: %d", status)
				}
				if status := ask("/b/x"); status != 403 {
					t.Errorf("while the connection is kept: %d", status)
				}
			}
			want(func(path string) int {
				resp, _ := s.get("http://127.0.0.1:{plain}" + path)
				return resp.StatusCode
			})
			if each.mode == config.Report {
				return // a tunnel's beginning has no path: this target is not listed
			}
			c := s.connect(s.fill("127.0.0.1:{plain}"))
			want(func(path string) int {
				c.send(s.fill("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:{plain}\r\n\r\n"))
				resp, _ := c.answer("GET")
				return resp.StatusCode
			})
		})
	}
}

// TestPreconnectedTunnels: a tunnel whose origin has given up the connection that
// the CONNECT opened serves its first request over another one.
func TestPreconnectedTunnels(t *testing.T) {
	for _, way := range []string{"cleartext", "inspected"} {
		t.Run(way, func(t *testing.T) {
			closed := make(chan struct{})
			var first atomic.Bool
			l := newLab(t, way, nil, func(conn net.Conn, r *bufio.Reader) {
				if !first.Swap(true) {
					conn.Close()
					close(closed)
					return
				}
				answers(nil, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")(conn, r)
			})
			c := l.open()
			<-closed
			c.send(l.head("GET", "/", ""))
			if resp, body := c.answer("GET"); resp.StatusCode != 200 || body != "ok" {
				t.Errorf("%d %s", resp.StatusCode, body)
			}
		})
	}
}

// TestContinueAndHints: 100, which the gateway says of its own where the origin
// wants the body, and 103 do not come into each other.
func TestContinueAndHints(t *testing.T) {
	everyWay(t, func(conn net.Conn, r *bufio.Reader) {
		for readHead(r) != "" {
			io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n")
			for line := ""; line != "0\r\n"; line, _ = r.ReadString('\n') {
				if line == "" && r.Buffered() == 0 {
					if _, err := r.Peek(1); err != nil {
						return
					}
				}
			}
			_, _ = r.ReadString('\n')
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}, func(t *testing.T, l *lab) {
		c := l.open()
		for round := range lane.Rounds(50, 200, 2000) {
			c.send(l.head("POST", "/", "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"))
			var heads []string
			for len(heads) < 2 {
				heads = append(heads, readHead(c.reader))
			}
			got := strings.Join(heads, "")
			const proceed, hints = "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
			if got != proceed+hints && got != hints+proceed {
				t.Fatalf("round %d: %q", round, got)
			}
			c.send("2\r\nhi\r\n0\r\n\r\n")
			if resp, body := c.answer("POST"); resp.StatusCode != 200 || body != "ok" {
				t.Fatalf("round %d: %d %q", round, resp.StatusCode, body)
			}
		}
	})
}
