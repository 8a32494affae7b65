package gateway

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
)

// watchedConn is a client's connection on its way to an HTTP/1 server. It sees
// what that server does not tell: a request that has a Content-Length and a
// Transfer-Encoding, of which the server drops the first, and whether the
// client has closed its side or is gone.
type watchedConn struct {
	net.Conn
	client *clientConn

	mu    sync.Mutex
	heads headScanner
	gone  bool
}

func newWatched(conn net.Conn, client *clientConn) *watchedConn {
	w := &watchedConn{Conn: conn, client: client}
	client.watched = w
	return w
}

// watchedListener wraps the connections of a listener.
type watchedListener struct{ net.Listener }

// Accept returns the next connection.
func (l watchedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	secure, _ := conn.(*tls.Conn)
	return newWatched(conn, &clientConn{secure: secure}), nil
}

// Read reads from the client.
func (w *watchedConn) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heads.read(p[:n])
	if err != nil && err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		w.gone = true
	}
	return n, err
}

// CloseWrite passes the end of a stream on.
func (w *watchedConn) CloseWrite() error { return closeWrite(w.Conn) }

func (w *watchedConn) broken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone
}

// doubtful reports whether the extent of the next request is in doubt. It must
// be asked once for each request, in their order.
func (w *watchedConn) doubtful() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.heads.seen) == 0 {
		return true // the server has found a request where none was seen
	}
	doubt := w.heads.seen[0]
	w.heads.seen = w.heads.seen[1:]
	return doubt
}

// headScanner follows a stream of requests, as far as it takes to tell heads
// from bodies. What the server refuses ends the connection; from there on the
// scanner sees nothing, and a request that it has not seen is refused.
type headScanner struct {
	at   scanState
	line []byte
	skip int64 // bytes that are not looked at

	begun   bool // the request line has been read
	old     bool // HTTP/1.0
	coded   bool
	sized   bool
	length  int64
	lengths bool // not one number

	seen []bool // of the heads that nobody has asked about: whether they are in doubt
}

type scanState int

const (
	inHead scanState = iota
	inChunkSize
	inTrailer
	unseen
)

// maxScanned bounds a line; the server reads none that is longer.
const maxScanned = 1 << 20

func (s *headScanner) read(p []byte) {
	for len(p) > 0 && s.at != unseen {
		if s.skip > 0 {
			n := min(s.skip, int64(len(p)))
			s.skip -= n
			p = p[n:]
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			if s.line = append(s.line, p...); len(s.line) > maxScanned {
				s.at = unseen
			}
			return
		}
		line := p[:end]
		if len(s.line) > 0 {
			s.line = append(s.line, line...)
			line = s.line
		}
		p = p[end+1:]
		s.take(bytes.TrimSuffix(line, []byte("\r")))
		if s.line = s.line[:0]; cap(s.line) > 8<<10 {
			s.line = nil
		}
	}
}

// take looks at one line without its end.
func (s *headScanner) take(line []byte) {
	switch {
	case s.at == inChunkSize:
		s.chunk(line)
	case s.at == inTrailer:
		if len(line) == 0 {
			s.at = inHead
		}
	case !s.begun:
		s.begun = len(line) > 0
		s.old = !bytes.HasSuffix(line, []byte(" HTTP/1.1"))
	case len(line) > 0:
		s.field(line)
	default:
		s.endHead()
	}
}

func (s *headScanner) field(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	switch strings.ToLower(string(bytes.TrimRight(name, " \t"))) {
	case "transfer-encoding":
		s.coded = true
	case "content-length":
		n, err := strconv.ParseUint(string(bytes.Trim(value, " \t")), 10, 63)
		if err != nil || s.sized && s.length != int64(n) {
			s.lengths = true
		}
		s.sized, s.length = true, int64(n)
	}
}

// endHead decides about a head, and what follows it.
func (s *headScanner) endHead() {
	s.seen = append(s.seen, s.coded && (s.sized || s.old))
	switch {
	case s.lengths || s.coded && s.old:
		s.at = unseen
	case s.coded:
		s.at = inChunkSize
	default:
		s.skip = s.length
	}
	s.begun, s.old, s.coded, s.sized, s.length = false, false, false, false, 0
}

func (s *headScanner) chunk(line []byte) {
	digits := 0
	for digits < len(line) && isHex(line[digits]) {
		digits++
	}
	size, err := strconv.ParseUint(string(line[:digits]), 16, 62)
	switch {
	case err != nil:
		s.at = unseen
	case size == 0:
		s.at = inTrailer
	default:
		s.skip = int64(size) + 2 // with the end of its line
	}
}
