package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/jackc/pgx/v5"
)

// binaryResults asks for every column in the binary format, which value reads.
var binaryResults = pgx.QueryResultFormats{pgx.BinaryFormatCode}

// epoch is where PostgreSQL counts its microseconds from, in milliseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

var errFormat = errors.New("postgres: a value has an unexpected form")

// texts keeps the texts of a result. They lie side by side in pieces of memory: a
// piece for each text would be most of what a query allocates.
type texts struct{ piece strings.Builder }

// The sizes of pieces: each is twice the one before, unless a text is larger.
const (
	firstPiece = 256
	lastPiece  = 2048
)

func (t *texts) keep(raw []byte) string {
	if size := t.piece.Cap(); t.piece.Len()+len(raw) > size {
		t.piece = strings.Builder{}
		t.piece.Grow(max(firstPiece, min(2*size, lastPiece), len(raw)))
	}
	start := t.piece.Len()
	t.piece.Write(raw)
	return t.piece.String()[start:]
}

// value reads a value in the binary format of its type.
func (x *texts) value(raw []byte, t odata.Type) (odata.Value, error) {
	if raw == nil {
		return odata.Value{}, nil
	}
	switch t {
	case odata.String:
		return odata.StringOf(x.keep(raw)), nil
	case odata.Boolean:
		if len(raw) != 1 {
			return odata.Value{}, errFormat
		}
		return odata.BooleanOf(raw[0] != 0), nil
	}
	if len(raw) != 8 {
		return odata.Value{}, errFormat
	}
	n := int64(binary.BigEndian.Uint64(raw))
	if t == odata.Date {
		// Rows hold whole milliseconds; what other programs wrote is cut down.
		ms := n / 1000
		if n%1000 < 0 {
			ms--
		}
		n = ms + epoch
	}
	return odata.Value{Type: t, Num: n}, nil
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// each runs a query and gives every row, as values of the given columns, to
// yield. The row is reused.
func each(ctx context.Context, q querier, s *rows.Statement, shape *tables.Shape, places []int,
	yield func([]odata.Value) error) error {
	if s.Err != nil {
		return s.Err
	}
	found, err := q.Query(ctx, s.Text(), append([]any{binaryResults}, s.Args...)...)
	if err != nil {
		return err
	}
	defer found.Close()
	row := make([]odata.Value, len(places))
	var x texts
	for found.Next() {
		raw := found.RawValues()
		for i, p := range places {
			if row[i], err = x.value(raw[i], shape.Columns[p].Type); err != nil {
				return fmt.Errorf("%w: table %s, column %s", err, shape.Table, shape.Columns[p].Name)
			}
		}
		if err := yield(row); err != nil {
			if errors.Is(err, tables.ErrStop) {
				return nil
			}
			return err
		}
	}
	return found.Err()
}

// Query implements tables.Store.
func (s *Store) Query(ctx context.Context, q tables.Query, yield func([]odata.Value) error) error {
	if q.Top == 0 {
		return nil
	}
	query := dialect.Query(q)
	started := false
	return s.again(ctx, func() error {
		if started {
			return errHalf
		}
		return each(ctx, s.pool, query, q.Shape, q.Columns, func(row []odata.Value) error {
			started = true
			return yield(row)
		})
	})
}

var errHalf = errors.New("postgres: the connection was lost in the middle of a result")

// again repeats a read, which changes nothing, when its connection is lost: it
// had been idle and the server was restarted, for instance.
func (s *Store) again(ctx context.Context, f func() error) error {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := f()
		if err == nil || attempt == maxAttempts || !lost(err) {
			return translate(err)
		}
		wait := time.NewTimer(pause + rand.N(pause))
		select {
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		case <-wait.C:
		}
		pause = min(2*pause, time.Second)
	}
}

// Count implements tables.Store.
func (s *Store) Count(ctx context.Context, q tables.Query) (n int64, err error) {
	count := dialect.Count(q)
	if count.Err != nil {
		return 0, count.Err
	}
	err = s.again(ctx, func() error { return s.pool.QueryRow(ctx, count.Text(), count.Args...).Scan(&n) })
	return n, err
}

// Read implements tables.Store.
func (s *Store) Read(ctx context.Context, shape *tables.Shape, id odata.Value, where odata.Expr) (row []odata.Value,
	err error) {
	err = s.again(ctx, func() error {
		row, err = find(ctx, s.pool, shape, id, where, "")
		return err
	})
	return row, err
}

// find reads one row by its id.
func find(ctx context.Context, q querier, shape *tables.Shape, id odata.Value, where odata.Expr,
	lock string) ([]odata.Value, error) {
	query := dialect.Find(shape, id, where).Write(lock)
	var out []odata.Value
	err := each(ctx, q, query, shape, shape.All(), func(row []odata.Value) error {
		out = slices.Clone(row)
		return nil
	})
	if err == nil && out == nil {
		err = tables.ErrNotFound
	}
	return out, err
}

// Expire implements tables.Store.
func (s *Store) Expire(ctx context.Context, shape *tables.Shape, before int64) (n int64, err error) {
	err = s.do(ctx, shape.Table, func(t *turn) error {
		tag, err := t.exec(dialect.Expire(shape, before))
		n = tag.RowsAffected()
		return err
	})
	return n, err
}
