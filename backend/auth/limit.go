package auth

import (
	"net/netip"
	"sync"
	"time"
)

// limiter allows each address so many requests in a minute: a bucket that
// fills steadily and holds one minute's worth. IPv6 addresses count by their
// /64, because one client has all of it.
type limiter struct {
	perMinute int
	now       func() time.Time

	mu      sync.Mutex
	buckets map[bucketKey]bucket
	swept   time.Time
}

type bucketKey struct {
	what string
	from netip.Addr
}

type bucket struct {
	left float64
	at   time.Time
}

// maxBuckets bounds the memory that strangers can make us use.
const maxBuckets = 100_000

func newLimiter(perMinute int, now func() time.Time) *limiter {
	return &limiter{perMinute: perMinute, now: now, buckets: map[bucketKey]bucket{}, swept: now()}
}

// allow takes one from the bucket. If it is empty, it returns how long to wait.
func (l *limiter) allow(what string, from netip.Addr) (bool, time.Duration) {
	if l.perMinute < 0 {
		return true, 0
	}
	from = from.Unmap()
	if from.Is6() {
		prefix, _ := from.WithZone("").Prefix(64)
		from = prefix.Addr()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.sweep(now)
	size := float64(l.perMinute)
	key := bucketKey{what, from}
	b, known := l.buckets[key]
	if !known {
		b = bucket{left: size, at: now}
	}
	b.left = min(size, b.left+now.Sub(b.at).Minutes()*size)
	b.at = now
	if b.left < 1 {
		l.buckets[key] = b
		return false, time.Duration((1 - b.left) / size * float64(time.Minute))
	}
	b.left--
	l.buckets[key] = b
	return true, 0
}

// sweep forgets full buckets once a minute, and everything if there are too
// many: better a lenient minute than no memory.
func (l *limiter) sweep(now time.Time) {
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
	if now.Sub(l.swept) < time.Minute {
		return
	}
	l.swept = now
	for key, b := range l.buckets {
		if now.Sub(b.at) >= time.Minute {
			delete(l.buckets, key)
		}
	}
}
