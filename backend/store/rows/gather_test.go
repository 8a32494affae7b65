package rows_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordon-sec/cordon/backend/store/rows"
)

// gathering is a writer's side of a queue in a bubble of fake time.
type gathering struct {
	t *testing.T
	q *rows.Queue[int]
	g *rows.Gatherer[int]
}

// send puts so many jobs into the queue, after a while.
func (a gathering) send(n int, after time.Duration) {
	for range n {
		go func() {
			<-time.After(after)
			if err := a.q.Do(context.Background(), func(int) error { return nil }); err != nil {
				a.t.Error(err)
			}
		}()
	}
	if after == 0 {
		synctest.Wait()
		<-time.After(0)
		synctest.Wait()
	}
}

// group takes the next group, which must have so many jobs and have been waited for
// that long, and works on it for a while.
func (a gathering) group(size int, waited, work time.Duration) {
	a.t.Helper()
	began := time.Now()
	group := a.g.Next()
	if got := time.Since(began); len(group) != size || got != waited {
		a.t.Fatalf("a group of %d after %v, want %d after %v", len(group), got, size, waited)
	}
	<-time.After(work)
	a.g.Done()
	synctest.Wait()
}

func gather(t *testing.T, most int, f func(gathering)) {
	synctest.Test(t, func(t *testing.T) {
		q := rows.NewQueue[int](10)
		f(gathering{t, q, rows.NewGatherer(q, most)})
		q.Close()
	})
}

func TestWhoIsAloneIsNotWaitedFor(t *testing.T) {
	gather(t, 10, func(a gathering) {
		for range 3 {
			a.send(1, 0)
			a.group(1, 0, 4*time.Millisecond)
		}
	})
}

// Those who were answered and those who waited meanwhile are one group once the
// former have come again.
func TestWhoComesAgainIsWaitedFor(t *testing.T) {
	gather(t, 10, func(a gathering) {
		a.send(1, 0)
		a.send(2, time.Millisecond) // while it is worked on
		a.group(1, 0, 4*time.Millisecond)
		a.send(1, 500*time.Microsecond)
		a.group(3, 500*time.Microsecond, 4*time.Millisecond)
		a.send(3, 700*time.Microsecond)
		a.send(1, 800*time.Microsecond) // one more than expected waits for the next
		began := time.Now()
		group := a.g.Next() // the first comes after 700 µs, and with it the others
		if got := time.Since(began); len(group) != 3 || got != 700*time.Microsecond {
			t.Fatalf("a group of %d after %v", len(group), got)
		}
		<-time.After(4 * time.Millisecond)
		a.g.Done()
		a.group(1, time.Millisecond, 0) // a quarter of the 4 ms, in vain
	})
}

// Waiting ends after a quarter of what a commit takes, 2 ms at most; once it was in
// vain it is not tried for a while.
func TestPatienceEnds(t *testing.T) {
	gather(t, 10, func(a gathering) {
		a.send(2, 0)
		a.group(2, 0, time.Second)
		a.send(1, 0)
		a.group(1, 2*time.Millisecond, time.Second)
		for range 8 { // 16 groups
			a.send(2, 0)
			a.group(2, 0, time.Second)
			a.send(1, 0)
			a.group(1, 0, time.Second)
		}
		a.send(2, 0)
		a.group(2, 0, 4*time.Millisecond)
		a.send(1, 0)
		a.group(1, time.Millisecond, 0)
	})
}

func TestGroupsAreBounded(t *testing.T) {
	gather(t, 3, func(a gathering) {
		a.send(7, 0)
		for _, size := range []int{3, 3, 1} {
			a.group(size, map[int]time.Duration{3: 0, 1: time.Millisecond}[size], 4*time.Millisecond)
		}
		a.q.Close()
		if group := a.g.Next(); group != nil {
			t.Errorf("after the end: %d jobs", len(group))
		}
	})
}
