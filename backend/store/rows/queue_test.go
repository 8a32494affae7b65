package rows_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/cordon-sec/cordon/backend/store/rows"
)

// start carries jobs out one after the other; each waits for a turn first.
func start(q *rows.Queue[int], turn <-chan struct{}) *sync.WaitGroup {
	var running sync.WaitGroup
	running.Go(func() {
		for j := range q.Jobs() {
			<-turn
			if j.Begin() {
				j.Err = j.Run(7)
			}
			j.Finish()
		}
	})
	return &running
}

func TestQueue(t *testing.T) {
	q := rows.NewQueue[int](4)
	turn := make(chan struct{}, 10)
	running := start(q, turn)
	failed := errors.New("it failed")
	turn <- struct{}{}
	if err := q.Do(t.Context(), func(n int) error {
		if n != 7 {
			t.Errorf("it was run with %d", n)
		}
		return failed
	}); err != failed {
		t.Errorf("the outcome is %v", err)
	}
	turn <- struct{}{}
	var panicked *rows.PanicError
	if err := q.Do(t.Context(), func(int) error { panic("a guard") }); !errors.As(err, &panicked) ||
		!strings.HasPrefix(err.Error(), "a write ended in a panic: string at backend/store/rows/queue_test.go:") ||
		strings.Contains(err.Error(), "a guard") {
		t.Errorf("a panic is %v", err)
	}
	turn <- struct{}{}
	if err := q.Do(t.Context(), func(int) error { return nil }); err != nil {
		t.Errorf("after a panic: %v", err)
	}
	q.Close()
	q.Close()
	running.Wait()
	if err := q.Do(t.Context(), nil); err != rows.ErrClosed {
		t.Errorf("after the end: %v", err)
	}
}

// A write whose request ends while it waits is not carried out; one that has
// begun is, and its request learns so.
func TestQueueKeepsToTheContext(t *testing.T) {
	q := rows.NewQueue[int](0)
	turn := make(chan struct{})
	running := start(q, turn)
	ended, end := context.WithCancel(t.Context())
	end()
	if err := q.Do(ended, func(int) error {
		t.Error("a write of a request that had ended")
		return nil
	}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended request gets %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan error, 1), make(chan error, 1)
	go func() {
		first <- q.Do(ctx, func(int) error { t.Error("a write was carried out for nobody"); return nil })
	}()
	go func() {
		second <- q.Do(ctx, func(int) error { t.Error("a write was carried out for nobody"); return nil })
	}()
	cancel()
	for _, got := range []chan error{first, second} {
		if err := <-got; !errors.Is(err, context.Canceled) {
			t.Errorf("a request that ended while it waited gets %v", err)
		}
	}
	ctx, cancel = context.WithCancel(t.Context())
	begun := make(chan struct{})
	third := make(chan error, 1)
	go func() {
		third <- q.Do(ctx, func(int) error {
			close(begun)
			<-ctx.Done()
			return nil
		})
	}()
	var pump sync.WaitGroup
	pump.Go(func() {
		for { // the writer may hold a job that was withdrawn
			select {
			case turn <- struct{}{}:
			case <-begun:
				return
			}
		}
	})
	<-begun
	cancel()
	if err := <-third; err != nil {
		t.Errorf("a write that had begun gets %v", err)
	}
	pump.Wait()
	q.Close()
	close(turn)
	running.Wait()
}
