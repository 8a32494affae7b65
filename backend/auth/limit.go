package auth

import (
	"net/netip"
	"time"

	"github.com/cordon-sec/cordon/internal/limit"
)

// limiter allows each address so many requests of a kind in a minute.
type limiter struct {
	buckets *limit.Keyed[bucketKey]
	now     func() time.Time
}

type bucketKey struct {
	what string
	from netip.Addr
}

// maxBuckets bounds the memory that strangers can make us use.
const maxBuckets = 100_000

// newLimiter returns a limiter; perMinute below 0 stands for no limit.
func newLimiter(perMinute int, now func() time.Time) *limiter {
	return &limiter{buckets: limit.NewKeyed[bucketKey](float64(perMinute)/60, perMinute, maxBuckets), now: now}
}

// allow counts a request. If it is one too many, it returns how long to wait. IPv6
// addresses count by their /64, because one client has all of it.
func (l *limiter) allow(what string, from netip.Addr) (bool, time.Duration) {
	from = from.Unmap()
	if from.Is6() {
		prefix, _ := from.WithZone("").Prefix(64)
		from = prefix.Addr()
	}
	wait, ok := l.buckets.Take(l.now(), bucketKey{what, from})
	return ok, wait
}
