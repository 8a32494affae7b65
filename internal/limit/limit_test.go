package limit

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)

func TestBucket(t *testing.T) {
	for _, each := range []struct {
		name      string
		perSecond float64
		burst     int
		holds     int
		wait      time.Duration
	}{
		{"a rate with a burst", 0.5, 2, 2, 2 * time.Second},
		{"the rate is the burst", 3, 0, 3, time.Second / 3},
		{"at least one token", 0.1, 0, 1, 10 * time.Second},
		{"half a token is none", 2.5, 0, 2, 400 * time.Millisecond},
		{"a wait that says nothing", 1e-12, 1, 1, longest},
	} {
		b, now := NewBucket(each.perSecond, each.burst), start
		for i := range each.holds {
			if wait, ok := b.Take(now); !ok || wait != 0 {
				t.Fatalf("%s: token %d: %v, %v", each.name, i, wait, ok)
			}
		}
		for range 3 { // a refusal costs nothing
			if wait, ok := b.Take(now); ok || wait.Round(time.Millisecond) != each.wait.Round(time.Millisecond) {
				t.Errorf("%s: above the burst: %v, %v, want %v", each.name, wait, ok, each.wait)
			}
		}
		if each.wait == longest {
			continue
		}
		if _, ok := b.Take(now.Add(each.wait - time.Millisecond)); ok {
			t.Errorf("%s: a token before its time", each.name)
		}
		if _, ok := b.Take(now.Add(each.wait + time.Millisecond)); !ok {
			t.Errorf("%s: no token after %v", each.name, each.wait)
		}
	}
}

func TestNoLimit(t *testing.T) {
	for name, b := range map[string]*Bucket{
		"no rate": NewBucket(0, 1), "a negative rate": NewBucket(-1, 1), "an infinite rate": NewBucket(math.Inf(1), 0),
		"nil": nil,
	} {
		for range 1000 {
			if _, ok := b.Take(start); !ok {
				t.Fatalf("%s limits", name)
			}
		}
	}
	if _, ok := NewKeyed[string](-1, 1, 1).Take(start, "a"); !ok {
		t.Error("keys without a rate are limited")
	}
}

// No clock, also one that goes back, gives more than the burst and what the time
// brought, and who waits as told has a token.
func TestBucketGivesNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perSecond := rapid.Float64Range(0.001, 1000).Draw(t, "rate")
		burst := rapid.IntRange(1, 50).Draw(t, "burst")
		b, now, latest, given := NewBucket(perSecond, burst), start, start, 0
		if _, ok := b.Take(start); ok {
			given++
		}
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.Int64Range(-1e9, 5e9).Draw(t, "pause")))
			if now.After(latest) {
				latest = now
			}
			wait, ok := b.Take(now)
			if !ok {
				if wait < 0 {
					t.Fatalf("a wait of %v", wait)
				}
				latest = latest.Add(wait + time.Microsecond)
				now = latest
				if _, ok = b.Take(now); !ok {
					t.Fatalf("no token after the wait of %v that was told", wait)
				}
			}
			given++
		}
		if most := float64(burst) + latest.Sub(start).Seconds()*perSecond + 1e-3; float64(given) > most {
			t.Fatalf("%d tokens in %v, at most %v", given, latest.Sub(start), most)
		}
	})
}

func TestBucketIsShared(t *testing.T) {
	b := NewBucket(0.001, 100)
	var given atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if _, ok := b.Take(start); ok {
					given.Add(1)
				}
			}
		})
	}
	all.Wait()
	if given.Load() != 100 {
		t.Errorf("%d tokens of 100", given.Load())
	}
}

func TestKeysDoNotShare(t *testing.T) {
	k := NewKeyed[string](1, 1, 10)
	if _, ok := k.Take(start, "a"); !ok {
		t.Error("the first request is refused")
	}
	if wait, ok := k.Take(start, "a"); ok || wait != time.Second {
		t.Errorf("above the rate: %v, %v", wait, ok)
	}
	if _, ok := k.Take(start, "b"); !ok {
		t.Error("another key is refused")
	}
	if _, ok := k.Take(start.Add(time.Second), "a"); !ok {
		t.Error("a second later it is refused")
	}
}

// However many strangers come, only so many keys are remembered, and one that
// keeps asking is not forgotten for their sake: it stays limited.
func TestKeysAreBounded(t *testing.T) {
	const keys = 100
	k := NewKeyed[int](0.001, 1, keys)
	refused := 0
	for stranger := 1; stranger <= 50*keys; stranger++ {
		now := start.Add(time.Duration(stranger) * time.Millisecond)
		if _, ok := k.Take(now, stranger); !ok {
			t.Fatalf("stranger %d is refused", stranger)
		}
		if _, ok := k.Take(now, 0); !ok {
			refused++
		}
		if n := k.Len(); n > keys {
			t.Fatalf("%d keys are remembered", n)
		}
	}
	if refused != 50*keys-1 {
		t.Errorf("a steady one was refused %d times of %d", refused, 50*keys-1)
	}
}

// What is full again is forgotten as others come.
func TestFullBucketsAreForgotten(t *testing.T) {
	k := NewKeyed[int](1, 10, 1000)
	for i := range 500 {
		k.Take(start, i)
	}
	for i := range 300 {
		k.Take(start.Add(10*time.Second), 1000+i)
	}
	if n := k.Len(); n != 300 {
		t.Errorf("%d keys are remembered, want the 300 whose buckets are not full", n)
	}
	if _, ok := k.Take(start.Add(9*time.Second), 1000); !ok {
		t.Error("a clock that went back refuses")
	}
}

// TestRateOfNothing: a rate that is not a number lets nothing through.
func TestRateOfNothing(t *testing.T) {
	b := NewBucket(math.NaN(), 10)
	for range 2 {
		if wait, ok := b.Take(time.Now()); ok || wait != longest {
			t.Errorf("taken: %v, to wait: %s", ok, wait)
		}
	}
}
