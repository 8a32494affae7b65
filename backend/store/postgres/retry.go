package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The bounds of repeating a transaction.
const (
	maxAttempts    = 10
	attemptTimeout = 20 * time.Second
	firstPause     = 5 * time.Millisecond
)

// The SQLSTATE classes and codes that decide (PostgreSQL, appendix A).
const (
	stateSerialization = "40001"
	stateDeadlock      = "40P01"
	stateUnique        = "23505"
	classConnection    = "08"
	classShutdown      = "57P"
)

// transact runs f in a transaction and commits it, again from the start when
// that may help. again says that an earlier attempt may have been committed
// after all, so that f has to look for its own work.
func (s *Store) transact(ctx context.Context, f func(ctx context.Context, tx pgx.Tx, again bool) error) error {
	_, err := s.transactAgain(ctx, false, f)
	return err
}

// transactAgain is transact for work that may have been done before. Unknown
// says the same of the work after it.
func (s *Store) transactAgain(ctx context.Context, again bool,
	f func(ctx context.Context, tx pgx.Tx, again bool) error) (unknown bool, err error) {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := s.attempt(ctx, again, f)
		again = again || err != nil && lost(err)
		if err == nil || attempt == maxAttempts || ctx.Err() != nil || !lost(err) && !repeatable(err) {
			return again, err
		}
		wait := time.NewTimer(pause + rand.N(pause))
		select {
		case <-ctx.Done():
			wait.Stop()
			return again, err
		case <-wait.C:
		}
		pause = min(2*pause, time.Second)
	}
}

func (s *Store) attempt(ctx context.Context, again bool, f func(context.Context, pgx.Tx, bool) error) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing
	if err := f(ctx, tx, again); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func repeatable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == stateSerialization || pg.Code == stateDeadlock)
}

// lost reports whether the connection went away, and with it the knowledge of
// what happened.
func lost(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, classConnection) || strings.HasPrefix(pg.Code, classShutdown)
	}
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed") || pgconn.SafeToRetry(err)
}

// tooMuch are the states that say that a query asks for what cannot be had:
// numbers out of range, division by zero, a statement that is too complex.
var tooMuch = map[string]string{
	"22003": "A number in the query is out of range",
	"22012": "The query divides by zero",
	"22008": "A date in the query is out of range",
	"54000": "The query is too complex",
	"54001": "The query is too complex",
	"54011": "The table has too many columns",
	"54023": "The query is too complex",
	"22021": "The text is not valid",
}

// translate turns what the server says into what the features decide on. The
// server's own text stays out of it, since it may quote rows.
func translate(err error) error {
	var pg *pgconn.PgError
	if err == nil || !errors.As(err, &pg) {
		return err
	}
	if pg.Code == stateUnique {
		column := ""
		// Key (name)=(x) already exists: the first parentheses hold the column
		// in every language.
		if _, rest, ok := strings.Cut(pg.Detail, "("); ok {
			column, _, _ = strings.Cut(rest, ")")
			column = strings.Trim(column, `"`)
		}
		return &tables.DuplicateError{Column: column}
	}
	if msg, ok := tooMuch[pg.Code]; ok {
		return &tables.QueryError{Msg: msg}
	}
	return fmt.Errorf("postgres: SQLSTATE %s in %s: %w", pg.Code, pg.Routine, errServer)
}

var errServer = errors.New("the server refused a statement")
