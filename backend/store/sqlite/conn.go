package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"modernc.org/sqlite"
)

// The pool of database/sql is of no use here, since one connection writes and
// the others read, and it costs a good part of a small query. So connections
// are the driver's own, each used by one goroutine at a time.

var theDriver = sync.OnceValues(func() (driver.Driver, error) {
	if err := registerFunctions(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return db.Driver(), nil
})

// maxStatements is how many prepared statements a connection keeps.
const maxStatements = 200

// conn is one connection with its prepared statements.
type conn struct {
	raw   driver.Conn
	stmts map[string]*stmt
	tick  uint64
	dest  []driver.Value
}

type stmt struct {
	raw  driver.Stmt
	used uint64
}

func connect(o Options, readOnly bool) (*conn, error) {
	d, err := theDriver()
	if err != nil {
		return nil, fmt.Errorf("sqlite: preparing the driver: %w", err)
	}
	raw, err := d.Open("file:" + (&url.URL{Path: o.Path}).EscapedPath() + "?_dqs=0")
	if err != nil {
		return nil, fmt.Errorf("sqlite: opening %s: %w", o.Path, err)
	}
	c := &conn{raw: raw, stmts: map[string]*stmt{}}
	synchronous := "FULL"
	if o.Durability == "normal" {
		synchronous = "NORMAL"
	}
	pragmas := []string{"busy_timeout=10000", "journal_mode=WAL", "synchronous=" + synchronous, "temp_store=MEMORY",
		"cache_size=-8000", "journal_size_limit=67108864", "trusted_schema=OFF"}
	if readOnly {
		pragmas = append(pragmas, "query_only=ON")
	}
	for _, p := range pragmas {
		if err := c.run("PRAGMA " + p); err != nil {
			_ = c.close()
			return nil, fmt.Errorf("sqlite: opening %s: %w", o.Path, err)
		}
	}
	return c, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		_ = s.raw.Close() // closing the connection tells what matters
	}
	return c.raw.Close()
}

// prepare returns the prepared statement of a text, making it if need be; the
// one that was not used for the longest time makes room.
func (c *conn) prepare(text string) (driver.Stmt, error) {
	c.tick++
	if s, ok := c.stmts[text]; ok {
		s.used = c.tick
		return s.raw, nil
	}
	raw, err := c.raw.Prepare(text)
	if err != nil {
		return nil, err
	}
	if len(c.stmts) >= maxStatements {
		oldest, at := "", c.tick
		for t, s := range c.stmts {
			if s.used < at {
				oldest, at = t, s.used
			}
		}
		_ = c.stmts[oldest].raw.Close()
		delete(c.stmts, oldest)
	}
	c.stmts[text] = &stmt{raw: raw, used: c.tick}
	return raw, nil
}

// run executes text that needs no result, without keeping a statement.
func (c *conn) run(text string) error { return c.runContext(context.Background(), text) }

// runContext is run for text that takes long: the end of the context interrupts
// it.
func (c *conn) runContext(ctx context.Context, text string) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(ctx, text, nil)
	return err
}

// exec executes a prepared statement.
func (c *conn) exec(text string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.prepare(text)
	if err != nil {
		return nil, err
	}
	return s.(driver.StmtExecContext).ExecContext(context.Background(), args)
}

// query runs a prepared statement and gives every row to each. The row is
// reused. A context that can end interrupts the search for the first row, and
// is looked at between rows.
func (c *conn) query(ctx context.Context, text string, args []driver.NamedValue,
	each func([]driver.Value) error) error {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return err
	}
	n := len(rows.Columns())
	if cap(c.dest) < n {
		c.dest = make([]driver.Value, n)
	}
	dest := c.dest[:n]
	done := ctx.Done()
	for err = rows.Next(dest); err == nil; err = rows.Next(dest) {
		if done != nil && ctx.Err() != nil {
			err = ctx.Err()
			break
		}
		if err = each(dest); err != nil {
			break
		}
	}
	if closeErr := rows.Close(); err == io.EOF {
		err = closeErr
	}
	if errors.Is(err, tables.ErrStop) {
		return nil
	}
	return err
}

// number runs a query for one integer; there may be none, which is 0.
func (c *conn) number(text string, args ...driver.Value) (int64, error) {
	var n int64
	err := c.query(context.Background(), text, named(args), func(row []driver.Value) error {
		n, _ = row[0].(int64)
		return nil
	})
	return n, err
}

// text runs a query for one text.
func (c *conn) text(query string) (string, error) {
	out := ""
	err := c.query(context.Background(), query, nil, func(row []driver.Value) error {
		out = asText(row[0])
		return nil
	})
	return out, err
}

func named[V any](args []V) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, a := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return out
}

// The result codes that a caller decides on (sqlite.org/rescode.html).
const (
	codeError         = 1
	codeTooBig        = 18
	codeConstraint    = 19
	codePrimaryKey    = 1555
	codeUnique        = 2067
	codeRowID         = 2579
	uniqueFailed      = "UNIQUE constraint failed: "
	depthFailed       = "Expression tree is too large"
	variablesFailed   = "too many SQL variables"
	stackOverflowText = "parser stack overflow"
)

// translate turns what the driver says into what the features decide on.
func translate(err error) error {
	var e *sqlite.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case codePrimaryKey, codeUnique, codeRowID:
		column := ""
		if _, list, ok := strings.Cut(e.Error(), uniqueFailed); ok {
			list, _, _ = strings.Cut(list, " (")
			list, _, _ = strings.Cut(list, ",")
			if i := strings.LastIndexByte(list, '.'); i >= 0 {
				column = list[i+1:]
			}
		}
		return &tables.DuplicateError{Column: column}
	case codeTooBig:
		return &tables.QueryError{Msg: "The value is too large"}
	case codeError:
		for _, text := range []string{depthFailed, variablesFailed, stackOverflowText} {
			if strings.Contains(e.Error(), text) {
				return &tables.QueryError{Msg: "The query is too complex"}
			}
		}
	}
	return fmt.Errorf("sqlite: %w", err)
}

func named2(a, b any) []driver.NamedValue {
	return []driver.NamedValue{{Ordinal: 1, Value: a}, {Ordinal: 2, Value: b}}
}

// perform executes a statement.
func (c *conn) perform(s *rows.Statement) (driver.Result, error) {
	if s.Err != nil {
		return nil, s.Err
	}
	return c.exec(s.Text(), named(s.Args))
}

// ask is query for a statement.
func (c *conn) ask(ctx context.Context, s *rows.Statement, each func([]driver.Value) error) error {
	if s.Err != nil {
		return s.Err
	}
	return c.query(ctx, s.Text(), named(s.Args), each)
}
