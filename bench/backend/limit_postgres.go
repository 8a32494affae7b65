package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// limitPostgres speaks the protocol's own level of pgx: prepared statements, values
// in the binary format, one round trip a request. The server commits for all who
// wait by itself.
type limitPostgres struct {
	database string
	mu       sync.Mutex
	idle     []*limitConn // the last one first: its server process is warm
}

type limitConn struct {
	*pgconn.PgConn
	read, query, insert *pgconn.StatementDescription
	eight               [4][8]byte
	params              [8][]byte
}

// binaryFormat is the format of every parameter and result.
var binaryFormat = []int16{1}

// epoch is where PostgreSQL counts microseconds from, in milliseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func openLimitPostgres(ctx context.Context, database string) (*limitPostgres, error) {
	l := &limitPostgres{database: database}
	c, err := l.take(ctx)
	if err == nil {
		l.give(c)
	}
	return l, err
}

// take returns a connection that nobody uses, or a new one.
func (l *limitPostgres) take(ctx context.Context) (*limitConn, error) {
	l.mu.Lock()
	if last := len(l.idle) - 1; last >= 0 {
		c := l.idle[last]
		l.idle = l.idle[:last]
		l.mu.Unlock()
		return c, nil
	}
	l.mu.Unlock()
	return limitDial(context.WithoutCancel(ctx), l.database)
}

func limitDial(ctx context.Context, database string) (*limitConn, error) {
	c, err := pgconn.Connect(ctx, database)
	if err != nil {
		return nil, err
	}
	const (
		columns = `id,"createdAt","updatedAt",version,complete,due,qty,text`
		all     = "SELECT " + columns + " FROM " + limitTable
	)
	l := &limitConn{PgConn: c}
	for text, to := range map[string]**pgconn.StatementDescription{
		all + " WHERE id=$1":                       &l.read,
		all + " WHERE qty=$1 ORDER BY id LIMIT $2": &l.query,
		"INSERT INTO " + limitTable + " (" + columns + ") VALUES ($1,$2,$2,$3,$4,$5,$6,$7)": &l.insert,
	} {
		if *to, err = c.Prepare(ctx, fmt.Sprintf("s%d", len(text)), text, nil); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *limitPostgres) give(c *limitConn) {
	l.mu.Lock()
	l.idle = append(l.idle, c)
	l.mu.Unlock()
}

var errForm = errors.New("a value has an unexpected form")

// run appends the rows of a result, each with a comma behind it.
func (l *limitConn) run(ctx context.Context, s *pgconn.StatementDescription, params [][]byte, b []byte) (
	[]byte, error) {
	result := l.ExecStatement(ctx, s, params, binaryFormat, binaryFormat)
	for result.NextRow() {
		v := result.Values()
		for _, i := range []int{1, 2, 3, 5, 6} {
			if len(v[i]) != 8 {
				_, err := result.Close()
				return nil, errors.Join(errForm, err)
			}
		}
		version, complete := int64(binary.BigEndian.Uint64(v[3])), len(v[4]) == 1 && v[4][0] != 0
		qty := math.Float64frombits(binary.BigEndian.Uint64(v[6]))
		b = appendRow(b, v[0], millis(v[1]), millis(v[2]), version, complete, millis(v[5]), qty, v[7])
		b = append(b, ',')
	}
	_, err := result.Close()
	return b, err
}

func millis(v []byte) int64 { return int64(binary.BigEndian.Uint64(v))/1000 + epoch }

func (l *limitPostgres) read(ctx context.Context, id string, b []byte) ([]byte, error) {
	c, err := l.take(ctx)
	if err != nil {
		return nil, err
	}
	defer l.give(c)
	c.params[0] = []byte(id)
	b, err = c.run(ctx, c.read, c.params[:1], b)
	if err == nil && len(b) == 0 {
		err = errNoRow
	}
	if err != nil {
		return nil, err
	}
	return b[:len(b)-1], nil
}

func (l *limitPostgres) query(ctx context.Context, qty float64, top int64, b []byte) ([]byte, error) {
	c, err := l.take(ctx)
	if err != nil {
		return nil, err
	}
	defer l.give(c)
	c.params[0] = binary.BigEndian.AppendUint64(c.eight[0][:0], math.Float64bits(qty))
	c.params[1] = binary.BigEndian.AppendUint64(c.eight[1][:0], uint64(top))
	return c.run(ctx, c.query, c.params[:2], b)
}

func (l *limitPostgres) insert(ctx context.Context, r *limitRow) error {
	r.created = time.Now().UnixMilli()
	c, err := l.take(ctx)
	if err != nil {
		return err
	}
	defer l.give(c)
	c.params[0] = []byte(r.id)
	c.params[1] = binary.BigEndian.AppendUint64(c.eight[0][:0], uint64(micros(r.created)))
	c.params[2] = binary.BigEndian.AppendUint64(c.eight[1][:0], uint64(r.version))
	c.params[3] = boolean[r.complete]
	c.params[4] = binary.BigEndian.AppendUint64(c.eight[2][:0], uint64(micros(r.due)))
	c.params[5] = binary.BigEndian.AppendUint64(c.eight[3][:0], math.Float64bits(r.qty))
	c.params[6] = []byte(r.text)
	_, err = c.ExecStatement(ctx, c.insert, c.params[:7], binaryFormat, binaryFormat).Close()
	return err
}

var boolean = map[bool][]byte{false: {0}, true: {1}}

func micros(ms int64) int64 { return (ms - epoch) * 1000 }
