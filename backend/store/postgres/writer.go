package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// The limits of one transaction and of a write with all its repetitions.
const (
	maxGroup     = 256
	writeTimeout = 30 * time.Second
	// maxAhead is how far stamps may run ahead of the clock, in milliseconds.
	maxAhead = 1000
	// maxSpread is how far they may do so to be different within one
	// transaction.
	maxSpread = 300
)

var errClosed = errors.New("postgres: the store is closed")

// job is one write on its way to the writer of its table.
type job struct {
	run  func(t *turn) error
	err  error
	done chan struct{}
}

var jobs = sync.Pool{New: func() any { return &job{done: make(chan struct{}, 1)} }}

// writer writes to one table. Other processes have writers of their own; they
// take turns by the table's row of cordon_clock.
type writer struct {
	s      *Store
	table  string
	queue  chan *job
	ended  chan struct{}
	mu     sync.RWMutex
	closed bool
	// crowded says that stamps have run ahead of the clock. Only loop uses it.
	crowded bool
}

// turn is one transaction's right to write to a table.
type turn struct {
	ctx context.Context
	tx  pgx.Tx
	// stamp is the updatedAt of the next row that it writes, in milliseconds,
	// later than that of everything that was committed before; last is the
	// end of what the transaction may give out.
	stamp, last int64
	// again says that the same work may have been committed before.
	again bool
}

// next takes a stamp. Rows of one transaction may share one, since they become
// visible together. But clients page best when no two rows do.
func (t *turn) next() int64 {
	ms := t.stamp
	if t.stamp < t.last {
		t.stamp++
	}
	return ms
}

// writer returns the writer of a table, starting it if need be.
func (s *Store) writer(table string) (*writer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	w := s.writers[table]
	if w == nil {
		w = &writer{s: s, table: table, queue: make(chan *job, maxGroup), ended: make(chan struct{})}
		s.writers[table] = w
		go w.loop()
	}
	return w, nil
}

// do runs f in a transaction that holds the table's clock, together with the
// writes of others, and returns when it is committed. f may run several times.
func (s *Store) do(table string, f func(t *turn) error) error {
	w, err := s.writer(table)
	if err != nil {
		return err
	}
	j := jobs.Get().(*job)
	j.run, j.err = f, nil
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		return errClosed
	}
	w.queue <- j
	w.mu.RUnlock()
	<-j.done
	err = j.err
	j.run = nil
	jobs.Put(j)
	return err
}

func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.ended
}

func (w *writer) loop() {
	defer close(w.ended)
	var group []*job
	for first := range w.queue {
		group = append(group[:0], first)
	more:
		for len(group) < maxGroup {
			select {
			case next, ok := <-w.queue:
				if !ok {
					break more
				}
				group = append(group, next)
			default:
				break more
			}
		}
		ahead := w.write(group, false)
		for _, j := range group {
			j.done <- struct{}{}
		}
		if ahead {
			time.Sleep(time.Millisecond)
		}
	}
}

// clockSQL takes the clock of a table. It returns the first and the last stamp
// that the transaction may use, and the time.
const clockSQL = `UPDATE cordon_clock SET ms=greatest(ms+1,(extract(epoch FROM clock_timestamp())*1000)::int8)+$2 WHERE name=$1
	RETURNING ms-$2, ms, (extract(epoch FROM clock_timestamp())*1000)::int8`

// write runs the jobs in one transaction. When a statement of one fails, the
// server ends the transaction for all; then each gets one of its own. When the
// server is gone, nothing helps.
func (w *writer) write(group []*job, again bool) (ahead bool) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	again, err := w.s.transactAgain(ctx, again, func(ctx context.Context, tx pgx.Tx, again bool) error {
		t := turn{ctx: ctx, tx: tx, again: again}
		// One stamp for each job, unless they ran too far ahead the last time.
		spread := int64(len(group) - 1)
		if w.crowded {
			spread = 0
		}
		var now int64
		err := tx.QueryRow(ctx, clockSQL, w.table, spread).Scan(&t.stamp, &t.last, &now)
		if err != nil {
			return err
		}
		w.crowded = t.last > now+maxSpread
		ahead = t.last > now+maxAhead
		for _, j := range group {
			if j.err = j.run(&t); j.err != nil && (len(group) == 1 || tx.Conn().PgConn().TxStatus() != 'T') {
				return j.err
			}
		}
		return nil
	})
	switch {
	case err == nil:
	case len(group) == 1 || lost(err) || ctx.Err() != nil:
		for _, j := range group {
			j.err = translate(err)
		}
	default:
		for _, j := range group {
			w.write([]*job{j}, again)
		}
	}
	return ahead
}
