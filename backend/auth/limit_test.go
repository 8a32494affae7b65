package auth

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// stranger returns the nth of many addresses, each in a /64 of its own.
func stranger(n int) netip.Addr {
	a := netip.MustParseAddr("2001:db8::1").As16()
	binary.BigEndian.PutUint32(a[4:], uint32(n))
	return netip.AddrFrom16(a)
}

// More strangers than are remembered do not set the one free who keeps guessing,
// and addresses of one /64 are one stranger.
func TestLimiterRemembersWhoKeepsAsking(t *testing.T) {
	now := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	l := newLimiter(1, func() time.Time { return now })
	guesser := netip.MustParseAddr("192.0.2.1")
	if ok, _ := l.allow("login", guesser); !ok {
		t.Fatal("the first request is refused")
	}
	for n := range maxBuckets + 1000 {
		if ok, _ := l.allow("login", stranger(n)); !ok {
			t.Fatalf("stranger %d is refused", n)
		}
		if n%1000 != 0 {
			continue
		}
		if ok, wait := l.allow("login", guesser); ok || wait != time.Minute {
			t.Fatalf("after %d strangers: %v, to wait %v", n, ok, wait)
		}
	}
	if n := l.buckets.Len(); n > maxBuckets {
		t.Errorf("%d addresses are remembered", n)
	}
	last := stranger(maxBuckets + 999).As16()
	last[15]++
	if ok, _ := l.allow("login", netip.AddrFrom16(last)); ok {
		t.Error("another address of the same /64 begins anew")
	}
	if ok, _ := l.allow("refresh", guesser); !ok {
		t.Error("another kind of request is refused")
	}
}

func TestNoRateLimit(t *testing.T) {
	l := newLimiter(-1, time.Now)
	for range 1000 {
		if ok, _ := l.allow("login", stranger(1)); !ok {
			t.Fatal("without a limit a request is refused")
		}
	}
}
