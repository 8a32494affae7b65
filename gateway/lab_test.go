package gateway

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// lab is an origin whose every byte a test writes, reached in one of the ways
// in which requests are forwarded.
type lab struct {
	*site
	t     *testing.T
	way   string
	pool  *x509.CertPool // of the authority that inspects
	port  string
	serve func(conn net.Conn, r *bufio.Reader)

	mu    sync.Mutex
	conns int
}

// ways are how a request is forwarded: in absolute form, in cleartext out of a
// tunnel, and out of one that is decrypted. Besides there is "secure", absolute
// form with https: the gateway's TLS over connections that clients share.
var ways = []string{"absolute", "cleartext", "inspected"}

// everyWay runs a test in every way, over an origin that serves connections by
// serve.
func everyWay(t *testing.T, serve func(net.Conn, *bufio.Reader), run func(t *testing.T, l *lab)) {
	for _, way := range ways {
		t.Run(way, func(t *testing.T) { run(t, newLab(t, way, nil, serve)) })
	}
}

func newLab(t *testing.T, way string, change func(*config.Config), serve func(net.Conn, *bufio.Reader)) *lab {
	l := &lab{t: t, way: way, serve: serve}
	if way == "inspected" {
		l.site, l.pool = inspectingSite(t, usualRules, change)
	} else {
		l.site = newSite(t, usualRules, change)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.port = portOf(inner.Addr().String())
	scheme := "http"
	if way == "inspected" || way == "secure" {
		scheme = "https"
		leaf := l.root.Leaf(t, testpki.Spec{Name: "lab.test", Hosts: []string{"lab.test"}}).TLS()
		inner = tls.NewListener(inner, &tls.Config{
			Certificates:                []tls.Certificate{leaf},
			DynamicRecordSizingDisabled: true, // what is written at once comes at once
		})
	}
	t.Cleanup(func() { inner.Close() })
	go l.accept(inner)
	l.writeRules(usualRules + `<access origin="` + scheme + `://lab.test:` + l.port + `"/>`)
	if err := l.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) accept(from net.Listener) {
	for {
		conn, err := from.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		l.conns++
		l.mu.Unlock()
		go func() {
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			l.serve(conn, bufio.NewReader(conn))
		}()
	}
}

func (l *lab) connections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conns
}

// open returns a connection that takes requests for the origin.
func (l *lab) open() *client {
	l.t.Helper()
	if l.way == "absolute" || l.way == "secure" {
		return l.dial()
	}
	c := l.connect("lab.test:" + l.port)
	if l.way == "cleartext" {
		return c
	}
	secure := tls.Client(c, &tls.Config{ServerName: "lab.test", RootCAs: l.pool, NextProtos: []string{"http/1.1"}})
	if err := secure.Handshake(); err != nil {
		l.t.Fatal(err)
	}
	return newClient(l.t, secure)
}

// head returns a request's head; fields end in line ends.
func (l *lab) head(method, path, fields string) string {
	target := path
	switch l.way {
	case "absolute":
		target = "http://lab.test:" + l.port + path
	case "secure":
		target = "https://lab.test:" + l.port + path
	}
	return method + " " + target + " HTTP/1.1\r\nHost: lab.test:" + l.port + "\r\n" + fields + "\r\n"
}

// readHead reads a head as it came.
func readHead(r *bufio.Reader) string {
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			return head.String()
		}
	}
}

// answers returns a serve function that answers each request with fixed bytes,
// and hands the heads of the requests to the test.
func answers(heads chan<- string, bytes string) func(net.Conn, *bufio.Reader) {
	return func(conn net.Conn, r *bufio.Reader) {
		for {
			head := readHead(r)
			if head == "" {
				return
			}
			if heads != nil {
				heads <- head
			}
			io.WriteString(conn, bytes)
			if strings.Contains(bytes, "Connection: close") || strings.HasPrefix(bytes, "HTTP/1.0") {
				return
			}
		}
	}
}

// response reads a head and returns it with the body still to be read.
func (c *client) response(method string) *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("read response: %v", err)
	}
	return resp
}
