package gateway

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/cordon-sec/cordon/internal/testpki"
)

// serveConns answers every connection with f.
func serveConns(t *testing.T, config *tls.Config, f func(net.Conn)) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if config != nil {
				conn = tls.Server(conn, config)
			}
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			go func() {
				defer conn.Close()
				f(conn)
			}()
		}
	}()
	return portOf(l.Addr().String())
}

// altSvcAnswer says in every place of an answer where else the origin is.
const altSvcAnswer = "HTTP/1.1 103 Early Hints\r\nAlt-Svc: h3=\":443\"\r\nLink: </a>\r\n\r\n" +
	"HTTP/1.1 200 OK\r\nAlt-Svc: h3=\":443\"; ma=86400, h2=\"evil.test:443\"\r\nALT-SVC: clear\r\n" +
	"Alternate-Protocol: 443:quic\r\nX-Kept: 1\r\nTransfer-Encoding: chunked\r\nTrailer: Alt-Svc, X-Sum\r\n\r\n" +
	"2\r\nok\r\n0\r\nAlt-Svc: h3=\":443\"\r\nX-Sum: 1\r\n\r\n"

const altSvcUpgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Alt-Svc: h3=\":443\"\r\nSec-WebSocket-Accept: x\r\n\r\n"

func TestAltSvcDoesNotPass(t *testing.T) {
	var leaf tls.Certificate
	answer := func(conn net.Conn) {
		head := make([]byte, 4096)
		n, _ := conn.Read(head)
		if bytes.Contains(head[:n], []byte("Upgrade: websocket")) {
			io.WriteString(conn, altSvcUpgrade)
			return
		}
		io.WriteString(conn, altSvcAnswer)
	}
	plain := serveConns(t, nil, answer)
	secure := serveConns(t, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &leaf, nil
	}}, answer)
	s, pool := inspectingSite(t, `<access origin="http://plain.test:`+plain+`"/><access origin="https://alt.test:`+
		secure+`"/>`, nil)
	leaf = s.root.Leaf(t, testpki.Spec{Name: "alt.test", Hosts: []string{"alt.test"}}).TLS()
	const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n"
	for _, each := range []struct{ name, tunnel, head, kept string }{
		{"plain", "", "GET http://plain.test:" + plain + "/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", "X-Kept"},
		{"upgraded", "", "GET ws://plain.test:" + plain + "/ HTTP/1.1\r\nHost: x\r\n" + upgrade,
			"Sec-Websocket-Accept"},
		{"upgraded in a tunnel", "plain.test:" + plain,
			"GET / HTTP/1.1\r\nHost: plain.test:" + plain + "\r\n" + upgrade, "Sec-Websocket-Accept"},
		{"inspected", "alt.test:" + secure,
			"GET / HTTP/1.1\r\nHost: alt.test:" + secure + "\r\nConnection: close\r\n", "X-Kept"},
		{"inspected, upgraded", "alt.test:" + secure, "GET / HTTP/1.1\r\nHost: alt.test:" + secure + "\r\n" + upgrade,
			"Sec-Websocket-Accept"},
	} {
		var conn io.ReadWriter = s.dial()
		switch {
		case strings.HasPrefix(each.name, "inspected"):
			conn, _ = s.inside(each.tunnel, "alt.test", pool)
		case each.tunnel != "":
			conn = s.connect(each.tunnel)
		}
		io.WriteString(conn, each.head+"\r\n")
		got, _ := io.ReadAll(conn)
		lower := strings.ToLower(string(got))
		if strings.Contains(lower, "alt-svc") || strings.Contains(lower, "h3=") || strings.Contains(lower, "quic") ||
			!strings.Contains(string(got), each.kept) {
			t.Errorf("%s: the client got %q", each.name, got)
		}
	}
}

// TestAltSvcFrameDoesNotPass: HTTP/2 ends at the gateway on both sides, so that
// no frame of the origin's is the client's.
func TestAltSvcFrameDoesNotPass(t *testing.T) {
	const altSvc = http2.FrameType(0xa)
	var leaf tls.Certificate
	config := &tls.Config{NextProtos: []string{"h2"}, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate,
		error) {
		return &leaf, nil
	}}
	port := serveConns(t, config, func(conn net.Conn) {
		io.ReadFull(conn, make([]byte, len(http2.ClientPreface)))
		framer := http2.NewFramer(conn, conn)
		framer.WriteSettings()
		framer.WriteRawFrame(altSvc, 0, 0, []byte("\x00\x10https://alt.testh3=\":443\""))
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			request, ok := frame.(*http2.HeadersFrame)
			if !ok {
				continue
			}
			var head bytes.Buffer
			encoder := hpack.NewEncoder(&head)
			for _, f := range []hpack.HeaderField{{Name: ":status", Value: "200"},
				{Name: "alt-svc", Value: `h3=":443"`}, {Name: "x-kept", Value: "1"}} {
				encoder.WriteField(f)
			}
			framer.WriteRawFrame(altSvc, 0, request.StreamID, []byte("\x00\x00h3=\":443\""))
			framer.WriteHeaders(http2.HeadersFrameParam{StreamID: request.StreamID, BlockFragment: head.Bytes(),
				EndHeaders: true})
			framer.WriteData(request.StreamID, true, []byte("ok"))
		}
	})
	s, pool := inspectingSite(t, `<access origin="https://alt.test:`+port+`"/>`, nil)
	leaf = s.root.Leaf(t, testpki.Spec{Name: "alt.test", Hosts: []string{"alt.test"}}).TLS()
	secure := tls.Client(s.connect("alt.test:"+port), &tls.Config{ServerName: "alt.test", RootCAs: pool,
		NextProtos: []string{"h2"}})
	io.WriteString(secure, http2.ClientPreface)
	framer := http2.NewFramer(secure, secure)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.WriteSettings()
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	for _, f := range []hpack.HeaderField{{Name: ":method", Value: http.MethodGet}, {Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: "alt.test:" + port}, {Name: ":path", Value: "/"}} {
		encoder.WriteField(f)
	}
	framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head.Bytes(), EndHeaders: true,
		EndStream: true})
	answered := false
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if frame.Header().Type == altSvc {
			t.Error("an ALTSVC frame has passed")
		}
		if headers, ok := frame.(*http2.MetaHeadersFrame); ok {
			answered = true
			for _, f := range headers.Fields {
				if f.Name == "alt-svc" || f.Name == ":status" && f.Value != "200" {
					t.Errorf("the client got %s: %s", f.Name, f.Value)
				}
			}
		}
		if data, ok := frame.(*http2.DataFrame); ok && data.StreamEnded() {
			break
		}
	}
	if !answered {
		t.Error("no answer has come")
	}
	secure.Close()
}
