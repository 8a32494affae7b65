package gateway

import (
	"net"
	"os"
	"sync"
)

// reservedListener keeps a few descriptors for the connections of operators, who
// are needed most while there are no others.
type reservedListener struct {
	net.Listener

	mu     sync.Mutex
	spare  []*os.File
	given  int // those whose place a connection has, or may have soon
	closed bool
}

// reserved is how many descriptors are kept.
const reserved = 4

func newReserved(l net.Listener) *reservedListener {
	r := &reservedListener{Listener: l}
	r.refill(0)
	return r
}

// refill takes back what a connection had, and what could not be had before.
func (r *reservedListener) refill(back int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given -= back
	for !r.closed && len(r.spare)+r.given < reserved {
		file, err := os.Open(os.DevNull)
		if err != nil {
			return
		}
		r.spare = append(r.spare, file)
	}
}

// give gives one descriptor back to the system.
func (r *reservedListener) give() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.spare) == 0 {
		return false
	}
	_ = r.spare[0].Close()
	r.spare = r.spare[1:]
	r.given++
	return true
}

// Accept returns the next connection.
func (r *reservedListener) Accept() (net.Conn, error) {
	given := 0
	conn, err := r.Listener.Accept()
	for isScarce(err) && waits(r.Listener) && r.give() { // the system refuses also where nobody is there
		given++
		conn, err = r.Listener.Accept()
	}
	if err != nil {
		r.refill(given)
		return nil, err
	}
	if given == 0 {
		r.refill(0)
	}
	return &reservedConn{Conn: conn, from: r, given: given}, nil
}

// Close closes the listener, and what is kept.
func (r *reservedListener) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, file := range r.spare {
		_ = file.Close()
	}
	r.spare = nil
	return r.Listener.Close()
}

// reservedConn is a connection that may have the place of descriptors that were
// kept: they are kept again when it ends.
type reservedConn struct {
	net.Conn
	from  *reservedListener
	given int
	once  sync.Once
}

// Close closes the connection.
func (c *reservedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.from.refill(c.given) })
	return err
}
