package tables

import (
	"context"
	"net/netip"
	"sync"

	"golang.org/x/sync/semaphore"
)

// A budget is what all requests may have together of something, and how much of that
// one client may have, so that whoever takes all that there is for one leaves
// something for others. A client is an address, of IPv6 the network of one.
//
// Clients on this machine are those of a front that is not named as a proxy: many
// people, to whom one share would be too little. They have none of their own.
type budget struct {
	most, each int64
	all        *semaphore.Weighted

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
	return &budget{most: most, each: each, all: semaphore.NewWeighted(most), clients: map[netip.Prefix]*share{}}
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
	if err != nil || from.Addr().Unmap().IsLoopback() {
		return netip.Prefix{}
	}
	a, bits := from.Addr().Unmap().WithZone(""), 64
	if a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits) // the bits fit
	return p
}

// grow makes sure that n are held: of the budget all of it at the most, of the
// client's share all of that, or what is larger could never be had.
func (h *holding) grow(n int64) bool {
	if n <= h.held {
		return true
	}
	h.enter()
	own, more := h.parts(n)
	if h.share != nil && !h.share.left.TryAcquire(own) {
		return false
	}
	if !h.of.all.TryAcquire(more) {
		h.giveBack(own)
		return false
	}
	h.held = n
	return true
}

// await is grow for who can wait.
func (h *holding) await(ctx context.Context, n int64) bool {
	if h.grow(n) {
		return true
	}
	own, more := h.parts(n)
	if h.share != nil && h.share.left.Acquire(ctx, own) != nil {
		return false
	}
	if h.of.all.Acquire(ctx, more) != nil {
		h.giveBack(own)
		return false
	}
	h.held = n
	return true
}

// letGo gives all of it back.
func (h *holding) letGo() {
	if h.held > 0 {
		h.giveBack(min(h.held, h.of.each))
		h.of.all.Release(min(h.held, h.of.most))
		h.held = 0
	}
	h.leave()
}

// parts are what growing to n takes of the client's share and of all.
func (h *holding) parts(n int64) (own, all int64) {
	return min(n, h.of.each) - min(h.held, h.of.each), min(n, h.of.most) - min(h.held, h.of.most)
}

func (h *holding) giveBack(own int64) {
	if h.share != nil {
		h.share.left.Release(own)
	}
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
