//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/event"
)

// soakKinds is how many things a client does, one after the other.
const soakKinds = 9

// client does one thing after another until the context ends.
func (s *soak) client(ctx context.Context, i int) {
	// Each client has an address of loopback of its own, and uses each of its ports
	// once, so that no event can be taken for that of another connection. Those of an
	// earlier run may be waiting for their time still.
	own := &net.TCPAddr{IP: net.IPv4(127, 1, byte(i/250), byte(1+i%250)), Port: 10_000 + mathrand.IntN(40_000)}
	for ; ctx.Err() == nil; i++ {
		own.Port++
		s.once(ctx, own, i%soakKinds)
		pause := time.NewTimer(time.Duration(mathrand.IntN(1000)) * time.Millisecond)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// once does one thing. What fails outside a fault is wrong.
func (s *soak) once(ctx context.Context, own net.Addr, kind int) {
	began := time.Now()
	conn, err := (&net.Dialer{Timeout: 10 * time.Second, LocalAddr: own}).Dial("tcp", s.proxy)
	if err != nil {
		if !s.excused(began) {
			s.book.wrong("connect to the gateway: %v", err)
		}
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	c := &soakClient{soak: s, conn: conn.(*net.TCPConn), reader: bufio.NewReader(conn), began: began}
	switch kind {
	case 0:
		c.tunnel(ctx, endClean)
	case 1:
		c.tunnel(ctx, endByClient)
	case 2:
		c.tunnel(ctx, endByOrigin)
	case 3:
		c.forward()
	case 4:
		c.broken()
	case 5:
		c.abandoned()
	case 6:
		c.refusedTunnel()
	case 7:
		c.refusedRequests()
	case 8:
		_, _ = io.WriteString(conn, "CONNECT secure.te")
	}
}

// soakClient is one connection to the gateway.
type soakClient struct {
	*soak
	conn   *net.TCPConn
	reader *bufio.Reader
	began  time.Time
}

// done closes a request's page in the book.
func (c *soakClient) done(key string, want wanted, err error) {
	if err != nil && !c.excused(c.began) {
		c.book.wrong("%s: %v, at %v, %v after it began", key, err, time.Now().Format(time.TimeOnly),
			time.Since(c.began))
	}
	c.book.done(key, want, c.excused(c.began))
}

// ways in which a tunnel ends.
const (
	endClean = iota
	endByClient
	endByOrigin
)

// countedConn counts what a tunnel carries, as its client sees it.
type countedConn struct {
	*net.TCPConn
	reader   *bufio.Reader
	up, down int64
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	c.down += int64(n)
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	c.up += int64(n)
	return n, err
}

// tunnel echoes through a TLS tunnel.
func (c *soakClient) tunnel(ctx context.Context, end int) {
	key := c.conn.LocalAddr().String()
	c.book.begin(key)
	target := "secure.test:" + c.secure
	want := wanted{verdict: event.Allowed, closes: true, up: -1, down: -1}
	fmt.Fprintf(c.conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target)
	if err := c.answer("CONNECT", http.StatusOK, nil); err != nil {
		c.done(key, want, err)
		return
	}
	counted := &countedConn{TCPConn: c.conn, reader: c.reader}
	secure := tls.Client(counted, c.roots)
	err := c.echo(ctx, secure)
	switch {
	case err != nil:
	case end == endClean:
		_ = secure.CloseWrite()
		_ = c.conn.CloseWrite()
		if _, err = io.Copy(io.Discard, secure); err == nil {
			_, err = io.Copy(io.Discard, counted)
		}
		want.up, want.down = counted.up, counted.down
	case end == endByClient:
		_ = c.conn.SetLinger(0)
		c.conn.Close()
	case end == endByOrigin:
		_, _ = secure.Write(binary.BigEndian.AppendUint32(nil, soakReset))
		if n, _ := io.Copy(io.Discard, secure); n != 0 {
			err = fmt.Errorf("%d bytes after a reset", n)
		}
	}
	c.done(key, want, err)
}

// echo sends some blocks and compares what comes back.
func (c *soakClient) echo(ctx context.Context, secure io.ReadWriter) error {
	block, back := make([]byte, 64<<10), make([]byte, 64<<10)
	_, _ = rand.Read(block)
	for i := range 1 + mathrand.IntN(8) {
		if i > 0 && ctx.Err() != nil { // not before its hello: it would be no tunnel
			return nil
		}
		n := 1 + mathrand.IntN(len(block))
		if _, err := secure.Write(append(binary.BigEndian.AppendUint32(nil, uint32(n)), block[:n]...)); err != nil {
			return err
		}
		if _, err := io.ReadFull(secure, back[:n]); err != nil {
			return err
		}
		if !bytes.Equal(block[:n], back[:n]) {
			return errors.New("a tunnel's bytes came back changed")
		}
	}
	return nil
}

// path returns a path that no other request has.
func (c *soakClient) path(kind string) string { return fmt.Sprintf("/%s/%d", kind, c.serial.Add(1)) }

// forward sends requests with bodies on one connection.
func (c *soakClient) forward() {
	for range 1 + mathrand.IntN(4) {
		path := c.path("echo")
		body := strings.Repeat("body of "+path, 1+mathrand.IntN(2000))
		c.book.begin(path)
		fmt.Fprintf(c.conn, "POST http://plain.test:%s%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s",
			c.plain, path, len(body), body)
		err := c.answer("POST", http.StatusOK, &body)
		c.done(path, wanted{verdict: event.Allowed, up: int64(len(body)), down: int64(len(body))}, err)
		if err != nil {
			return
		}
	}
}

// broken asks for what the origin breaks off.
func (c *soakClient) broken() {
	path := c.path("reset")
	c.book.begin(path)
	fmt.Fprintf(c.conn, "GET http://plain.test:%s%s HTTP/1.1\r\nHost: x\r\n\r\n", c.plain, path)
	resp, err := http.ReadResponse(c.reader, nil)
	if err == nil {
		if _, err = io.Copy(io.Discard, resp.Body); err == nil {
			err = errors.New("a body that was broken off came as a whole one")
		} else {
			err = nil
		}
	}
	c.done(path, wanted{verdict: event.Failed, reason: "upstream-closed", up: -1, down: -1}, err)
}

// abandoned leaves while the origin is silent.
func (c *soakClient) abandoned() {
	path := c.path("stall")
	c.book.begin(path)
	fmt.Fprintf(c.conn, "GET http://plain.test:%s%s HTTP/1.1\r\nHost: x\r\n\r\n", c.plain, path)
	_ = c.conn.SetReadDeadline(time.Now().Add(time.Second))
	_, err := c.reader.ReadByte()
	var silence net.Error
	if errors.As(err, &silence) && silence.Timeout() {
		err = nil
	}
	_ = c.conn.SetLinger(0)
	c.conn.Close()
	c.done(path, wanted{verdict: event.Failed, reason: "client-gone", up: -1, down: -1}, err)
}

// refusedTunnel asks for a host that is not listed.
func (c *soakClient) refusedTunnel() {
	key := c.conn.LocalAddr().String()
	c.book.begin(key)
	io.WriteString(c.conn, "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n")
	c.done(key, wanted{verdict: event.Blocked, up: -1, down: -1}, c.answer("CONNECT", http.StatusForbidden, nil))
}

// refusedRequests asks for a host that is not listed, several times.
func (c *soakClient) refusedRequests() {
	for range 1 + mathrand.IntN(8) {
		path := c.path("evil")
		c.book.begin(path)
		fmt.Fprintf(c.conn, "GET http://evil.test%s HTTP/1.1\r\nHost: evil.test\r\n\r\n", path)
		err := c.answer("GET", http.StatusForbidden, nil)
		c.done(path, wanted{verdict: event.Blocked, up: -1, down: -1}, err)
		if err != nil {
			return
		}
	}
}

// answer reads one response, which must have the status and, if there is one,
// the body.
func (c *soakClient) answer(method string, status int, body *string) error {
	resp, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		return err
	}
	if method == "CONNECT" && resp.StatusCode == http.StatusOK {
		return nil
	}
	got, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != status:
		return fmt.Errorf("status %d instead of %d: %s", resp.StatusCode, status, got)
	case body != nil && string(got) != *body:
		return errors.New("another body than was sent")
	}
	return nil
}
