package server

import (
	"errors"
	"net"
	"sync"
	"time"
)

// helloTime is how long a connection may take to say its first byte.
const helloTime = 10 * time.Second

// splitListener tells the connections of one port apart by their first byte:
// 0x16 begins a TLS handshake (RFC 8446, section 5.1) and no HTTP request. It
// is for a developer's machine, where a browser that does not trust the
// development authority needs http at the very port that devices use with
// https.
type splitListener struct {
	inner net.Listener
	// secure and plain are the two halves.
	secure, plain *half
	// waiting are the connections that have not said anything yet.
	mu      sync.Mutex
	waiting map[net.Conn]bool
	ended   bool
	running sync.WaitGroup
}

// half is one kind of the connections, as a listener of its own.
type half struct {
	split *splitListener
	conns chan net.Conn
	done  chan struct{}
}

// split begins to accept. Closing either half closes the port, and ends every
// goroutine that belongs to it.
func split(inner net.Listener) *splitListener {
	s := &splitListener{inner: inner, waiting: map[net.Conn]bool{}}
	done := make(chan struct{})
	s.secure = &half{split: s, conns: make(chan net.Conn), done: done}
	s.plain = &half{split: s, conns: make(chan net.Conn), done: done}
	s.running.Go(s.accept)
	return s
}

// accept takes connections until the port is closed. Errors that pass, such as
// too many open files, are waited out as net/http does.
func (s *splitListener) accept() {
	defer s.end()
	delay := time.Duration(0)
	for {
		conn, err := s.inner.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || !s.pause(&delay) {
				return
			}
			continue
		}
		delay = 0
		s.mu.Lock()
		if s.ended {
			s.mu.Unlock()
			_ = conn.Close()
			return
		}
		s.waiting[conn] = true
		s.mu.Unlock()
		s.running.Go(func() { s.sort(conn) })
	}
}

// pause waits a moment that grows with each failure, and reports whether the
// listener is still open.
func (s *splitListener) pause(delay *time.Duration) bool {
	*delay = min(max(2**delay, 5*time.Millisecond), time.Second)
	timer := time.NewTimer(*delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.secure.done:
		return false
	}
}

// sort reads the first byte of a connection and hands it to its half.
func (s *splitListener) sort(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(helloTime))
	first := make([]byte, 1)
	_, err := conn.Read(first)
	_ = conn.SetReadDeadline(time.Time{})
	s.mu.Lock()
	delete(s.waiting, conn)
	s.mu.Unlock()
	to := s.plain
	if first[0] == 0x16 {
		to = s.secure
	}
	if err == nil {
		select {
		case to.conns <- &begunConn{Conn: conn, first: first}:
			return
		case <-to.done:
		}
	}
	_ = conn.Close()
}

// end closes the port and every connection that nobody has taken yet.
func (s *splitListener) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	close(s.secure.done)
	_ = s.inner.Close()
	for conn := range s.waiting {
		_ = conn.Close()
	}
}

// Accept is part of net.Listener.
func (h *half) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close is part of net.Listener. It returns once nothing of the port runs any
// more.
func (h *half) Close() error {
	h.split.end()
	h.split.running.Wait()
	return nil
}

// Addr is part of net.Listener.
func (h *half) Addr() net.Addr { return h.split.inner.Addr() }

// begunConn is a connection whose first byte was read.
type begunConn struct {
	net.Conn
	first []byte
}

// Read returns the first byte before everything else.
func (c *begunConn) Read(p []byte) (int, error) {
	if len(c.first) == 0 || len(p) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.first)
	c.first = c.first[n:]
	return n, nil
}
