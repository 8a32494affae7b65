package tables

import (
	"context"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/lane"
)

// hold is a holding of a client, which is let go at the end of the test.
func hold(t *testing.T, b *budget, from string) *holding {
	h := &holding{of: b, from: from}
	t.Cleanup(h.letGo)
	return h
}

// TestBudgetIsShared: one client has a part of what all have, however many requests
// it makes and however large they are.
func TestBudgetIsShared(t *testing.T) {
	b := newBudget(100, 25)
	first, second := hold(t, b, "192.0.2.1:1"), hold(t, b, "192.0.2.1:2")
	other, sameNet := hold(t, b, "[2001:db8::1]:1"), hold(t, b, "[2001:db8::2]:1")
	front, large := hold(t, b, "127.0.0.1:1"), hold(t, b, "192.0.2.9:1")
	last, larger := hold(t, b, "127.0.0.2:1"), hold(t, b, "192.0.2.8:1")
	for _, step := range []struct {
		what string
		h    *holding
		n    int64
		want bool
	}{
		{"within the share", first, 20, true},
		{"less than is held", first, 10, true},
		{"more than the share, with another request", second, 10, false},
		{"the rest of the share", second, 5, true},
		{"another client", other, 20, true},
		{"the same network", sameNet, 10, false},
		{"one without a share", front, 20, true},
		{"more than a share", large, 1000, true},
		{"more than is left", last, 15, false},
		{"what is left", last, 10, true},
		{"more than a share, and even more", large, 2000, true},
		{"more than a share, while another has so much", larger, 26, false},
	} {
		if got := step.h.grow(step.n); got != step.want {
			t.Errorf("%s: %v", step.what, got)
		}
	}
	for _, h := range []*holding{first, second, other, front, large, last, larger, sameNet} {
		h.letGo()
	}
	if len(b.clients) != 0 {
		t.Errorf("%d clients are kept", len(b.clients))
	}
	if !larger.grow(1000) || !first.grow(25) {
		t.Error("something is lost")
	}
}

// TestWhoNeedsNothingIsNotRefused: who waits for one part keeps nobody from growing
// who takes nothing of it.
func TestWhoNeedsNothingIsNotRefused(t *testing.T) {
	b := newBudget(30, 30)
	large, waiting := hold(t, b, "192.0.2.1:1"), hold(t, b, "192.0.2.2:1")
	if !large.grow(30) {
		t.Fatal("all of it")
	}
	ctx, cancel := context.WithCancel(t.Context())
	held := make(chan bool)
	go func() { held <- waiting.await(ctx, 10) }()
	lane.Until(t, "the other waits", func() bool { // where it does, even nothing is refused
		if !b.all.TryAcquire(0) {
			return true
		}
		b.all.Release(0)
		return false
	})
	if !large.grow(31) || !large.grow(1000) {
		t.Error("who has all that is counted is refused more")
	}
	cancel()
	if <-held {
		t.Error("who gives up holds something")
	}
}

// TestBudgetIsAwaited: who waits for its share gets it when it is given back, and
// nothing is lost by one who gives up.
func TestBudgetIsAwaited(t *testing.T) {
	for _, b := range []*budget{newBudget(100, 10), newBudget(10, 100)} {
		first, second, third := hold(t, b, "192.0.2.1:1"), hold(t, b, "192.0.2.1:2"), hold(t, b, "192.0.2.1:3")
		if !first.grow(10) {
			t.Fatal("the first")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if second.await(ended, 5) {
			t.Error("one that has given up holds something")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		held := make(chan bool)
		go func() { held <- third.await(ctx, 10) }()
		first.letGo()
		if !<-held || second.grow(1) {
			t.Error("the third must hold all of it")
		}
		third.letGo()
		if !second.grow(10) {
			t.Error("something is lost")
		}
	}
}
