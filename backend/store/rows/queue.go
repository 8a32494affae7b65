// Package rows is what the databases of the backend share. Each keeps its own
// words, transactions and clocks.
//
// A [Queue] brings writes to the one goroutine that carries them out in groups:
// the writer of SQLite's file, or of one of PostgreSQL's tables. What a row is
// after a write ([Fresh], [Changed], [Loaded]) is the same in all databases, and so
// is what is asked of them: a [Statement] writes it in the [Dialect] of one.
package rows

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/cordon-sec/cordon/internal/caught"
)

// ErrClosed says that the store is closed.
var ErrClosed = errors.New("the store is closed")

// PanicError is a panic in a write, such as in a guard: the write failed, and
// the writer goes on.
type PanicError struct {
	// Place is the kind of the panic and where it happened, for the operator's log.
	// Its value may hold a row and is not kept.
	Place string
}

// Error says what happened, and where.
func (e *PanicError) Error() string { return "a write ended in a panic: " + e.Place }

// The states of a job.
const (
	waiting int32 = iota
	begun
	withdrawn
)

// Job is one write on its way; T is what it is carried out with.
type Job[T any] struct {
	// Err is the outcome. It is the writer's until Finish.
	Err error

	run   func(T) error
	state atomic.Int32
	done  chan struct{}
}

// Begin reports whether the job is to be carried out: its request waits for it
// still. From then on the request waits for the outcome, whatever it is.
func (j *Job[T]) Begin() bool {
	return j.state.CompareAndSwap(waiting, begun) || j.state.Load() == begun
}

// Run carries the job out, which must have begun unless it is only to be looked at.
// It may be run again. A panic is an error.
func (j *Job[T]) Run(with T) error {
	return Guarded(func() error { return j.run(with) })
}

// Finish gives the outcome to the request. It is called once.
func (j *Job[T]) Finish() { close(j.done) }

// Guarded runs f and takes a panic of it for the error that it is.
func Guarded(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{caught.Panic(value, debug.Stack())}
		}
	}()
	return f()
}

// Queue brings jobs to a writer. It is safe for concurrent use.
type Queue[T any] struct {
	jobs chan *Job[T]
	// mu keeps Do from sending to a queue that Close has closed.
	mu     sync.RWMutex
	closed bool
}

// NewQueue returns a queue in which size jobs may wait.
func NewQueue[T any](size int) *Queue[T] { return &Queue[T]{jobs: make(chan *Job[T], size)} }

// Jobs are the jobs in order; the channel ends once the queue is closed.
func (q *Queue[T]) Jobs() <-chan *Job[T] { return q.jobs }

// Do waits until the writer has carried f out, and returns its error. A request
// that ends before the writer has begun is not carried out at all; one that ends
// later learns the outcome.
func (q *Queue[T]) Do(ctx context.Context, f func(T) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &Job[T]{run: f, done: make(chan struct{})}
	if err := q.send(ctx, j); err != nil {
		return err
	}
	select {
	case <-j.done:
		return j.Err
	case <-ctx.Done():
		if j.state.CompareAndSwap(waiting, withdrawn) {
			return ctx.Err()
		}
	}
	<-j.done
	return j.Err
}

func (q *Queue[T]) send(ctx context.Context, j *Job[T]) error {
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.closed {
		return ErrClosed
	}
	select {
	case q.jobs <- j:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close takes no more jobs; those that wait are carried out still.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.jobs)
	}
}
