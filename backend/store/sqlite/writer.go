package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cordon-sec/cordon/backend/store/rows"
)

// The limits of one transaction: how many writes share it, and for how long
// it takes in more.
const (
	maxGroup  = 256
	groupTime = 4 * time.Millisecond
	// maxAhead is how far stamps may run ahead of the clock, in milliseconds.
	// Each transaction needs a stamp of its own, and without an fsync there
	// can be more transactions than milliseconds.
	maxAhead = 1000
	// maxSpread is how far they may do so to be different within one
	// transaction.
	maxSpread = 300
)

// writer owns the connection that writes.
type writer struct {
	c     *conn
	now   func() time.Time
	queue *rows.Queue[*writer]
	ended chan struct{}

	// last is the latest stamp of each table; stamps are those of the
	// transaction that runs, erased the tables whose latest rows it may
	// remove.
	last    map[string]int64
	stamps  map[string]int64
	erased  map[string]bool
	version int64 // of the file, to notice other processes
	bulk    bool  // it was made ready for imports
}

func newWriter(c *conn, o Options) *writer {
	w := &writer{c: c, now: o.Now, queue: rows.NewQueue[*writer](maxGroup), ended: make(chan struct{}),
		last: map[string]int64{}, stamps: map[string]int64{}, erased: map[string]bool{}}
	go w.loop()
	return w
}

// do runs f inside a transaction, together with the writes of others, and
// returns when it is durable. f must be one statement that changes something,
// or use atomic. A request that ends before its turn is not carried out.
func (w *writer) do(ctx context.Context, f func(*writer) error) error {
	err := w.queue.Do(ctx, f)
	if errors.Is(err, rows.ErrClosed) {
		return fmt.Errorf("sqlite: %w", err)
	}
	return err
}

func (w *writer) close() error {
	w.queue.Close()
	<-w.ended
	// A checkpoint leaves one file behind; if a reader is in the way the next
	// start does it.
	_ = w.c.run("PRAGMA wal_checkpoint(TRUNCATE)")
	return w.c.close()
}

func (w *writer) loop() {
	defer close(w.ended)
	groups := rows.NewGatherer(w.queue, maxGroup)
	for groups.Next() != nil {
		err := w.transaction(groups)
		for _, j := range groups.Jobs() {
			if err != nil && j.Err == nil {
				j.Err = err
			}
		}
		groups.Done()
		w.pace()
	}
}

// transaction runs the group, which grows by what comes in meanwhile. A job that
// takes all of it along when it fails fails alone: the others are run again without
// it.
func (w *writer) transaction(group *rows.Gatherer[*writer]) error {
	failed := map[*rows.Job[*writer]]bool{}
	for {
		again, err := w.attempt(group, failed)
		if err != nil || !again {
			return err
		}
	}
}

// attempt is a transaction of the group but for those that have failed in an earlier
// one, and reports whether another such was found.
func (w *writer) attempt(group *rows.Gatherer[*writer], failed map[*rows.Job[*writer]]bool) (again bool, err error) {
	if _, err := w.c.exec("BEGIN IMMEDIATE", nil); err != nil {
		return false, fmt.Errorf("sqlite: beginning: %w", err)
	}
	clear(w.stamps)
	clear(w.erased)
	if err := w.notice(); err != nil {
		return false, w.rollback(err)
	}
	began := time.Now()
	for i := 0; i < len(group.Jobs()); i++ {
		j := group.Jobs()[i]
		if !failed[j] && j.Begin() {
			err := j.Run(w)
			var whole *entireError
			if errors.As(err, &whole) {
				j.Err = translate(whole.error)
				failed[j] = true
				return true, w.rollback(nil)
			}
			j.Err = translate(err)
		}
		if i+1 == len(group.Jobs()) && time.Since(began) < groupTime {
			group.More()
		}
	}
	return false, w.commit()
}

func (w *writer) commit() error {
	for table := range w.erased {
		if err := w.keepClock(table); err != nil {
			return w.rollback(err)
		}
	}
	if _, err := w.c.exec("COMMIT", nil); err != nil {
		return w.rollback(fmt.Errorf("sqlite: committing: %w", err))
	}
	for table, ms := range w.stamps {
		w.last[table] = ms
	}
	return nil
}

func (w *writer) rollback(err error) error {
	clear(w.last) // what was noticed in the transaction is gone
	_ = w.c.run("ROLLBACK")
	return err
}

// notice forgets the stamps when another process has written to the file.
func (w *writer) notice() error {
	v, err := w.c.number("PRAGMA data_version")
	if err != nil {
		return err
	}
	if v != w.version {
		w.version = v
		clear(w.last)
	}
	return nil
}

// atomic runs f so that all of it happens or nothing.
func (w *writer) atomic(f func() error) error {
	if _, err := w.c.exec("SAVEPOINT job", nil); err != nil {
		return err
	}
	err := rows.Guarded(f)
	if err != nil {
		if _, e := w.c.exec("ROLLBACK TO job", nil); e != nil {
			return e
		}
	}
	if _, e := w.c.exec("RELEASE job", nil); e != nil && err == nil {
		err = e
	}
	return err
}

// entire is atomic for jobs that change many rows: without a savepoint, for which
// SQLite would keep a copy of each page that they change. If f fails, the transaction
// begins anew without its job.
func (w *writer) entire(f func() error) error {
	if err := rows.Guarded(f); err != nil {
		return &entireError{err}
	}
	return nil
}

// entireError is the error of a job that has left something in the transaction.
type entireError struct{ error }

// stamp is the updatedAt of everything that this transaction writes to the
// table: now, but later than everything that was committed before. So a reader
// who has seen a stamp has seen all rows that will ever bear it.
func (w *writer) stamp(table string) (int64, error) {
	if ms, ok := w.stamps[table]; ok {
		// Rows of one transaction may share a stamp, since they become visible
		// together. But clients page best when no two rows do.
		if ms-w.now().UnixMilli() < maxSpread {
			ms++
			w.stamps[table] = ms
		}
		return ms, nil
	}
	last, known := w.last[table]
	if !known {
		newest, err := w.c.number("SELECT max(updatedAt) FROM " + rows.Quote(table))
		if err != nil {
			return 0, err
		}
		kept, err := w.c.number("SELECT ms FROM cordon_clock WHERE name=?", table)
		if err != nil {
			return 0, err
		}
		last = max(newest, kept)
		w.last[table] = last
	}
	ms := max(w.now().UnixMilli(), last+1)
	w.stamps[table] = ms
	return ms, nil
}

// erase says that rows of the table go away, and with them perhaps the only
// trace of the latest stamp.
func (w *writer) erase(table string) error {
	_, err := w.stamp(table)
	w.erased[table] = true
	return err
}

const raiseClock = "INSERT INTO cordon_clock(name,ms) VALUES(?,?) ON CONFLICT(name) DO UPDATE SET " +
	"ms=max(ms,excluded.ms)"

func (w *writer) keepClock(table string) error {
	_, err := w.c.exec(raiseClock, named2(table, w.stamps[table]))
	return err
}

// pace waits when stamps have run ahead of the clock.
func (w *writer) pace() {
	now := w.now().UnixMilli()
	for _, ms := range w.stamps {
		if ms > now+maxAhead {
			time.Sleep(time.Millisecond)
			return
		}
	}
}
