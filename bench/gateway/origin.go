package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// lifetime is how long any connection may last, at either end.
const lifetime = 2 * time.Minute

// runOrigin serves tunnels and plain requests at the addresses, separated by
// commas.
func runOrigin(listen string) error {
	ended := make(chan error)
	for addr := range strings.SplitSeq(listen, ",") {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					ended <- err
					return
				}
				go serveOrigin(conn)
			}
		}()
	}
	return <-ended
}

// serveOrigin answers a ClientHello with one byte and then does as the next byte
// says: D sends bytes for ever, U takes them, E echoes. What does not begin with
// a ClientHello is answered as HTTP.
func serveOrigin(conn net.Conn) {
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(lifetime)); err != nil {
		return
	}
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
		send(conn)
	case 'U':
		// Neither side's own way of copying: every origin byte is read here.
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{conn}, make([]byte, 1<<20))
	case 'E':
		_, _ = io.CopyBuffer(struct{ io.Writer }{conn}, struct{ io.Reader }{conn}, make([]byte, 4096))
	}
}

func send(conn net.Conn) {
	chunk := make([]byte, 1<<20)
	for {
		if _, err := conn.Write(chunk); err != nil {
			return
		}
	}
}

func serveHTTP(conn net.Conn, first []byte) {
	reader := bufio.NewReader(io.MultiReader(bytes.NewReader(first), conn))
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n" +
		strings.Repeat("x", 1024))
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}
