package gateway

import (
	"net"
	"sync"
	"sync/atomic"
)

// smallBuffers serve short bodies and everything that is not raw TCP.
var smallBuffers = sync.Pool{New: func() any { b := make([]byte, 16<<10); return &b }}

// copyConn moves one direction through a pooled buffer: for TLS listeners and
// systems without splice. The error is io.EOF at the regular end.
func copyConn(dst, src net.Conn, moved *atomic.Int64) error {
	buffer := smallBuffers.Get().(*[]byte)
	defer smallBuffers.Put(buffer)
	for {
		n, err := src.Read(*buffer)
		if n > 0 {
			if _, werr := dst.Write((*buffer)[:n]); werr != nil {
				return &sideError{"", werr}
			}
			moved.Add(int64(n))
		}
		if err != nil {
			return err
		}
	}
}
