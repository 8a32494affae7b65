package gateway

import (
	"bufio"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

var usualHeads = []struct {
	name, text string
	method     string // "" if the HTTP server is to look at it
	rest       string
}{
	{"CONNECT", "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", "CONNECT", ""},
	{"with a hello behind it", "CONNECT a.test:443 HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03", "CONNECT", "\x16\x03"},
	{"credentials", "CONNECT a:1 HTTP/1.1\r\nhost: x\r\nProxy-Authorization: Basic eDp5\r\n\r\n", "CONNECT", ""},
	{"keep-alive", "CONNECT a:1 HTTP/1.1\r\nHost: x\r\nProxy-Connection: Keep-Alive\r\n\r\n", "CONNECT", ""},
	{"GET", "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\n\r\nGET", "GET", "GET"},
	{"in part", "CONNECT a.test:443 HTTP/1.1\r\nHost: a", "", ""},
	{"HTTP/1.0", "CONNECT a:1 HTTP/1.0\r\nHost: x\r\n\r\n", "", ""},
	{"other method", "POST http://a/ HTTP/1.1\r\nHost: x\r\n\r\n", "", ""},
	{"lower case", "connect a:1 HTTP/1.1\r\nHost: x\r\n\r\n", "", ""},
	{"no Host", "CONNECT a:1 HTTP/1.1\r\n\r\n", "", ""},
	{"two Hosts", "CONNECT a:1 HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "", ""},
	{"bad Host", "CONNECT a:1 HTTP/1.1\r\nHost: x y\r\n\r\n", "", ""},
	{"body", "CONNECT a:1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "", ""},
	{"chunks", "GET http://a/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "", ""},
	{"expectation", "GET http://a/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n", "", ""},
	{"upgrade", "GET ws://a/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "", ""},
	{"close", "GET http://a/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "", ""},
	{"folded line", "CONNECT a:1 HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", "", ""},
	{"space before the colon", "CONNECT a:1 HTTP/1.1\r\nHost : x\r\n\r\n", "", ""},
	{"bare line feed", "CONNECT a:1 HTTP/1.1\nHost: x\r\n\r\n", "", ""},
	{"line feed in a field", "CONNECT a:1 HTTP/1.1\r\nHost: x\r\nA: b\nC: d\r\n\r\n", "", ""},
	{"bare carriage return", "CONNECT a:1 HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", "", ""},
	{"NUL", "CONNECT a:1 HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", "", ""},
	{"not ASCII", "CONNECT \xe2\x98\x83:1 HTTP/1.1\r\nHost: x\r\n\r\n", "", ""},
	{"two spaces", "CONNECT  a:1 HTTP/1.1\r\nHost: x\r\n\r\n", "", ""},
	{"nothing", "", "", ""},
}

func TestReadUsualHead(t *testing.T) {
	for _, test := range usualHeads {
		t.Run(test.name, func(t *testing.T) {
			r, rest := readUsualHead([]byte(test.text), 64<<10)
			method := ""
			if r != nil {
				method = r.Method
			}
			if method != test.method || string(rest) != test.rest {
				t.Errorf("read %q with the rest %q", method, rest)
			}
		})
	}
}

func TestUsualHeadIsBounded(t *testing.T) {
	const head = "CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n"
	if r, _ := readUsualHead([]byte(head), len(head)); r == nil {
		t.Error("a head of the greatest length is not read")
	}
	if r, _ := readUsualHead([]byte(head), len(head)-1); r != nil {
		t.Error("a head that is too long is read")
	}
}

// FuzzUsualHead: what a worker takes for a request, the HTTP server takes for
// the same request.
func FuzzUsualHead(f *testing.F) {
	for _, test := range usualHeads {
		f.Add(test.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, rest := readUsualHead([]byte(text), 64<<10)
		if r == nil {
			return
		}
		head := strings.TrimSuffix(text, string(rest))
		other := servedBy(t, head)
		if other == nil {
			t.Fatalf("the HTTP server refuses %q", head)
		}
		same := r.Method == other.Method && r.RequestURI == other.RequestURI && r.Host == other.Host &&
			emptyBody(r) && emptyBody(other) && other.ProtoMajor == 1 && other.ProtoMinor == 1 &&
			maps.EqualFunc(r.Header, other.Header, slices.Equal[[]string])
		if !same {
			t.Errorf("%q is read as\n%+v and as\n%+v", head, r, other)
		}
	})
}

// servedBy returns what an HTTP server makes of a head, nil if it refuses it.
func servedBy(t *testing.T, head string) (seen *http.Request) {
	t.Helper()
	ours, theirs := net.Pipe()
	l := &oneConn{conn: theirs, over: make(chan struct{})}
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = r
			w.Header().Set("Connection", "close")
		}),
		DisableGeneralOptionsHandler: true,
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	_ = ours.SetDeadline(time.Now().Add(10 * time.Second))
	go io.WriteString(ours, head)
	resp, err := http.ReadResponse(bufio.NewReader(ours), nil)
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	ours.Close()
	close(l.over)
	server.Close()
	<-done
	return seen
}

// oneConn is a listener with one connection.
type oneConn struct {
	conn net.Conn
	over chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.over
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }
