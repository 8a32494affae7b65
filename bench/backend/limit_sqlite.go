package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net/url"
	"runtime"
	"time"

	_ "modernc.org/sqlite"

	storerows "github.com/cordon-sec/cordon/backend/store/rows"
)

// limitSQLite has a connection for each reader, taken from a channel, and one
// goroutine that writes, which commits for all who wait.
type limitSQLite struct {
	readers chan *limitReader
	jobs    *storerows.Queue[*limitWriter]
}

type limitReader struct {
	one, many limitStmt
}

// limitStmt is a prepared statement with what is used again for each run.
type limitStmt struct {
	stmt driver.StmtQueryContext
	args []driver.NamedValue
	dest []driver.Value
}

const limitColumns = "SELECT id,createdAt,updatedAt,version,complete,due,qty,text FROM " + limitTable

// limitConnect opens a connection of the driver, without the pool of
// database/sql, with the settings that Cordon has.
func limitConnect(path, durability string) (driver.Conn, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	pragmas := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(" + durability + ")",
		"temp_store(MEMORY)", "cache_size(-8000)", "journal_size_limit(67108864)"}}
	return db.Driver().Open("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas.Encode())
}

func openLimitSQLite(path, durability string) (*limitSQLite, error) {
	n := max(4, 2*runtime.GOMAXPROCS(0))
	l := &limitSQLite{readers: make(chan *limitReader, n), jobs: storerows.NewQueue[*limitWriter](limitGroup)}
	for range n {
		c, err := limitConnect(path, durability)
		if err != nil {
			return nil, err
		}
		r := &limitReader{}
		// The order is that of the rows' numbers, which is that of the index too. A
		// plain argument as the limit would have SQLite plan anew for each run.
		err = errors.Join(r.one.prepare(c, limitColumns+" WHERE id=?"),
			r.many.prepare(c, limitColumns+" WHERE qty=? ORDER BY rowid LIMIT ?+0"))
		if err != nil {
			return nil, err
		}
		l.readers <- r
	}
	c, err := limitConnect(path, durability)
	if err != nil {
		return nil, err
	}
	w := &limitWriter{groups: storerows.NewGatherer(l.jobs, limitGroup)}
	for text, s := range map[string]*driver.StmtExecContext{
		"BEGIN IMMEDIATE": &w.begin,
		"COMMIT":          &w.commit,
		"INSERT INTO " + limitTable + " VALUES (?,?,?,?,?,?,?,?)": &w.insert,
	} {
		stmt, err := c.Prepare(text)
		if err != nil {
			return nil, err
		}
		*s = stmt.(driver.StmtExecContext)
	}
	go w.loop()
	return l, nil
}

func (s *limitStmt) prepare(c driver.Conn, text string) error {
	stmt, err := c.Prepare(text)
	if err != nil {
		return err
	}
	s.stmt, s.args, s.dest = stmt.(driver.StmtQueryContext), make([]driver.NamedValue, 0, 8), make([]driver.Value, 8)
	return nil
}

// run appends the rows of a result, each with a comma behind it.
func (s *limitStmt) run(b []byte, args ...any) ([]byte, error) {
	s.args = s.args[:0]
	for i, v := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	rows, err := s.stmt.QueryContext(context.Background(), s.args)
	if err != nil {
		return nil, err
	}
	for err = rows.Next(s.dest); err == nil; err = rows.Next(s.dest) {
		d := s.dest
		b = appendRow(b, d[0].(string), d[1].(int64), d[2].(int64), d[3].(int64), d[4].(int64) != 0, d[5].(int64),
			d[6].(float64), d[7].(string))
		b = append(b, ',')
	}
	if err == io.EOF {
		err = nil
	}
	return b, errors.Join(err, rows.Close())
}

func (l *limitSQLite) read(_ context.Context, id string, b []byte) ([]byte, error) {
	c := <-l.readers
	b, err := c.one.run(b, id)
	l.readers <- c
	if err == nil && len(b) == 0 {
		err = errNoRow
	}
	if err != nil {
		return nil, err
	}
	return b[:len(b)-1], nil
}

func (l *limitSQLite) query(_ context.Context, qty float64, top int64, b []byte) ([]byte, error) {
	c := <-l.readers
	b, err := c.many.run(b, qty, top)
	l.readers <- c
	return b, err
}

func (l *limitSQLite) insert(ctx context.Context, r *limitRow) error {
	return l.jobs.Do(ctx, func(w *limitWriter) error { return w.write(r) })
}

// limitGroup is how many rows a transaction has at most.
const limitGroup = 256

// limitWriter makes its groups as Cordon does.
type limitWriter struct {
	groups                *storerows.Gatherer[*limitWriter]
	begin, commit, insert driver.StmtExecContext
	args                  [8]driver.NamedValue
	last                  int64
}

func (w *limitWriter) loop() {
	for w.groups.Next() != nil {
		err := w.transaction()
		for _, j := range w.groups.Jobs() {
			if j.Err == nil {
				j.Err = err
			}
		}
		w.groups.Done()
	}
}

// transaction writes the rows that wait, and those that come meanwhile.
func (w *limitWriter) transaction() error {
	if _, err := w.begin.ExecContext(context.Background(), nil); err != nil {
		return err
	}
	for i := 0; i < len(w.groups.Jobs()) || w.groups.More(); i++ {
		if j := w.groups.Jobs()[i]; j.Begin() {
			j.Err = j.Run(w)
		}
	}
	_, err := w.commit.ExecContext(context.Background(), nil)
	return err
}

func (w *limitWriter) write(r *limitRow) error {
	r.created = max(time.Now().UnixMilli(), w.last+1)
	w.last = r.created
	complete := int64(0)
	if r.complete {
		complete = 1
	}
	for i, v := range [8]any{r.id, r.created, r.created, r.version, complete, r.due, r.qty, r.text} {
		w.args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	_, err := w.insert.ExecContext(context.Background(), w.args[:])
	return err
}
