package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cordon-sec/cordon/backend/store/rows"
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

// writer writes to one table. Other processes have writers of their own; they
// take turns by the table's row of cordon_clock.
type writer struct {
	s     *Store
	table string
	queue *rows.Queue[*turn]
	ended chan struct{}
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
	// together collects writes that go to the server in one message. It is set
	// instead of tx.
	together *together
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
		return nil, fmt.Errorf("postgres: %w", rows.ErrClosed)
	}
	w := s.writers[table]
	if w == nil {
		w = &writer{s: s, table: table, queue: rows.NewQueue[*turn](maxGroup), ended: make(chan struct{})}
		s.writers[table] = w
		go w.loop()
	}
	return w, nil
}

// do runs f in a transaction that holds the table's clock, together with the
// writes of others, and returns when it is committed. f may run several times. A
// request that ends before its turn is not carried out.
func (s *Store) do(ctx context.Context, table string, f func(t *turn) error) error {
	return s.submit(ctx, table, func(t *turn) error {
		if t.together != nil {
			return errAlone
		}
		return f(t)
	})
}

// submit is do for what may also go together with other writes.
func (s *Store) submit(ctx context.Context, table string, f func(t *turn) error) error {
	w, err := s.writer(table)
	if err != nil {
		return err
	}
	err = w.queue.Do(ctx, f)
	if errors.Is(err, rows.ErrClosed) {
		return fmt.Errorf("postgres: %w", err)
	}
	return err
}

func (w *writer) close() {
	w.queue.Close()
	<-w.ended
}

func (w *writer) loop() {
	defer close(w.ended)
	groups := rows.NewGatherer(w.queue, maxGroup)
	for group := groups.Next(); group != nil; group = groups.Next() {
		left, again, ahead := w.together(group)
		if len(left) > 0 {
			ahead = w.write(left, again) || ahead
		}
		groups.Done()
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
func (w *writer) write(group []*rows.Job[*turn], again bool) (ahead bool) {
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
			if !j.Begin() {
				continue
			}
			if j.Err = j.Run(&t); j.Err != nil && (len(group) == 1 || tx.Conn().PgConn().TxStatus() != 'T') {
				return j.Err
			}
		}
		return nil
	})
	switch {
	case err == nil:
		for _, j := range group {
			j.Err = translate(j.Err) // one that failed inside a savepoint of its own
		}
	case len(group) == 1 || lost(err) || ctx.Err() != nil:
		for _, j := range group {
			j.Err = translate(err)
		}
	default:
		for _, j := range group {
			w.write([]*rows.Job[*turn]{j}, again)
		}
	}
	return ahead
}
