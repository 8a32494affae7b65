package gateway

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/cordon-sec/cordon/egress"
)

// upstream is a connection to an origin for forwarded requests.
type upstream struct {
	conn   net.Conn
	raw    syscall.Conn // of the system's connection below
	reader *bufio.Reader
	limit  headLimit
	result egress.Result
	key    poolKey
	// owner is the client whose requests alone may use the connection; nil for
	// one that may be shared.
	owner  *clientConn
	reused bool
	http2  bool // what TLS agreed on
	idle   time.Time
}

// keep keeps the connection for another request, of its owner or of anybody who
// may ask.
func (u *upstream) keep(shared *pool) {
	if u.owner != nil {
		u.owner.put(u)
		return
	}
	shared.put(u)
}

// poolKey tells which requests may share a connection. The app is part of it:
// it stands for the policy in force when the connection was opened.
type poolKey struct {
	app    *app
	scheme string
	host   string
	port   uint16
}

// headLimit bounds how much is read while a head is read.
type headLimit struct {
	from io.Reader
	left int64
}

var errHeadTooLarge = errors.New("head is too large")

func (l *headLimit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errHeadTooLarge
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.from.Read(p)
	l.left -= int64(n)
	return n, err
}

func (l *headLimit) lift() { l.left = math.MaxInt64 }

var (
	readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}
	writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 4<<10) }}
)

// open makes the connection ready for a request.
func (u *upstream) open() {
	u.limit.from = u.conn
	u.reader = readers.Get().(*bufio.Reader)
	u.reader.Reset(&u.limit)
}

func (u *upstream) releaseReader() {
	if u.reader != nil {
		u.reader.Reset(nil)
		readers.Put(u.reader)
		u.reader = nil
	}
}

func (u *upstream) close() {
	u.conn.Close()
	u.releaseReader()
}

// The limits of kept connections.
const (
	maxKeptPerKey = 32
	maxKept       = 1024
)

// pool keeps connections to origins that may take another request. A kept
// connection holds no buffer.
type pool struct {
	lifetime time.Duration
	most     int // at once; maxKept

	mu   sync.Mutex
	kept map[poolKey][]*upstream
	n    int
}

// take returns a kept connection that is still open and silent, or nil.
func (p *pool) take(key poolKey) *upstream {
	for {
		u := p.pop(key)
		if u == nil {
			return nil
		}
		if time.Since(u.idle) < p.lifetime && silent(u.raw) {
			u.reused = true
			u.open()
			return u
		}
		u.close()
	}
}

func (p *pool) pop(key poolKey) *upstream {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.kept[key]
	if len(list) == 0 {
		return nil
	}
	u := list[len(list)-1]
	p.shrink(key, list[:len(list)-1])
	p.n--
	return u
}

func (p *pool) shrink(key poolKey, list []*upstream) {
	if len(list) == 0 {
		delete(p.kept, key)
		return
	}
	p.kept[key] = list
}

// rest makes the connection ready to be kept. It closes one on which the origin
// sent more than the response, and reports false: that must not become the answer
// to the next request.
func (u *upstream) rest() bool {
	if u.reader.Buffered() > 0 || !u.read() {
		u.close()
		return false
	}
	_ = u.conn.SetDeadline(time.Time{})
	u.releaseReader()
	u.idle = time.Now()
	return true
}

// read reports whether all that came over the connection has been read. TLS may
// hold what it has deciphered, of which the system knows nothing any more.
func (u *upstream) read() bool {
	secure, ok := u.conn.(*tls.Conn)
	if !ok {
		return true
	}
	if secure.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	var one [1]byte
	n, err := secure.Read(one[:])
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}

// put keeps the connection for whichever client asks next.
func (p *pool) put(u *upstream) {
	if !u.rest() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n >= p.most || len(p.kept[u.key]) >= maxKeptPerKey {
		u.close()
		return
	}
	if p.kept == nil {
		p.kept = map[poolKey][]*upstream{}
	}
	p.kept[u.key] = append(p.kept[u.key], u)
	p.n++
}

// sweep closes connections that were kept for too long.
func (p *pool) sweep(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, list := range p.kept {
		live := list[:0]
		for _, u := range list {
			if now.Sub(u.idle) >= p.lifetime {
				u.close()
				p.n--
				continue
			}
			live = append(live, u)
		}
		p.shrink(key, live)
	}
}

// closeAll closes what is kept, and returns how many connections that were.
func (p *pool) closeAll() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n = p.n
	for _, list := range p.kept {
		for _, u := range list {
			u.close()
		}
	}
	p.kept, p.n = nil, 0
	return n
}

func (p *pool) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}
