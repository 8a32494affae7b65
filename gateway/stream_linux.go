package gateway

import (
	"io"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/cordon-sec/cordon/internal/reactor"
)

// Short messages are cheaper to copy, bulk is cheaper in the kernel: a stream
// is spliced once it has moved spliceAfter bytes in pieces that are not short,
// and copied again after shortsInRow short ones.
const (
	spliceAfter = 128 << 10
	shortPiece  = 1 << 10
	shortsInRow = 8
)

// turnsInRow is how many pieces a stream moves before others have their turn.
const turnsInRow = 16

// stream is one direction of a tunnel that a worker serves. While nothing waits
// to be written it holds neither a buffer nor a pipe.
type stream struct {
	from, to *reactor.End
	moved    *atomic.Int64
	opening  *opening // what follows the first records; nil once it is over
	up       bool     // from the client

	pending []byte // read, and not yet written
	pipe    *pipe
	held    int // bytes in the pipe
	streak  int // bytes in pieces that are not short
	shorts  int
	splices bool
	ended   bool // the source has ended
	passed  bool // and the other side knows
	stuck   bool // writing has failed
}

// run moves what there is to move. It returns io.EOF once the source has ended
// and all of it has been passed on, and reports whether there is more to do at
// once.
func (n *stream) run(buffer []byte) (more bool, err error) {
	for range turnsInRow {
		if flushed, err := n.flush(); err != nil || !flushed {
			return false, err
		}
		if n.ended {
			return false, io.EOF
		}
		if !n.from.Readable {
			return false, nil
		}
		if n.splices {
			err = n.fill()
		} else {
			err = n.copy(buffer)
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// flush writes what is held. It reports whether nothing is left.
func (n *stream) flush() (done bool, err error) {
	if n.opening != nil && n.up {
		if free := n.opening.take(); len(free) > 0 {
			n.moved.Add(int64(len(free)))
			n.pending = append(n.pending, free...)
		}
	}
	for n.held > 0 && n.to.Writable {
		if err := n.empty(); err != nil {
			return false, err
		}
	}
	for len(n.pending) > 0 && n.to.Writable {
		if n.pending, err = n.write(n.pending); err != nil {
			return false, err
		}
	}
	if len(n.pending) == 0 {
		n.pending = nil
	}
	return n.held == 0 && n.pending == nil, nil
}

// copy reads once and writes what was read.
func (n *stream) copy(buffer []byte) error {
	count, err := read(n.from.FD, buffer)
	switch {
	case err == unix.EAGAIN:
		n.from.Readable = false
		return nil
	case err != nil:
		return err
	case count == 0:
		n.ended = true
		if n.opening != nil && n.up {
			n.opening.abandon()
		}
		return nil
	case count < len(buffer):
		n.from.Readable = n.from.Over // all that was there; what follows an end is its notice
	}
	piece := buffer[:count]
	if n.opening != nil {
		if piece, err = n.follow(piece); err != nil || len(piece) == 0 {
			return err
		}
	}
	n.moved.Add(int64(len(piece)))
	if n.streak += count; count < shortPiece {
		n.streak = 0
	}
	n.splices = n.streak >= spliceAfter && n.opening == nil
	rest, err := n.write(piece)
	if len(rest) > 0 {
		n.pending = append([]byte(nil), rest...)
	}
	return err
}

// follow returns what goes on of a piece while the first records are followed.
func (n *stream) follow(piece []byte) ([]byte, error) {
	if n.up {
		return n.opening.fromClient(piece)
	}
	return piece, n.opening.fromOrigin(piece)
}

// write returns what was not taken.
func (n *stream) write(b []byte) ([]byte, error) {
	count, err := write(n.to.FD, b)
	if err == unix.EAGAIN {
		n.to.Writable = false
		return b, nil
	}
	if err != nil {
		n.stuck = true
		return b, err
	}
	return b[count:], nil
}

// fill splices what is there into the pipe; while nothing is there, the stream
// holds no pipe.
func (n *stream) fill() (err error) {
	if n.pipe == nil {
		if n.pipe, err = takePipe(); err != nil {
			n.splices, n.streak = false, 0 // no descriptor is left: copying needs none
			return nil
		}
	}
	count, err := splice(n.from.FD, n.pipe.w, n.pipe.size)
	switch {
	case err == unix.EAGAIN:
		n.from.Readable = false
		n.drop()
		return nil
	case err != nil:
		return err
	case count == 0:
		n.ended = true
		n.drop()
		return nil
	}
	n.held = count
	n.moved.Add(int64(count))
	if n.shorts++; count >= shortPiece {
		n.shorts = 0
	}
	if n.shorts >= shortsInRow {
		n.splices, n.streak, n.shorts = false, 0, 0
	}
	return nil
}

// empty splices the pipe's content out.
func (n *stream) empty() error {
	count, err := splice(n.pipe.r, n.to.FD, n.held)
	switch {
	case err == unix.EAGAIN:
		n.to.Writable = false
		return nil
	case err == nil && count == 0:
		n.stuck = true
		return io.ErrUnexpectedEOF
	case err != nil:
		n.stuck = true
		return err
	}
	if n.held -= count; n.held == 0 && !n.splices {
		n.drop()
	}
	return nil
}

// drop gives the pipe back, or closes it if it holds something.
func (n *stream) drop() {
	if n.pipe == nil {
		return
	}
	if n.held > 0 {
		n.pipe.close()
	} else {
		putPipe(n.pipe)
	}
	n.pipe, n.held = nil, 0
}

// failedSide returns whose connection the stream's error is about.
func (n *stream) failedSide() string {
	if n.up != n.stuck {
		return byClient
	}
	return byOrigin
}

// endedBy returns who has ended the stream: its source, or both sides if the
// other one has ended too, and nobody can say which was first.
func (n *stream) endedBy() string {
	switch {
	case hasEnded(n.to.FD):
		return byBoth
	case n.up:
		return byClient
	}
	return byOrigin
}

// hasEnded reports whether the other side of a connection sends no more.
func hasEnded(fd int) bool {
	const closeWait, lastAck = 8, 9
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && (info.State >= tcpClose && info.State <= lastAck)
}
