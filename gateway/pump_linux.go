package gateway

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Short messages are cheaper to copy, bulk is cheaper in the kernel: a direction
// is spliced once it has moved spliceAfter bytes in pieces that are not short,
// and copied again after shortsInRow short ones.
const (
	spliceAfter = 128 << 10
	shortPiece  = 1 << 10
	shortsInRow = 8
)

// The first pipes are made large, so that bulk takes few system calls. The
// others keep the system's size: what one user may have in large pipes is
// limited, and beyond the limit new pipes would become tiny.
const (
	usualPipe     = 64 << 10
	largePipe     = 1 << 20
	maxLargePipes = 24
)

// pump moves one direction of a tunnel until its source ends. Between two raw
// TCP connections it holds neither a buffer nor a pipe while nothing moves: it
// waits for the source to be readable first.
func pump(dst, src net.Conn, moved *atomic.Int64) error {
	to, ok := dst.(*net.TCPConn)
	from, ok2 := src.(*net.TCPConn)
	if !ok || !ok2 {
		return copyConn(dst, src, moved)
	}
	in, err := from.SyscallConn()
	if err != nil {
		return err
	}
	out, err := to.SyscallConn()
	if err != nil {
		return err
	}
	p := rawPump{to: to, in: in, out: out, moved: moved}
	for {
		if err := p.copy(); err != nil {
			return err
		}
		if err := p.splice(); err != nil {
			return err
		}
	}
}

// rawPump is one direction between raw connections.
type rawPump struct {
	to    *net.TCPConn
	in    syscall.RawConn
	out   syscall.RawConn
	moved *atomic.Int64

	buffer *[]byte
	pipe   *pipe
	n      int
	err    error
}

// copy moves bytes through pooled buffers. It returns nil when it is time to
// splice.
func (p *rawPump) copy() error {
	read := p.readSmall // one closure for the whole life
	streak := 0
	for streak < spliceAfter {
		if err := p.in.Read(read); err != nil {
			return err
		}
		if p.err != nil || p.n == 0 {
			p.dropBuffer()
			return endOf(p.err)
		}
		_, err := p.to.Write((*p.buffer)[:p.n])
		p.moved.Add(int64(p.n))
		if streak += p.n; p.n < shortPiece {
			streak = 0
		}
		p.dropBuffer()
		if err != nil {
			return err
		}
	}
	return nil
}

// readSmall reads without blocking; false makes the caller wait.
func (p *rawPump) readSmall(fd uintptr) bool {
	if p.buffer == nil {
		p.buffer = smallBuffers.Get().(*[]byte)
	}
	for {
		p.n, p.err = unix.Read(int(fd), *p.buffer)
		switch p.err {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			p.dropBuffer()
			return false
		}
		return true
	}
}

func (p *rawPump) dropBuffer() {
	if p.buffer != nil {
		smallBuffers.Put(p.buffer)
		p.buffer = nil
	}
}

// splice moves bytes through a pipe inside the kernel. It returns nil when the
// pieces have become short.
func (p *rawPump) splice() error {
	fill, empty := p.fill, p.empty
	defer p.dropPipe(true) // an unclean one is gone already
	for shorts := 0; shorts < shortsInRow; {
		if err := p.in.Read(fill); err != nil {
			p.dropPipe(false)
			return err
		}
		if p.err != nil || p.n == 0 {
			p.dropPipe(true)
			return endOf(p.err)
		}
		p.moved.Add(int64(p.n))
		if shorts++; p.n >= shortPiece {
			shorts = 0
		}
		if err := p.out.Write(empty); err != nil || p.err != nil {
			p.dropPipe(false)
			return errors.Join(err, p.err)
		}
	}
	return nil
}

// fill splices what is there into the pipe; while nothing is there it holds no
// pipe.
func (p *rawPump) fill(fd uintptr) bool {
	if p.pipe == nil {
		if p.pipe, p.err = takePipe(); p.err != nil {
			p.n = 0
			return true
		}
	}
	for {
		n, err := unix.Splice(int(fd), nil, p.pipe.w, nil, p.pipe.size, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
		p.n, p.err = int(n), err
		switch err {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			p.dropPipe(true)
			return false
		}
		return true
	}
}

// empty splices the pipe's content out; false makes the caller wait.
func (p *rawPump) empty(fd uintptr) bool {
	for p.n > 0 {
		n, err := unix.Splice(p.pipe.r, nil, int(fd), nil, p.n, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return false
		case err != nil || n == 0:
			p.err = err
			if err == nil {
				p.err = io.ErrUnexpectedEOF
			}
			return true
		}
		p.n -= int(n)
	}
	return true
}

func (p *rawPump) dropPipe(clean bool) {
	if p.pipe == nil {
		return
	}
	if clean {
		putPipe(p.pipe)
	} else {
		p.pipe.close()
	}
	p.pipe = nil
}

// endOf turns the result of a system call into the end of a pump.
func endOf(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// pipe is a kernel pipe whose two ends do not block.
type pipe struct {
	r, w  int
	size  int
	large bool
}

var largePipes atomic.Int32

// idlePipes are kept for the next burst of any tunnel. They are a bounded list
// rather than a sync.Pool, whose entries would be dropped without closing their
// descriptors.
var idlePipes struct {
	sync.Mutex
	list []*pipe
}

const maxIdlePipes = 64

func takePipe() (*pipe, error) {
	idlePipes.Lock()
	if n := len(idlePipes.list); n > 0 {
		p := idlePipes.list[n-1]
		idlePipes.list = idlePipes.list[:n-1]
		idlePipes.Unlock()
		return p, nil
	}
	idlePipes.Unlock()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, err
	}
	p := &pipe{r: fds[0], w: fds[1], size: usualPipe}
	if largePipes.Add(1) > maxLargePipes {
		largePipes.Add(-1)
	} else if n, err := unix.FcntlInt(uintptr(p.w), unix.F_SETPIPE_SZ, largePipe); err == nil {
		p.size, p.large = n, true
	} else {
		largePipes.Add(-1)
	}
	return p, nil
}

func putPipe(p *pipe) {
	idlePipes.Lock()
	defer idlePipes.Unlock()
	if len(idlePipes.list) >= maxIdlePipes {
		p.close()
		return
	}
	idlePipes.list = append(idlePipes.list, p)
}

func (p *pipe) close() {
	if p.large {
		largePipes.Add(-1)
	}
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}

// closeIdlePipes gives the kept pipes back.
func closeIdlePipes() {
	idlePipes.Lock()
	defer idlePipes.Unlock()
	for _, p := range idlePipes.list {
		p.close()
	}
	idlePipes.list = nil
}
