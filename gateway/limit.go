package gateway

import (
	"sync"
	"sync/atomic"
	"time"
)

// gauge counts what is in progress up to a limit.
type gauge struct {
	limit int64 // 0: none
	now   atomic.Int64
}

func (g *gauge) enter() bool {
	if n := g.now.Add(1); g.limit > 0 && n > g.limit {
		g.now.Add(-1)
		return false
	}
	return true
}

func (g *gauge) leave() { g.now.Add(-1) }

// bucket limits a rate: it fills with tokens over time and holds a burst of
// them.
type bucket struct {
	rate  float64 // tokens a second; 0: no limit
	burst float64

	mu     sync.Mutex
	tokens float64
	last   time.Time
}

func newBucket(rate float64, burst int) *bucket {
	b := &bucket{rate: rate, burst: float64(burst)}
	if burst <= 0 {
		b.burst = max(rate, 1)
	}
	b.tokens = b.burst
	return b
}

// take takes a token, or says how long it will take until there is one.
func (b *bucket) take(now time.Time) (wait time.Duration, ok bool) {
	if b.rate <= 0 {
		return 0, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.last.IsZero() {
		b.tokens = min(b.burst, b.tokens+now.Sub(b.last).Seconds()*b.rate)
	}
	b.last = now
	if b.tokens >= 1 {
		b.tokens--
		return 0, true
	}
	return time.Duration((1 - b.tokens) / b.rate * float64(time.Second)), false
}

// limits are the limits of the gateway or of one app.
type limits struct {
	requests gauge
	tunnels  gauge
	rate     *bucket
}

func newLimits(l Limits) *limits {
	return &limits{
		requests: gauge{limit: int64(l.Requests)},
		tunnels:  gauge{limit: int64(l.Tunnels)},
		rate:     newBucket(l.Rate, l.Burst),
	}
}
