package gateway

import (
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// The first pipes are made large, so that bulk takes few system calls. The
// others keep the system's size: what one user may have in large pipes is
// limited, and beyond the limit new pipes would become tiny.
const (
	usualPipe     = 64 << 10
	largePipe     = 1 << 20
	maxLargePipes = 24
)

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
	list  []*pipe
	spare int // how many of them nobody has needed since the last sweep
}

const maxIdlePipes = 64

func takePipe() (*pipe, error) {
	idlePipes.Lock()
	if n := len(idlePipes.list); n > 0 {
		p := idlePipes.list[n-1]
		idlePipes.list = idlePipes.list[:n-1]
		idlePipes.spare = min(idlePipes.spare, n-1)
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

// sweepIdlePipes gives the pipes back that nobody has needed since the last sweep.
func sweepIdlePipes() {
	idlePipes.Lock()
	defer idlePipes.Unlock()
	n := min(idlePipes.spare, len(idlePipes.list))
	for _, p := range idlePipes.list[:n] {
		p.close()
	}
	idlePipes.list = slices.Delete(idlePipes.list, 0, n)
	idlePipes.spare = len(idlePipes.list)
}

// closeIdlePipes gives the kept pipes back, and returns how many there were.
func closeIdlePipes() (n int) {
	idlePipes.Lock()
	defer idlePipes.Unlock()
	for _, p := range idlePipes.list {
		p.close()
	}
	n = len(idlePipes.list)
	idlePipes.list, idlePipes.spare = nil, 0
	return n
}
