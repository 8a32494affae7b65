package tables

import (
	"context"
	"net/netip"
	"sync"

	"golang.org/x/sync/semaphore"
)

// A budget is what all requests may have together of something, and how much of that
// one client may have, so that whoever takes all that there is for one leaves
// something for others. A client is an address, of IPv6 the network of one. A request
// that needs more than a client's share has all of the share, and the one place that
// there is for such requests.
//
// Clients at the machine's own address are those of a front that is not named as a
// proxy: many people, to whom one share would be too little. They have none.
type budget struct {
	each  int64
	all   *semaphore.Weighted
	large *semaphore.Weighted // one place, for a request beyond a share

	mu      sync.Mutex
	clients map[netip.Prefix]*share
}

// share is what a client has of a budget.
type share struct {
	client netip.Prefix
	left   *semaphore.Weighted
	users  int // holdings of the client
}

func newBudget(most, each int64) *budget {
	return &budget{each: each, all: semaphore.NewWeighted(most), large: semaphore.NewWeighted(1),
		clients: map[netip.Prefix]*share{}}
}

// holding is what one request holds of a budget. It belongs to the request's
// goroutine.
type holding struct {
	of    *budget
	from  string // the client's address and port, as http.Request has it
	share *share // nil while nothing is held, or for a client without a share
	held  int64
}

// clientOf is the client with an address and a port, zero if it has no share.
func clientOf(remote string) netip.Prefix {
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	a, bits := from.Addr().Unmap().WithZone(""), 64
	if a == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || a == netip.IPv6Loopback() {
		return netip.Prefix{}
	}
	if a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits) // the bits fit
	return p
}

// part is what growing takes of one semaphore.
type part struct {
	of *semaphore.Weighted
	n  int64
}

// parts are what growing to n takes. What takes nothing is left out: a semaphore
// refuses even that while others wait for it.
func (h *holding) parts(n int64) (list []part) {
	if n > h.of.each && h.held <= h.of.each {
		list = append(list, part{h.of.large, 1}) // first: who waits for it holds nothing of the rest
	}
	more := min(n, h.of.each) - min(h.held, h.of.each)
	if more > 0 && h.share != nil {
		list = append(list, part{h.share.left, more})
	}
	if more > 0 {
		list = append(list, part{h.of.all, more})
	}
	return list
}

// grow makes sure that n are held, if they are there.
func (h *holding) grow(n int64) bool {
	if n <= h.held {
		return true
	}
	h.enter()
	return h.take(n, func(p part) bool { return p.of.TryAcquire(p.n) })
}

// await is grow for who can wait.
func (h *holding) await(ctx context.Context, n int64) bool {
	return h.grow(n) || h.take(n, func(p part) bool { return p.of.Acquire(ctx, p.n) == nil })
}

func (h *holding) take(n int64, acquire func(part) bool) bool {
	list := h.parts(n)
	for i, p := range list {
		if !acquire(p) {
			for _, taken := range list[:i] {
				taken.of.Release(taken.n)
			}
			return false
		}
	}
	h.held = n
	return true
}

// letGo gives all of it back.
func (h *holding) letGo() {
	if h.held > 0 {
		own := min(h.held, h.of.each)
		if h.share != nil {
			h.share.left.Release(own)
		}
		h.of.all.Release(own)
		if h.held > h.of.each {
			h.of.large.Release(1)
		}
		h.held = 0
	}
	h.leave()
}

// enter finds the client's share.
func (h *holding) enter() {
	client := clientOf(h.from)
	if h.share != nil || !client.IsValid() {
		return
	}
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	if h.share = h.of.clients[client]; h.share == nil {
		h.share = &share{client: client, left: semaphore.NewWeighted(h.of.each)}
		h.of.clients[client] = h.share
	}
	h.share.users++
}

// leave forgets the share when nobody uses it any more.
func (h *holding) leave() {
	if h.share == nil {
		return
	}
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	if h.share.users--; h.share.users == 0 {
		delete(h.of.clients, h.share.client)
	}
	h.share = nil
}
