package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// measurement is one row of the table.
type measurement struct {
	name string
	run  func(b *run) (string, error)
}

// run is one measurement of one proxy; p is nil for a direct connection.
type run struct {
	p      *process
	origin string
	target string // host:port as the proxy is asked for it
	each   time.Duration
	hello  []byte

	dialled int
}

var measurements = []measurement{
	{"denied CONNECT, µs CPU", deniedConnects},
	{"denied request kept alive, µs CPU", deniedRequests},
	{"tunnel set-up, µs CPU", tunnelSetUps},
	{"tunnel set-up, p50 / p99 µs", tunnelTimes},
	{"forwarded request, µs CPU", forwardedRequests},
	{"WebSocket echo, µs CPU and 1/s", echoes},
	{"bulk down, 1 tunnel, µs CPU per MiB and MiB/s", func(b *run) (string, error) { return b.bulk(1, false) }},
	{"bulk down, 16 tunnels, µs CPU per MiB and MiB/s", func(b *run) (string, error) { return b.bulk(16, false) }},
	{"bulk up, 1 tunnel, µs CPU per MiB and MiB/s", func(b *run) (string, error) { return b.bulk(1, true) }},
	{"bulk up, 16 tunnels, µs CPU per MiB and MiB/s", func(b *run) (string, error) { return b.bulk(16, true) }},
	{"idle tunnel, KiB", idleTunnels},
}

func measureAll(p *process, origin string, each time.Duration, only string) map[string]string {
	_, port, _ := net.SplitHostPort(origin)
	b := &run{p: p, origin: origin, target: "localhost:" + port, each: each, hello: hello()}
	results := map[string]string{}
	for _, m := range measurements {
		if !strings.Contains(m.name, only) {
			continue
		}
		result, err := m.run(b)
		if err != nil {
			result = err.Error()
		}
		results[m.name] = result
	}
	return results
}

// hello returns a ClientHello for localhost, as crypto/tls sends it.
func hello() []byte {
	here, there := net.Pipe()
	defer there.Close()
	go func() {
		_ = tls.Client(here, &tls.Config{ServerName: "localhost"}).Handshake()
		here.Close()
	}()
	buffer := make([]byte, 1<<16)
	n, _ := there.Read(buffer)
	return buffer[:n]
}

// runOrigin serves what follows a ClientHello by its next byte: D sends bytes
// for ever, U takes them, E echoes; anything else is answered as HTTP.
func runOrigin(listen string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go serveOrigin(conn)
	}
}

func serveOrigin(conn net.Conn) {
	defer conn.Close()
	first := make([]byte, 5)
	if _, err := io.ReadFull(conn, first); err != nil {
		return
	}
	if first[0] != 22 {
		serveHTTP(conn, first)
		return
	}
	if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint16(first[3:]))); err != nil {
		return
	}
	if _, err := conn.Write([]byte{'!'}); err != nil {
		return
	}
	if _, err := io.ReadFull(conn, first[:1]); err != nil {
		return
	}
	switch first[0] {
	case 'D':
		chunk := make([]byte, 1<<20)
		for {
			if _, err := conn.Write(chunk); err != nil {
				return
			}
		}
	case 'U':
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{conn}, make([]byte, 1<<20))
	case 'E':
		buffer := make([]byte, 4096)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			if _, err := conn.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
}

func serveHTTP(conn net.Conn, first []byte) {
	reader := bufio.NewReader(io.MultiReader(bytes.NewReader(first), conn))
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("x", 1024))
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// cost runs f again and again and returns the proxy's processor time for each.
func (b *run) cost(f func() error) (string, error) {
	if b.p == nil {
		return "", nil
	}
	for range 50 {
		if err := f(); err != nil {
			return "", err
		}
	}
	before, end := b.p.cpu(), time.Now().Add(b.each)
	n := 0
	for ; time.Now().Before(end); n++ {
		if err := f(); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%.0f", float64((b.p.cpu()-before).Nanoseconds())/1000/float64(n)), nil
}

func (b *run) dial() (net.Conn, error) {
	addr := b.origin
	if b.p != nil {
		addr = b.p.addr
	}
	b.dialled++
	// Many source addresses, so that closed connections do not use up the ports.
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(b.dialled>>8), byte(b.dialled)|1)}}
	conn, err := from.Dial("tcp", addr)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(60 * time.Second))
	}
	return conn, err
}

func deniedConnects(b *run) (string, error) {
	return b.cost(func() error {
		conn, err := b.dial()
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "CONNECT denied.example.net:443 HTTP/1.1\r\nHost: denied.example.net:443\r\n\r\n"); err != nil {
			return err
		}
		return expectStatus(bufio.NewReader(conn), "403")
	})
}

func expectStatus(r *bufio.Reader, status string) error {
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if !strings.HasPrefix(resp.Status, status) {
		return errors.New(resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func deniedRequests(b *run) (string, error) {
	return b.requests("http://denied.example.net/", "403")
}

func forwardedRequests(b *run) (string, error) {
	return b.requests("http://"+b.target+"/", "200")
}

// requests sends requests over one connection, or a new one where the proxy
// closes it.
func (b *run) requests(url, status string) (string, error) {
	var conn net.Conn
	var reader *bufio.Reader
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	head := "GET " + url + " HTTP/1.1\r\nHost: " + b.target + "\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
	reopened := 0
	cost, err := b.cost(func() error {
		for range 2 {
			if conn == nil {
				var err error
				if conn, err = b.dial(); err != nil {
					return err
				}
				reopened++
				reader = bufio.NewReader(conn)
			}
			if _, err := io.WriteString(conn, head); err == nil {
				if err = expectStatus(reader, status); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) && err == nil {
					return nil
				} else if err != nil && strings.Contains(err.Error(), " ") && !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "reset") {
					return err
				}
			}
			conn.Close()
			conn = nil
		}
		return errors.New("no answer")
	})
	if reopened > 10 {
		cost += " (closes)"
	}
	return cost, err
}

// tunnel opens a tunnel, or a direct connection, and passes the hello.
func (b *run) tunnel() (net.Conn, error) {
	conn, err := b.dial()
	if err != nil {
		return nil, err
	}
	if b.p != nil {
		if _, err := io.WriteString(conn, "CONNECT "+b.target+" HTTP/1.1\r\nHost: "+b.target+"\r\n\r\n"); err != nil {
			return conn, err
		}
		if err := readHead(conn); err != nil {
			return conn, err
		}
	}
	if _, err := conn.Write(b.hello); err != nil {
		return conn, err
	}
	one := make([]byte, 1)
	_, err = io.ReadFull(conn, one)
	return conn, err
}

// readHead reads a 200 and not a byte more than its head.
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

func tunnelSetUps(b *run) (string, error) {
	return b.cost(func() error {
		conn, err := b.tunnel()
		if conn != nil {
			conn.Close()
		}
		return err
	})
}

func tunnelTimes(b *run) (string, error) {
	var times []time.Duration
	for end := time.Now().Add(b.each); time.Now().Before(end); {
		began := time.Now()
		conn, err := b.tunnel()
		if err != nil {
			return "", err
		}
		times = append(times, time.Since(began))
		conn.Close()
	}
	slices.Sort(times)
	return fmt.Sprintf("%d / %d", times[len(times)/2].Microseconds(), times[len(times)*99/100].Microseconds()), nil
}

func echoes(b *run) (string, error) {
	conn, err := b.tunnel()
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte{'E'}); err != nil {
		return "", err
	}
	message, got := make([]byte, 64), make([]byte, 64)
	n := 0
	once := func() error {
		n++
		if _, err := conn.Write(message); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, got)
		return err
	}
	began := time.Now()
	if b.p == nil {
		for time.Since(began) < b.each {
			if err := once(); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%.0f", float64(n)/time.Since(began).Seconds()), nil
	}
	cost, err := b.cost(once)
	return fmt.Sprintf("%s, %.0f", cost, float64(n)/time.Since(began).Seconds()), err
}

// bulk moves bytes through tunnels at once for the time of a measurement.
func (b *run) bulk(tunnels int, up bool) (string, error) {
	type moved struct {
		n   int64
		err error
	}
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range tunnels {
		conn, err := b.tunnel()
		if conn != nil {
			conns = append(conns, conn)
		}
		if err != nil {
			return "", err
		}
	}
	var before time.Duration
	if b.p != nil {
		before = b.p.cpu()
	}
	began := time.Now()
	done := make(chan moved, tunnels)
	for _, conn := range conns {
		go func() {
			n, err := move(conn, up, began.Add(b.each))
			done <- moved{n, err}
		}()
	}
	var total int64
	for range conns {
		m := <-done
		total += m.n
		if m.err != nil {
			return "", m.err
		}
	}
	mib := float64(total) / (1 << 20)
	rate := fmt.Sprintf("%.0f", mib/time.Since(began).Seconds())
	if b.p == nil {
		return rate, nil
	}
	return fmt.Sprintf("%.0f, %s", float64((b.p.cpu()-before).Microseconds())/mib, rate), nil
}

func move(conn net.Conn, up bool, end time.Time) (total int64, err error) {
	buffer := make([]byte, 1<<20)
	kind := byte('D')
	if up {
		kind = 'U'
	}
	if _, err := conn.Write([]byte{kind}); err != nil {
		return 0, err
	}
	for time.Now().Before(end) {
		var n int
		if up {
			n, err = conn.Write(buffer)
		} else {
			n, err = conn.Read(buffer)
		}
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// idleCount is how many idle tunnels are opened to weigh one.
const idleCount = 2000

func idleTunnels(b *run) (string, error) {
	if b.p == nil {
		return "", nil
	}
	time.Sleep(time.Second)
	before := b.p.memory()
	conns := make([]net.Conn, 0, idleCount)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range idleCount {
		conn, err := b.tunnel()
		if conn != nil {
			conns = append(conns, conn)
		}
		if err != nil {
			return "", err
		}
	}
	time.Sleep(2 * time.Second)
	return fmt.Sprintf("%.1f", float64(b.p.memory()-before)/1024/idleCount), nil
}
