// Package limit bounds how often something may happen: one rate for all, or one
// for each key, such as the address that asks.
//
// Time comes as a parameter, nothing runs in the background, and what strangers
// can make it remember is bounded.
package limit

import (
	"container/list"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// longest is the longest wait that is told: beyond it the number says nothing.
const longest = 24 * time.Hour

// Bucket holds a burst of tokens and is filled at a steady rate. The nil Bucket
// limits nothing. It is safe for concurrent use.
type Bucket struct {
	limiter *rate.Limiter

	mu     sync.Mutex
	latest time.Time
}

// NewBucket returns a full bucket: perSecond tokens a second, and burst of them at
// once. Without a rate (0 or less) it limits nothing; without a burst it holds
// what comes in a second, at least one token. A rate that is not a number lets
// nothing through.
func NewBucket(perSecond float64, burst int) *Bucket {
	if perSecond <= 0 {
		return nil
	}
	if math.IsNaN(perSecond) {
		return &Bucket{limiter: rate.NewLimiter(0, 0)}
	}
	if burst <= 0 {
		burst = int(min(max(perSecond, 1), math.MaxInt32))
	}
	return &Bucket{limiter: rate.NewLimiter(rate.Limit(perSecond), burst)}
}

// Take takes a token, or says how long it will take until there is one. A refusal
// costs nothing: who asks again too early does not wait longer.
func (b *Bucket) Take(now time.Time) (wait time.Duration, ok bool) {
	if b == nil {
		return 0, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	// Requests come out of order, and clocks are set: no time may count twice.
	if now.Before(b.latest) {
		now = b.latest
	}
	b.latest = now
	if b.limiter.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - b.limiter.TokensAt(now)
	nanoseconds := math.Ceil(missing / float64(b.limiter.Limit()) * float64(time.Second))
	return time.Duration(min(nanoseconds, float64(longest))), false
}

// Keyed has a bucket for each of a bounded number of keys. If there are more,
// those that were used least recently are forgotten, and begin again with a full
// bucket. The nil Keyed limits nothing. It is safe for concurrent use.
type Keyed[K comparable] struct {
	perSecond float64
	burst     int
	keys      int
	fill      time.Duration // after which a bucket that was left alone is full

	mu      sync.Mutex
	buckets map[K]*list.Element // of *entry[K]
	recent  list.List           // the most recently used first
}

type entry[K comparable] struct {
	key    K
	bucket *Bucket
	used   time.Time
}

// NewKeyed returns full buckets as NewBucket makes them, for at most as many keys.
// Without a rate it limits nothing.
func NewKeyed[K comparable](perSecond float64, burst, keys int) *Keyed[K] {
	if perSecond <= 0 {
		return nil
	}
	k := &Keyed[K]{perSecond: perSecond, burst: burst, keys: max(keys, 1), buckets: map[K]*list.Element{}}
	held := float64(NewBucket(perSecond, burst).limiter.Burst())
	k.fill = time.Duration(min(math.Ceil(held/perSecond*float64(time.Second)), math.MaxInt64/2))
	return k
}

// Take takes a token from the key's bucket, or says how long it will take until
// there is one.
func (k *Keyed[K]) Take(now time.Time, key K) (wait time.Duration, ok bool) {
	if k == nil {
		return 0, true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	element := k.buckets[key]
	if element == nil {
		k.makeRoom(now)
		element = k.recent.PushFront(&entry[K]{key: key, bucket: NewBucket(k.perSecond, k.burst)})
		k.buckets[key] = element
	}
	k.recent.MoveToFront(element)
	e := element.Value.(*entry[K])
	e.used = now
	return e.bucket.Take(now)
}

// Len returns how many keys are remembered.
func (k *Keyed[K]) Len() int {
	if k == nil {
		return 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.buckets)
}

// makeRoom forgets a key if there are too many, and up to two whose buckets are
// full again anyway: so memory shrinks as it grew, in small steps.
func (k *Keyed[K]) makeRoom(now time.Time) {
	for range 2 {
		last := k.recent.Back()
		if last == nil {
			return
		}
		e := last.Value.(*entry[K])
		if len(k.buckets) < k.keys && now.Sub(e.used) < k.fill {
			return
		}
		k.recent.Remove(last)
		delete(k.buckets, e.key)
	}
}
