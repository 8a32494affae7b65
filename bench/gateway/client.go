package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// client uses one proxy, or none where p is nil. It is safe for concurrent use.
type client struct {
	name  string
	p     *process
	zone  *zone
	asked []string
	hello map[string][]byte

	turn, dialled atomic.Uint32

	mu    sync.Mutex
	known map[string]known
}

// known is what a client without a proxy remembers of a name, as a browser does.
type known struct {
	addr  string
	until time.Time
}

func newClient(name string, p *process, zone *zone) *client {
	c := &client{name: name, p: p, zone: zone, asked: zone.asked(), hello: map[string][]byte{}, known: map[string]known{}}
	for _, host := range c.asked {
		c.hello[host] = hello(host)
	}
	return c
}

// next returns the name to ask for now: all of them in turn.
func (c *client) next() string { return c.asked[int(c.turn.Add(1))%len(c.asked)] }

// hello returns a ClientHello for the name, as crypto/tls sends it.
func hello(name string) []byte {
	here, there := net.Pipe()
	defer there.Close()
	go func() {
		_ = tls.Client(here, &tls.Config{ServerName: name}).Handshake() // ends when there is closed
		here.Close()
	}()
	buffer := make([]byte, 1<<16)
	n, _ := there.Read(buffer)
	return buffer[:n]
}

// dial connects to the proxy, or to the origin where there is none.
func (c *client) dial(host, port string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var addr string
	if c.p != nil {
		addr = c.p.addr
	} else {
		ip, err := c.resolve(ctx, host)
		if err != nil {
			return nil, err
		}
		addr = net.JoinHostPort(ip, port)
	}
	n := c.dialled.Add(1)
	// Many source addresses, so that closed connections do not use up the ports.
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(n>>8), byte(n)|1)}}
	conn, err := from.DialContext(ctx, "tcp", addr)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(lifetime))
	}
	return conn, err
}

// resolve asks for a name and keeps the answer as long as it holds.
func (c *client) resolve(ctx context.Context, host string) (string, error) {
	c.mu.Lock()
	k := c.known[host]
	c.mu.Unlock()
	if time.Now().Before(k.until) {
		return k.addr, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host+".")
	if err != nil {
		return "", err
	}
	k = known{addrs[0].Unmap().String(), time.Now().Add(time.Duration(c.zone.ttl) * time.Second)}
	c.mu.Lock()
	c.known[host] = k
	c.mu.Unlock()
	return k.addr, nil
}

// tunnel opens a tunnel, or a direct connection, sends the ClientHello and waits
// for the origin's answer. Who gets a connection must close it, error or not.
func (c *client) tunnel() (net.Conn, error) {
	host := c.next()
	conn, err := c.dial(host, "443")
	if err != nil {
		return nil, err
	}
	if c.p != nil {
		if _, err := io.WriteString(conn, connect(host)); err != nil {
			return conn, err
		}
		if err := readHead(conn); err != nil {
			return conn, err
		}
	}
	if _, err := conn.Write(c.hello[host]); err != nil {
		return conn, err
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return conn, err
}

// tunnels opens that many tunnels, and closes them with the function, which is
// never nil.
func (c *client) tunnels(n int) (conns []net.Conn, end func(), err error) {
	end = func() {
		for _, conn := range conns {
			conn.Close()
		}
	}
	limit := time.Now().Add(30 * time.Second)
	for range n {
		conn, err := c.tunnel()
		if conn != nil {
			conns = append(conns, conn)
		}
		if err != nil {
			return conns, end, err
		}
		if time.Now().After(limit) {
			return conns, end, fmt.Errorf("%d of %d tunnels in 30 s", len(conns), n)
		}
	}
	return conns, end, nil
}

func connect(host string) string {
	return "CONNECT " + host + ":443 HTTP/1.1\r\nHost: " + host + ":443\r\n\r\n"
}

// readHead reads a 200 and not a byte more than its head: the origin is silent
// until it has the ClientHello.
func readHead(conn net.Conn) error {
	var head []byte
	buffer := make([]byte, 512)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		n, err := conn.Read(buffer)
		if err != nil {
			return err
		}
		head = append(head, buffer[:n]...)
	}
	if len(head) < 12 || string(head[9:12]) != "200" {
		return fmt.Errorf("%.30q", head)
	}
	return nil
}

// exchange sends requests over one connection, or over a new one where the proxy
// has closed it.
type exchange struct {
	c      *client
	status string
	conn   net.Conn
	reader *bufio.Reader
	opened int
}

// ask sends one request and reads its answer.
func (e *exchange) ask(host string) error {
	fresh := e.conn == nil
	if err := e.once(host); err == nil || fresh || errors.Is(err, errStatus) {
		return err
	}
	e.close()
	return e.once(host)
}

func (e *exchange) once(host string) (err error) {
	if e.conn == nil {
		if e.conn, err = e.c.dial(host, "80"); err != nil {
			return err
		}
		e.opened++
		e.reader = bufio.NewReader(e.conn)
	}
	target := "http://" + host + "/"
	if e.c.p == nil {
		target = "/"
	}
	head := "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
	if _, err = io.WriteString(e.conn, head); err != nil {
		return err
	}
	ends, err := expect(e.reader, e.status)
	if ends {
		e.close()
	}
	return err
}

func (e *exchange) close() {
	if e.conn != nil {
		e.conn.Close()
		e.conn = nil
	}
}

var errStatus = errors.New("answered")

// expect reads an answer, which must have the status, and says whether it is the
// connection's last.
func expect(r *bufio.Reader, status string) (last bool, err error) {
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	if !strings.HasPrefix(resp.Status, status) {
		return true, fmt.Errorf("%w %s", errStatus, resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.Close, err
}
